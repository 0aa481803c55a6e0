"""`harness run`, `plan` and `check`: pytest with the harness's own console in place of pytest's terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.app import EXIT_CODES, app
from harness.cli.options import (
    Chosen,
    Coverage,
    DriverOption,
    FlagServerOrNone,
    FlagsOption,
    Flaws,
    Out,
    Scenarios,
    Seed,
    TargetOption,
    Trials,
)
from harness.errors import UsageError, nearest
from harness.planning.coverage import AUTO
from harness.planning.render import as_json, as_text
from harness.pytest_run import PlanKeeper, run_pytest
from harness.reporting import text
from harness.reporting.console import Console, say
from harness.running.outcome import ExitCode
from harness.running.recheck import recheck
from harness.running.settings import DEFAULT_DRIVER, DEFAULT_FLAGS, DEFAULT_OUT, DEFAULT_SCENARIOS, DEFAULT_TARGET
from harness.running.store import require_ours


@app.command(epilog=EXIT_CODES)
def run(
    scenario: Scenarios = None,
    target: TargetOption = DEFAULT_TARGET,
    driver: DriverOption = DEFAULT_DRIVER,
    flags: FlagsOption = DEFAULT_FLAGS,
    flag_server: FlagServerOrNone = None,
    coverage: Coverage = AUTO,
    chosen: Chosen = None,
    flaw: Flaws = None,
    seed: Seed = 0,
    trial: Trials = None,
    out: Out = DEFAULT_OUT,
) -> None:
    """Run scenarios under all flag combinations that --coverage says, and judge who could see whose media.

    Writes DIR/summary.json, one ledger a trial, JUnit and Allure results.
    """
    require_ours(out)
    once = {"target": target, "driver": driver, "flags": flags, "flag-server": flag_server, "coverage": coverage}
    options = _options(once | {"seed": seed, "out": out}, {"set": chosen, "flaw": flaw, "trial": trial})
    console = Console()
    try:
        code = run_pytest([*_selection(scenario), *options, "--reports"], console)
    finally:
        console.stop()
    if code == ExitCode.VALID and not console.has_judged:
        raise UsageError(
            "nothing was run: look for --collect-only and the like in PYTEST_ADDOPTS and pytest's own settings"
        )
    raise typer.Exit(code)


@app.command()
def plan(
    scenario: Scenarios = None,
    target: TargetOption = DEFAULT_TARGET,
    driver: DriverOption = DEFAULT_DRIVER,
    flags: FlagsOption = DEFAULT_FLAGS,
    flag_server: FlagServerOrNone = None,
    coverage: Coverage = AUTO,
    chosen: Chosen = None,
    flaw: Flaws = None,
    seed: Seed = 0,
    trial: Trials = None,
    out: Out = DEFAULT_OUT,
    output: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text or json.")] = "text",
) -> None:
    """Print what `harness run` with the same arguments would run, and run nothing."""
    if output not in ("text", "json"):
        raise UsageError(f"--format {output}: not known; there are text and json")
    once = {"target": target, "driver": driver, "flags": flags, "flag-server": flag_server, "coverage": coverage}
    options = _options(once | {"seed": seed, "out": out}, {"set": chosen, "flaw": flaw, "trial": trial})
    keeper = PlanKeeper()
    code = run_pytest([*_selection(scenario), *options, "--collect-only"], keeper)
    if keeper.plan is not None and code == ExitCode.VALID:
        say(as_text(keeper.plan, rows=sys.maxsize) if output == "text" else as_json(keeper.plan))
    raise typer.Exit(code)


@app.command(epilog=EXIT_CODES)
def check(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A stored run, such as reports/out.")],
) -> None:
    """Judge a stored run again from its ledgers, without running anything."""
    outcome, settings, stored = recheck(directory)
    say(text.verdict(outcome, settings, stored) + "\n")
    raise typer.Exit(outcome.exit_code)


def _selection(scenarios: list[str] | None) -> list[str]:
    """Split the arguments into paths for pytest and names for --scenario."""
    paths, names = [], []
    for each in scenarios or []:
        if Path(each.partition("::")[0]).exists() or "/" in each or each.endswith(".py"):
            paths.append(each)
        else:
            names.append(f"--scenario={each}")
    if not paths and not DEFAULT_SCENARIOS.is_dir():
        raise UsageError(
            f"no scenario is named: there is no folder {DEFAULT_SCENARIOS}/ here, so name a file or a folder"
        )
    for path in paths:
        _require_path(path)
    return [*(paths or [str(DEFAULT_SCENARIOS)]), *names]


def _require_path(path: str) -> None:
    """Raise UsageError with the nearest right name when a scenario file or folder does not exist."""
    file = Path(path.partition("::")[0])
    if not file.exists():
        known = [str(each) for each in file.parent.glob("*.py")] if file.parent.is_dir() else []
        raise UsageError(f"{file}: no such scenario file or folder{nearest(str(file), known)}")


def _options(once: Mapping[str, object], repeated: Mapping[str, list[str] | None]) -> list[str]:
    """Return the options as pytest takes them; what is None was not given."""
    options = [f"--{name}={value}" for name, value in once.items() if value is not None]
    return options + [f"--{name}={value}" for name, values in repeated.items() for value in values or ()]
