"""The full run on the sound clinic, judged here from what it left on disk and not by the harness's own checks."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from xml.etree import ElementTree

from .commands import AUDIO, KILL_SWITCH, SWITCHING, Run

Rows = list[dict[str, Any]]


def done(rows: Rows, action: str, outcome: str = "ok") -> Rows:
    """Return the rows of an action that ended in this way."""
    return [row for row in rows if (row["action"], row["outcome"]) == (action, outcome)]


def parties(rows: Rows) -> dict[str, set[str]]:
    """Return who took part in each visit."""
    found: dict[str, set[str]] = {}
    for row in done(rows, "join"):
        found.setdefault(row["data"]["visit"], set()).add(row["actor"])
    return found


def test_verdict(sound: Run) -> None:
    """It exits 0 and the summary says valid: 72 of 72 combinations in each of three scenarios, the control found."""
    summary = sound.summary
    assert (sound.ended.code, sound.ended.complained) == (0, "")
    assert (summary["verdict"], summary["exit_code"]) == ("valid", 0)
    assert summary["claim"] == {
        "kind": "exhaustive",
        "valid_combinations": 72,
        "executed": 72,
        "implied": 0,
        "strength": None,
        "fixed": {},
        "sentence": "exhaustive: each of 3 scenarios is played under each of the 72 valid combinations",
        "choice": "auto chose exhaustive: 72 valid combinations are at most 100",
    }
    assert summary["trials"] == {"total": 216, "valid": 216, "unknown": 0, "invalid": 0}
    assert {each["name"]: each["executed"] for each in summary["scenarios"]} == {
        AUDIO: 72,
        KILL_SWITCH: 72,
        SWITCHING: 72,
    }
    assert summary["control"]["found"] is True
    assert (summary["findings"], summary["leak_conditions"], summary["doubts"]) == ([], [], [])


def test_output(sound: Run) -> None:
    """The plan is printed before anything runs, then progress, then the verdict and where the report lies."""
    told = [
        "Plan: 3 scenarios, 72 combinations, 216 trials, seed 0",
        "Claim: exhaustive",
        "starting the flag server",
        "216 of 216 trials: 216 valid",
        "VALID: nobody could see media that is not theirs",
        "control: a foreign video slipped into",
        f"report: {sound.out}",
    ]
    places = [sound.ended.said.index(each) for each in told]
    assert places == sorted(places)


def test_cells(sound: Run) -> None:
    """Each expected cell, scenario by combination, has exactly one ledger, which says that it is this cell's."""
    cells, ledgers = sound.cells, sound.ledgers()
    assert len(cells) == 216
    assert cells.keys() == ledgers.keys()
    played = Counter((cell["scenario"], tuple(cell["combination"].items())) for cell in cells.values())
    assert set(played.values()) == {1}
    for trial, rows in ledgers.items():
        opening = rows[0]["data"]
        assert (opening["trial"], opening["scenario"]) == (trial, cells[trial]["scenario"])
        assert opening["combination"] == cells[trial]["combination"]


def test_flags_proved(sound: Run) -> None:
    """In each trial every actor was seen, through the clinic, to have the combination before and after the story."""
    for trial, rows in sound.ledgers().items():
        told = next(row["seq"] for row in rows if row["action"] == "story")
        for actor in rows[0]["data"]["cast"]:
            seen = [row for row in done(rows, "flags") if row["actor"] == actor]
            assert len(seen) == 2
            for each in (row["data"]["seen"] for row in seen):
                # The clinic has flags beyond the catalogue: those must be off.
                assert each == dict.fromkeys(each, "off") | sound.cells[trial]["combination"]
            assert seen[0]["seq"] < told < seen[1]["seq"]


