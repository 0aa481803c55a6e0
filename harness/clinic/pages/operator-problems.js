/* Problems that clinicians reported. */

import { card, h, head, when } from "./dom.js";
import { rowList } from "./lists.js";

export function show(main, { signal }) {
  const line = (item) => {
    const meta = h("p", { class: "meta" }, `by ${item.reporter}`, when(item.reported_at), item.consultation);
    return h("li", { "data-testid": "problem-report" }, h("div", { class: "what" }, h("h3", {}, item.text), meta));
  };
  const list = rowList("/operations/problems", line, { signal, empty: "No problem was reported.", testid: "problems" });
  main.replaceChildren(head("Problems", "What clinicians have reported."), card("Reported", list));
}
