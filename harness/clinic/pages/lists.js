/* Lists that come in pages: rows that grow, tables that turn, and everything at once where it is added up. */

import { get } from "./api.js";
import { button, h, part, table } from "./dom.js";

const PAGES_AT_MOST = 40;

const at = (url, cursor) =>
  cursor ? `${url}${url.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}` : url;

/** Rows made by `line`, and a button for those that follow. */
export function rowList(url, line, { signal, seen = (items) => items, testid, ...options }) {
  const load = async (cursor) => {
    const page = await get(at(url, cursor), signal);
    seen(page.items);
    return page;
  };
  const draw = (first) => {
    const list = h("ul", { class: "rows" });
    let next = null;
    const add = (page) => {
      list.append(...page.items.map(line));
      next = page.next ?? null;
      more.hidden = next === null;
    };
    const more = button("Show more", async () => add(await load(next)), { testid: testid && `${testid}-more` });
    add(first);
    return first.items.length && [list, more];
  };
  return part(() => load(), draw, { testid, ...options });
}

/** A table that shows a page at a time; `url` is asked for each time, so that it may change. */
export function pagedTable(url, caption, columns, { signal, testid, ...options }) {
  let cursors = [""];
  const to = (go) => async () => {
    go();
    await place.reload();
  };
  const draw = ({ items, next }) => {
    const newer =
      cursors.length > 1 &&
      button(
        "Newer",
        to(() => cursors.pop()),
        { kind: "small", testid: `${testid}-newer` },
      );
    const older =
      next &&
      button(
        "Older",
        to(() => cursors.push(next)),
        { kind: "small", testid: `${testid}-older` },
      );
    return items.length && [table(caption, columns, items), h("div", { class: "actions" }, newer, older)];
  };
  const place = part(() => get(at(url(), cursors.at(-1)), signal), draw, { testid, ...options });
  place.restart = to(() => (cursors = [""]));
  return place;
}

/** The items of all pages, of which there may be so many. */
export async function everything(url, signal) {
  const all = [];
  let cursor = "";
  for (let n = 0; n < PAGES_AT_MOST; n += 1) {
    const { items, next } = await get(at(url, cursor), signal);
    all.push(...items);
    if (!next) break;
    cursor = next;
  }
  return all;
}
