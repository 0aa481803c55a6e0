"""Entitlement: generous to whom something may have happened, and a function of the moment."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.entitlement import Item, closed_by, default, may_be_closed, policy_of, standing
from harness.errors import UsageError
from harness.ledger import NOBODY, Ledger, Outcome
from tests.checks.stories import CAST, Story, story

PEOPLE = {**CAST, "dana": "clinician", "carol": "carer", "olga": "operator"}
GRANTING: dict[str, Callable[[Story, Outcome], Story]] = {
    "join": lambda new, outcome: new.joins("dana", "visit-1", outcome),
    "emit": lambda new, outcome: new.emits("dana", "visit-1", outcome),
    "hand-over": lambda new, outcome: new.hands_over("visit-1", "dana", outcome),
    "book": lambda new, outcome: new.books("dana", "visit-1", outcome),
}


def media(ledger: Ledger, recording: str = "") -> Item:
    """Return Alice's media of her visit, met now."""
    return Item("media", "alice", "visit-1", recording, asked=len(ledger), met=len(ledger))


@given(
    st.lists(st.tuples(st.sampled_from(sorted(GRANTING)), st.sampled_from([*Outcome])), max_size=4),
    st.sampled_from(sorted(GRANTING)),
    st.sampled_from([Outcome.INTENT, Outcome.UNKNOWN, Outcome.OK]),
)
def test_what_may_have_happened_never_makes_a_stranger(
    before: list[tuple[str, Outcome]], how: str, outcome: Outcome
) -> None:
    """Whatever went before: who may have come to take part is entitled, and stays so whatever is refused after."""
    new = story(cast=PEOPLE).holds("alice", "visit-1")
    for deed, ended in before:
        GRANTING[deed](new, ended)
    GRANTING[how](new, outcome)
    for deed in GRANTING:
        GRANTING[deed](new, Outcome.FAIL)
        assert default("dana", media(new.ledger()), new.ledger())


@given(st.lists(st.sampled_from(sorted(GRANTING)), max_size=6))
def test_what_was_refused_gives_nothing(refused: list[str]) -> None:
    """However often somebody is definitely refused, they remain a stranger."""
    new = story(cast=PEOPLE).holds("alice", "visit-1")
    for deed in refused:
        GRANTING[deed](new, Outcome.FAIL)
    assert standing("dana", media(new.ledger()), new.ledger()) == "never"


@given(
    st.lists(
        st.tuples(st.sampled_from(["share", "revoke"]), st.sampled_from([*Outcome])),
        max_size=8,
    )
)
def test_a_share_lasts_until_its_end_is_acknowledged(deeds: list[tuple[str, Outcome]]) -> None:
    """By a model of two lines: a share that may stand opens, only an acknowledged revocation after it closes."""
    new = story(cast=PEOPLE).holds("alice", "visit-1")
    is_open = was_open = False
    for deed, outcome in deeds:
        if deed == "share":
            new.shares("rec-1", outcome=outcome)
            is_open = is_open or outcome is not Outcome.FAIL
        else:
            new.revokes("rec-1", outcome=outcome)
            is_open = is_open and outcome is not Outcome.OK
        was_open = was_open or is_open
    ledger = new.ledger()
    expected = "entitled" if is_open else "earlier" if was_open else "never"
    assert standing("carol", media(ledger, "rec-1"), ledger) == expected
    assert standing("carol", media(ledger, "rec-2"), ledger) == "never"


def test_a_part_begins_when_it_may_have_begun() -> None:
    """What was met before somebody can have come was not theirs to see."""
    new = story(cast=PEOPLE).holds("alice", "visit-1")
    before = media(new.ledger())
    new.joins("dana", "visit-1")
    assert standing("dana", before, new.ledger()) == "never"
    assert standing("dana", media(new.ledger()), new.ledger()) == "entitled"


def test_nobody_may_see_anything() -> None:
    """Who is not signed in is entitled to a clinician's name at most."""
    ledger = story(cast=PEOPLE).holds("alice", "visit-1").ledger()
    assert not default(NOBODY, media(ledger), ledger)
    assert not default(NOBODY, Item("name", "alice", asked=9, met=9), ledger)
    assert default(NOBODY, Item("name", "chen", asked=9, met=9), ledger)


def test_a_target_has_a_policy_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger names it, so that a stored run is judged by it; a wrong name is told with the nearest right one."""
    module = types.ModuleType("ours_policy")
    monkeypatch.setattr(module, "open_house", lambda *_: True, raising=False)
    monkeypatch.setitem(sys.modules, "ours_policy", module)
    ledger = story(policy="ours_policy:open_house").holds("alice", "visit-1").ledger()
    assert standing("bob", media(ledger), ledger) == "entitled"
    with pytest.raises(UsageError, match="has no function 'open_hose'; did you mean 'open_house'"):
        policy_of(story(policy="ours_policy:open_hose").ledger())
    with pytest.raises(UsageError, match="no_such_policy:any cannot be imported"):
        policy_of(story(policy="no_such_policy:any").ledger())


def test_replays_are_closed_for_certain_or_perhaps() -> None:
    """Between a switch that was asked for and its acknowledgement both are possible."""
    new = story(cast=PEOPLE)
    now = len(new.ledger())
    assert (closed_by(new.ledger(), now, now), may_be_closed(new.ledger(), now, now)) == (None, False)
    new.switches_replays(is_open=False, outcome=Outcome.INTENT)
    now = len(new.ledger())
    assert (closed_by(new.ledger(), now, now), may_be_closed(new.ledger(), now, now)) == (None, True)
    new.switches_replays(is_open=False)
    now = len(new.ledger())
    assert closed_by(new.ledger(), now, now) is not None
    new.switches_replays(is_open=True)
    now = len(new.ledger())
    assert (closed_by(new.ledger(), now, now), may_be_closed(new.ledger(), now, now)) == (None, False)


def test_own_media_is_always_ones_own() -> None:
    """Whatever else the ledger says."""
    ledger = story(cast=PEOPLE).emits("bob", "visit-9", Outcome.INTENT).ledger()
    assert default("bob", Item("media", "bob", "visit-9", asked=9, met=9), ledger)
