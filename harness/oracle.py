"""The oracle: all checks over one trial's ledger, merged to the worst verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.checks import ALL, Check
from harness.ledger import Ledger
from harness.model import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """A trial's verdict with everything that was found, the worst first."""

    verdict: Verdict
    findings: tuple[Finding, ...]


def judge(ledger: Ledger, checks: Sequence[Check] = ALL) -> Judgement:
    """Ask every check; the verdict is that of the worst finding, and valid when there is none."""
    order = (Verdict.INVALID, Verdict.UNKNOWN, Verdict.VALID)
    findings = sorted(
        (finding for check in checks for finding in check(ledger)),
        key=lambda finding: order.index(finding.verdict),
    )
    return Judgement(Verdict.merge(finding.verdict for finding in findings), tuple(findings))
