/* A patient's consultations: what comes, what was, and booking. */

import { get, path, post } from "./api.js";
import { ask, button, card, chip, choice, field, form, h, head, icon, medium, part, tell, when } from "./dom.js";
import { onNews } from "./live.js";
import { called, clinicians, offered, session } from "./session.js";

const STATUS = { live: ["In progress", "good"], cancelled: ["Cancelled", "warn"] };

async function freeSlots(clinician) {
  const { items } = await get(path`/clinicians/${clinician}/slots`);
  return items.map(({ slot, starts_at: at }) => [slot, when(at).textContent]);
}

function reschedule(item, done) {
  const place = h("div", { class: "what" }, "Looking for free times…");
  freeSlots(item.clinician).then(
    (slots) => {
      if (!slots.length) return place.replaceChildren(`${called(item.clinician)} has no free time at the moment.`);
      const work = async ({ slot }) => {
        await post(path`/consultations/${item.id}/reschedule`, { slot: Number(slot) });
        tell("The consultation was moved.");
        done();
      };
      place.replaceChildren(
        form(
          { testid: "reschedule", submit: "Move it", kind: "line", work },
          field("New time", "slot", { tag: "select", options: slots, required: true }),
        ),
      );
    },
    (failure) => place.replaceChildren(failure.message),
  );
  return place;
}

/** A row for one consultation; `other` names the participant whom the viewer meets. */
export function row(item, other, ...actions) {
  const meta = h(
    "p",
    { class: "meta" },
    when(item.starts_at),
    medium(item.medium),
    STATUS[item.status] && chip(...STATUS[item.status]),
  );
  return h(
    "li",
    {
      "data-testid": "consultation",
      "data-consultation-id": item.id,
      "data-status": item.status,
      "data-medium": item.medium,
    },
    h("div", { class: "what" }, h("h3", {}, called(other)), meta),
    actions,
  );
}

export const enterCall = (item, words = "Go to the call") =>
  h(
    "a",
    { class: "button primary small", href: `#/call/${encodeURIComponent(item.id)}`, "data-testid": "open-call" },
    icon(item.medium === "video" ? "video" : "mic"),
    words,
  );

function upcoming(item, reload) {
  const cancel = async () => {
    if (!(await ask(`Cancel the consultation with ${called(item.clinician)}?`, "Cancel the consultation"))) return;
    await post(path`/consultations/${item.id}/cancel`);
    tell("The consultation was cancelled.");
    reload();
  };
  if (item.status === "live") return row(item, item.clinician, enterCall(item, "Back to the call"));
  const own = row(
    item,
    item.clinician,
    h(
      "div",
      { class: "actions" },
      enterCall(item),
      button("Move", async () => own.append(reschedule(item, reload)), {
        kind: "small quiet",
        testid: "move",
        label: `Move the consultation with ${called(item.clinician)}`,
      }),
      button("Cancel", cancel, {
        kind: "small quiet danger",
        testid: "cancel",
        label: `Cancel the consultation with ${called(item.clinician)}`,
      }),
    ),
  );
  return own;
}

async function booking(booked) {
  const known = await clinicians();
  if (!known.length) return h("p", { class: "empty" }, "No clinician has opened an account yet.");
  const slots = field("When", "slot", { tag: "select", options: [["", "Now"]] });
  const select = slots.querySelector("select");
  const offer = async (clinician) => {
    const free = await freeSlots(clinician).catch(() => []);
    select.replaceChildren(...[["", "Now"], ...free].map(([value, words]) => h("option", { value }, words)));
  };
  const who = field("Clinician", "clinician", {
    tag: "select",
    required: true,
    options: known.map(({ username, name }) => [username, name]),
  });
  who.addEventListener("change", (event) => offer(event.target.value));
  offer(known[0].username);
  const hint = offered("video-upgrade") && h("p", { class: "hint" }, "You can switch to video during the call.");
  const work = async ({ clinician, medium: wanted, slot }, node) => {
    const made = await post("/consultations", { clinician, medium: wanted, ...(slot && { slot: Number(slot) }) });
    tell("Your consultation is booked.");
    node.dataset.booked = made.id;
    booked(made);
    offer(clinician);
  };
  const how = h(
    "div",
    {},
    choice(
      "By",
      "medium",
      [
        ["audio", "Audio", "mic"],
        ["video", "Video", "video"],
      ],
      "audio",
    ),
    hint,
  );
  return form({ testid: "book", submit: "Book", label: "Book a consultation", work }, who, how, slots);
}

export function show(main, { signal }) {
  const mine = () => get("/consultations", signal).then(({ items }) => items);
  const coming = part(
    mine,
    (items) => {
      const open = items.filter(({ status }) => status === "live" || status === "booked");
      return (
        open.length &&
        h(
          "ul",
          { class: "rows" },
          open.map((item) => upcoming(item, reload)),
        )
      );
    },
    { empty: "Nothing is booked. Choose a clinician to begin.", testid: "upcoming" },
  );
  const past = part(
    mine,
    (items) => {
      const over = items.filter(({ status }) => status === "ended" || status === "cancelled");
      return (
        over.length &&
        h(
          "ul",
          { class: "rows" },
          over.map((item) =>
            row(item, item.clinician, item.status === "ended" && h("a", { href: "#/replays" }, "Watch again")),
          ),
        )
      );
    },
    { empty: "Consultations that are over will stand here.", testid: "past" },
  );
  const reload = () => Promise.all([coming.reload(), past.reload()]);
  onNews(() => [coming, past].forEach((each) => each.refresh()), signal);
  const book = part(
    () => booking(reload),
    (drawn) => drawn,
  );
  main.replaceChildren(
    head("Consultations", `Hello ${session.me.name}. Meet your clinician from wherever you are.`),
    h("div", { class: "columns" }, card("Coming up", coming), card("Book a consultation", book)),
    card("Earlier", past),
  );
}
