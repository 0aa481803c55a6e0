/* A patient's health metrics: record one, see them as a chart and as a table. */

import { post } from "./api.js";
import { card, field, form, h, head, tell } from "./dom.js";
import { KINDS, measurements } from "./chart.js";

function recording(done) {
  const options = KINDS.map(({ kind, words }) => [kind, words]);
  const what = field("What", "kind", { tag: "select", options });
  const unit = field("Unit", "unit", { required: true, maxlength: "40", value: KINDS[0].unit });
  what.addEventListener("change", ({ target }) => {
    unit.querySelector("input").value = KINDS.find(({ kind }) => kind === target.value).unit;
  });
  const value = field("Value", "value", { required: true, type: "number", step: "any", inputmode: "decimal" });
  const work = async (given) => {
    await post("/metrics", { kind: given.kind, value: Number(given.value), unit: given.unit });
    value.querySelector("input").value = "";
    tell("It was recorded.");
    await done(given.kind);
  };
  const label = "Record a measurement";
  return form({ testid: "metric", submit: "Record", label, work }, what, h("div", { class: "pair" }, value, unit));
}

export function show(main, { signal }) {
  const { node, choose } = measurements("/metrics", signal);
  main.replaceChildren(
    head("Health", "What you measure at home. Clinicians whom you have met can see it."),
    h("div", { class: "columns" }, card("Over time", node), card("Record a measurement", recording(choose))),
  );
}
