"""Entitlement: generous to whom something may have happened, and a function of the moment."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.entitlement import Item, closed_by, default, may_be_closed, policy_of, standing
from harness.errors import UsageError
from harness.ledger import NOBODY, Action, Ledger, Outcome
from tests.checks.stories import CAST, Story, story

PEOPLE = {**CAST, "dana": "clinician", "carol": "carer", "olga": "operator", "pia": "pharmacist"}
GRANTING: dict[str, Callable[[Story, Outcome], Story]] = {
    "join": lambda new, outcome: new.joins("dana", "visit-1", outcome),
    "emit": lambda new, outcome: new.emits("dana", "visit-1", outcome),
    "hand-over": lambda new, outcome: new.hands_over("visit-1", "dana", outcome),
    "book": lambda new, outcome: new.books("dana", "visit-1", outcome),
}


def handed_on(viewer: str, item: Item, ledger: Ledger) -> bool:
    """Judge as the default does."""
    return default(viewer, item, ledger)


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
    """By a model of two lines: only a revocation closes, if it and all shares before it are acknowledged."""
    new = story(cast=PEOPLE).holds("alice", "visit-1")
    certain = pending = was_open = False
    for deed, outcome in deeds:
        if deed == "share":
            new.shares("rec-1", outcome=outcome)
            certain = certain or outcome is Outcome.OK
            pending = pending or outcome in (Outcome.INTENT, Outcome.UNKNOWN)
        else:
            new.revokes("rec-1", outcome=outcome)
            certain = certain and outcome is not Outcome.OK
        was_open = was_open or certain or pending
    is_open = certain or pending
    ledger = new.ledger()
    expected = "entitled" if is_open else "earlier" if was_open else "never"
    assert standing("carol", media(ledger, "rec-1"), ledger) == expected
    assert standing("carol", media(ledger, "rec-2"), ledger) == "never"
    # A policy that hands on to the default is asked at every moment, the default at those of shares alone.
    opening, *rest = ledger
    named = replace(opening, data={**opening.data, "policy": f"{__name__}:handed_on"})
    whole = Ledger(entries=[named, *rest])
    assert standing("carol", media(whole, "rec-1"), whole) == expected


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
    new = story(cast=PEOPLE).switches_replays(is_open=False)
    now = len(new.ledger())
    assert closed_by(new.ledger(), now, now) is not None
    new.switches_replays(is_open=True)
    now = len(new.ledger())
    assert (closed_by(new.ledger(), now, now), may_be_closed(new.ledger(), now, now)) == (None, False)


@pytest.mark.parametrize("outcome", [Outcome.INTENT, Outcome.UNKNOWN, Outcome.OK, Outcome.FAIL])
def test_a_switch_that_overlaps_another_settles_nothing(outcome: Outcome) -> None:
    """Which of two came last is not known unless one was over before the other began; a refused one never came."""
    for first, second in ((False, True), (True, False)):
        new = story(cast=PEOPLE)
        ledger = new.ledger()
        under_way = ledger.intend("olga", Action.ACCESS, open=first)
        new.switches_replays(is_open=second)
        if outcome is not Outcome.INTENT:
            ledger.conclude(under_way, outcome)
        now = len(ledger)
        settled = (closed_by(ledger, now, now) is not None, may_be_closed(ledger, now, now))
        refused = (False, False) if second else (True, True)
        assert settled == (refused if outcome is Outcome.FAIL else (False, True))


def test_replays_that_were_closed_twice_are_closed_since_the_first_time() -> None:
    """The grace counts from then."""
    new = story(cast=PEOPLE, grace_s=2.0).switches_replays(is_open=False).passes(3.0).switches_replays(is_open=False)
    now = len(new.proves("alice").ledger()) - 2
    closed = closed_by(new.ledger(), now, now)
    assert closed is not None
    assert closed.seq == 2


def test_a_share_under_way_may_come_after_its_revocation() -> None:
    """A share that was not answered when it was revoked may stand again; one that was, does not."""
    new = story(cast=PEOPLE).holds("alice", "visit-1")
    ledger = new.ledger()
    share = ledger.intend("alice", Action.SHARE, visit="visit-1", recording="rec-1", carer="carol")
    new.revokes("rec-1")
    ledger.conclude(share, Outcome.OK)
    assert standing("carol", media(ledger, "rec-1"), ledger) == "entitled"
    new.revokes("rec-1")
    assert standing("carol", media(ledger, "rec-1"), ledger) == "earlier"


def test_a_carer_who_took_part_learns_no_strangers_name() -> None:
    """A share makes its carer and those of its visit known to each other, and nobody else."""
    new = story(cast=PEOPLE).holds("alice", "visit-1").holds("bob", "visit-2").shares("rec-1").joins("carol", "visit-1")
    ledger = new.ledger()
    known = {
        (viewer, owner)
        for viewer in ("alice", "bob", "carol")
        for owner in ("alice", "bob", "carol")
        if default(viewer, Item("name", owner, asked=len(ledger), met=len(ledger)), ledger)
    }
    assert {pair for pair in known if pair[0] != pair[1]} == {("alice", "carol"), ("carol", "alice")}


def test_the_name_of_who_shares_is_known_whatever_the_visit() -> None:
    """A recording of none of the story's visits may be shared, too."""
    new = story(cast=PEOPLE)
    new.call("bob", Action.SHARE, Outcome.OK, {"visit": "", "recording": "rec-9", "carer": "carol"})
    assert default("carol", Item("name", "bob", asked=9, met=9), new.ledger())
    assert not default("carol", Item("name", "alice", asked=9, met=9), new.ledger())


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_prescription_that_was_refused_tells_its_pharmacist_nothing(outcome: Outcome) -> None:
    """Neither whom it was for nor that there was a visit; one that may have been sent tells both, from then on."""
    new = story(cast=PEOPLE).holds("alice", "visit-1")
    before = len(new.ledger())
    new.writes("chen", "prescription", visit="visit-1", to=("pia",), outcome=outcome)
    ledger = new.ledger()
    for kind in ("name", "visit"):
        assert not default("pia", Item(kind, "alice", "visit-1", asked=before, met=before), ledger)
        may_see = default("pia", Item(kind, "alice", "visit-1", asked=len(ledger), met=len(ledger)), ledger)
        assert may_see is (outcome is not Outcome.FAIL)


