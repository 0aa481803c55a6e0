"""From what was found, reached and doubted to the verdict, the exit code, the text and sweep.json."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.model import Finding, Verdict
from harness.running.outcome import ExitCode
from harness.sweeping import show
from harness.sweeping.asking.found import Found
from harness.sweeping.asking.reach import How, Reach
from harness.sweeping.control import Control
from harness.sweeping.judging.judge import Leak
from harness.sweeping.outcome import Outcome

from .world import ALICE, BOB


def reach(*statuses: tuple[str | None, How, int]) -> Reach:
    """Return the reach of an operation that was answered so."""
    made = Reach()
    for viewer, how, status in statuses:
        made.add(viewer, how, status)
    return made


SOUND = Outcome(
    target="clinic",
    document="http://127.0.0.1:1/openapi.json",
    address="http://127.0.0.1:1",
    combination={"video-upgrade": "on", "edge-cache": "off"},
    seed=0,
    called={ALICE: "alice", BOB: "bob"},
    reach={"GET /a": reach((ALICE, "own", 200), (BOB, "foreign", 404)), "GET /b": reach((None, "own", 200))},
    found=(),
    told=(),
    control=Control(5, ()),
    bound=0.9,
    requests=3,
    elapsed_s=1.25,
)
LEAK = Found(
    Leak("GET /a", ALICE, BOB, "proved", "video", "body", "GET /a served alice video", "1"), "foreign", 200, "curl x"
)
TOLD = Finding("foreign-media", Verdict.INVALID, "bob's list held it", "proved")


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (SOUND, ExitCode.VALID),
        (replace(SOUND, found=(LEAK,)), ExitCode.INVALID),
        (replace(SOUND, told=(TOLD,)), ExitCode.INVALID),
        (replace(SOUND, found=(LEAK,), doubts=("the target is gone",)), ExitCode.INVALID),
        (replace(SOUND, doubts=("the target is gone",)), ExitCode.UNKNOWN),
        (replace(SOUND, control=None), ExitCode.UNKNOWN),
        (replace(SOUND, broken=("GET /c: its schema leads nowhere",)), ExitCode.UNKNOWN),
        (replace(SOUND, control=Control(5, ("media",))), ExitCode.UNKNOWN),
        (replace(SOUND, reach={**SOUND.reach, "GET /c": reach((ALICE, "own", 404))}), ExitCode.UNKNOWN),
        (replace(SOUND, reach={**SOUND.reach, "GET /c": reach((ALICE, "own", 404))}, bound=0.6), ExitCode.VALID),
        (replace(SOUND, interrupted=True, found=(LEAK,)), ExitCode.INTERRUPTED),
    ],
    ids=[
        "sound",
        "leak",
        "story",
        "both",
        "doubt",
        "no control",
        "not understood",
        "missed",
        "reach",
        "bound",
        "interrupted",
    ],
)
def test_exit_codes(outcome: Outcome, expected: ExitCode) -> None:
    """A leak beats every doubt, a doubt beats reach, and an interruption says nothing."""
    assert outcome.exit_code is expected


@pytest.mark.parametrize("how", ["foreign", "generated"])
def test_only_own_data_reaches(how: How) -> None:
    """An answer to a foreign or a generated case proves nothing of what one's own would have brought."""
    assert not reach((ALICE, how, 200), (ALICE, "own", 404)).is_reached
    assert reach((ALICE, "story", 201)).is_reached


def test_the_text_says_what_was_not_proved() -> None:
    """What nobody got into is listed with the statuses that came; a finding with its command."""
    outcome = replace(
        SOUND, found=(LEAK,), reach={**SOUND.reach, "GET /c": reach((ALICE, "own", 404), (BOB, "own", 404))}
    )
    text = show.text(outcome)
    assert text.startswith("sweep of clinic: INVALID: 1 finding, data of 1 owner met")
    assert "foreign_data, proved: GET /a served alice video\n     curl x" in text
    assert "not proved" in text
    assert "GET /c" in text
    assert "404 x2" in text
    assert "video-upgrade=on (the others off)" in text


def test_half_a_character_is_written_down(tmp_path: Path) -> None:
    """Text and sweep.json hold nothing that is no Unicode, whatever target, document and command line brought."""
    half = "/\ud83d"
    leak = replace(LEAK.leak, operation=half, sentence=half)
    outcome = replace(
        SOUND,
        found=(replace(LEAK, leak=leak, curl=half),),
        told=(replace(TOLD, sentence=half),),
        doubts=(half,),
        remarks=(half,),
        again=half,
        reach={half: Reach()},
    )
    show.write(outcome, tmp_path)
    stored = json.loads((tmp_path / "sweep.json").read_text())
    assert json.dumps(stored, ensure_ascii=False).encode().count(b"/\\\\ud83d") >= 6
    assert show.text(outcome).encode().count(b"/\\ud83d") >= 6


def test_the_file_has_each_operation_and_actor(tmp_path: Path) -> None:
    """sweep.json has reach by operation, actor and way, people by their names, and the verdict with its exit code."""
    show.write(replace(SOUND, found=(LEAK,)), tmp_path)
    stored = json.loads((tmp_path / "sweep.json").read_text())
    assert (stored["schema"], stored["verdict"], stored["exit_code"], stored["reach"]) == (1, "invalid", 1, 1.0)
    first = stored["operations"][0]
    assert first == {
        "operation": "GET /a",
        "reached": True,
        "actors": {
            "alice": {"reached": True, "statuses": {"own": {"200": 1}}},
            "bob": {"reached": False, "statuses": {"foreign": {"404": 1}}},
        },
    }
    assert stored["findings"][0]["viewer"] == "alice"
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.json"]


def test_findings_of_one_operation_are_one(tmp_path: Path) -> None:
    """An operation is told once, with whose data each viewer met there; how to ask again and the file come once."""
    leaks = [
        replace(LEAK, leak=replace(LEAK.leak, viewer=viewer, owner=owner, operation=operation))
        for operation in ("GET /a", "GET /b")
        for viewer, owner in ((ALICE, BOB), (ALICE, "diaz"), (None, BOB))
    ]
    outcome = replace(SOUND, found=tuple(leaks), again="harness sweep --flaw x", report="out/sweep.json")
    text = show.text(outcome)
    assert text.count("foreign_data, proved") == text.count("curl x") == 2
    assert text.count("3 findings: alice <- bob, diaz; not signed in <- bob") == 2
    assert text.count("again: harness sweep --flaw x  (the clinic has ended with this sweep") == 1
    assert text.endswith("report: out/sweep.json")
    show.write(outcome, tmp_path)
    stored = json.loads((tmp_path / "sweep.json").read_text())
    assert len(stored["findings"]) == 6
    assert stored["again"] == "harness sweep --flaw x"
    assert "ended" not in show.text(replace(outcome, target="ours"))
