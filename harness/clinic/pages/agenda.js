/* A clinician's day: who comes, the slots that are free, what was recorded, and prescribing. */

import { get, path, post } from "./api.js";
import { button, card, field, form, h, head, medium, part, size, tell, when } from "./dom.js";
import { enterCall, row } from "./home.js";
import { rowList } from "./lists.js";
import { onNews } from "./live.js";
import { called, learn, session } from "./session.js";

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

function slotsOf(signal) {
  const line = ({ slot, starts_at: at }) => h("li", { "data-testid": "free-slot", "data-slot": slot }, when(at));
  const draw = ({ items }) => items.length && h("ul", { class: "rows" }, items.map(line));
  const load = () => get(path`/clinicians/${session.me.username}/slots`, signal);
  return part(load, draw, { empty: "No slot is free.", testid: "free-slots" });
}

const MADE = { ready: (item) => size(item.size), processing: () => "being prepared", failed: () => "not finished" };

function recording(item) {
  const of = item.made_by ? called(item.made_by) : `${item.patient_name}, both together`;
  const isReady = item.status === "ready";
  const title = isReady ? h("a", { href: `#/replays/${encodeURIComponent(item.id)}` }, of) : of;
  const meta = h("p", { class: "meta" }, medium(item.medium), when(item.recorded_at), MADE[item.status]?.(item));
  return h(
    "li",
    { "data-testid": "recording", "data-recording-id": item.id, "data-consultation-id": item.consultation },
    h("div", { class: "what" }, h("h3", {}, title), meta),
  );
}

export function show(main, { signal }) {
  const agenda = rowList("/portal/agenda", visit, {
    signal,
    seen: learn,
    empty: "Nobody has booked.",
    testid: "agenda",
  });
  const recordings = rowList("/portal/recordings", recording, {
    signal,
    seen: learn,
    empty: "Nothing of yours was recorded.",
    testid: "portal-recordings",
  });
  const over = ({ items }) => {
    const ended = items.filter(({ status }) => status === "ended");
    return ended.length && h("ul", { class: "rows" }, ended.map(visit));
  };
  const past = part(() => get("/consultations", signal), over, {
    empty: "Consultations that are over will stand here.",
    testid: "past",
  });
  const slots = slotsOf(signal);
  onNews(() => [agenda, past, slots, recordings].forEach((each) => each.refresh()), signal);
  const left = h("div", { class: "stack" }, card("Waiting and booked", agenda), card("Earlier", past));
  const right = h(
    "div",
    { class: "stack" },
    card(
      "Free slots",
      offering(() => slots.reload()),
      slots,
    ),
    card("Recordings of your consultations", recordings),
  );
  main.replaceChildren(
    head("Agenda", `Good to see you, ${session.me.name}.`),
    h("div", { class: "columns" }, left, right),
  );
}
