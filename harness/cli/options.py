"""Options that several commands have, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Scenarios = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SCENARIO]...", help="Scenario files, folders or names; all of scenarios/ when none."),
]
TargetOption = Annotated[
    str,
    typer.Option(metavar="T", help="clinic (started for the run), the address of one, or package.module:factory."),
]
DriverOption = Annotated[
    str,
    typer.Option(
        "--driver",
        metavar="D",
        help="What moves the target: api, browser (real Chromium, through the target's pages), or each role its own: "
        "patient=browser,clinician=api; a role that is not named has the API.",
    ),
]
Chosen = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FLAG=VARIANT", help="Play only combinations in which the flag is so; repeatable."),
]
ChosenForPeople = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FLAG=VARIANT", help="What people get; releases are on unless set. Repeatable."),
]
FlagsOption = Annotated[Path, typer.Option(metavar="FILE", help="The flag catalogue.")]
FlagServer = Annotated[
    str | None,
    typer.Option(metavar="URL", help="A flag server that runs already, as `harness serve` prints it."),
]
FlagServerOrNone = Annotated[
    str | None,
    typer.Option(
        metavar="URL|down",
        help="A flag server that runs already, as `harness serve` prints it; or `down`: the target starts while nobody "
        "answers where it reads its flags, so that every flag is off.",
    ),
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
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where the run is written; an earlier run there is replaced.")]
