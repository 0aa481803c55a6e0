"""The pytest plugin: scenario files are collected, items are views on trials, and the run decides the exit code.

`pytest scenarios` and `harness run` go through here alike. The engine runs the trials, many at once; an item
waits for the result of its own. The verdict is made of the engine's results and never of what pytest makes of
its items, so that no skip, rerun or muted test can turn a leak green.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from harness.errors import FlagError, UsageError, nearest
from harness.model import Catalogue, Trial, Verdict
from harness.planning import catalogue as catalogues
from harness.planning.exhaustive import Plan, exhaustive
from harness.planning.render import as_text
from harness.reporting import allure, summary, text
from harness.running import store
from harness.running.conductor import Conductor
from harness.running.engine import Engine
from harness.running.outcome import ExitCode, RunOutcome
from harness.running.settings import DEFAULT_FLAGS, DEFAULT_OUT, Settings
from harness.running.trial import TrialResult
from harness.scenario import Scenario


class Leak(AssertionError):
    """A trial is invalid: Allure shows it as failed."""


class NoVerdict(Exception):
    """A trial is unknown: Allure shows it as broken."""


class Watcher(Protocol):
    """Is shown how a run goes."""

    def planned(self, plan: Plan) -> None:
        """Take the plan, before anything runs."""

    def phase(self, text: str) -> None:
        """Take what is being prepared."""

    def finished(self, result: TrialResult) -> None:
        """Take a trial's result."""

    def judged(self, text: str) -> None:
        """Take the verdict."""


class Quiet:
    """The watcher of a run under pytest's own terminal, which shows progress itself."""

    def planned(self, plan: Plan) -> None:
        """Show nothing: `pytest_report_collectionfinish` has."""

    def phase(self, text: str) -> None:
        """Show nothing."""

    def finished(self, result: TrialResult) -> None:
        """Show nothing."""

    def judged(self, text: str) -> None:
        """Show nothing: `pytest_terminal_summary` does."""


class Run:
    """One pytest session's run: what was asked for, the plan made of what was collected, and its outcome."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.watcher: Watcher = Quiet()
        self.scenarios: dict[str, Scenario] = {}
        self.usage_errors: list[str] = []
        self.plan: Plan | None = None
        self.conductor: Conductor | None = None
        self.engine: Engine | None = None
        self.outcome: RunOutcome | None = None
        self.fault = ""
        self._began_s = 0.0
        self._catalogue: Catalogue | None = None

    @property
    def catalogue(self) -> Catalogue:
        """The flags, read once and only when a scenario was found."""
        if self._catalogue is None:
            if self.settings.coverage != "exhaustive":
                raise UsageError(f"--coverage {self.settings.coverage}: not known; there is `exhaustive`")
            self._catalogue = catalogues.load(self.settings.flags)
        return self._catalogue

    def adopt(self, scenario: Scenario) -> tuple[Trial, ...]:
        """Check a collected scenario against the flags; return its trials."""
        twin = self.scenarios.get(scenario.name)
        if twin and twin.place != scenario.place:
            raise UsageError(f"{scenario.place}: scenario '{scenario.name}' is there twice; first at {twin.place}")
        for flag in scenario.flags:
            if flag not in self.catalogue.names:
                hint = nearest(flag, self.catalogue.names)
                raise UsageError(
                    f"{scenario.place}: flag '{flag}' of scenario '{scenario.name}' is not in "
                    f"{self.settings.flags}{hint}"
                )
        self.scenarios[scenario.name] = scenario
        return exhaustive(self.catalogue, [scenario.name], self.settings.seed).trials

    def make_plan(self, selected: list[Trial]) -> Plan:
        """Plan the selected trials; the claim says whether they are all."""
        names = list(dict.fromkeys(trial.scenario for trial in selected))
        full = exhaustive(self.catalogue, names, self.settings.seed)
        self.plan = full.select([trial.id for trial in selected])
        return self.plan

    @contextmanager
    def performed(self) -> Iterator[None]:
        """Run the plan's engine for the length of the block; afterwards `outcome` is there and is written."""
        if self.plan is None:
            raise UsageError("no plan was made")
        self._began_s = time.monotonic()
        with ExitStack() as stack:
            place = stack.enter_context(store.Store.create(self.settings.out, self.plan, self.settings))
            self.conductor = Conductor(self.watcher)
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
        if self.plan is None or self.engine is None or self.conductor is None:
            return None
        self.conductor.stop()
        self.outcome = RunOutcome(
            plan=self.plan,
            results=tuple(self.conductor.results),
            control=self.engine.control,
            requests=self.engine.requests,
            elapsed_s=time.monotonic() - self._began_s,
            interrupted=interrupted,
            fault=self.fault or (f"the run was stopped: {self.engine.stopped}" if self.engine.stopped else ""),
        )
        summary.write(self.outcome, self.settings.out)
        return self.outcome

    def verdict_text(self) -> str:
        """Return the verdict as people read it."""
        if self.outcome is None:
            return ""
        return text.verdict(self.outcome, self.settings, store.load(self.settings.out))


