"""Stale access: what was shared and revoked, and what was closed for everybody; and whom not to accuse."""

from dataclasses import replace

import pytest

from harness.checks import foreign_media, foreign_text, pushed_foreign, reachable_media, stale_access
from harness.ledger import Action, Entry, Ledger, Outcome
from tests.checks.stories import CAST, Story, canary, declares, item, story, word

PEOPLE = {**CAST, "carol": "carer", "olga": "operator"}
HERS = canary("alice", "visit-1")


def shared(grace_s: float = 0.0) -> Story:
    """Return a trial in which Alice shared a recording of her visit with Carol."""
    new = story(cast=PEOPLE, grace_s=grace_s).holds("alice", "visit-1").records("alice", "visit-1", "rec-1", "rec-2")
    return new.shares("rec-1")


def test_a_carer_sees_what_is_shared() -> None:
    """In her list and by its reference, while it is shared."""
    new = shared().lists("carol", item("rec-1", "con-1")).opens("carol", "rec-1", HERS)
    new.opens("carol", "rec-1", HERS, direct=True)
    assert not [*stale_access(new.ledger()), *foreign_media(new.ledger()), *reachable_media(new.ledger())]


def test_what_is_not_shared_is_foreign() -> None:
    """Another recording of the same visit is none that Carol might ever see."""
    new = shared().opens("carol", "rec-2", HERS, direct=True)
    assert [each.recording for each in reachable_media(new.ledger())] == ["rec-2"]
    assert not stale_access(new.ledger())


def test_what_is_not_yet_shared_is_foreign() -> None:
    """A share counts from the moment at which it may have begun, and not before."""
    new = story(cast=PEOPLE).holds("alice", "visit-1").records("alice", "visit-1", "rec-1")
    new.lists("carol", item("rec-1")).shares("rec-1")
    assert [each.viewer for each in foreign_media(new.ledger())] == ["carol"]
    assert not stale_access(new.ledger())


def test_after_the_revocation_it_is_stale() -> None:
    """Opened once more it is proved, and no other check takes it for foreign."""
    new = (
        shared().opens("carol", "rec-1", HERS, direct=True).revokes("rec-1").opens("carol", "rec-1", HERS, direct=True)
    )
    (finding,) = stale_access(new.ledger())
    assert (finding.viewer, finding.owner, finding.degree) == ("carol", "alice", "proved")
    assert "that was revoked in #" in finding.sentence
    assert not [*foreign_media(new.ledger()), *reachable_media(new.ledger())]


@pytest.mark.parametrize("outcome", [Outcome.INTENT, Outcome.FAIL, Outcome.UNKNOWN])
def test_a_revocation_that_may_not_stand_accuses_nobody(outcome: Outcome) -> None:
    """Only one that was acknowledged has certainly ended the share."""
    new = shared().revokes("rec-1", outcome=outcome).opens("carol", "rec-1", HERS, direct=True)
    assert not stale_access(new.ledger())


def test_asked_before_the_revocation_was_answered() -> None:
    """What began while it was shared may be answered after: they happened at the same moment."""
    new = shared()
    ledger = new.ledger()
    asked = ledger.intend("carol", Action.OPEN, surface="replay-media", recording="rec-1", direct=True)
    new.revokes("rec-1")
    ledger.conclude(asked, Outcome.OK, size=9, sha256="", content={"outcome": "canaries", "canaries": []})
    assert not stale_access(ledger)


