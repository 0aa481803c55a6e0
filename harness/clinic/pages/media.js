/* Media on its way: a peer connection to the clinic, or recordings that are sent in pieces. */

import { path, post, putRaw } from "./api.js";

const GATHER_MS = 1000;
const CHUNK_BYTES = 512 * 1024;
const CHUNKS_AT_MOST = 60;
const PIECE_MS = 1000;
const STOP_MS = 3000;
const TRIES = 3;
const AGAIN_MS = 500;

const VIDEO = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24, max: 30 } };
const WORDS = {
  NotAllowedError:
    "The browser was not allowed to use the microphone or camera. Allow it at the address, then try again.",
  NotFoundError: "No microphone or camera was found on this device.",
  NotReadableError: "The microphone or camera is in use by another program.",
};

/** Open the microphone, the camera, or both; failures say in words what to do. */
export async function capture({ audio = false, video = false }) {
  try {
    if (!navigator.mediaDevices)
      throw new Error("This address gives pages no microphone: open the clinic by https or on this computer.");
    return await navigator.mediaDevices.getUserMedia({ audio, video: video && VIDEO });
  } catch (failure) {
    throw new Error(WORDS[failure.name] ?? failure.message);
  }
}

/** Resolve when an event of the target makes `ready` true, or when the time is over. */
function until(target, event, ready, limit) {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(late);
      target.removeEventListener(event, look);
      done(ready());
    };
    const look = () => ready() && end();
    const late = setTimeout(end, limit);
    target.addEventListener(event, look);
    look();
  });
}

/** One participant's peer connection to the clinic, which relays and records. */
export class Line {
  constructor(consultation, { heard, lost }) {
    this.url = path`/consultations/${consultation}/call`;
    this.peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.turn = Promise.resolve();
    this.peer.addEventListener("track", heard);
    this.peer.addEventListener("connectionstatechange", () => this.peer.connectionState === "failed" && lost());
  }

  /** Send these tracks from now on, and receive as many; one negotiation at a time. */
  carry(tracks) {
    this.turn = this.turn.catch(() => undefined).then(() => this.#negotiate(tracks));
    return this.turn;
  }

  async #negotiate(tracks) {
    const { peer } = this;
    for (const transceiver of peer.getTransceivers()) {
      const { kind } = transceiver.receiver.track;
      const track = tracks.find((each) => each.kind === kind) ?? null;
      if (transceiver.sender.track !== track) await transceiver.sender.replaceTrack(track);
      transceiver.direction = track ? "sendrecv" : "inactive";
    }
    const known = peer.getTransceivers().map(({ receiver }) => receiver.track.kind);
    const stream = new MediaStream(tracks);
    for (const track of tracks)
      if (!known.includes(track.kind)) peer.addTransceiver(track, { direction: "sendrecv", streams: [stream] });
    await peer.setLocalDescription();
    await until(peer, "icegatheringstatechange", () => peer.iceGatheringState === "complete", GATHER_MS);
    const { type, sdp } = peer.localDescription;
    await peer.setRemoteDescription(await post(this.url, { type, sdp }));
  }

  /** True when media flows within the time. */
  async connected(limit) {
    const settled = () => ["connected", "failed", "closed"].includes(this.peer.connectionState);
    await until(this.peer, "connectionstatechange", settled, limit);
    return this.peer.connectionState === "connected";
  }

  close() {
    this.peer.close();
  }
}

/** Try again what failed on the way; what was refused stays refused. */
async function persist(send) {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await send();
    } catch (failure) {
      if (!left || (failure.status > 0 && failure.status < 500)) throw failure;
      await new Promise((go) => setTimeout(go, AGAIN_MS));
    }
  }
}

const hex = (bytes) => [...new Uint8Array(bytes)].map((each) => each.toString(16).padStart(2, "0")).join("");

/** One recording on its way in pieces: it becomes whole when it is finished. */
export class Segment {
  static async begin(consultation, medium, tracks, { caption, full }) {
    const wanted = medium === "video" ? "video/webm;codecs=vp8,opus" : "audio/webm;codecs=opus";
    const type = MediaRecorder.isTypeSupported(wanted) ? wanted : `${medium}/webm`;
    const body = { medium, content_type: type, ...(caption && { caption }) };
    const { id } = await post(path`/consultations/${consultation}/uploads`, body);
    return new Segment(id, new MediaRecorder(new MediaStream(tracks), { mimeType: type }), full);
  }

  constructor(id, recorder, full) {
    Object.assign(this, { id, recorder, full, chunks: [], held: [], failure: null, ended: false, isFull: false });
    this.sent = Promise.resolve();
    recorder.addEventListener("dataavailable", ({ data }) => this.#take(data));
    recorder.addEventListener("stop", () => (this.ended = true));
    recorder.start(PIECE_MS);
  }

  #take(piece) {
    if (piece.size) this.held.push(piece);
    while (this.held.reduce((sum, { size }) => sum + size, 0) >= CHUNK_BYTES) this.#chunk();
    if (this.chunks.length < CHUNKS_AT_MOST || this.isFull) return;
    this.isFull = true;
    this.full();
  }

  #chunk() {
    const whole = new Blob(this.held);
    const chunk = whole.slice(0, CHUNK_BYTES);
    this.held = whole.size > CHUNK_BYTES ? [whole.slice(CHUNK_BYTES)] : [];
    const n = this.chunks.push(chunk) - 1;
    const url = path`/uploads/${this.id}/chunks/${n}`;
    this.sent = this.sent.then(() => persist(() => putRaw(url, chunk))).catch((failure) => (this.failure ??= failure));
  }

  /** Stop recording and send what is left; true when that made a recording. A second call waits for the first. */
  finish() {
    this.finished ??= this.#finish();
    return this.finished;
  }

  async #finish() {
    if (this.recorder.state !== "inactive") this.recorder.stop();
    await until(this.recorder, "stop", () => this.ended, STOP_MS);
    if (this.held.length) this.#chunk();
    await this.sent;
    if (this.failure) throw this.failure;
    if (!this.chunks.length) return false;
    const whole = await new Blob(this.chunks).arrayBuffer();
    const sha256 = hex(await crypto.subtle.digest("SHA-256", whole));
    await post(path`/uploads/${this.id}/complete`, { chunks: this.chunks.length, sha256 });
    return true;
  }
}
