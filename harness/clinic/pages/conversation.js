/* One participant's part in a call: joined, carried by WebRTC or sent in pieces, switched, left, ended. */

import { get, path, post } from "./api.js";
import { notices } from "./live.js";
import { capture, Line, Segment } from "./media.js";

const CONNECT_MS = 4000;
const LOOK_MS = 1500;
const LATE = "The consultation was ended before the last part of your recording had arrived. That part is lost.";
const LOST = "A part of your recording could not be sent. That part is lost.";
const OVER = ["ended", "cancelled"];

/**
 * Emits `change` whenever anything that the page shows has changed.
 * state: idle, joining, connected, switching, left, ended; way: none, webrtc, upload.
 */
export class Conversation extends EventTarget {
  constructor(item, signal) {
    super();
    Object.assign(this, { item, signal, state: OVER.includes(item.status) ? "ended" : "idle", way: "none", note: "" });
    Object.assign(this, { tracks: [], carried: null, line: null, segment: null, caption: "", isMuted: false, sent: 0 });
    this.remote = new MediaStream();
    this.turn = Promise.resolve();
    notices.addEventListener("notice", ({ detail }) => detail.consultation === item.id && this.#look(), { signal });
    signal.addEventListener("abort", () => this.isIn && this.leave().catch(() => undefined), { once: true });
    this.#watch();
  }

  get isIn() {
    return this.state === "connected" || this.state === "switching";
  }

  set(changes) {
    Object.assign(this, changes);
    this.dispatchEvent(new Event("change"));
  }

  /** One thing at a time: a switch must not meet a hang-up half-way. */
  #inTurn(work) {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  async #watch() {
    while (!this.signal.aborted && this.state !== "ended") {
      await new Promise((go) => setTimeout(go, LOOK_MS));
      await this.#look();
    }
  }

  async #look() {
    if (this.signal.aborted || this.state === "ended") return;
    const item = await get(path`/consultations/${this.item.id}`, this.signal).catch(() => null);
    if (item) await this.#inTurn(() => this.#follow(item)).catch((failure) => this.set({ note: failure.message }));
  }

  async #follow(item) {
    if (this.state === "ended") return;
    this.set({ item });
    if (OVER.includes(item.status)) {
      const isLost = await this.#hangUp().then(
        () => false,
        () => true,
      );
      this.set({ state: "ended", note: isLost ? LATE : "" });
    } else if (this.isIn && item.medium !== this.carried) await this.#adopt(item.medium);
  }

  join() {
    return this.#inTurn(async () => {
      this.set({ state: "joining", note: "" });
      try {
        const medium = this.item.medium;
        this.tracks = (await capture({ audio: true, video: medium === "video" })).getTracks();
        this.set({ item: await post(path`/consultations/${this.item.id}/join`), carried: medium });
        await this.#connect();
        this.set({ state: "connected" });
        if (this.item.medium !== medium) await this.#adopt(this.item.medium);
      } catch (failure) {
        await this.#hangUp().catch(() => undefined);
        this.set({ state: "idle" });
        throw failure;
      }
    });
  }

  async #connect() {
    const heard = ({ track }) => {
      for (const old of this.remote.getTracks()) if (old.kind === track.kind) this.remote.removeTrack(old);
      this.remote.addTrack(track);
      for (const change of ["mute", "unmute"]) track.addEventListener(change, () => this.set({}));
      this.set({});
    };
    const lost = () =>
      this.#inTurn(() => this.isIn && this.way === "webrtc" && this.#fallBack()).catch((failure) =>
        this.set({ note: failure.message }),
      );
    try {
      this.line = new Line(this.item.id, { heard, lost });
      const connecting = this.line.carry(this.tracks).then(() => this.line.connected(CONNECT_MS));
      const late = new Promise((done) => setTimeout(done, CONNECT_MS, false));
      if (await Promise.race([connecting, late])) return this.set({ way: "webrtc" });
    } catch {
      // Whatever keeps WebRTC from working, there is the other way.
    }
    await this.#fallBack();
  }

  async #fallBack() {
    this.line?.close();
    this.line = null;
    this.set({ way: "upload" });
    await this.#record();
  }

  async #record() {
    const full = () => this.#inTurn(() => this.#renew()).catch((failure) => this.set({ note: failure.message }));
    const medium = this.tracks.some(({ kind }) => kind === "video") ? "video" : "audio";
    this.segment = await Segment.begin(this.item.id, medium, this.tracks, { caption: this.caption, full });
  }

  /** Complete the recording that is being sent, if there is one; nobody is kept in a call by one that fails. */
  async #complete() {
    const { segment } = this;
    this.segment = null;
    try {
      if (await segment?.finish()) this.set({ sent: this.sent + 1 });
    } catch {
      this.set({ note: LOST });
    }
  }

  async #renew() {
    await this.#complete();
    if (this.isIn) await this.#record();
  }

  /** Send by another medium from now on; without a camera the sound goes on, and the failure is told. */
  async #adopt(medium) {
    this.set({ state: "switching" });
    let failure = null;
    try {
      const completed = this.#complete();
      if (medium === "audio") this.tracks = this.tracks.filter((track) => track.kind === "audio" || track.stop());
      else {
        const opened = await capture({ video: true }).catch((why) => (failure = why) && null);
        this.tracks.push(...(opened?.getTracks() ?? []));
      }
      await completed;
      this.carried = medium;
      if (this.way === "webrtc") await this.line.carry(this.tracks);
      else await this.#record();
    } finally {
      // What went wrong is told once; trying it again every second would not help.
      this.carried = medium;
      this.set({ state: "connected" });
    }
    if (failure) throw failure;
  }

  switchTo(medium) {
    return this.#inTurn(async () => {
      const item = await post(path`/consultations/${this.item.id}/medium`, { medium });
      this.set({ item });
      if (this.carried !== medium) await this.#adopt(medium);
    });
  }

  /** Stop sending; what was recorded here is complete when this returns. */
  async #hangUp() {
    const { segment, line, tracks } = this;
    Object.assign(this, { segment: null, line: null, tracks: [], carried: null });
    try {
      await segment?.finish();
    } finally {
      line?.close();
      tracks.forEach((track) => track.stop());
      for (const track of this.remote.getTracks()) this.remote.removeTrack(track);
      this.set({ way: "none", isMuted: false });
    }
  }

  leave() {
    return this.#inTurn(async () => {
      await this.#complete();
      const item = await post(path`/consultations/${this.item.id}/leave`);
      await this.#hangUp();
      this.set({ item, state: "left" });
    });
  }

  end() {
    return this.#inTurn(async () => {
      await this.#complete();
      const item = await post(path`/consultations/${this.item.id}/end`);
      await this.#hangUp();
      this.set({ item, state: "ended" });
    });
  }

  async handOver(clinician) {
    this.set({ item: await post(path`/consultations/${this.item.id}/hand-over`, { clinician }) });
  }

  mute(isMuted) {
    for (const track of this.tracks) if (track.kind === "audio") track.enabled = !isMuted;
    this.set({ isMuted });
  }

  /** Send what was recorded up to here, and go on recording: then it is safe, whoever ends the call. */
  sendNow() {
    return this.#inTurn(() => this.way === "upload" && this.#renew());
  }

  /** What is said in words goes with the recording that is made from now on. */
  async write(caption) {
    this.caption = caption;
    if (this.way === "upload") await this.#inTurn(() => this.#renew());
  }
}
