"""What a sweep has shown: reach, findings, doubts, and from these the exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.model import Finding, Verdict, degree_rank
from harness.running.outcome import ExitCode
from harness.sweeping.asking.found import Found
from harness.sweeping.asking.reach import Reach
from harness.sweeping.control import Control


@dataclass(frozen=True)
class Outcome:
    """A sweep's outcome. `called` names accounts as people know them, in the order in which they were asked."""

    target: str
    document: str
    address: str
    combination: Mapping[str, str]
    seed: int
    called: Mapping[str, str]
    reach: Mapping[str, Reach]
    found: Sequence[Found]
    told: Sequence[Finding]
    """What the oracle found in the story itself."""
    control: Control | None
    bound: float
    requests: int
    elapsed_s: float
    doubts: Sequence[str] = ()
    remarks: Sequence[str] = ()
    interrupted: bool = False
    broken: Sequence[str] = ()
    """Why operations of the document could not be asked at all, one each."""
    again: str = ""
    """The command that makes the same sweep."""
    report: str = ""
    """Where sweep.json lies."""

    @cached_property
    def proved(self) -> tuple[str, ...]:
        """The operations that somebody was answered with success with what is theirs."""
        return tuple(label for label, reach in self.reach.items() if reach.is_reached)

    @cached_property
    def not_proved(self) -> tuple[str, ...]:
        """The operations of which nothing is known: nobody ever got in."""
        return tuple(label for label, reach in self.reach.items() if not reach.is_reached)

    @property
    def share(self) -> float:
        """The share of operations that were reached with own data."""
        return len(self.proved) / self.described if self.reach else 0.0

    @property
    def described(self) -> int:
        """How many operations the document describes: those that could be asked, and those that could not."""
        return len(self.reach) + len(self.broken)

    @cached_property
    def findings(self) -> tuple[Found, ...]:
        """The findings, the highest degree first."""
        return tuple(sorted(self.found, key=lambda found: -degree_rank(found.leak.degree)))

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """Why the sweep cannot be called valid, whatever it found."""
        reasons = list(self.doubts)
        if not self.interrupted and self.reach and self.share < self.bound:
            reasons.append(
                f"only {len(self.proved)} of {self.described} operations were reached with own data "
                f"({self.share:.1%}, wanted {self.bound:.0%})"
            )
        if self.control is None:
            reasons.append("the control was not made: that the sweep sees is not known")
        else:
            reasons.extend(f"the control was not found: {missed}" for missed in self.control.missed)
        return tuple(reasons)

    @property
    def verdict(self) -> Verdict:
        """Invalid when anything of somebody else's was met; a leak beats every doubt."""
        if self.found or any(finding.verdict is Verdict.INVALID for finding in self.told):
            return Verdict.INVALID
        return Verdict.UNKNOWN if self.unknown or self.interrupted else Verdict.VALID

    @property
    def exit_code(self) -> ExitCode:
        """What the process ends with."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        codes = {Verdict.VALID: ExitCode.VALID, Verdict.INVALID: ExitCode.INVALID, Verdict.UNKNOWN: ExitCode.UNKNOWN}
        return codes[self.verdict]
