"""`harness explore`: stories that nobody wrote, until one shows a leak or the budget ends."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.app import app
from harness.cli.options import Chosen, FlagServer, FlagsOption, Flaws, Seed, TargetOption
from harness.explore.command import explore as run_exploration
from harness.running.settings import DEFAULT_FLAGS, DEFAULT_TARGET, Settings

EXPLORE_EXIT_CODES = (
    "Exit codes: 0 nothing was found in what was tried, 1 invalid, 2 interrupted, 3 harness fault, 4 usage, "
    "6 no verdict."
)

Budget = Annotated[
    str, typer.Option(metavar="TIME", help="How long to explore, from the start to the end: 60s, 5m or 90 (seconds).")
]
Save = Annotated[
    Path | None,
    typer.Option("--save", metavar="DIR", help="Keep the smallest story that fails there, as a scenario file."),
]


@app.command(epilog=EXPLORE_EXIT_CODES)
def explore(
    target: TargetOption = DEFAULT_TARGET,
    flags: FlagsOption = DEFAULT_FLAGS,
    flag_server: FlagServer = None,
    chosen: Chosen = None,
    flaw: Flaws = None,
    seed: Seed = 0,
    budget: Budget = "60s",
    save: Save = None,
) -> None:
    """Make up stories of two to four people, under any flags, until one shows a leak; shrink that one and keep it.

    What makes them up is Hypothesis; what judges them are the checks of `harness run`.
    """
    settings = Settings(
        target=target,
        flags=flags,
        flag_server=flag_server,
        chosen=tuple(chosen or ()),
        flaws=tuple(flaw or ()),
        seed=seed,
    )
    raise typer.Exit(run_exploration(settings, budget, save))
