/* What is seen of a call: the other's picture or their initials, one's own picture, and the time. */

import { h } from "./dom.js";
import { called, session } from "./session.js";

/** Words are set only when they change: what is set is read out. */
export const set = (node, words) => node.textContent !== words && node.replaceChildren(words);

/** Whom the viewer meets in a consultation. */
export function otherOf({ patient, clinician }) {
  return patient === session.me.username ? clinician : patient;
}

function initials(name) {
  const words = name.split(/\s+/).filter((word) => word && !word.endsWith("."));
  return words
    .slice(0, 2)
    .map(([first]) => first.toUpperCase())
    .join("");
}

const screen = (testid, label) =>
  h("video", { autoplay: true, playsinline: true, "data-testid": testid, "aria-label": label });

export function stage(talk) {
  const remote = screen("remote", "Picture of the other");
  const local = screen("local", "Your own picture");
  local.muted = true;
  const face = h("div", { class: "face", "aria-hidden": "true" });
  const clock = h("span", { class: "clock", "aria-hidden": "true" });
  const label = h("span", { class: "label" });
  const update = () => {
    const name = called(otherOf(talk.item));
    set(face, initials(name));
    set(label, name);
    if (remote.srcObject !== talk.remote) remote.srcObject = talk.remote;
    const mine = talk.tracks.find(({ kind }) => kind === "video");
    if (local.srcObject?.getVideoTracks()[0] !== mine) local.srcObject = mine ? new MediaStream([mine]) : null;
    local.hidden = !mine;
    const comes = talk.remote.getVideoTracks().some((track) => !track.muted && track.readyState === "live");
    face.hidden = comes && talk.carried === "video";
    remote.classList.toggle("unseen", !face.hidden);
  };
  return { node: h("div", { class: "stage" }, remote, face, local, label, clock), update, clock };
}

/** Count the time in the call. */
export function tick(clock, talk, signal) {
  let since = null;
  const timer = setInterval(() => {
    since = talk.isIn ? (since ?? Date.now()) : null;
    const seconds = since ? Math.floor((Date.now() - since) / 1000) : 0;
    clock.textContent = since ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : "";
  }, 500);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
