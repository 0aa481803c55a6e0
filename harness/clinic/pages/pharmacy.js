/* A pharmacist's prescriptions: those that went to their pharmacy. */

import { path, post } from "./api.js";
import { button, card, head, tell } from "./dom.js";
import { rowList } from "./lists.js";
import { onNews } from "./live.js";
import { row } from "./prescriptions.js";
import { called, learn, session } from "./session.js";

export function show(main, { signal }) {
  const dispense = (item) =>
    button(
      "Dispense",
      async () => {
        await post(path`/prescriptions/${item.id}/dispense`);
        tell(`${item.medicine} for ${called(item.patient)} was dispensed.`);
        await list.reload();
      },
      { testid: "dispense", kind: "primary small", label: `Dispense ${item.medicine} for ${called(item.patient)}` },
    );
  const one = (item) =>
    row(
      item,
      `for ${called(item.patient)} · by ${called(item.clinician)}`,
      item.status !== "dispensed" && dispense(item),
    );
  const list = rowList("/prescriptions", one, {
    signal,
    seen: learn,
    empty: "No prescription has come to this pharmacy.",
    testid: "prescriptions",
  });
  onNews(() => list.refresh(), signal);
  main.replaceChildren(
    head("Prescriptions", `What patients have sent to ${session.me.pharmacy}.`),
    card("Sent here", list),
  );
}
