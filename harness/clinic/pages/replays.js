/* Consultation Replays: the list, search, and one replay on a page of its own. */

import { get, objectUrl, path, save } from "./api.js";
import { button, card, field, form, h, head, icon, medium, part, when } from "./dom.js";
import { offered } from "./session.js";
import { show as showOne } from "./replay.js";

/** A small picture of a video; bytes come with the token, so an address alone would not do. */
function thumbnail(item, signal) {
  const place = h(
    "div",
    { class: "thumb", "data-testid": "thumbnail" },
    icon(item.medium === "video" ? "video" : "mic"),
  );
  if (item.medium === "video") {
    objectUrl(path`/replays/${item.id}/thumbnail`, signal).then(
      (src) => place.replaceChildren(h("img", { src, alt: "", width: "320", height: "180" })),
      () => undefined,
    );
  }
  return place;
}

const LAYOUTS = { "side-by-side": "Side by side", "picture-in-picture": "Picture in picture" };

function entry(item, signal) {
  const link = h(
    "a",
    { class: "cover", href: `#/replays/${encodeURIComponent(item.id)}`, "data-testid": "open-replay" },
    item.title,
  );
  const meta = h(
    "p",
    { class: "meta" },
    when(item.recorded_at),
    medium(item.medium),
    item.of && h("span", { class: "chip" }, item.of),
    LAYOUTS[item.layout] && h("span", { class: "chip" }, LAYOUTS[item.layout]),
  );
  return h(
    "li",
    {
      "data-testid": "replay",
      "data-replay-id": item.id,
      "data-consultation-id": item.consultation,
      "data-medium": item.medium,
    },
    thumbnail(item, signal),
    h("div", { class: "what" }, h("h3", {}, link), meta),
  );
}

function paged(first, signal) {
  const list = h("ul", { class: "rows replays", "data-testid": "replays" });
  const seen = h("p", { class: "muted", role: "status", "data-testid": "replays-total" });
  let next = null;
  const add = (page) => {
    list.append(...page.items.map((item) => entry(item, signal)));
    next = page.next ?? null;
    more.hidden = next === null;
    seen.dataset.total = page.total;
    seen.dataset.shown = list.childElementCount;
    seen.textContent = `${list.childElementCount} of ${page.total} shown`;
    list.dataset.complete = String(next === null);
  };
  const more = button("Show more", async () => add(await get(`/replays?cursor=${encodeURIComponent(next)}`, signal)), {
    testid: "replays-more",
  });
  add(first);
  return [list, h("div", { class: "actions" }, more, seen)];
}

function searching(results, all, signal) {
  const work = async ({ q }) => {
    results.replaceChildren();
    all.hidden = Boolean(q.trim());
    if (!q.trim()) return;
    const { items } = await get(`/replays/search?q=${encodeURIComponent(q.trim())}`, signal);
    const words = items.length ? `${items.length} found` : "No replay has these words.";
    results.replaceChildren(
      h("p", { class: "muted", role: "status" }, words),
      h(
        "ul",
        { class: "rows replays", "data-testid": "search-results" },
        items.map((item) => entry(item, signal)),
      ),
    );
  };
  return form(
    { testid: "search", submit: "Search", kind: "line", label: "Search replays", work },
    field("Search your replays", "q", { type: "search", maxlength: "100", placeholder: "A name or a word" }),
  );
}

export function show(main, options) {
  const { args, signal } = options;
  if (args[0]) return showOne(main, options);
  const all = part(
    () => get("/replays", signal),
    (page) => page.items.length && paged(page, signal),
    { empty: "When a consultation has ended, you can watch it here again.", testid: "replay-list" },
  );
  const results = h("div", { class: "part" });
  const download = button("Export all", () => save("/replays/export", "consultation-replays.zip"), {
    testid: "export",
    kind: "small",
  });
  main.replaceChildren(
    head(
      "Consultation Replays",
      "Your own consultations, to watch again. Only you, who took part and whom you choose can see them.",
      download,
    ),
    card(
      null,
      h("h2", { class: "unseen" }, "Replays"),
      offered("replay-search") && searching(results, all, signal),
      results,
      all,
    ),
  );
}
