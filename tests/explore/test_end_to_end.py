"""The real command: it finds a planted flaw by itself, keeps a file that shows it, and leaves nothing running."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.commands import (
    END_S,
    FLAW,
    HARNESS,
    SMALL,
    Background,
    background,
    call,
    harness,
    is_running,
    processes,
    run,
    scenarios,
    until,
)

PLAYS = "making up stories"


@pytest.fixture
def flags(tmp_path: Path) -> Path:
    """Return a catalogue of three of the clinic's flags: eight combinations, one deployment."""
    file = tmp_path / "flags.toml"
    file.write_text(SMALL)
    return file


def test_a_planted_flaw(tmp_path: Path, flags: Path) -> None:
    """The flaw is found without its flags being told; the saved story fails with the flaw alone, under pytest too."""
    kept = tmp_path / "kept"
    found = harness("explore", "--flags", str(flags), "--flaw", FLAW, "--budget", "180s", "--save", str(kept))
    assert (found.code, "INVALID: do not ship" in found.said) == (1, True), found
    size = re.search(r"(\d+) steps?, (\d+) actors?", found.said)
    assert size
    assert (int(size[1]) <= 8, int(size[2]) <= 3) == (True, True), size[0]
    (file,) = kept.glob("*.py")
    assert f"saved: {file}" in found.said
    text = file.read_text()
    assert '@scenario(flags=["video-upgrade", "replay-index-v2"' in text
    told = f"harness explore --seed 0 --budget 180s --flags {flags} --flaw {FLAW}"
    assert told in " ".join(text.split())
    chosen = ["--set", "video-upgrade=on", "--set", "replay-index-v2=on"]
    again = ["harness", "run", str(file), "--flags", str(flags), "--coverage", "t-way:1", *chosen, "--flaw", FLAW]
    assert " ".join(again) in " ".join(text.replace("\\", "").split())
    options = ["--flags", str(flags), *chosen]
    flawed = run(tmp_path / "flawed", str(file), *options, "--flaw", FLAW)
    checks = {finding["check"] for finding in flawed.summary["findings"]}
    assert (flawed.ended.code, bool(checks & {"foreign-media", "reachable-media"})) == (1, True)
    assert run(tmp_path / "sound", str(file), *options).ended.code == 0
    under_pytest = scenarios(str(file), *options, "--flaw", FLAW, f"--out={tmp_path / 'pytest'}")
    assert (under_pytest.code, "Traceback" in under_pytest.said) == (1, False)


def test_the_sound_clinic(tmp_path: Path, flags: Path) -> None:
    """Nothing is found on the sound clinic; what was tried is said, and nothing is written."""
    kept = tmp_path / "kept"
    found = harness("explore", "--flags", str(flags), "--budget", "25s", "--save", str(kept), "--seed", "5")
    assert (found.code, "VALID in what was tried" in found.said) == (0, True), found
    assert "of 8 valid combinations" in found.said
    assert "control: a foreign video slipped into alice's list was found and proved" in found.said
    assert list(kept.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--budget", "0"], "--budget 0: too short; give '5s' or more, such as '60s'"),
        (["--budget", "25h"], "--budget 25h: too long; give at most '24h'"),
        (["--flaw", "video-branch-skips-ower"], f"did you mean '{FLAW}'?"),
        (["--set", "video-upgrad=on"], "did you mean 'video-upgrade'?"),
        (["--seed", "-1"], "--seed -1: a seed is 0 or more"),
        (["--target", "http://127.0.0.1:9", "--flag-server", "http://127.0.0.1:9"], "nothing answers there"),
    ],
    ids=["no time", "too much time", "flaw", "flag", "seed", "target"],
)
def test_a_bad_input(arguments: list[str], why: str) -> None:
    """A mistake is one line with the mend, before anything is started."""
    done = harness("explore", *arguments)
    assert (done.code, done.said) == (4, "")
    assert why in done.complained
    assert done.complained.count("\n") == 1


def test_a_budget_in_which_nothing_begins(flags: Path, tmp_path: Path) -> None:
    """What could not see anything does not pass, though the machine were too slow for the least budget, here less."""
    slow = tmp_path / "slow.py"
    slow.write_text(
        "from harness.cli.main import main\nfrom harness.explore import command\n\n"
        "command.LEAST_BUDGET_S = 0.1\nmain()\n"
    )
    done = call(sys.executable, str(slow), "explore", "--flags", str(flags), "--budget", "0.1s")
    assert (done.code, "the budget of 0.1 s ended before the first trial" in done.said) == (6, True)


def _interrupt(started: Background) -> None:
    started.interrupt(signal.SIGINT, group=True)
    started.interrupt(signal.SIGINT, group=True)


def _kill_the_clinic(started: Background) -> None:
    clinics = [pid for pid in started.children() if b"harness.clinic" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(clinics) == 1
    os.kill(clinics[0], signal.SIGKILL)


@pytest.mark.parametrize(
    ("do", "code", "said"),
    [(_interrupt, 2, "tried: "), (_kill_the_clinic, 6, "not proved: the target died in the middle")],
    ids=["ctrl-c twice", "the clinic is killed"],
)
def test_in_the_middle(tmp_path: Path, flags: Path, do: Callable[[Background], None], code: int, said: str) -> None:
    """It ends soon with the right code, says what it knows, and its children have ended."""
    with background(tmp_path / "log", HARNESS, "explore", "--flags", str(flags), "--budget", "60s") as started:
        started.wait_until(PLAYS)
        children = started.children()
        # Clinic and flag server, and whatever decoders were needed by then.
        assert len(children) >= 2
        do(started)
        ended = started.end()
    assert (ended.code, said in ended.said, "Traceback" in ended.said) == (code, True, False), ended.said
    until(lambda: not any(is_running(child) for child in children), END_S)
    assert not [pid for pid, (parent, _) in processes() if parent == started.process.pid]
