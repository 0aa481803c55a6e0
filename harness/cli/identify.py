"""`harness identify`: whose media is this?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.app import app
from harness.identifying import show
from harness.identifying.command import identify as run_identify
from harness.interruption import interrupted_once
from harness.reporting.console import say

IDENTIFY_EXIT_CODES = (
    "Exit codes: 0 every file was read and each canary in it is named, by its numbers at least, 1 a file cannot be "
    "read in full or holds no canary of ours, 2 interrupted, 3 harness fault, 4 usage: no such file."
)


@app.command(epilog=IDENTIFY_EXIT_CODES)
def identify(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Films, sound, pictures, ZIP archives, words; - is standard input."),
    ],
    runs: Annotated[
        list[Path] | None,
        typer.Option(
            "--runs", metavar="DIR", help="A stored run, or a folder with some; repeatable. reports/ when none."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Say whose media is in files that came from outside: run, trial, actor, consultation and medium, over time.

    Canaries in picture, sound and words are looked for, and the ledgers of earlier runs asked whose they are. Nothing
    is written, and nothing is sent anywhere.
    """
    with interrupted_once():
        identified = run_identify(files, runs or ())
    say((show.as_json(identified) if as_json else show.as_text(identified)) + "\n")
    raise typer.Exit(identified.exit_code)
