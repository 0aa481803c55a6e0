"""Which combinations are played: what may be asked for, what `auto` chooses, and what the claim then says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.model import Catalogue, Combination, Constraint, Flag
from harness.planning.coverage import AUTO_COMBINATIONS, KNOWN, Covered, cover, require_known
from harness.planning.exhaustive import exhaustive
from harness.planning.held import held_at_baseline
from harness.planning.plan import Claim, groups
from tests.planning.models import CLINIC, THIRTEEN, UNTIMED, brute_force, catalogues

SCENARIOS = ("one", "two")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("exhaustiv", "; did you mean 'exhaustive'?"),
        ("tway:2", "; did you mean 't-way:2'?"),
        ("t-way:0", "; did you mean 't-way:1'?"),
        ("t-way:17", "; did you mean 't-way:6'?"),
        ("", ""),
    ],
)
def test_what_is_no_coverage_is_refused_with_the_nearest_that_is(text: str, hint: str) -> None:
    """The message lists what there is."""
    with pytest.raises(UsageError) as refused:
        require_known(text)
    known = f"--coverage {text}: not known; there are auto, exhaustive and t-way:1 to t-way:6"
    assert str(refused.value) == known + hint


@given(catalogues(), st.sampled_from(KNOWN))
@UNTIMED
def test_a_claim_of_everything_is_made_exactly_for_everything(catalogue: Catalogue, coverage: str) -> None:
    """However it was asked for, a plan is exhaustive when it holds each valid combination, and only then."""
    valid = brute_force(catalogue)
    covered = cover(catalogue, coverage)
    assert (covered.claim.kind == "exhaustive") == (set(covered.rows) == set(valid))
    assert covered.claim.valid_combinations == len(valid)
    assert len(set(covered.rows)) == len(covered.rows)


def test_few_combinations_are_all_played() -> None:
    """72 combinations are exhausted by default, in the order of an exhaustive plan, and the plan says why."""
    plan = cover(CLINIC, "auto").plan(SCENARIOS, 7)
    assert plan.trials == exhaustive(CLINIC, SCENARIOS, 7).trials
    assert plan.claim == Claim("exhaustive", 72)
    assert plan.choice == "auto chose exhaustive: 72 valid combinations are at most 100"


def test_of_many_combinations_the_strongest_cover_that_is_few_is_played() -> None:
    """7,776 combinations are covered by triples, and the plan says why."""
    covered = cover(THIRTEEN, "auto")
    assert covered.claim == Claim("t-way", 7_776, strength=3)
    assert len(covered.rows) <= AUTO_COMBINATIONS
    assert covered.choice == (
        "auto chose t-way:3: 7,776 valid combinations are more than 100, and 46 hold every valid triple of variants"
    )
    assert cover(THIRTEEN, "t-way:3") == Covered(THIRTEEN, covered.rows, covered.claim)


@pytest.mark.parametrize(("flags", "variants", "strength"), [(3, 5, 2), (3, 12, 1), (2, 120, 1)])
def test_wide_flags_lower_the_strength(flags: int, variants: int, strength: int) -> None:
    """Where triples need too many rows, pairs are covered; where those do, or anything does, each variant is."""
    wide = Catalogue(tuple(Flag(f"f{i}", ("off", *(f"v{j}" for j in range(1, variants)))) for i in range(flags)))
    assert cover(wide, "auto").claim.strength == strength


def test_a_trial_stays_in_the_plan_whatever_other_scenarios_are_played() -> None:
    """The combinations depend on the catalogue alone, so that a failure's trial id is found again."""
    covered = cover(THIRTEEN, "auto")
    alone = {trial.id for trial in covered.plan(["two"]).trials}
    assert alone == {trial.id for trial in covered.plan(SCENARIOS).trials if trial.scenario == "two"}


@pytest.mark.parametrize("coverage", ["t-way:2", "t-way:3", "auto", "exhaustive"])
def test_a_deployment_is_made_once_for_what_its_users_share(coverage: str) -> None:
    """Trials with the same values of the flags that are not per user stand together, the baseline's first."""
    plan = cover(THIRTEEN, coverage).plan(SCENARIOS)
    order = [THIRTEEN.shared(trial.combination) for trial in plan.trials]
    found = groups(plan)
    assert len(found) == len(set(order)) == 4
    assert order == [group.shared for group in found for _ in group.plan.trials]
    assert [trial for group in found for trial in group.plan.trials] == list(plan.trials)
    assert found[0].base == plan.trials[0].combination == THIRTEEN.baseline
    for group in found:
        assert dict(group.base) == dict(THIRTEEN.baseline) | dict(group.shared)


def test_flags_per_user_need_one_deployment() -> None:
    """A catalogue without other flags has one group, which is the plan."""
    plan = cover(CLINIC, "exhaustive").plan(SCENARIOS)
    (group,) = groups(plan)
    assert (group.shared, group.plan) == ((), plan)


def test_a_base_that_is_not_valid_gives_way_to_a_combination_that_is() -> None:
    """Where the baseline's other flags do not go with a deployment, its first combination stands in."""
    flags = (Flag("worker", context="global"), Flag("old", baseline="on"))
    catalogue = Catalogue(flags, (_never(worker="on", old="on"),))
    _, group = groups(cover(catalogue, "exhaustive").plan(SCENARIOS))
    assert group.base == Combination((("worker", "on"), ("old", "off")))


def test_what_nobody_can_switch_is_fixed_and_said() -> None:
    """With the shared flags at their baseline a quarter of the combinations is left, and the claim names the flags."""
    held, fixed = held_at_baseline(THIRTEEN)
    covered = cover(held, "t-way:2", fixed)
    assert fixed == (("recorder-transcode", "off"), ("fast-sessions", "off"))
    assert covered.claim == Claim("t-way", 1_944, 2, fixed)
    assert {held.shared(row) for row in covered.rows} == {fixed}
    assert covered.plan(SCENARIOS).select(lambda trial: trial.scenario == "one").claim == Claim(
        "selection", 1_944, fixed=fixed
    )


def test_where_all_is_per_user_nothing_is_fixed() -> None:
    """The catalogue is then the same, and so is the claim."""
    assert held_at_baseline(CLINIC) == (CLINIC, ())


def _never(**values: str) -> Constraint:
    return Constraint(tuple((flag, frozenset({variant})) for flag, variant in values.items()), "never together")
