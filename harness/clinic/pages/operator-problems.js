/* Problems that clinicians reported. */

import { get } from "./api.js";
import { card, h, head, part, when } from "./dom.js";
import { called } from "./session.js";

export function show(main, { signal }) {
  const line = (item) =>
    h(
      "li",
      { "data-testid": "problem-report" },
      h(
        "div",
        { class: "what" },
        h("h3", {}, item.text),
        h("p", { class: "meta" }, `by ${called(item.reported_by)}`, when(item.reported_at), item.consultation),
      ),
    );
  const list = part(
    () => get("/operations/problems", signal),
    ({ items }) => items.length && h("ul", { class: "rows" }, items.map(line)),
    { empty: "No problem was reported.", testid: "problems" },
  );
  main.replaceChildren(head("Problems", "What clinicians have reported."), card(null, list));
}
