"""The rule-based machine that makes programs: flags and slots first, then a round at a time, each possible by then.

The machine only writes a story down; it is played when it is whole. What is drawn for a round says on its own in which
slot, by whom and what: a visit is booked when it is first needed, who is not in a call joins before they are heard in
it, and what makes no sense does not happen. So Hypothesis can drop any round, or turn it to nothing, and what is left
is the same story without it: it shrinks towards few steps, few actors, no overlap and the catalogue's baseline.

There is one rule with verbs as data, and not a rule for each verb: which rules are enabled is drawn by Hypothesis when
each is first met, which ties the rounds to one another: ten rules took more than twice as many trials to shrink.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal, cast

import hypothesis
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from harness.explore.calls import Calls, go_together
from harness.explore.program import (
    CLINICIANS,
    MAX_ACTORS,
    MAX_VISITS,
    PATIENTS,
    AtOnce,
    Book,
    Deed,
    Program,
    Step,
    Verb,
)
from harness.model import Catalogue, Combination, Medium
from harness.planning.exhaustive import count

MAX_ROUNDS = 6
"""How often something happens; what has to happen before it, such as a booking, comes on top."""
PROGRAMS_A_BATCH = 8
"""Few, because Hypothesis varies what it has made: more batches, each from a seed of its own, are more different."""
MEDIA: tuple[Medium, Medium] = ("audio", "video")
KNOCK: Literal["knock"] = "knock"
"""To try what a sound target refuses."""
LIKEWISE: Literal["likewise"] = "likewise"
"""To do what the other does who begins at the same moment."""
HOLD_AND_SWITCH: Literal["hold and switch"] = "hold and switch"
"""To hold a call whose medium is switched."""
Drawn = Deed | Literal["knock", "likewise", "hold and switch"] | None
HOLDS: tuple[Drawn, ...] = ("hold", "hold", HOLD_AND_SWITCH, HOLD_AND_SWITCH)
IN_A_CALL: tuple[Drawn, ...] = ("join", "emit", "emit", "switch", "switch", "leave")
FIRST: tuple[Drawn, ...] = (None, *HOLDS, *IN_A_CALL, "end", KNOCK)
SECOND: tuple[Drawn, ...] = (None, *4 * (LIKEWISE,), "hold", HOLD_AND_SWITCH, *IN_A_CALL, *4 * (None,))
"""What is drawn for one who begins alone or first, and for one who may begin at the same moment; often what tells more.

Hypothesis shrinks towards the first of each, which is nothing, and then to what is one step: a call that is held.
"""

Deliver = Callable[[Program], None]


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


@dataclass(frozen=True, slots=True)
class Slot:
    """A visit that may be booked: it is when a verb first needs it."""

    patient: str
    clinician: str
    medium: Medium


SLOTS = st.builds(Slot, st.sampled_from(PATIENTS), st.sampled_from(CLINICIANS), st.sampled_from(MEDIA))


@dataclass(frozen=True, slots=True)
class Choice:
    """A verb that was drawn: in which slot, and by which of the four who may appear."""

    deed: Drawn
    slot: int
    who: int


def _choices(deeds: Sequence[Drawn]) -> st.SearchStrategy[Choice]:
    drawn = st.integers(0, len(deeds) - 1).map(lambda number: deeds[number])
    return st.builds(Choice, drawn, st.integers(0, MAX_VISITS - 1), st.integers(0, MAX_ACTORS - 1))


class Interleaving(RuleBasedStateMachine):
    """Writes one program, and delivers it when it is whole."""

    def __init__(self, variants: Variants, deliver: Deliver) -> None:
        super().__init__()
        self.combinations = variants.strategy
        self._deliver = deliver
        self._calls = Calls()
        self._steps: list[Step] = []
        self._slots: Sequence[Slot] = ()
        self._visits: dict[int, int] = {}
        self._combination: Combination | None = None

    @initialize(
        combination=st.runner().flatmap(lambda machine: machine.combinations),
        slots=st.lists(SLOTS, min_size=MAX_VISITS, max_size=MAX_VISITS),
    )
    def begin(self, combination: Combination, slots: Sequence[Slot]) -> None:
        """Choose the flags, and who would book whom."""
        self._combination, self._slots = combination, slots

    @rule(first=_choices(FIRST), second=_choices(SECOND))
    def go_on(self, first: Choice, second: Choice) -> None:
        """Let something happen, or two things at once."""
        other = replace(second, deed=first.deed) if second.deed == LIKEWISE else second
        verbs = [verb for choice in (first, other) if (verb := self._verb(choice))]
        if len(verbs) == 2 and not go_together(verbs):
            verbs.pop()
        for verb in verbs:
            for needed in self._calls.before(verb):
                self._add(needed)
        if len(verbs) == 2:
            self._add(AtOnce((verbs[0], verbs[1])))
        elif verbs:
            self._add(verbs[0])

    def teardown(self) -> None:
        """End what was recorded, and deliver the program, unless it was given up in the middle."""
        if sys.exc_info()[0] is None and self._combination is not None:
            for verb in self._calls.closing():
                self._add(verb)
            program = Program(tuple(self._steps), self._combination)
            if program.is_telling:
                self._deliver(program)

    def _verb(self, choice: Choice) -> Verb | None:
        """Return the verb that was drawn, its visit booked if need be; None where it makes no sense."""
        is_booked = choice.slot in self._visits
        if choice.deed in (None, LIKEWISE) or (choice.deed == "leave" and not is_booked):
            return None
        if not is_booked:
            self._book(choice.slot)
        call = self._calls.calls[self._visits[choice.slot]]
        if choice.deed == KNOCK:
            cast = self._cast
            return self._calls.knock(call, cast[choice.who % len(cast)])
        actor = call.parties[choice.who % 2]
        deed: Deed = "hold" if choice.deed == HOLD_AND_SWITCH else choice.deed
        switches = choice.deed == HOLD_AND_SWITCH
        return call.verb(deed, actor, switches=switches) if call.would_grant(deed, actor) else None

    def _book(self, slot: int) -> None:
        """Book a slot's visit, with somebody who is known already in place of a fifth actor."""
        wanted, known = self._slots[slot], self._cast
        patient, clinician = wanted.patient, wanted.clinician
        if patient not in known and len(known) == MAX_ACTORS:
            patient = next(name for name in PATIENTS if name in known)
        if clinician not in known and len({*known, patient}) == MAX_ACTORS:
            clinician = next(name for name in CLINICIANS if name in known)
        self._visits[slot] = len(self._visits)
        self._add(Book(self._visits[slot], patient, clinician, wanted.medium))

    @property
    def _cast(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for call in self._calls.calls for name in call.parties))

    def _add(self, step: Step) -> None:
        self._calls.take(step)
        self._steps.append(step)


@contextmanager
def scratch() -> Iterator[None]:
    """Let Hypothesis keep what it remembers in a directory that is gone afterwards, not in the user's folder."""
    with tempfile.TemporaryDirectory(prefix="harness-explore-") as directory:
        set_hypothesis_home_dir(directory)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


def generate(variants: Variants, seed: int, deliver: Deliver, *, shrinks: bool = False) -> None:
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
        stateful_step_count=MAX_ROUNDS + 1,  # the beginning is one, too
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
