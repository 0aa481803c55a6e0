/* The call's page: who is there, both pictures, and what may be done. */

import { get, path } from "./api.js";
import { button, field, form, h, icon, part, size, tell } from "./dom.js";
import { otherOf, set, stage, tick } from "./stage.js";
import { Conversation } from "./conversation.js";
import { acquaint, called, clinicians, offered, refreshFeatures, session } from "./session.js";

const WAYS = {
  none: "",
  webrtc: "Connected live. The clinic records this call for both of you.",
  upload: "There is no live connection from here. What you say and show is recorded and sent to the clinic in pieces.",
};
const MADE = {
  ready: ({ size: bytes }) => size(bytes),
  processing: () => "being prepared",
  failed: () => "could not be finished",
};
const READY_MS = 1000;
const READY_TIMES = 60;

/** Who has handed a consultation over does not come back to it. */
const isTheirs = (item) => [item.patient, item.clinician].includes(session.me.username);

const STATES = {
  idle: (item) => (item.present.length ? "is in the call already." : "You can join whenever you are ready."),
  joining: () => "Joining…",
  connected: (item, other) => (item.present.includes(other) ? "is here." : "is not here yet."),
  switching: () => "Switching…",
  left: (item) =>
    isTheirs(item)
      ? "You have left. You can join again until the consultation ends."
      : "You have left, and handed over.",
  ended: (item) => (item.status === "cancelled" ? "This consultation was cancelled." : "This consultation has ended."),
};

function said(talk, other) {
  const words = STATES[talk.state](talk.item, other);
  return words.startsWith("is ") ? `${called(other)} ${words}` : words;
}

/** What was recorded, asked for until all of it is ready. */
function recorded(item, signal) {
  const line = (each) =>
    h(
      "li",
      { "data-testid": "recording", "data-recording-id": each.id, "data-status": each.status },
      h(
        "div",
        { class: "what" },
        `${each.medium === "video" ? "Video" : "Audio"} ${each.made_by ? `of ${called(each.made_by)}` : "of both together"}`,
      ),
      h("span", { class: "muted" }, MADE[each.status]?.(each)),
    );
  const draw = ({ items }) => items.length && h("ul", { class: "rows" }, items.map(line));
  const load = () => get(path`/consultations/${item.id}/recordings`, signal);
  const node = part(load, draw, { empty: "Nothing was recorded.", testid: "recordings" });
  const wait = async (times) => {
    await new Promise((go) => setTimeout(go, READY_MS));
    if (signal.aborted || !times) return;
    const { items } = await load();
    await node.reload();
    if (!items.length || items.some(({ status }) => status === "processing")) await wait(times - 1);
  };
  wait(READY_TIMES).catch(() => undefined);
  return node;
}

function ended(talk, signal) {
  const again = h(
    "a",
    { class: "button primary", href: "#/replays", "data-testid": "to-replays" },
    icon("replay"),
    "Consultation Replays",
  );
  const prescribe = session.me.role === "clinician" && h("a", { class: "button", href: "#/" }, "Back to the agenda");
  return h(
    "section",
    { class: "card", "data-testid": "ended" },
    h("h2", {}, "What was recorded"),
    recorded(talk.item, signal),
    h("div", { class: "actions" }, again, prescribe),
  );
}

function handOver(talk, signal) {
  const offer = async () => {
    const others = (await clinicians()).filter(({ username }) => username !== session.me.username);
    if (!others.length) return h("p", { class: "muted" }, "There is no other clinician in this region.");
    const work = async ({ clinician }) => {
      await talk.handOver(clinician);
      tell(`${called(clinician)} was asked to join. You may leave now.`);
    };
    return form(
      { testid: "hand-over", submit: "Hand over", kind: "line", work },
      field("Hand over to", "clinician", {
        tag: "select",
        options: others.map(({ username, name }) => [username, name]),
      }),
    );
  };
  return h(
    "details",
    {},
    h("summary", { "data-testid": "open-hand-over" }, "Hand over to another clinician"),
    part(offer, (drawn) => drawn),
  );
}

