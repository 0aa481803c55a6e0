"""The pytest plugin: scenario files are collected, items are views on trials, and the run decides the exit code.

`pytest scenarios` and `harness run` go through here alike. The engine runs the trials, many at once; an item
waits for the result of its own. The verdict is made of the engine's results and never of what pytest makes of
its items, so that no skip, rerun or muted test can turn a leak green.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import xml_key  # the one way to a JUnit report whose place is known only when the run begins

from harness.errors import FlagError, UsageError, nearest
from harness.interruption import interrupted_once
from harness.model import Trial, Verdict
from harness.planning.coverage import AUTO
from harness.planning.plan import trial_id
from harness.planning.render import as_text
from harness.reporting import allure, text
from harness.running import store
from harness.running.outcome import ExitCode
from harness.running.settings import DEFAULT_DRIVER, DEFAULT_FLAGS, DEFAULT_OUT, DEFAULT_TARGET, Settings
from harness.scenario import DEFINED, Scenario
from harness.scenario_files import fault_in, holds_scenarios, scenarios_of
from harness.session import Session


class Leak(AssertionError):
    """A trial is invalid: Allure shows it as failed."""


class NoVerdict(Exception):
    """A trial is unknown: Allure shows it as broken."""


SESSION = pytest.StashKey[Session]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `harness run`."""
    group = parser.getgroup("harness", "multi-user scenarios under every feature-flag combination")
    group.addoption("--target", default=DEFAULT_TARGET, help="clinic, the address of one, or package.module:factory")
    group.addoption("--driver", default=DEFAULT_DRIVER, metavar="D", help="api, browser or ROLE=HANDS,ROLE=HANDS")
    group.addoption("--flags", default=str(DEFAULT_FLAGS), metavar="FILE", help="the flag catalogue, TOML")
    group.addoption("--flag-server", metavar="URL", help="a flag server that runs already (`harness serve`)")
    group.addoption("--coverage", default=AUTO, metavar="C", help="which combinations: auto, exhaustive or t-way:N")
    group.addoption("--set", action="append", default=[], metavar="FLAG=VARIANT", help="hold a flag at a variant")
    group.addoption("--flaw", action="append", default=[], metavar="NAME", help="plant a flaw in the clinic")
    group.addoption("--seed", type=int, default=0, metavar="N", help="what is drawn at random is drawn from it")
    group.addoption("--trial", action="append", default=[], metavar="ID", help="only this cell, as a failure names it")
    group.addoption("--scenario", action="append", default=[], metavar="NAME", help="only this scenario")
    group.addoption("--out", default=str(DEFAULT_OUT), metavar="DIR", help="where the run is written")
    group.addoption("--reports", action="store_true", help="write DIR/junit.xml and DIR/allure-results too")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the options."""
    option = config.option
    if option.reports and not option.xmlpath:
        option.xmlpath = os.devnull
    config.stash[SESSION] = Session(
        Settings(
            paths=tuple(config.args),
            target=option.target,
            driver=option.driver,
            flags=Path(option.flags),
            flag_server=option.flag_server,
            coverage=option.coverage,
            chosen=tuple(option.set),
            flaws=tuple(option.flaw),
            seed=option.seed,
            trials=tuple(option.trial),
            out=Path(option.out),
        )
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect Python files that hold scenarios, wherever they lie; test files stay pytest's own."""
    return ScenarioFile.from_parent(parent, path=file_path) if holds_scenarios(file_path) else None


class ScenarioFile(pytest.Module):
    """A file of scenarios."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for every trial of every scenario that is defined in the file."""
        run = self.config.stash[SESSION]
        try:
            for scenario in self._scenarios():
                for trial in run.adopt(scenario):
                    name = f"{scenario.name}[{trial.combination.label}-{trial.id}]"
                    yield ScenarioItem.from_parent(self, name=name, trial=trial, scenario=scenario)
        except UsageError as error:
            run.usage_errors.append(str(error))
            raise self.CollectError(str(error)) from error

    def _scenarios(self) -> list[Scenario]:
        """Import the file; raise UsageError, in a line, for whatever is wrong with it."""
        try:
            names = vars(self.obj)
        except UsageError:
            raise
        except (Exception, pytest.skip.Exception) as error:  # foreign code: what it raises is its author's to mend
            cause = error.__cause__ if isinstance(error, self.CollectError) and error.__cause__ else error
            raise fault_in(self.path, cause) from error
        return scenarios_of(self.path, names)


