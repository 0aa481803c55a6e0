"""`harness report`: an Allure 3 report of a stored run. It shows a run and never judges one."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.app import app
from harness.errors import UsageError, nearest
from harness.interruption import interrupted_once
from harness.reporting.console import say
from harness.reporting.report.build import make
from harness.reporting.report.history import DEFAULT_HISTORY
from harness.running.settings import DEFAULT_OUT
from harness.running.store import ALLURE_REPORT, RUN

LEFT_OUT_SHOWN = 5
REPORT_EXIT_CODES = (
    "Exit codes: 0 a report was made, whatever the run's verdict is (`harness check` judges), 2 interrupted, 3 Allure "
    "failed, 4 usage: no run is there, or Node or Allure is missing."
)


@app.command(epilog=REPORT_EXIT_CODES)
def report(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A stored run.")] = DEFAULT_OUT,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=f"Where the report is written; DIR/{ALLURE_REPORT} by default. An earlier one is replaced.",
        ),
    ] = None,
    history: Annotated[
        Path, typer.Option(metavar="FILE", help="What reports compare with; a line a run, the last 20 runs are kept.")
    ] = DEFAULT_HISTORY,
    open_it: Annotated[bool, typer.Option("--open", help="Open the report in a browser.")] = False,
) -> None:
    """Make an Allure 3 report of a stored run, which opens without a server or a network.

    Needs Node and the npm package allure 3.18: npm ci --prefix reports.
    """
    _require_run(directory)
    with interrupted_once():
        made = make(directory, to or directory / ALLURE_REPORT, history, _say)
    _say(f"{made.headline}\nreport: {made.page}")
    for path in made.left_out[:LEFT_OUT_SHOWN]:
        _say(f"not in the report, for want of room or since it could not be cleaned of secrets: {path}")
    if len(made.left_out) > LEFT_OUT_SHOWN:
        _say(f"... and {len(made.left_out) - LEFT_OUT_SHOWN:,} more")
    if made.not_kept:
        raise UsageError(f"the report was made, but not added to the history: {made.not_kept}")
    if open_it and not webbrowser.open(made.page.resolve().as_uri()):
        sys.stderr.write("no browser could be started; open the file yourself\n")


def _say(words: str) -> None:
    say(f"{words}\n")


def _require_run(directory: Path) -> None:
    """Raise UsageError with the nearest run's name when there is no such directory."""
    if directory.is_dir():
        return
    parent = directory.parent
    runs = [str(each.parent) for each in parent.glob(f"*/{RUN}")] if parent.is_dir() else []
    hint = nearest(str(directory), runs) or (f"; there are {', '.join(sorted(runs)[:5])}" if runs else "")
    what = "it is not a run's directory" if directory.exists() else "no stored run is there"
    raise UsageError(f"{directory}: {what}{hint or '; `harness run` makes one'}")
