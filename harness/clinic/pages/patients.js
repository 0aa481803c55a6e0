/* Health metrics of patients whom the clinician has consulted. */

import { get, path } from "./api.js";
import { card, h, head, part } from "./dom.js";
import { measurements } from "./chart.js";
import { called } from "./session.js";

function one(main, patient, signal) {
  const back = h("a", { href: "#/patients", class: "back" }, "All patients");
  const { node } = measurements(path`/patients/${patient}/metrics`, signal);
  main.replaceChildren(back, head(called(patient), "What the patient measured at home."), card(null, node));
}

export function show(main, { args, signal }) {
  if (args[0]) return one(main, args[0], signal);
  const draw = ({ items }) => {
    const begun = items.filter(({ status }) => status === "live" || status === "ended");
    const met = [...new Set(begun.map(({ patient }) => patient))];
    const link = (patient) => h("a", { href: `#/patients/${encodeURIComponent(patient)}` }, called(patient));
    const line = (patient) => h("li", { "data-testid": "patient", "data-username": patient }, link(patient));
    return met.length && h("ul", { class: "rows" }, met.map(line));
  };
  const list = part(() => get("/consultations", signal), draw, { empty: "You have not met a patient yet." });
  main.replaceChildren(
    head("Patients", "You can see the health metrics of patients whom you have met."),
    card(null, list),
  );
}
