"""`summary.json`: the run for other programs. The schema is documented in docs/summary.md."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from harness.model import Verdict
from harness.planning.narrow import Condition
from harness.planning.render import claim_words
from harness.running.directory import write_whole
from harness.running.outcome import RunOutcome, ScenarioOutcome
from harness.running.store import SUMMARY

SCHEMA = 1


def write(outcome: RunOutcome, directory: Path) -> Path:
    """Write the summary of a run into its directory, whole or not at all; return the file."""
    return write_whole(directory / SUMMARY, json.dumps(summarise(outcome), indent=1) + "\n")


def summarise(outcome: RunOutcome) -> dict[str, Any]:
    """Return the summary as JSON-able values."""
    counts = Counter(result.verdict for result in outcome.results)
    control = outcome.control
    return {
        "schema": SCHEMA,
        "verdict": outcome.verdict,
        "exit_code": int(outcome.exit_code),
        "claim": {
            "kind": outcome.plan.claim.kind,
            "valid_combinations": outcome.plan.claim.valid_combinations,
            "executed": outcome.executed,
            "implied": 0,
            "strength": outcome.plan.claim.strength,
            "fixed": dict(outcome.plan.claim.fixed),
            "sentence": claim_words(outcome.plan),
            "choice": outcome.plan.choice,
        },
        "trials": {"total": len(outcome.plan.trials), **{verdict: counts[verdict] for verdict in Verdict}},
        "scenarios": [_scenario(scenario) for scenario in outcome.scenarios],
        "findings": [
            {
                "check": finding.check,
                "verdict": finding.verdict,
                "degree": finding.degree,
                "viewer": finding.viewer,
                "owner": finding.owner,
                "surface": finding.surface,
                "recording": finding.recording,
                "scenario": result.trial.scenario,
                "combination": dict(result.trial.combination),
                "trial": result.trial.id,
                "sentence": finding.sentence,
                "evidence": list(finding.evidence),
            }
            for result in outcome.results
            for finding in result.findings
        ],
        "leak_conditions": [
            _condition(scenario.name, condition)
            for scenario in outcome.scenarios
            for condition in scenario.conditions
            if scenario.leaks_under(condition)
        ],
        "safe": [
            {
                "when": dict(region.literals),
                "valid": region.valid,
                "total": region.total,
                "exact": region.exact,
            }
            for region in outcome.safe
        ],
        "control": {
            "found": bool(control and control.found),
            "sentence": control.sentence if control else "the control did not run",
            "trials": outcome.controls if control else 0,
        },
        "doubts": list(outcome.doubts),
        "requests": outcome.requests,
        "elapsed_s": round(outcome.elapsed_s, 3),
    }


def _scenario(scenario: ScenarioOutcome) -> dict[str, Any]:
    counts = scenario.counts
    return {
        "name": scenario.name,
        "verdict": scenario.verdict,
        "executed": sum(1 for result in scenario.results if result.executed),
        "trials": {verdict: counts[verdict] for verdict in Verdict},
    }


def _condition(scenario: str, condition: Condition) -> dict[str, Any]:
    return {
        "scenario": scenario,
        "when": dict(condition.literals),
        "failing": condition.failing,
        "exact": condition.exact,
        "rivals": condition.rivals,
    }
