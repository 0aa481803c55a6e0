"""Allure results as pytest's own listener writes them, for teams with an Allure of their own: flags, steps, findings.

`harness report` does not read them: it makes its own from the ledgers (`harness.reporting.report`). Allure is the
viewer, never the judge. Without `--alluredir` nothing is written and this costs nothing. No account names or tokens
are passed on: they would stand in plain text in the results.
"""

from __future__ import annotations

import json
from pathlib import Path

import allure
import allure_pytest.plugin
import pytest
from allure_commons import plugin_manager

from harness.ledger import HARNESS, Entry, Ledger, Outcome
from harness.model import Verdict, printable
from harness.reporting.report.categories import LABEL, category
from harness.running.store import StoredRun
from harness.running.trial import TrialResult
from harness.scenario import Scenario

MAX_STEPS = 400
SHOWN = ("visit", "medium", "recording", "surface", "error")


def begin(config: pytest.Config, directory: Path) -> None:
    """Start to write results into the directory, which is emptied first."""
    config.option.allure_report_dir, config.option.clean_alluredir = str(directory), True
    allure_pytest.plugin.pytest_configure(config)


def describe(result: TrialResult, scenario: Scenario, stored: StoredRun) -> None:
    """Describe the trial to the running Allure listener, if there is one."""
    if not _is_listening():
        return
    allure.dynamic.title(f"{scenario.name} [{result.trial.combination.label}]")
    allure.dynamic.description(scenario.story.__doc__ or "")
    allure.dynamic.parameter("combination", str(result.trial.combination))
    allure.dynamic.parameter("seed", result.trial.seed)
    allure.dynamic.label("verdict", result.verdict)
    kind = category(result)
    if kind:
        allure.dynamic.label(LABEL, kind.value)
    for flag, variant in result.trial.combination.items():
        allure.dynamic.label("flag", f"{flag}={variant}")
    ledger = stored.ledger(result.trial) if result.executed else None
    if ledger is None:
        return
    _steps(ledger)
    if result.verdict is not Verdict.VALID:
        findings = [{"check": each.check, "degree": each.degree, "sentence": each.sentence} for each in result.findings]
        allure.attach(json.dumps(findings, indent=1), "findings", allure.attachment_type.JSON)


def _is_listening() -> bool:
    """Return True while a listener writes Allure results."""
    return bool(plugin_manager.get_plugins())


def _steps(ledger: Ledger) -> None:
    told = [entry for entry in ledger if entry.outcome is not Outcome.INTENT and entry.actor != HARNESS]
    for entry in told[:MAX_STEPS]:
        with allure.step(_title(entry)):
            pass
    if len(told) > MAX_STEPS:
        with allure.step(f"... and {len(told) - MAX_STEPS} more entries in the ledger"):
            pass


def _title(entry: Entry) -> str:
    detail = " ".join(str(entry.data[key]) for key in SHOWN if entry.data.get(key))
    outcome = "" if entry.outcome is Outcome.OK else f" ({entry.outcome})"
    return printable(f"#{entry.seq} {entry.actor} {entry.action} {detail}{outcome}".rstrip())
