"""Allure's results of a stored run: one a cell, never greener than our verdict, and without secrets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.ledger import Action
from harness.model import Catalogue, Flag, Trial, Verdict
from harness.planning.exhaustive import exhaustive
from harness.reporting.report import results, verdict
from harness.reporting.report.attachments import Attachments
from harness.reporting.report.categories import LABEL, Category
from harness.reporting.report.results import Teller, selected, titles
from harness.running.outcome import RunOutcome
from harness.running.recheck import recheck
from harness.running.settings import Settings
from harness.running.trial import TrialResult
from tests.checks.stories import sound
from tests.reporting.stored import PLAN, broken, clean, keep_leak, leaking, store, trial_with
from tests.running.runs import DOUBT, LEAK, MISSING

Told = dict[str, dict[str, Any]]


def told(out: Path, attached: Path) -> Told:
    """Return the results of a stored run by uuid."""
    attached.mkdir(exist_ok=True)
    outcome, settings, stored = recheck(out)
    found = Teller(outcome, settings, stored, Attachments(attached), titles(outcome.plan)).results()
    return {each["uuid"]: each for each in found}


def labels(result: dict[str, Any], name: str) -> list[str]:
    """Return a result's labels of this name."""
    return [label["value"] for label in result["labels"] if label["name"] == name]


def test_there_is_one_result_a_cell_with_the_combination_as_parameters(tmp_path: Path) -> None:
    """One test case a scenario; what differs between its results is the flags."""
    shown = told(store(tmp_path / "out"), tmp_path / "attached")
    assert shown.keys() == {trial.id for trial in PLAN.trials}
    assert {each["status"] for each in shown.values()} == {"passed"}
    assert len({each["testCaseId"] for each in shown.values()}) == len(PLAN.scenarios)
    assert len({each["historyId"] for each in shown.values()}) == len(PLAN.trials)
    one = shown[trial_with("video-upgrade").id]
    assert one["name"] == "two_visits [video_upgrade]"
    assert one["parameters"] == [{"name": "replay-cache", "value": "off"}, {"name": "video-upgrade", "value": "on"}]
    assert shown[trial_with().id]["name"] == "two_visits [baseline]"
    assert not labels(one, LABEL)


def test_a_leak_fails_and_says_what_who_and_how_to_play_it_again(tmp_path: Path) -> None:
    """Message, category, steps, findings, lists and command of a leaking trial."""
    shown = told(store(tmp_path / "out", leaking), tmp_path / "attached")
    trial = trial_with("replay-cache", "video-upgrade")
    leak = shown[trial.id]
    assert leak["status"] == "failed"
    assert labels(leak, LABEL) == [Category.FOREIGN_MEDIA]
    first, second, *_ = leak["statusDetails"]["message"].splitlines()
    assert first == "foreign media: never ship"
    assert second.startswith("foreign-media, proved: alice's replay list served video that bob emitted in visit-2")
    assert f"harness run --trial {trial.id}" in leak["description"]
    assert "```" not in leak["description"]
    assert "<--- here" in leak["statusDetails"]["trace"]
    attached = {each["name"]: tmp_path / "attached" / each["source"] for each in leak["attachments"]}
    assert json.loads(attached["findings"].read_text())[0]["check"] == "foreign-media"
    assert [each["recording"] for each in json.loads(attached["replay lists"].read_text())["alice"]] == [
        "rec-1",
        "rec-2",
    ]
    assert {each["status"] for uuid, each in shown.items() if uuid != trial.id and "two" in each["name"]} == {"passed"}


def test_a_failed_assertion_of_the_scenario_is_not_told_as_a_leak(tmp_path: Path) -> None:
    """It fails, in a category of its own."""
    shown = told(store(tmp_path / "out", lambda _trial: broken()), tmp_path / "attached")
    assert {each["status"] for each in shown.values()} == {"failed"}
    assert {kind for each in shown.values() for kind in labels(each, LABEL)} == {Category.SCENARIO_BROKEN}


def test_a_cell_without_a_result_is_broken_and_so_is_the_run(tmp_path: Path) -> None:
    """What was expected and is not there is told as not executed, never left out."""
    missing = trial_with("video-upgrade")
    out = store(tmp_path / "out", lambda trial: None if trial == missing else clean(trial))
    shown = told(out, tmp_path / "attached")
    assert shown[missing.id]["status"] == "broken"
    assert "not executed" in shown[missing.id]["statusDetails"]["message"]
    assert len(shown) == len(PLAN.trials) + 1
    [whole] = [each for uuid, each in shown.items() if uuid not in {trial.id for trial in PLAN.trials}]
    assert whole["status"] == "broken"
    assert "1 of 8 expected trials have no result" in whole["statusDetails"]["message"]


def test_a_trial_that_was_cut_off_is_not_green(tmp_path: Path) -> None:
    """A ledger without its end is broken, whatever it held so far."""
    out = store(tmp_path / "out")
    file = out / "ledgers" / f"{PLAN.trials[0].id}.jsonl"
    file.write_text("\n".join(file.read_text().splitlines()[:20]) + "\n")
    assert told(out, tmp_path / "attached")[PLAN.trials[0].id]["status"] == "broken"


