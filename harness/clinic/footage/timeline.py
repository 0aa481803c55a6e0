"""Pieces of several participants' media on one time line: their sound mixed, their pictures in turn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from av.video.frame import VideoFrame

from .layout import Canvas, Plan
from .reading import MAX_DURATION_S, SOUND_RATE_HZ, Contents, FootageError, Samples, contents, pictures, sound
from .writing import FRAMES_PER_S, Rates, Writer

_SAMPLES_PER_TICK = SOUND_RATE_HZ // FRAMES_PER_S
_LATE_TICKS = 0.1
"""Timestamps are rounded: a picture this much after a tick still belongs to it."""
_HELD_S = 1.0
"""How much longer than its pictures a piece's sound may be, for the last picture to stand until its end."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of one participant's media: who (seat 0 is the patient), and when on the common time line."""

    data: bytes
    starts_s: float
    seat: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A part with its contents, and where it begins, in seconds from the beginning of the earliest."""

    part: Part
    contents: Contents
    starts_s: float

    @property
    def ends_s(self) -> float:
        """The end of its longer track."""
        return self.starts_s + self.contents.duration_s

    @property
    def pictures_start_s(self) -> float:
        """When its first picture comes; infinity without pictures."""
        span = self.contents.pictures
        return math.inf if span is None else self.starts_s + span.starts_s

    @property
    def pictures_end_s(self) -> float:
        """When its last picture goes: with the sound, if that is over soon after."""
        seen, heard = self.contents.pictures, self.contents.sound
        if seen is None:
            return math.inf
        is_held = heard is not None and 0 < heard.ends_s - seen.ends_s < _HELD_S
        return self.starts_s + (heard.ends_s if heard is not None and is_held else seen.ends_s)


def pieces_of(parts: Sequence[Part]) -> list[Piece]:
    """Return the parts with their contents in order of time; raise FootageError for what cannot be laid out."""
    if not all(math.isfinite(part.starts_s) for part in parts):
        raise FootageError("a piece begins at no finite time")
    origin_s = min(part.starts_s for part in parts)
    pieces = []
    for at, part in enumerate(parts):
        try:
            pieces.append(Piece(part, contents(part.data), part.starts_s - origin_s))
        except FootageError as error:
            place = f"piece {at} of {len(parts)}, of seat {part.seat}: " if len(parts) > 1 else ""
            raise FootageError(f"{place}{error}") from error
    ends_s = max(piece.ends_s for piece in pieces)
    if ends_s > MAX_DURATION_S:
        raise FootageError(f"the pieces span {ends_s:.0f} s, more than {MAX_DURATION_S:.0f} s")
    return sorted(pieces, key=lambda piece: piece.starts_s)


def lay(pieces: Sequence[Piece], plan: Plan | None, rates: Rates) -> bytes:
    """Return a WebM of all pieces: their sound mixed, and with a plan a picture whenever a tile has changed.

    A picture is repeated after a second without change, for players that seek, and at the end.
    """
    duration_s = max(piece.ends_s for piece in pieces)
    has_sound = any(piece.contents.sound is not None for piece in pieces)
    mixed = _mix(pieces, duration_s) if has_sound else np.zeros(0, np.float32)
    last = max(0, _tick(duration_s) - 1)
    with Writer(None if plan is None else (plan.width, plan.height), rates, has_sound=has_sound) as writer:
        screen = None if plan is None else _Screen(pieces, plan)
        shown = 0
        for tick in range(last + 1):
            if screen is not None and (screen.turn(tick) or tick in (0, last) or tick - shown >= FRAMES_PER_S):
                writer.show(screen.canvas.draw(), tick)
                shown = tick
            until = None if tick == last else (tick + 1) * _SAMPLES_PER_TICK
            writer.play(mixed[tick * _SAMPLES_PER_TICK : until])
        return writer.finish()


def _tick(at_s: float) -> int:
    """Return the first tick, of a tenth of a second, that is not before a time."""
    return max(0, math.ceil(at_s * FRAMES_PER_S - _LATE_TICKS))


def _mix(pieces: Sequence[Piece], duration_s: float) -> Samples:
    """Return the sum of all pieces' sound, quieter as a whole where it would exceed -1..1."""
    mixed = np.zeros(round(duration_s * SOUND_RATE_HZ), np.float32)
    for piece in pieces:
        for at_s, samples in sound(piece.part.data, piece.contents.origin_s):
            place = mixed[round((piece.starts_s + at_s) * SOUND_RATE_HZ) :][: len(samples)]
            place += samples[: len(place)]
    peak = float(np.abs(mixed).max(initial=1.0))
    if peak > 1.0:
        mixed /= peak
    return mixed


def _changes(pieces: Sequence[Piece]) -> Iterator[tuple[int, VideoFrame | None]]:
    """Yield what one seat shows from which tick on; None where a piece's pictures are over."""
    followed_s = [*(piece.pictures_start_s for piece in pieces[1:]), math.inf]
    for piece, next_s in zip(pieces, followed_s, strict=False):
        ends_s = min(piece.pictures_end_s, next_s)
        shown = _tick(piece.pictures_start_s)
        for at_s, picture in pictures(piece.part.data, piece.contents.origin_s):
            if piece.starts_s + at_s >= ends_s:
                break
            shown = _tick(piece.starts_s + at_s)
            yield shown, picture
        yield max(_tick(ends_s), shown + 1), None


class _Screen:
    """The canvas, and for each seat what it will show next."""

    def __init__(self, pieces: Sequence[Piece], plan: Plan) -> None:
        self.canvas = Canvas(plan)
        seen = [piece for piece in pieces if piece.contents.pictures is not None]
        seen.sort(key=lambda piece: piece.pictures_start_s)
        self._changes = {seat: _changes([piece for piece in seen if piece.part.seat == seat]) for seat in plan.tiles}
        self._next = {seat: next(changes, None) for seat, changes in self._changes.items()}

    def turn(self, tick: int) -> bool:
        """Put what is due at a tick on the canvas; return whether there was anything."""
        has_changed = False
        for seat, changes in self._changes.items():
            due = None
            while (coming := self._next[seat]) is not None and coming[0] <= tick:
                due, self._next[seat] = coming, next(changes, None)
            if due is not None:
                self.canvas.put(seat, due[1])
                has_changed = True
        return has_changed
