"""Browsers of a call, played by aiortc: each sends its own canary and keeps what it is sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from unittest.mock import Mock

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from harness.canary import Canary, pack, unpack
from harness.clinic.webrtc import tracks
from harness.media import audio, video

WIDTH, HEIGHT, FRAMES_PER_S = 160, 128, 10
RATE_HZ, FRAME_SAMPLES = 48_000, 960
LOOP_S = 4
PATIENCE_S, STORY_S = 30.0, 90.0

Signal = Callable[[str], Awaitable[str]]
"""Takes an offer to the clinic and brings the answer."""


class _Sound(MediaStreamTrack):
    kind = "audio"

    def __init__(self, canary: Canary) -> None:
        super().__init__()
        self.play(canary)
        self._began_s = time.monotonic()
        self._at = 0

    def play(self, canary: Canary) -> None:
        """Go on with this canary."""
        slot = canary.user % audio.SLOTS
        samples = audio.synthesise(pack(canary), slot, duration_s=LOOP_S, rate_hz=RATE_HZ)
        self._samples = (samples * 32767).astype(np.int16)

    async def recv(self) -> Any:
        """Return the next 20 ms."""
        await asyncio.sleep(self._began_s + self._at / RATE_HZ - time.monotonic())
        start = self._at % len(self._samples)
        frame = av.AudioFrame.from_ndarray(self._samples[None, start : start + FRAME_SAMPLES], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, self._at, Fraction(1, RATE_HZ)
        self._at += FRAME_SAMPLES
        return frame


class _Picture(MediaStreamTrack):
    kind = "video"

    def __init__(self, canary: Canary) -> None:
        super().__init__()
        self.play(canary)
        self._began_s = time.monotonic()
        self._at = 0

    def play(self, canary: Canary) -> None:
        """Go on with this canary."""
        count = LOOP_S * FRAMES_PER_S
        self._luma = video.frames(pack(canary), count, width=WIDTH, height=HEIGHT, seed=canary.user)

    async def recv(self) -> Any:
        """Return the next picture."""
        await asyncio.sleep(self._began_s + self._at / FRAMES_PER_S - time.monotonic())
        luma = self._luma[self._at % len(self._luma)]
        frame = av.VideoFrame.from_ndarray(video.yuv420p(luma), "yuv420p")
        frame.pts, frame.time_base = self._at, Fraction(1, FRAMES_PER_S)
        self._at += 1
        return frame


@dataclass(slots=True)
class Caller:
    """One participant's browser; `heard` and `seen` hold what it received."""

    canary: Canary
    signal: Signal
    connection: RTCPeerConnection = field(init=False)
    heard: list[Any] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    _sources: list[_Sound | _Picture] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))

        @self.connection.on("track")
        def _(track: MediaStreamTrack) -> None:
            self._tasks.append(asyncio.create_task(self._receive(track)))

    async def _receive(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame: Any = await track.recv()
                if track.kind == "audio":
                    self.heard.append(frame.to_ndarray().reshape(-1, 2)[:, 0])
                else:
                    self.seen += video.find_codes(frame.to_ndarray(format="gray"))
        except MediaStreamError:
            return

    async def negotiate(self) -> None:
        """Offer what is there, and take the answer."""
        await self.connection.setLocalDescription()
        answer = await self.signal(self.connection.localDescription.sdp)
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def offer(self) -> str:
        """Return an offer of sound that is not followed up."""
        self._send(_Sound(self.canary))
        await self.connection.setLocalDescription()
        return str(self.connection.localDescription.sdp)

    async def call(self, *, with_video: bool = False) -> None:
        """Call with sound, perhaps with a picture, and wait until connected."""
        self._send(_Sound(self.canary))
        if with_video:
            self._send(_Picture(self.canary))
        await self.negotiate()
        await until(lambda: self.connection.connectionState == "connected")

    async def add_video(self) -> None:
        """Go on with a picture, too."""
        self._send(_Picture(self.canary))
        await self.negotiate()

    def show(self, canary: Canary) -> None:
        """Go on sending, with another canary."""
        self.canary = canary
        for source in self._sources:
            source.play(canary)

    def forget(self) -> None:
        """Begin anew to keep what is received."""
        self.heard.clear()
        self.seen.clear()

    @property
    def heard_s(self) -> float:
        """How much sound was received."""
        return sum(map(len, self.heard)) / RATE_HZ

    def _send(self, source: _Sound | _Picture) -> None:
        self._sources.append(source)
        self.connection.addTrack(source)

    async def stop_video(self) -> None:
        """Go on without a picture."""
        for transceiver in self.connection.getTransceivers():
            if transceiver.kind == "video":
                transceiver.direction = "inactive"
        await self.negotiate()

    def vanish(self) -> None:
        """Be gone without a word, as a browser that was killed."""
        for transceiver in self.connection.getTransceivers()[:1]:
            for protocol in transceiver.receiver.transport.transport._connection._protocols:
                for end, way in ((protocol, "datagram_received"), (protocol.transport, "sendto")):
                    setattr(end, way, Mock())

    def canaries(self, kind: str) -> set[Canary | None]:
        """Return whose medium of this kind was received so far; None stands for a strange payload."""
        payloads = set(self.seen)
        if kind == "audio":
            sound = (np.concatenate([np.zeros(0, np.int16), *self.heard])[::6] / 32768).astype(np.float32)
            payloads = {each.payload for each in audio.listen(sound)}
        return {unpack(payload) for payload in payloads}

    async def close(self) -> None:
        """Hang up."""
        await self.connection.close()
        for task in self._tasks:
            task.cancel()


@asynccontextmanager
async def calling(*callers: Caller) -> AsyncIterator[None]:
    """Hang up at the end, whatever happens."""
    tracks.loopback_only()
    try:
        yield
    finally:
        for caller in callers:
            await caller.close()


async def until(true: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Poll until something is true; fail when patience ends."""
    async with asyncio.timeout(patience_s):
        while not true():  # noqa: ASYNC110 - what is waited for happens in other tasks and processes
            await asyncio.sleep(0.1)


def held(story: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run a story to its end, in bounded time."""

    async def bounded() -> None:
        async with asyncio.timeout(STORY_S):
            await story()

    asyncio.run(bounded())
