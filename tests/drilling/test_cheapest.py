"""The cheapest combination of a flaw: valid, with its flags, and as near to the baseline as can be."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clinic.flaws import FLAWS, Flaw
from harness.drilling.cheapest import SOUND, cheapest, exercises
from harness.errors import UsageError
from harness.model import Catalogue, Combination, Constraint, Flag
from harness.planning import catalogue as catalogues
from harness.planning.exhaustive import combinations

CLINIC = catalogues.load(Path(__file__).parents[2] / "flags" / "clinic.toml")
ON = frozenset({"on"})
OFF = frozenset({"off"})
SMALL = Catalogue(
    flags=(Flag("parent"), Flag("child"), Flag("cache", baseline="on"), Flag("edge"), Flag("size", ("off", "s", "l"))),
    constraints=(
        Constraint((("child", ON), ("parent", OFF)), "child needs parent"),
        Constraint((("cache", ON), ("edge", ON)), "one cache at a time"),
    ),
)


def changes(catalogue: Catalogue, combination: Combination) -> int:
    """Return in how many flags a combination differs from the baseline."""
    return sum(catalogue.baseline[flag] != combination[flag] for flag in combination)


def flaw(name: str, **flags: str) -> Flaw:
    """Return a flaw with these flags."""
    return Flaw(name, "in a list", "", "", "foreign-media", flags)


def test_nothing_wanted() -> None:
    """With no flags it is the baseline."""
    assert cheapest(SMALL, {}) == SMALL.baseline


@pytest.mark.parametrize(
    ("wanted", "changed"),
    [
        ({"size": "l"}, {"size": "l"}),
        ({"child": "on"}, {"child": "on", "parent": "on"}),
        ({"edge": "on"}, {"edge": "on", "cache": "off"}),
        ({"child": "on", "edge": "on"}, {"child": "on", "parent": "on", "edge": "on", "cache": "off"}),
        ({"cache": "on"}, {}),
    ],
)
def test_parents_and_exclusions(wanted: dict[str, str], changed: dict[str, str]) -> None:
    """A parent is switched on with its child, and what a flag excludes is switched off."""
    assert dict(cheapest(SMALL, wanted)) == dict(SMALL.baseline) | changed


@given(st.fixed_dictionaries({}, optional={flag.name: st.sampled_from(flag.variants) for flag in SMALL.flags}))
def test_nothing_is_nearer(wanted: dict[str, str]) -> None:
    """Of all valid combinations with the wanted variants none is nearer; with none at all it is refused."""
    fitting = [each for each in combinations(SMALL) if wanted.items() <= each.items()]
    if fitting:
        found = cheapest(SMALL, wanted)
        assert found in fitting
        assert changes(SMALL, found) == min(changes(SMALL, each) for each in fitting)
    else:
        with pytest.raises(UsageError, match="no valid combination has"):
            cheapest(SMALL, wanted)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"chidl": "on"}, "there is no flag 'chidl'; did you mean 'child'?"),
        ({"size": "xl"}, "flag 'size' has no variant 'xl': it has off, s, l"),
        ({"child": "on", "parent": "off"}, "no valid combination has child=on and parent=off"),
    ],
)
def test_obstacle(wanted: dict[str, str], said: str) -> None:
    """A flaw that no valid combination can wake is not played, and says why."""
    sound, exercise = exercises(SMALL, [flaw("one", **wanted)])
    assert (exercise.combinations, exercise.obstacle) == ((), f"<memory>: {said}")
    assert sound.combinations == (SMALL.baseline,)


def test_sound_clinic_is_played_under_all() -> None:
    """The sound clinic comes first, under each combination that any flaw is played under, once."""
    sound, *flawed = exercises(SMALL, [flaw("one"), flaw("two", edge="on"), flaw("three", edge="on")])
    assert (sound.name, sound.flaw) == (SOUND, None)
    assert [exercise.name for exercise in flawed] == ["one", "two", "three"]
    assert sound.combinations == (SMALL.baseline, cheapest(SMALL, {"edge": "on"}))


def test_each_shipped_flaw_can_be_played() -> None:
    """Under the clinic's own flags there is a valid combination for each flaw, with its flags."""
    for exercise in exercises(CLINIC, FLAWS)[1:]:
        assert exercise.flaw
        (combination,) = exercise.combinations
        assert exercise.flaw.flags.items() <= combination.items()
        assert CLINIC.allows(combination)
