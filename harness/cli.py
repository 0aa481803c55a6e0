"""The command `harness`. `harness run` is pytest with the harness's own console in place of pytest's terminal."""

from __future__ import annotations

import sys
import textwrap
import traceback
from pathlib import Path
from typing import Annotated

import typer

from harness import serving
from harness.clinic.flaws import FLAWS
from harness.drilling.command import CORES, DEFAULT_DRILL
from harness.drilling.command import drill as run_drill
from harness.drilling.sight import CHECKS
from harness.errors import HarnessError, UsageError, nearest
from harness.planning.coverage import AUTO
from harness.planning.render import as_json, as_text
from harness.pytest_run import PlanKeeper, refuse, run_pytest
from harness.reporting import text
from harness.reporting.console import Console
from harness.running.outcome import ExitCode
from harness.running.recheck import recheck
from harness.running.settings import DEFAULT_FLAGS, DEFAULT_OUT, DEFAULT_SCENARIOS, DEFAULT_TARGET
from harness.running.store import require_ours

EXIT_CODES = "Exit codes: 0 valid, 1 invalid, 2 interrupted, 3 harness fault, 4 usage, 5 nothing collected, 6 unknown."
DRILL_EXIT_CODES = (
    "Exit codes: 0 the sound clinic is clean and every flaw is seen by the check that it names, 1 an instrument that "
    "does not see, 2 interrupted, 3 harness fault, 4 usage, 6 a run gave no verdict."
)

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Play several users at once against a telehealth deployment under every feature-flag combination, and "
    "fail when anybody can see media that is not theirs.",
    epilog=EXIT_CODES,
)

Scenarios = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SCENARIO]...", help="Scenario files, folders or names; all of scenarios/ when none."),
]
TargetOption = Annotated[
    str,
    typer.Option(metavar="T", help="clinic (started for the run), the address of one, or package.module:factory."),
]
FlagsOption = Annotated[Path, typer.Option(metavar="FILE", help="The flag catalogue.")]
FlagServer = Annotated[
    str | None,
    typer.Option(metavar="URL", help="A flag server that runs already, as `harness serve` prints it."),
]
Coverage = Annotated[
    str,
    typer.Option(
        metavar="C",
        help="Which combinations: exhaustive (every valid one), t-way:N (every valid choice of variants for any N "
        "flags, N from 1 to 6) or auto (exhaustive when they are few, else the strongest t-way up to 3).",
    ),
]
Flaws = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Plant this flaw in the clinic (`harness flaws`); repeatable."),
]
Seed = Annotated[int, typer.Option(metavar="N", help="What is drawn at random is drawn from this.")]
Trials = Annotated[
    list[str] | None,
    typer.Option("--trial", metavar="ID", help="Only this trial, as a failure names it; repeatable."),
]
ScenarioPaths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[SCENARIO]...", help="Scenario files or folders; all of scenarios/ when none."),
]
DrilledFlaws = Annotated[
    list[str] | None,
    typer.Option("--flaw", metavar="NAME", help="Only this flaw (`harness flaws`); repeatable."),
]
Jobs = Annotated[int, typer.Option(metavar="N", help="How many run side by side; as many as there are cores.")]
DrillOut = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Where the drill is written; an earlier drill there is replaced.")
]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where the run is written; an earlier run there is replaced.")]


@app.callback(invoke_without_command=True)
def _without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        sys.stderr.write(context.get_help() + "\n")
        raise typer.Exit(ExitCode.USAGE)


@app.command(epilog=EXIT_CODES)
def run(
    scenario: Scenarios = None,
    target: TargetOption = DEFAULT_TARGET,
    flags: FlagsOption = DEFAULT_FLAGS,
    flag_server: FlagServer = None,
    coverage: Coverage = AUTO,
    flaw: Flaws = None,
    seed: Seed = 0,
    trial: Trials = None,
    out: Out = DEFAULT_OUT,
) -> None:
    """Run scenarios under every valid flag combination and judge who could see whose media.

    Writes DIR/summary.json, one ledger a trial, JUnit and Allure results.
    """
    require_ours(out)
    options = _options(target, flags, flag_server, coverage, flaw, seed, trial, out)
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
    flags: FlagsOption = DEFAULT_FLAGS,
    flag_server: FlagServer = None,
    coverage: Coverage = AUTO,
    flaw: Flaws = None,
    seed: Seed = 0,
    trial: Trials = None,
    out: Out = DEFAULT_OUT,
    output: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text or json.")] = "text",
) -> None:
    """Print what `harness run` with the same arguments would run, and run nothing."""
    if output not in ("text", "json"):
        raise UsageError(f"--format {output}: not known; there are text and json")
    options = _options(target, flags, flag_server, coverage, flaw, seed, trial, out)
    keeper = PlanKeeper()
    code = run_pytest([*_selection(scenario), *options, "--collect-only"], keeper)
    if keeper.plan is not None and code == ExitCode.VALID:
        sys.stdout.write(as_text(keeper.plan, rows=sys.maxsize) if output == "text" else as_json(keeper.plan))
    raise typer.Exit(code)


