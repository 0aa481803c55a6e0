"""What `harness run` shows while it runs: the plan, a progress bar, the verdict. In a log, a line now and then."""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from rich.console import Console as Terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from harness.model import Verdict
from harness.planning.plan import Plan
from harness.planning.render import as_text
from harness.running.trial import TrialResult

LINES_IN_A_LOG = 10
COLOURS = {Verdict.VALID: "green", Verdict.UNKNOWN: "yellow", Verdict.INVALID: "red"}


class Outlet(io.TextIOBase):
    """Standard output, which may go away, as in `harness run | head`, or be full: work and exit code stay.

    What its encoding does not have, or is no Unicode at all, such as half a pair of surrogates, is escaped.
    """

    @property
    def encoding(self) -> str:  # type: ignore[override] # typeshed has an attribute where io documents a property
        """The encoding of standard output."""
        return sys.stdout.encoding

    def isatty(self) -> bool:
        """Whether a person looks on."""
        return sys.stdout.isatty()

    def fileno(self) -> int:
        """Return the file descriptor of standard output."""
        return sys.stdout.fileno()

    def write(self, text: str) -> int:
        """Write a text, or nothing more once that has failed."""
        with _let_go_if_lost():
            sys.stdout.write(text.encode(self.encoding, "backslashreplace").decode(self.encoding))
        return len(text)

    def flush(self) -> None:
        """Write what is still buffered."""
        with _let_go_if_lost():
            sys.stdout.flush()


def screen() -> Terminal:
    """Return the terminal that lines in colour and progress go to."""
    # To typeshed, a TextIOBase is no IO[str].
    return Terminal(file=cast("IO[str]", Outlet()), highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a text as it is, at once."""
    outlet = Outlet()
    outlet.write(text)
    outlet.flush()


@contextmanager
def _let_go_if_lost() -> Iterator[None]:
    """Let whatever is printed from now on go nowhere, what is buffered included, if it cannot be printed."""
    try:
        yield
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Console:
    """Watches a run on behalf of a person."""

    def __init__(self) -> None:
        self._terminal = screen()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._terminal,
            disable=not self._terminal.is_terminal,
        )
        self._task: TaskID | None = None
        self._total = 0
        self.has_judged = False
        self._counts: Counter[Verdict] = Counter()

    def planned(self, plan: Plan) -> None:
        """Print the plan."""
        self._terminal.print(as_text(plan), markup=False)
        self._total = len(plan.trials)

    def phase(self, text: str) -> None:
        """Say what is being prepared."""
        self._terminal.print(f"[dim]{text} ...[/dim]")

    def finished(self, result: TrialResult) -> None:
        """Move the bar on."""
        self._counts[result.verdict] += 1
        done = self._counts.total()
        if self._terminal.is_terminal:
            if self._task is None:
                self._progress.start()
                self._task = self._progress.add_task("trials", total=self._total)
            self._progress.update(self._task, completed=done, description=self._tally())
        elif done == self._total or done % max(1, self._total // LINES_IN_A_LOG) == 0:
            self._terminal.print(f"{done} of {self._total} trials: {self._tally()}")

    def judged(self, verdict: Verdict, text: str) -> None:
        """Print the verdict, its first line in the verdict's colour."""
        self.has_judged = True
        self._progress.stop()
        first, _, rest = text.partition("\n")
        self._terminal.print()
        self._terminal.print(first, style=f"bold {COLOURS[verdict]}", markup=False)
        self._terminal.print(rest, markup=False)

    def stop(self) -> None:
        """Give the terminal back, whatever happened."""
        self._progress.stop()

    def _tally(self) -> str:
        return ", ".join(f"{self._counts[verdict]} {verdict}" for verdict in Verdict if self._counts[verdict])
