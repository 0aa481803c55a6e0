"""Provenance: who took part, whose media is whose, and what an id may be believed to say."""

from __future__ import annotations

import pytest

from harness.ledger import Action, Entry, Ledger, Outcome
from harness.provenance import derive, missing_from
from tests.checks.stories import CAST, canary, sound, story

MAYBE = [Outcome.INTENT, Outcome.UNKNOWN, Outcome.OK]


def test_the_facts_of_a_sound_trial() -> None:
    """Cast, parties, ids and emissions are read as the calls left them."""
    facts = derive(sound("switch-to-video").ledger())
    assert facts.cast == CAST
    assert facts.not_offered == {"switch-to-video"}
    assert facts.replays_offered
    assert {name: (visit.patient, visit.parties) for name, visit in facts.visits.items()} == {
        "visit-1": ("alice", {"alice", "chen"}),
        "visit-2": ("bob", {"bob", "chen"}),
    }
    assert facts.visit_of_consultation == {"con-1": "visit-1", "con-2": "visit-2"}
    assert facts.visit_of_recording == {"rec-1": "visit-1", "rec-2": "visit-2"}
    assert facts.contested == {}
    assert {(e.actor, e.visit, e.is_certain) for e in facts.emissions.values()} == {
        (actor, visit, True)
        for visit, patient in (("visit-1", "alice"), ("visit-2", "bob"))
        for actor in (patient, "chen")
    }


def test_a_ledger_of_nothing_has_no_facts() -> None:
    """A trial that never began has neither cast nor visits."""
    facts = derive(Ledger())
    assert (facts.cast, facts.visits, facts.emissions) == ({}, {}, {})
    assert not facts.may_see("alice", "visit-1")


def test_replays_may_be_taken_from_everybody() -> None:
    """A combination that does not offer replays says so in the trial's first entry."""
    assert not derive(sound("replays").ledger()).replays_offered


@pytest.mark.parametrize("outcome", MAYBE)
def test_what_may_have_happened_gives_a_part(outcome: Outcome) -> None:
    """A booking, a join and an emission count unless they were definitely refused."""
    facts = derive(story().books("alice", "visit-1", outcome).ledger())
    assert facts.visits["visit-1"].parties == {"alice", "chen"}
    for verb in ("joins", "emits"):
        new = story().books("alice", "visit-1")
        getattr(new, verb)("bob", "visit-1", outcome)
        assert derive(new.ledger()).may_see("bob", "visit-1")


def test_what_was_refused_gives_no_part() -> None:
    """A definite refusal is believed."""
    new = story().books("alice", "visit-1").joins("bob", "visit-1", Outcome.FAIL).emits("bob", "visit-1", Outcome.FAIL)
    assert not derive(new.ledger()).may_see("bob", "visit-1")
    assert derive(story().books("alice", "visit-1", Outcome.FAIL).ledger()).visits == {}


def test_a_part_in_a_visit_whose_booking_was_refused_still_counts() -> None:
    """A target that contradicts itself does not bring the oracle down."""
    new = story().books("alice", "visit-1", Outcome.FAIL).joins("bob", "visit-1")
    assert derive(new.ledger()).may_see("bob", "visit-1")


@pytest.mark.parametrize("outcome", [Outcome.INTENT, Outcome.UNKNOWN, Outcome.FAIL])
def test_an_emission_is_certain_once_it_was_acknowledged(outcome: Outcome) -> None:
    """It is certain by any one acknowledgement, and by nothing else."""
    value = int(canary("alice", "visit-1"))
    assert not derive(story().emits("alice", "visit-1", outcome).ledger()).emissions[value].is_certain
    twice = story().emits("alice", "visit-1").emits("alice", "visit-1", outcome)
    assert derive(twice.ledger()).emissions[value].is_certain
    assert derive(twice.ledger()).emissions[value].entry.seq == 2


def test_a_recording_is_known_by_its_own_id_before_its_consultation() -> None:
    """The list's word for the consultation counts only for a recording that is not known otherwise."""
    facts = derive(sound().ledger())
    assert facts.visit_of("rec-1", "con-2") == "visit-1"
    assert facts.visit_of("rec-9", "con-2") == "visit-2"
    assert facts.visit_of("rec-9", "con-9") is None
    assert facts.visit_of("rec-9") is None


def test_an_id_of_two_visits_says_nothing() -> None:
    """What the target gave twice is contested, and left out of what ids tell."""
    new = sound().records("alice", "visit-1", "rec-1", "rec-2").books("bob", "visit-3", consultation="con-2")
    facts = derive(new.ledger())
    assert facts.visit_of_recording == {"rec-1": "visit-1"}
    assert facts.visit_of_consultation == {"con-1": "visit-1"}
    assert facts.contested == {
        "consultation con-2": frozenset({"visit-2", "visit-3"}),
        "recording rec-2": frozenset({"visit-1", "visit-2"}),
    }


def test_an_id_may_be_told_twice_of_one_visit() -> None:
    """The same answer again contests nothing."""
    assert derive(sound().records("alice", "visit-1", "rec-1").ledger()).contested == {}


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.TRIAL])
def test_an_entry_without_its_data_lacks_it(action: Action) -> None:
    """Of an entry without data, the names that the checks cannot do without are told; a refusal needs fewer."""
    lacking = [missing_from(Entry(0, 0.0, "alice", action, outcome)) for outcome in (Outcome.OK, Outcome.FAIL)]
    told = {
        Action.EVIDENCE: (set(), set()),
        Action.ENROL: (set(), set()),
        Action.FLAGS: ({"wanted", "differences"}, set()),
        Action.BOOK: ({"visit", "clinician", "consultation"}, {"visit", "clinician"}),
        Action.SWITCH: ({"visit", "medium"},) * 2,
        Action.EMIT: ({"visit", "medium", "canary"},) * 2,
        Action.HAND_OVER: ({"visit", "clinician"},) * 2,
        Action.WRITE: ({"what", "canary", "visit", "to"},) * 2,
        Action.SHARE: ({"visit", "recording", "carer"},) * 2,
        Action.REVOKE: ({"visit", "recording", "carer"},) * 2,
        Action.CHOOSE: ({"pharmacist"},) * 2,
        Action.ACCESS: ({"open"},) * 2,
        Action.LISTEN: (set(), set()),
        Action.HEAR: ({"surface", "texts", "refs"}, set()),
        Action.READ: ({"surface", "about", "texts", "refs"}, {"surface", "about"}),
        Action.STORY: (set(), {"error", "assertion"}),
        Action.RECORDINGS: ({"visit", "items"}, {"visit"}),
        Action.LIST: ({"surface", "items"}, {"surface"}),
        Action.OPEN: ({"surface", "recording", "direct", "content"}, {"surface", "recording", "direct"}),
    }
    assert [set(names) for names in lacking] == list(told.get(action, ({"visit"}, {"visit"})))
