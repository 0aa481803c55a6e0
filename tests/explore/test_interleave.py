"""The machine: what it makes is possible, various, the same for the same seed, and shrinks to what matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given

from harness.explore.interleave import Variants, generate
from harness.explore.program import CLINICIANS, PATIENTS, AtOnce, Book, Program, Verb
from harness.model import Combination

from .made import SEEDS, Desk, clinic, programs, variants


class _Found(Exception):
    """What is sought was found."""


@pytest.mark.parametrize("swapped", [False, True], ids=["as told", "overlaps turned round"])
def test_every_story_is_possible(swapped: bool) -> None:  # noqa: FBT001 - parametrized
    """A strict target grants every verb, in whichever order two at once arrive, and refuses what is to be refused."""
    wrong = [(program, verbs) for program in programs() if (verbs := Desk().tell(program, swapped=swapped))]
    assert wrong == []


def test_what_was_recorded_is_replayed() -> None:
    """Each visit in which something was recorded has ended: until then it is nobody's replay."""
    for program in programs():
        desk = Desk()
        desk.tell(program)
        assert desk.recorded
        assert desk.recorded <= desk.ended


def test_the_cast() -> None:
    """Two to four actors take part, and at most five visits are booked, each before it is used."""
    sizes = Counter(len(program.cast) for program in programs())
    assert set(sizes) == {2, 3, 4}
    for program in programs():
        booked = [step.visit for step in program.steps if isinstance(step, Book)]
        assert booked == list(range(len(booked)))
        assert len(booked) <= 5
        assert set(program.cast) <= {*PATIENTS, *CLINICIANS}


def test_everything_is_tried() -> None:
    """Every verb occurs, alone and beside another, so do a return, a switch back, and each kind of refusal."""
    verbs = [verb for program in programs() for verb in program.verbs]
    beside = {frozenset(v.deed for v in s.verbs) for p in programs() for s in p.steps if isinstance(s, AtOnce)}
    assert {verb.deed for verb in verbs if not verb.refusable} == {"hold", "join", "emit", "switch", "leave", "end"}
    assert {frozenset({"hold"}), frozenset({"switch"}), frozenset({"hold", "switch"})} <= beside
    assert {verb.deed for verb in verbs if verb.refusable} == {"join", "end"}
    assert any(verb.repeated for verb in verbs)
    assert any(verb.deed == "hold" and verb.medium for verb in verbs)
    assert any(_returns(program) for program in programs())


def test_the_combinations_are_various_and_valid() -> None:
    """Each variant of each flag of the deployment is drawn, and no combination breaks a constraint."""
    drawn = {program.combination for program in programs()}
    shared = dict(clinic().shared(clinic().baseline))
    assert all(clinic().allows(combination) for combination in drawn)
    for flag in clinic().flags:
        wanted = {shared[flag.name]} if flag.name in shared else set(flag.variants)
        assert {combination[flag.name] for combination in drawn} == wanted


@given(Variants(clinic(), {"replay-search": "on", "fast-sessions": "on"}).strategy)
def test_what_is_held_is_kept(combination: Combination) -> None:
    """What is held is in every combination, with the parents that it needs."""
    assert clinic().allows(combination)
    assert {combination[flag] for flag in ("replay-search", "fast-sessions", "replay-index-v2")} == {"on"}


def test_the_same_seed_makes_the_same() -> None:
    """Programs come in the same order for the same seed, and others for another."""
    made: list[list[Program]] = []
    for seed in (7, 7, 8):
        made.append([])
        generate(variants(), seed, made[-1].append)
    assert made[0] == made[1]
    assert set(made[0]) != set(made[2])


def test_it_shrinks_to_what_matters() -> None:
    """Of a story of many steps under many flags remain the two steps and the flag without which it does not fail."""
    delivered: list[Program] = []

    def deliver(program: Program) -> None:
        delivered.append(program)
        if program.combination["video-upgrade"] == "on" and any(_switches(verb) for verb in program.verbs):
            raise _Found

    seed = next(seed for seed in SEEDS if _is_found(seed, deliver))
    delivered.clear()
    with pytest.raises(_Found):
        generate(variants(), seed, deliver, shrinks=True)
    smallest = delivered[-1]
    assert smallest.changed(clinic()) == (("video-upgrade", "on"),)
    assert [type(step) for step in smallest.steps] == [Book, Verb]
    assert smallest.cast == ("alice", "chen")
    assert max(program.size(clinic()) for program in delivered) > smallest.size(clinic())


def test_an_error_of_ones_own_comes_through() -> None:
    """What is no Exception ends the making at once: that is how a shrinking is halted."""

    class Halt(BaseException):
        pass

    delivered: list[Program] = []

    def deliver(program: Program) -> None:
        delivered.append(program)
        raise Halt

    with pytest.raises(Halt):
        generate(variants(), 3, deliver, shrinks=True)
    assert len(delivered) == 1


def test_nothing_is_left_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypothesis keeps nothing in the folder in which it runs."""
    monkeypatch.chdir(tmp_path)
    made: list[Program] = []
    generate(variants(), 1, made.append)
    assert made
    assert list(tmp_path.iterdir()) == []


def _is_found(seed: int, deliver: Callable[[Program], None]) -> bool:
    try:
        generate(variants(), seed, deliver)
    except _Found:
        return True
    return False


def _switches(verb: Verb) -> bool:
    return verb.deed == "hold" and verb.medium == "video"


def _returns(program: Program) -> bool:
    joins = Counter((verb.visit, verb.actors) for verb in program.verbs if verb.deed == "join" and not verb.refusable)
    return max(joins.values(), default=0) > 1
