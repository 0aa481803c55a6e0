"""Judge a stored run again: the same ledgers, today's checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.running.control import found_in
from harness.running.outcome import ExitCode, RunOutcome
from harness.running.settings import Settings
from harness.running.store import SUMMARY, StoredRun, load
from harness.running.trial import judged, not_executed


def recheck(path: Path) -> tuple[RunOutcome, Settings, StoredRun]:
    """Return the outcome that the ledgers in `path` support; raise UsageError when no run is stored there."""
    stored = load(path)
    stored.require_whole()
    plan = stored.plan
    results = []
    for trial in plan.trials:
        ledger = stored.ledger(trial)
        results.append(judged(trial, ledger) if ledger else not_executed(trial, "the run ended before"))
    control = stored.control()
    told = _told(path / SUMMARY)
    outcome = RunOutcome(
        plan=plan,
        results=tuple(results),
        control=found_in(control) if control else None,
        requests=int(told.get("requests", 0)),
        elapsed_s=float(told.get("elapsed_s", 0.0)),
        interrupted=told.get("exit_code") == ExitCode.INTERRUPTED,
    )
    return outcome, stored.settings, stored


def _told(summary: Path) -> dict[str, Any]:
    """Return what the run's summary alone can tell, nothing of its verdict; empty when the run was killed before."""
    if not summary.exists():
        return {}
    try:
        told = json.loads(summary.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{summary}: {error}") from error
    if not isinstance(told, dict):
        raise UsageError(f"{summary}: not a run's summary")
    return told
