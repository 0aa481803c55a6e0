"""The engine: many trials at once on one deployment, each delivered when its flags are proved to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.flags.settle import Watch
from harness.ledger import Ledger, Outcome
from harness.model import Trial
from harness.planning.exhaustive import Plan
from harness.running.control import Control, control
from harness.running.deployment import Deployment, deployed
from harness.running.register import Register
from harness.running.settings import Settings
from harness.running.store import Store
from harness.running.studio import Studio
from harness.running.trial import Rig, TrialResult, conclude, not_executed, perform
from harness.scenario import Scenario
from harness.targets.base import Target

CONFIRM_S = 15.0
TRIALS_AT_ONCE = 16


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
    """Runs a plan once. After `run`, `control` and `requests` say what the run's summary needs."""

    plan: Plan
    scenarios: Mapping[str, Scenario]
    settings: Settings
    store: Store
    listener: Listener
    control: Control | None = None
    requests: int = 0
    stopped: str = ""
    _delivered: set[str] = field(default_factory=set)
    _target: Target | None = None

    async def run(self) -> None:
        """Deploy, run the control, run every trial of the plan, and deliver exactly one result for each.

        Raises UsageError and FlagError from before the first trial; from then on all that goes wrong is in
        the results. A target or a flag server that is gone stops the run: the trials left are not executed.
        """
        register = Register()
        studio = Studio(register, seed=self.settings.seed)
        try:
            async with deployed(self.plan, self.settings, register, self.listener.phase) as deployment:
                self._target = deployment.target
                rig = Rig(deployment.target, self.plan.catalogue, register, studio)
                self.listener.phase("running the control: a foreign item that must be found")
                await self._run_control(rig)
                self.listener.ready()
                await self._run_trials(rig, deployment)
        finally:
            studio.close()
            if self._target:
                self.requests = self._target.requests

    async def _run_control(self, rig: Rig) -> None:
        first = self.scenarios[self.plan.trials[0].scenario]
        ledger = self.store.control()
        try:
            self.control = await control(first, self.plan.catalogue.baseline, self.plan.seed, rig, ledger)
        finally:
            ledger.close()

    async def _run_trials(self, rig: Rig, deployment: Deployment) -> None:
        waiting = iter(self.plan.trials)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(TRIALS_AT_ONCE, len(self.plan.trials))):
                group.create_task(self._work(waiting, rig, deployment, group))
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

    async def _conclude(self, trial: Trial, ledger: Ledger, watch: Watch) -> None:
        """Judge a trial once the flag server was seen to serve the snapshot after the trial had ended."""
        try:
            unproved = await watch.confirm(time.monotonic(), CONFIRM_S)
            if unproved:
                self.stopped = self.stopped or f"the flags are no longer proved: {unproved}"
            self._deliver(conclude(trial, ledger, unproved=unproved or ""))
        finally:
            ledger.close()

    def _deliver(self, result: TrialResult) -> None:
        self._delivered.add(result.trial.id)
        self.listener.finished(result)


def _has_silence(ledger: Ledger) -> bool:
    """True when some call was never answered, which is how a dead target looks."""
    return any(entry.outcome is Outcome.UNKNOWN for entry in ledger)
