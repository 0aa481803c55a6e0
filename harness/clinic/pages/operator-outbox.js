/* The e-mails that the clinic has sent. */

import { card, head, when } from "./dom.js";
import { pagedTable } from "./lists.js";

const COLUMNS = [
  ["When", (item) => when(item.sent_at)],
  ["To", (item) => item.to],
  ["Subject", (item) => item.subject],
  ["Text", (item) => item.body],
];

export function show(main, { signal }) {
  const url = () => "/operations/outbox";
  const list = pagedTable(url, "E-mails", COLUMNS, { signal, empty: "No e-mail was sent.", testid: "outbox" });
  main.replaceChildren(
    head("Outbox", "The e-mails that the clinic wrote. None of them leaves this machine."),
    card(null, list),
  );
}
