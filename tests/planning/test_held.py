"""Flags held by `--set`: only combinations that have them so are left, and what cannot be is refused by name."""

import pytest

from harness.errors import UsageError
from harness.planning.coverage import cover
from harness.planning.exhaustive import combinations, count
from harness.planning.held import held, read_choices
from tests.planning.models import CLINIC


def test_only_combinations_with_the_held_variants_are_left() -> None:
    """What is enumerated is what a filter over all valid combinations leaves."""
    literals = read_choices(CLINIC, ["replay-paging=small", "video-upgrade=on"])
    wanted = [each for each in combinations(CLINIC) if set(literals) <= set(each.items())]
    assert list(combinations(held(CLINIC, literals))) == wanted
    assert 0 < len(wanted) < count(CLINIC)


def test_all_flags_held_leave_one_combination() -> None:
    """The plan of a catalogue whose every flag is set has that combination alone, whatever the coverage."""
    chosen = list(combinations(CLINIC))[-1]
    literals = read_choices(CLINIC, [f"{flag}={variant}" for flag, variant in chosen.items()])
    for coverage in ("auto", "exhaustive", "t-way:2"):
        assert cover(held(CLINIC, literals), coverage).rows == (chosen,)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["video-upgrad=on"], "did you mean 'video-upgrade'?"),
        (["replay-paging=smal"], "did you mean 'small'?"),
        (["video-upgrade"], "has the variants off, on"),
        (["video-upgrade=on", "video-upgrade=off"], "is set to on too"),
    ],
)
def test_what_is_no_choice_is_refused_with_the_nearest_name(texts: list[str], said: str) -> None:
    """An unknown flag or variant, none at all, or two of one flag."""
    with pytest.raises(UsageError, match=r"^--set ") as refused:
        read_choices(CLINIC, texts)
    assert said in str(refused.value)


def test_a_choice_that_a_constraint_forbids_is_refused_with_the_constraint() -> None:
    """A child cannot be on while its parent is held off."""
    child, clause = CLINIC.parents[0]
    parent = clause[0][0]
    with pytest.raises(UsageError, match=f"{child} needs {parent}"):
        held(CLINIC, ((parent, "off"), (child, "on")))