def test_revoked_at_the_same_moment() -> None:
    """Of two entries of one moment, such as of two ledgers that were merged, nobody knows which came first."""
    new = shared()
    ledger = new.ledger()
    revoked = ledger.intend("alice", Action.REVOKE, visit="visit-1", recording="rec-1", carer="carol")
    entries = [*ledger, replace(revoked, seq=len(ledger), outcome=Outcome.OK, of=revoked.seq)]
    asked = {"surface": "replay-media", "recording": "rec-1", "direct": True}
    for waited_s, count in ((0.0, 0), (0.5, 1)):
        at_s = revoked.at_s + waited_s
        intent = Entry(len(entries), at_s, "carol", Action.OPEN, Outcome.INTENT, asked)
        data = {**asked, "size": 9, "content": {"outcome": "unreadable", "canaries": []}}
        answer = Entry(len(entries) + 1, at_s, "carol", Action.OPEN, Outcome.OK, data, intent.seq)
        assert len(stale_access(Ledger(entries=[*entries, intent, answer]))) == count


@pytest.mark.parametrize(("passed_s", "count"), [(1.0, 0), (3.0, 1)])
def test_the_targets_grace(passed_s: float, count: int) -> None:
    """What the target states is allowed to it, and not a moment more."""
    new = shared(grace_s=2.0).revokes("rec-1").passes(passed_s).opens("carol", "rec-1", HERS, direct=True)
    assert len(stale_access(new.ledger())) == count


def test_a_share_that_was_refused_gives_nothing() -> None:
    """Then Carol is a stranger, and what she opens is reachable."""
    new = story(cast=PEOPLE).holds("alice", "visit-1").records("alice", "visit-1", "rec-1")
    new.shares("rec-1", outcome=Outcome.FAIL).opens("carol", "rec-1", HERS, direct=True)
    assert not stale_access(new.ledger())
    assert len(reachable_media(new.ledger())) == 1


def test_while_replays_are_closed_nothing_is_shown() -> None:
    """Not even one's own, in a list or by its bytes; a refusal is right, and so is what comes after."""
    new = shared().switches_replays(is_open=False).lists("alice", item("rec-1", "con-1"))
    new.opens("alice", "rec-1", HERS, direct=True).lists("chen", outcome=Outcome.FAIL)
    new.switches_replays(is_open=True).lists("chen", item("rec-1", "con-1"))
    (finding,) = stale_access(new.ledger())
    assert (finding.viewer, finding.degree) == ("alice", "proved")
    assert "replay access was closed for everybody in #" in finding.sentence


@pytest.mark.parametrize("outcome", [Outcome.INTENT, Outcome.FAIL, Outcome.UNKNOWN])
def test_a_switch_that_may_not_have_been_thrown(outcome: Outcome) -> None:
    """Without an acknowledgement nobody is accused."""
    new = shared().switches_replays(is_open=False, outcome=outcome).lists("alice", item("rec-1", "con-1"))
    assert not stale_access(new.ledger())


def test_a_switch_that_may_be_back() -> None:
    """From the moment at which it is thrown back what is shown may be right."""
    new = shared().switches_replays(is_open=False).switches_replays(is_open=True, outcome=Outcome.INTENT)
    assert not stale_access(new.lists("alice", item("rec-1", "con-1")).ledger())


def test_a_revocation_of_another_share_ends_nothing() -> None:
    """Neither another recording's nor another carer's."""
    new = shared().shares("rec-2").shares("rec-1", "dora").revokes("rec-2").revokes("rec-1", "dora")
    assert not stale_access(new.opens("carol", "rec-1", HERS, direct=True).ledger())


def test_the_finding_names_the_revocation_of_what_was_met() -> None:
    """And not the last one of all."""
    new = shared().shares("rec-2").revokes("rec-1").revokes("rec-2").opens("carol", "rec-1", HERS, direct=True)
    ledger = new.ledger()
    (finding,) = stale_access(ledger)
    revoked = next(entry for entry in ledger.of(Action.REVOKE) if entry.data["recording"] == "rec-1")
    assert finding.sentence.endswith(f"; that was revoked in #{revoked.seq}")
    assert revoked.seq in finding.evidence


def test_what_is_shared_anew_is_no_longer_stale() -> None:
    """The last word counts."""
    new = shared().revokes("rec-1").shares("rec-1").opens("carol", "rec-1", HERS, direct=True)
    assert not stale_access(new.ledger())


