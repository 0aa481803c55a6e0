"""`harness serve`, `flaws` and `drill`: the reference clinic, what can be planted in it, and whether it is seen."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated

import typer

from harness import serving
from harness.checks import NAMES
from harness.cli.app import app
from harness.cli.options import ChosenForPeople, FlagsOption, Flaws
from harness.clinic.flaws import FLAWS
from harness.drilling.command import CORES, DEFAULT_DRILL
from harness.drilling.command import drill as run_drill
from harness.reporting.console import say
from harness.running.settings import DEFAULT_FLAGS

DRILL_EXIT_CODES = (
    "Exit codes: 0 the sound clinic is clean and every flaw is seen by the check that it names, 1 an instrument that "
    "does not see, 2 interrupted, 3 harness fault, 4 usage, 6 a run gave no verdict."
)

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


@app.command()
def flaws() -> None:
    """List the flaws that can be planted in the clinic with --flaw, to see the checks see them."""
    for flaw in FLAWS:
        say(f"{flaw.name}\n")
        for label, words in (
            ("what happens", flaw.what_happens),
            ("modelled on", flaw.modelled_on),
            ("wakes when", flaw.wakes_when),
            ("seen by", flaw.seen_by if flaw.seen_by in NAMES else f"{flaw.seen_by}, a check that is not there yet"),
        ):
            told = textwrap.fill(words, 100, initial_indent=f"  {label:<13}", subsequent_indent=" " * 15)
            say(f"{told}\n")


@app.command()
def serve(
    port: Annotated[int, typer.Option(metavar="PORT", help="The clinic's port; 0 takes a free one.")] = 8080,
    flag_port: Annotated[int, typer.Option(metavar="PORT", help="The flag server's port; 0 takes a free one.")] = 4242,
    flags: FlagsOption = DEFAULT_FLAGS,
    chosen: ChosenForPeople = None,
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
