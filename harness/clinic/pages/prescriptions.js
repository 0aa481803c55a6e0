/* A patient's prescriptions, and the pharmacy that they go to. */

import { get, put } from "./api.js";
import { card, chip, field, form, h, head, part, tell, when } from "./dom.js";
import { rowList } from "./lists.js";
import { onNews } from "./live.js";
import { called, learn, session } from "./session.js";

/** A row for one prescription, for whoever may see it. */
export function row(item, between, ...actions) {
  const isOut = item.status === "dispensed";
  const meta = h(
    "p",
    { class: "meta" },
    between,
    item.issued_at && when(item.issued_at),
    chip(isOut ? "Dispensed" : "Ready to dispense", isOut ? "" : "good"),
  );
  return h(
    "li",
    { "data-testid": "prescription", "data-prescription-id": item.id, "data-status": item.status },
    h("div", { class: "what" }, h("h3", {}, item.medicine), h("p", {}, item.dose), meta),
    actions,
  );
}

function chosen() {
  const draw = ({ items }) => {
    if (!items.length && !session.me.pharmacy) return null;
    const known = [...new Set([...items, session.me.pharmacy].filter(Boolean))];
    const work = async ({ pharmacy }) => {
      session.me = await put("/me/pharmacy", { pharmacy });
      tell(`Prescriptions go to ${pharmacy} from now on.`);
      place.reload();
    };
    const now = session.me.pharmacy
      ? `Yours is ${session.me.pharmacy}.`
      : "You have not chosen one yet. A clinician can prescribe only when you have.";
    return form(
      { testid: "pharmacy-form", submit: "Choose", work },
      h("p", { class: "muted", "data-testid": "pharmacy" }, now),
      field("Pharmacy", "pharmacy", {
        tag: "select",
        options: known.map((name) => [name, name]),
        value: session.me.pharmacy,
      }),
    );
  };
  const place = part(() => get("/pharmacies"), draw, { empty: "No pharmacy of your region has joined yet." });
  return place;
}

export function show(main, { signal }) {
  const list = rowList("/prescriptions", (item) => row(item, `by ${called(item.clinician)} · ${item.pharmacy}`), {
    signal,
    seen: learn,
    empty: "Nothing has been prescribed to you.",
    testid: "prescriptions",
  });
  onNews(() => list.refresh(), signal);
  main.replaceChildren(
    head("Prescriptions", "What your clinicians prescribed, and where to fetch it."),
    h("div", { class: "columns" }, card("Prescribed", list), card("Your pharmacy", chosen())),
  );
}