def test_a_run_without_its_control_is_not_green(tmp_path: Path) -> None:
    """Though every trial passed, one result says that nothing is proved."""
    shown = told(store(tmp_path / "out", control=False), tmp_path / "attached")
    assert [each["statusDetails"]["message"] for each in shown.values() if each["status"] == "broken"] == [
        "no verdict\nthe control did not run, so no list can be believed"
    ]


def test_an_interrupted_run_is_not_green(tmp_path: Path) -> None:
    """A run that was interrupted after its last trial says so."""
    out = store(tmp_path / "out")
    (out / "summary.json").write_text(json.dumps({"exit_code": 2}))
    shown = told(out, tmp_path / "attached")
    assert "the run was interrupted" in next(
        each["statusDetails"]["message"] for each in shown.values() if each["status"] == "broken"
    )


def test_no_account_names_or_passwords_are_told(tmp_path: Path) -> None:
    """An account name carries a token, and an address may carry a password: neither is in any file."""

    def with_accounts(_trial: Trial) -> Any:
        return sound().call("alice", Action.ENROL, "ok", {"account": "alice-tok-5f2e9c1b7a", "number": 1}).closed()  # type: ignore[arg-type]  # an outcome by its value

    settings = Settings(out=tmp_path / "out", seed=7, target="https://me:hunter2@staging.example")
    out = store(tmp_path / "out", with_accounts, settings=settings)
    shown = json.dumps(told(out, tmp_path / "attached"))
    shown += "".join(file.read_text() for file in (tmp_path / "attached").iterdir())
    assert "alice signs up" in shown
    assert "staging.example" in shown
    assert "tok-5f2e9c1b7a" not in shown
    assert "hunter2" not in shown


ERROR = (
    "GET /replays?access_token=SEKRET0123456789 500 http://u:SEKRETURL@h/ {'password':'SEKRETPW55555'} "
    "Authorization: Bearer SEKRETBEARER987654"
)


def test_no_secrets_of_an_error_are_told(tmp_path: Path) -> None:
    """What a target or a scenario says may hold a token: it is in no result, no attachment and not in the verdict."""
    out = store(tmp_path / "out", lambda _trial: broken())
    for file in (out / "ledgers").iterdir():
        file.write_text(file.read_text().replace("assert 1 == 2", ERROR).replace("rec-1", "rec-1?sig=SEKRETSIG1"))
    shown = json.dumps(told(out, tmp_path / "attached"))
    shown += "".join(file.read_text() for file in (tmp_path / "attached").iterdir())
    outcome, settings, stored = recheck(out)
    pages = verdict.pages(outcome, settings, stored, titles(outcome.plan))
    for text in (shown, pages.fragment, pages.page):
        assert "GET /replays?access_token=REDACTED 500" in text
        assert "SEKRET" not in text


def test_history_is_kept_apart_by_target_driver_and_flaws(tmp_path: Path) -> None:
    """A planted flaw or another driver does not make the sound target's tests look new, flaky or fixed."""
    outs = {name: store(tmp_path / name, settings=settings) for name, settings in settings_of(tmp_path).items()}
    ids = {
        name: {each["historyId"] for each in told(out, tmp_path / "attached").values()} for name, out in outs.items()
    }
    assert ids["sound"] == ids["again"]
    assert not ids["sound"] & ids["flawed"]
    assert not ids["sound"] & ids["elsewhere"]
    assert not ids["sound"] & ids["browser"]


def settings_of(place: Path) -> dict[str, Settings]:
    """Return the settings of five runs, the first two alike."""
    sound_one = Settings(out=place, seed=7)
    return {
        "sound": sound_one,
        "again": sound_one,
        "flawed": replace(sound_one, flaws=("a",)),
        "elsewhere": replace(sound_one, target="http://127.0.0.1:9"),
        "browser": replace(sound_one, driver="browser"),
    }


def test_the_evidence_is_attached_the_leak_first(tmp_path: Path) -> None:
    """Frame and film of the leak, then what else lies there; a file that is not what its name says is named only."""
    out = store(tmp_path / "out", leaking)
    trial = trial_with("replay-cache", "video-upgrade")
    keep_leak(out, trial)
    place = out / "evidence" / trial.id
    (place / "alice.png").write_bytes(b"picture")
    (place / "alice.har").write_text("no JSON")
    (tmp_path / "attached").mkdir()
    outcome, settings, stored = recheck(out)
    attachments = Attachments(tmp_path / "attached")
    shown = list(Teller(outcome, settings, stored, attachments, titles(outcome.plan)).results())
    kinds = [(each["name"], each["type"]) for each in next(s for s in shown if s["uuid"] == trial.id)["attachments"]]
    assert kinds[:3] == [
        ("the leaked media: a frame, its owner's canary in the box", "image/png"),
        ("the leaked media (leak.webm)", "video/webm"),
        ("alice: screenshot", "image/png"),
    ]
    assert attachments.left_out == [str(place / "alice.har")]


