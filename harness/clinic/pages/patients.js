/* Health metrics of patients whom the clinician has consulted. */

import { get, path } from "./api.js";
import { card, field, h, head, part } from "./dom.js";
import { KINDS, measured } from "./chart.js";
import { called } from "./session.js";

function one(main, patient, signal) {
  let kind = KINDS[0].kind;
  const shown = part(
    () => get(`${path`/patients/${patient}/metrics`}?kind=${encodeURIComponent(kind)}`, signal),
    ({ items }) => items.length && measured(kind, items),
    { empty: "Nothing of this kind was recorded.", testid: "metrics" },
  );
  const select = field("Show", "shown", {
    tag: "select",
    options: KINDS.map(({ kind: value, words }) => [value, words]),
  });
  select.addEventListener("change", (event) => {
    kind = event.target.value;
    shown.reload();
  });
  main.replaceChildren(
    h("a", { href: "#/patients", class: "back" }, "All patients"),
    head(called(patient), "What the patient measured at home."),
    card(null, select, shown),
  );
}

export function show(main, { args, signal }) {
  if (args[0]) return one(main, args[0], signal);
  const draw = ({ items }) => {
    const met = [
      ...new Set(items.filter(({ status }) => status === "live" || status === "ended").map(({ patient }) => patient)),
    ];
    const line = (patient) =>
      h(
        "li",
        { "data-testid": "patient" },
        h("a", { href: `#/patients/${encodeURIComponent(patient)}` }, called(patient)),
      );
    return met.length && h("ul", { class: "rows" }, met.map(line));
  };
  main.replaceChildren(
    head("Patients", "You can see the health metrics of patients whom you have met."),
    card(
      null,
      part(() => get("/consultations", signal), draw, { empty: "You have not met a patient yet." }),
    ),
  );
}
