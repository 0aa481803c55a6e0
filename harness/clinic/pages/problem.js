/* A clinician reports a problem to the clinic's operators. */

import { get, post } from "./api.js";
import { card, field, form, head, part, tell } from "./dom.js";
import { called } from "./session.js";

export function show(main, { signal }) {
  const draw = ({ items }) => {
    const work = async ({ text, consultation }, node) => {
      await post("/portal/problems", { text, ...(consultation && { consultation }) });
      node.reset();
      tell("Thank you. The operators were told.");
    };
    const about = [
      ["", "None in particular"],
      ...items.map((item) => [item.id, `${called(item.patient)}, ${item.status}`]),
    ];
    return form(
      { testid: "problem", submit: "Report", label: "Report a problem", work },
      field("What went wrong?", "text", { tag: "textarea", required: true, maxlength: "2000" }),
      field("In which consultation?", "consultation", { tag: "select", options: about }),
    );
  };
  main.replaceChildren(
    head("Report a problem", "Tell the operators of the clinic what does not work, or what you should not have seen."),
    card(
      null,
      part(() => get("/consultations", signal), draw),
    ),
  );
}
