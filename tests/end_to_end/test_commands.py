"""The other commands: plan, check, flaws, serve, and the help of each."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from tests.ports import reserved

from .commands import (
    END_S,
    FLAGS,
    FLAW,
    HARNESS,
    ROOT,
    STORIES,
    SWITCHING,
    Run,
    background,
    harness,
    is_running,
    run,
    until,
)


def test_plan_is_what_runs(sound: Run) -> None:
    """`harness plan --format json` has exactly the cells that the run with the same arguments executed."""
    ended = harness("plan", *STORIES, "--format", "json", "--flags", str(FLAGS))
    planned = json.loads(ended.said)
    assert (ended.code, ended.complained) == (0, "")
    assert {trial["id"] for trial in planned["trials"]} == set(sound.ledgers())


def test_plan_text(sound: Run) -> None:
    """`harness plan` prints the run's plan with every row, runs nothing and makes no directory."""
    ended = harness("plan", *STORIES, "--out", str(sound.out / "nowhere"), "--flags", str(FLAGS))
    assert ended.code == 0
    assert sum(bool(re.match(r" +\d+  [0-9a-f]{8} ", line)) for line in ended.said.splitlines()) == 72
    shown = sound.ended.said.split("starting the flag server")[0].splitlines()
    planned = ended.said.splitlines()
    assert [line for line in shown if line not in planned and "more rows" not in line] == []
    assert not (sound.out / "nowhere").exists()


@pytest.mark.parametrize(("which", "code", "first"), [("sound", 0, "VALID: "), ("flawed", 1, "INVALID: ")])
def test_check(request: pytest.FixtureRequest, which: str, code: int, first: str) -> None:
    """`harness check` judges a stored run again with the same verdict, words and exit code."""
    stored: Run = request.getfixturevalue(which)
    ended = harness("check", str(stored.out))
    assert (ended.code, ended.complained) == (code, "")
    assert ended.said.startswith(first)
    told = stored.ended.said[stored.ended.said.index(first) :]
    assert ended.said.split() == told.split()


def test_check_forged(flawed: Run, tmp_path: Path) -> None:
    """A ledger taken away, or put in another's place, is not valid when checked again."""
    out = tmp_path / "out"
    (out / "ledgers").mkdir(parents=True)
    for path in (flawed.out / "run.json", flawed.out / "control.jsonl"):
        (out / path.name).write_bytes(path.read_bytes())
    cells = flawed.cells
    leaky = {each["trial"] for each in flawed.summary["findings"]}
    for trial in cells.keys() - leaky:
        (out / "ledgers" / f"{trial}.jsonl").write_bytes((flawed.out / "ledgers" / f"{trial}.jsonl").read_bytes())
    assert harness("check", str(out)).code == 6
    source = next(trial for trial in cells if trial not in leaky)
    for trial in leaky:
        (out / "ledgers" / f"{trial}.jsonl").write_bytes((out / "ledgers" / f"{source}.jsonl").read_bytes())
    assert harness("check", str(out)).code == 4


def test_flaws() -> None:
    """`harness flaws` lists each flaw with what wakes it and which check sees it."""
    ended = harness("flaws")
    assert ended.code == 0
    for said in (FLAW, "Babylon", "video-upgrade=on and replay-index-v2=on", "foreign-media"):
        assert said in ended.said


def test_serve(tmp_path: Path, out: Path, small: Path) -> None:
    """`harness serve` takes the ports given, the command that it prints runs against them, and Ctrl-C ends both."""
    command = (HARNESS, "serve", "--flags", str(small))
    with (
        reserved() as port,
        reserved() as flag_port,
        background(tmp_path / "log", *command, "--port", str(port), "--flag-port", str(flag_port)) as served,
    ):
        served.wait_until("Ctrl-C ends both.")
        assert all(f"http://127.0.0.1:{each}" in served.said for each in (port, flag_port))
        children = served.children()
        words = next(line for line in served.said.splitlines() if "harness run" in line).split("harness run ")[1]
        ended = run(out, *words.split(), "--flags", str(small))
        served.interrupt(signal.SIGINT, group=True)
        assert served.end().code == 0
    assert (ended.ended.code, ended.summary["verdict"], ended.summary["trials"]["valid"]) == (0, "valid", 24)
    assert len(children) == 2
    until(lambda: not any(is_running(child) for child in children), END_S)


def test_serve_with_a_flaw(tmp_path: Path, out: Path, small: Path) -> None:
    """A leak in a deployment that runs already is found, and its command names that deployment."""
    options = ["--port", "0", "--flag-port", "0", "--flags", str(small), "--flaw", FLAW]
    with background(tmp_path / "log", HARNESS, "serve", *options) as served:
        served.wait_until("Ctrl-C ends both.")
        url = re.search(r"clinic +(http://\S+)", served.said)
        flags = re.search(r"flag server +(http://\S+)", served.said)
        assert url
        assert flags
        ended = run(out, SWITCHING, "--target", url[1], "--flag-server", flags[1], "--flags", str(small))
        served.interrupt(signal.SIGTERM)
        assert served.end().code == 0
    assert (ended.ended.code, ended.summary["trials"]["invalid"]) == (1, 2)
    assert [word for word in ended.again() if word.startswith("http")] == [url[1], flags[1]]
    assert str(small) in ended.again()


@pytest.mark.parametrize("command", ["", "run", "plan", "check", "flaws", "serve", "drill"])
def test_help(command: str) -> None:
    """Each command's help exits 0; that of those which judge names the exit codes."""
    ended = harness(*command.split(), "--help")
    assert (ended.code, ended.complained) == (0, "")
    assert ended.said.startswith(f"Usage: harness {command}".rstrip())
    if command in ("", "run", "check", "drill"):
        assert "Exit codes: 0 " in ended.said


def test_other_place(tmp_path: Path, small: Path) -> None:
    """Given the files, it runs from any folder and writes reports/out there."""
    scenarios = ROOT / "scenarios" / "audio_only.py"
    ended = harness("run", str(scenarios), "--flags", str(small), cwd=tmp_path)
    assert ended.code == 0
    assert (tmp_path / "reports" / "out" / "summary.json").exists()
