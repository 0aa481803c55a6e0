"""`harness sweep` as it is called: the sound clinic, one whose bytes are open, an interruption, what is no input."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.running.settings import Settings
from harness.sweeping.command import again, seconds, sweep
from harness.sweeping.run import Orders
from tests.processes import left

ROOT = Path(__file__).parents[2]
FLAGS = ROOT / "flags" / "clinic.toml"
HARNESS = str(Path(sys.executable).with_name("harness"))
RUN_S = 280.0
LOOK_S = 0.05


def called(folder: Path, *options: str) -> tuple[int, str, dict[str, Any]]:
    """Sweep into a folder that is also where one stands; return exit code, what was said, and sweep.json."""
    command = [HARNESS, "sweep", "--flags", str(FLAGS), "--out", str(folder / "out"), "--budget", "250s", *options]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=RUN_S, check=False)
    file = folder / "out" / "sweep.json"
    return ended.returncode, ended.stdout + ended.stderr, json.loads(file.read_text()) if file.exists() else {}


def written(folder: Path) -> str:
    """Return all that a sweep has written."""
    return "".join(path.read_text(errors="replace") for path in (folder / "out").rglob("*") if path.is_file())


def test_the_sound_clinic(tmp_path: Path) -> None:
    """Nearly every operation is reached with own data, nothing is found, and the user's folder has no file besides."""
    code, said, stored = called(tmp_path, "--seed", "5")
    assert code == 0, said
    assert stored["verdict"] == "valid"
    assert stored["findings"] == []
    assert stored["reach"] >= 0.9
    assert len(stored["operations"]) >= 60
    assert stored["control"]["slipped"] >= 5
    everybody = {"alice", "bob", "chen", "diaz", "carol", "operator", "not signed in"}
    assert all(everybody <= set(each["actors"]) for each in stored["operations"])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["facts.json", "ledgers", "sweep.json"]


def test_open_bytes_are_found(tmp_path: Path) -> None:
    """With bytes open it exits 1; the finding is proved and comes as a curl command without anybody's token."""
    code, said, stored = called(tmp_path, "--flaw", "bytes-open")
    assert code == 1, said
    worst = stored["findings"][0]
    assert (worst["degree"], worst["operation"]) == ("proved", "GET /replays/{replay}/media")
    assert all("$TOKEN_OF_" in each["curl"] or each["viewer"] == "not signed in" for each in stored["findings"])
    assert re.search(
        r'curl --include http://127\.0\.0\.1:\d+/replays/rec-[0-9a-f]+/media --header "Authorization: Bearer '
        r'\$TOKEN_OF_[A-Z]+"',
        said,
    )
    assert not re.search(r"Bearer (?!\$TOKEN_OF_)", said + written(tmp_path))
    # A link is base64 of "expires replay viewer" and its signature: nobody who reads the report may be let in by it.
    assert "/links/MT" not in said + written(tmp_path)


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that are alive."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in listed.stdout.split()]


def test_an_interruption_ends_all_that_was_started(tmp_path: Path) -> None:
    """Ctrl-C in the middle ends clinic and flag server, leaves a whole sweep.json, and exits 2."""
    command = [HARNESS, "sweep", "--flags", str(FLAGS), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("everybody makes"):
                break
        started = children(process.pid)
        assert len(started) >= 2
        process.send_signal(signal.SIGINT)
        # Whoever is impatient cuts nothing short.
        end_s = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end_s:
            time.sleep(LOOK_S)
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[0]
    finally:
        process.kill()
    assert process.returncode == 2, said
    assert "interrupted" in said
    assert left(started) == []
    assert json.loads((tmp_path / "out" / "sweep.json").read_text())["interrupted"] is True


def orders(out: Path, openapi: str | None = None, *, reach: float = 0.9, **settings: Any) -> Orders:
    """Return orders that sweep into a directory."""
    return Orders(Settings(flags=FLAGS, out=out, **settings), openapi, reach=reach)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"openapi": "absent.json"}, "absent.json: no such file"),
        ({"openapi": "http://127.0.0.1:1/openapi.json"}, "nothing answers there"),
        ({"flaws": ("bytes-opn",)}, "did you mean 'bytes-open'"),
        ({"chosen": ("video-upgrad=on",)}, "did you mean 'video-upgrade'"),
        ({"chosen": ("replay-cache=on", "edge-cache=on")}, "Two caches over one list"),
        ({"target": "http://127.0.0.1:1", "flag_server": "http://127.0.0.1:2"}, "nothing answers there"),
        ({"target": "nowhere"}, "no such target"),
        ({"seed": -1}, "a seed is 0 or more"),
        ({"reach": 0.0}, "give a share"),
        ({"reach": -0.05}, "--reach -5: give a share"),
    ],
)
def test_what_is_no_input(tmp_path: Path, settings: dict[str, Any], expected: str) -> None:
    """What no sweep can begin with is one line that names the option, and nothing is written."""
    with pytest.raises(UsageError, match=expected) as refused:
        sweep(orders(tmp_path / "out", **settings), lambda _: None)
    assert str(refused.value).startswith("--")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    """A directory that holds anything else is refused."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"it holds mine\.txt, which no sweep wrote"):
        sweep(orders(tmp_path), lambda _: None)


@pytest.mark.parametrize(("budget", "expected"), [("90s", 90), ("2m", 120), ("1.5 min", 90), ("10", 10), ("1h", 3600)])
def test_a_budget(budget: str, expected: float) -> None:
    """A budget has a unit, or is seconds."""
    assert seconds(budget) == expected


@pytest.mark.parametrize("budget", ["0", "0s", "10ms", "-3s", "soon", "", "2h", "9" * 40])
def test_no_budget(budget: str) -> None:
    """A budget of nothing, of no time or of too much is refused."""
    with pytest.raises(UsageError, match="--budget"):
        seconds(budget)


def test_how_it_is_made_again(tmp_path: Path) -> None:
    """The command has what was not the default, a value quoted for a shell, and no password."""
    given = orders(tmp_path, "http://me:s3cret@a.invalid/openapi.json", reach=0.5, flaws=("bytes-open",), seed=3)
    assert again(replace(given, budget_s=90, public=("a post",))) == (
        f"harness sweep --flags {FLAGS} --flaw bytes-open --seed 3 --openapi http://a.invalid/openapi.json "
        f"--budget 90s --reach 50 --public 'a post' --out {tmp_path}"
    )


def test_it_is_a_command() -> None:
    """`harness sweep --help` names every option that is documented."""
    shown = subprocess.run([HARNESS, "sweep", "--help"], capture_output=True, text=True, check=True).stdout
    options: Sequence[str] = re.findall(r"^\| `(--[a-z-]+)", (ROOT / "docs" / "sweep.md").read_text(), re.MULTILINE)
    assert len(options) >= 10
    assert [option for option in options if option not in shown] == []
