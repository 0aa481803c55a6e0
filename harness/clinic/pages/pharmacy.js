/* A pharmacist's prescriptions: those that went to their pharmacy. */

import { get, path, post } from "./api.js";
import { button, card, h, head, part, tell } from "./dom.js";
import { notices } from "./live.js";
import { row } from "./prescriptions.js";
import { called, session } from "./session.js";

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
  const list = part(
    () => get("/prescriptions", signal),
    ({ items }) => items.length && h("ul", { class: "rows" }, items.map(one)),
    { empty: "No prescription has come to this pharmacy.", testid: "prescriptions" },
  );
  notices.addEventListener("notice", () => list.reload(), { signal });
  main.replaceChildren(head("Prescriptions", `What patients have sent to ${session.me.pharmacy}.`), card(null, list));
}