class ScenarioItem(pytest.Item):
    """A view on one trial: it waits for the engine's result and reports it."""

    def __init__(self, *, trial: Trial, scenario: Scenario, **options: Any) -> None:
        super().__init__(**options)
        self.trial = trial
        self.scenario = scenario
        # allure-pytest reads these of every item.
        self.obj = self.function = scenario.story
        self.funcargs: dict[str, Any] = {}

    def runtest(self) -> None:
        """Wait for the trial; raise Leak or NoVerdict unless it is valid."""
        run = self.config.stash[SESSION]
        if run.conductor is None:
            raise NoVerdict("the run did not begin")
        result = run.conductor.result(self.trial)
        allure.describe(result, self.scenario, run.stored)
        if result.verdict is Verdict.INVALID:
            raise Leak(text.failure(result, run.settings, run.stored))
        if result.verdict is Verdict.UNKNOWN:
            raise NoVerdict(text.failure(result, run.settings, run.stored))

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
    run = config.stash[SESSION]
    settings = run.settings
    names = set(config.option.scenario)
    for name in sorted(names - set(run.scenarios)):
        hint = nearest(name, run.scenarios) or f"; there are {', '.join(sorted(run.scenarios))}"
        run.usage_errors.append(f"no scenario is named '{name}'{hint}")
    views = [item for item in items if isinstance(item, ScenarioItem)]
    try:
        cells = {trial_id(wanted, [item.trial.id for item in views]) for wanted in settings.trials if views}
    except UsageError as error:
        run.usage_errors.append(f"--trial: {error}")
        return
    dropped = [item for item in items if config.option.reports and not isinstance(item, ScenarioItem)]
    dropped += [
        item for item in views if (names and item.scenario.name not in names) or (cells and item.trial.id not in cells)
    ]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        gone = set(dropped)
        items[:] = [item for item in items if item not in gone]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make the plan of what was selected, or refuse it all when a scenario was wrong."""
    run = session.config.stash[SESSION]
    if run.usage_errors:
        raise pytest.UsageError(run.usage_errors[0])
    selected = [item.trial for item in session.items if isinstance(item, ScenarioItem)]
    if not selected:
        return
    adopted = set(run.scenarios)
    strays = [each for each in DEFINED if each.name not in adopted and each.path.name.startswith("test_")]
    if strays:
        raise pytest.UsageError(
            f"{strays[0].place}: a scenario in a test file is not played; give the file another name"
        )
    try:
        run.spectator.planned(run.make_plan(selected))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Print the plan before anything runs."""
    plan = config.stash[SESSION].plan
    return as_text(plan).splitlines() if plan else []


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Run the engine for as long as pytest goes through its items."""
    run = session.config.stash[SESSION]
    if run.plan is None or session.config.option.collectonly:
        return (yield)
    try:
        # Until pytest itself has ended: what came of the run is still to be written.
        whole = ExitStack()
        whole.enter_context(interrupted_once())
        session.config.add_cleanup(whole.close)
        with run.opened() as place:
            if session.config.option.reports:
                _begin_reports(session.config, run.settings.out)
            with run.performed(place):
                return (yield)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    except FlagError as error:
        raise session.Interrupted(str(error)) from error


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None, object, object]:
    """Write the summary and give the session the run's own exit code, whatever other plugins make of it."""
    run = session.config.stash.get(SESSION, None)
    if run is None or run.plan is None or exitstatus in (ExitCode.FAULT, ExitCode.USAGE):
        return (yield)
    _conclude(run, session, exitstatus)
    run.exit_code = session.exitstatus
    try:
        return (yield)
    finally:
        session.exitstatus = run.exit_code


def _conclude(run: Session, session: pytest.Session, exitstatus: int) -> None:
    interrupted = exitstatus == ExitCode.INTERRUPTED and not run.fault
    try:
        outcome = run.conclude(interrupted=interrupted)
    except Exception:  # noqa: BLE001 - whatever it is: it would leave pytest as exit code 1, which says that the target leaks
        session.exitstatus = ExitCode.FAULT
        session.config.notify_exception(pytest.ExceptionInfo.from_current())
        return
    if outcome is None:
        return
    failed = run.others_failed and outcome.exit_code in (ExitCode.VALID, ExitCode.UNKNOWN)
    session.exitstatus = ExitCode.INVALID if failed else outcome.exit_code
    run.spectator.judged(outcome.verdict, run.verdict_text())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See whether an ordinary test in the same session failed: the scenarios' verdict does not cover it."""
    report = yield
    if report.failed and not isinstance(item, ScenarioItem):
        item.config.stash[SESSION].others_failed = True
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the verdict last."""
    said = config.stash[SESSION].verdict_text()
    if said:
        terminalreporter.section("verdict")
        terminalreporter.write_line(said)


def _begin_reports(config: pytest.Config, directory: Path) -> None:
    """Point JUnit and Allure into the run's directory: not before, so that a refused run leaves the last one's."""
    config.stash[xml_key].logfile = str(directory / store.JUNIT)
    allure.begin(config, directory / store.ALLURE_RESULTS)
