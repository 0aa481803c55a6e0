"""Frozen values: verdicts merge, combinations have names, trials have ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import nearest
from harness.model import Catalogue, Combination, Constraint, Finding, Flag, Trial, Verdict, short_id

verdicts = st.lists(st.sampled_from(Verdict))
ON, SMALL = Flag("video-upgrade"), Flag("replay-paging", ("off", "small", "large"), "small")


@pytest.mark.parametrize(
    ("merged", "worst"),
    [
        ([], Verdict.VALID),
        ([Verdict.VALID, Verdict.UNKNOWN], Verdict.UNKNOWN),
        ([Verdict.INVALID, Verdict.UNKNOWN, Verdict.VALID], Verdict.INVALID),
    ],
)
def test_the_worst_verdict_wins(merged: list[Verdict], worst: Verdict) -> None:
    """Invalid beats unknown, unknown beats valid, and of none at all comes valid."""
    assert Verdict.merge(merged) is worst


@given(verdicts, verdicts)
def test_merging_may_be_done_in_parts(one: list[Verdict], other: list[Verdict]) -> None:
    """Shards merged apart and then together give what all of them give at once, in any order."""
    together = Verdict.merge([*one, *other])
    assert Verdict.merge([Verdict.merge(other), Verdict.merge(one)]) is together


def test_a_combination_is_a_mapping_in_order() -> None:
    """It has one variant for each flag, in the order of the catalogue."""
    combination = Combination((("video-upgrade", "on"), ("replay-paging", "off")))
    assert dict(combination) == {"video-upgrade": "on", "replay-paging": "off"}
    assert str(combination) == "video-upgrade=on replay-paging=off"
    assert "replay-paging" in combination
    assert len(combination) == 2
    with pytest.raises(KeyError, match="replay-pages"):
        combination["replay-pages"]


def test_a_combinations_id_does_not_depend_on_the_order() -> None:
    """The same flags and variants have the same id in any run; others have another."""
    one = Combination((("a", "on"), ("b", "off")))
    assert one.id == Combination((("b", "off"), ("a", "on"))).id
    assert one.id != Combination((("a", "off"), ("b", "on"))).id
    assert len(one.id) == 8


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({"video-upgrade": "on", "replay-paging": "small"}, "video_upgrade+replay_paging_small"),
        ({"video-upgrade": "off", "replay-paging": "off"}, "all_off"),
    ],
)
def test_a_label_names_what_is_not_off(values: dict[str, str], label: str) -> None:
    """A label can be selected with pytest's -k: no hyphens, and a word even for nothing."""
    assert Combination(tuple(values.items())).label == label


def test_a_trial_is_one_cell_whatever_its_seed() -> None:
    """The id depends on scenario and combination alone."""
    combination = Combination((("a", "on"),))
    assert Trial("one", combination, 1).id == Trial("one", combination, 2).id
    assert Trial("one", combination).id != Trial("two", combination).id
    assert Trial("one", combination).id != Trial("one", Combination((("a", "off"),))).id


@given(st.lists(st.text()), st.lists(st.text()))
def test_short_ids_depend_on_every_part(one: list[str], other: list[str]) -> None:
    """Equal parts have equal ids, and where one part ends matters."""
    assert short_id(*one) == short_id(*one)
    assert short_id("ab", "c") != short_id("a", "bc")
    if len(short_id(*one)) != 8:
        pytest.fail("a short id has eight digits")
    if one != other and len(one) + len(other) < 3:
        assert short_id(*one) != short_id(*other)


def test_a_catalogue_knows_baseline_and_rules() -> None:
    """The baseline is production's combination; a forbidden clause is broken only when all of it holds."""
    rule = Constraint((("video-upgrade", frozenset({"on"})), ("replay-paging", frozenset({"off", "large"}))), "why")
    catalogue = Catalogue((ON, SMALL), (rule,))
    assert catalogue.names == ("video-upgrade", "replay-paging")
    assert dict(catalogue.baseline) == {"video-upgrade": "off", "replay-paging": "small"}
    assert catalogue.allows({"video-upgrade": "on", "replay-paging": "small"})
    assert catalogue.allows({"video-upgrade": "off", "replay-paging": "off"})
    assert not catalogue.allows({"video-upgrade": "on", "replay-paging": "large"})
    assert (ON.is_boolean, SMALL.is_boolean) == (True, False)


def test_a_finding_can_be_written_anywhere() -> None:
    """What a target said is quoted without what no file can hold, or what would move a terminal's cursor."""
    said = "half \ud83d, erased \x1b[2K\rVALID, Zoë\t\u65e5"
    assert Finding("x", Verdict.INVALID, said).sentence == "half \\ud83d, erased \\x1b[2K\\x0dVALID, Zoë\t\u65e5"


def test_the_nearest_name_is_offered() -> None:
    """A slip of the pen gets the right name, nonsense gets nothing."""
    assert nearest("video-upgrad", ["replay-cache", "video-upgrade"]) == "; did you mean 'video-upgrade'?"
    assert nearest("zzz", ["replay-cache", "video-upgrade"]) == ""
    assert nearest("video", ["replay-cache", "switching_to_paging", "video-upgrade-in-mid-call"]).endswith("-call'?")
    assert nearest("re", ["replay-cache"]) == ""
