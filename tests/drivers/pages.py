"""A small target for the browser driver: one page under a strict policy, and a server that keeps what is sent to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

TOKEN = "tok-4f6e2c0b9d7a81"  # noqa: S105 - of a session that exists for one test
COOKIE = "cookie-5b1d77e0c3"
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; media-src 'self' blob:"
PAGE = b"""<!doctype html>
<title>A target</title>
<h1>Hello</h1>
<form><input name="username" id="username"><input name="password" id="password" type="password"></form>
<button id="refused">refused</button>
<video autoplay muted></video>
<script src="/page.js"></script>
"""
SCRIPT = b"""
"use strict";
const tracks = [];
const pieces = [];
let recorder, here, there;

async function take(constraints) {
  const stream = await navigator.mediaDevices.getUserMedia(constraints);
  tracks.push(...stream.getTracks());
  document.querySelector("video").srcObject = new MediaStream(tracks);
  return stream.getTracks().map(({ label }) => label);
}
function drop() {
  for (const track of tracks.splice(0)) track.stop();
}
function record(type) {
  pieces.length = 0;
  recorder = new MediaRecorder(new MediaStream(tracks), { mimeType: `${type}/webm` });
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  recorder.start(200);
}
async function finish(name) {
  await new Promise((done) => { recorder.onstop = done; recorder.stop(); });
  return (await fetch(`/clips/${name}`, { method: "POST", body: new Blob(pieces) })).status;
}
async function call() {
  here = new RTCPeerConnection();
  there = new RTCPeerConnection();
  here.onicecandidate = ({ candidate }) => there.addIceCandidate(candidate);
  there.onicecandidate = ({ candidate }) => here.addIceCandidate(candidate);
  for (const track of tracks) here.addTrack(track.clone());
  await here.setLocalDescription();
  await there.setRemoteDescription(here.localDescription);
  await there.setLocalDescription();
  await here.setRemoteDescription(there.localDescription);
  while (here.connectionState !== "connected") await new Promise((go) => setTimeout(go, 20));
}
async function hold() {
  for (const transceiver of here.getTransceivers()) transceiver.direction = "inactive";
  await here.setLocalDescription();
  await there.setRemoteDescription(here.localDescription);
  await there.setLocalDescription();
  await here.setRemoteDescription(there.localDescription);
}
async function signIn() {
  const [username, password] = ["username", "password"].map((id) => document.getElementById(id).value);
  const body = JSON.stringify({ username, password });
  const { token } = await (await fetch("/sign-in", { method: "POST", body })).json();
  sessionStorage.setItem("token", token);
  console.log(`signed in with ${token}`);
  await fetch(`/me?access_token=${token}`, { headers: { Authorization: `Bearer ${token}` } });
  document.title = btoa(`${username}:${password}`);
}
document.getElementById("refused").onclick = () => fetch("/refused?page=2", { method: "POST" });
"""
GIVEN = {
    "/": (PAGE, "text/html"),
    "/page.js": (SCRIPT, "text/javascript"),
}
ANSWERS = {
    "/sign-in": (200, b'{"token": "%s"}' % TOKEN.encode(), "application/json"),
    "/refused": (403, b'{"error": {"code": "not_yours", "message": "It is not yours."}}', "application/json"),
    "/broken": (500, b"oh", "text/plain"),
}
"""To POST; any other path answers with the bytes that it was sent, the other way round."""


@dataclass(slots=True)
class Site:
    """The target's address, what was sent to it by path, and what lets an answer that is held back go."""

    url: str = ""
    sent: dict[str, bytes] = field(default_factory=dict)
    release: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    """Answers one request; `site` is set on a class of each server's own."""

    site: Site

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Give the page, what it loads, or nothing for ever."""
        path = urlsplit(self.path).path
        if path == "/never":
            self.site.release.wait(60)
        else:
            body, content_type = GIVEN.get(path, (b"{}", "application/json"))
            self.answer(200, body, content_type)

    def do_POST(self) -> None:
        """Keep what is sent, and answer, or cut the connection."""
        path = urlsplit(self.path).path
        self.site.sent[path] = self.rfile.read(int(self.headers["Content-Length"]))
        if path == "/cut":
            self.close_connection = True
        else:
            self.answer(*ANSWERS.get(path, (200, self.site.sent[path][::-1], "application/octet-stream")))

    def answer(self, status: int, body: bytes, content_type: str) -> None:
        """Send an answer under the page's policy; a document sets a cookie."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        if content_type == "text/html":
            self.send_header("Set-Cookie", f"session={COOKIE}; HttpOnly; SameSite=Strict")
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving() -> Iterator[Site]:
    """Serve on 127.0.0.1 for as long as the block lasts."""

    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OfSite", (Handler,), {"site": site}))
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.release.set()
        server.shutdown()
        server.server_close()
