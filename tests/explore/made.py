"""Programs for the tests: some hundred that the machine makes, and a target that knows the rules by itself."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from harness.explore.interleave import Variants, generate
from harness.explore.program import AtOnce, Book, Program, Verb
from harness.model import Catalogue, Combination
from harness.planning import catalogue as catalogues

ROOT = Path(__file__).parents[2]
SEEDS = range(24)


@cache
def clinic() -> Catalogue:
    """Return the clinic's flags."""
    return catalogues.load(ROOT / "flags" / "clinic.toml")


@cache
def programs() -> tuple[Program, ...]:
    """Return what the machine makes of SEEDS, each once."""
    found: dict[Program, None] = {}
    for seed in SEEDS:
        generate(variants(), seed, lambda program: found.setdefault(program) and None)
    return tuple(found)


@cache
def variants() -> Variants:
    """Return the combinations of the clinic's usual deployment."""
    return Variants(clinic(), dict(clinic().shared(clinic().baseline)))


def baseline() -> Combination:
    """Return the clinic's baseline."""
    return clinic().baseline


class Desk:
    """A strict target in a few lines, which knows of a program only what it is asked for."""

    def __init__(self) -> None:
        self.parties: dict[int, set[str]] = {}
        self.present: dict[int, set[str]] = {}
        self.ended: set[int] = set()
        self.recorded: set[int] = set()

    def book(self, book: Book) -> None:
        """Take a booking."""
        self.parties[book.visit], self.present[book.visit] = {book.patient, book.clinician}, set()

    def grants(self, verb: Verb) -> bool:
        """Do what is asked for, and say whether it was possible."""
        actor, here = verb.actors[0], self.present[verb.visit]
        if verb.visit in self.ended or actor not in self.parties[verb.visit]:
            return False
        if verb.deed == "hold":
            untouched = not here and set(verb.actors) == self.parties[verb.visit]
            self.ended |= {verb.visit}
            self.recorded |= {verb.visit}
            return untouched
        if verb.deed == "join":
            was_here = actor in here
            here.add(actor)
            return not was_here
        if actor not in here:
            return False
        if verb.deed == "leave":
            here.remove(actor)
        if verb.deed == "end":
            self.ended.add(verb.visit)
        if verb.deed == "emit":
            self.recorded.add(verb.visit)
        return True

    def tell(self, program: Program, *, swapped: bool = False) -> list[Verb]:
        """Tell a program; return the verbs that did not end as it says they would. `swapped` turns overlaps round."""
        wrong = []
        for step in program.steps:
            if isinstance(step, Book):
                self.book(step)
                continue
            verbs = step.verbs if isinstance(step, AtOnce) else (step,)
            wrong += [verb for verb in (verbs[::-1] if swapped else verbs) if self.grants(verb) is verb.refusable]
        return wrong
