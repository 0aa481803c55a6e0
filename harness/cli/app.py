"""The application that every command belongs to, and what all of them say of exit codes."""

from __future__ import annotations

import sys

import typer

from harness.running.outcome import ExitCode

EXIT_CODES = "Exit codes: 0 valid, 1 invalid, 2 interrupted, 3 harness fault, 4 usage, 5 nothing collected, 6 unknown."

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Play several users at once against a telehealth deployment under every feature-flag combination, and "
    "fail when anybody can see media that is not theirs.",
    epilog=EXIT_CODES,
)


@app.callback(invoke_without_command=True)
def _without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        sys.stderr.write(context.get_help() + "\n")
        raise typer.Exit(ExitCode.USAGE)
