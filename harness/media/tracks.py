"""One track of a piece of media, decoded frame by frame: the payloads that it showed, and what was lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.packet import Packet
from av.video.frame import VideoFrame

from harness.canary import DEFAULT_KEY, Canary, unpack
from harness.errors import HarnessError
from harness.media import audio, video
from harness.model import Medium

FLAT_LEVELS = 12
"""A picture whose luma spans no more levels than this shows nothing."""
SILENT_RMS = 1e-3
"""Sound of which no tenth of a second is louder than this, -60 dBFS, is silence."""
TOLERATED_LOSS = 0.1
"""The share of a track's packets that may be corrupt before the track counts as not seen."""

MAX_GAP_S = 1.0
"""A payload that does not show for longer shows anew: one lost frame of sound is no gap."""

_LOUDNESS_WINDOW = audio.RATE_HZ // 10
_LUMA_FIRST = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuva420p", "nv12", "gray"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How much media is read at most."""

    max_bytes: int = 64 * 2**20
    max_duration_s: float = 600.0
    max_frames: int = 20_000
    max_pixels: int = 4096 * 2304
    max_tracks: int = 16
    max_channels: int = 8
    max_packets: int = 500_000
    max_entries: int = 1000
    """Files in an archive."""
    max_unpacked_bytes: int = 256 * 2**20
    """Of all files of an archive together; each may have `max_bytes`."""


DEFAULT_LIMITS = Limits()


class Refused(HarnessError):
    """The media is beyond a limit, or of a kind that cannot be read in full."""


@dataclass(slots=True)
class Showing:
    """A time during which a payload showed without a gap of more than a second, and in how many frames."""

    from_s: float
    to_s: float
    count: int = 1


