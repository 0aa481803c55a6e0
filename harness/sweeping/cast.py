"""The people of a sweep and what they have: a story by ordinary verbs leaves consultations in every state."""

from __future__ import annotations

import asyncio
import random
import string
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from harness.canary import CALL_BITS, MODE_BITS, pack
from harness.drivers.base import Driver
from harness.errors import TargetError, UsageError
from harness.flags.base import token, username
from harness.ledger import Ledger
from harness.model import Medium, Trial, Verdict
from harness.running.deployment import Deployment
from harness.running.trial import Rig, TrialResult, conclude, perform
from harness.scenario import Actor, Clinician, Patient, Scenario, together
from harness.sweeping.describing.source import in_one_line
from harness.sweeping.judging.facts import TEXT, Facts, Person, Thing
from harness.targets.described import Described, as_described, as_signed_in

STORY = "sweep"
CONFIRM_S = 15.0
OTHERS_S = 60.0
"""How long a target may take to open accounts for those whom it adds."""
TOKEN_CHARACTERS = 6
FIRST_FREE_MODE = len(get_args(Medium))
LAST_TEXT = ((1 << MODE_BITS) - FIRST_FREE_MODE) * (1 << CALL_BITS) - 1
PEOPLE: Mapping[str, type[Actor]] = {"alice": Patient, "bob": Patient, "chen": Clinician, "diaz": Clinician}


@dataclass(slots=True)
class Cast:
    """Who takes part: everybody's account in the order in which they are asked, and how each is signed in."""

    accounts: list[str] = field(default_factory=list)
    credentials: dict[str, Mapping[str, str]] = field(default_factory=dict)
    result: TrialResult | None = None

    def add(self, account: str, headers: Mapping[str, str]) -> None:
        """Add somebody with the headers of their session."""
        self.accounts.append(account)
        self.credentials[account] = headers


def story_of(run: int) -> Scenario:
    """Return the story. Each name carries a token of this run, so that it is recognised wherever it turns up."""
    draw = random.Random(run)  # noqa: S311 - names that differ between runs
    letters = string.ascii_lowercase + string.digits
    suffix = "".join(draw.choice(letters) for _ in range(TOKEN_CHARACTERS - 1)) + draw.choice(string.digits)
    names = {name: f"{name}.{suffix}" for name in PEOPLE}

    async def story(**actors: Actor) -> None:
        await _live({name: actors[called] for name, called in names.items()})

    cast = tuple((names[name], role) for name, role in PEOPLE.items())
    return Scenario(STORY, story, cast, (), Path(__file__), _live.__code__.co_firstlineno)


async def _live(people: Mapping[str, Actor]) -> None:
    """Alice sees Chen, Bob sees Diaz and Chen; each has calls that have ended, that go on, and that are to come."""
    alice, bob, chen, diaz = (people[name] for name in PEOPLE)
    if not isinstance(alice, Patient) or not isinstance(bob, Patient):
        raise TypeError("alice and bob are patients")
    if not isinstance(chen, Clinician) or not isinstance(diaz, Clinician):
        raise TypeError("chen and diaz are clinicians")
    hers, his = await alice.book(chen, medium="audio"), await bob.book(diaz, medium="audio")
    async with together() as at_once:
        at_once(hers.hold, alice, chen)
        at_once(his.hold, bob, diaz, switch_to="video")
    hers, his = await alice.book(chen, medium="video"), await bob.book(chen, medium="video")
    async with together() as at_once:
        at_once(hers.hold, alice, chen)
        at_once(his.hold, bob, chen)
    for patient, clinician in ((alice, chen), (bob, diaz)):
        now = await patient.book(clinician, medium="video")
        await now.join(patient)
        await now.join(clinician)
        for _ in range(2):
            await patient.book(clinician, medium="audio")


async def assemble(
    cast: Cast, trial: Trial, scenario: Scenario, rig: Rig, deployment: Deployment, ledger: Ledger, facts: Facts
) -> None:
    """Tell the story, learn its facts, and sign in whom the target adds, into `cast`.

    The story's own judgement is in `cast.result` before anything else is asked: what the target does then takes it not
    back. Raises UsageError when the target's drivers do not say how their users are signed in.
    """
    actors = {}

    def hands(actor: Actor) -> Driver:
        actors[actor.name] = actor
        return actor.driver

    await perform(trial, scenario, rig, ledger, hands=hands)
    cast.result = conclude(trial, ledger, unproved=await unproved(deployment))
    facts.learn(ledger)
    for actor in actors.values():
        signed_in = as_signed_in(actor.driver)
        if signed_in is None:
            raise UsageError(
                f"--target {rig.target.name}: its drivers do not say with which headers their users are signed in "
                "(`credentials`); see docs/sweep.md"
            )
        cast.add(actor.account, signed_in.credentials)
    described = as_described(rig.target)
    if described:
        await _add_others(trial, rig, described, cast, facts, scenario)


async def unproved(deployment: Deployment) -> str:
    """Return why the flags are not proved to have been served until now, or nothing."""
    try:
        return await deployment.watch.confirm(time.monotonic(), CONFIRM_S) or ""
    except Exception as error:  # noqa: BLE001 - a watch that failed has proved nothing, and takes back no finding
        return in_one_line(error)


async def _add_others(trial: Trial, rig: Rig, target: Described, cast: Cast, facts: Facts, scenario: Scenario) -> None:
    carried = token(rig.catalogue, trial.combination)
    suffix = scenario.cast[0][0].partition(".")[2]

    def account(name: str) -> str:
        number = rig.register.enrol(trial.id, name)
        return username(f"{name}.{suffix}", f"{trial.id}-{rig.register.run:05x}-{number:x}", carried)

    try:
        async with asyncio.timeout(OTHERS_S):
            others = await target.others(list(cast.accounts), account)
    except TimeoutError as error:
        raise TargetError(f"those whom the target adds were not there within {OTHERS_S:g} s", definite=False) from error
    for other in others:
        is_public = other.role == "clinician"
        facts.add_person(Person(other.account, other.name, other.role, other.also, is_public, other.oversees))
        for account_known in other.knows:
            facts.meet(other.account, account_known)
        cast.add(other.account, other.headers)


def has_broken(cast: Cast) -> str:
    """Return why the story did not make what was to be asked for, or nothing."""
    result = cast.result
    if result is None or result.verdict is not Verdict.UNKNOWN:
        return ""
    return result.findings[0].sentence if result.findings else "the story has no verdict"


class Pen:
    """Writes texts that are recognised: 20 digits, a canary of the writer's own with a mode that no medium has."""

    def __init__(self, facts: Facts, rig: Rig) -> None:
        self._facts = facts
        self._rig = rig
        self._numbers: dict[str, int] = {}
        self._written: dict[str, int] = {}

    def write(self, account: str) -> str:
        """Return fresh digits of somebody's, known from now on; the last ones again when their numbers are used up."""
        number = self._numbers.get(account)
        if number is None:
            number = self._numbers[account] = self._rig.register.enrol(STORY, self._facts.called(account))
        written = min(self._written.get(account, 0), LAST_TEXT)
        self._written[account] = written + 1
        call, mode = written % (1 << CALL_BITS), FIRST_FREE_MODE + written // (1 << CALL_BITS)
        digits = f"{pack(self._rig.register.canary(number, call, mode)):020d}"
        self._facts.add(Thing(digits, TEXT, account, {account}))
        return digits
