"""A session: what was asked for, the scenarios that were found, the plan made of them, the run and its outcome.

The pytest plugin and the command line both stand on this; it knows nothing of either.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Protocol

from harness.errors import FlagError, UsageError, nearest
from harness.flags.outage import DOWN
from harness.model import OFF, Catalogue, Trial, Verdict
from harness.planning import catalogue as catalogues
from harness.planning.coverage import EXHAUSTIVE, Covered, cover
from harness.planning.held import held, held_at_baseline, read_choices
from harness.planning.plan import Plan
from harness.reporting import summary, text
from harness.running import store
from harness.running.conductor import Conductor
from harness.running.deployment import require_startable, require_target
from harness.running.engine import Engine, Watcher
from harness.running.outcome import RunOutcome, all_of
from harness.running.settings import Settings
from harness.running.trial import TrialResult
from harness.scenario import Scenario


class Spectator(Watcher, Protocol):
    """Is shown a run from its plan to its verdict."""

    def planned(self, plan: Plan) -> None:
        """Take the plan, before anything runs."""

    def judged(self, verdict: Verdict, text: str) -> None:
        """Take the verdict, and all that is said of it."""


class Quiet:
    """The spectator of a run under pytest's own terminal, which shows progress itself."""

    def planned(self, plan: Plan) -> None:
        """Show nothing: `pytest_report_collectionfinish` has."""

    def phase(self, text: str) -> None:
        """Show nothing."""

    def finished(self, result: TrialResult) -> None:
        """Show nothing."""

    def judged(self, verdict: Verdict, text: str) -> None:
        """Show nothing: `pytest_terminal_summary` does."""


class Session:
    """From settings and scenarios to an outcome on disk."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.spectator: Spectator = Quiet()
        self.scenarios: dict[str, Scenario] = {}
        self.usage_errors: list[str] = []
        self.plan: Plan | None = None
        self.conductor: Conductor | None = None
        self.engine: Engine | None = None
        self.outcome: RunOutcome | None = None
        self.fault = ""
        self.others_failed = False
        self.exit_code: int | None = None
        self._began_s = 0.0

    @cached_property
    def catalogue(self) -> Catalogue:
        """The flags, read once and only when a scenario was found."""
        return catalogues.load(self.settings.flags)

    @cached_property
    def covered(self) -> Covered:
        """The combinations that are played; of a flag server that runs already, only those that it can serve."""
        if self.settings.flag_server == DOWN:
            return self._fallen_back()
        catalogue, fixed = held_at_baseline(self.catalogue) if self.settings.flag_server else (self.catalogue, ())
        chosen = read_choices(catalogue, self.settings.chosen)
        catalogue = held(catalogue, chosen) if chosen else catalogue
        return cover(catalogue, self.settings.coverage, tuple((dict(fixed) | dict(chosen)).items()))

    def _fallen_back(self) -> Covered:
        """Return the one combination that a target has whose flag server never answered: every flag off."""
        off = tuple((name, OFF) for name in self.catalogue.names)
        if self.settings.chosen:
            raise UsageError(f"--flag-server {DOWN}: every flag is off then, and --set cannot change it")
        return cover(held(self.catalogue, off), EXHAUSTIVE, off)

    def adopt(self, scenario: Scenario) -> tuple[Trial, ...]:
        """Take a collected scenario; return its trials."""
        if not __debug__:
            raise UsageError(f"{scenario.place}: python -O takes every `assert` out of the story; run without it")
        twin = self.scenarios.get(scenario.name)
        if twin and twin.place != scenario.place:
            raise UsageError(f"{scenario.place}: scenario '{scenario.name}' is there twice; first at {twin.place}")
        self.scenarios[scenario.name] = scenario
        return self._whole([scenario.name]).trials

    def make_plan(self, selected: list[Trial]) -> Plan:
        """Plan the selected trials; the claim says whether they are all. UsageError for a flag that is unknown."""
        require_target(self.settings)
        names = list(dict.fromkeys(trial.scenario for trial in selected))
        for name in names:
            self._require_flags(self.scenarios[name])
        if len(names) < len(self.scenarios):
            self.settings = replace(self.settings, scenarios=tuple(names))
        chosen = {trial.id for trial in selected}
        self.plan = self._whole(names).select(lambda trial: trial.id in chosen)
        return self.plan

    @contextmanager
    def opened(self) -> Iterator[store.Store]:
        """Take the run's directory for the length of the block.

        Raises UsageError, with an earlier run there untouched, for settings with which no run can begin.
        """
        if self.plan is None:
            raise RuntimeError("no plan was made")
        require_startable(self.settings)
        self._began_s = time.monotonic()
        with store.Store.create(self.settings.out, self.plan, self.settings) as place:
            self.conductor = Conductor(self.spectator)
            yield place

    @contextmanager
    def performed(self, place: store.Store) -> Iterator[None]:
        """Run the plan's engine for the length of the block; `conclude` then has what its outcome is made of."""
        if self.plan is None or self.conductor is None:
            raise RuntimeError("the run's directory was not opened")
        with ExitStack() as stack:
            stack.callback(self.conductor.stop)
            self.engine = Engine(self.plan, self.scenarios, self.settings, place, self.conductor)
            try:
                self.conductor.start(self.engine)
            except FlagError as error:
                self.fault = f"the flags could not be proved to be in force: {error}"
                raise
            yield

    def conclude(self, *, interrupted: bool) -> RunOutcome | None:
        """Make and write the outcome of what was run; None when nothing began."""
        if self.plan is None or self.conductor is None:
            return None
        self.conductor.stop()
        engine = self.engine
        stopped = self.conductor.error or (engine.stopped if engine else "")
        self.outcome = RunOutcome(
            plan=self.plan,
            results=tuple(self.conductor.results),
            control=all_of(engine.controls) if engine else None,
            controls=len(engine.controls) if engine else 0,
            requests=engine.requests if engine else 0,
            elapsed_s=time.monotonic() - self._began_s,
            interrupted=interrupted,
            fault=self.fault or (f"the run was stopped: {stopped}" if stopped else ""),
        )
        summary.write(self.outcome, self.settings.out)
        return self.outcome

    @cached_property
    def stored(self) -> store.StoredRun:
        """The run as it lies on disk, read once: every trial's report asks for it. Not before the run is opened."""
        return store.load(self.settings.out)

    def verdict_text(self) -> str:
        """Return the verdict as people read it."""
        return text.verdict(self.outcome, self.settings, self.stored) if self.outcome else ""

    def _require_flags(self, scenario: Scenario) -> None:
        for flag in scenario.flags:
            if flag not in self.catalogue.names:
                hint = nearest(flag, self.catalogue.names)
                raise UsageError(
                    f"{scenario.place}: flag '{flag}' of scenario '{scenario.name}' is not in "
                    f"{self.settings.flags}{hint}"
                )

    def _whole(self, scenarios: list[str]) -> Plan:
        """Return the plan of everything that the scenarios could be played under."""
        if self.settings.seed < 0:
            raise UsageError(f"--seed {self.settings.seed}: a seed is 0 or more")
        return self.covered.plan(scenarios, self.settings.seed)