def test_what_a_policy_takes_back_at_any_deed_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target may let recordings be seen between two calls alone: what changed between them is not forgotten."""
    module = types.ModuleType("ours_policy")

    def between_calls(_viewer: str, item: Item, ledger: Ledger) -> bool:
        return sum(entry.seq < item.asked for entry in ledger.of(Action.END)) == 1

    monkeypatch.setattr(module, "between_calls", between_calls, raising=False)
    monkeypatch.setitem(sys.modules, "ours_policy", module)
    new = story(policy="ours_policy:between_calls").holds("alice", "visit-1")
    assert standing("chen", media(new.ledger()), new.ledger()) == "entitled"
    new.ends("visit-2")
    assert standing("chen", media(new.ledger()), new.ledger()) == "earlier"


@pytest.mark.parametrize("name", [":default", "..entitlement:default", "harness.entitlement", "harness.entitlement:"])
def test_a_policy_that_is_no_name_is_told(name: str) -> None:
    """An author's slip is an author's error, not the harness's."""
    with pytest.raises(UsageError, match="the target's policy "):
        policy_of(story(policy=name).ledger())


def test_own_media_is_always_ones_own() -> None:
    """Whatever else the ledger says."""
    ledger = story(cast=PEOPLE).emits("bob", "visit-9", Outcome.INTENT).ledger()
    assert default("bob", Item("media", "bob", "visit-9", asked=9, met=9), ledger)
