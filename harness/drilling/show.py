"""What a drill shows: a line for each exercise as it ends, the table and its sentence, and drill.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness.drilling.cheapest import SOUND, Exercise
from harness.drilling.drill import DRILL, Drill
from harness.drilling.sight import Outcome, Row
from harness.planning.render import several
from harness.reporting.console import screen
from harness.running.directory import write_whole
from harness.running.outcome import ExitCode

SCHEMA = 1
GOOD = frozenset({Outcome.SEEN, Outcome.CLEAN})
BAD = frozenset({Outcome.MISSED, Outcome.NOT_CLEAN})
HEAD = ("flaw", "", "check", "degree", "trials", "seconds")
COLOURS = dict.fromkeys(GOOD, "green") | dict.fromkeys(BAD, "red")


class Display:
    """Watches a drill on behalf of a person."""

    def __init__(self, total: int) -> None:
        self._screen = screen()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._screen,
            disable=not self._screen.is_terminal,
            transient=True,
        )
        self._bar = self._progress.add_task("", total=total)
        self._running: list[str] = []
        self._done = 0
        self._total = total
        self._progress.start()

    def began(self, exercise: Exercise) -> None:
        """Name what runs beside the bar."""
        self._running.append(exercise.name)
        self._describe()

    def ended(self, row: Row) -> None:
        """Print a line, and move the bar on."""
        self._done += 1
        if row.exercise.name in self._running:
            self._running.remove(row.exercise.name)
        line = f"{self._done:>2} of {self._total}  {row.exercise.name}: {row.outcome}{_details(row)}"
        self._screen.print(line, style=COLOURS.get(row.outcome, "yellow"), markup=False)
        self._progress.update(self._bar, completed=self._done)
        self._describe()

    def conclude(self, drill: Drill) -> None:
        """Print the table and the sentence."""
        self.stop()
        self._screen.print()
        self._screen.print(table(drill.rows), markup=False)
        self._screen.print()
        self._screen.print(sentence(drill), style="bold", markup=False)

    def stop(self) -> None:
        """Give the terminal back, whatever happened."""
        self._progress.stop()

    def _describe(self) -> None:
        self._progress.update(self._bar, description=", ".join(self._running))


def exit_code(drill: Drill) -> ExitCode:
    """Return what the process should end with: an instrument that does not see beats one that gave no verdict."""
    outcomes = {row.outcome for row in drill.rows}
    if drill.interrupted:
        return ExitCode.INTERRUPTED
    if outcomes & BAD:
        return ExitCode.INVALID
    return ExitCode.VALID if outcomes <= GOOD else ExitCode.UNKNOWN


def sentence(drill: Drill) -> str:
    """Return the drill in one sentence: `24 of 29 seen; sound clinic clean`."""
    flaws = [row for row in drill.rows if row.exercise.flaw]
    sound = [row for row in drill.rows if not row.exercise.flaw]
    parts = [f"{sum(row.outcome is Outcome.SEEN for row in flaws)} of {len(flaws)} seen"]
    for outcome in (Outcome.NO_VERDICT, Outcome.NOT_RUN):
        count = sum(row.outcome is outcome for row in flaws)
        parts += [f"{count} {outcome}"] if count else []
    parts += [f"sound clinic {row.outcome}" for row in sound]
    return "; ".join(parts) + (" (interrupted)" if drill.interrupted else "")


def table(rows: Sequence[Row]) -> str:
    """Return the rows as plain text in columns; a row without numbers has its note in their place."""
    cells = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells if len(line) > column) for column in range(len(HEAD))]
    widths[3] = max(len(line[3]) for line in cells if len(line) == len(HEAD))
    return "\n".join(_line(line, widths) for line in cells)


def document(drill: Drill) -> dict[str, Any]:
    """Return drill.json; docs/drill.md says what each field means."""
    rows = {row.exercise.name: row for row in drill.rows}
    sound = rows.pop(SOUND)
    return {
        "schema": SCHEMA,
        "exit_code": int(exit_code(drill)),
        "sentence": sentence(drill),
        "interrupted": drill.interrupted,
        "jobs": drill.orders.jobs,
        "elapsed_s": round(drill.elapsed_s, 3),
        "sound": _about(sound) | {"combinations": [dict(each) for each in sound.exercise.combinations]},
        "flaws": [_flaw(row) for row in rows.values()],
    }


def write(drill: Drill, directory: Path) -> None:
    """Write drill.json, whole or not at all."""
    write_whole(directory / DRILL, json.dumps(document(drill), indent=1) + "\n")


def _about(row: Row) -> dict[str, Any]:
    return {
        "outcome": row.outcome,
        "note": row.note,
        "found_by": list(row.found_by),
        "executed": row.executed,
        "elapsed_s": round(row.elapsed_s, 3),
        "directory": row.exercise.name if row.executed else None,
    }


def _flaw(row: Row) -> dict[str, Any]:
    flaw = row.exercise.flaw
    return {
        "flaw": row.exercise.name,
        "named_check": flaw.seen_by if flaw else None,
        **_about(row),
        "combination": dict(row.exercise.combinations[0]) if row.exercise.combinations else None,
        "degree": row.degree,
        "trials": row.trials,
        "seconds": row.seconds,
        "scenario": row.scenario,
        "trial": row.trial,
        "sentence": row.sentence,
    }


def _details(row: Row) -> str:
    if row.outcome is not Outcome.SEEN or row.exercise.flaw is None:
        return f" ({row.note})" if row.note else ""
    degree = f", {row.degree}" if row.degree else ""
    return f" by {row.exercise.flaw.seen_by}{degree}, in trial {row.trials} after {row.seconds or 0.0:.1f} s"


def _cells(row: Row) -> tuple[str, ...]:
    name, check = ("sound clinic", "") if row.exercise.flaw is None else (row.exercise.name, row.exercise.flaw.seen_by)
    if row.outcome is Outcome.SEEN:
        return name, row.outcome, check, row.degree or "", str(row.trials), f"{row.seconds or 0.0:.1f}"
    if row.outcome is Outcome.CLEAN:
        played = f"{several(row.executed, 'trial')} under {several(len(row.exercise.combinations), 'combination')}"
        return name, row.outcome, check, f"{played} in {row.elapsed_s:.1f} s"
    return name, row.outcome, check, row.note


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    words = [
        cell.rjust(width) if column > 3 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=False))
    ]
    return "  ".join(words).rstrip()
