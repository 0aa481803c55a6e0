"""The public API as a QA engineer uses it: mypy checks this file with the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_type

from harness import (
    Clinician,
    Combination,
    Finding,
    Flag,
    FlagError,
    HarnessError,
    Medium,
    Patient,
    Recording,
    TargetError,
    Trial,
    UsageError,
    Verdict,
    Visit,
    scenario,
    together,
)
from harness.scenario import Scenario


@scenario(flags=["video-upgrade", "replay-cache"])
async def switching_to_video_keeps_replays_apart(alice: Patient, bob: Patient, chen: Clinician) -> None:
    """Bob switches to video; Alice, who stayed on audio, must never meet his recording."""
    hers = await alice.book(chen, medium="audio")
    his = await bob.book(chen, medium="audio")

    async with together() as at_once:
        at_once(hers.hold, alice, chen)
        at_once(his.hold, bob, chen, switch_to="video")


@scenario()
async def step_by_step(alice: Patient, chen: Clinician) -> None:
    """Every verb by itself, with what it returns."""
    visit = await alice.book(chen, medium="video")
    assert_type(visit, Visit)
    assert_type(visit.medium, Medium)
    await visit.join(alice)
    await visit.join(chen)
    await visit.emit(alice)
    assert_type(await visit.switch(chen, "audio"), bool)
    await visit.leave(alice)
    await visit.end(chen)
    assert_type(await alice.replays(), Sequence[Recording])
    assert_type(await chen.replays(), Sequence[Recording])


def values(trial: Trial, finding: Finding, flag: Flag, error: TargetError) -> None:
    """The frozen values and errors that stories and adapters meet."""
    assert_type(trial.combination, Combination)
    assert_type(trial.combination["replay-cache"], str)
    assert_type(finding.verdict, Verdict)
    assert_type(Verdict.merge([finding.verdict]), Verdict)
    assert_type(flag.variants, tuple[str, ...])
    assert_type(error.definite, bool)
    errors: list[type[HarnessError]] = [UsageError, TargetError, FlagError]
    combination: Mapping[str, str] = trial.combination
    del errors, combination


def test_a_story_is_a_scenario() -> None:
    """What the decorator returns is a value with the story's name and cast, to the type checker and at run time."""
    assert_type(switching_to_video_keeps_replays_apart, Scenario)
    assert switching_to_video_keeps_replays_apart.cast == (("alice", Patient), ("bob", Patient), ("chen", Clinician))
    assert step_by_step.name == "step_by_step"
