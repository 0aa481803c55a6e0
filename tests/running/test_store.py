"""The run's directory: what is written is read back, and nothing of anybody else is touched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.ledger import HARNESS, Action
from harness.model import Catalogue, Constraint, Flag, Trial
from harness.planning.exhaustive import exhaustive
from harness.planning.held import held
from harness.planning.plan import Claim
from harness.running import directory
from harness.running.settings import Settings
from harness.running.store import Store, load

RULE = Constraint(
    (("upgrade", frozenset({"on"})), ("paging", frozenset({"off", "large"}))), "upgrade needs small pages"
)
CATALOGUE = Catalogue(
    (Flag("upgrade", kind="experiment"), Flag("paging", ("off", "small", "large"), "small", context="global")),
    (RULE,),
    source="two.toml",
)
PLAN = exhaustive(CATALOGUE, ["one", "two"], 7)
TRIAL = PLAN.trials[0]


def settings(out: Path) -> Settings:
    """Return settings that differ from the defaults where the store keeps them."""
    return Settings(
        target="http://127.0.0.1:9", flags=Path("two.toml"), flaws=("a", "b"), seed=7, out=out, coverage="t-way:1"
    )


def stored(out: Path, *, played: Trial = TRIAL) -> Path:
    """Write a run of one ledger and a control; return where the ledger lies."""
    with Store.create(out, PLAN, settings(out)) as store:
        for ledger in (store.ledger(TRIAL), store.control()):
            ledger.note(HARNESS, Action.TRIAL, trial=played.id)
            ledger.close()
    return out / "ledgers" / f"{TRIAL.id}.jsonl"


def test_a_plan_is_read_back_as_it_was(tmp_path: Path) -> None:
    """Cells, claim, seed, flags and rules survive, though the flag file may have changed since."""
    stored(tmp_path / "out")
    run = load(tmp_path / "out")
    assert run.plan == PLAN
    assert [trial.id for trial in run.plan.trials] == [trial.id for trial in PLAN.trials]
    assert run.settings == settings(tmp_path / "out")


def test_the_scenarios_that_alone_were_played_are_read_back(tmp_path: Path) -> None:
    """A run that is played again plays no others; one of an earlier harness names all that it played."""
    out = tmp_path / "out"
    with Store.create(out, PLAN, replace(settings(out), scenarios=("two",))):
        assert load(out).settings.scenarios == ("two",)
    facts = json.loads((out / "run.json").read_text())
    del facts["scenarios"]
    (out / "run.json").write_text(json.dumps(facts))
    assert load(out).settings.scenarios == ("one", "two")


def test_a_claim_is_read_back_with_its_strength_and_what_was_fixed(tmp_path: Path) -> None:
    """A run checked again may not claim more than it did."""
    weaker = replace(PLAN, claim=Claim("t-way", 4, 2, (("paging", "small"),)))
    with Store.create(tmp_path / "out", weaker, settings(tmp_path / "out")):
        assert load(tmp_path / "out").plan == weaker


def test_a_held_flag_is_read_back_with_what_production_has(tmp_path: Path) -> None:
    """A run checked again calls nothing the baseline that production does not have."""
    flag = PLAN.catalogue.flags[0]
    other = next(variant for variant in flag.variants if variant != flag.baseline)
    narrowed = replace(PLAN, catalogue=held(PLAN.catalogue, ((flag.name, other),)))
    with Store.create(tmp_path / "out", narrowed, settings(tmp_path / "out")):
        assert load(tmp_path / "out").plan.catalogue.production == PLAN.catalogue.baseline


def test_each_deployment_has_a_control_of_its_own(tmp_path: Path) -> None:
    """The ledgers are told apart by number, and the next run in the directory takes them away."""
    out = tmp_path / "out"
    with Store.create(out, PLAN, settings(out)) as store:
        for deployment in (1, 2):
            ledger = store.control(deployment)
            ledger.note(HARNESS, Action.TRIAL, trial=f"control {deployment}")
            ledger.close()
    kept = [load(out).control(deployment) for deployment in (1, 2, 3)]
    assert [each and each[0].data["trial"] for each in kept] == ["control 1", "control 2", None]
    with Store.create(out, PLAN, settings(out)):
        assert [entry.name for entry in out.glob("control*")] == []


def test_ledgers_are_read_back(tmp_path: Path) -> None:
    """A cell's ledger and the control's are there; a cell that never began has none."""
    stored(tmp_path / "out")
    run = load(tmp_path / "out")
    ledger, control = run.ledger(TRIAL), run.control()
    assert ledger is not None
    assert control is not None
    assert ledger[0].data == {"trial": TRIAL.id}
    assert run.ledger(PLAN.trials[1]) is None


def test_the_expected_cells_are_written_before_anything_runs(tmp_path: Path) -> None:
    """A run that is killed at once still says what it should have done, and has no control."""
    with Store.create(tmp_path / "out", PLAN, settings(tmp_path / "out")):
        run = load(tmp_path / "out")
        assert run.plan.trials == PLAN.trials
        assert run.control() is None


def test_another_trials_ledger_is_refused(tmp_path: Path) -> None:
    """A ledger that was put in the place of another proves nothing of that cell."""
    path = stored(tmp_path / "out", played=PLAN.trials[1])
    with pytest.raises(UsageError) as caught:
        load(tmp_path / "out").ledger(TRIAL)
    assert str(caught.value) == f"{path}: it is the ledger of trial {PLAN.trials[1].id}, not of {TRIAL.id}"


def test_an_earlier_run_is_emptied(tmp_path: Path) -> None:
    """Nothing of the last run is left to be taken for this one's; Allure's results are not the store's."""
    out = tmp_path / "out"
    path = stored(out)
    (out / "summary.json").write_text("{}")
    (out / "allure-results").mkdir()
    with Store.create(out, PLAN, settings(out)):
        assert not path.exists()
        assert sorted(entry.name for entry in out.iterdir()) == ["allure-results", "ledgers", "run.json"]