RUN = pytest.StashKey[Run]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `harness run`."""
    group = parser.getgroup("harness", "multi-user scenarios under every feature-flag combination")
    group.addoption("--target", default="clinic", help="clinic, the address of one, or package.module:factory")
    group.addoption("--flags", default=str(DEFAULT_FLAGS), metavar="FILE", help="the flag catalogue, TOML")
    group.addoption("--flag-server", metavar="URL", help="a flag server that runs already (`harness serve`)")
    group.addoption("--coverage", default="exhaustive", help="which combinations: exhaustive")
    group.addoption("--flaw", action="append", default=[], metavar="NAME", help="plant a flaw in the clinic")
    group.addoption("--seed", type=int, default=0, metavar="N", help="what is drawn at random is drawn from it")
    group.addoption("--trial", action="append", default=[], metavar="ID", help="only this cell, as a failure names it")
    group.addoption("--scenario", action="append", default=[], metavar="NAME", help="only this scenario")
    group.addoption("--out", default=str(DEFAULT_OUT), metavar="DIR", help="where the run is written")


def pytest_configure(config: pytest.Config) -> None:
    """Read the options."""
    option = config.option
    config.stash[RUN] = Run(
        Settings(
            target=option.target,
            flags=Path(option.flags),
            flag_server=option.flag_server,
            coverage=option.coverage,
            flaws=tuple(option.flaw),
            seed=option.seed,
            trials=tuple(option.trial),
            out=Path(option.out),
        )
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect Python files that hold scenarios, wherever they lie; test files stay pytest's own."""
    if file_path.suffix != ".py" or file_path.name.startswith("test_") or file_path.name == "conftest.py":
        return None
    source = file_path.read_text(encoding="utf-8", errors="replace")
    if "@scenario(" in source and "harness" in source:
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.Module):
    """A file of scenarios."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for every trial of every scenario that is defined in the file."""
        run = self.config.stash[RUN]
        try:
            found = [each for each in vars(self.obj).values() if isinstance(each, Scenario)]
            for scenario in (each for each in found if each.path == self.path):
                for trial in run.adopt(scenario):
                    name = f"{scenario.name}[{trial.combination.label}-{trial.id}]"
                    yield ScenarioItem.from_parent(self, name=name, trial=trial, scenario=scenario)
        except UsageError as error:
            run.usage_errors.append(str(error))
            raise self.CollectError(str(error)) from error


class ScenarioItem(pytest.Item):
    """A view on one trial: it waits for the engine's result and reports it."""

    def __init__(self, *, trial: Trial, scenario: Scenario, **options: Any) -> None:
        super().__init__(**options)
        self.trial = trial
        self.obj = self.function = scenario.story
        self.scenario = scenario
        self.funcargs: dict[str, Any] = {}

    def runtest(self) -> None:
        """Wait for the trial; raise Leak or NoVerdict unless it is valid."""
        run = self.config.stash[RUN]
        if run.conductor is None:
            raise NoVerdict("the run did not begin")
        result = run.conductor.result(self.trial)
        stored = store.load(run.settings.out)
        allure.describe(result, self.scenario, stored)
        if result.verdict is Verdict.INVALID:
            raise Leak(text.failure(result, run.settings, stored))
        if result.verdict is Verdict.UNKNOWN:
            raise NoVerdict(text.failure(result, run.settings, stored))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the failure as a sentence; a traceback would only show this file."""
        if isinstance(excinfo.value, Leak | NoVerdict):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Point to the scenario's definition."""
        return self.scenario.path, self.scenario.line - 1, self.name


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Narrow to the cells of --trial and the scenarios of --scenario."""
    settings, run = config.stash[RUN].settings, config.stash[RUN]
    names = set(config.option.scenario)
    for name in names - set(run.scenarios):
        raise pytest.UsageError(f"no scenario is named '{name}'{nearest(name, run.scenarios)}")
    views = [item for item in items if isinstance(item, ScenarioItem)]
    ids = [item.trial.id for item in views]
    for wanted in settings.trials:
        if views and not any(one.startswith(wanted) for one in ids):
            raise pytest.UsageError(f"--trial {wanted}: not in the plan{nearest(wanted, ids)}")
    dropped = [
        item
        for item in views
        if (names and item.scenario.name not in names)
        or (settings.trials and not any(item.trial.id.startswith(wanted) for wanted in settings.trials))
    ]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        gone = set(dropped)
        items[:] = [item for item in items if item not in gone]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make the plan of what was selected, or refuse it all when a scenario was wrong."""
    run = session.config.stash[RUN]
    if run.usage_errors:
        raise pytest.UsageError(run.usage_errors[0])
    selected = [item.trial for item in session.items if isinstance(item, ScenarioItem)]
    if not selected:
        return
    try:
        run.watcher.planned(run.make_plan(selected))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Print the plan before anything runs."""
    plan = config.stash[RUN].plan
    return as_text(plan).splitlines() if plan else []


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Run the engine for as long as pytest goes through its items."""
    run = session.config.stash[RUN]
    if run.plan is None or session.config.option.collectonly:
        return (yield)
    try:
        with _terminated_like_interrupted(), run.performed():
            return (yield)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    except FlagError as error:
        raise session.Interrupted(str(error)) from error


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the summary and give the session the run's own exit code."""
    run = session.config.stash.get(RUN, None)
    if run is None or run.plan is None or exitstatus in (ExitCode.FAULT, ExitCode.USAGE):
        return
    interrupted = exitstatus == ExitCode.INTERRUPTED and not run.fault
    outcome = run.conclude(interrupted=interrupted)
    if outcome is None:
        return
    views = [item for item in session.items if isinstance(item, ScenarioItem)]
    others_failed = exitstatus == ExitCode.INVALID and len(views) < len(session.items)
    session.exitstatus = ExitCode.INVALID if others_failed and outcome.exit_code in (0, 6) else outcome.exit_code
    run.watcher.judged(run.verdict_text())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the verdict last."""
    said = config.stash[RUN].verdict_text()
    if said:
        terminalreporter.section("verdict")
        terminalreporter.write_line(said)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does: what was started is ended, what was found is written."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
