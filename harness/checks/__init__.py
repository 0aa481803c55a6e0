"""Checks: pure functions from a ledger to findings, one per question that the oracle asks.

| check | question | its finding makes the trial |
|---|---|---|
| foreign-media | did anybody meet media of a consultation in which they had no part? | invalid |
| reachable-media | did a direct reference open what its user may not see? | invalid |
| count-mismatch | did a badge count more replays than its user may see? | invalid |
| missing-media | did everybody who took part find what was recorded? | invalid, unknown if unreadable |
| vacuous | did anybody see their own media at all? | unknown |
| unproved | was the whole story told, under the flags that were meant, every question answered? | unknown |
| broken-promise | did an assertion of the scenario itself fail? | invalid: an ordinary failure, not a leak |
"""

from __future__ import annotations

from collections.abc import Callable

from harness.checks.counts import count_mismatch
from harness.checks.exposure import foreign_media, reachable_media
from harness.checks.presence import missing_media, vacuous
from harness.checks.proof import broken_promise, unproved
from harness.ledger import Ledger
from harness.model import Finding

Check = Callable[[Ledger], list[Finding]]

ALL: tuple[Check, ...] = (
    foreign_media,
    reachable_media,
    count_mismatch,
    missing_media,
    vacuous,
    unproved,
    broken_promise,
)
NAMES = tuple(check.__name__.replace("_", "-") for check in ALL)
"""What findings call the checks, in the same order."""
LEAKS = frozenset({"foreign-media", "reachable-media", "count-mismatch"})
"""The checks whose invalid findings say that somebody met what is another's; a number tells of it, too."""

__all__ = [
    "ALL",
    "LEAKS",
    "NAMES",
    "Check",
    "broken_promise",
    "count_mismatch",
    "foreign_media",
    "missing_media",
    "reachable_media",
    "unproved",
    "vacuous",
]
