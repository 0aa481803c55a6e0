/* The access log: who was shown or opened which recording, where and when. */

import { get } from "./api.js";
import { button, card, field, form, h, head, part, table, when } from "./dom.js";
import { called } from "./session.js";

const COLUMNS = [
  ["When", (item) => when(item.at)],
  ["Who", (item) => called(item.viewer)],
  ["Did", (item) => (item.act === "opened" ? "opened" : "was shown")],
  ["Where", (item) => item.surface],
  ["Recording", (item) => item.recording],
];

export function show(main, { signal }) {
  let wanted = {};
  let cursors = [""];
  const load = () =>
    get(
      `/operations/access-log?${new URLSearchParams({ ...wanted, ...(cursors.at(-1) && { cursor: cursors.at(-1) }) })}`,
      signal,
    );
  const draw = (page) => {
    const to = (go) => async () => {
      go();
      await log.reload();
    };
    const newer =
      cursors.length > 1 &&
      button(
        "Newer",
        to(() => cursors.pop()),
        { kind: "small" },
      );
    const older =
      page.next &&
      button(
        "Older",
        to(() => cursors.push(page.next)),
        { kind: "small", testid: "log-older" },
      );
    return page.items.length && [table("Accesses", COLUMNS, page.items), h("div", { class: "actions" }, newer, older)];
  };
  const log = part(load, draw, { empty: "Nothing was accessed.", testid: "access-log" });
  const work = async (given) => {
    wanted = Object.fromEntries(Object.entries(given).filter(([, value]) => value));
    cursors = [""];
    await log.reload();
  };
  const search = form(
    { testid: "log-filter", submit: "Filter", kind: "line", label: "Filter the log", work },
    field("Viewer", "viewer", { autocapitalize: "none" }),
    field("Recording", "recording", {}),
  );
  main.replaceChildren(
    head("Access log", "Every time that a recording was shown or opened. The newest come first."),
    card(null, search, log),
  );
}
