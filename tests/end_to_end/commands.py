"""The real commands in processes of their own, and what a run left on disk, read without the harness."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FLAGS = Path(__file__).with_name("flags.toml")
STORIES = tuple(str(ROOT / "scenarios" / name) for name in ("audio_only.py", "kill_switch.py", "switching.py"))
FLAW = "video-branch-skips-owner"
AUDIO = "audio_only_stays_private"
KILL_SWITCH = "kill_switch_closes_replays_for_everybody"
SWITCHING = "switching_to_video_keeps_replays_apart"
SMALL = """
[flags.video-upgrade]
description = "A patient who booked audio may switch to video."

[flags.replay-index-v2]
description = "Consultation Replays reads the new index."

[flags.replay-access]
description = "The kill switch."
kind = "kill switch"
baseline = "on"
"""
"""A catalogue of three of the clinic's flags: eight combinations, one deployment."""
HARNESS = str(Path(sys.executable).with_name("harness"))
RUN_S = 540.0
END_S = 60.0
LOOK_S = 0.02


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    code: int
    said: str
    complained: str


@dataclass(frozen=True)
class Run:
    """A run that has ended, and its directory."""

    ended: Ended
    out: Path

    @property
    def summary(self) -> dict[str, Any]:
        """Return what the run says of itself."""
        return dict(json.loads((self.out / "summary.json").read_text()))

    @property
    def cells(self) -> dict[str, dict[str, Any]]:
        """Return the expected cells by trial id."""
        return {cell["trial"]: cell for cell in json.loads((self.out / "run.json").read_text())["cells"]}

    def ledgers(self) -> dict[str, list[dict[str, Any]]]:
        """Return each trial's ledger as rows; a last line that was cut off is left out."""
        return {path.stem: rows(path) for path in (self.out / "ledgers").glob("*.jsonl")}

    def again(self) -> list[str]:
        """Return the words of the first command that the run offers for playing a failure again."""
        line = next(line for line in self.ended.said.splitlines() if line.strip().startswith("again: "))
        return line.split("again: ")[1].split()


def rows(ledger: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a ledger."""
    return [json.loads(line) for line in ledger.read_text().split("\n")[:-1]]


def call(*command: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Ended:
    """Run a command to its end."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | dict(env or {}), capture_output=True, text=True, timeout=RUN_S, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def harness(*arguments: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Ended:
    """Run `harness` to its end."""
    return call(HARNESS, *arguments, cwd=cwd, env=env)


def scenarios(*arguments: str, cwd: Path = ROOT) -> Ended:
    """Run `pytest` to its end, as a user does who has the plugin installed."""
    return call(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments, cwd=cwd)


def run(out: Path, *arguments: str, cwd: Path = ROOT) -> Run:
    """Run `harness run` into a directory, with the stories and flags of these tests unless others are named."""
    stories = [] if any(each.endswith(".py") or Path(cwd, each).is_dir() for each in arguments) else STORIES
    flags = [] if "--flags" in arguments else ["--flags", str(FLAGS)]
    return Run(harness("run", *stories, "--out", str(out), *flags, *arguments, cwd=cwd), out)


class Background:
    """A command that runs while the test does something to it."""

    def __init__(self, log: Path, *command: str) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """Return what it printed so far."""
        return self.log.read_text(errors="replace")

    def wait_until(self, text: str) -> None:
        """Wait until it has printed the text."""
        until(lambda: text in self.said or self.process.poll() is not None)
        assert text in self.said, self.said

    def children(self) -> list[int]:
        """Return the ids of the processes that it has started and that have not ended."""
        return [pid for pid, (parent, state) in processes() if parent == self.process.pid and state != "Z"]

    def interrupt(self, how: signal.Signals, *, group: bool = False) -> None:
        """Send a signal to the process, or as a terminal does to its group."""
        (os.killpg if group else os.kill)(self.process.pid, how)

    def end(self) -> Ended:
        """Wait for its end."""
        return Ended(self.process.wait(RUN_S), self.said, "")


@contextmanager
def background(log: Path, *command: str) -> Iterator[Background]:
    """Start a command, and see to it that it has ended afterwards."""
    started = Background(log, *command)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
        started.process.wait()


def processes() -> Iterator[tuple[int, tuple[int, str]]]:
    """Yield each process's id with its parent's and its state, as proc(5) has them."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            yield int(entry.name), (int(parent), state)


def is_running(pid: int) -> bool:
    """Return True while a process has not ended."""
    return any(pid == each and state != "Z" for each, (_, state) in processes())


def until(holds: Callable[[], bool], deadline_s: float = RUN_S) -> None:
    """Look until something holds; fail when it never does."""
    ends_s = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < ends_s, f"not within {deadline_s:g} s"
        time.sleep(LOOK_S)
