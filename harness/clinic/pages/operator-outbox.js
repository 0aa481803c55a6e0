/* The e-mails that the clinic has sent. */

import { get } from "./api.js";
import { card, head, part, table, when } from "./dom.js";
import { called } from "./session.js";

const COLUMNS = [
  ["When", (item) => when(item.sent_at)],
  ["To", (item) => called(item.recipient)],
  ["Subject", (item) => item.subject],
  ["Text", (item) => item.body ?? item.text ?? ""],
];

export function show(main, { signal }) {
  const list = part(
    () => get("/operations/outbox", signal),
    ({ items }) => items.length && table("E-mails", COLUMNS, items),
    { empty: "No e-mail was sent.", testid: "outbox" },
  );
  main.replaceChildren(
    head("Outbox", "The e-mails that the clinic wrote. None of them leaves this machine."),
    card(null, list),
  );
}
