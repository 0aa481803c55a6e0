/* A clinician's day: who comes, the slots that are free, what was recorded, and prescribing. */

import { get, path, post } from "./api.js";
import { button, card, field, form, h, head, medium, part, size, tell, when } from "./dom.js";
import { enterCall, row } from "./home.js";
import { notices } from "./live.js";
import { called, session } from "./session.js";

function prescribing(item) {
  const work = async (given, node) => {
    await post(path`/consultations/${item.id}/prescriptions`, given);
    tell(`${given.medicine} was prescribed to ${called(item.patient)}.`);
    node.remove();
  };
  return form(
    {
      testid: "prescribe",
      submit: "Prescribe",
      kind: "line what",
      label: `Prescribe to ${called(item.patient)}`,
      work,
    },
    field("Medicine", "medicine", { required: true, maxlength: "200" }),
    field("Dose", "dose", { required: true, maxlength: "200" }),
  );
}

function visit(item) {
  const isOpen = item.status === "live" || item.status === "booked";
  const prescribe =
    (item.status === "live" || item.status === "ended") &&
    button("Prescribe", async () => own.querySelector("form") ?? own.append(prescribing(item)), {
      kind: "small",
      testid: "open-prescribe",
      label: `Prescribe to ${called(item.patient)}`,
    });
  const metrics = h(
    "a",
    {
      class: "button small",
      href: `#/patients/${encodeURIComponent(item.patient)}`,
      "aria-label": `Metrics of ${called(item.patient)}`,
    },
    "Metrics",
  );
  const own = row(
    item,
    item.patient,
    h(
      "div",
      { class: "actions" },
      isOpen && enterCall(item),
      item.status !== "cancelled" && [prescribe, item.status !== "booked" && metrics],
    ),
  );
  return own;
}

function offering(done) {
  const work = async ({ starts_at: local }) => {
    await post("/slots", { starts_at: new Date(local).toISOString() });
    tell("The slot is open for booking.");
    done();
  };
  return form(
    { testid: "slot", submit: "Open the slot", label: "Open a slot", work },
    field("When", "starts_at", { type: "datetime-local", required: true }),
  );
}

export function show(main, { signal }) {
  const list = (items, empty) =>
    items.length ? h("ul", { class: "rows" }, items.map(visit)) : h("p", { class: "empty" }, empty);
  const agenda = part(
    () => get("/consultations", signal),
    ({ items }) =>
      list(items.filter(({ status }) => status === "live" || status === "booked").toReversed(), "Nobody has booked."),
    { testid: "agenda" },
  );
  const past = part(
    () => get("/consultations", signal),
    ({ items }) =>
      list(
        items.filter(({ status }) => status === "ended"),
        "Consultations that are over will stand here.",
      ),
  );
  const slots = part(
    () => get(path`/clinicians/${session.me.username}/slots`, signal),
    ({ items }) =>
      items.length &&
      h(
        "ul",
        { class: "rows" },
        items.map((slot) => h("li", { "data-testid": "free-slot" }, when(slot.starts_at))),
      ),
    { empty: "No slot is free." },
  );
  const recording = (item) =>
    h(
      "li",
      { "data-testid": "recording", "data-recording-id": item.id },
      h(
        "div",
        { class: "what" },
        h("h3", {}, called(item.made_by)),
        h("p", { class: "meta" }, medium(item.medium), item.status === "ready" ? size(item.size) : "being prepared"),
      ),
    );
  const recordings = part(
    () => get("/portal/recordings", signal),
    ({ items }) => items.length && h("ul", { class: "rows" }, items.map(recording)),
    { empty: "Nothing of yours was recorded.", testid: "portal-recordings" },
  );
  notices.addEventListener(
    "notice",
    () => Promise.all([agenda.reload(), past.reload(), slots.reload(), recordings.reload()]),
    { signal },
  );
  main.replaceChildren(
    head("Agenda", `Good to see you, ${session.me.name}.`),
    h(
      "div",
      { class: "columns" },
      h("div", { class: "stack" }, card("Waiting and booked", agenda), card("Earlier", past)),
      h(
        "div",
        { class: "stack" },
        card(
          "Free slots",
          offering(() => slots.reload()),
          slots,
        ),
        card("Recordings of your consultations", recordings),
      ),
    ),
  );
}
