/* The access log: who was shown or opened which recording, where and when. */

import { card, field, form, head, when } from "./dom.js";
import { pagedTable } from "./lists.js";

const ACTS = { presented: "was shown", opened: "opened", switched: "threw the switch" };
const SHOWN = 3;

function some(recordings) {
  const more = recordings.length - SHOWN;
  return recordings.slice(0, SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

const COLUMNS = [
  ["When", (item) => when(item.at)],
  ["Who", (item) => item.viewer],
  ["Did", (item) => ACTS[item.act] ?? item.act],
  ["Where", (item) => item.surface],
  ["Recordings", (item) => some(item.recordings)],
];

export function show(main, { signal }) {
  let wanted = new URLSearchParams();
  const url = () => `/operations/access-log?${wanted}`;
  const log = pagedTable(url, "Accesses", COLUMNS, { signal, empty: "Nothing was accessed.", testid: "access-log" });
  const work = async (given) => {
    wanted = new URLSearchParams(Object.entries(given).filter(([, value]) => value));
    await log.restart();
  };
  const filter = form(
    { testid: "log-filter", submit: "Filter", kind: "line", label: "Filter the log", work },
    field("Username of the viewer", "viewer", { autocapitalize: "none" }),
    field("Id of the recording", "recording", { autocapitalize: "none" }),
  );
  const words = "Every time that a recording was shown or opened. The newest come first.";
  main.replaceChildren(head("Access log", words), card(null, filter, log));
}