def test_shared_media_in_another_recording_is_still_shared() -> None:
    """Bytes that were mixed up show a carer what she may see anyhow: a fault, and no leak."""
    new = shared().holds("bob", "visit-2").records("bob", "visit-2", "rec-9")
    new.opens("carol", "rec-2", canary("bob", "visit-2")).opens("carol", "rec-9", HERS)
    assert {each.owner for each in foreign_media(new.ledger())} == {"bob"}
    assert not stale_access(new.ledger())


def test_what_is_listed_read_or_pushed_after_the_revocation_is_stale() -> None:
    """By whichever way it comes, with the way in the finding."""
    note = word("alice", "note", "visit-1")
    new = shared().writes("alice", "note", visit="visit-1")
    new.reads("carol", "inbox", note, refs=("con-1",)).hears("carol", note).lists("carol", item("rec-1"))
    assert not [*stale_access(new.ledger()), *foreign_text(new.ledger()), *pushed_foreign(new.ledger())]
    new.revokes("rec-1")
    new.reads("carol", "inbox", refs=("con-1",)).hears("carol", note).lists("carol", item("rec-1"))
    found = {each.surface: (each.degree, each.sentence.partition(";")[0]) for each in stale_access(new.ledger())}
    assert found == {
        "inbox": ("presented", "carol's inbox showed the visit of alice in visit-1"),
        "live-updates": ("proved", "carol's live updates brought the note that alice wrote in visit-1"),
        "replay-list": ("presented", "carol's replay list held rec-1, video of alice in visit-1"),
    }
    assert not [*foreign_text(new.ledger()), *pushed_foreign(new.ledger()), *foreign_media(new.ledger())]


def closed() -> Story:
    """Return a trial in which replay access was closed for everybody."""
    new = (
        story(cast=PEOPLE, surfaces={"alice": [declares("inbox")]})
        .holds("alice", "visit-1")
        .records("alice", "visit-1", "rec-1")
    )
    return new.writes("alice", "name").writes("alice", "note", visit="visit-1").switches_replays(is_open=False)


def test_a_page_that_is_not_closed_with_replays_may_be_shown() -> None:
    """An inbox, and a search that finds nothing and says for whom, show no replay."""
    name = word("alice", "name")
    assert not stale_access(closed().reads("alice", "inbox", name, refs=("con-1",)).ledger())
    listing = {"surface": "search"}
    texts = [{"value": name, "owner": ""}]
    new = closed().call("alice", Action.LIST, Outcome.OK, listing, items=[], texts=texts, refs=[])
    assert not stale_access(new.ledger())
    listing = {"surface": "inbox"}
    new = closed().call("alice", Action.LIST, Outcome.OK, listing, items=[item("rec-1")])
    assert not stale_access(new.ledger())


def test_a_transcript_while_replays_are_closed_is_stale() -> None:
    """What goes with a replay is closed with it, one's own included."""
    note = word("alice", "note", "visit-1")
    new = closed().opens("alice", "rec-1", surface="transcript", reading="text", words=(note,), size=30)
    (finding,) = stale_access(new.ledger())
    assert (finding.surface, finding.degree) == ("transcript", "proved")


def test_what_was_asked_before_replays_were_closed_is_right() -> None:
    """The answer may have been on its way."""
    new = closed()
    ledger = story(cast=PEOPLE).holds("alice", "visit-1").records("alice", "visit-1", "rec-1").ledger()
    asked = ledger.intend("alice", Action.LIST, surface="replay-list")
    switch = ledger.intend("olga", Action.ACCESS, open=False)
    ledger.conclude(switch, Outcome.OK)
    ledger.conclude(asked, Outcome.OK, items=[item("rec-1")])
    assert not stale_access(ledger)
    assert len(stale_access(new.lists("alice", item("rec-1")).ledger())) == 1
