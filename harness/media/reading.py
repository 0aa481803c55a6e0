"""Reads every canary in a piece of media that a target gave back, and says what it could not read.

Everything is decoded, for foreign media may start late; and whatever hides a part of the media from the
reader shows in the outcome, so that nobody takes what was not seen for what is not there.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import av
from av.container import InputContainer

from harness.canary import DEFAULT_KEY, Canary
from harness.media.tracks import DEFAULT_LIMITS, Limits, Refused, Track
from harness.model import Medium

Outcome = Literal["canaries", "partial", "unknown-tag", "no-canary", "unreadable", "empty"]

CONTAINERS = "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,ogg,wav,mp3,aac,flac,ivf"
"""The formats that may be opened. Playlists and scripts are not among them, for they make the decoder open
other files; nor are transport streams, in which a track may begin midway and be missed."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A canary in a kind of track, and when it first showed: seconds from that track's beginning."""

    canary: Canary
    track: Medium
    first_s: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a piece of media holds.

    `canaries` has every different canary of each kind of track, whatever the outcome; `tracks` the kinds of
    the tracks in the file's order. The outcome is

    - `canaries`: every track with content carries a canary, and nothing else was seen;
    - `partial`: a canary was found, but a track with sound or pictures carries none, or was lost in part;
    - `unknown-tag`: some well-formed payload is not tagged with our key, alone or beside canaries;
    - `no-canary`: sound or pictures, and no payload at all;
    - `unreadable`: it cannot be decoded, or a limit was reached, even if canaries were found by then;
    - `empty`: no bytes, no frames, or silence and flat pictures only.
    """

    outcome: Outcome
    canaries: tuple[Sighting, ...] = ()
    tracks: tuple[Medium, ...] = ()
    duration_s: float = 0.0
    note: str = ""


def read(data: bytes, *, key: bytes = DEFAULT_KEY, limits: Limits = DEFAULT_LIMITS) -> Reading:
    """Decode all of `data` and return every canary in it; what the bytes hold never makes it raise.

    Of video every picture is searched, of sound every channel listened to. It runs on one thread and may be called
    from several.
    """
    if not data:
        return Reading("empty", note="no bytes")
    if len(data) > limits.max_bytes:
        return Reading("unreadable", note=f"{len(data)} bytes, more than {limits.max_bytes}")
    tracks: list[Track] = []
    notes: list[str] = []
    refused = ""
    try:
        allowed = {"format_whitelist": CONTAINERS}
        with av.open(io.BytesIO(data), "r", options=allowed, metadata_errors="replace") as container:
            notes = _decode(container, tracks, key, limits)
    except Refused as error:
        refused = str(error)
    except av.FFmpegError as error:
        refused = error.strerror or str(error)
    for track in tracks:
        track.finish()
    notes = [*filter(None, [refused]), *notes, *(note for track in tracks for note in _remarks(track))]
    return Reading(
        "unreadable" if refused else _outcome(tracks),
        _sightings(tracks),
        tuple(track.kind for track in tracks),
        round(max((track.duration_s for track in tracks), default=0.0), 3),
        "; ".join(notes),
    )


def _decode(container: InputContainer, tracks: list[Track], key: bytes, limits: Limits) -> list[str]:
    """Decode the container to its end into `tracks`, and return what was left out; raise Refused."""
    if len(container.streams) > limits.max_tracks:
        raise Refused(f"{len(container.streams)} tracks, more than {limits.max_tracks}")
    by_stream: dict[int, Track] = {}
    ignored = []
    for stream in container.streams:
        if stream.type != "audio" and stream.type != "video":
            ignored.append(f"a track of {stream.type} was not read")
            continue
        if stream.codec_context is None:
            raise Refused(f"a track of {stream.type} in an unknown codec")
        stream.codec_context.thread_count = 1
        by_stream[stream.index] = Track(stream.type, limits, key)
    tracks.extend(by_stream.values())
    if by_stream:
        for packet in container.demux([container.streams[index] for index in by_stream]):
            by_stream[packet.stream_index].decode(packet)
    return ignored


def _sightings(tracks: list[Track]) -> tuple[Sighting, ...]:
    first_s: dict[tuple[Canary, Medium], float] = {}
    for track in tracks:
        for canary, at_s in track.canaries.items():
            seen = canary, track.kind
            first_s[seen] = min(round(at_s, 3), first_s.get(seen, at_s))
    return tuple(Sighting(canary, kind, at_s) for (canary, kind), at_s in first_s.items())


def _remarks(track: Track) -> list[str]:
    """Return what a reader of the ledger should know of a track, a few words each."""
    remarks = []
    if track.corrupt_packets:
        remarks.append(f"{track.corrupt_packets} of {track.packets} packets corrupt")
    if track.unknown_tags:
        remarks.append(f"{track.unknown_tags} payloads with an unknown tag")
    if track.is_undecodable:
        remarks.append("not one frame can be decoded")
    elif not track.frames:
        remarks.append("no frames")
    elif not track.has_content:
        remarks.append("silent" if track.kind == "audio" else "flat pictures")
    elif not track.payloads:
        remarks.append("no canary")
    return [f"{track.kind}: {remark}" for remark in remarks]


def _outcome(tracks: list[Track]) -> Outcome:
    """Weigh the tracks of media that was decoded to its end."""
    if any(track.unknown_tags for track in tracks):
        return "unknown-tag"
    if any(track.payloads for track in tracks):
        return "partial" if any(track.is_blind for track in tracks) else "canaries"
    if any(track.is_undecodable for track in tracks):
        return "unreadable"
    return "no-canary" if any(track.has_content for track in tracks) else "empty"
