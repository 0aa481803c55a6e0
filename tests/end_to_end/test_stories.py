"""Scenarios that go wrong by themselves: a broken promise is a failure, everything else is no verdict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .commands import HARNESS, ROOT, Run, call, run

Write = Callable[..., Path]
ON = "[flags.replay-access]\nkind = 'kill switch'\nbaseline = 'on'\n"
HEAD = "@scenario()\nasync def story(alice: Patient, bob: Patient, chen: Clinician) -> None:\n"
HELD = "    visit = await alice.book(chen, medium='audio')\n    await visit.hold(alice, chen)\n"


@pytest.fixture
def kill_switch(tmp_path: Path) -> Path:
    """Return a catalogue of the kill switch alone: two combinations."""
    file = tmp_path / "kill-switch.toml"
    file.write_text(ON)
    return file


@pytest.mark.parametrize(
    ("body", "code", "check", "said"),
    [
        (
            HELD + "    assert False, 'she was promised a reminder'\n",
            1,
            "broken-promise",
            "she was promised a reminder",
        ),
        (HELD + "    raise ValueError('no idea')\n", 6, "unproved", "story.py:10: ValueError: no idea"),
        (HELD + "    raise SystemExit(0)\n", 6, "unproved", "story.py:10: SystemExit: 0"),
        ("    await alice.book(chen, medium='audio')\n", 6, "vacuous", "no actor saw any media of their own"),
        ("    await asyncio.sleep(0)\n", 6, "vacuous", "no actor saw any media of their own"),
    ],
    ids=["assert", "raise", "exits", "books only", "does nothing"],
)
def test_story(write: Write, out: Path, kill_switch: Path, body: str, code: int, check: str, said: str) -> None:
    """A failing assertion exits 1 as an ordinary failure; a story that raises or shows nothing exits 6."""
    ended = run(out, str(write(HEAD + body)), "--flags", str(kill_switch))
    findings = ended.summary["findings"]
    assert (ended.ended.code, ended.summary["exit_code"]) == (code, code)
    assert {finding["trial"] for finding in findings if finding["check"] == check} == set(ended.cells)
    assert any(said in finding["sentence"] for finding in findings)
    assert said in ended.ended.said
    assert ended.summary["leak_conditions"] == []
    assert ended.summary["control"]["found"] is True


def test_story_that_hangs(write: Write, out: Path, kill_switch: Path, tmp_path: Path) -> None:
    """A story that never ends is ended by its deadline, made short here, and its trial is unknown."""
    short = tmp_path / "short.py"
    short.write_text(
        "from harness.cli.main import main\nfrom harness.running import engine, trial\n\n"
        "engine.Deadlines = lambda: trial.Deadlines(story_s=1.0)\nmain()\n"
    )
    story = write(HEAD + HELD + "    await asyncio.Event().wait()\n")
    python = str(Path(HARNESS).with_name("python"))
    command = [python, str(short), "run", str(story), "--flags", str(kill_switch), "--out", str(out)]
    ended = Run(call(*command, cwd=ROOT), out)
    assert (ended.ended.code, ended.summary["trials"]["unknown"]) == (6, 2)
    assert all("Timeout" in each["sentence"] for each in ended.summary["findings"] if each["check"] == "unproved")