@dataclass(slots=True)
class Track:
    """What a track has shown so far: each payload with the times of its showing, content, losses."""

    kind: Medium
    limits: Limits = DEFAULT_LIMITS
    key: bytes = DEFAULT_KEY
    payloads: dict[int, list[Showing]] = field(default_factory=dict)
    has_content: bool = False
    packets: int = 0
    corrupt_packets: int = 0
    ends_corrupt: bool = False
    frames: int = 0
    duration_s: float = 0.0
    _last_luma: video.Luma | None = None
    _last_codes: list[int] = field(default_factory=list)
    _first_frame_s: float | None = None
    _sound_format: tuple[str, str, int] | None = None
    _resampler: av.AudioResampler | None = None
    _parts: list[audio.Samples] = field(default_factory=list)

    @property
    def canaries(self) -> dict[Canary, list[Showing]]:
        """The payloads with our tag, and the times when each showed, in order."""
        unpacked = ((unpack(payload, self.key), showings) for payload, showings in self.payloads.items())
        return {canary: showings for canary, showings in unpacked if canary is not None}

    @property
    def unknown_tags(self) -> int:
        """How many payloads have another tag."""
        return len(self.payloads) - len(self.canaries)

    @property
    def is_undecodable(self) -> bool:
        """True when the track has data and not one frame came of it."""
        return self.packets > 0 and self.frames == 0

    @property
    def is_blind(self) -> bool:
        """True when the track may hold somebody's media and shows no payload."""
        lost = self.corrupt_packets > TOLERATED_LOSS * self.packets
        return lost or self.is_undecodable or (self.has_content and not self.payloads)

    def decode(self, packet: Packet[Any]) -> None:
        """Decode a packet of this track; count it when it is corrupt; raise Refused beyond a limit."""
        self.packets += packet.size > 0
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            self.corrupt_packets += 1
            self.ends_corrupt = True
            return
        self.ends_corrupt = self.ends_corrupt and not packet.size
        for frame in frames:
            self.frames += 1
            if isinstance(frame, VideoFrame):
                self._see(frame)
            elif isinstance(frame, AudioFrame):
                self._hear(frame)
            if self.duration_s > self.limits.max_duration_s:
                raise Refused(f"longer than {self.limits.max_duration_s:g} s")

    def finish(self) -> None:
        """Listen to all the sound that was decoded, channel by channel; call it once, at the end."""
        for samples in self.channels():
            if _is_silent(samples):
                continue
            self.has_content = True
            for heard in audio.listen(samples, key=self.key):
                self._note(heard.payload, heard.start_s, min(heard.start_s + audio.FRAME_S, self.duration_s))

    def channels(self) -> list[audio.Samples]:
        """Return the sound that was decoded, at 8000 Hz, each different channel once; call it once, at the end."""
        if self._resampler is None:
            return []
        self._keep(None)
        channels = np.concatenate(self._parts, axis=1)
        self._parts.clear()
        return [
            samples
            for at, samples in enumerate(channels)
            if not any(np.array_equal(samples, earlier) for earlier in channels[:at])
        ]

    def stand_still(self) -> None:
        """Take the track for one picture, which lasts no time."""
        self.duration_s = 0.0
        for showings in self.payloads.values():
            showings[:] = [Showing(0.0, 0.0, sum(each.count for each in showings))]

    def _see(self, frame: VideoFrame) -> None:
        if self.frames > self.limits.max_frames:
            raise Refused(f"more than {self.limits.max_frames} pictures")
        if frame.width * frame.height > self.limits.max_pixels:
            raise Refused(f"pictures of {frame.width}x{frame.height}")
        at_s, length_s = self._time_of(frame)
        luma = _luma(frame)
        if self._repeats(luma):
            for payload in self._last_codes:
                self._note(payload, at_s, at_s + length_s)
            return
        self._last_codes = []
        if int(luma.max()) - int(luma.min()) <= FLAT_LEVELS:
            return
        self.has_content = True
        self._last_codes = video.find_codes(luma)
        for payload in self._last_codes:
            self._note(payload, at_s, at_s + length_s)

    def _repeats(self, luma: video.Luma) -> bool:
        """True when the picture is the last one again, to the pixel: what stands still is searched once."""
        known = self._last_luma
        if known is not None and np.array_equal(known, luma):
            return True
        self._last_luma = luma.copy()
        return False

    def _note(self, payload: int, from_s: float, to_s: float) -> None:
        """Lengthen the payload's showing that is at most a second away from this frame, or begin another."""
        showings = self.payloads.setdefault(payload, [])
        for known in reversed(showings):
            if from_s <= known.to_s + MAX_GAP_S and known.from_s - MAX_GAP_S <= to_s:
                known.from_s, known.to_s = min(known.from_s, from_s), max(known.to_s, to_s)
                known.count += 1
                return
        showings.append(Showing(from_s, to_s))

    def _time_of(self, frame: VideoFrame) -> tuple[float, float]:
        """Return the seconds since the track's first frame and the frame's length; lengthen the track by it."""
        now_s = self.duration_s if frame.time is None else frame.time
        if self._first_frame_s is None:
            self._first_frame_s = now_s
        at_s = now_s - self._first_frame_s
        length_s = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
        self.duration_s = max(self.duration_s, at_s + length_s)
        return at_s, length_s

    def _hear(self, frame: AudioFrame) -> None:
        """Keep the frame at 8000 Hz with all its channels: in their mix two might cancel each other."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None:
            if frame.layout.nb_channels > self.limits.max_channels:
                raise Refused(f"sound of {frame.layout.nb_channels} channels")
            self._sound_format = form
            # Interleaved: PyAV finds a ninth plane in planar sound of eight channels, and reads past its end.
            self._resampler = av.AudioResampler("flt", frame.layout, audio.RATE_HZ)
        if self._sound_format != form:
            raise Refused("sound that changes its format midway")
        self.duration_s += frame.samples / frame.sample_rate
        frame.pts = None
        self._keep(frame)

    def _keep(self, frame: AudioFrame | None) -> None:
        if self._resampler is not None:
            for part in self._resampler.resample(frame):
                samples = part.to_ndarray().reshape(-1, part.layout.nb_channels).T
                self._parts.append(samples.astype(np.float32, copy=False))


def _luma(frame: VideoFrame) -> video.Luma:
    """Return the frame's luma [height, width], straight from its first plane where that is what it holds."""
    if frame.format.name not in _LUMA_FIRST:
        return frame.to_ndarray(format="gray").astype(np.uint8)
    plane = frame.planes[0]
    rows: video.Luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]


def _is_silent(samples: audio.Samples) -> bool:
    whole = np.pad(samples, (0, -len(samples) % _LOUDNESS_WINDOW))
    power = np.square(whole).reshape(-1, _LOUDNESS_WINDOW).mean(axis=1)
    return bool(np.sqrt(power.max(initial=0.0)) < SILENT_RMS)
