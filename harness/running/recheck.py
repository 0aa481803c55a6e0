"""Judge a stored run again: the same ledgers, today's checks."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.planning.plan import Plan, groups
from harness.running.control import Control, found_in
from harness.running.outcome import ExitCode, RunOutcome, all_of
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
    controls = _controls(stored, plan, {result.trial.id for result in results if result.executed})
    told = _told(path / SUMMARY)
    outcome = RunOutcome(
        plan=plan,
        results=tuple(results),
        control=all_of(controls),
        controls=len(controls),
        requests=int(told.get("requests", 0)),
        elapsed_s=float(told.get("elapsed_s", 0.0)),
        interrupted=told.get("exit_code") == ExitCode.INTERRUPTED,
    )
    return outcome, stored.settings, stored


def _controls(stored: StoredRun, plan: Plan, executed: Collection[str]) -> list[Control | None]:
    """Return the controls of the deployments in which trials were executed; only the first may have none of these."""
    found: list[Control | None] = []
    for number, group in enumerate(groups(plan), 1):
        if number == 1 or any(trial.id in executed for trial in group.plan.trials):
            ledger = stored.control(number)
            found.append(found_in(ledger) if ledger else None)
    return found


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
