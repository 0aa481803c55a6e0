/* The operator's first page: the switch that closes all replays, and who met what was not theirs. */

import { get, post } from "./api.js";
import { button, card, chip, h, head, part, table, tell, when } from "./dom.js";
import { everything } from "./lists.js";

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

const DEGREES = { presented: ["Saw it listed", "warn"], opened: ["Opened it", "bad"] };

const COLUMNS = [
  ["Who", (item) => item.viewer],
  ["Met a recording of", (item) => item.owner ?? "somebody unknown"],
  ["How far", (item) => chip(...DEGREES[item.degree])],
  ["First", (item) => when(item.first_at)],
  ["Times", (item) => String(item.times)],
  ["Recording", (item) => item.recording],
];

/** The log is read in stretches, the oldest first: the same people may stand in several. */
function addedUp(items) {
  const met = new Map();
  for (const item of items) {
    const key = `${item.viewer} ${item.recording}`;
    const known = met.get(key);
    if (!known) met.set(key, { ...item });
    else {
      known.times += item.times;
      if (item.degree === "opened") known.degree = "opened";
    }
  }
  return [...met.values()];
}

export function show(main, { signal }) {
  const draw = (items) => items.length && table("Who met what was not theirs", COLUMNS, addedUp(items));
  const affected = part(() => everything("/operations/affected", signal), draw, {
    empty: "Nobody has met a recording that they were not entitled to.",
    testid: "affected",
  });
  const words = "While it is off, nobody is shown or served any replay, their own included.";
  main.replaceChildren(
    head("Replay access", "If somebody may be seeing what is not theirs, close first and look afterwards."),
    card("The switch", h("p", { class: "muted" }, words), closing()),
    card("Who was affected", affected),
  );
}
