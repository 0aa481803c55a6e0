"""The rule-based machine that makes programs: flags first, then a step at a time, each possible where it stands.

The machine only writes a story down; it is played when it is whole. Every argument is a number that chooses among what
is possible at that point, the simplest first, so that Hypothesis can drop or lower any choice and what is left is still
a story: it shrinks towards few steps, few actors, no overlap and the catalogue's baseline.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

import hypothesis
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from harness.explore.calls import Calls, holds
from harness.explore.program import AtOnce, Book, Deed, Program, Step
from harness.model import Catalogue, Combination, Medium
from harness.planning.exhaustive import count

MAX_STEPS = 9
PROGRAMS_A_BATCH = 8
PICKS = st.integers(0, 11)
"""Chooses among what is possible; there are seldom more ways than that."""
MEDIA: tuple[Medium, Medium] = ("audio", "video")

Deliver = Callable[[Program], None]
T = TypeVar("T")


class Variants:
    """The valid combinations of a catalogue that have the variants in `held`, to be drawn flag by flag."""

    def __init__(self, catalogue: Catalogue, held: Mapping[str, str]) -> None:
        self._catalogue = catalogue
        self._held = dict(held)
        self._possible: dict[tuple[tuple[str, str], ...], bool] = {}
        self.strategy = st.tuples(*(st.integers(0, len(flag.variants) - 1) for flag in catalogue.flags)).map(self._of)

    def _of(self, drawn: Sequence[int]) -> Combination:
        """Give each flag the variant that was drawn, 0 for its baseline, or its first that is possible beside these."""
        chosen: dict[str, str] = {}
        for flag, number in zip(self._catalogue.flags, drawn, strict=True):
            usual = (flag.baseline, *(variant for variant in flag.variants if variant != flag.baseline))
            for variant in (usual[number], *usual):
                if self._is_possible(chosen | {flag.name: variant}):
                    chosen[flag.name] = variant
                    break
        return Combination(tuple(chosen.items()))

    def _is_possible(self, chosen: Mapping[str, str]) -> bool:
        if any(self._held.get(flag, variant) != variant for flag, variant in chosen.items()):
            return False
        if self._catalogue.allows(dict(self._catalogue.baseline) | self._held | dict(chosen)):
            return True
        key = tuple(chosen.items())
        if key not in self._possible:
            self._possible[key] = count(self._catalogue, self._held | dict(chosen)) > 0
        return self._possible[key]


class Interleaving(RuleBasedStateMachine):
    """Writes one program, and delivers it when it is whole."""

    def __init__(self, variants: Variants, deliver: Deliver) -> None:
        super().__init__()
        self.combinations = variants.strategy
        self._deliver = deliver
        self._calls = Calls()
        self._steps: list[Step] = []
        self._combination: Combination | None = None

    @initialize(combination=st.runner().flatmap(lambda machine: machine.combinations))
    def flags(self, combination: Combination) -> None:
        """Choose the flags."""
        self._combination = combination

    @precondition(lambda self: self._calls.may_book)
    @rule(patient=PICKS, clinician=PICKS, medium=st.sampled_from(MEDIA))
    def book(self, patient: int, clinician: int, medium: Medium) -> None:
        """Let a patient book a visit."""
        who = _pick(self._calls.patients(), patient)
        with_whom = _pick(self._calls.clinicians(who), clinician)
        self._add(Book(len(self._calls.calls), who, with_whom, medium))

    @precondition(lambda self: self._calls.fresh())
    @rule(visit=PICKS, way=st.integers(0, 3))
    def hold(self, visit: int, way: int) -> None:
        """Hold a whole call."""
        self._add(holds(_pick(self._calls.fresh(), visit))[way])

    @precondition(lambda self: len(self._calls.fresh()) > 1)
    @rule(visit=PICKS, way=st.integers(0, 3), other=PICKS, other_way=st.integers(0, 3))
    def hold_two(self, visit: int, way: int, other: int, other_way: int) -> None:
        """Hold two whole calls at once."""
        fresh = self._calls.fresh()
        first = fresh.pop(visit % len(fresh))
        self._add(AtOnce((holds(first)[way], holds(_pick(fresh, other))[other_way])))

    @precondition(lambda self: self._calls.granted("join"))
    @rule(which=PICKS)
    def join(self, which: int) -> None:
        """Let somebody enter a call, for the first time or again."""
        self._add(_pick(self._calls.granted("join"), which))

    @precondition(lambda self: self._calls.granted("emit"))
    @rule(which=PICKS)
    def emit(self, which: int) -> None:
        """Let somebody be seen and heard."""
        self._add(_pick(self._calls.granted("emit"), which))

    @precondition(lambda self: self._calls.granted("switch"))
    @rule(which=PICKS)
    def switch(self, which: int) -> None:
        """Let somebody change the medium, whether or not the flags offer it."""
        self._add(_pick(self._calls.granted("switch"), which))

    @precondition(lambda self: self._calls.granted("leave"))
    @rule(which=PICKS)
    def leave(self, which: int) -> None:
        """Let somebody leave."""
        self._add(_pick(self._calls.granted("leave"), which))

    @precondition(lambda self: self._calls.granted("end"))
    @rule(which=PICKS)
    def end(self, which: int) -> None:
        """Let somebody end a call."""
        self._add(_pick(self._calls.granted("end"), which))

    @precondition(lambda self: self._overlaps())
    @rule(deed=PICKS, which=PICKS, other=PICKS)
    def overlap(self, deed: int, which: int, other: int) -> None:
        """Let two verbs start together."""
        first = _pick(self._calls.granted(_pick(self._overlaps(), deed)), which)
        beside = self._calls.beside(first)
        self._add(AtOnce((first, _pick(beside, other))) if beside else first)

    @precondition(lambda self: self._calls.refused())
    @rule(which=PICKS)
    def knock(self, which: int) -> None:
        """Try what a sound target refuses."""
        self._add(_pick(self._calls.refused(), which))

    def teardown(self) -> None:
        """End what was recorded, and deliver the program, unless it was given up in the middle."""
        if sys.exc_info()[0] is None and self._combination is not None:
            for verb in self._calls.closing():
                self._add(verb)
            program = Program(tuple(self._steps), self._combination)
            if program.is_telling:
                self._deliver(program)

    def _overlaps(self) -> list[Deed]:
        deeds: tuple[Deed, ...] = ("join", "emit", "switch", "leave", "end")
        return [deed for deed in deeds if self._calls.granted(deed)]

    def _add(self, step: Step) -> None:
        self._calls.take(step)
        self._steps.append(step)


def _pick(possible: Sequence[T], number: int) -> T:
    return possible[number % len(possible)]


@contextmanager
def scratch() -> Iterator[None]:
    """Let Hypothesis keep what it remembers in a directory that is gone afterwards, not in the user's folder."""
    with tempfile.TemporaryDirectory(prefix="harness-explore-") as directory:
        set_hypothesis_home_dir(directory)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


