"""Reports of exercises, built by hand."""

from __future__ import annotations

from typing import Any

from harness.clinic.flaws import Flaw
from harness.drilling.cheapest import SOUND, Exercise
from harness.drilling.sight import Report
from harness.model import Combination

COMBINATION = Combination((("cache", "on"),))
FLAW = Flaw("thumbnail-open", "by reference", "", "", "reachable-media", {"cache": "on"}, "somebody looks")


def finding(
    check: str = "reachable-media",
    degree: str | None = "opened",
    verdict: str = "invalid",
    sentence: str = "alice was served it",
) -> dict[str, Any]:
    """Return a finding as an exercise tells it."""
    return {"check": check, "verdict": verdict, "degree": degree, "sentence": sentence}


def trial(number: int, *said: dict[str, Any]) -> dict[str, Any]:
    """Return an exercise's line on a trial, which ended `number` and a half seconds after the first could begin."""
    return {"trial": f"{number:08x}", "scenario": f"story_{number}", "at_s": number + 0.5, "said": list(said)}


def end(verdict: str, *doubts: str) -> dict[str, Any]:
    """Return an exercise's last line."""
    return {"verdict": verdict, "doubts": list(doubts), "requests": 7}


def flawed(*lines: dict[str, Any], flaw: Flaw = FLAW, begun: bool = True) -> Report:
    """Return the report of a flaw's exercise."""
    return _report(Exercise(flaw.name, flaw, (COMBINATION,)), lines, begun=begun)


def sound(*lines: dict[str, Any], begun: bool = True) -> Report:
    """Return the report of the sound clinic's exercise."""
    return _report(Exercise(SOUND, None, (COMBINATION,)), lines, begun=begun)


def _report(exercise: Exercise, lines: tuple[dict[str, Any], ...], *, begun: bool) -> Report:
    report = Report(exercise, begun=begun, elapsed_s=9.0)
    for line in lines:
        report.take(line)
    return report
