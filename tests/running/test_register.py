"""The register tells the actors and consultations of a run apart, and from those of other runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.canary import RUN_BITS, USER_BITS, Canary
from harness.errors import HarnessError
from harness.running import register as module
from harness.running.register import MAX_CAST, Register


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