def write(variants: Variants, seed: int, deliver: Deliver, *, shrinks: bool = False) -> None:
    """Make up to PROGRAMS_A_BATCH programs, the same for the same seed, and deliver each.

    With `shrinks` the first for which `deliver` raises an Exception is shrunk: smaller ones are delivered, one after
    the other, and in the end it is raised anew for the smallest. Whatever else `deliver` raises ends it all at once.
    """

    def machine() -> RuleBasedStateMachine:
        return Interleaving(variants, deliver)

    phases = (hypothesis.Phase.generate, *((hypothesis.Phase.shrink,) if shrinks else ()))
    settings = hypothesis.settings(
        phases=phases,
        max_examples=PROGRAMS_A_BATCH,
        stateful_step_count=MAX_STEPS + 1,  # the choice of the flags is a step, too
        database=None,  # programs are found again by their seed
        deadline=None,  # a call may take as long as the target does
        suppress_health_check=list(hypothesis.HealthCheck),  # they time the tests, and these play on a real target
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=hypothesis.Verbosity.quiet,
    )
    # It takes "a class or a function" (its docstring); its type says a class alone.
    factory = cast("type[RuleBasedStateMachine]", hypothesis.seed(seed)(machine))
    with scratch():
        run_state_machine_as_test(factory, settings=settings)
