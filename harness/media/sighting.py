"""What was found in a piece of media, as values: sightings, stretches of time, and the reading that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.canary import Canary
from harness.media.tracks import Showing, Track
from harness.model import Medium

Outcome = Literal["canaries", "partial", "unknown-tag", "no-canary", "unreadable", "empty", "glanced"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A canary in a kind of track, in how many frames, and the seconds at which it first and last showed.

    Seconds count from the track's beginning; `last_s` is where its last frame ends. A frame is a picture, or one
    repetition of the canary in sound.
    """

    canary: Canary
    track: Medium
    first_s: float
    last_s: float = 0.0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Stretch:
    """A canary shows in a kind of track from one second to another; a gap of more than 1 s ends a stretch."""

    canary: Canary
    track: Medium
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive, by the name that it has there, and its reading."""

    name: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Reading:
    """What a piece of media holds.

    `canaries` has every different canary of each kind of track, whatever the outcome; `tracks` the kinds of
    the tracks in the file's order; `stretches` when each canary showed, in order of time. A still picture is a track
    of `video` that lasts no time. The outcome is

    - `canaries`: all was there and was read, every track with content carries a canary, and nothing else was seen;
    - `partial`: a canary was found, but a track with sound or pictures carries none, or something was not read: a
      file was cut off, or holds what this reader does not understand;
    - `unknown-tag`: some well-formed payload is not tagged with our key, alone or beside canaries;
    - `no-canary`: sound or pictures, and no payload at all;
    - `unreadable`: it cannot be decoded, or a limit was reached, even if canaries were found by then;
    - `empty`: no bytes, no frames, or silence and flat pictures only;
    - `glanced`: only a quick look was taken, of which nothing follows but what was found.

    `packets` is a SHA-256 in hexadecimal of the codec and the coded packets of each track. It stays as it is when
    a file is put into another container without coding it anew; empty for still pictures and for what was not read
    to its end. Of an archive, `members` has each file's own reading; `canaries` and `stretches` are theirs put
    together, in seconds of each file, `tracks` has each kind once, `duration_s` is the longest.
    """

    outcome: Outcome
    canaries: tuple[Sighting, ...] = ()
    tracks: tuple[Medium, ...] = ()
    duration_s: float = 0.0
    note: str = ""
    stretches: tuple[Stretch, ...] = ()
    packets: str = ""
    members: tuple[Member, ...] = ()


def summarise(
    tracks: Sequence[Track],
    *,
    refused: str = "",
    unread: Sequence[str] = (),
    notes: Sequence[str] = (),
    packets: str = "",
) -> Reading:
    """Return the reading of decoded tracks: `refused` says why they were not decoded to their end, `unread` what else
    of the media was not seen, `notes` what does no harm.
    """
    outcome: Outcome = "unreadable" if refused else _outcome(tracks, is_whole=not unread)
    said = [*filter(None, [refused]), *unread, *notes, *(note for track in tracks for note in _remarks(track))]
    return Reading(
        outcome,
        _sightings(tracks),
        tuple(track.kind for track in tracks),
        round(max((track.duration_s for track in tracks), default=0.0), 3),
        "; ".join(said),
        _stretches(tracks),
        "" if refused or unread else packets,
    )


def union(sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """Return the sightings with those of the same canary on the same kind of track made one."""
    found: dict[tuple[Canary, Medium], list[Sighting]] = {}
    for each in sightings:
        found.setdefault((each.canary, each.track), []).append(each)
    return tuple(
        Sighting(
            canary,
            kind,
            min(each.first_s for each in same),
            max(each.last_s for each in same),
            sum(each.count for each in same),
        )
        for (canary, kind), same in found.items()
    )


def _sightings(tracks: Sequence[Track]) -> tuple[Sighting, ...]:
    return union(
        Sighting(canary, track.kind, round(each.from_s, 3), round(each.to_s, 3), each.count)
        for track, canary, each in _showings(tracks)
    )


def _stretches(tracks: Sequence[Track]) -> tuple[Stretch, ...]:
    stretches = [
        Stretch(canary, track.kind, round(each.from_s, 3), round(each.to_s, 3))
        for track, canary, each in _showings(tracks)
    ]
    return tuple(sorted(stretches, key=lambda each: (each.from_s, each.to_s)))


def _showings(tracks: Sequence[Track]) -> list[tuple[Track, Canary, Showing]]:
    return [
        (track, canary, each) for track in tracks for canary, showings in track.canaries.items() for each in showings
    ]


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


def _outcome(tracks: Sequence[Track], *, is_whole: bool) -> Outcome:
    """Weigh the tracks of media that was decoded as far as it goes."""
    if any(track.unknown_tags for track in tracks):
        return "unknown-tag"
    if any(track.payloads for track in tracks):
        return "partial" if not is_whole or any(track.is_blind for track in tracks) else "canaries"
    if not is_whole or any(track.is_undecodable for track in tracks):
        return "unreadable"
    return "no-canary" if any(track.has_content for track in tracks) else "empty"
