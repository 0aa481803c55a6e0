"""Covering plans, each held against a checker that enumerates the feasible choices of variants in another way."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.model import Catalogue, Combination, Constraint, Flag
from harness.planning import covering as subject
from harness.planning.covering import KILL_SWITCH, MAX_STRENGTH, covering
from tests.planning.models import CLINIC, THIRTEEN, UNTIMED, brute_force, catalogues

Choice = frozenset[tuple[str, str]]


def held_by(row: Combination, strength: int) -> set[Choice]:
    """Return every choice of variants for so many flags that a combination holds."""
    return {frozenset(some) for some in itertools.combinations(row.items(), strength)}


def missing(catalogue: Catalogue, rows: list[Combination], strength: int) -> set[Choice]:
    """Return the feasible choices that no row holds: of every product of variants, those that can be completed."""
    valid = brute_force(catalogue)
    found = set[Choice]()
    for flags in itertools.combinations(catalogue.flags, strength):
        for variants in itertools.product(*(flag.variants for flag in flags)):
            wanted = [(flag.name, variant) for flag, variant in zip(flags, variants, strict=True)]
            if any(all(row[name] == variant for name, variant in wanted) for row in valid):
                found.add(frozenset(wanted))
    for row in rows:
        found -= held_by(row, strength)
    return found


def in_sight(rows: Iterable[Combination]) -> list[Combination]:
    """Return the combinations in which replays can be seen."""
    return [row for row in rows if row["replay-access"] == "on"]


def hidden(catalogue: Catalogue, rows: Iterable[Combination], strength: int) -> set[Choice]:
    """Return the choices that could be held in sight, and are not."""
    could, are = (
        set[Choice]().union(*(held_by(row, strength) for row in in_sight(some)))
        for some in (brute_force(catalogue), rows)
    )
    return could - are


@given(catalogues(), st.integers(1, MAX_STRENGTH))
@UNTIMED
def test_every_feasible_choice_is_covered_by_valid_combinations(catalogue: Catalogue, strength: int) -> None:
    """No feasible choice of variants is missing, no row is invalid or there twice, and few flags mean all of them."""
    valid = brute_force(catalogue)
    rows = covering(catalogue, strength)
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(valid)
    assert missing(catalogue, rows, min(strength, len(catalogue.flags))) == set()
    if strength >= len(catalogue.flags):
        assert set(rows) == set(valid)


@given(catalogues(), st.integers(1, 3))
@UNTIMED
def test_every_row_adds_something(catalogue: Catalogue, strength: int) -> None:
    """Each row after the first holds a choice that no row before it has, and the baseline is first when it is valid."""
    rows = covering(catalogue, strength)
    strength = min(strength, len(catalogue.flags))
    for i, row in enumerate(rows[1:], start=1):
        assert held_by(row, strength) - set[Choice]().union(*(held_by(each, strength) for each in rows[:i]))
    if catalogue.allows(catalogue.baseline):
        assert rows[0] == catalogue.baseline


@pytest.mark.parametrize(("strength", "rows"), [(1, 4), (2, 15), (3, 46)])
def test_thirteen_flags_of_a_clinic(strength: int, rows: int) -> None:
    """7,776 valid combinations need few rows, the one with the most changes in sight second; nothing is missing."""
    found = covering(THIRTEEN, strength)
    assert len(found) == rows
    valid = brute_force(THIRTEEN)
    columns = [{flag: [row[flag] for row in some] for flag in THIRTEEN.names} for some in (valid, found)]
    for flags in itertools.combinations(THIRTEEN.names, strength):
        feasible, covered = (set(zip(*(column[flag] for flag in flags), strict=True)) for column in columns)
        assert covered == feasible
    baseline = dict(THIRTEEN.baseline)
    changes = [sum(baseline[flag] != row[flag] for flag in row) for row in (found[1], *in_sight(valid))]
    assert changes[0] == max(changes[1:])


def test_a_planted_gap_is_seen() -> None:
    """The checkers of these tests find what is missing when any row of a plan is left out."""
    rows = covering(CLINIC, 2)
    for i in range(len(rows)):
        left = rows[:i] + rows[i + 1 :]
        assert missing(CLINIC, left, 2) or hidden(CLINIC, left, 2)


@pytest.mark.parametrize(
    ("catalogue", "strength"), [(CLINIC, 1), (CLINIC, 2), (CLINIC, 3), (THIRTEEN, 1), (THIRTEEN, 2)]
)
def test_no_choice_is_held_behind_a_thrown_kill_switch_alone(catalogue: Catalogue, strength: int) -> None:
    """A leak that a release causes cannot be seen where all replays are refused: it must be played in sight, too."""
    assert hidden(catalogue, covering(catalogue, strength), strength) == set()


def test_a_choice_that_is_valid_behind_the_switch_alone_is_held_there() -> None:
    """What a constraint allows only while the switch is thrown is covered all the same."""
    switch = Flag("access", ("off", "on"), "on", kind=KILL_SWITCH)
    rule = Constraint((("notice", frozenset({"on"})), ("access", frozenset({"on"}))), "a notice says that it is closed")
    catalogue = Catalogue((Flag("notice"), switch), (rule,))
    assert missing(catalogue, covering(catalogue, 1), 1) == set()


@given(catalogues(), st.integers(1, 4))
@UNTIMED
def test_the_same_catalogue_gives_the_same_rows(catalogue: Catalogue, strength: int) -> None:
    """Choosing is a function of the catalogue and the strength."""
    assert covering(catalogue, strength) == covering(catalogue, strength)


def test_without_valid_combinations_there_is_nothing_to_cover() -> None:
    """A catalogue whose constraints leave nothing has an empty cover."""
    nothing = Catalogue((Flag("a"),), (Constraint((), "nothing goes"),))
    assert covering(nothing, 1) == []


@pytest.mark.parametrize("strength", [0, MAX_STRENGTH + 1])
def test_an_unknown_strength_is_refused(strength: int) -> None:
    """There is no plan of strength 0, nor of one that nobody could afford."""
    with pytest.raises(UsageError, match=f"a strength of {strength}: there are 1 to 6"):
        covering(CLINIC, strength)


def test_too_many_combinations_are_refused_before_any_is_built() -> None:
    """Sixty flags are refused with their number and with what to do."""
    catalogue = Catalogue(tuple(Flag(f"f{i}") for i in range(60)), source="flags/big.toml")
    with pytest.raises(UsageError, match=r"^flags/big.toml: 1,152,921,504,606,846,976 valid .* use fewer flags"):
        covering(catalogue, 2)


def test_too_much_work_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """More bits than the bound are refused with the way out, and no more are tried."""
    monkeypatch.setattr(subject, "MAX_BITS", 72 * 100)
    assert len(covering(CLINIC, 1)) == 4
    with pytest.raises(UsageError, match=r"72 valid combinations with 200 choices of 3 variants .* a lower strength"):
        covering(CLINIC, 3)