function captions(talk) {
  const work = async ({ caption }) => {
    await talk.write(caption);
    tell("Your note goes with the recording from here on.");
  };
  return h(
    "details",
    {},
    h("summary", {}, "Write a note that goes with the recording"),
    form(
      { testid: "caption", submit: "Add the note", work },
      field("Note", "caption", { tag: "textarea", maxlength: "2000" }),
    ),
  );
}

const control = (testid, words, symbol, work, kind = "") =>
  button(words, work, { testid, symbol, kind: `control ${kind}` });

function controlsOf(talk) {
  const each = {
    join: control("join", "Join the call", "mic", () => talk.join(), "primary"),
    mute: control("mute", "Mute", "mic", async () => talk.mute(!talk.isMuted)),
    toVideo: control("switch-video", "Switch to video", "video", () => talk.switchTo("video"), "primary"),
    toAudio: control("switch-audio", "Back to audio", "mic", () => talk.switchTo("audio")),
    sendNow: control("send-now", "Send now", "swap", () => talk.sendNow()),
    leave: control("leave", "Leave", "leave", () => talk.leave()),
    end: control("end", "End for all", "end", () => talk.end(), "stop"),
  };
  const update = () => {
    const { isIn, item } = talk;
    each.join.hidden = !isTheirs(item) || !["idle", "left", "joining"].includes(talk.state);
    each.mute.hidden = each.leave.hidden = each.end.hidden = !isIn;
    each.sendNow.hidden = !isIn || talk.way !== "upload";
    each.mute.setAttribute("aria-pressed", String(talk.isMuted));
    each.toVideo.hidden = !isIn || item.medium === "video" || !offered("video-upgrade");
    each.toAudio.hidden = !isIn || item.medium === "audio" || !offered("video-downgrade");
  };
  return {
    node: h("div", { class: "controls", role: "group", "aria-label": "The call" }, Object.values(each)),
    update,
  };
}

export async function show(main, { args, signal }) {
  const [item] = await Promise.all([
    get(path`/consultations/${args[0]}`, signal),
    refreshFeatures().catch(() => undefined),
    acquaint(),
  ]);
  if (signal.aborted) return;
  const talk = new Conversation(item, signal);
  const { node: stageNode, update: updateStage, clock } = stage(talk);
  const { node: controlsNode, update: updateControls } = controlsOf(talk);
  const status = h("p", { class: "lead", role: "status", "data-testid": "call-status" });
  const way = h("p", { class: "way", "data-testid": "way" });
  const trouble = h("p", { class: "error", role: "alert", hidden: true, "data-testid": "call-trouble" });
  const note = captions(talk);
  const more = h("div", { class: "asides" }, session.me.role === "clinician" && handOver(talk, signal), note);
  const call = h(
    "section",
    { class: "call", "data-testid": "call", "data-consultation-id": item.id, "aria-label": "Call" },
    stageNode,
    controlsNode,
    way,
    more,
  );
  const over = h("div", {});
  const title = h("h1", { tabindex: "-1" });

  const update = () => {
    const { item: now } = talk;
    Object.assign(call.dataset, {
      state: talk.state,
      path: talk.way,
      medium: now.medium,
      sending: talk.carried ?? "",
      status: now.status,
      present: now.present.length,
      sent: talk.sent,
    });
    call.dataset.remote = talk.remote
      .getTracks()
      .map(({ kind }) => kind)
      .sort()
      .join("+");
    set(title, `Consultation with ${called(otherOf(now))}`);
    set(status, said(talk, otherOf(now)));
    set(way, WAYS[talk.way]);
    set(trouble, talk.note);
    trouble.hidden = !talk.note;
    updateStage();
    updateControls();
    more.hidden = !talk.isIn;
    // Where the clinic itself records, there is nothing that a note could go with.
    note.hidden = talk.way !== "upload";
    call.hidden = talk.state === "ended";
    if (talk.state === "ended" && !over.childElementCount) over.append(ended(talk, signal));
  };
  talk.addEventListener("change", update);
  tick(clock, talk, signal);
  const back = h("a", { href: "#/", class: "back" }, session.me.role === "clinician" ? "Agenda" : "Consultations");
  main.replaceChildren(back, h("div", { class: "head" }, h("div", {}, title, status)), call, trouble, over);
  update();
}
