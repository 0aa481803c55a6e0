"""The engine: many trials at once on a deployment, each delivered when its flags are proved to its end.

Flags that are not told apart per user need a deployment for each of their values: these follow one another.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.drivers.choice import AT_ONCE, BROWSER, choose
from harness.errors import HarnessError
from harness.ledger import Ledger, Outcome
from harness.model import Hands, Trial
from harness.planning.plan import Group, Plan, groups
from harness.running.control import Control, control
from harness.running.deployment import Deployment, Watching, deployed
from harness.running.evidence import Evidence
from harness.running.register import Register
from harness.running.settings import Settings
from harness.running.store import Store
from harness.running.studio import Studio
from harness.running.trial import IN_BROWSERS, Deadlines, Rig, TrialResult, conclude, not_executed, perform
from harness.scenario import Scenario
from harness.targets.base import Target

CONFIRM_S = 15.0


class Watcher(Protocol):
    """Is shown how a run goes, from the engine's own thread."""

    def phase(self, text: str) -> None:
        """Take what is being prepared."""

    def finished(self, result: TrialResult) -> None:
        """Take the one result of a cell."""


class Listener(Watcher, Protocol):
    """A watcher for whom others wait: it must also know when the trials begin."""

    def ready(self) -> None:
        """Learn that all is prepared and proved."""


@dataclass(slots=True)
class Engine:
    """Runs a plan once. After `run`, `controls` and `requests` say what the run's summary needs."""

    plan: Plan
    scenarios: Mapping[str, Scenario]
    settings: Settings
    store: Store
    listener: Listener
    controls: list[Control] = field(default_factory=list)
    stopped: str = ""
    _requests: int = 0
    _delivered: set[str] = field(default_factory=set)
    _target: Target | None = None
    _evidence: Evidence | None = None

    @property
    def _hands(self) -> frozenset[Hands]:
        return frozenset(choose(self.settings.driver).values())

    @property
    def requests(self) -> int:
        """How many requests were sent to the targets so far."""
        return self._requests + (self._target.requests if self._target else 0)

    async def run(self) -> None:
        """Deploy, run the control, run the trials, for one group of the plan after the other.

        Exactly one result is delivered for each trial. Raises UsageError and FlagError from before the first
        trial; from then on all that goes wrong is in the results. A target or a flag server that is gone stops
        the run: the trials left are not executed.
        """
        register, self._evidence = Register(), Evidence(self.store.evidence, _places(self.plan))
        studio = Studio(register, seed=self.settings.seed)
        parts = groups(self.plan)
        try:
            for number, group in enumerate(parts, 1):
                if self.stopped:
                    break
                if len(parts) > 1:
                    self.listener.phase(f"deployment {number} of {len(parts)}: {_in_words(group)}")
                await self._run_group(number, group, register, studio)
        finally:
            studio.close()

    async def _run_group(self, number: int, group: Group, register: Register, studio: Studio) -> None:
        try:
            async with deployed(group, self.settings, register, self.listener.phase) as deployment:
                self._target = deployment.target
                deadlines = IN_BROWSERS if BROWSER in self._hands else Deadlines()
                rig = Rig(deployment.target, self.plan.catalogue, register, studio, deadlines, self._evidence)
                self.listener.phase("running the control: a foreign item that must be found")
                await self._run_control(number, group, rig)
                if number == 1:
                    self.listener.ready()
                await self._run_trials(group, rig, deployment)
        except HarnessError as error:
            if number == 1:
                raise
            self._stop(f"deployment {number} ({_in_words(group)}) could not be proved: {error}")
        finally:
            self._requests, self._target = self.requests, None

    async def _run_control(self, number: int, group: Group, rig: Rig) -> None:
        first = self.scenarios[group.plan.trials[0].scenario]
        ledger = self.store.control(number)
        try:
            self.controls.append(await control(first, group.base, self.plan.seed, rig, ledger))
        finally:
            ledger.close()

    async def _run_trials(self, group: Group, rig: Rig, deployment: Deployment) -> None:
        alone = [trial for trial in group.plan.trials if self.scenarios[trial.scenario].is_alone]
        beside = [trial for trial in group.plan.trials if not self.scenarios[trial.scenario].is_alone]
        at_once = self.settings.at_once or min(AT_ONCE[each] for each in self._hands)
        # What acts on the whole deployment comes last, one by one: no other trial must meet it.
        for trials, most in ((beside, at_once), (alone, 1)):
            waiting = iter(trials)
            async with asyncio.TaskGroup() as tasks:
                for _ in range(min(most, len(trials))):
                    tasks.create_task(self._work(waiting, rig, deployment, tasks))
        if self.stopped:
            self._stop(self.stopped)

    def _stop(self, why: str) -> None:
        """Stop for the first reason that is given; every trial that is left gets its result."""
        self.stopped = self.stopped or why
        for trial in self.plan.trials:
            if trial.id not in self._delivered:
                self._deliver(not_executed(trial, self.stopped))

    async def _work(self, waiting: Iterator[Trial], rig: Rig, deployment: Deployment, group: asyncio.TaskGroup) -> None:
        for trial in waiting:
            if self.stopped:
                return
            ledger = self.store.ledger(trial)
            try:
                await perform(trial, self.scenarios[trial.scenario], rig, ledger)
            except BaseException:
                ledger.close()
                raise
            if _has_silence(ledger) and not await deployment.target.is_alive():
                self.stopped = self.stopped or "the target died in the middle of the run"
            group.create_task(self._conclude(trial, ledger, deployment.watch))

    async def _conclude(self, trial: Trial, ledger: Ledger, watch: Watching) -> None:
        """Judge a trial once the flag server was seen to serve the snapshot after the trial had ended.

        What is told stands on the disk: the ledger is closed before anybody learns the result.
        """
        try:
            unproved = await watch.confirm(time.monotonic(), CONFIRM_S)
            if unproved:
                self.stopped = self.stopped or f"the flags are no longer proved: {unproved}"
            result = conclude(trial, ledger, unproved=unproved or "")
        finally:
            ledger.close()
        self._deliver(result)

    def _deliver(self, result: TrialResult) -> None:
        self._delivered.add(result.trial.id)
        self.listener.finished(result)


def _places(plan: Plan) -> Mapping[str, int]:
    return {trial.id: number for number, trial in enumerate(plan.trials)}


def _in_words(group: Group) -> str:
    return " ".join(f"{flag}={variant}" for flag, variant in group.shared)


def _has_silence(ledger: Ledger) -> bool:
    """True when some call was never answered, which is how a dead target looks."""
    return any(entry.outcome is Outcome.UNKNOWN for entry in ledger)
