"""What a piece of WebM holds: its tracks, its length, its decoded sound and pictures, all within limits."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

Kind = Literal["audio", "video"]
Samples = NDArray[np.float32]

MAX_BYTES = 64 * 2**20
MAX_DURATION_S = 1800.0
MAX_PIXELS = 2048 * 1152
MAX_PACKETS = 400_000
"""Opus of half an hour in packets of 5 ms, and pictures beside it."""
CODECS = ("opus", "vorbis", "vp8", "vp9", "libdav1d", "av1")
"""The decoders of all that WebM may hold, hence of all that can be copied into another WebM."""
SOUND_RATE_HZ = 16_000
"""Wideband speech; Opus codes no wider at the bit rates used here."""

_OPTIONS = {"format_whitelist": "matroska,webm"}
_UNTIMED_FRAME_S = 0.1
_GAP_S = 0.1
"""Timestamps are rounded to milliseconds: only a larger gap is a pause, a smaller one would tear the sound."""


class FootageError(Exception):
    """The media cannot be decoded, or is beyond a limit; the message says which."""


@dataclass(frozen=True, slots=True)
class Span:
    """A track's content: seconds from the file's earliest timestamp."""

    starts_s: float
    ends_s: float


@dataclass(frozen=True, slots=True)
class Probe:
    """What a piece of media holds: seconds from its first to its last moment, and pixels (0 without pictures)."""

    duration_s: float
    has_audio: bool
    has_video: bool
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Contents:
    """Where each track with content begins and ends, the size of the pictures, and the earliest timestamp."""

    sound: Span | None
    pictures: Span | None
    width: int
    height: int
    origin_s: float

    @property
    def duration_s(self) -> float:
        """The end of the longer track."""
        return max(span.ends_s for span in (self.sound, self.pictures) if span is not None)


def contents(data: bytes) -> Contents:
    """Read all packets and decode each track to its first frame; raise FootageError when none has any."""
    with _opened(data) as container:
        by_index = {stream.index: _Ends() for stream in container.streams}
        for count, packet in enumerate(_packets(container)):
            if count >= MAX_PACKETS:
                raise FootageError(f"more than {MAX_PACKETS} packets")
            by_index[packet.stream_index].see(packet)
        ends = {stream.type: by_index[stream.index] for stream in container.streams}
        found = {kind: track for kind, track in ends.items() if track.first_frame is not None}
        if not found:
            raise FootageError("neither sound nor pictures can be decoded")
        # A time below zero is the start-up of Opus, which the decoder drops.
        origin_s = max(0.0, min(track.starts_s for track in found.values()))
        spans = {
            kind: Span(max(0.0, track.starts_s - origin_s), track.ends_s - origin_s) for kind, track in found.items()
        }
        picture = found["video"].first_frame if "video" in found else None
        size = (picture.width, picture.height) if isinstance(picture, VideoFrame) else (0, 0)
        read = Contents(spans.get("audio"), spans.get("video"), *size, origin_s)
        if read.duration_s > MAX_DURATION_S:
            raise FootageError(f"it lasts {read.duration_s:.0f} s, more than {MAX_DURATION_S:.0f} s")
        return read


def sound(data: bytes, origin_s: float) -> Iterator[tuple[float, Samples]]:
    """Yield mono samples at 16 kHz in -1..1, with the seconds after `origin_s` at which they begin."""
    with _opened(data) as container:
        resampler = av.AudioResampler("flt", "mono", SOUND_RATE_HZ)
        now_s, ends_s = 0.0, 0.0
        for frame in _frames(container, "audio"):
            if not isinstance(frame, AudioFrame):
                continue
            said_s = ends_s if frame.time is None else frame.time - origin_s
            if said_s - ends_s > _GAP_S:
                now_s = ends_s = said_s
            ends_s += frame.samples / frame.sample_rate
            frame.pts = None
            for samples in _resampled(resampler, frame):
                yield now_s, samples
                now_s += len(samples) / SOUND_RATE_HZ
        for samples in _resampled(resampler, None):
            yield now_s, samples
            now_s += len(samples) / SOUND_RATE_HZ


def pictures(data: bytes, origin_s: float = 0.0) -> Iterator[tuple[float, VideoFrame]]:
    """Yield the pictures in order of time, with their seconds after `origin_s`."""
    with _opened(data) as container:
        now_s = -_UNTIMED_FRAME_S
        for frame in _frames(container, "video"):
            if not isinstance(frame, VideoFrame):
                continue
            if frame.width * frame.height > MAX_PIXELS:
                raise FootageError(_too_large(frame.width, frame.height))
            said_s = now_s + _UNTIMED_FRAME_S if frame.time is None else frame.time - origin_s
            now_s = max(now_s, said_s)
            yield now_s, frame


def plane_of(picture: VideoFrame, at: int) -> NDArray[np.uint8]:
    """Return the rows of plane `at` of a picture with 8 bits a sample; rows may be padded at their ends."""
    plane = picture.planes[at]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)


@contextmanager
def copied(data: bytes, kind: Kind) -> Iterator[tuple[AudioStream | VideoStream, Iterator[Packet[Any]]]]:
    """Give the track of a kind and its packets as they are; raise FootageError when there is none."""
    with _opened(data) as container:
        stream = next((stream for stream in container.streams if stream.type == kind), None)
        if not isinstance(stream, AudioStream | VideoStream):
            raise FootageError(f"it has no {kind} track")
        yield stream, _packets(container, stream)


@contextmanager
def _opened(data: bytes) -> Iterator[InputContainer]:
    if not data:
        raise FootageError("it has no bytes")
    if len(data) > MAX_BYTES:
        raise FootageError(f"it has {len(data)} bytes, more than {MAX_BYTES}")
    try:
        with av.open(io.BytesIO(data), "r", options=dict(_OPTIONS), metadata_errors="replace") as container:
            _require_known_tracks(container)
            yield container
    except av.FFmpegError as error:
        raise FootageError(f"it cannot be read as WebM: {error.strerror or error}") from error


def _require_known_tracks(container: InputContainer) -> None:
    """Raise FootageError unless the tracks are at most one of sound and one of pictures, as WebM has them."""
    kinds = [stream.type for stream in container.streams]
    for stream in container.streams:
        if kinds.count(stream.type) > 1:
            raise FootageError(f"it has {kinds.count(stream.type)} {stream.type} tracks, not one")
        if stream.type not in ("audio", "video"):
            raise FootageError(f"it has a track of {stream.type}")
        if stream.codec_context is None or stream.codec_context.name not in CODECS:
            name = "an unknown codec" if stream.codec_context is None else stream.codec_context.name
            raise FootageError(f"it has {stream.type} of {name}, which WebM has not")
        if isinstance(stream, VideoStream) and stream.width * stream.height > MAX_PIXELS:
            raise FootageError(_too_large(stream.width, stream.height))
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}


def _packets(container: InputContainer, *streams: AudioStream | VideoStream) -> Iterator[Packet[Any]]:
    """Yield packets with content and time, up to where the file is cut off or torn."""
    try:
        for packet in container.demux(*streams):
            if packet.size and packet.pts is not None:
                yield packet
    except av.InvalidDataError:
        return


def _frames(container: InputContainer, kind: Kind) -> Iterator[AudioFrame | VideoFrame]:
    """Yield the frames of a kind of track, leaving out packets that are corrupt."""
    for stream in container.streams:
        if stream.type == kind and isinstance(stream, AudioStream | VideoStream):
            for packet in _packets(container, stream):
                yield from _decoded(packet)
            yield from stream.decode(None)


def _decoded(packet: Packet[Any]) -> list[AudioFrame | VideoFrame]:
    try:
        return [frame for frame in packet.decode() if isinstance(frame, AudioFrame | VideoFrame)]
    except av.InvalidDataError:
        return []
    except av.ArgumentError as error:
        raise FootageError(f"its {packet.stream.type} is malformed, or of more than {MAX_PIXELS} pixels") from error


def _resampled(resampler: av.AudioResampler, frame: AudioFrame | None) -> Iterator[Samples]:
    try:
        for part in resampler.resample(frame):
            yield part.to_ndarray()[0].astype(np.float32, copy=False)
    except ValueError as error:
        raise FootageError("its sound changes its format midway") from error


def _too_large(width: int, height: int) -> str:
    return f"its pictures are {width}x{height}, more than {MAX_PIXELS} pixels"


@dataclass(slots=True)
class _Ends:
    """A track's first and last moment so far, and its first frame."""

    starts_s: float = float("inf")
    ends_s: float = float("-inf")
    first_frame: AudioFrame | VideoFrame | None = None
    _last_s: float = 0.0
    _length_s: float = _UNTIMED_FRAME_S

    def see(self, packet: Packet[Any]) -> None:
        """Take in a packet, which must have a time; decode it if no frame has been seen."""
        if packet.pts is None:
            return
        now_s = float(packet.pts * packet.time_base)
        if packet.duration:
            self._length_s = float(packet.duration * packet.time_base)
        elif self.ends_s > now_s - 1 and now_s > self._last_s:
            self._length_s = now_s - self._last_s
        self._last_s = now_s
        self.starts_s = min(self.starts_s, now_s)
        self.ends_s = max(self.ends_s, now_s + self._length_s)
        if self.first_frame is None:
            self.first_frame = next(iter(_decoded(packet)), None)