def test_a_directory_with_anything_else_is_left_alone(tmp_path: Path) -> None:
    """A file that no run wrote makes the directory somebody else's."""
    stored(tmp_path / "out")
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with (
        pytest.raises(UsageError, match=r"it holds thesis\.txt, which no run wrote"),
        Store.create(tmp_path / "out", PLAN, settings(tmp_path / "out")),
    ):
        pass
    assert load(tmp_path / "out").ledger(TRIAL) is not None


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    """`--out` must not name a file."""
    (tmp_path / "out").write_text("")
    with (
        pytest.raises(UsageError, match="it is not a directory"),
        Store.create(tmp_path / "out", PLAN, settings(tmp_path / "out")),
    ):
        pass


def test_two_runs_do_not_share_a_directory(tmp_path: Path) -> None:
    """The second is refused before it empties anything of the first."""
    out = tmp_path / "out"
    with Store.create(out, PLAN, settings(out)) as store:
        store.ledger(TRIAL).close()
        with pytest.raises(UsageError, match="another run is writing there"), Store.create(out, PLAN, settings(out)):
            pass
        assert (out / "ledgers" / f"{TRIAL.id}.jsonl").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("nonsense", r"run\.json: Expecting value"),
        ("[]", r"run\.json: not a stored run of schema 1"),
        ('{"schema": 2}', r"run\.json: not a stored run of schema 1"),
        ('{"schema": 1}', r"run\.json: not a whole run of schema 1 \(KeyError: 'catalogue'\)"),
    ],
)
def test_what_is_no_stored_run_is_named(content: str, said: str, tmp_path: Path) -> None:
    """A file of another kind, another version or half a run is a usage error that names it."""
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(UsageError, match=said):
        load(tmp_path)


@pytest.mark.parametrize("key", ["catalogue", "constraints", "claim", "cells", "seed", "flags", "flaws", "target"])
def test_a_run_that_lacks_something_is_named(key: str, tmp_path: Path) -> None:
    """Whatever is missing, it is told at once and not in the middle of judging."""
    stored(tmp_path / "out")
    facts = json.loads((tmp_path / "out" / "run.json").read_text())
    del facts[key]
    (tmp_path / "out" / "run.json").write_text(json.dumps(facts))
    with pytest.raises(UsageError, match=f"KeyError: '{key}'"):
        load(tmp_path / "out")


def test_nothing_stored_is_named(tmp_path: Path) -> None:
    """A directory without a run says what is missing."""
    with pytest.raises(UsageError, match=r"no stored run is there \(run\.json is missing\)"):
        load(tmp_path / "nowhere")


def test_a_directory_that_cannot_be_emptied_is_refused_in_one_line(tmp_path: Path) -> None:
    """Whatever is in the way of taking a directory is a mistake of whoever named it, and no fault of the harness."""

    def stuck(_: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    for require_ours, empty in ((stuck, lambda _: None), (lambda _: None, stuck)):
        with (
            pytest.raises(UsageError, match=r"^--out .*out: Operation not permitted$"),
            directory.held(tmp_path / "out", "run", require_ours, empty),
        ):
            pass