def test_own_media_seen_or_refused(sound: Run) -> None:
    """With replays on, everybody met all media of their own visits; with replays off, list and bytes were refused."""
    for rows in sound.ledgers().values():
        took_part = parties(rows)
        cast = set(rows[0]["data"]["cast"])
        emitted = {(row["data"]["canary"], row["data"]["visit"]) for row in done(rows, "emit")}
        assert emitted
        if rows[0]["data"]["combination"]["replay-access"] == "on":
            for viewer in cast:
                met = {
                    canary["value"]
                    for row in done(rows, "open")
                    if row["actor"] == viewer
                    for canary in row["data"]["content"]["canaries"]
                }
                assert met == {canary for canary, visit in emitted if viewer in took_part[visit]}
        else:
            recorded = {item["recording"] for row in done(rows, "recordings") for item in row["data"]["items"]}
            refused = {
                (row["actor"], row["data"]["recording"]): row["data"]["status"]
                for row in done(rows, "open", "fail")
                if row["data"]["surface"] == "replay-media" and row["actor"] in cast
            }
            assert recorded
            lists = [row for row in done(rows, "list", "fail") if row["data"]["surface"] == "replay-list"]
            assert {row["actor"]: row["data"]["status"] for row in lists} == dict.fromkeys(cast, 403)
            assert refused == {(viewer, recording): 403 for viewer in cast for recording in recorded}
            # The portal's table of recordings, without any bytes, is not of the replays.
            assert {row["data"]["surface"] for row in done(rows, "list")} <= {"portal-recordings"}
            assert not done(rows, "open")


def test_foreign_references_refused(sound: Run) -> None:
    """Everybody tried every recording of the trial that is not theirs, and the clinic refused each."""
    for rows in sound.ledgers().values():
        if rows[0]["data"]["combination"]["replay-access"] == "off":
            continue
        took_part = parties(rows)
        visit_of = {
            item["recording"]: row["data"]["visit"] for row in done(rows, "recordings") for item in row["data"]["items"]
        }
        foreign = {
            (viewer, recording)
            for viewer in rows[0]["data"]["cast"]
            for recording, visit in visit_of.items()
            if viewer not in took_part[visit]
        }
        assert foreign
        refused = [row for row in done(rows, "open", "fail") if row["data"]["surface"] == "replay-media"]
        assert foreign | {("nobody", recording) for recording in visit_of} == {
            (row["actor"], row["data"]["recording"]) for row in refused
        }


def test_switch(sound: Run) -> None:
    """The switch to video took place exactly where the combination has video-upgrade on."""
    for rows in sound.ledgers().values():
        if rows[0]["data"]["scenario"] == SWITCHING:
            is_on = rows[0]["data"]["combination"]["video-upgrade"] == "on"
            assert len(done(rows, "switch")) == (1 if is_on else 0)
            assert len(done(rows, "switch", "fail")) == (0 if is_on else 1)


def test_reports(sound: Run) -> None:
    """JUnit and Allure have one passed result for each trial."""
    suite = ElementTree.parse(sound.out / "junit.xml").getroot()[0]  # noqa: S314 - we wrote it
    results = [json.loads(path.read_text()) for path in (sound.out / "allure-results").glob("*-result.json")]
    assert [suite.get(each) for each in ("tests", "failures", "errors", "skipped")] == ["216", "0", "0", "0"]
    assert len({case.get("name") for case in suite.iter("testcase")}) == 216
    assert len(results) == 216
    assert {result["status"] for result in results} == {"passed"}
    assert len({(result["fullName"], json.dumps(result["parameters"])) for result in results}) == 216


def test_no_names_in_reports(sound: Run, flawed: Run) -> None:
    """No account name and no token reaches the Allure results or JUnit."""
    for each in (sound, flawed):
        files = [*(each.out / "allure-results").iterdir(), each.out / "junit.xml"]
        said = "\n".join(path.read_text() for path in files)
        accounts = {row["data"]["account"] for rows in each.ledgers().values() for row in done(rows, "enrol")}
        assert len(accounts) == 3 * 216
        assert not [account for account in accounts if account in said]
        assert not [word for word in ("~+", "Bearer", "password") if word in said]
