"""Checks: pure functions from a ledger to findings, one per question that the oracle asks.

| check | question | its finding makes the trial |
|---|---|---|
| foreign-media | was anybody shown media of a consultation in which they had no part? | invalid |
| foreign-text | did anybody read words of somebody's whose words they may not read? | invalid |
| reachable-media | did a direct reference open what its user may never see? | invalid |
| pushed-foreign | was anything pushed to somebody whom it does not concern? | invalid |
| stale-access | did anybody still meet what was revoked, or closed to everybody? | invalid |
| count-mismatch | did a badge count more replays than its user may see? | invalid |
| phantom-media | is there a replay of no consultation, that holds nothing? | invalid; unknown if an emission is |
| wrong-medium | are there pictures where there was sound alone, or parts out of order? | invalid |
| duplicate-media | is the same media there more often than it was sent? | invalid |
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
from harness.checks.recordings import duplicate_media, phantom_media, wrong_medium
from harness.checks.staleness import stale_access
from harness.checks.words import foreign_text, pushed_foreign
from harness.ledger import Ledger
from harness.model import Finding

Check = Callable[[Ledger], list[Finding]]

ALL: tuple[Check, ...] = (
    foreign_media,
    foreign_text,
    reachable_media,
    pushed_foreign,
    stale_access,
    count_mismatch,
    phantom_media,
    wrong_medium,
    duplicate_media,
    missing_media,
    vacuous,
    unproved,
    broken_promise,
)
NAMES = tuple(check.__name__.replace("_", "-") for check in ALL)
"""What findings call the checks, in the same order."""
LEAKS = frozenset(
    {"foreign-media", "foreign-text", "reachable-media", "pushed-foreign", "stale-access", "count-mismatch"}
)
"""The checks whose invalid findings say that somebody met what is another's; a number tells of it, too."""

__all__ = [
    "ALL",
    "LEAKS",
    "NAMES",
    "Check",
    "broken_promise",
    "count_mismatch",
    "duplicate_media",
    "foreign_media",
    "foreign_text",
    "missing_media",
    "phantom_media",
    "pushed_foreign",
    "reachable_media",
    "stale_access",
    "unproved",
    "vacuous",
    "wrong_medium",
]
