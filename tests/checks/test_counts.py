"""Count mismatch: a badge may count late, never somebody else's."""

from __future__ import annotations

import pytest

from harness.checks import count_mismatch
from harness.ledger import Action, Outcome
from harness.model import Verdict
from tests.checks.stories import Story, item, sound, story


def badged(badge: int | None, *, recorded: Outcome = Outcome.OK) -> Story:
    """Return a trial in which Alice, who has one recording, was shown a badge; Bob has two."""
    told = story().holds("alice", "visit-1").holds("bob", "visit-2").told()
    told = told.records("alice", "visit-1", "rec-1", outcome=recorded).records("bob", "visit-2", "rec-2", "rec-3")
    asked = {"surface": "replay-list"}
    return told.call("alice", Action.LIST, Outcome.OK, asked, items=[item("rec-1")], badge=badge)


@pytest.mark.parametrize("badge", [None, 0, 1])
def test_a_badge_of_ones_own_or_fewer_is_no_mismatch(badge: int | None) -> None:
    """Recordings appear late, and a list without a badge counts nothing."""
    assert count_mismatch(badged(badge).ledger()) == []


def test_a_badge_that_counts_more_than_may_be_seen_is_a_mismatch() -> None:
    """It counts Bob's two as well."""
    ledger = badged(3).ledger()
    (finding,) = count_mismatch(ledger)
    assert (finding.verdict, finding.viewer, finding.surface) == (Verdict.INVALID, "alice", "badge")
    assert finding.sentence == (
        "alice's badge counted 3 replays, of which alice may see 1: the others are somebody else's"
    )
    assert ledger[finding.evidence[0]].action is Action.LIST


def test_a_user_whose_recordings_are_not_known_is_not_judged() -> None:
    """The target did not say what was recorded in Alice's visit: nobody knows how many are hers."""
    assert count_mismatch(badged(3, recorded=Outcome.UNKNOWN).ledger()) == []


def test_a_story_that_asked_early_accuses_nobody() -> None:
    """Alice's visit had one recording then, and the last question had no answer: what is hers is not known."""
    told = badged(2).records("alice", "visit-1", outcome=Outcome.UNKNOWN)
    assert count_mismatch(told.ledger()) == []
    assert count_mismatch(told.records("alice", "visit-1", "rec-1", "rec-4").ledger()) == []


def test_who_took_part_with_several_may_count_all_of_theirs() -> None:
    """Chen held both visits: three recordings are hers to count, and no fourth."""
    for badge, findings in ((3, 0), (4, 1)):
        told = badged(1).call(
            "chen", Action.LIST, Outcome.OK, {"surface": "replay-list"}, items=[item("rec-1")], badge=badge
        )
        assert len(count_mismatch(told.ledger())) == findings


def test_a_sound_trial_has_none() -> None:
    """A driver that was shown no badge leaves nothing to judge."""
    assert count_mismatch(sound().closed()) == []


def test_a_total_is_judged_as_a_badge_is() -> None:
    """What the list says of itself may not count somebody else's either."""
    asked = {"surface": "replay-list"}
    told = badged(1).call("alice", Action.LIST, Outcome.OK, asked, items=[item("rec-1")], badge=1, total=2)
    (finding,) = count_mismatch(told.ledger())
    assert (finding.verdict, finding.surface) == (Verdict.INVALID, "replay-list")


def test_a_badge_without_an_answer_leaves_the_trial_unknown_and_the_list_judged() -> None:
    """The target was asked and was silent: the list beside it stands in the ledger all the same."""
    asked = {"surface": "replay-list"}
    told = badged(1).call("alice", Action.LIST, Outcome.OK, asked, items=[item("rec-1")], unanswered="503")
    (finding,) = count_mismatch(told.ledger())
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.sentence == "what alice is shown beside the list had no answer: 503"


def test_what_is_shared_is_counted_for_its_carer() -> None:
    """As long as it is shared, and only while it is known how many there are."""
    asked = {"surface": "search"}
    for recorded, number, findings in ((Outcome.OK, 1, 0), (Outcome.OK, 2, 1), (Outcome.UNKNOWN, 2, 0)):
        told = badged(1, recorded=recorded).shares("rec-1")
        told.call("carol", Action.LIST, Outcome.OK, asked, items=[item("rec-1")], total=number)
        found = count_mismatch(told.ledger())
        assert len(found) == findings
        assert not findings or found[0].sentence.startswith("carol's search said that it has 2 replays")
    told = badged(1).shares("rec-1").revokes("rec-1")
    told.call("carol", Action.LIST, Outcome.OK, asked, items=[], total=1)
    assert len(count_mismatch(told.ledger())) == 1
