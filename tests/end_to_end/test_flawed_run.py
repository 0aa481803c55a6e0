"""The full run on the clinic with the leak of June 2020 planted, and how its failures are played again."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from .commands import AUDIO, FLAW, HARNESS, KILL_SWITCH, ROOT, STORIES, SWITCHING, Run, call, scenarios

CAUSE = {"replay-index-v2": "on", "video-upgrade": "on"}


def is_leaky(combination: dict[str, str]) -> bool:
    """Return True for a combination with both of the flaw's flags on."""
    return CAUSE.items() <= combination.items()


def test_verdict(flawed: Run) -> None:
    """It exits 1, and every finding is a proved leak, or a badge that counts them, and makes its trial invalid."""
    summary = flawed.summary
    assert (flawed.ended.code, summary["exit_code"], summary["verdict"]) == (1, 1, "invalid")
    assert summary["findings"]
    counted = [finding for finding in summary["findings"] if finding["check"] == "count-mismatch"]
    assert {finding["degree"] for finding in summary["findings"] if finding not in counted} == {"proved"}
    assert {finding["verdict"] for finding in summary["findings"]} == {"invalid"}
    assert {finding["check"] for finding in summary["findings"]} <= {
        "foreign-media",
        "foreign-text",
        "reachable-media",
        "count-mismatch",
    }
    assert {finding["scenario"] for finding in summary["findings"]} == {SWITCHING}
    assert {finding["viewer"] for finding in summary["findings"]} == {"bob"}


def test_summary_keeps_its_schema(flawed: Run) -> None:
    """The summary that other programs read has the published shape, with every kind of finding that this flaw wakes."""
    jsonschema.validate(flawed.summary, json.loads((ROOT / "reports" / "summary.schema.json").read_text()))


def test_cause(flawed: Run) -> None:
    """The leak condition is exactly the flaw's two flags, in the summary and in the sentence printed."""
    conditions = flawed.summary["leak_conditions"]
    assert [(each["scenario"], each["when"], each["exact"]) for each in conditions] == [(SWITCHING, CAUSE, True)]
    assert "leaks when replay-index-v2=on and video-upgrade=on" in flawed.ended.said
    assert "INVALID: do not ship" in flawed.ended.said
    assert "ship: safe with replay-index-v2=off (36 of 36 combinations valid)" in flawed.ended.said
    assert "ship: safe with video-upgrade=off (24 of 24 combinations valid)" in flawed.ended.said


def test_invalid_combinations(flawed: Run) -> None:
    """Only combinations with both flags on are invalid, all of them, and all others are valid."""
    summary = flawed.summary
    leaky = {
        trial for trial, cell in flawed.cells.items() if cell["scenario"] == SWITCHING and is_leaky(cell["combination"])
    }
    assert {finding["trial"] for finding in summary["findings"]} == leaky
    assert summary["trials"] == {"total": 216, "valid": 216 - len(leaky), "unknown": 0, "invalid": len(leaky)}
    verdicts = {each["name"]: each["verdict"] for each in summary["scenarios"]}
    assert verdicts == {AUDIO: "valid", KILL_SWITCH: "valid", SWITCHING: "invalid"}


def test_evidence(flawed: Run) -> None:
    """A finding names the viewer's opening of the recording, with the owner's canary in it, and at most lists after."""
    ledgers = flawed.ledgers()
    media = [each for each in flawed.summary["findings"] if each["check"] in ("foreign-media", "reachable-media")]
    assert media
    for finding in (each for each in media if each["degree"] == "proved"):
        named = [ledgers[finding["trial"]][seq] for seq in sorted(finding["evidence"])]
        opened = [each for each in named if each["action"] == "open"]
        assert {each["action"] for each in named if each["seq"] > opened[-1]["seq"]} <= {"list"}
        assert {(each["actor"], each["outcome"]) for each in opened} == {(finding["viewer"], "ok")}
        assert {each["data"]["recording"] for each in opened} == {finding["recording"]}
        assert any(
            canary["owner"].startswith(finding["owner"].split()[0])
            for each in opened
            for canary in each["data"]["content"]["canaries"]
        )


def test_again(flawed: Run) -> None:
    """The command that the run prints, pasted, plays the one trial again and exits 1; without the flaw it exits 0."""
    words = flawed.again()
    assert words[0] == "harness"
    assert FLAW in words
    place = Path(words[words.index("--out") + 1])
    failed = Run(call(HARNESS, *words[1:]), place)
    assert failed.ended.code == 1
    assert failed.summary["trials"] == {"total": 1, "valid": 0, "unknown": 0, "invalid": 1}
    at = words.index("--flaw")
    passed = Run(call(HARNESS, *words[1:at], *words[at + 2 :]), place)
    assert (passed.ended.code, passed.summary["verdict"]) == (0, "valid")


def test_earlier_run_survives_again(flawed: Run) -> None:
    """Playing a failure again does not replace the run that found it."""
    words = flawed.again()
    assert Path(words[words.index("--out") + 1]) != flawed.out


def test_pytest_selection(out: Path, small: Path) -> None:
    """`pytest -k switching` finds the leak too, and exits 1 with the failures as sentences."""
    ended = scenarios(*STORIES, "-k", "switching", "--flags", str(small), "--flaw", FLAW, "--out", str(out))
    assert ended.code == 1
    assert "2 failed, 6 passed, 16 deselected" in ended.said
    assert "leaks when replay-index-v2=on and video-upgrade=on" in ended.said
    assert "foreign-media, proved: bob's replay list served" in ended.said
    assert Run(ended, out).summary["claim"]["executed"] == 8


def test_pytest_selection_on_the_sound_clinic(out: Path, small: Path) -> None:
    """`pytest -k switching` exits 0 on the sound clinic."""
    ended = scenarios(*STORIES, "-k", "switching", "--flags", str(small), "--out", str(out))
    assert ended.code == 0
    assert "8 passed, 16 deselected" in ended.said
    assert Run(ended, out).summary["verdict"] == "valid"


def test_pytest_stops_early(out: Path, small: Path) -> None:
    """`-x` stops at the first leak with exit code 1, and what was not played counts as not executed."""
    ended = scenarios(*STORIES, "-x", "-k", "switching", "--flags", str(small), "--flaw", FLAW, "--out", str(out))
    summary = Run(ended, out).summary
    assert (ended.code, summary["verdict"]) == (1, "invalid")
    assert "1 failed" in ended.said
    assert "stopping after 1 failures" in ended.said


def test_pytest_reports(out: Path, small: Path, tmp_path: Path) -> None:
    """pytest's own --junitxml and --alluredir are written as they are asked for."""
    junit, results = tmp_path / "own.xml", tmp_path / "own-allure"
    ended = scenarios(
        "scenarios",
        "-k",
        "audio_only",
        "--flags",
        str(small),
        "--out",
        str(out),
        f"--junitxml={junit}",
        f"--alluredir={results}",
    )
    assert ended.code == 0
    assert junit.read_text().count("<testcase ") == 8
    assert len(list(results.glob("*-result.json"))) == 8
