"""`harness drill` in a process of its own, on the real clinic: what it sees, what it leaves, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.drilling.drill import opened

ROOT = Path(__file__).parents[2]
HARNESS = str(Path(sys.executable).with_name("harness"))
SWITCHING = str(ROOT / "scenarios" / "switching.py")
DRILL_S = 180.0
END_S = 20.0
LOOK_S = 0.05
STORY = """
import os

from harness import Clinician, Patient, scenario


@scenario
async def story(alice: Patient, bob: Patient, chen: Clinician) -> None:
    visit = await alice.book(chen, medium="audio")
    await visit.hold(alice, chen)
"""


def drill(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a drill to its end."""
    command = [HARNESS, "drill", "--out", str(out), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DRILL_S, check=False)


def check(directory: Path) -> subprocess.CompletedProcess[str]:
    """Judge a stored run again."""
    return subprocess.run([HARNESS, "check", str(directory)], capture_output=True, text=True, timeout=60, check=False)


def told(out: Path) -> dict[str, Any]:
    """Return what drill.json says."""
    return dict(json.loads((out / "drill.json").read_text()))


def descendants(pid: int) -> set[int]:
    """Return the ids of a process's children that have not ended, their children, and so on."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if state != "Z":
                parents.setdefault(int(parent), []).append(int(entry.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found.update(children)
        waiting += children
    return found


def is_running(pid: int) -> bool:
    """Return True while a process has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(holds: Callable[[], bool], deadline_s: float = DRILL_S) -> None:
    """Look until something holds; fail when it never does."""
    ends_s = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < ends_s, f"not within {deadline_s:g} s"
        time.sleep(LOOK_S)


@contextmanager
def begun(out: Path, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], set[int]]]:
    """Start a whole drill; yield it with its descendants once two clinics play trials."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [HARNESS, "drill", "--jobs", "2", "--out", str(out)],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: process.poll() is not None or len({each.parent for each in out.glob("*/ledgers/*")}) >= 2)
        yield process, descendants(process.pid)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Drill two flaws with one story: it wakes the first and cannot wake the second."""
    out = tmp_path_factory.mktemp("two") / "drill"
    flaws = ("--flaw", "switches-swap-tracks", "--flaw", "video-branch-skips-owner")
    return drill(out, SWITCHING, *flaws), out


