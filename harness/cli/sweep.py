"""`harness sweep`: every operation of the target's API as everybody, and whose data the answers hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.app import app
from harness.cli.options import ChosenForPeople, FlagServer, FlagsOption, Flaws, Seed, TargetOption
from harness.reporting.console import say
from harness.running.settings import DEFAULT_FLAGS, DEFAULT_TARGET, Settings

SWEEP_EXIT_CODES = (
    "Exit codes: 0 no answer held anything of somebody else's, 1 one did, 2 interrupted, 3 harness fault, 4 usage, "
    "6 unknown: too few operations were reached, or the sweep was not seen to work."
)
DEFAULT_OUT = Path("reports/sweep")


@app.command(epilog=SWEEP_EXIT_CODES)
def sweep(
    target: TargetOption = DEFAULT_TARGET,
    flags: FlagsOption = DEFAULT_FLAGS,
    flag_server: FlagServer = None,
    flaw: Flaws = None,
    openapi: Annotated[
        str | None,
        typer.Option(metavar="FILE|URL", help="The OpenAPI document; the one that the target names when not given."),
    ] = None,
    chosen: ChosenForPeople = None,
    seed: Seed = 0,
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="Ask for no longer than this, such as 90s or 2m.")
    ] = "120s",
    reach: Annotated[
        float,
        typer.Option(metavar="PERCENT", help="With fewer operations reached with own data there is no verdict."),
    ] = 90.0,
    public: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND", help="Things of this kind (`post`, of /posts) are for everybody to see. Repeatable."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the sweep is written; an earlier sweep there is replaced.")
    ] = DEFAULT_OUT,
) -> None:
    """Ask every operation of the target's API as everybody, with own and foreign references, and judge the answers.

    It changes and deletes what it finds: never point it at a deployment with real people in it. Writes DIR/sweep.json.
    """
    # Schemathesis takes seconds to import: no other command pays for it.
    from harness.sweeping import command, show
    from harness.sweeping.run import Orders

    settings = Settings(
        target=target,
        flags=flags,
        flag_server=flag_server,
        flaws=tuple(flaw or ()),
        chosen=tuple(chosen or ()),
        seed=seed,
        out=out,
    )
    orders = Orders(settings, openapi, command.seconds(budget), reach / 100, tuple(public or ()))
    outcome = command.sweep(orders, lambda step: say(f"{step} ...\n"))
    say(f"\n{show.text(outcome)}\n")
    raise typer.Exit(outcome.exit_code)
