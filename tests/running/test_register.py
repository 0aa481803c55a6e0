"""The register tells the actors and consultations of a run apart, and from those of other runs."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.canary import MODES, RUN_BITS, USER_BITS, Canary, pack
from harness.errors import HarnessError
from harness.running import register as module
from harness.running.register import MAX_CAST, Register, Written


def test_numbers_are_never_given_twice() -> None:
    """Two actors of a run have two numbers, even of one name in one trial."""
    register = Register(7)
    assert [register.enrol("t1", "alice"), register.enrol("t1", "alice"), register.enrol("t2", "bob")] == [0, 2, 4]
    assert register.run == 7


def test_who_talks_with_a_patient_is_heard_in_the_other_slot() -> None:
    """Patients have even numbers and clinicians odd ones, however they follow one another."""
    register = Register(7)
    assert [register.enrol("t1", "alice"), register.enrol("t1", "chen", "clinician")] == [0, 1]
    assert [register.enrol("t2", "dora", "clinician"), register.enrol("t2", "bob")] == [3, 2]


def test_runs_have_numbers_of_their_own() -> None:
    """Without a number given the run takes one that fits its field."""
    assert 0 <= Register().run < 1 << RUN_BITS


def test_a_canary_has_its_owner_in_words() -> None:
    """The owner is an actor of a trial of this run, or somebody of another run."""
    register = Register(7)
    number = register.enrol("0000beef", "alice")
    canary = register.canary(number, 3, 1)
    assert canary == Canary(run=7, user=0, call=3, mode=1)
    assert register.owner(canary) == "alice of trial 0000beef"
    assert register.owner(Canary(run=6, user=0, call=3, mode=1)) == "user 0 of run 6"
    assert register.owner(Canary(run=7, user=1, call=3, mode=1)) == "user 1 of run 7"


@given(st.integers(0, (1 << RUN_BITS) - 1), st.integers(0, MAX_CAST - 1), st.integers(0, MAX_CAST - 1))
def test_no_two_actors_share_a_canary(first: int, one: int, other: int) -> None:
    """Numbers beyond a run's 65,536 users take the run numbers that follow, past the last one too."""
    register = Register(first)
    assert (register.canary(one, 0, 0) == register.canary(other, 0, 0)) == (one == other)


def test_the_owner_is_found_beyond_the_first_run_number() -> None:
    """The actor of number 65,536 is told by the next run number, which follows the last one as the first."""
    register = Register((1 << RUN_BITS) - 1)
    for number in range(0, (1 << USER_BITS) + 1, 2):
        assert register.enrol("t1", f"actor-{number}") == number
    canary = register.canary(1 << USER_BITS, 0, 0)
    assert (canary.run, canary.user) == (0, 0)
    assert register.owner(canary) == f"actor-{1 << USER_BITS} of trial t1"


def test_a_run_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """More actors than a run may have are refused, not numbered anew."""
    monkeypatch.setattr(module, "MAX_CAST", 1)
    register = Register(7)
    register.enrol("t1", "alice")
    with pytest.raises(HarnessError, match="at most 1 actors"):
        register.enrol("t1", "bob")


def test_consultations_of_other_trials_are_told() -> None:
    """One's own and an unknown consultation are nowhere else; another trial's is named."""
    register = Register(7)
    register.learn("con-1", "t1", "visit-1")
    assert register.elsewhere("con-1", "t1") is None
    assert register.elsewhere("con-1", "t2") == "visit-1 of trial t1"
    assert register.elsewhere("con-2", "t1") is None


def test_a_word_carries_its_owner() -> None:
    """What was inscribed for an actor is found in a text, told by the 20 digits of the ledger and by its owner."""
    register = Register(7)
    number = register.enrol("0000beef", "alice")
    word = register.inscribe(number, 3, MODES.index("note"))
    value = f"{pack(Canary(7, 0, 3, MODES.index('note'))):020d}"
    assert register.words(f"a note of {word.title()}.") == [Written(value, "alice of trial 0000beef")]
    assert register.words("a note of nobody") == []


def test_every_different_canary_is_told_once() -> None:
    """A page with several tokens, repeated, cut and escaped, names each of their canaries once, in the page's order."""
    register = Register(7)
    hers, his = (register.inscribe(register.enrol("t1", name), 1, 3) for name in ("alice", "bob"))
    page = json.dumps({"text": f"<p>{hers}</p>\n{his[4:]}", "title": hers[:12] + "…", "again": his})
    assert [each.owner for each in register.words(page)] == ["alice of trial t1", "bob of trial t1"]


def test_words_of_another_run_are_told_whole_and_not_by_their_parts() -> None:
    """A token of another run says whose it is; a part of it says nothing."""
    register, other = Register(7), Register(9)
    word = other.inscribe(other.enrol("t9", "eve"), 1, 2)
    assert [each.owner for each in register.words(word)] == ["user 0 of run 9"]
    assert register.words(word[:-2]) == []
    assert [each.owner for each in other.words(word[:-2])] == ["eve of trial t9"]


@pytest.mark.parametrize("wrap", [str, json.dumps, html.escape, quote, lambda text: html.escape(json.dumps(text))])
def test_cut_words_are_known_under_escapes(wrap: Callable[[str], str]) -> None:
    """What a field cut off is found also where an escape's own characters touch it."""
    register = Register(7)
    word = register.inscribe(register.enrol("t1", "alice"), 1, 2)
    for cut in (word[:12], word[5:]):
        for text in (f'"{cut}"', f"\n{cut}\n", f"ä{cut} €", f"/{cut}&"):
            assert [each.owner for each in register.words(wrap(text))] == ["alice of trial t1"], text


def test_consultations_are_found_in_words() -> None:
    """Each consultation of the run that a text names is told once, in its order, with where it is elsewhere."""
    register = Register(7)
    register.learn("con-1a2b", "t1", "visit-1")
    register.learn("con-3c4d", "t2", "visit-5")
    page = json.dumps(
        {"html": "<a href='/calls/con-3c4d?from=con-1a2b'>\ncon-3c4d</a>", "other": "con-1a2b9 xcon-1a2b"}
    )
    expected = (("con-3c4d", "visit-5 of trial t2"), ("con-1a2b", None))
    assert register.consultations_in(page, "t1") == expected
    assert register.consultations_in(html.escape(page), "t1") == expected
    assert register.consultations_in(quote(page), "t1") == expected
    assert register.consultations_in("con-9", "t1") == ()


def test_plain_numbers_are_not_looked_for_in_words() -> None:
    """A consultation called 17 is not named by every 17; a long number and a name with other characters are found."""
    register = Register(7)
    for name in ("17", "123456789012", "urn:con:3/4", "Zm9v=="):
        register.learn(name, "t1", "visit-1")
    text = 'at 17:17 <a href="urn:con:3/4">123456789012</a>, then urn:con:3/4. id=Zm9v=='
    assert [name for name, _ in register.consultations_in(text, "t1")] == ["123456789012", "urn:con:3/4", "Zm9v=="]


@given(st.text(max_size=60))
def test_no_text_makes_the_register_fail(text: str) -> None:
    """Whatever a target wrote can be searched."""
    register = Register(7)
    word = register.inscribe(register.enrol("t1", "alice"), 1, 2)
    register.learn("con-1", "t1", "visit-1")
    assert [each.owner for each in register.words(f"{text} {word} {text}")] == ["alice of trial t1"]
    assert ("con-1", None) in register.consultations_in(f"{text} con-1 {text}", "t1")
