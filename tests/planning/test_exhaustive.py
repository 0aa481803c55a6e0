"""Enumerating, counting and planning every valid combination."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.model import Catalogue, Constraint, Flag
from harness.planning.exhaustive import combinations, count, exhaustive
from harness.planning.plan import Claim, trial_id
from tests.planning.models import CLINIC, UNTIMED, brute_force, catalogues

SCENARIOS = ("stays-on-audio", "switches-to-video", "deletes-a-replay")
ON, OFF = frozenset({"on"}), frozenset({"off"})


@given(catalogues())
@UNTIMED
def test_the_combinations_are_those_of_the_filtered_product(catalogue: Catalogue) -> None:
    """The enumeration yields each valid combination of the product exactly once, and the count agrees."""
    found = list(combinations(catalogue))
    expected = brute_force(catalogue)
    assert len(found) == len(set(found)) == len(expected) == count(catalogue)
    assert set(found) == set(expected)


@given(catalogues(), st.data())
@UNTIMED
def test_a_conditional_count_is_that_of_the_filtered_product(catalogue: Catalogue, data: st.DataObject) -> None:
    """Counting under given variants agrees with filtering the combinations."""
    some = data.draw(st.lists(st.sampled_from(catalogue.flags), unique=True))
    fixed = {flag.name: data.draw(st.sampled_from(flag.variants)) for flag in some}
    expected = [row for row in brute_force(catalogue) if fixed.items() <= dict(row).items()]
    assert count(catalogue, fixed) == len(expected)


@given(catalogues())
@UNTIMED
def test_the_baseline_comes_first_when_it_is_valid(catalogue: Catalogue) -> None:
    """A valid baseline is the first combination of the enumeration."""
    if catalogue.allows(catalogue.baseline):
        assert next(combinations(catalogue)) == catalogue.baseline


def test_the_clinic_has_seventy_two_combinations() -> None:
    """The parent flag takes 24 of the 96 combinations of the full product away."""
    assert count(CLINIC) == len(list(combinations(CLINIC))) == 72


def test_sixty_flags_are_counted_without_building_a_combination() -> None:
    """Thirty children, each with a parent of its own, leave three states a pair: 3 to the power of 30."""
    flags = tuple(Flag(f"{side}{i}") for side in ("parent", "child") for i in range(30))
    rules = tuple(Constraint(((f"child{i}", ON), (f"parent{i}", OFF)), "parent") for i in range(30))
    assert count(Catalogue(flags, rules)) == 3**30


def test_dead_ends_are_not_entered_twice() -> None:
    """A catalogue whose last flag can take no variant ends at once, though it has 2 ** 59 prefixes."""
    flags = tuple(Flag(f"f{i}") for i in range(60))
    rules = (Constraint((("f59", ON),), "not on"), Constraint((("f59", OFF),), "nor off"))
    assert list(combinations(Catalogue(flags, rules))) == []


def test_a_clause_that_names_nothing_forbids_everything() -> None:
    """An empty forbidden clause holds in each combination, so that none is valid."""
    catalogue = Catalogue((Flag("a"),), (Constraint((), "nothing goes"),))
    assert list(combinations(catalogue)) == []
    assert count(catalogue) == 0


def test_constraints_that_are_too_entangled_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting gives up with a message, not with the memory, when too many states are open at once."""
    monkeypatch.setattr("harness.planning.exhaustive.MAX_STATES", 8)
    flags = tuple(Flag(f"f{i}") for i in range(12))
    names = [flag.name for flag in flags]
    rules = tuple(Constraint(((a, ON), (b, ON)), "both") for a in names for b in names if a < b)
    free = tuple(Constraint(((a, ON), (b, OFF)), "one") for a in names[:6] for b in names[6:])
    with pytest.raises(UsageError, match=r"too entangled to count .* at flag"):
        count(Catalogue(flags, (*free[::5], *rules[::7])))


