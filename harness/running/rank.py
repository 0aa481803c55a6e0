"""What is looked at first, and kept as evidence: of trials, and of one's findings, what shows the gravest by itself."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks import LEAKS, NAMES
from harness.model import Finding, Verdict, degree_rank

ELSEWHERE = " of trial "
"""How the register names an owner in another trial."""
COUNTED = "count-mismatch"


def own(findings: Sequence[Finding]) -> list[Finding]:
    """Return what went wrong within the trial itself, in the same order: played alone, it shows that again.

    Where the media of other trials leak, a badge counts these, too: then it says nothing of this trial.
    """
    wrong = [each for each in findings if each.verdict is Verdict.INVALID]
    own = [each for each in wrong if ELSEWHERE not in each.owner]
    return own if len(own) == len(wrong) else [each for each in own if each.check != COUNTED]


def rank(findings: Sequence[Finding]) -> tuple[int, int]:
    """Return where a failing trial stands among others, the lowest first: by its own gravest finding.

    The order is that of the checks, in each the highest degree first; after all of these come trials in which only what
    is other trials' was met.
    """
    alone = own(findings)
    later = 0 if alone else len(NAMES)
    wrong = alone or [each for each in findings if each.verdict is Verdict.INVALID]
    check, degree = min(map(_stands, wrong), default=(len(NAMES), 0))
    return (later + check, degree) if check < len(NAMES) else (2 * len(NAMES), 0)


def as_told(findings: Sequence[Finding]) -> list[Finding]:
    """Return a trial's findings in the order in which they are told: its own first, since playing it again shows them.

    Where only other trials' are of a graver check, the gravest of these stands second: it must not fall behind a cut.
    """
    alone = sorted(own(findings), key=_stands)
    if not alone:
        return list(findings)
    others = [each for each in findings if not any(each is mine for mine in alone)]
    graver = [each for each in others if each.verdict is Verdict.INVALID and _stands(each)[0] < _stands(alone[0])[0]]
    second = [min(graver, key=_stands)] if graver else []
    return [*alone[:1], *second, *alone[1:], *(each for each in others if each not in second)]


def foremost(findings: Sequence[Finding]) -> Finding | None:
    """Return what a headline tells of a trial: a leak before all else, and its own before other trials'."""
    ordered = as_told(findings)
    leaks = (each for each in ordered if each.check in LEAKS and each.verdict is Verdict.INVALID)
    return next(leaks, next(iter(ordered), None))


def leaks_alone(findings: Sequence[Finding]) -> bool:
    """True when something leaked within the trial itself: the command that plays it again shows it."""
    return any(each.check in LEAKS for each in own(findings))


def _stands(finding: Finding) -> tuple[int, int]:
    """Return where a finding stands among others, the gravest first: by its check, then by the degree."""
    check = NAMES.index(finding.check) if finding.check in NAMES else len(NAMES)
    return check, -degree_rank(finding.degree)
