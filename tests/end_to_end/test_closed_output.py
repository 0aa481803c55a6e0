"""Commands whose standard output is lost, as in `harness check DIR | head`: the work and its exit code stay."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .commands import FLAGS, HARNESS, ROOT, RUN_S, STORIES, Run


def unread(*arguments: str) -> tuple[int, str]:
    """Run `harness` with a standard output that nobody reads; return its exit code and what it complained of."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return printed_to(writer, HARNESS, *arguments)
    finally:
        os.close(writer)


def printed_to(output: int, *command: str | Path, **environment: str) -> tuple[int, str]:
    """Run a command with this standard output; return its exit code and what it complained of."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=RUN_S,
        check=False,
    )
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


def test_a_full_disk(flawed: Run) -> None:
    """A leak stays a leak though it cannot be told."""
    with Path("/dev/full").open("w") as full:
        assert printed_to(full.fileno(), HARNESS, "check", str(flawed.out)) == (1, "")


def test_a_closed_output(flawed: Run) -> None:
    """A leak stays a leak though there is no standard output at all."""
    script = 'exec "$0" check "$1" >&-'
    assert printed_to(subprocess.DEVNULL, "sh", "-c", script, HARNESS, flawed.out) == (1, "")


def test_an_output_that_has_few_letters(flawed: Run, tmp_path: Path) -> None:
    """A leak stays a leak in a path that the terminal's encoding cannot say."""
    named = tmp_path / "Läufe"
    shutil.copytree(flawed.out, named)
    with (tmp_path / "said").open("w+b") as said:
        assert printed_to(said.fileno(), HARNESS, "check", str(named), PYTHONIOENCODING="ascii") == (1, "")
        said.seek(0)
        assert rb"L\xe4ufe" in said.read()
