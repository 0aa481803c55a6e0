"""From verdicts to leak conditions and safe regions."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.model import Catalogue, Combination, Flag, Verdict
from harness.planning.covering import covering
from harness.planning.exhaustive import combinations
from harness.planning.held import held_at_baseline
from harness.planning.narrow import (
    Condition,
    Region,
    describe,
    describe_region,
    leak_conditions,
    safe_regions,
)
from tests.planning.models import CLINIC, THIRTEEN, UNTIMED, brute_force, catalogues

BABYLON = (("replay-index-v2", "on"), ("video-upgrade", "on"))

Verdicts = dict[Combination, Verdict]


def judged(leaks: Callable[[Combination], bool], catalogue: Catalogue = CLINIC) -> Verdicts:
    """The verdicts of a full run of a target that leaks under the given combinations."""
    return {row: Verdict.INVALID if leaks(row) else Verdict.VALID for row in combinations(catalogue)}


def holds(*literals: tuple[str, str]) -> Callable[[Combination], bool]:
    """A predicate that is True of the combinations that match all literals."""
    return lambda row: all(row[flag] == variant for flag, variant in literals)


def words(verdicts: Verdicts) -> list[str]:
    """The leak conditions of the clinic in words."""
    return [describe(condition, CLINIC) for condition in leak_conditions(CLINIC, verdicts)]


def regions(verdicts: Verdicts) -> list[str]:
    """The safe regions of the clinic in words."""
    return [describe_region(region) for region in safe_regions(CLINIC, verdicts)]


def test_a_child_that_needs_the_parent_is_no_part_of_the_cause() -> None:
    """The child of a flag in the cause stays out of it, though it is on in half of the failures."""
    verdicts = judged(holds(*BABYLON))
    assert leak_conditions(CLINIC, verdicts) == (Condition(BABYLON, failing=24, exact=True, decided=72),)
    assert words(verdicts) == ["leaks when replay-index-v2=on and video-upgrade=on   (the other 4 flags do not matter)"]


def test_a_child_in_the_cause_speaks_for_its_parent() -> None:
    """When the child is needed, its parent is implied and is not named."""
    verdicts = judged(holds(("video-upgrade", "on"), ("video-downgrade", "on")))
    assert words(verdicts) == ["leaks when video-downgrade=on   (the other 5 flags do not matter)"]


def test_the_safe_regions_negate_the_cause() -> None:
    """Each literal of the cause has a region where it is negated, the widest first."""
    assert regions(judged(holds(*BABYLON))) == [
        "safe with replay-index-v2=off (36 of 36 combinations valid)",
        "safe with video-upgrade=off (24 of 24 combinations valid)",
    ]


def test_two_leaks_have_a_condition_each_and_share_a_region() -> None:
    """Independent leaks are told apart, and where no literal avoids both a pair of literals does."""
    cached = holds(("replay-cache", "on"), ("replay-paging", "small"))
    verdicts = judged(lambda row: holds(*BABYLON)(row) or cached(row))
    assert words(verdicts) == [
        "leaks when replay-index-v2=on and video-upgrade=on   (the other 4 flags do not matter)",
        "leaks when replay-cache=on and replay-paging=small   (the other 4 flags do not matter)",
    ]
    assert regions(verdicts)[:2] == [
        "safe with replay-cache=off and replay-index-v2=off (18 of 18 combinations valid)",
        "safe with replay-index-v2=off and replay-paging=off (12 of 12 combinations valid)",
    ]


def test_a_leak_in_each_variant_but_one_has_a_condition_each() -> None:
    """A condition names one variant of a flag, so two leaking variants make two conditions."""
    assert words(judged(lambda row: row["replay-paging"] != "off")) == [
        "leaks when replay-paging=small   (the other 5 flags do not matter)",
        "leaks when replay-paging=large   (the other 5 flags do not matter)",
    ]


def test_a_leak_under_every_combination_has_no_literals() -> None:
    """What always fails leaks always, and no region is safe."""
    verdicts = judged(lambda _: True)
    assert leak_conditions(CLINIC, verdicts) == (Condition((), failing=72, exact=True, decided=72),)
    assert words(verdicts) == ["leaks always   (the 6 flags do not matter)"]
    assert safe_regions(CLINIC, verdicts) == ()


@pytest.mark.parametrize("verdict", [Verdict.VALID, Verdict.UNKNOWN])
def test_no_failure_has_no_cause(verdict: Verdict) -> None:
    """Without an invalid combination there is neither a condition nor a region to restrict to."""
    verdicts = dict.fromkeys(combinations(CLINIC), verdict)
    assert leak_conditions(CLINIC, verdicts) == ()
    assert safe_regions(CLINIC, verdicts) == ()
    assert leak_conditions(CLINIC, {}) == ()


def test_a_single_failing_combination_is_narrowed_past_the_size_of_the_search() -> None:
    """A cause of five literals, longer than the search tries, is found by dropping literals."""
    literals = (*BABYLON, ("replay-access", "on"), ("replay-cache", "on"), ("replay-paging", "large"))
    (condition,) = leak_conditions(CLINIC, judged(holds(*literals)))
    assert condition == Condition(tuple(sorted(literals)), failing=2, exact=True, decided=72)
    assert describe(condition, CLINIC).endswith("   (the other flag does not matter)")


def test_missing_or_unknown_verdicts_make_a_hypothesis() -> None:
    """A condition from an incomplete run says how many combinations it rests on."""
    verdicts = judged(holds(*BABYLON))
    first, second, *_ = (row for row, verdict in verdicts.items() if verdict is Verdict.VALID)
    del verdicts[first]
    verdicts[second] = Verdict.UNKNOWN
    (sentence,) = words(verdicts)
    assert sentence == (
        "seems to leak when replay-index-v2=on and video-upgrade=on   "
        "(hypothesis: 70 of 72 combinations have a verdict)"
    )


def test_a_free_flag_is_one_that_can_be_otherwise() -> None:
    """Of flags that a deployment holds fixed nothing was seen, so they are not among those that do not matter."""
    catalogue, _ = held_at_baseline(THIRTEEN)
    (condition,) = leak_conditions(catalogue, judged(holds(*BABYLON), catalogue))
    assert describe(condition, catalogue) == (
        "leaks when replay-index-v2=on and video-upgrade=on   (the other 9 flags do not matter)"
    )


@pytest.mark.parametrize("strength", [2, 3])
def test_few_combinations_make_a_hypothesis_of_many(strength: int) -> None:
    """A cover finds the pair that leaks, claims no more than it has seen, and calls nothing safe."""
    verdicts = {row: Verdict.INVALID if holds(*BABYLON)(row) else Verdict.VALID for row in covering(THIRTEEN, strength)}
    conditions = leak_conditions(THIRTEEN, verdicts)
    failing = [row for row, verdict in verdicts.items() if verdict is Verdict.INVALID]
    assert failing
    assert all(any(holds(*each.literals)(row) for each in conditions) for row in failing)
    assert {(each.exact, each.decided) for each in conditions} == {(False, len(verdicts))}
    seen = f"(hypothesis: {len(verdicts)} of 7,776 combinations have a verdict"
    assert all(seen in describe(each, THIRTEEN) for each in conditions)
    regions = safe_regions(THIRTEEN, verdicts)
    assert regions
    assert not any(region.exact or "safe" in describe_region(region) for region in regions)


def test_conditions_that_explain_the_same_are_counted() -> None:
    """Two flags that were only tested together explain a failure alike: one is named, the other counted."""
    catalogue = Catalogue((Flag("a"), Flag("b"), Flag("c")))
    off, on = (Combination((("a", v), ("b", v), ("c", "off"))) for v in ("off", "on"))
    (condition,) = leak_conditions(catalogue, {off: Verdict.VALID, on: Verdict.INVALID})
    assert (condition.literals, condition.rivals) == ((("a", "on"),), 1)
    assert describe(condition, catalogue) == (
        "seems to leak when a=on   "
        "(hypothesis: 2 of 8 combinations have a verdict, and 1 other condition explains the same failures)"
    )


def test_a_full_run_of_many_combinations_is_narrowed_within_its_bounds() -> None:
    """Three causes of up to three literals are found exactly among 7,776 verdicts."""
    causes = (BABYLON, (("fast-sessions", "on"), ("replay-cache", "on")), (("carer-sharing", "on"), *BABYLON[:1]))
    conditions = leak_conditions(THIRTEEN, judged(lambda row: any(holds(*each)(row) for each in causes), THIRTEEN))
    assert {each.literals for each in conditions} == {tuple(sorted(each)) for each in causes}
    assert {(each.exact, each.decided, each.rivals) for each in conditions} == {(True, 7_776, 0)}


def test_a_region_with_an_unknown_verdict_is_not_safe_and_a_gap_shows() -> None:
    """An unknown verdict disqualifies a region, and a combination without a result lowers its valid count."""
    verdicts = judged(holds(*BABYLON))
    gap = next(row for row in verdicts if row["video-upgrade"] == "off" and row["replay-index-v2"] == "on")
    doubt = next(row for row in verdicts if row["video-upgrade"] == "on" and row["replay-index-v2"] == "off")
    del verdicts[gap]
    verdicts[doubt] = Verdict.UNKNOWN
    assert regions(verdicts) == [
        "you may ship with video-upgrade=off: nothing failed in the 23 executed of 24 combinations"
    ]


@pytest.mark.parametrize(
    ("flags", "literals", "expected"),
    [
        (1, (("f0", "on"),), "leaks when f0=on"),
        (1, (), "leaks always   (the only flag does not matter)"),
        (2, (("f0", "on"),), "leaks when f0=on   (the other flag does not matter)"),
        (3, (("f0", "on"),), "leaks when f0=on   (the other 2 flags do not matter)"),
    ],
)
def test_singular_and_plural(flags: int, literals: tuple[tuple[str, str], ...], expected: str) -> None:
    """The remark on the other flags has the right number, and is left out when there are none."""
    catalogue = Catalogue(tuple(Flag(f"f{i}") for i in range(flags)))
    assert describe(Condition(literals, failing=1, exact=True), catalogue) == expected


def test_a_region_of_one_combination_is_singular() -> None:
    """One combination is not called combinations."""
    region = Region((("a", "off"),), valid=1, total=1)
    assert describe_region(region) == "safe with a=off (1 of 1 combination valid)"


@pytest.mark.parametrize(
    "combination",
    [
        Combination((("a", "on"),)),
        Combination((*CLINIC.baseline.values_in_order[:-1], ("replay-access", "half"))),
        Combination((("video-upgrade", "off"), ("video-downgrade", "on"), *CLINIC.baseline.values_in_order[2:])),
    ],
    ids=["other-flags", "no-such-variant", "breaks-a-constraint"],
)
def test_verdicts_of_another_catalogue_are_refused(combination: Combination) -> None:
    """A verdict on what is no valid combination of the catalogue is a mistake, not something to leave out."""
    with pytest.raises(UsageError, match="not a valid combination of it: "):
        leak_conditions(CLINIC, {combination: Verdict.INVALID})


@st.composite
def results(draw: st.DrawFn) -> tuple[Catalogue, Verdicts]:
    """Draw a catalogue with a verdict on some or all of its combinations."""
    catalogue = draw(catalogues())
    rows = brute_force(catalogue)
    verdicts = draw(st.lists(st.sampled_from(Verdict), min_size=len(rows), max_size=len(rows)))
    tested = draw(st.integers(0, len(rows)))
    return catalogue, dict(zip(rows[:tested], verdicts, strict=False))


def is_sound(literals: tuple[tuple[str, str], ...], verdicts: Verdicts) -> bool:
    """True when what matches fails: at least one invalid, and none valid."""
    matching = {verdict for row, verdict in verdicts.items() if holds(*literals)(row)}
    return Verdict.INVALID in matching and Verdict.VALID not in matching


@given(results())
@UNTIMED
def test_conditions_are_sound_minimal_and_cover_every_failure(drawn: tuple[Catalogue, Verdicts]) -> None:
    """Every condition only matches failures and can lose no literal, and no failure is left unexplained."""
    catalogue, verdicts = drawn
    conditions = leak_conditions(catalogue, verdicts)
    for condition in conditions:
        assert is_sound(condition.literals, verdicts)
        for literal in condition.literals:
            assert not is_sound(tuple(other for other in condition.literals if other != literal), verdicts)
    failing = {row for row, verdict in verdicts.items() if verdict is Verdict.INVALID}
    explained = {row for row in failing if any(holds(*c.literals)(row) for c in conditions)}
    assert explained == failing


@given(results())
@UNTIMED
def test_conditions_count_what_they_rest_on(drawn: tuple[Catalogue, Verdicts]) -> None:
    """A condition counts its failures and the decided combinations, and is exact when nothing is missing."""
    catalogue, verdicts = drawn
    decided = [verdict for verdict in verdicts.values() if verdict is not Verdict.UNKNOWN]
    for condition in leak_conditions(catalogue, verdicts):
        failing = [v for row, v in verdicts.items() if holds(*condition.literals)(row)]
        assert condition.failing == failing.count(Verdict.INVALID)
        assert condition.decided == len(decided)
        assert condition.exact == (len(decided) == len(brute_force(catalogue)))


@given(results())
@UNTIMED
def test_safe_regions_hold_nothing_but_valid_combinations(drawn: tuple[Catalogue, Verdicts]) -> None:
    """Whatever was tested in a safe region is valid, and its counts are those of the catalogue."""
    catalogue, verdicts = drawn
    for region in safe_regions(catalogue, verdicts):
        inside = holds(*region.literals)
        tested = [verdict for row, verdict in verdicts.items() if inside(row)]
        assert tested == [Verdict.VALID] * region.valid
        assert tested
        assert region.total == sum(map(inside, brute_force(catalogue)))


@given(results(), st.randoms(use_true_random=False))
@UNTIMED
def test_the_answer_does_not_depend_on_the_order_of_the_results(
    drawn: tuple[Catalogue, Verdicts], random: Random
) -> None:
    """Trials finish in any order, and the conditions and regions are the same."""
    catalogue, verdicts = drawn
    shuffled = list(verdicts.items())
    random.shuffle(shuffled)
    assert leak_conditions(catalogue, dict(shuffled)) == leak_conditions(catalogue, verdicts)
    assert safe_regions(catalogue, dict(shuffled)) == safe_regions(catalogue, verdicts)
