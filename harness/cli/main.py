"""The command `harness`: every fault ends here with its exit code."""

from __future__ import annotations

import os
import sys
import traceback

TYPERS_CTRL_C = 130
INTERRUPTED = 2
"""pytest's and ours: `ExitCode` is not imported yet when Ctrl-C comes in the first second."""


def main() -> None:
    """Run the command line; an author's fault is one line on standard error and exit code 4, the harness's own is 3."""
    try:
        _open_what_is_closed()
        code = _run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def _open_what_is_closed() -> None:
    """Let standard streams that the caller closed, as in `harness run >&-`, lead nowhere, not into a later file."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")


def _run() -> int:
    """Import every command's module, which takes a second, and run the one that is asked for."""
    import typer

    from harness.cli import run, explore, sweep, report, identify, clinic  # noqa: F401 - it adds the commands, in this order
    from harness.cli.app import app
    from harness.errors import HarnessError, UsageError
    from harness.pytest_run import refuse
    from harness.running.outcome import ExitCode

    try:
        code = app(standalone_mode=False)
        return int(ExitCode.INTERRUPTED if code == TYPERS_CTRL_C else code or 0)
    except UsageError as error:
        return int(refuse(str(error)))
    except typer.TyperException as error:
        return int(refuse(error.format_message()))
    except typer.Abort:
        return int(ExitCode.INTERRUPTED)
    except HarnessError as error:
        sys.stderr.write(f"error: {error}\n")
    except Exception:  # noqa: BLE001 - whatever it is: Python's own exit code 1 would say that the target leaks
        traceback.print_exc()
    return int(ExitCode.FAULT)