def test_the_plan_is_every_scenario_under_every_combination() -> None:
    """Each cell of scenarios and combinations is one trial, and the claim says exhaustive."""
    plan = exhaustive(CLINIC, SCENARIOS, seed=7)
    assert plan.claim == Claim("exhaustive", 72)
    assert {(t.scenario, t.combination) for t in plan.trials} == {
        (scenario, combination) for scenario in SCENARIOS for combination in brute_force(CLINIC)
    }
    assert len({trial.id for trial in plan.trials}) == len(plan.trials) == 216
    assert {trial.seed for trial in plan.trials} == {7}


def test_the_plan_starts_at_the_baseline_and_changes_few_flags_first() -> None:
    """Trials stand combination by combination, the baseline first, with ever more changes from it."""
    plan = exhaustive(CLINIC, SCENARIOS)
    assert plan.scenarios == SCENARIOS
    assert [trial.combination for trial in plan.trials[:3]] == [CLINIC.baseline] * 3
    baseline = dict(CLINIC.baseline)
    changes = [sum(baseline[flag] != row[flag] for flag in row) for row in plan.combinations]
    assert changes == sorted(changes)
    assert [t.combination for t in plan.trials] == [row for row in plan.combinations for _ in SCENARIOS]


@given(catalogues(), st.integers())
@UNTIMED
def test_the_same_seed_gives_the_same_plan(catalogue: Catalogue, seed: int) -> None:
    """Planning is a function of the catalogue, the scenarios and the seed."""
    assert exhaustive(catalogue, SCENARIOS, seed) == exhaustive(catalogue, SCENARIOS, seed)


@pytest.mark.parametrize(
    ("scenarios", "expected"), [((), "^no scenarios"), (("a", "b", "a"), "^scenario 'a' is given twice$")]
)
def test_scenarios_must_be_some_and_distinct(scenarios: tuple[str, ...], expected: str) -> None:
    """No scenario, or the same one twice, is the author's mistake."""
    with pytest.raises(UsageError, match=expected):
        exhaustive(CLINIC, scenarios)


def test_too_many_trials_are_refused_before_any_is_built() -> None:
    """Sixty flags are refused with the number of trials and with what to do."""
    catalogue = Catalogue(tuple(Flag(f"f{i}") for i in range(60)), source="flags/big.toml")
    expected = "^flags/big.toml: 1,152,921,504,606,846,976 valid .* use fewer flags or variants, or select"
    with pytest.raises(UsageError, match=expected):
        exhaustive(catalogue, SCENARIOS)


def test_a_selection_keeps_the_order_and_lowers_the_claim() -> None:
    """Two trials chosen by id stand in the plan's order, and claim no more than themselves."""
    plan = exhaustive(CLINIC, SCENARIOS, seed=7)
    wanted = {plan.trials[40].id, plan.trials[3].id}
    chosen = plan.select(lambda trial: trial.id in wanted)
    assert chosen.trials == (plan.trials[3], plan.trials[40])
    assert chosen.claim == Claim("selection", 72)
    assert chosen.seed == 7


def test_a_selection_of_everything_is_the_plan_itself() -> None:
    """A predicate that keeps each trial leaves the claim as it was."""
    plan = exhaustive(CLINIC, SCENARIOS)
    assert plan.select(lambda _: True) is plan
    assert plan.select(lambda trial: trial.scenario == SCENARIOS[0]).claim.kind == "selection"


def test_a_selection_of_nothing_is_refused() -> None:
    """A plan without trials would be valid of nothing, so it cannot be made."""
    plan = exhaustive(CLINIC, SCENARIOS)
    with pytest.raises(UsageError, match=r"^the selection holds none of the plan's 216 trials$"):
        plan.select(lambda _: False)


def test_a_trial_id_must_name_one_trial_of_the_plan() -> None:
    """An id that is wrong or that begins several ids is refused, with the nearest id where there is one."""
    ids = [trial.id for trial in exhaustive(CLINIC, SCENARIOS).trials]
    right = ids[0]
    assert trial_id(right[:7], ids) == right
    with pytest.raises(UsageError, match="is not in the plan: an id is of"):
        trial_id(f"{right}0", ids)
    with pytest.raises(UsageError, match=r"may be any of .*: give all eight digits"):
        trial_id(right[0], ids)
