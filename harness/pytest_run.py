"""Running pytest with a spectator of the harness's own in the place of pytest's terminal."""

from __future__ import annotations

import sys
from collections.abc import Generator

import pytest

from harness.planning.plan import Plan
from harness.pytest_plugin import SESSION
from harness.running.outcome import ExitCode
from harness.session import Quiet, Session, Spectator


class PlanKeeper(Quiet):
    """The spectator of `harness plan`: keeps the plan."""

    def __init__(self) -> None:
        self.plan: Plan | None = None

    def planned(self, plan: Plan) -> None:
        """Keep the plan."""
        self.plan = plan


class _Terminal:
    """A pytest plugin that puts a spectator of the harness's own in the place of pytest's terminal."""

    def __init__(self, spectator: Spectator) -> None:
        self._spectator = spectator
        self.errors: list[str] = []
        self.refusal = ""
        self.session: Session | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_cmdline_main(self) -> Generator[None, object, object]:
        """Keep what pytest would say of a bad input in two lines and in its own voice."""
        try:
            return (yield)
        except pytest.UsageError as error:
            self.refusal = str(error)
            return ExitCode.USAGE

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Take the terminal."""
        config.pluginmanager.unregister(name="terminalreporter")
        self.session = config.stash[SESSION]
        self.session.spectator = self._spectator

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the reason why a file could not be collected: nobody else shows it."""
        if report.failed:
            self.errors.append(f"{report.nodeid}: {report.longreprtext.strip().splitlines()[-1]}")


def run_pytest(arguments: list[str], spectator: Spectator) -> int:
    """Run pytest; return its exit code, with a line on standard error where it would otherwise be silent."""
    terminal = _Terminal(spectator)
    code = int(pytest.main([*arguments, "--capture=no", "-p", "no:cacheprovider"], plugins=[terminal]))
    if terminal.session and terminal.session.exit_code is not None:
        return terminal.session.exit_code
    if terminal.refusal:
        return refuse(terminal.refusal)
    if code == ExitCode.INTERRUPTED and terminal.errors:
        return refuse(terminal.errors[0])
    if code == ExitCode.NOTHING_COLLECTED:
        return refuse("no scenario was found: a scenario is an `async def` under `@scenario` in a Python file")
    return code


def refuse(message: str) -> int:
    """Say in one line on standard error what the author has to mend; return the exit code for that."""
    sys.stderr.write(f"error: {' '.join(message.split())}\n")
    return ExitCode.USAGE
