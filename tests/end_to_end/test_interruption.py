"""Ctrl-C, SIGTERM and SIGKILL: what was started ends, what was found is written."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .commands import (
    END_S,
    FLAGS,
    HARNESS,
    STORIES,
    Background,
    Run,
    background,
    call,
    harness,
    is_running,
    rows,
    until,
)

STARTED = "21 of 216 trials"


def require_ended(children: list[int]) -> None:
    """Fail unless every process that the harness started has ended."""
    until(lambda: not any(is_running(child) for child in children), END_S)


def interrupted(log: Path, out: Path, when: str, do: Callable[[Background], None]) -> tuple[Run, list[int]]:
    """Start a full run, do something to it when it has printed `when`, and return it with its children's ids."""
    with background(log, HARNESS, "run", *STORIES, "--out", str(out), "--flags", str(FLAGS)) as started:
        started.wait_until(when)
        children = started.children()
        do(started)
        return Run(started.end(), out), children


@pytest.mark.parametrize(
    ("how", "group"),
    [(signal.SIGINT, True), (signal.SIGTERM, False)],
    ids=["ctrl-c", "sigterm"],
)
def test_in_the_middle(tmp_path: Path, out: Path, how: signal.Signals, group: bool) -> None:  # noqa: FBT001 - parametrized
    """It exits 2, its servers have ended, the summary has what was found until then, and a check says the same."""
    run, children = interrupted(tmp_path / "log", out, STARTED, lambda each: each.interrupt(how, group=group))
    summary = run.summary
    assert (run.ended.code, summary["exit_code"], summary["verdict"]) == (2, 2, "unknown")
    assert "the run was interrupted" in summary["doubts"]
    assert 21 <= summary["trials"]["valid"] < 216
    assert len(run.cells) == 216
    assert "not proved: the run was interrupted" in run.ended.said
    assert "Traceback" not in run.ended.said
    # Clinic and flag server, and whatever decoders were needed by then.
    assert len(children) >= 2
    require_ended(children)
    checked = harness("check", str(out))
    assert (checked.code, checked.said.startswith("UNKNOWN")) == (2, True)
    assert f"{summary['trials']['valid']} of 216 trials executed" in checked.said
    assert run.summary == summary


def test_twice(tmp_path: Path, out: Path) -> None:
    """A second and a third Ctrl-C while it ends take nothing away from the summary."""

    def impatient(started: Background) -> None:
        started.interrupt(signal.SIGINT, group=True)
        started.interrupt(signal.SIGINT, group=True)
        until(lambda: (out / "summary.json").exists() or not started.children(), END_S)
        if started.process.poll() is None:
            started.interrupt(signal.SIGINT, group=True)

    run, children = interrupted(tmp_path / "log", out, STARTED, impatient)
    assert (run.ended.code, run.summary["exit_code"]) == (2, 2)
    require_ended(children)


@pytest.mark.parametrize("when", ["starting the flag server", "starting the target", "running the control"])
def test_while_it_starts(tmp_path: Path, out: Path, when: str) -> None:
    """Ctrl-C while it starts ends it as well, with a summary in which nothing was executed."""
    run, children = interrupted(tmp_path / "log", out, when, lambda each: each.interrupt(signal.SIGINT, group=True))
    assert (run.ended.code, run.summary["exit_code"], run.summary["claim"]["executed"]) == (2, 2, 0)
    require_ended(children)


def test_before_it_starts(tmp_path: Path, out: Path) -> None:
    """Ctrl-C as soon as the plan is printed exits 2; a run that had begun by then has a summary."""
    run, children = interrupted(tmp_path / "log", out, "Claim: ", lambda each: each.interrupt(signal.SIGINT))
    assert run.ended.code == 2
    assert (out / "summary.json").exists() == (out / "run.json").exists()
    require_ended(children)


def test_killed(tmp_path: Path, out: Path, small: Path) -> None:
    """When the harness is killed its servers end by themselves, and what is left can be checked and run over."""
    run, children = interrupted(tmp_path / "log", out, STARTED, lambda each: each.interrupt(signal.SIGKILL))
    assert run.ended.code == -signal.SIGKILL
    # Clinic and flag server, and whatever decoders were needed by then.
    assert len(children) >= 2
    require_ended(children)
    finished = [path for path in (out / "ledgers").iterdir() if rows(path) and rows(path)[-1]["actor"] == "harness"]
    assert len(finished) >= 21
    checked = harness("check", str(out))
    assert checked.code == 6
    assert "expected trials have no result" in checked.said
    ended = harness("run", "audio_only_stays_private", "--flags", str(small), "--out", str(out))
    assert ended.code == 0
    assert len(list((out / "ledgers").iterdir())) == 8


def test_while_the_command_is_still_being_imported(tmp_path: Path) -> None:
    """It ends with 2 and without a traceback, however early Ctrl-C comes."""
    early = tmp_path / "early.py"
    early.write_text(
        "import signal, sys\nfrom harness.cli.main import main\n\n\n"
        "class Finder:\n    def find_spec(self, name, *_):\n"
        "        if name == 'harness.cli.run':\n            signal.raise_signal(signal.SIGINT)\n\n\n"
        "sys.meta_path.insert(0, Finder())\nmain()\n"
    )
    ended = call(sys.executable, str(early), "flaws")
    assert (ended.code, ended.said, ended.complained) == (2, "", "")
