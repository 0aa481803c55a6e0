"""Which of several failing trials is looked at first and kept as evidence: what shows the gravest by itself."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks import NAMES
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
    stands = [(later + NAMES.index(each.check), -degree_rank(each.degree)) for each in wrong if each.check in NAMES]
    return min(stands, default=(2 * len(NAMES), 0))
