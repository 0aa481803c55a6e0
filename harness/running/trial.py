"""One trial from its cast to its verdict: enrol, prove the flags, tell the story, ask; then judge."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from harness.drivers.base import Driver
from harness.drivers.surfaces import Surface
from harness.errors import TargetError, UsageError, nearest
from harness.flags.base import differences, token, username
from harness.ledger import HARNESS, NOBODY, Action, Ledger, Outcome
from harness.model import Catalogue, Finding, Trial, Verdict
from harness.oracle import judge
from harness.redact import plain
from harness.running.evidence import Evidence
from harness.running.hearing import hush, listen
from harness.running.questions import ask_all
from harness.running.rank import own
from harness.running.register import Register
from harness.running.sight import Sight
from harness.running.studio import Studio
from harness.running.survey import Survey, declared
from harness.scenario import ROLES, Actor, Carer, Operator, Patient, Scenario, Stage, staged
from harness.targets.base import FEATURES, Target, grace_s, policy, stranger

Hands = Callable[[Actor], Driver]


@dataclass(frozen=True, slots=True)
class TrialResult:
    """A cell's one result: verdict and findings, the worst first; `executed` is False for a cell that never ran."""

    trial: Trial
    verdict: Verdict
    findings: tuple[Finding, ...]
    elapsed_s: float
    executed: bool = True

    @property
    def needs_others(self) -> bool:
        """True when all that was leaked is other trials': played alone, the trial may meet nobody else's media."""
        return self.verdict is Verdict.INVALID and not own(self.findings)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a trial's story and the oracle's questions after it may last, in seconds."""

    story_s: float = 60.0
    questions_s: float = 120.0


IN_BROWSERS = Deadlines(story_s=180.0, questions_s=240.0)


@dataclass(frozen=True, slots=True)
class Rig:
    """What all trials of a run share: the deployment under test and the harness's own instruments.

    Unless it is `thorough` only the replay list and the recordings' bytes are looked at, as in many short plays.
    """

    target: Target
    catalogue: Catalogue
    register: Register
    studio: Studio
    deadlines: Deadlines = Deadlines()
    evidence: Evidence | None = None
    thorough: bool = True


async def perform(trial: Trial, scenario: Scenario, rig: Rig, ledger: Ledger, *, hands: Hands | None = None) -> None:
    """Play a trial into its ledger. Whatever the target or its adapter does ends there, not in an exception.

    `hands` may replace an actor's driver: the control trial's way to slip a foreign item into a list.
    """
    with _blamed(ledger):
        await _play(trial, scenario, rig, ledger, hands)


async def _play(trial: Trial, scenario: Scenario, rig: Rig, ledger: Ledger, hands: Hands | None) -> None:
    stage = Stage(trial.id, ledger, rig.studio, rig.register)
    actors = _cast(trial, scenario, rig, stage)
    nobody = _nobody(rig.target, stage) if rig.thorough else ()
    people = (*actors.values(), *nobody) if rig.thorough else ()
    ledger.note(
        HARNESS,
        Action.TRIAL,
        trial=trial.id,
        scenario=trial.scenario,
        combination=dict(trial.combination),
        seed=trial.seed,
        run=rig.register.run,
        cast={name: ROLES[role] for name, role in scenario.cast},
        not_offered=sorted(_not_offered(rig.target, trial)),
        grace_s=grace_s(rig.target),
        policy=policy(rig.target),
        surfaces={each.name: [_words(surface) for surface in declared(each)] for each in people},
    )
    if hands:
        for actor in actors.values():
            actor.driver = hands(actor)
    try:
        with _blamed(ledger):
            if await _enrol(actors, trial):
                await _play_to_the_end(trial, scenario, rig, stage, actors, nobody)
        if rig.evidence:
            await rig.evidence.keep(trial, list(actors.values()), stage)
    finally:
        await asyncio.gather(*(actor.driver.close() for actor in (*actors.values(), *nobody)))


async def _play_to_the_end(
    trial: Trial, scenario: Scenario, rig: Rig, stage: Stage, actors: Mapping[str, Actor], nobody: Sequence[Actor]
) -> None:
    """Tell the story and ask the questions while everybody listens, and prove the flags once more."""
    people, ledger = [actor for actor in actors.values() if not isinstance(actor, Operator)], stage.ledger
    sight = Sight(rig.studio.look, rig.register, trial.id)
    survey = Survey(sight, rig.thorough)

    async def sweep() -> None:
        await ask_all(people, stage, survey, nobody)

    stage.sweep = sweep
    listeners = people if rig.thorough else []
    await asyncio.gather(*(listen(actor, sight) for actor in listeners))
    with staged(stage):
        await _tell(scenario, actors, ledger, rig.deadlines.story_s)
    await _within(rig.deadlines.questions_s, ledger, sweep())
    await asyncio.gather(*(hush(actor) for actor in listeners))
    await asyncio.gather(*(_prove_flags(actor, trial) for actor in people))


@contextmanager
def _blamed(ledger: Ledger) -> Iterator[None]:
    """Write down what the adapter raises in the block: it is foreign code, and its bug makes one trial unknown."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - as the docstring says
        reason = plain(f"the target's adapter raised {type(error).__name__}: {error}")
        ledger.note(HARNESS, Action.STORY, Outcome.FAIL, assertion=False, error=reason)


