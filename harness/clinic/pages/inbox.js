/* Notices, and the e-mails that the clinic sent. */

import { get, path, post } from "./api.js";
import { button, card, h, head, part, when } from "./dom.js";
import { notices } from "./live.js";

function notice(item, reload) {
  const read = button(
    "Mark as read",
    async () => {
      await post(path`/notices/${item.id}/read`);
      await reload();
    },
    { kind: "small quiet", testid: "mark-read", label: `Mark as read: ${item.text}` },
  );
  return h(
    "li",
    {
      class: item.read ? "" : "unread",
      "data-testid": "notice",
      "data-notice-id": item.id,
      "data-kind": item.kind,
      "data-read": String(Boolean(item.read)),
    },
    h("div", { class: "what" }, h("h3", {}, item.text), h("p", { class: "meta" }, when(item.created_at))),
    !item.read && read,
  );
}

export function show(main, { signal }) {
  const list = h("ul", { class: "rows" });
  let next = null;
  const more = button("Show more", async () => add(await get(`/notices?cursor=${encodeURIComponent(next)}`, signal)), {
    testid: "notices-more",
  });
  const add = (page) => {
    list.append(...page.items.map((item) => notice(item, inbox.reload)));
    next = page.next ?? null;
    more.hidden = next === null;
  };
  const inbox = part(
    () => get("/notices", signal),
    (page) => {
      list.replaceChildren();
      add(page);
      return page.items.length && [list, more];
    },
    { empty: "No notices yet.", testid: "inbox" },
  );
  const letter = (item) =>
    h(
      "li",
      { "data-testid": "mail" },
      h(
        "div",
        { class: "what" },
        h("h3", {}, item.subject),
        h("p", {}, item.body ?? item.text),
        h("p", { class: "meta" }, when(item.sent_at)),
      ),
    );
  const mail = part(
    () => get("/notices/mail", signal),
    ({ items }) => items.length && h("ul", { class: "rows" }, items.map(letter)),
    { empty: "The clinic has not written to you.", testid: "mailbox" },
  );
  notices.addEventListener("notice", () => Promise.all([inbox.reload(), mail.reload()]), { signal });
  main.replaceChildren(
    head("Inbox", "What happened with your consultations. New notices arrive by themselves."),
    h("div", { class: "columns" }, card("Notices", inbox), card("E-mail from the clinic", mail)),
  );
}
