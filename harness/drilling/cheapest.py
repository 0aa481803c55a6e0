"""The cheapest plan that can wake a flaw: every scenario under the valid combination nearest to the baseline."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.clinic.flaws import Flaw
from harness.errors import UsageError, nearest
from harness.model import OFF, Catalogue, Combination
from harness.planning.exhaustive import count

SOUND = "sound"
"""The name of the exercise without any flaw, and of its directory."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """One run of the drill: a flaw or none, and the combinations to play; none where `obstacle` says why not."""

    name: str
    flaw: Flaw | None
    combinations: tuple[Combination, ...]
    obstacle: str = ""

    @property
    def is_down(self) -> bool:
        """True when the clinic is to start while its flag server is down."""
        return self.flaw is not None and self.flaw.without_flags


def exercises(catalogue: Catalogue, flaws: Iterable[Flaw]) -> tuple[Exercise, ...]:
    """Return the sound clinic's exercise, under all that any flaw is played under, and then each flaw's."""
    flawed = tuple(_exercise(catalogue, flaw) for flaw in flaws)
    played = dict.fromkeys(each for exercise in flawed if not exercise.is_down for each in exercise.combinations)
    return Exercise(SOUND, None, tuple(played) or (catalogue.baseline,)), *flawed


def cheapest(catalogue: Catalogue, wanted: Mapping[str, str]) -> Combination:
    """Return the valid combination that has the wanted variants and the fewest other changes from the baseline.

    Of several, the one whose changes stand first in the catalogue. Raises UsageError when the catalogue lacks a
    flag or a variant, or its constraints forbid them together.
    """
    _require_known(catalogue, wanted)
    if not count(catalogue, wanted):
        raise UsageError(f"{catalogue.source}: no valid combination has {_words(wanted)}")
    return next(each for each in _by_distance(catalogue, wanted) if catalogue.allows(each))


def _exercise(catalogue: Catalogue, flaw: Flaw) -> Exercise:
    try:
        if flaw.without_flags:
            # What a flag client falls back to.
            return Exercise(flaw.name, flaw, (cheapest(catalogue, dict.fromkeys(catalogue.names, OFF)),))
        return Exercise(flaw.name, flaw, (cheapest(catalogue, flaw.flags),))
    except UsageError as error:
        return Exercise(flaw.name, flaw, (), str(error))


def _require_known(catalogue: Catalogue, wanted: Mapping[str, str]) -> None:
    flags = {flag.name: flag for flag in catalogue.flags}
    for name, variant in wanted.items():
        if name not in flags:
            raise UsageError(f"{catalogue.source}: there is no flag '{name}'{nearest(name, flags)}")
        if variant not in flags[name].variants:
            known = ", ".join(flags[name].variants)
            raise UsageError(f"{catalogue.source}: flag '{name}' has no variant '{variant}': it has {known}")


def _by_distance(catalogue: Catalogue, wanted: Mapping[str, str]) -> Iterator[Combination]:
    """Yield every combination, valid or not, that has the wanted variants, the fewest other changes first."""
    start = dict(catalogue.baseline) | dict(wanted)
    free = [flag for flag in catalogue.flags if flag.name not in wanted]
    for changes in range(len(free) + 1):
        for changed in itertools.combinations(free, changes):
            others = ([variant for variant in flag.variants if variant != flag.baseline] for flag in changed)
            for variants in itertools.product(*others):
                values = start | {flag.name: variant for flag, variant in zip(changed, variants, strict=True)}
                yield Combination(tuple(values.items()))


def _words(wanted: Mapping[str, str]) -> str:
    return " and ".join(f"{flag}={variant}" for flag, variant in wanted.items())