def conclude(trial: Trial, ledger: Ledger, *, unproved: str = "") -> TrialResult:
    """Write down whether the flags were proved to the trial's end, and judge the ledger."""
    if unproved:
        ledger.note(HARNESS, Action.FLAGS, Outcome.FAIL, error=unproved)
    else:
        ledger.note(HARNESS, Action.FLAGS)
    return judged(trial, ledger)


def judged(trial: Trial, ledger: Ledger) -> TrialResult:
    """Return the result that a ledger supports. One that was cut off before its end counts as not executed."""
    judgement = judge(ledger)
    ended = any(entry.actor == HARNESS for entry in ledger.of(Action.FLAGS, Outcome.OK, Outcome.FAIL))
    elapsed_s = ledger[-1].at_s if len(ledger) else 0.0
    return TrialResult(trial, judgement.verdict, judgement.findings, elapsed_s, executed=ended)


def not_executed(trial: Trial, why: str) -> TrialResult:
    """Return the result of a cell that never ran."""
    finding = Finding("unproved", Verdict.UNKNOWN, f"not executed: {why}")
    return TrialResult(trial, Verdict.UNKNOWN, (finding,), 0.0, executed=False)


def _not_offered(target: Target, trial: Trial) -> frozenset[str]:
    named = target.not_offered(trial.combination)
    for feature in sorted(named - FEATURES):
        raise UsageError(f"not_offered() names '{feature}', which is no feature{nearest(feature, FEATURES)}")
    return named


def _cast(trial: Trial, scenario: Scenario, rig: Rig, stage: Stage) -> dict[str, Actor]:
    actors = {}
    carried = token(rig.catalogue, trial.combination)
    for name, role in scenario.cast:
        number = rig.register.enrol(trial.id, name, ROLES[role])
        account = username(name, f"{trial.id}-{rig.register.run:05x}-{number:x}", carried)
        driver = rig.target.driver(account, name, ROLES[role])
        actors[name] = role(name, number, account, driver, stage)
    patients = [actor.name for actor in actors.values() if isinstance(actor, Patient)]
    for carer in (actor for actor in actors.values() if isinstance(actor, Carer)):
        if patients and hasattr(carer.driver, "care_for"):
            carer.driver.care_for(patients[0])
    return actors


def _nobody(target: Target, stage: Stage) -> tuple[Actor, ...]:
    """Return hands that are not signed in, where a target has them."""
    hands = stranger(target)
    return (Actor(NOBODY, -1, "", cast("Driver", hands), stage),) if hands else ()


def _words(surface: Surface) -> dict[str, object]:
    return {"name": surface.name, "about": surface.about, "needs": sorted(surface.needs)}


async def _enrol(actors: Mapping[str, Actor], trial: Trial) -> bool:
    """Sign everybody up and in, and prove their flags; False when the story cannot begin."""
    results = await asyncio.gather(*(actor.enrol() for actor in actors.values()), return_exceptions=True)
    for error in results:
        if isinstance(error, BaseException) and not isinstance(error, TargetError):
            raise error
    proved = await asyncio.gather(*(_prove_flags(actor, trial) for actor in actors.values()))
    return all(proved) and not any(results)


async def _prove_flags(actor: Actor, trial: Trial) -> bool:
    """Ask the target, as this actor, which flags it evaluates for them: the in-band proof.

    An operator's account is as old as the target, and carries no combination: its flags are nobody's in the trial.
    """
    if isinstance(actor, Operator):
        return True
    try:
        with actor.recorded(Action.FLAGS, wanted=dict(trial.combination)) as result:
            seen = await actor.driver.features()
            result.data["seen"] = dict(seen)
            found = differences(trial.combination, seen)
            result.data["differences"] = list(found)
    except TargetError:
        return False
    return not found


async def _tell(scenario: Scenario, actors: Mapping[str, Actor], ledger: Ledger, deadline_s: float) -> None:
    try:
        async with asyncio.timeout(deadline_s):
            await scenario.story(**actors)
    except AssertionError as error:
        where = _place(scenario, error)
        said = plain(f"{where}: {error or 'assert'}")
        ledger.note(HARNESS, Action.STORY, Outcome.FAIL, assertion=True, error=said)
    except BaseException as error:  # a story is foreign code: sys.exit() and pytest.skip() must not end the run
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
            raise
        where = _place(scenario, error)
        text = plain(f"{where}: {type(error).__name__}: {error}")
        ledger.note(HARNESS, Action.STORY, Outcome.FAIL, assertion=False, error=text)
    else:
        ledger.note(HARNESS, Action.STORY)


def _place(scenario: Scenario, error: BaseException) -> str:
    """Return file and line of the story's own statement that raised, not of the harness's inside."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == str(scenario.path):
            return f"{scenario.path.name}:{frame.lineno}"
    return f"{scenario.path.name}:{scenario.line}"


async def _within(deadline_s: float, ledger: Ledger, work: Awaitable[None]) -> None:
    """Await the questions under a deadline; what had no answer stands in the ledger as intents without an end."""
    try:
        async with asyncio.timeout(deadline_s):
            await work
    except TimeoutError:
        ledger.note(
            HARNESS,
            Action.STORY,
            Outcome.FAIL,
            assertion=False,
            error=f"the oracle's questions were not all answered within {deadline_s:g} s",
        )
