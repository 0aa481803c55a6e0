"""What an exploration ends with: the exit code, and the words for it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from harness.explore.command import _catalogue, _command, exit_code
from harness.explore.explorer import Explorer
from harness.explore.show import about, conclusion
from harness.explore.tally import Leak, Onlooker, Tally
from harness.model import Finding, Verdict
from harness.running.control import Control
from harness.running.outcome import ExitCode
from harness.running.settings import Settings

from .made import ROOT, clinic, programs
from .test_shrink import judged

FOUND = Control(found=True, sentence="the control was found")
LOST = Control(found=False, sentence="the control was not found")
LEAKING = judged(programs()[0], "foreign-media")
SILENT = judged(programs()[1], "")
UNKNOWN = replace(
    SILENT,
    result=replace(
        SILENT.result,
        verdict=Verdict.UNKNOWN,
        findings=(Finding("vacuous", Verdict.UNKNOWN, "nobody saw anything"),),
    ),
)
LEAK = Leak(LEAKING, LEAKING, trial=3, at_s=1.5)


def explored(**known: Any) -> Explorer:
    """Return an exploration of one valid trial, with what else is known of it."""
    tally = Tally()
    tally.take(SILENT)
    settings = Settings(seed=7)
    explorer = Explorer(settings, clinic(), time.monotonic(), 60.0, cast("Onlooker", None), tally=tally)
    explorer.controls = [FOUND]
    for name, value in known.items():
        setattr(explorer, name, value)
    return explorer


@pytest.mark.parametrize(
    ("known", "code"),
    [
        ({}, ExitCode.VALID),
        ({"tally": Tally()}, ExitCode.UNKNOWN),
        ({"controls": []}, ExitCode.UNKNOWN),
        ({"controls": [FOUND, LOST]}, ExitCode.UNKNOWN),
        ({"unknown": [UNKNOWN]}, ExitCode.UNKNOWN),
        ({"doubts": ["the target died"]}, ExitCode.UNKNOWN),
        ({"leak": LEAK}, ExitCode.INVALID),
        ({"leak": LEAK, "unknown": [UNKNOWN], "doubts": ["it died"]}, ExitCode.INVALID),
        ({"leak": LEAK, "interrupted": True}, ExitCode.INTERRUPTED),
    ],
)
def test_exit_codes(known: dict[str, Any], code: ExitCode) -> None:
    """Only an exploration that could see, and met no doubt, is valid; a leak beats doubts."""
    assert exit_code(explored(**known)) is code


def said(explorer: Explorer, code: ExitCode) -> str:
    """Return what is said of an exploration."""
    return "\n".join(conclusion(explorer, code, "saved: a/b.py", ("harness run FILE", "--set a=b")))


def test_nothing_found() -> None:
    """What was tried is said, and what was left out."""
    explorer = explored()
    explorer.tally.left_out = [(("fast-sessions", "on"),), (("fast-sessions", "off"),)]
    explorer.tally.begin((("fast-sessions", "off"),))
    text = said(explorer, ExitCode.VALID)
    assert text.startswith("VALID in what was tried: nothing was found in 1 trial\n")
    assert "tried: 1 trial (1 valid), 1 different story under 1 of 7,776 valid combinations" in text
    assert "deployment with fast-sessions=off: explored" in text
    assert "deployment with fast-sessions=on: not explored" in text
    assert "seed 7" in text


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"is_smallest": False}, "shrinking was cut short: it may not be the smallest"),
        ({"is_smallest": True, "fresh": True}, "seen again on a fresh deployment, by these actors alone"),
        ({"fresh": False}, "not seen on a fresh deployment"),
        ({"fresh": None}, "there was no time to look whether a fresh deployment shows it, too"),
        ({"hindrance": "port 1 is in use"}, "no fresh deployment could be looked at: port 1 is in use"),
        ({"alone": False}, "not when it was told alone"),
    ],
)
def test_a_leak(known: dict[str, Any], words: str) -> None:
    """The finding, the story and the command are shown, and how far the leak can be believed to be alone."""
    text = said(explored(leak=replace(LEAK, **known)), ExitCode.INVALID)
    assert text.startswith("INVALID: do not ship\n  foreign-media: it was seen\n")
    assert "found in trial 3 after 1.5 s" in text
    assert words in text
    assert ".book(" in text
    assert "again: harness run FILE --set a=b" in text


def test_the_command_to_paste() -> None:
    """It has what the exploration was told, and of the flags those that the story changes."""
    settings = Settings(target="http://127.0.0.1:9", flags=Path("my flags.toml"), chosen=("a=b",), flaws=("x",), seed=7)
    changed = [f"--set {flag}={variant}" for flag, variant in LEAKING.program.changed(clinic())]
    assert _command(settings, None, clinic(), "FILE") == ()
    assert _command(settings, LEAK, clinic(), "a/b.py") == (
        "harness run a/b.py",
        "--target http://127.0.0.1:9",
        "--flags 'my flags.toml'",
        "--coverage t-way:1",
        *changed,
        "--flaw x",
        "--out reports/out-again",
    )


def test_what_was_held_is_told() -> None:
    """A flag that was held away from the baseline is in the command and in the words: the baseline does not have it."""
    program = next(each for each in programs() if each.changed(clinic()))
    flag, variant = program.changed(clinic())[0]
    settings = Settings(flags=ROOT / "flags" / "clinic.toml", chosen=(f"{flag}={variant}",))
    leak = Leak(*2 * (judged(program, "foreign-media"),), trial=3, at_s=1.5)
    assert f"--set {flag}={variant}" in _command(settings, leak, _catalogue(settings), "FILE")
    assert f"{flag}={variant}" in " ".join(about(leak, _catalogue(settings)))


def test_no_verdict() -> None:
    """A trial without a verdict is shown with its story and its reason."""
    text = said(explored(unknown=[UNKNOWN]), ExitCode.UNKNOWN)
    assert text.startswith("UNKNOWN: nothing is proved")
    assert "no verdict, also when told again alone: nobody saw anything" in text
    assert ".book(" in text
