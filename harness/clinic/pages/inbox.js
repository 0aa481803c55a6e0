/* Notices, and the e-mails that the clinic sent. */

import { path, post } from "./api.js";
import { button, card, h, head, when } from "./dom.js";
import { rowList } from "./lists.js";
import { onNews } from "./live.js";

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
  const inbox = rowList("/notices", (item) => notice(item, () => inbox.reload()), {
    signal,
    empty: "No notices yet.",
    testid: "inbox",
  });
  const letter = (item) =>
    h(
      "li",
      { "data-testid": "mail" },
      h(
        "div",
        { class: "what" },
        h("h3", {}, item.subject),
        h("p", {}, item.body),
        h("p", { class: "meta" }, when(item.sent_at)),
      ),
    );
  const mail = rowList("/notices/mail", letter, {
    signal,
    empty: "The clinic has not written to you.",
    testid: "mailbox",
  });
  onNews(() => [inbox, mail].forEach((each) => each.refresh()), signal);
  main.replaceChildren(
    head("Inbox", "What happened with your consultations. New notices arrive by themselves."),
    h("div", { class: "columns" }, card("Notices", inbox), card("E-mail from the clinic", mail)),
  );
}
