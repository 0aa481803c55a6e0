"""summary.json: the run for other programs, whole or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from harness.reporting import summary
from tests.running.runs import LEAK, leak_or_missing, leak_with_both_on, run


def test_a_valid_run_in_a_summary() -> None:
    """Every field of the schema is there, and JSON can carry it."""
    outcome = run((lambda _scenario, _combination: ()), "one", "two")
    told = json.loads(json.dumps(summary.summarise(outcome)))
    assert told == {
        "schema": 1,
        "verdict": "valid",
        "exit_code": 0,
        "claim": {
            "kind": "exhaustive",
            "valid_combinations": 4,
            "executed": 4,
            "implied": 0,
            "strength": None,
            "fixed": {},
            "sentence": "exhaustive: every scenario is played under each of the 4 valid combinations",
            "choice": "",
        },
        "trials": {"total": 8, "valid": 8, "unknown": 0, "invalid": 0},
        "scenarios": [
            {"name": name, "verdict": "valid", "executed": 4, "trials": {"valid": 4, "unknown": 0, "invalid": 0}}
            for name in ("one", "two")
        ],
        "findings": [],
        "leak_conditions": [],
        "safe": [],
        "control": {
            "found": True,
            "sentence": "a foreign video slipped into alice's list was found and proved",
            "trials": 1,
        },
        "doubts": [],
        "requests": 1234,
        "elapsed_s": 5.679,
    }


def test_a_leak_in_a_summary() -> None:
    """The finding names its cell; the condition names the flags and that all combinations were decided."""
    outcome = run(leak_with_both_on)
    told = summary.summarise(outcome)
    assert (told["verdict"], told["exit_code"]) == ("invalid", 1)
    assert told["trials"] == {"total": 4, "valid": 3, "unknown": 0, "invalid": 1}
    assert told["findings"] == [
        {
            "check": "foreign-media",
            "verdict": "invalid",
            "degree": "proved",
            "viewer": "alice",
            "owner": "bob",
            "surface": "replay-list",
            "recording": "rec-2",
            "scenario": "one",
            "combination": {"cache": "on", "upgrade": "on"},
            "trial": outcome.plan.trials[3].id,
            "sentence": LEAK.sentence,
            "evidence": [1, 3],
        }
    ]
    assert told["leak_conditions"] == [
        {"scenario": "one", "when": {"cache": "on", "upgrade": "on"}, "failing": 1, "exact": True, "rivals": 0}
    ]
    assert told["safe"] == [
        {"when": {"cache": "off"}, "valid": 2, "total": 2, "exact": True},
        {"when": {"upgrade": "off"}, "valid": 2, "total": 2, "exact": True},
    ]


def test_what_merely_fails_is_no_leak_condition() -> None:
    """Flags under which media is missing are not named as the cause of a leak elsewhere."""
    told = summary.summarise(run(leak_or_missing))
    assert [condition["when"] for condition in told["leak_conditions"]] == [{"cache": "on", "upgrade": "off"}]


def test_a_run_in_doubt_in_a_summary() -> None:
    """What keeps a run from its verdict is told, the missing control included."""
    whole = run()
    told = summary.summarise(replace(whole, results=whole.results[1:], control=None))
    assert (told["verdict"], told["exit_code"]) == ("unknown", 6)
    assert told["doubts"] == [
        "1 of 4 expected trials have no result",
        "the control did not run, so no list can be believed",
    ]
    assert told["control"] == {"found": False, "sentence": "the control did not run", "trials": 0}
    assert told["claim"]["executed"] == 3
    assert told["scenarios"][0]["verdict"] == "unknown"


def test_a_summary_replaces_the_last_one(tmp_path: Path) -> None:
    """It is written beside and moved into place, and no draft is left."""
    summary.write(run(leak_with_both_on), tmp_path)
    path = summary.write(run(), tmp_path)
    assert path == tmp_path / "summary.json"
    assert json.loads(path.read_text())["verdict"] == "valid"
    assert [entry.name for entry in tmp_path.iterdir()] == ["summary.json"]
