/* A patient's health metrics: record one, see them as a chart and as a table. */

import { get, post } from "./api.js";
import { card, field, form, h, head, part, tell } from "./dom.js";
import { KINDS, measured } from "./chart.js";

function recording(done) {
  const unit = field("Unit", "unit", { required: true, maxlength: "20", value: KINDS[0].unit });
  const kind = field("What", "kind", { tag: "select", options: KINDS.map(({ kind: value, words }) => [value, words]) });
  kind.addEventListener(
    "change",
    (event) => (unit.querySelector("input").value = KINDS.find((each) => each.kind === event.target.value).unit),
  );
  const value = field("Value", "value", { required: true, type: "number", step: "any", inputmode: "decimal" });
  const work = async (given, node) => {
    await post("/metrics", { kind: given.kind, value: Number(given.value), unit: given.unit });
    node.querySelector("[name=value]").value = "";
    tell("It was recorded.");
    done(given.kind);
  };
  return form(
    { testid: "metric", submit: "Record", label: "Record a measurement", work },
    kind,
    h("div", { class: "pair" }, value, unit),
  );
}

export function show(main, { signal }) {
  let kind = KINDS[0].kind;
  const shown = part(
    () => get(`/metrics?kind=${encodeURIComponent(kind)}`, signal),
    ({ items }) => items.length && measured(kind, items),
    { empty: "Nothing of this kind was recorded yet.", testid: "metrics" },
  );
  const select = field("Show", "shown", {
    tag: "select",
    options: KINDS.map(({ kind: value, words }) => [value, words]),
  });
  const choose = (wanted) => {
    kind = select.querySelector("select").value = wanted;
    return shown.reload();
  };
  select.addEventListener("change", (event) => choose(event.target.value));
  main.replaceChildren(
    head("Health", "What you measure at home. Clinicians whom you have met can see it."),
    h("div", { class: "columns" }, card("Over time", select, shown), card("Record a measurement", recording(choose))),
  );
}
