"""Shrinking: the same reason all the way down, within the time, and never less than what was there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis.internal.conjecture import engine

from harness.explore import shrink
from harness.explore.interleave import generate
from harness.explore.play import Played, Player
from harness.explore.program import Program
from harness.explore.shrink import Shrinking
from harness.ledger import Ledger
from harness.model import Finding, Trial, Verdict
from harness.running.trial import TrialResult

from .made import SEEDS, clinic, variants

Check = Callable[[Program], str]


@dataclass
class Fake:
    """Plays nothing: the check that finds something in a program is given."""

    check: Check
    stopped: str = ""
    known: dict[Program, Played] = field(default_factory=dict)
    told: list[Program] = field(default_factory=list)
    wait_s: float = 0.0

    async def play(self, program: Program, *, confirmed: bool = True) -> Played:
        """Judge a program by the check."""
        assert not confirmed
        await asyncio.sleep(self.wait_s)
        self.told.append(program)
        return judged(program, self.check(program))


def judged(program: Program, check: str, owner: str = "bob") -> Played:
    """Return a program with one finding of a check, or none."""
    findings = (Finding(check, Verdict.INVALID, "it was seen", owner=owner),) if check else ()
    verdict = Verdict.INVALID if check else Verdict.VALID
    return Played(program, TrialResult(Trial("x", program.combination), verdict, findings, 0.0), Ledger())


def switching(program: Program) -> str:
    """Find foreign media where somebody switches with the flag, and something else where two things overlap."""
    switched = any(verb.deed == "hold" and verb.medium == "video" for verb in program.verbs)
    if switched and program.combination["video-upgrade"] == "on":
        return "foreign-media"
    return "missing-media" if program.overlaps else ""


def first(check: Check) -> tuple[int, Program]:
    """Return the first large program in which foreign media are found, and the seed that makes it."""
    for seed in SEEDS:
        made: list[Program] = []
        generate(variants(), seed, made.append)
        for program in made:
            if check(program) == "foreign-media" and len(program.steps) > 4:
                return seed, program
    pytest.fail("no seed makes such a program")


def shrunk(player: Fake, *, for_s: float = 60.0) -> tuple[Shrinking, list[Program]]:
    """Shrink the first program that fails; return the shrinking, and what was shown of it."""
    seed, program = first(player.check)
    seen: list[Program] = []
    shrinking = Shrinking(
        judged(program, "foreign-media"),
        seed,
        time.monotonic() + for_s,
        clinic(),
        lambda smaller, plays: seen.append(smaller),  # noqa: ARG005 - the shape of an onlooker
    )
    asyncio.run(shrinking.run(cast("Player", player), variants()))
    return shrinking, seen


def test_to_the_smallest() -> None:
    """Two steps and one flag remain; each smaller one is shown, and what was played is counted."""
    player = Fake(switching)
    shrinking, seen = shrunk(player)
    smallest = shrinking.best.program
    assert (shrinking.is_smallest, len(smallest.steps)) == (True, 2)
    assert smallest.changed(clinic()) == (("video-upgrade", "on"),)
    assert shrinking.plays == len(player.told) == len(set(player.told))
    assert seen[-1] == smallest
    assert all(switching(program) == "foreign-media" for program in seen)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("MAX_SHRINKS", "MAX_SHRINKS"), ("MAX_SHRINKING_S", "MAX_SHRINKING_SECONDS")]
)
def test_where_hypothesis_stops(monkeypatch: pytest.MonkeyPatch, ours: str, theirs: str) -> None:
    """At a limit of Hypothesis's own it ends as if it were done: what is left is not called the smallest."""
    assert getattr(shrink, ours) == getattr(engine, theirs)
    limit = 2 if ours == "MAX_SHRINKS" else 0.0
    monkeypatch.setattr(shrink, ours, limit)
    monkeypatch.setattr(engine, theirs, limit)
    shrinking, _ = shrunk(Fake(switching))
    assert not shrinking.is_smallest
    assert len(shrinking.best.program.steps) > 2


def test_what_is_known_is_not_played_again() -> None:
    """A program that was valid when it was explored is not played once more."""
    player = Fake(switching)
    shrunk(player)
    valid = next(program for program in player.told if not switching(program))
    again = Fake(switching, known={valid: judged(valid, "")})
    shrunk(again)
    assert valid not in again.told


def test_no_time() -> None:
    """When the time is over the best so far remains, and is not called the smallest."""
    shrinking, _ = shrunk(Fake(switching, wait_s=30.0), for_s=0.2)
    assert (shrinking.is_smallest, shrinking.plays) == (False, 0)
    assert len(shrinking.best.program.steps) > 4


def test_a_target_that_died() -> None:
    """When nothing more can be played the shrinking ends with what it has."""
    shrinking, _ = shrunk(Fake(switching, stopped="the target died"))
    assert (shrinking.is_smallest, shrinking.plays) == (False, 0)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([("foreign-media", "bob of trial 3")], None),
        ([("foreign-media", "bob of trial 3"), ("foreign-media", "bob")], "bob"),
        ([("foreign-media", "bob of trial 3"), ("count-mismatch", "")], None),
        ([("count-mismatch", "")], ""),
    ],
    ids=["others", "own beside others", "a badge that counts others", "a badge alone"],
)
def test_what_can_be_told_again(found: list[tuple[str, str]], reason: str | None) -> None:
    """A reason is of the trial itself: what other trials emitted would not be there alone."""
    findings = tuple(Finding(check, Verdict.INVALID, "it was seen", owner=owner) for check, owner in found)
    program = first(switching)[1]
    result = TrialResult(Trial("x", program.combination), Verdict.INVALID, findings, 0.0)
    told = Played(program, result, Ledger()).reason
    assert (told.owner if told else None) == reason
