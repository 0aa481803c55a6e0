"""What kind of failure a trial is: exactly one for each trial that is not valid, the gravest that was found."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from harness.model import Verdict
from harness.running.outcome import is_leak
from harness.running.trial import TrialResult

LABEL, SCENARIO = "category", "scenario"
"""The labels of a result by which Allure groups: nothing is matched by words in a message."""


OWN_MEDIA = frozenset({"missing-media", "phantom-media", "wrong-medium", "duplicate-media"})
"""The checks of what somebody's own media must be."""


class Category(StrEnum):
    """The kinds of failure, the gravest first; the value is what people read.

    A badge that counts somebody else's media tells of it, and is of the gravest kind, too.
    """

    FOREIGN_MEDIA = "foreign media: never ship"
    OWN_MEDIA_WRONG = "own media missing or wrong"
    SCENARIO_BROKEN = "scenario broken"
    NO_VERDICT = "no verdict"


def category(result: TrialResult) -> Category | None:
    """Return the trial's category, None when it is valid.

    A leak beats whatever else went wrong; of what else makes a trial invalid, what is wrong with own media beats the
    scenario's own assertions; all that is left is unknown.
    """
    if result.verdict is Verdict.VALID:
        return None
    if is_leak(result):
        return Category.FOREIGN_MEDIA
    invalid = {finding.check for finding in result.findings if finding.verdict is Verdict.INVALID}
    if invalid & OWN_MEDIA:
        return Category.OWN_MEDIA_WRONG
    return Category.SCENARIO_BROKEN if invalid else Category.NO_VERDICT


def rules() -> list[dict[str, Any]]:
    """Return Allure's rules: one a category, matched by its label alone, so that no two can match one trial."""
    return [
        {
            "id": each.name.lower(),
            "name": each.value,
            "matchers": [{"labels": {LABEL: f"^{each.value}$"}}],
            "groupBy": [{"label": SCENARIO}],
            "groupByMessage": False,
            "groupEnvironments": False,
            "expand": True,
        }
        for each in Category
    ]
