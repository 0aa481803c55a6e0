"""summary.json: the run for other programs, whole or not at all."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.checks import NAMES
from harness.planning.coverage import cover
from harness.planning.held import held_at_baseline
from harness.reporting import summary
from harness.running.outcome import RunOutcome
from tests.planning.models import THIRTEEN
from tests.running.runs import FOUND, LEAK, leak_or_missing, leak_with_both_on, results, run

SUMMARY_SCHEMA = json.loads((Path(__file__).parents[2] / "reports" / "summary.schema.json").read_text())
DEFINED = {f"#/$defs/{name}": schema for name, schema in SUMMARY_SCHEMA["$defs"].items()}


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
            "sentence": "exhaustive: each of 2 scenarios is played under each of the 4 valid combinations",
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


def described(told: object, schema: Any) -> None:
    """Fail for a field of the summary that its schema does not describe."""
    schema = DEFINED.get(schema.get("$ref", ""), schema)
    if isinstance(told, dict) and "properties" in schema:
        for name, value in told.items():
            described(value, schema["properties"][name])
    elif isinstance(told, list):
        for each in told:
            described(each, schema["items"])


@pytest.mark.parametrize(
    "outcome",
    [
        run((lambda _scenario, _combination: ()), "one", "two"),
        run(leak_or_missing),
        replace(run(leak_with_both_on), control=None),
        replace(run(), plan=cover(held_at_baseline(THIRTEEN)[0], "t-way:2", (("a", "off"),)).plan(["one"])),
    ],
    ids=["valid", "leak", "doubt", "t-way"],
)
def test_a_summary_has_its_schema(outcome: RunOutcome) -> None:
    """Every summary keeps the published schema, and has no field that the schema does not describe."""
    told = json.loads(json.dumps(summary.summarise(outcome)))
    jsonschema.validate(told, SUMMARY_SCHEMA)
    described(told, SUMMARY_SCHEMA)


def test_every_check_is_told_wherever_checks_are_listed() -> None:
    """The schema, both documents and the checks themselves have the same names."""
    root = Path(__file__).parents[2]
    finding = SUMMARY_SCHEMA["properties"]["findings"]["items"]["properties"]
    assert tuple(finding["check"]["enum"]) == NAMES
    (line,) = (line for line in (root / "docs" / "summary.md").read_text().splitlines() if line.startswith("| `check`"))
    assert tuple(re.findall(r"`([a-z-]+-[a-z]+|vacuous|unproved)`", line)) == NAMES
    _, _, table = (root / "docs" / "scenarios.md").read_text().partition("| it says | when |")
    assert tuple(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == NAMES


def test_a_cover_in_a_summary() -> None:
    """The claim says how strong it is, what was fixed, and how many combinations were executed."""
    catalogue, fixed = held_at_baseline(THIRTEEN)
    planned = cover(catalogue, "auto", fixed).plan(["one"])
    told = summary.summarise(RunOutcome(planned, results(planned), FOUND, controls=4))
    claim = told["claim"]
    assert (claim["kind"], claim["strength"], claim["valid_combinations"]) == ("t-way", 3, 1_944)
    assert claim["executed"] == len(planned.combinations) < 100
    assert claim["fixed"] == {"recorder-transcode": "off", "fast-sessions": "off"}
    assert claim["sentence"].startswith("t-way 3: every valid triple of variants is played in 1 scenario, in ")
    assert claim["choice"].startswith("auto chose t-way:3: 1,944 valid combinations are more than 100, and ")
    assert told["control"]["trials"] == 4


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
