"""What a row says of what an exercise said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from harness.drilling.cheapest import Exercise
from harness.drilling.drill import listen
from harness.drilling.sight import Outcome, Report, row

from .reports import FLAW, end, finding, flawed, sound, trial

UNBUILT = replace(FLAW, seen_by="foreign-dreams")
DOUBT = finding("unproved", None, "unknown", "the story broke")
STOPPED = "the run was stopped: reachable-media has seen the flaw"


def test_seen() -> None:
    """The first trial with a finding of the named check counts, and the highest degree of any."""
    found = row(
        flawed(
            trial(1),
            trial(2, finding("foreign-media", "proved"), DOUBT),
            trial(3, finding(sentence="first")),
            trial(4, finding(degree="proved", sentence="second")),
            end("invalid", STOPPED),
        )
    )
    assert (found.outcome, found.note, found.degree) == (Outcome.SEEN, "", "proved")
    assert (found.trials, found.seconds, found.scenario, found.sentence) == (3, 3.5, "story_3", "first")
    assert (found.found_by, found.executed) == (("foreign-media", "reachable-media"), 4)


def test_seen_without_a_degree() -> None:
    """A check whose findings have no degree sees too."""
    flaw = replace(FLAW, seen_by="missing-media")
    found = row(flawed(trial(1, finding("missing-media", None)), flaw=flaw))
    assert (found.outcome, found.degree) == (Outcome.SEEN, None)


def test_seen_although_the_run_broke_off() -> None:
    """What was seen stays seen, whatever became of the run."""
    assert row(flawed(trial(1, finding()), {"error": "it crashed"})).outcome is Outcome.SEEN


def test_seen_in_the_second_turn() -> None:
    """Trials and seconds of an earlier turn count, and its doubts do not."""
    report = flawed(trial(1), trial(2, DOUBT), end("unknown", "it broke"))
    report.begin_turn()
    assert row(report).note == "story_2: the story broke"
    report.take(trial(3, finding()))
    found = row(report)
    assert (found.outcome, found.trials, found.seconds, found.executed) == (Outcome.SEEN, 3, 6.0, 3)


@pytest.mark.parametrize(
    ("report", "outcome", "note"),
    [
        (
            flawed(trial(1, finding("missing-media"), finding("foreign-media")), end("invalid")),
            Outcome.MISSED,
            "seen by missing-media, foreign-media, not by reachable-media",
        ),
        (flawed(trial(1), end("valid")), Outcome.MISSED, "nothing was found; it needs: somebody looks"),
        (
            flawed(trial(1), end("valid"), flaw=replace(FLAW, needs="")),
            Outcome.MISSED,
            "nothing was found",
        ),
        (flawed(trial(1), end("valid"), flaw=UNBUILT), Outcome.MISSED, "no check of that name yet"),
        (
            flawed(trial(1, finding("foreign-media")), end("invalid"), flaw=UNBUILT),
            Outcome.MISSED,
            "no check of that name yet; seen by foreign-media",
        ),
        (
            flawed(trial(1, DOUBT), end("unknown"), flaw=UNBUILT),
            Outcome.MISSED,
            "no check of that name yet; no verdict: story_1: the story broke",
        ),
        (flawed(trial(1, DOUBT), end("unknown")), Outcome.NO_VERDICT, "story_1: the story broke"),
        (
            flawed(trial(1, finding(verdict="unknown")), end("unknown")),
            Outcome.NO_VERDICT,
            "story_1: alice was served it",
        ),
        (
            flawed(trial(1, DOUBT), end("unknown", "the run was interrupted")),
            Outcome.NO_VERDICT,
            "the run was interrupted",
        ),
        (flawed({"error": "no clinic\nanswers"}), Outcome.NO_VERDICT, "no clinic answers"),
        (flawed({"phase": "proving the flags"}), Outcome.NO_VERDICT, "it was ended while proving the flags"),
        (flawed(begun=False), Outcome.NOT_RUN, ""),
        (flawed(begun=False, flaw=UNBUILT), Outcome.NOT_RUN, ""),
        (Report(Exercise("x", FLAW, (), "there is no flag 'cach'")), Outcome.MISSED, "there is no flag 'cach'"),
        (sound(trial(1), end("valid")), Outcome.CLEAN, ""),
        (
            sound(trial(1), trial(2, finding()), end("invalid")),
            Outcome.NOT_CLEAN,
            "reachable-media: alice was served it (trial 00000002)",
        ),
        (sound(trial(1, DOUBT), end("unknown")), Outcome.NO_VERDICT, "story_1: the story broke"),
        (sound(trial(1)), Outcome.NO_VERDICT, "it was ended while it began"),
        (sound(begun=False), Outcome.NOT_RUN, ""),
    ],
)
def test_anything_else(report: Report, outcome: Outcome, note: str) -> None:
    """What is not seen by the named check is missed or without a verdict, and the note says why."""
    found = row(report)
    assert (found.outcome, found.note) == (outcome, note)
    assert (found.degree, found.trials, found.seconds) == (None, None, None)


def test_half_a_line_costs_its_own_row() -> None:
    """What cannot be read of an exercise, as of one that was killed in mid-sentence, is an error of that exercise."""

    async def said() -> AsyncIterator[bytes]:
        yield json.dumps(trial(1)).encode() + b"\n"
        yield b'{"trial": "0000'

    report = flawed()
    asyncio.run(listen(said(), report))
    assert [each["trial"] for each in report.trials] == ["00000001"]
    assert report.error.startswith("what it said cannot be read: ")
