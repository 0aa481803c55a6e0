"""One person's sound or picture on its way through the server: coded samples in, recorded and passed on as they came.

Nothing is decoded and nothing is encoded: that would cost more than twice what all the rest of a call does, and the
recording would hold the server's rendering of what was sent instead of what was sent. WebRTC codes sound as Opus
(RFC 7587) and the picture here as VP8 (RFC 7741), which are what WebM holds.
"""

from __future__ import annotations

import asyncio
import io
import logging
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import av
from aioice import ice
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcrtpparameters import RTCRtpCodecCapability
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtcrtpsender import RTCRtpSender

Kind = Literal["audio", "video"]

RATE_HZ: dict[Kind, int] = {"audio": 48_000, "video": 90_000}
"""The clocks of RTP for Opus and VP8."""
MIME_TYPES: dict[Kind, tuple[str, ...]] = {"audio": ("audio/opus",), "video": ("video/vp8", "video/rtx")}

CONSENT_INTERVAL_S, CONSENT_FAILURES = 2, 5
DRIFT_S = 5.0
"""How far the sender's clock may stray from ours before its samples are timed by their arrival."""
KEY_REQUEST_S = 0.3
WAITING_SAMPLES = 128

_DECODER_QUEUE = "_RTCRtpReceiver__decoder_queue"
_KEY_REQUESTED = "_send_keyframe"


def loopback_only() -> None:
    """Let WebRTC in this process listen on 127.0.0.1 and nowhere else, notice a lost browser soon, and log errors only.

    aioice offers every address but 127.0.0.1, and has no setting for that or for how often it asks whether the other
    side is still there (RFC 7675: 5 s, 6 times).
    """

    def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: FBT001 - aioice's own
        return ["127.0.0.1"] if use_ipv4 or use_ipv6 else []

    ice.get_host_addresses = addresses
    ice.CONSENT_INTERVAL, ice.CONSENT_FAILURES = CONSENT_INTERVAL_S, CONSENT_FAILURES
    for name in ("aioice", "aiortc"):
        logging.getLogger(name).setLevel(logging.ERROR)


