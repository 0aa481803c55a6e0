"""A small set of valid combinations that together hold every valid choice of variants for any `strength` flags.

Greedy set cover over the enumerated valid combinations, as AETG does it over candidates (Cohen et al., "The AETG
system", 1997): a choice of variants is feasible exactly when some valid combination has it, so constraints need
no solver. What a combination covers is an integer with one bit for each choice.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence
from functools import reduce
from operator import not_, or_

from harness.errors import UsageError
from harness.model import Catalogue, Combination
from harness.planning.exhaustive import combinations, count

KILL_SWITCH = "kill switch"
MAX_STRENGTH = 6
MAX_COMBINATIONS = 100_000
MAX_BITS = 1_500_000_000
"""Bits over all combinations: at most 200 MB, and about as much again while they are made."""


def covering(catalogue: Catalogue, strength: int) -> list[Combination]:
    """Return combinations that cover every valid choice of variants for any `strength` flags (at most all flags).

    A kill switch that is thrown hides what the other flags do: a combination that has one away from its baseline
    counts for such choices alone as no other combination has. The catalogue's baseline comes first, then each time
    the one that covers most of what is left; of those that cover as much, the one with the most changes from the
    baseline. The same catalogue gives the same rows. Raises
    UsageError for another strength than 1 to MAX_STRENGTH, and above MAX_COMBINATIONS or MAX_BITS.
    """
    if not 1 <= strength <= MAX_STRENGTH:
        raise UsageError(f"a strength of {strength}: there are 1 to {MAX_STRENGTH}")
    valid = count(catalogue)
    if valid > MAX_COMBINATIONS:
        raise UsageError(
            f"{catalogue.source}: {valid:,} valid combinations are more than {MAX_COMBINATIONS:,}, of which a "
            "covering plan can be chosen: use fewer flags or variants"
        )
    choices = _Choices(catalogue, min(strength, len(catalogue.flags)))
    if valid * choices.bits > MAX_BITS:
        raise UsageError(
            f"{catalogue.source}: {valid:,} valid combinations with {choices.bits:,} choices of {strength} variants "
            "are too many to choose a covering plan: use a lower strength"
        )
    baseline = catalogue.baseline
    rows = sorted(combinations(catalogue), key=lambda row: (row != baseline, -_changes(row, baseline)))
    covers = [choices.held_by(row) for row in rows]
    thrown = [_throws_a_switch(row, catalogue) for row in rows]
    in_sight = reduce(or_, itertools.compress(covers, map(not_, thrown)), 0)
    return [
        rows[i]
        for i in _greedy([cover & ~in_sight if off else cover for cover, off in zip(covers, thrown, strict=True)])
    ]


def _throws_a_switch(row: Combination, catalogue: Catalogue) -> bool:
    return any(flag.kind == KILL_SWITCH and row[flag.name] != flag.baseline for flag in catalogue.flags)


def _changes(row: Combination, baseline: Combination) -> int:
    return sum(1 for held, usual in zip(row.values_in_order, baseline.values_in_order, strict=True) if held != usual)


def _greedy(covers: Sequence[int]) -> list[int]:
    """Return which sets to take, the first one always, until all that any of them holds is covered."""
    left = reduce(or_, covers, 0)
    # What a set adds only shrinks while others are taken: an old gain is a bound, and most are never renewed.
    queue = [(-cover.bit_count() if i else -math.inf, i) for i, cover in enumerate(covers)]
    heapq.heapify(queue)
    taken = []
    while left:
        stale, i = heapq.heappop(queue)
        gain = (covers[i] & left).bit_count()
        if stale == -math.inf or not queue or (-gain, i) <= queue[0]:
            taken.append(i)
            left &= ~covers[i]
        else:
            heapq.heappush(queue, (-gain, i))
    return taken


class _Choices:
    """Numbers every choice of variants for `strength` of the flags, the infeasible ones included.

    Choices that take the flag at `place` stand above those that take later flags only, a block for each of its
    variants: so two combinations that end alike share what is computed for their end.
    """

    def __init__(self, catalogue: Catalogue, strength: int) -> None:
        self._strength = strength
        self._number = [{variant: i for i, variant in enumerate(flag.variants)} for flag in catalogue.flags]
        self._known: dict[tuple[int, tuple[int, ...]], int] = {}
        self._sizes = {(place, 0): 1 for place in range(len(self._number) + 1)}
        for place in range(len(self._number), -1, -1):
            for strength_left in range(1, strength + 1):
                self._sizes[place, strength_left] = (
                    self._sizes[place + 1, strength_left]
                    + len(self._number[place]) * self._sizes[place + 1, strength_left - 1]
                    if place < len(self._number)
                    else 0
                )

    @property
    def bits(self) -> int:
        """How many choices are numbered."""
        return self._sizes[0, self._strength]

    def held_by(self, row: Combination) -> int:
        """Return the choices that the combination holds, as bits."""
        values = tuple(number[value] for number, value in zip(self._number, row.values(), strict=True))
        return self._held(values, self._strength)

    def _held(self, values: tuple[int, ...], strength: int) -> int:
        """Return what the end of a combination holds, the variants given as numbers."""
        if not strength:
            return 1
        if len(values) < strength:
            return 0
        known = self._known.get((strength, values))
        if known is None:
            after = len(self._number) - len(values) + 1
            block = self._sizes[after, strength] + values[0] * self._sizes[after, strength - 1]
            known = self._held(values[1:], strength) | self._held(values[1:], strength - 1) << block
            self._known[strength, values] = known
        return known
