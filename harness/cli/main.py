"""The command `harness`: every command's module is imported here, and every fault ends here with its exit code."""

from __future__ import annotations

import sys
import traceback

import typer

from harness.cli import run, explore, sweep, report, clinic  # noqa: F401 - it adds the commands, in this order
from harness.cli.app import app
from harness.errors import HarnessError, UsageError
from harness.pytest_run import refuse
from harness.running.outcome import ExitCode


TYPERS_CTRL_C = 130


def main() -> None:
    """Run the command line; an author's fault is one line on standard error and exit code 4, the harness's own is 3."""
    try:
        code = app(standalone_mode=False)
        code = ExitCode.INTERRUPTED if code == TYPERS_CTRL_C else code
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
