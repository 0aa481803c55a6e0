/* Notices as they happen: a WebSocket, or a stream of server-sent events where that does not open. */

import { stream, token } from "./api.js";

const OPEN_MS = 4000;
const AGAIN_MS = 2000;
const AGAIN_AT_MOST_MS = 30000;

export const notices = new EventTarget();
let ending = null;
let before = false;

function arrived(data, way) {
  let notice;
  try {
    notice = JSON.parse(data);
  } catch {
    return;
  }
  if (notice?.type === "ready") {
    if (before) notices.dispatchEvent(new Event("missed"));
    before = true;
    state(way);
  }
  if (notice?.kind) notices.dispatchEvent(new CustomEvent("notice", { detail: notice }));
}

/** Call `look` for each notice, and whenever some may have been missed. */
export function onNews(look, signal) {
  for (const kind of ["notice", "missed"]) notices.addEventListener(kind, look, { signal });
}

const state = (name) => (document.body.dataset.live = name);

/** Listen on a WebSocket until it closes; true when it had opened. */
function bySocket(signal) {
  return new Promise((done) => {
    let opened = false;
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/notices/live`);
    const late = setTimeout(() => socket.close(), OPEN_MS);
    signal.addEventListener("abort", () => socket.close(), { once: true });
    socket.onopen = () => {
      clearTimeout(late);
      opened = true;
      socket.send(JSON.stringify({ token: token() }));
    };
    socket.onmessage = (message) => arrived(message.data, "websocket");
    socket.onclose = () => {
      clearTimeout(late);
      done(opened);
    };
  });
}

/** Listen to server-sent events until they end; EventSource cannot send the token, so fetch does. */
async function byEvents(signal) {
  const reader = (await stream("/notices/stream", signal)).pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (held + value).replaceAll("\r\n", "\n").split("\n\n");
    held = parts.pop();
    for (const event of parts) {
      const lines = event.split("\n").filter((line) => line.startsWith("data:"));
      arrived(lines.map((line) => line.slice(5).trimStart()).join("\n"), "events");
    }
  }
}

async function listen(signal) {
  let pause = AGAIN_MS;
  while (!signal.aborted) {
    const opened = await bySocket(signal);
    if (!opened && !signal.aborted) await byEvents(signal).catch(() => undefined);
    if (signal.aborted) return;
    state("off");
    notices.dispatchEvent(new Event("missed"));
    pause = opened ? AGAIN_MS : Math.min(pause * 2, AGAIN_AT_MOST_MS);
    await new Promise((go) => setTimeout(go, pause));
  }
}

export function start() {
  stop();
  before = false;
  ending = new AbortController();
  listen(ending.signal);
}

export function stop() {
  ending?.abort();
  ending = null;
  state("off");
}