@app.command(epilog=EXIT_CODES)
def check(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A stored run, such as reports/out.")],
) -> None:
    """Judge a stored run again from its ledgers, without running anything."""
    outcome, settings, stored = recheck(directory)
    sys.stdout.write(text.verdict(outcome, settings, stored) + "\n")
    raise typer.Exit(outcome.exit_code)


@app.command()
def flaws() -> None:
    """List the flaws that can be planted in the clinic with --flaw, to see the checks see them."""
    for flaw in FLAWS:
        sys.stdout.write(f"{flaw.name}\n")
        for label, words in (
            ("what happens", flaw.what_happens),
            ("modelled on", flaw.modelled_on),
            ("wakes when", flaw.wakes_when),
            ("seen by", flaw.seen_by if flaw.seen_by in CHECKS else f"{flaw.seen_by}, a check that is not there yet"),
        ):
            sys.stdout.write(textwrap.fill(words, 100, initial_indent=f"  {label:<13}", subsequent_indent=" " * 15))
            sys.stdout.write("\n")


@app.command()
def serve(
    port: Annotated[int, typer.Option(metavar="PORT", help="The clinic's port; 0 takes a free one.")] = 8080,
    flag_port: Annotated[int, typer.Option(metavar="PORT", help="The flag server's port; 0 takes a free one.")] = 4242,
    flags: FlagsOption = DEFAULT_FLAGS,
    chosen: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FLAG=VARIANT", help="What people get; releases are on unless set. Repeatable."),
    ] = None,
    flaw: Flaws = None,
    database: Annotated[
        str, typer.Option(metavar="URL", help="An SQLite file, or postgresql://...; kept nowhere by default.")
    ] = ":memory:",
    replicas: Annotated[int, typer.Option(metavar="N", help="Processes of the clinic behind its one address.")] = 1,
) -> None:
    """Start the clinic and its flag server, with a few accounts, to look at by hand; Ctrl-C ends both."""
    serving.serve(
        serving.Served(
            flags=flags,
            chosen=tuple(chosen or ()),
            flaws=tuple(flaw or ()),
            port=port,
            flag_port=flag_port,
            database=database,
            replicas=replicas,
        )
    )


@app.command(epilog=DRILL_EXIT_CODES)
def drill(
    scenario: ScenarioPaths = None,
    flaw: DrilledFlaws = None,
    jobs: Jobs = CORES,
    flags: FlagsOption = DEFAULT_FLAGS,
    out: DrillOut = DEFAULT_DRILL,
) -> None:
    """Run the sound clinic and each planted flaw, and say whether each is seen by the check that it names.

    Writes DIR/drill.json and each one's run into DIR/NAME, where `harness check` reads it.
    """
    raise typer.Exit(run_drill(tuple(scenario or ()), tuple(flaw or ()), flags=flags, out=out, jobs=jobs))


def main() -> None:
    """Run the command line; an author's fault is one line on standard error and exit code 4, the harness's own is 3."""
    try:
        code = app(standalone_mode=False)
    except UsageError as error:
        code = refuse(str(error))
    except typer.TyperException as error:
        code = refuse(error.format_message())
    except (typer.Abort, KeyboardInterrupt):
        code = ExitCode.INTERRUPTED
    except HarnessError as error:
        sys.stderr.write(f"error: {error}\n")
        code = ExitCode.FAULT
    except Exception:  # noqa: BLE001 - whatever it is: Python's own exit code 1 would say that the target leaks
        traceback.print_exc()
        code = ExitCode.FAULT
    sys.exit(int(code or 0))


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


def _options(
    target: str,
    flags: Path,
    flag_server: str | None,
    coverage: str,
    flaw: list[str] | None,
    seed: int,
    trial: list[str] | None,
    out: Path,
) -> list[str]:
    options = [
        f"--target={target}",
        f"--flags={flags}",
        f"--coverage={coverage}",
        f"--seed={seed}",
        f"--out={out}",
    ]
    options += [f"--flag-server={flag_server}"] if flag_server else []
    options += [f"--flaw={name}" for name in flaw or []]
    return options + [f"--trial={each}" for each in trial or []]
