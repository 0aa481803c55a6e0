"""`harness drill`: from what the command line says to the exit code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from harness.clinic import flaws
from harness.drilling import show
from harness.drilling.cheapest import exercises
from harness.drilling.drill import MAX_JOBS, Drill, Orders, opened
from harness.drilling.stories import scenarios_in
from harness.errors import UsageError
from harness.planning import catalogue
from harness.running.outcome import ExitCode
from harness.running.settings import DEFAULT_SCENARIOS

DEFAULT_DRILL = Path("reports/drill")
CORES = min(os.cpu_count() or 1, MAX_JOBS)


def drill(scenarios: Sequence[Path], names: Sequence[str], *, flags: Path, out: Path, jobs: int) -> ExitCode:
    """Drill these flaws, or all when none is named, with these scenarios, or all of scenarios/; write and print it.

    Raises UsageError, before anything is touched, for an unknown flaw, a bad number of jobs, bad flags or scenarios.
    """
    if not 1 <= jobs <= MAX_JOBS:
        raise UsageError(f"--jobs {jobs}: give a number from 1 to {MAX_JOBS}")
    orders = Orders(flags, tuple(scenarios) or (DEFAULT_SCENARIOS,), out, jobs)
    chosen = _chosen(names)
    scenarios_in(orders.scenarios)
    planned = exercises(catalogue.load(flags), chosen)
    with opened(out):
        display = show.Display(len(planned))
        made = Drill(planned, orders, display)
        try:
            made.run()
            show.write(made, out)
        finally:
            display.conclude(made)
    return show.exit_code(made)


def _chosen(names: Sequence[str]) -> tuple[flaws.Flaw, ...]:
    """Return the flaws of these names, each once, in the order of the list of flaws."""
    try:
        wanted = {flaws.find(name).name for name in names}
    except flaws.UnknownFlawError as error:
        raise UsageError(f"--flaw: {error}") from error
    return tuple(flaw for flaw in flaws.FLAWS if not wanted or flaw.name in wanted)