def test_evidence_without_room_is_named(tmp_path: Path) -> None:
    """Above the limit for the whole report a file is left out and its path is told."""
    (tmp_path / "evidence" / "t").mkdir(parents=True)
    for name in ("alice.png", "bob.png"):
        (tmp_path / "evidence" / "t" / name).write_bytes(b"x" * 100)
    attachments = Attachments(tmp_path, max_bytes=150)
    assert [each["name"] for each in attachments.add_evidence(tmp_path, "t")] == ["alice: screenshot"]
    assert attachments.left_out == [str(tmp_path / "evidence/t/bob.png")]


def test_evidence_of_an_unknown_kind_is_named_only(tmp_path: Path) -> None:
    """What cannot be cleaned is left out, and a text is attached without its tokens."""
    place = tmp_path / "evidence" / "t"
    place.mkdir(parents=True)
    for name in ("alice.log", "core", "notes.txt"):
        (place / name).write_text("token: tok-5f2e9c1b7a")
    attachments = Attachments(tmp_path)
    (attached,) = attachments.add_evidence(tmp_path, "t")
    assert attached["name"] == "notes.txt"
    assert (tmp_path / attached["source"]).read_text() == "token: REDACTED"
    assert attachments.left_out == [str(place / "alice.log"), str(place / "core")]


def test_a_valid_trial_has_steps_and_no_lists(tmp_path: Path) -> None:
    """Its steps say what everybody could see; lists are for those who look for what went wrong."""
    shown = told(store(tmp_path / "out"), tmp_path / "attached").values()
    assert all(each["steps"] and not each["attachments"] for each in shown)


def test_names_are_in_the_plans_order_when_sorted_as_text() -> None:
    """Allure sorts names as text, and what has no short name is numbered."""
    flags = tuple(Flag(f"a-flag-with-quite-a-long-name-{number}") for number in range(4))
    names = list(titles(exhaustive(Catalogue(flags, source="x"), ["one"], 7)).values())
    numbered = [name for name in names if name.startswith("combination")]
    assert "combination 08 of 16" in numbered
    assert sorted(numbered) == numbered


def outcome_of(*findings: tuple[Any, ...]) -> list[TrialResult]:
    """Return a result for each of the first cells, with these findings."""
    return [
        TrialResult(trial, Verdict.merge(each.verdict for each in found), found, 1.0)
        for trial, found in zip(PLAN.trials, findings, strict=False)
    ]


def test_above_the_limit_failures_are_shown_and_the_rest_is_counted() -> None:
    """Every failure one by one, and of each scenario one result for what was valid."""
    few = outcome_of((), (DOUBT,), (), (LEAK,), (), (), (MISSING,), ())
    shown, rest = selected(few, limit=7)
    assert [each.findings[0] for each in shown] == [LEAK, MISSING, DOUBT]
    assert {key: len(each) for key, each in rest.items()} == {("two_visits", None): 3, ("one_more", None): 2}
    assert selected(few, limit=8) == ([*shown, few[0], few[2], few[4], few[5], few[7]], {})


def test_failures_above_the_limit_are_counted_as_failures(tmp_path: Path) -> None:
    """When even the failures are too many, the gravest are shown and the others are told by kind, still failed."""
    many = outcome_of(*[(LEAK,)] * 4, *[(DOUBT,)] * 4)
    shown, rest = selected(many, limit=3)
    assert len(shown) == 3
    assert {key: len(each) for key, each in rest.items()} == {
        ("one_more", Category.FOREIGN_MEDIA): 1,
        ("two_visits", Category.NO_VERDICT): 2,
        ("one_more", Category.NO_VERDICT): 2,
    }
    outcome = RunOutcome(PLAN, tuple(many), None)
    stored = recheck(store(tmp_path / "out"))[2]
    teller = Teller(outcome, Settings(), stored, Attachments(tmp_path), titles(PLAN))
    told_of = [teller._rest(*key, each) for key, each in rest.items()]
    assert [each["status"] for each in told_of] == ["failed", "broken", "broken"]
    assert all("not shown one by one" in each["name"] for each in told_of)


def test_steps_are_told_until_the_report_has_enough(tmp_path: Path, monkeypatch: Any) -> None:
    """Failing trials have their steps first; of a large run good ones are told without."""
    out = store(tmp_path / "out", leaking)
    monkeypatch.setattr(results, "MAX_STEPS", 100)
    (tmp_path / "attached").mkdir()
    outcome, settings, stored = recheck(out)
    attachments = Attachments(tmp_path / "attached")
    shown = list(Teller(outcome, settings, stored, attachments, titles(outcome.plan), _steps_left=100).results())
    assert [("steps" in each, each["status"]) for each in shown][:2] == [(True, "failed"), (True, "failed")]
    assert not any("steps" in each for each in shown[2:])
