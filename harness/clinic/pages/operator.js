/* The operator's first page: the switch that closes all replays, and who met what was not theirs. */

import { get, post } from "./api.js";
import { button, card, chip, h, head, part, table, tell, when } from "./dom.js";
import { called } from "./session.js";

function closing() {
  const draw = ({ open }) => {
    const change = async () => {
      await post("/operations/replay-access", { open: !open });
      tell(open ? "Nobody can open a replay now." : "Replays are open again.");
      await place.reload();
    };
    const control = button("Replays can be opened", change, { testid: "replay-access", kind: "switch" });
    control.setAttribute("role", "switch");
    control.setAttribute("aria-checked", String(open));
    return h("div", { class: "actions" }, control, chip(open ? "Open" : "Closed for everybody", open ? "good" : "bad"));
  };
  const place = part(() => get("/operations/replay-access"), draw);
  return place;
}

const COLUMNS = [
  ["Who", (item) => called(item.viewer)],
  ["Met a recording of", (item) => called(item.owner)],
  [
    "How far",
    (item) => chip(item.degree === "opened" ? "Opened it" : "Saw it listed", item.degree === "opened" ? "bad" : "warn"),
  ],
  ["First", (item) => when(item.first_at)],
  ["Times", (item) => String(item.times)],
  ["Recording", (item) => item.recording],
];

export function show(main, { signal }) {
  const affected = part(
    () => get("/operations/affected", signal),
    ({ items }) => items.length && table("Who met what was not theirs", COLUMNS, items),
    { empty: "Nobody has met a recording that they were not entitled to.", testid: "affected" },
  );
  main.replaceChildren(
    head("Replay access", "If somebody may be seeing what is not theirs, close first and look afterwards."),
    card(
      "The switch",
      h("p", { class: "muted" }, "While it is off, nobody is shown or served any replay, their own included."),
      closing(),
    ),
    card("Who was affected", affected),
  );
}
