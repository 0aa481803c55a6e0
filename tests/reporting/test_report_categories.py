"""Each trial that is not valid is in exactly one category, by our function and by Allure's rules alike."""

import re

from hypothesis import given
from hypothesis import strategies as st

from harness.checks import LEAKS, NAMES
from harness.model import Finding, Verdict
from harness.reporting.report.categories import LABEL, Category, category, rules
from harness.running.trial import TrialResult, not_executed
from tests.reporting.stored import PLAN

CHECKS = {
    "foreign-media": Verdict.INVALID,
    "reachable-media": Verdict.INVALID,
    "count-mismatch": Verdict.INVALID,
    "missing-media": Verdict.INVALID,
    "foreign-text": Verdict.INVALID,
    "pushed-foreign": Verdict.INVALID,
    "stale-access": Verdict.INVALID,
    "phantom-media": Verdict.INVALID,
    "wrong-medium": Verdict.INVALID,
    "duplicate-media": Verdict.INVALID,
    "broken-promise": Verdict.INVALID,
    "a check of the future": Verdict.INVALID,
    "unproved": Verdict.UNKNOWN,
    "vacuous": Verdict.UNKNOWN,
}


def result(*findings: Finding) -> TrialResult:
    """Return a trial with these findings."""
    return TrialResult(PLAN.trials[0], Verdict.merge(each.verdict for each in findings), findings, 1.0)


def found(check: str, verdict: Verdict | None = None) -> Finding:
    """Return a finding of a check."""
    return Finding(check, verdict or CHECKS[check], "something")


@given(st.lists(st.builds(found, st.sampled_from(sorted(CHECKS)), st.sampled_from([*Verdict, None]))))
def test_a_trial_that_is_not_valid_is_in_exactly_one_category(findings: list[Finding]) -> None:
    """Whatever was found, one rule of Allure's matches the label of a failing trial, and a valid one has none."""
    trial = result(*findings)
    kind = category(trial)
    assert (kind is None) == (trial.verdict is Verdict.VALID)
    if kind is not None:
        patterns = [matcher["labels"][LABEL] for rule in rules() for matcher in rule["matchers"]]
        assert [pattern for pattern in patterns if re.search(pattern, kind)] == [f"^{kind}$"]


def test_the_gravest_decides() -> None:
    """A leak beats missing media, which beats the scenario's own assertion, which beats a doubt."""
    leak, reached, missing, promise, doubt = (
        found(check) for check in ("foreign-media", "reachable-media", "missing-media", "broken-promise", "unproved")
    )
    assert category(result(doubt, promise, missing, leak)) is Category.FOREIGN_MEDIA
    assert category(result(doubt, reached)) is Category.FOREIGN_MEDIA
    assert category(result(doubt, promise, missing)) is Category.OWN_MEDIA_WRONG
    assert category(result(doubt, promise)) is Category.SCENARIO_BROKEN
    assert category(result(doubt)) is Category.NO_VERDICT
    assert category(not_executed(PLAN.trials[0], "the run ended before")) is Category.NO_VERDICT


def test_every_check_has_its_category() -> None:
    """Each check that can make a trial invalid is told as what it is."""
    kinds = {check: category(result(found(check, Verdict.INVALID))) for check in NAMES}
    assert {check for check, kind in kinds.items() if kind is Category.FOREIGN_MEDIA} == LEAKS
    assert kinds["missing-media"] is Category.OWN_MEDIA_WRONG
    assert kinds["broken-promise"] is Category.SCENARIO_BROKEN


def test_a_foreign_entry_that_is_only_suspected_is_no_verdict() -> None:
    """An entry whose owner could not be proved makes a trial unknown, and is not told as a leak."""
    assert category(result(found("foreign-media", Verdict.UNKNOWN))) is Category.NO_VERDICT