def codecs(kind: Kind) -> list[RTCRtpCodecCapability]:
    """Return the codecs that are agreed to: those that a WebM file holds."""
    known = RTCRtpReceiver.getCapabilities(kind)
    assert known is not None  # noqa: S101 - aiortc has capabilities of both kinds
    return [codec for codec in known.codecs if codec.mimeType.lower() in MIME_TYPES[kind]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One coded frame, and when it came: seconds since the call began."""

    at_s: float
    data: bytes
    is_key: bool


@dataclass(slots=True)
class Timeline:
    """Lays the timestamps of one sender's stream along the call's time, never backwards.

    Between two frames the sender's clock is right, whatever the network did; across a pause or a restart ours is.
    """

    rate_hz: int
    origin_s: float | None = None
    last_s: float = 0.0

    def at_s(self, timestamp: int, now_s: float) -> float:
        """Return the time of a timestamp that arrived now, in seconds since the call began."""
        said_s = timestamp / self.rate_hz
        if self.origin_s is None or abs(self.origin_s + said_s - now_s) > DRIFT_S:
            self.origin_s = now_s - said_s
        self.last_s = max(self.origin_s + said_s, self.last_s + 1 / self.rate_hz)
        return self.last_s


class _Tap(queue.Queue[object]):
    """Stands where aiortc's receiver leaves coded frames for its decoder, and passes them on instead."""

    def __init__(self, take: Callable[[JitterFrame], None]) -> None:
        super().__init__()
        self._take = take

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001 - queue's own
        if isinstance(item, tuple):
            self._take(item[1])
        else:
            super().put(item, block, timeout)


def tap(receiver: RTCRtpReceiver, kind: Kind, began_s: float, take: Callable[[Sample], None]) -> None:
    """Give what this receiver gets to `take`, in order, as samples of a call that began at `began_s` (monotonic).

    aiortc has no public way to coded frames. Call this before the receiver starts, which makes its decoder wait for
    frames that never come. Raises RuntimeError when aiortc is not as it was.
    """
    if not hasattr(receiver, _DECODER_QUEUE):
        raise RuntimeError(f"this release of aiortc keeps no {_DECODER_QUEUE} in a receiver; 1.16 does")
    timeline = Timeline(RATE_HZ[kind])

    def passed_on(frame: JitterFrame) -> None:
        data = frame.data
        if data:
            at_s = timeline.at_s(frame.timestamp, time.monotonic() - began_s)
            take(Sample(at_s, data, kind == "audio" or is_key(data)))

    setattr(receiver, _DECODER_QUEUE, _Tap(passed_on))


def on_key_request(sender: RTCRtpSender, ask: Callable[[], None]) -> None:
    """Call `ask` when the other side wants a whole picture of this sender; raises RuntimeError as `tap` does."""
    if not hasattr(sender, _KEY_REQUESTED):
        raise RuntimeError(f"this release of aiortc has no {_KEY_REQUESTED} in a sender; 1.16 has")
    setattr(sender, _KEY_REQUESTED, ask)


async def request_key(receiver: RTCRtpReceiver) -> None:
    """Ask who sends to this receiver for a whole picture (RFC 4585, picture loss indication)."""
    for source in receiver.getSynchronizationSources():
        await receiver._send_rtcp_pli(source.source)  # noqa: SLF001 - aiortc sends it by itself on loss only


def is_key(data: bytes) -> bool:
    """True when a coded VP8 frame is a whole picture whose size can be read (RFC 6386, 9.1)."""
    return len(data) >= 10 and not data[0] & 1 and data[3:6] == b"\x9d\x01\x2a"


class Outgoing(MediaStreamTrack):
    """What one person is sent: the samples of whoever is shown to them, nothing before."""

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind: Kind = kind
        self._rate_hz = RATE_HZ[kind]
        self._samples: asyncio.Queue[Sample] = asyncio.Queue(WAITING_SAMPLES)
        self._source: object = None

    def push(self, source: object, sample: Sample) -> bool:
        """Send a sample of `source`; False when a whole picture is needed first, and the sample was left out.

        A decoder can go on from another person's picture, or across a gap, with a whole picture only.
        """
        if source is not self._source:
            if not sample.is_key:
                return False
            self._source = source
        if self._samples.full():
            # What is late is no longer worth sending, and what follows the gap begins anew.
            while not self._samples.empty():
                self._samples.get_nowait()
            self._source = None
            return False
        self._samples.put_nowait(sample)
        return True

    async def recv(self) -> av.Packet[av.stream.Stream]:
        """Return the next sample, coded as it is."""
        sample = await self._samples.get()
        packet = av.Packet(sample.data)
        packet.time_base = Fraction(1, self._rate_hz)
        packet.pts = packet.dts = round(sample.at_s * self._rate_hz)
        return packet


@dataclass(slots=True)
class Recorder:
    """The samples of one kind of one person in one segment, within bounds; a picture begins with a whole one."""

    kind: Kind
    most_bytes: int
    most_s: float
    samples: list[Sample] = field(default_factory=list)
    size: int = 0

    def add(self, sample: Sample) -> bool:
        """Record a sample; False when a whole picture is needed first. What is beyond a bound is left out."""
        if not self.samples and not sample.is_key:
            return False
        first_s = self.samples[0].at_s if self.samples else sample.at_s
        if self.size + len(sample.data) > self.most_bytes or sample.at_s - first_s > self.most_s:
            # From here on nothing fits, however small: a gap would spoil every picture after it.
            self.most_bytes = 0
            return True
        self.samples.append(sample)
        self.size += len(sample.data)
        return True


def webm(kind: Kind, samples: Sequence[Sample], origin_s: float) -> bytes:
    """Return a WebM file of at least one sample, whose time 0 is `origin_s`, not after the first."""
    buffer = io.BytesIO()
    time_base = Fraction(1, RATE_HZ[kind])
    with av.open(buffer, "w", format="webm", options={"fflags": "+bitexact"}) as container:
        if kind == "audio":
            # The encoder codes nothing: it writes the header that a file of Opus needs. Bit 2 of a packet's first
            # byte says stereo (RFC 6716, 3.1).
            opus = container.add_stream("libopus", rate=RATE_HZ[kind])
            opus.layout = "stereo" if any(sample.data[0] & 4 for sample in samples) else "mono"
            opus.format = "flt"
            opus.codec_context.open()
            stream: av.stream.Stream = opus
        else:
            width, height = (int.from_bytes(samples[0].data[at : at + 2], "little") & 0x3FFF for at in (6, 8))
            stream = container.add_mux_stream("vp8", width=width, height=height)
        for sample in samples:
            packet = av.Packet(sample.data)
            packet.stream, packet.time_base, packet.is_keyframe = stream, time_base, sample.is_key
            packet.pts = packet.dts = round((sample.at_s - origin_s) / time_base)
            container.mux_one(packet)
    return buffer.getvalue()
