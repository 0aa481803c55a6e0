"""Commands whose reader has gone away, as in `harness check DIR | head`: the work and its exit code stay."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .commands import FLAGS, HARNESS, ROOT, RUN_S, STORIES, Run


def unread(*arguments: str) -> tuple[int, str]:
    """Run `harness` with a standard output that nobody reads; return its exit code and what it complained of."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [HARNESS, *arguments],
            cwd=ROOT,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=RUN_S,
            check=False,
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", [["flaws"], ["plan", *STORIES, "--flags", str(FLAGS)]], ids=["flaws", "plan"])
def test_what_is_only_printed(arguments: list[str]) -> None:
    """It ends well and without a word: 1 would say that the target leaks."""
    assert unread(*arguments) == (0, "")


def test_a_run_that_is_judged_again(sound: Run) -> None:
    """A valid run stays valid."""
    assert unread("check", str(sound.out)) == (0, "")


def test_a_sweep(tmp_path: Path) -> None:
    """It goes on to its end, is written, and ends as the sound clinic deserves."""
    out = tmp_path / "out"
    assert unread("sweep", "--out", str(out), "--budget", "250s") == (0, "")
    assert (out / "sweep.json").is_file()
