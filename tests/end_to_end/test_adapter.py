"""A user's own adapter, `--target module:factory`, found in the folder where the command is given."""

from __future__ import annotations

from pathlib import Path

from .commands import AUDIO, KILL_SWITCH, Run, run

HONEST = '''
from harness.targets.clinic import ClinicTarget


class Wrapped:
    """A user's adapter around the clinic's."""

    def __init__(self, options):
        self._real = ClinicTarget(options)

    def __getattr__(self, name):
        return getattr(self._real, name)

'''
LIES = """
    def not_offered(self, combination):
        return self._real.not_offered(combination) - {"replays"}
"""
RAISES = """
    def driver(self, account, name, role):
        driver = self._real.driver(account, name, role)
        if name == "bob" and "+0.1+" in account:
            driver.recordings = lambda consultation: 1 / 0
        return driver
"""


def adapted(tmp_path: Path, out: Path, small: Path, body: str, *scenarios: str) -> Run:
    """Run the shipped scenarios with an adapter of this body."""
    (tmp_path / "ours.py").write_text(HONEST + body)
    arguments = ["--target", "ours:Wrapped", "--flags", str(small)]
    return run(out, *scenarios, *arguments, cwd=tmp_path)


def test_honest(tmp_path: Path, out: Path, small: Path) -> None:
    """An adapter in the folder where one stands is found, and its run is as good as any."""
    ended = adapted(tmp_path, out, small, "", AUDIO)
    assert (ended.ended.code, ended.ended.complained) == (0, "")
    assert ended.summary["trials"] == {"total": 8, "valid": 8, "unknown": 0, "invalid": 0}


def test_lies_about_the_kill_switch(tmp_path: Path, out: Path, small: Path) -> None:
    """An adapter that claims that replays are never off cannot make an empty list pass: refused media is missing."""
    ended = adapted(tmp_path, out, small, LIES, KILL_SWITCH)
    off = {trial for trial, cell in ended.cells.items() if cell["combination"]["replay-access"] == "off"}
    assert ended.ended.code == 1
    assert {each["trial"] for each in ended.summary["findings"] if each["check"] == "missing-media"} == off
    assert ended.summary["trials"] == {"total": 8, "valid": 4, "unknown": 0, "invalid": 4}


def test_raises(tmp_path: Path, out: Path, small: Path) -> None:
    """An adapter that raises makes the trials in which it does unknown, and the others are judged."""
    ended = adapted(tmp_path, out, small, RAISES, AUDIO)
    hit = {trial for trial, cell in ended.cells.items() if cell["combination"]["video-upgrade"] == "on"}
    said = [each for each in ended.summary["findings"] if "ZeroDivisionError: division by zero" in each["sentence"]]
    assert (ended.ended.code, ended.summary["verdict"]) == (6, "unknown")
    assert ended.summary["control"]["found"] is True
    assert {each["trial"] for each in said} == {each["trial"] for each in ended.summary["findings"]} == hit
    assert ended.summary["trials"] == {"total": 8, "valid": 4, "unknown": 4, "invalid": 0}


def test_not_found(tmp_path: Path, out: Path, small: Path) -> None:
    """An adapter that is not there is refused in one line."""
    (tmp_path / "ours.py").write_text(HONEST)
    ended = run(out, "--target", "ours:Wraped", "--flags", str(small), cwd=tmp_path)
    assert (ended.ended.code, ended.ended.complained.count("\n")) == (4, 1)
    assert ended.ended.complained.startswith("error: --target ours:Wraped: ")
    assert not out.exists()
