"""Films, sound and animated pictures: a container is opened and taken apart before any of it is decoded.

What comes first is cheap, and refuses what is beyond a limit: tracks, sizes, duration, the hash of the coded packets.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from harness.media import audio, wholeness
from harness.media.sighting import Reading, summarise
from harness.media.tracks import Limits, Refused, Track

CONTAINERS = "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,ogg,wav,mp3,aac,flac,ivf,jpeg_pipe,png_pipe,apng,webp_pipe,gif"
"""The formats that may be opened. Playlists and scripts are not among them, for they make the decoder open
other files; nor are transport streams, in which a track may begin midway and be missed."""

_OPTIONS = {
    "format_whitelist": CONTAINERS,
    "protocol_whitelist": "none",
    # What an edit list leaves out is no less in the file.
    "ignore_editlist": "1",
}
_HARMLESS = frozenset({"data"})
_GLANCE_SOUND_S = 1.8
_HEAD_BYTES = 4096
_SPARE_S = 0.02
"""Less than a frame of MP3 or FLAC."""


def opened(data: bytes, form: str = "") -> InputContainer:
    """Open media from memory as a container of the allowed formats, or of one; raise av.FFmpegError."""
    return av.open(io.BytesIO(data), "r", format=form or None, options=dict(_OPTIONS), metadata_errors="replace")


@dataclass(slots=True)
class Film:
    """Media that was taken apart into tracks and coded packets, and can then be decoded, once.

    What the bytes hold never makes it raise. `coded` tells apart what decodes differently: the packets, and what a
    decoder is told beside them; empty where something stands in the way of reading all. One thread.
    """

    data: bytes
    key: bytes
    limits: Limits
    form: str = ""
    coded: str = ""
    packets_hash: str = ""
    tracks: list[Track] = field(default_factory=list)
    refused: str = ""
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _container: InputContainer | None = None
    _by_stream: dict[int, Track] = field(default_factory=dict)
    _packets: list[Packet[Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            self._container = opened(self.data, self.form)
            self._probe(self._container)
            self._take_apart(self._container)
        except Refused as error:
            self.refused = str(error)
        except av.FFmpegError as error:
            self.refused = error.strerror or str(error)
        except (ValueError, NotImplementedError) as error:
            # PyAV says so of what FFmpeg found and it has no name for.
            self.refused = f"{type(error).__name__}: {error}"

    def decode(self, *, glance: bool = False) -> Reading:
        """Decode every packet and return what they show; with `glance` key pictures and the first sound only."""
        try:
            if glance:
                self._thin_out()
            for packet in self._packets:
                track = self._by_stream.get(packet.stream.index)
                if track:
                    track.decode(packet)
        except Refused as error:
            self.refused = self.refused or str(error)
        except av.FFmpegError as error:
            self.refused = self.refused or error.strerror or str(error)
        else:
            self._look_at_the_end()
        finally:
            self.close()
        for track in self.tracks:
            track.finish()
        return summarise(
            self.tracks, refused=self.refused, unread=self.unread, notes=self.notes, packets=self.packets_hash
        )

    def sound(self) -> list[audio.Samples]:
        """Decode what can be heard and nothing else: samples at 8000 Hz, each channel of each track for itself.

        Raises Refused beyond a limit, and av.FFmpegError.
        """
        try:
            for packet in self._packets:
                track = self._by_stream.get(packet.stream.index)
                if track and track.kind == "audio":
                    track.decode(packet)
        finally:
            self.close()
        return [channel for track in self.tracks for channel in track.channels()]

    def close(self) -> None:
        """Let go of the packets and the container."""
        self._packets.clear()
        if self._container is not None:
            self._container.close()

    def _probe(self, container: InputContainer) -> None:
        """Set up the tracks; raise Refused when the container says that it is beyond a limit."""
        if len(container.streams) > self.limits.max_tracks:
            raise Refused(f"{len(container.streams)} tracks, more than {self.limits.max_tracks}")
        if container.duration and container.duration / av.time_base > self.limits.max_duration_s:
            raise Refused(f"longer than {self.limits.max_duration_s:g} s")
        for stream in container.streams:
            self._add(stream)
        self.tracks = list(self._by_stream.values())

    def _add(self, stream: Stream) -> None:
        if stream.type != "audio" and stream.type != "video":
            known = self.notes if stream.type in _HARMLESS else self.unread
            known.append(f"a track of {stream.type} was not read")
            return
        # Where no codec is known PyAV has a stream of another class, without one.
        if not isinstance(stream, AudioStream | VideoStream) or stream.codec_context is None:
            self.unread.append(f"a track of {stream.type} in an unknown codec")
            return
        stream.codec_context.thread_count = 1
        if isinstance(stream, VideoStream) and stream.width * stream.height > self.limits.max_pixels:
            raise Refused(f"pictures of {stream.width}x{stream.height}")
        self._by_stream[stream.index] = Track(stream.type, self.limits, self.key)

    def _take_apart(self, container: InputContainer) -> None:
        """Collect the packets and their hashes up to the end, or to where the bytes give out."""
        hashes = {stream.index: hashlib.sha256() for stream in container.streams}
        try:
            for packet in container.demux():
                if len(self._packets) > self.limits.max_packets:
                    raise Refused(f"more than {self.limits.max_packets} packets")
                if packet.size:
                    hashes[packet.stream.index].update(packet)
                if packet.is_corrupt and wholeness.CUT_OFF not in self.unread:
                    self.unread.append(wholeness.CUT_OFF)
                self._packets.append(packet)
        finally:
            count = sum(packet.size > 0 for packet in self._packets)
            missing = wholeness.missing(self.data, count)
            if missing and missing not in self.unread:
                self.unread.append(missing)
        hexes = {index: each.hexdigest() for index, each in hashes.items()}
        self.packets_hash = _hash_of(sorted((_codec(stream), hexes[stream.index]) for stream in container.streams))
        if not self.unread:
            told = [(_codec(stream), hexes[stream.index], _told(stream)) for stream in container.streams]
            self.coded = _hash_of(sorted(told))

    def _look_at_the_end(self) -> None:
        """Miss the rest of a last packet that cannot be decoded, and what a header of FLAC or MP3 says is there."""
        container = self._container
        if any(track.ends_corrupt for track in self.tracks):
            self.unread.append(wholeness.CUT_OFF)
        counted = container is not None and (
            container.format.name == "flac" or any(mark in self.data[:_HEAD_BYTES] for mark in (b"Xing", b"Info"))
        )
        if container is None or not counted or self.unread:
            return
        for stream in container.streams:
            track = self._by_stream.get(stream.index)
            told_s = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
            if track and track.duration_s < told_s - _SPARE_S:
                self.unread.append(wholeness.CUT_OFF)
                return

    def _thin_out(self) -> None:
        sound_s: dict[int, float] = {}
        kept = []
        for packet in self._packets:
            kind = packet.stream.type
            if kind == "video" and (packet.is_keyframe or not packet.size):
                kept.append(packet)
            elif kind == "audio" and sound_s.get(packet.stream.index, 0.0) < _GLANCE_SOUND_S:
                length_s = float(packet.duration * packet.time_base) if packet.duration and packet.time_base else 0.02
                sound_s[packet.stream.index] = sound_s.get(packet.stream.index, 0.0) + length_s
                kept.append(packet)
        self._packets = kept


def _codec(stream: Stream) -> str:
    return stream.codec_context.name if stream.codec_context is not None else stream.type


def _told(stream: Stream) -> str:
    """Return what a decoder is told of a stream beside its packets."""
    context = stream.codec_context
    if context is None:
        return ""
    extra = (context.extradata or b"").hex()
    if isinstance(stream, VideoStream):
        return f"{stream.width}x{stream.height} {extra}"
    if isinstance(stream, AudioStream):
        return f"{stream.sample_rate} {stream.layout.name} {extra}"
    return extra


def _hash_of(parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
