"""Judge a stored run again: the same ledgers, today's checks."""

from __future__ import annotations

from pathlib import Path

from harness.running.control import found_in
from harness.running.outcome import RunOutcome
from harness.running.settings import Settings
from harness.running.store import StoredRun, load
from harness.running.trial import judged, not_executed


def recheck(path: Path) -> tuple[RunOutcome, Settings, StoredRun]:
    """Return the outcome that the ledgers in `path` support; raise UsageError when no run is stored there."""
    stored = load(path)
    plan = stored.plan
    results = []
    for trial in plan.trials:
        ledger = stored.ledger(trial)
        results.append(judged(trial, ledger) if ledger else not_executed(trial, "the run ended before"))
    control = stored.control()
    outcome = RunOutcome(
        plan=plan,
        results=tuple(results),
        control=found_in(control) if control else None,
    )
    return outcome, stored.settings, stored
