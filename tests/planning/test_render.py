"""The printed plan, held against golden files.

After a wanted change of the text, write the files anew with
`REGENERATE_GOLDEN=1 pytest tests/planning/test_render.py`, and read the difference before it is committed.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from harness.model import Catalogue, Constraint, Flag
from harness.planning.exhaustive import exhaustive
from harness.planning.held import held
from harness.planning.plan import Claim, Plan
from harness.planning.render import WIDTH, as_json, as_text, claim_sentence
from tests.planning import models
from tests.planning.models import UNTIMED, brute_force, catalogues

GOLDEN = Path(__file__).parent / "plan"
CLINIC = replace(models.CLINIC, source="flags/six.toml")
TINY = Catalogue(
    (Flag("layout", ("off", "grid", "list"), kind="experiment"), Flag("zoom", baseline="on")),
    (Constraint((("zoom", frozenset({"on"})), ("layout", frozenset({"list"}))), "a list cannot be zoomed"),),
    source="flags/tiny.toml",
)
SCENARIOS = (
    "staying_on_audio_keeps_replays_apart",
    "switching_to_video_keeps_replays_apart",
    "leaving_early_shows_nothing_foreign",
)
CLINIC_PLAN = exhaustive(CLINIC, SCENARIOS, seed=7)
TINY_PLAN = exhaustive(TINY, ["one_call"], seed=1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("clinic.txt", as_text(CLINIC_PLAN)),
        ("clinic_all_rows.txt", as_text(CLINIC_PLAN, rows=72)),
        (
            "clinic_selection.txt",
            as_text(CLINIC_PLAN.select(lambda t: t.combination["video-upgrade"] == "off")),
        ),
        ("tiny.txt", as_text(TINY_PLAN)),
        ("tiny.json.txt", as_json(TINY_PLAN)),
    ],
    ids=["clinic", "clinic-all-rows", "clinic-selection", "tiny", "tiny-json"],
)
def test_the_printed_plan_is_the_golden_one(name: str, text: str) -> None:
    """The text of each plan is, to the byte, what its golden file holds."""
    if os.environ.get("REGENERATE_GOLDEN") == "1":
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()


@given(catalogues())
@UNTIMED
def test_no_line_is_too_long(catalogue: Catalogue) -> None:
    """Whatever the catalogue, the text keeps its width and has no trailing blanks."""
    if brute_force(catalogue):
        lines = as_text(exhaustive(catalogue, SCENARIOS), rows=4).splitlines()
        assert all(len(line) <= WIDTH and line == line.rstrip() for line in lines)


def test_the_json_holds_every_row_and_trial() -> None:
    """The machine's form repeats the claim, and each trial points to its row as the text numbers them."""
    document = json.loads(as_json(CLINIC_PLAN))
    assert document["claim"] == {"kind": "exhaustive", "valid_combinations": 72, "strength": None, "fixed": {}}
    assert document["rows"] == [dict(combination) for combination in CLINIC_PLAN.combinations]
    assert [(t["id"], t["scenario"], t["combination"]) for t in document["trials"]] == [
        (trial.id, trial.scenario, trial.combination.id) for trial in CLINIC_PLAN.trials
    ]
    assert all(
        document["rows"][shown["row"] - 1] == dict(trial.combination)
        for shown, trial in zip(document["trials"], CLINIC_PLAN.trials, strict=True)
    )


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (Claim("exhaustive", 5), "1 scenario is played under each of the 5 valid combinations"),
        (
            Claim("t-way", 9, strength=2),
            "every valid pair of variants is played in 1 scenario, in 5 of 9 valid combinations",
        ),
        (
            Claim("proved", 9),
            "in 1 scenario each of the 9 valid combinations is played, or implied by one that is (5)",
        ),
        (
            Claim("t-way", 99, strength=4, fixed=(("a", "off"), ("b", "on"))),
            (
                "every valid choice of 4 variants is played in 1 scenario, in 5 of 99 valid combinations, all "
                "with a=off and b=on, which this run holds so"
            ),
        ),
        (Claim("selection", 9), "5 trials under 5 of 9 valid combinations, and nothing beyond them"),
    ],
    ids=["exhaustive", "t-way", "proved", "fixed", "selection"],
)
def test_each_kind_of_claim_is_one_sentence(claim: Claim, sentence: str) -> None:
    """A claim says what was played and, where that is less than everything, how much less."""
    plan = Plan(claim, TINY_PLAN.trials, TINY)
    kind = f"t-way {claim.strength}" if claim.strength else claim.kind
    assert claim_sentence(plan) == f"Claim: {kind}: {sentence}."


def test_what_a_run_holds_is_told_as_a_change_from_production() -> None:
    """No held flag is called the baseline: under it production would leak today."""
    plan = exhaustive(held(TINY, (("zoom", "off"),)), ["one_call"])
    text = as_text(plan)
    assert "off *on" in text
    assert "none: the baseline" not in text
    assert [line.split()[-1] for line in text.splitlines() if line.startswith("    1  ")] == ["zoom=off"]
    assert [flag["baseline"] for flag in json.loads(as_json(plan))["flags"]] == ["off", "on"]
