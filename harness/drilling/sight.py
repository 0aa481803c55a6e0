"""What an exercise said, line by line, and the row that it makes of it: seen, missed, or no verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.checks import NAMES
from harness.clinic.flaws import Flaw
from harness.drilling.cheapest import Exercise
from harness.model import Verdict, degree_rank


class Outcome(StrEnum):
    """What the drill says of a flaw, or of the sound clinic."""

    SEEN = "seen"
    MISSED = "missed"
    CLEAN = "clean"
    NOT_CLEAN = "not clean"
    NO_VERDICT = "no verdict"
    NOT_RUN = "not run"


@dataclass(slots=True)
class Report:
    """The lines of one exercise so far, of one turn after the other; `elapsed_s` is that of their processes."""

    exercise: Exercise
    trials: list[Mapping[str, Any]] = field(default_factory=list)
    phase: str = ""
    verdict: Verdict | None = None
    doubts: Sequence[str] = ()
    error: str = ""
    requests: int = 0
    begun: bool = False
    elapsed_s: float = 0.0
    _before_s: float = 0.0

    def begin_turn(self) -> None:
        """Let a run begin: its verdict replaces an earlier one's, its trials are added to those."""
        self.begun = True
        self._before_s = self.trials[-1]["at_s"] if self.trials else 0.0
        self.verdict, self.doubts, self.error, self.phase = None, (), "", ""

    def take(self, line: Mapping[str, Any]) -> None:
        """Take a line of an exercise's standard output; see `harness.drilling.exercise` for its shapes."""
        if "trial" in line:
            self.trials.append({**line, "at_s": round(self._before_s + line["at_s"], 3)})
        elif "verdict" in line:
            self.verdict, self.doubts = Verdict(line["verdict"]), tuple(line["doubts"])
            self.requests = line["requests"]
        elif "error" in line:
            self.error = line["error"]
        else:
            self.phase = line["phase"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `trials` and `seconds` lead to the named check's first finding, with its place."""

    exercise: Exercise
    outcome: Outcome
    note: str = ""
    degree: str | None = None
    trials: int | None = None
    seconds: float | None = None
    scenario: str | None = None
    trial: str | None = None
    sentence: str | None = None
    found_by: tuple[str, ...] = ()
    executed: int = 0
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Said:
    """A finding, and the trial that showed it, counted from 1 in the order in which they ended."""

    number: int
    trial: Mapping[str, Any]
    finding: Mapping[str, Any]


def row(report: Report, checks: Sequence[str] = NAMES) -> Row:
    """Return the row that an exercise's report supports, whole or cut off; `checks` are the names of those there are.

    A flaw is seen when the check that it names has found something that makes a trial invalid, whatever else was
    found or broke off. It is missed when the run was otherwise valid, or invalid by other checks alone.
    """
    findings = list(_said(report))
    flaw = report.exercise.flaw
    invalid = [each for each in findings if each.finding["verdict"] == Verdict.INVALID]
    found_by = tuple(dict.fromkeys(each.finding["check"] for each in invalid))
    if flaw is None:
        outcome, note = _sound(report, invalid)
        return _row(report, outcome, note, found_by)
    named = [each for each in invalid if each.finding["check"] == flaw.seen_by]
    if named:
        return _seen(report, named, found_by)
    outcome, note = _not_seen(report, flaw, found_by, checks)
    return _row(report, outcome, note, found_by)


def _said(report: Report) -> Iterator[_Said]:
    for number, trial in enumerate(report.trials, 1):
        for finding in trial["said"]:
            yield _Said(number, trial, finding)


def _seen(report: Report, named: Sequence[_Said], found_by: tuple[str, ...]) -> Row:
    first = named[0]
    degrees = [each.finding["degree"] for each in named if each.finding["degree"]]
    return Row(
        report.exercise,
        Outcome.SEEN,
        degree=max(degrees, key=degree_rank, default=None),
        trials=first.number,
        seconds=first.trial["at_s"],
        scenario=first.trial["scenario"],
        trial=first.trial["trial"],
        sentence=first.finding["sentence"],
        found_by=found_by,
        executed=len(report.trials),
        elapsed_s=report.elapsed_s,
    )


def _sound(report: Report, invalid: Sequence[_Said]) -> tuple[Outcome, str]:
    if invalid:
        finding = invalid[0].finding
        return Outcome.NOT_CLEAN, f"{finding['check']}: {finding['sentence']} (trial {invalid[0].trial['trial']})"
    if report.verdict is Verdict.VALID:
        return Outcome.CLEAN, ""
    return _unknown(report)


def _not_seen(report: Report, flaw: Flaw, found_by: tuple[str, ...], checks: Sequence[str]) -> tuple[Outcome, str]:
    other = f"seen by {', '.join(found_by)}" if found_by else ""
    if report.exercise.obstacle:
        return Outcome.MISSED, report.exercise.obstacle
    if not report.begun:
        return Outcome.NOT_RUN, ""
    if flaw.seen_by not in checks:
        beside = other or (f"no verdict: {_unknown(report)[1]}" if report.verdict is Verdict.UNKNOWN else "")
        return Outcome.MISSED, "; ".join(filter(None, ["no check of that name yet", beside]))
    if found_by:
        return Outcome.MISSED, f"{other}, not by {flaw.seen_by}"
    if report.verdict is Verdict.VALID:
        return Outcome.MISSED, "; it needs: ".join(filter(None, ["nothing was found", flaw.needs]))
    return _unknown(report)


def _unknown(report: Report) -> tuple[Outcome, str]:
    """Say why there is no verdict: the run's own fault first, then the first trial that proved nothing."""
    if not report.begun:
        return Outcome.NOT_RUN, ""
    said = [f"{each.trial['scenario']}: {each.finding['sentence']}" for each in _said(report)]
    reasons = [report.error, *report.doubts, *said, f"it was ended while {report.phase or 'it began'}"]
    return Outcome.NO_VERDICT, next(filter(None, reasons))


def _row(report: Report, outcome: Outcome, note: str, found_by: tuple[str, ...]) -> Row:
    return Row(
        report.exercise,
        outcome,
        " ".join(note.split()),
        found_by=found_by,
        executed=len(report.trials),
        elapsed_s=report.elapsed_s,
    )
