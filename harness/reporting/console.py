"""What `harness run` shows while it runs: the plan, a progress bar, the verdict. In a log, a line now and then."""

from __future__ import annotations

import os
import sys
from collections import Counter

from rich.console import Console as Terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from harness.model import Verdict
from harness.planning.plan import Plan
from harness.planning.render import as_text
from harness.running.trial import TrialResult

LINES_IN_A_LOG = 10
COLOURS = {Verdict.VALID: "green", Verdict.UNKNOWN: "yellow", Verdict.INVALID: "red"}


class Screen(Terminal):
    """A terminal that may go away, as in `harness run | head`: the run goes on, and its exit code still counts."""

    def on_broken_pipe(self) -> None:
        """Print nothing more, in place of ending whichever thread has printed."""
        self.quiet = True
        _let_go()


def say(text: str) -> None:
    """Print a text as it is. Who stops reading, as in `harness check | head`, changes neither work nor exit code."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go()


def _let_go() -> None:
    """Let whatever is printed from now on go nowhere, what is buffered included."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Console:
    """Watches a run on behalf of a person."""

    def __init__(self) -> None:
        self._terminal = Screen(highlight=False, soft_wrap=True)
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