def test_seen_and_missed(two: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """One flaw is seen by its check and proved, one is missed, the sound clinic is clean: exit 1."""
    ended, out = two
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.splitlines()[-1] == told(out)["sentence"] == "1 of 2 seen; sound clinic clean"
    seen, missed = told(out)["flaws"]
    assert (seen["flaw"], seen["outcome"], seen["degree"]) == ("video-branch-skips-owner", "seen", "proved")
    assert (seen["trials"], seen["scenario"]) == (1, "switching_to_video_keeps_replays_apart")
    assert seen["combination"].items() >= {"video-upgrade": "on", "replay-index-v2": "on"}.items()
    assert (missed["flaw"], missed["outcome"]) == ("switches-swap-tracks", "missed")
    assert missed["note"] == "nothing was found; it needs: two patients switch to video at the same moment"
    sound = told(out)["sound"]
    assert (sound["outcome"], sound["executed"], len(sound["combinations"])) == ("clean", 2, 2)


def test_stored_runs(two: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """Each run lies in a folder of its own and is judged the same by `harness check`."""
    _, out = two
    names = {"drill.json", "sound", "switches-swap-tracks", "video-branch-skips-owner"}
    assert {each.name for each in out.iterdir()} == names
    assert [check(out / name).returncode for name in ("sound", "switches-swap-tracks")] == [0, 0]
    checked = check(out / "video-branch-skips-owner")
    assert (checked.returncode, f"--out {out}/video-branch-skips-owner-again" in checked.stdout) == (1, True)


def test_a_run_that_crashes(tmp_path: Path, two: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """A story that ends its process leaves no verdict and the reason, exit 6; the earlier drill is replaced."""
    _, out = two
    (out / "video-branch-skips-owner-again" / "ledgers").mkdir(parents=True)
    story = tmp_path / "story.py"
    story.write_text(STORY + "    os._exit(9)\n")
    ended = drill(out, str(story), "--flaw", "bytes-open")
    assert ended.returncode == 6
    assert [told(out)["sound"]["outcome"], *(each["outcome"] for each in told(out)["flaws"])] == ["no verdict"] * 2
    assert told(out)["sound"]["note"].startswith("the run ended with exit code 9")
    assert {each.name for each in out.iterdir()} == {"drill.json", "sound", "bytes-open"}


def test_stories_may_print(tmp_path: Path) -> None:
    """What a story prints does not come between an exercise and the drill, and no verdict is told with its reason."""
    story = tmp_path / "story.py"
    story.write_text(STORY + "    print('{} not JSON')\n    raise ValueError('no idea')\n")
    ended = drill(tmp_path / "drill", str(story), "--flaw", "live-topic-unfiltered", "--flaw", "late-upload-to-latest")
    said = told(tmp_path / "drill")
    assert ended.returncode != 0
    assert "ValueError: no idea" in said["sound"]["note"]
    assert said["sound"]["executed"] == 1
    (late,) = (each for each in said["flaws"] if each["flaw"] == "late-upload-to-latest")
    assert (late["outcome"], late["executed"]) == ("no verdict", 1)


def test_one_story_after_the_other(tmp_path: Path) -> None:
    """A flaw's stories are told one at a time, and no more of them once its check has found something."""
    story, log = tmp_path / "story.py", tmp_path / "log"
    head, _, body = STORY.partition("@scenario\n")
    told_by = f"    with open({str(log)!r}, 'a') as log:\n        log.write(f'{{os.getpid()}} WORD\\n')\n"
    stories = ["@scenario\n" + body.replace("story", f"story_{number}") for number in range(6)]
    begun = [each.replace("    visit =", told_by.replace("WORD", "begins") + "    visit =") for each in stories]
    story.write_text(head + "\n\n".join(each + told_by.replace("WORD", "ends") for each in begun))
    drill(tmp_path / "drill", str(story), "--flaw", "bytes-open", "--flaw", "switches-swap-tracks")
    seen, missed = told(tmp_path / "drill")["flaws"]
    assert (seen["outcome"], seen["executed"] < 6) == ("seen", True)
    assert (missed["outcome"], missed["executed"]) == ("missed", 12)
    assert "expected trials have no result" in check(tmp_path / "drill" / "bytes-open").stdout
    words: dict[str, list[str]] = {}
    for line in log.read_text().splitlines():
        pid, word = line.split()
        words.setdefault(pid, []).append(word)
    alone = [each for each in words.values() if each == ["begins", "ends"] * (len(each) // 2)]
    # Each run's control tells one story more. The missed flaw's second turn tells all at once, the sound clinic twice.
    assert (len(words), len(alone)) == (4, 2)
    assert max(len(each) // 2 for each in alone) == 7
    assert sorted(len(each) // 2 for each in words.values() if each not in alone) == [7, 13]


def test_a_flaw_that_needs_a_crowd(tmp_path: Path) -> None:
    """What no story wakes by itself is seen when all are told at once, as two recorders with the same numbers."""
    # The story that comes first of the shipped ones wakes it by itself.
    others = sorted(set(Path("scenarios").glob("*.py")) - {Path("scenarios/audio_beside_video.py")})
    ended = drill(tmp_path / "drill", "--flaw", "recorder-id-collision", *map(str, others))
    (flaw,) = told(tmp_path / "drill")["flaws"]
    assert (ended.returncode, flaw["outcome"], flaw["degree"]) == (0, "seen", "proved")
    assert flaw["trials"] > flaw["executed"] // 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_interrupted(tmp_path: Path, how: signal.Signals) -> None:
    """It exits 2 with the table of what is known, and everything that it had started has ended."""
    out, log = tmp_path / "drill", tmp_path / "log"
    with begun(out, log) as (process, started):
        os.killpg(process.pid, how)
        assert process.wait(DRILL_S) == 2
    said = log.read_text()
    assert "Traceback" not in said
    assert said.splitlines()[-1] == told(out)["sentence"]
    assert said.splitlines()[-1].endswith("(interrupted)")
    assert (told(out)["interrupted"], told(out)["exit_code"]) == (True, 2)
    assert "not run" in {each["outcome"] for each in told(out)["flaws"]}
    assert len(started) >= 6
    until(lambda: not any(is_running(pid) for pid in started), END_S)


def test_killed(tmp_path: Path) -> None:
    """When the drill is killed, what it had started ends by itself, each run as by Ctrl-C."""
    out = tmp_path / "drill"
    with begun(out, tmp_path / "log") as (process, started):
        process.kill()
        process.wait()
        assert len(started) >= 6
        until(lambda: not any(is_running(pid) for pid in started), END_S)
    summaries = [json.loads(each.read_text()) for each in out.glob("*/summary.json")]
    assert [each["exit_code"] for each in summaries] == [2, 2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--flaw", "thumnail-open"], "there is no flaw 'thumnail-open'; did you mean 'thumbnail-open'?"),
        (["--jobs", "0"], "--jobs 0: give a number from 1 to 64"),
        (["scenarios/swiching.py"], "no such scenario file or folder; did you mean 'scenarios/switching.py'?"),
        (["docs"], "docs: no scenario is there"),
        (["--flags", "flags/clinik.toml"], "there is no such file; did you mean 'clinic.toml'?"),
    ],
)
def test_usage(tmp_path: Path, arguments: list[str], said: str) -> None:
    """A bad argument exits 4 with one line, and an earlier drill is left as it was."""
    out = tmp_path / "drill"
    (out / "sound").mkdir(parents=True)
    ended = drill(out, *arguments)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr.startswith("error: ")
    assert said in ended.stderr
    assert (out / "sound").exists()


def test_two_drills_at_one_place(tmp_path: Path) -> None:
    """A directory in which a drill is being written is refused to a second one."""
    with opened(tmp_path):
        ended = drill(tmp_path, "--flaw", "bytes-open")
    assert (ended.returncode, "another drill is writing there" in ended.stderr) == (4, True)


def test_link_in_directory(tmp_path: Path) -> None:
    """A link to another run's directory is refused, and what it leads to is left alone."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    out = tmp_path / "drill"
    out.mkdir()
    (out / "sound").symlink_to(elsewhere)
    ended = drill(out)
    assert (ended.returncode, "sound is a link" in ended.stderr) == (4, True)
    assert elsewhere.is_dir()


@pytest.mark.parametrize("foreign", ["notes.txt", "out/run.json", "sound/notes.txt"])
def test_foreign_directory(tmp_path: Path, foreign: str) -> None:
    """A directory that holds what no drill wrote is refused and left alone."""
    file = tmp_path / foreign
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    ended = drill(tmp_path)
    assert ended.returncode == 4
    assert "it holds " in ended.stderr
    assert file.read_text() == "mine"
