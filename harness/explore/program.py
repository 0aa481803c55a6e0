"""A story as data: who books whom, which verbs follow, what happens at once, under which flags.

A program is what the machine makes, what is played, what shrinks and what is written down. Visits are numbered from 0
in the order in which they are booked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from harness.model import Catalogue, Combination, Medium, short_id

PATIENTS = ("alice", "bob", "carol")
CLINICIANS = ("chen", "diaz")
MAX_ACTORS = 4
MAX_VISITS = 5

Deed = Literal["join", "emit", "switch", "leave", "end", "hold"]


@dataclass(frozen=True, slots=True)
class Book:
    """A patient books a visit with a clinician."""

    visit: int
    patient: str
    clinician: str
    medium: Medium


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that actors do in a visit: `hold` has one or more, everything else has one.

    `medium` is what a switch asks for, or a hold that switches. `repeated` marks a switch that is not the visit's
    first: it is asked for only where those before it were granted. `refusable` marks what a sound target refuses.
    """

    deed: Deed
    visit: int
    actors: tuple[str, ...]
    medium: Medium | None = None
    repeated: bool = False
    refusable: bool = False


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Two verbs that start together."""

    verbs: tuple[Verb, Verb]


Step = Book | Verb | AtOnce


@dataclass(frozen=True)
class Program:
    """Steps, told one after the other, and the combination under which they are told."""

    steps: tuple[Step, ...]
    combination: Combination

    @cached_property
    def verbs(self) -> tuple[Verb, ...]:
        """Every verb in order, those that start together one after the other."""
        return tuple(verb for step in self.steps for verb in _verbs(step))

    @cached_property
    def cast(self) -> tuple[str, ...]:
        """The actors who appear: patients first, each group in the order of PATIENTS and CLINICIANS."""
        booked = {name for step in self.steps if isinstance(step, Book) for name in (step.patient, step.clinician)}
        present = booked | {actor for verb in self.verbs for actor in verb.actors}
        return tuple(name for name in (*PATIENTS, *CLINICIANS) if name in present)

    @property
    def is_telling(self) -> bool:
        """True when somebody emits media in a visit that ends: otherwise there is nothing that could be leaked."""
        ended = {verb.visit for verb in self.verbs if verb.deed in ("end", "hold") and not verb.refusable}
        return any(verb.deed in ("emit", "hold") and verb.visit in ended for verb in self.verbs)

    @property
    def overlaps(self) -> int:
        """How many pairs of verbs start together."""
        return sum(isinstance(step, AtOnce) for step in self.steps)

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits of the steps and the combination."""
        return short_id(repr(self.steps), self.combination.id)

    def changed(self, catalogue: Catalogue) -> tuple[tuple[str, str], ...]:
        """Return the flags that are not at the catalogue's baseline, each with its variant."""
        usual = catalogue.baseline
        return tuple(
            (flag, self.combination[flag]) for flag in catalogue.names if self.combination[flag] != usual[flag]
        )

    def size(self, catalogue: Catalogue) -> tuple[int, int, int]:
        """Return what makes one program smaller than another: its steps, its actors, its changed flags."""
        return len(self.steps), len(self.cast), len(self.changed(catalogue))


def _verbs(step: Step) -> Iterator[Verb]:
    if isinstance(step, Verb):
        yield step
    elif isinstance(step, AtOnce):
        yield from step.verbs
