"""Reads every canary in a piece of media that a target gave back, and says what it could not read.

Everything is decoded, for foreign media may start late; and whatever hides a part of the media from the
reader shows in the outcome, so that nobody takes what was not seen for what is not there. What kind of media it is
is told by the bytes, never by a name or a type that came with them.

The ladder, cheapest first: the SHA-256 of the bytes (`harness.running.studio` reads each blob once), the hash of the
coded packets (`harness.media.decoders`), then tracks, sizes and duration, which refuse, `glance`, which finds or does
not, and all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.canary import DEFAULT_KEY
from harness.media.archives import is_archive, read_archive
from harness.media.films import Film
from harness.media.pictures import still, stills
from harness.media.sighting import Member, Outcome, Reading, Sighting, Stretch, summarise
from harness.media.tracks import DEFAULT_LIMITS, Limits, Track

__all__ = [
    "Member",
    "Opened",
    "Outcome",
    "Reading",
    "Sighting",
    "Stretch",
    "glance",
    "open_media",
    "read",
]


@dataclass(frozen=True, slots=True)
class Opened:
    """Media that was looked at from outside. `coded` is a hash: what has the same one decodes to the same.

    It is empty for still pictures and archives, and where something stands in the way of reading all. One of `read`
    and `discard` is called, once.
    """

    coded: str
    read: Callable[[], Reading]
    discard: Callable[[], None]


def read(data: bytes, *, key: bytes = DEFAULT_KEY, limits: Limits = DEFAULT_LIMITS) -> Reading:
    """Decode all of `data` and return every canary in it; what the bytes hold never makes it raise.

    Of video every picture is searched, so that a single foreign one is seen; of sound every channel is listened to,
    and what is certainly heard lasts 0.85 s. It runs on one thread and may be called from several. What a stranger
    serves may crash a decoder or keep it busy: `harness.media.decoders` reads in processes that can be killed.
    """
    return open_media(data, key=key, limits=limits).read()


def open_media(data: bytes, *, key: bytes = DEFAULT_KEY, limits: Limits = DEFAULT_LIMITS) -> Opened:
    """Look at media without decoding it."""
    refusal = _refusal(data, limits)
    if refusal:
        return Opened("", lambda: refusal, _nothing)
    if is_archive(data):
        return Opened("", lambda: read_archive(data, lambda each: read(each, key=key, limits=limits), limits), _nothing)
    if still(data):
        return Opened("", lambda: _read_still(data, key, limits), _nothing)
    film = Film(data, key, limits)
    return Opened(film.coded, film.decode, film.close)


def glance(data: bytes, *, key: bytes = DEFAULT_KEY, limits: Limits = DEFAULT_LIMITS) -> Reading:
    """Look quickly at the key pictures and the first seconds of sound, where a foreign canary may show at once.

    That nothing was found says nothing: the outcome is `glanced`, or what refuses the media altogether.
    """
    refusal = _refusal(data, limits)
    if refusal:
        return refusal
    if is_archive(data) or still(data):
        seen = read(data, key=key, limits=limits)
    else:
        seen = Film(data, key, limits).decode(glance=True)
    return seen if seen.outcome in ("unreadable", "empty") else replace(seen, outcome="glanced", packets="")


def _refusal(data: bytes, limits: Limits) -> Reading | None:
    if not data:
        return Reading("empty", note="no bytes")
    if len(data) > limits.max_bytes:
        return Reading("unreadable", note=f"{len(data)} bytes, more than {limits.max_bytes}")
    return None


def _read_still(data: bytes, key: bytes, limits: Limits) -> Reading:
    """Read a picture, those in its metadata, and those that follow it in the same file."""
    pictures, unread = stills(data, limits.max_tracks)
    tracks: list[Track] = []
    refused: list[str] = []
    for part, picture in pictures:
        if picture.width * picture.height > limits.max_pixels:
            refused.append(f"pictures of {picture.width}x{picture.height}")
            continue
        film = Film(part, key, limits, picture.form)
        film.decode()
        refused += filter(None, [film.refused])
        unread += film.unread
        tracks += film.tracks
        if not picture.moves:
            for track in film.tracks:
                track.stand_still()
    return summarise(tracks, refused="; ".join(dict.fromkeys(refused)), unread=list(dict.fromkeys(unread)))


def _nothing() -> None:
    """Let go of nothing."""
