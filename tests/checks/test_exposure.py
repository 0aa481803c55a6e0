"""Foreign and reachable media: what is found, to what degree, and who must not be accused."""

from __future__ import annotations

import pytest

from harness.checks import foreign_media, reachable_media
from harness.ledger import Action, Outcome
from harness.model import Verdict
from tests.checks.stories import canary, item, sound, story

ALICE, BOB, CHEN = canary("alice", "visit-1"), canary("bob", "visit-2"), canary("chen", "visit-2")
STRANGER = "00000000000000000666"


def test_a_sound_trial_has_no_exposure() -> None:
    """Everybody found their own and was refused the rest: nothing is found."""
    ledger = sound().closed()
    assert foreign_media(ledger) == []
    assert reachable_media(ledger) == []


def test_foreign_media_that_is_only_listed_is_presented() -> None:
    """A foreign id in a list that was never opened is presented, and its owner is the visit's patient."""
    ledger = sound().lists("alice", item("rec-2")).ledger()
    (finding,) = foreign_media(ledger)
    assert finding.check == "foreign-media"
    assert finding.verdict is Verdict.INVALID
    assert (finding.degree, finding.viewer, finding.owner) == ("presented", "alice", "bob")
    assert (finding.surface, finding.recording) == ("replay-list", "rec-2")
    assert finding.evidence == (len(ledger) - 1,)
    assert finding.sentence == "alice's replay list held rec-2, video of bob in visit-2; alice was never in visit-2"


@pytest.mark.parametrize("reading", ["unreadable", "no-canary", "unknown-tag"])
def test_foreign_media_that_cannot_be_read_is_opened(reading: str) -> None:
    """A foreign id whose bytes came, and say nothing of their owner, is opened."""
    ledger = sound().lists("alice", item("rec-2")).opens("alice", "rec-2", reading=reading).ledger()
    (finding,) = foreign_media(ledger)
    assert (finding.degree, finding.owner, finding.verdict) == ("opened", "bob", Verdict.INVALID)
    assert finding.evidence == (len(ledger) - 3, len(ledger) - 1)
    assert "alice's replay list served rec-2" in finding.sentence


def test_a_foreign_id_without_bytes_stays_presented() -> None:
    """An answer of no bytes at all opens nothing."""
    ledger = sound().lists("alice", item("rec-2")).opens("alice", "rec-2", reading="empty", size=0).ledger()
    assert [finding.degree for finding in foreign_media(ledger)] == ["presented"]


def test_foreign_media_that_decodes_to_a_foreign_canary_is_proved() -> None:
    """The proof names the actor who emitted, with the emission, the listing and the opening as evidence."""
    ledger = sound().lists("alice", item("rec-2")).opens("alice", "rec-2", CHEN).ledger()
    (finding,) = foreign_media(ledger)
    assert (finding.degree, finding.viewer, finding.owner) == ("proved", "alice", "chen")
    emitted = next(entry for entry in ledger.of(Action.EMIT) if entry.data["canary"] == CHEN)
    assert finding.evidence == (emitted.seq, len(ledger) - 3, len(ledger) - 1)
    assert finding.sentence == (
        "alice's replay list served video that chen emitted in visit-2; alice was never in visit-2"
    )


@pytest.mark.parametrize("reading", ["canaries", "partial", "unreadable"])
def test_ones_own_id_with_foreign_bytes_is_proved(reading: str) -> None:
    """What is in the media decides, whatever the id claims, and though the rest was not read."""
    new = sound().without(Action.OPEN, "alice", recording="rec-1")
    ledger = new.opens("alice", "rec-1", ALICE, BOB, reading=reading).ledger()
    (finding,) = foreign_media(ledger)
    assert (finding.degree, finding.viewer, finding.owner) == ("proved", "alice", "bob")
    assert finding.recording == "rec-1"
    assert finding.evidence[0] == next(e.seq for e in ledger.of(Action.EMIT) if e.data["canary"] == BOB)


def test_a_foreign_id_with_ones_own_bytes_is_only_presented() -> None:
    """The list is wrong to name it, but nothing of anybody else's was served."""
    ledger = sound().lists("alice", item("rec-2")).opens("alice", "rec-2", ALICE).ledger()
    assert [finding.degree for finding in foreign_media(ledger)] == ["presented"]


def test_a_canary_of_another_trial_is_foreign() -> None:
    """A canary that nobody in this ledger emitted is somebody else's, in the words of the reading."""
    new = sound().without(Action.OPEN, "alice", recording="rec-1")
    (finding,) = foreign_media(new.opens("alice", "rec-1", STRANGER).ledger())
    assert (finding.degree, finding.owner) == ("proved", "eve of trial 0000beef")
    assert finding.sentence.endswith("video that eve of trial 0000beef emitted; alice was never there")


def test_a_consultation_of_another_trial_is_presented() -> None:
    """What the run knows to be booked elsewhere is foreign by its id alone."""
    ledger = sound().lists("alice", item("rec-9", elsewhere="visit-1 of trial 0000beef")).ledger()
    (finding,) = foreign_media(ledger)
    assert (finding.degree, finding.owner, finding.verdict) == (
        "presented",
        "visit-1 of trial 0000beef",
        Verdict.INVALID,
    )


def test_an_unknown_consultation_is_unknown() -> None:
    """Without an owner who is certain there is no accusation, and no innocence either."""
    ledger = sound().lists("alice", item("rec-9"), item("rec-9")).lists("alice", item("rec-9")).ledger()
    (finding,) = foreign_media(ledger)
    assert (finding.verdict, finding.degree, finding.owner) == (Verdict.UNKNOWN, "presented", "")
    assert (finding.viewer, finding.recording, finding.surface) == ("alice", "rec-9", "replay-list")
    assert "con-9" in finding.sentence


def test_an_unknown_consultation_of_another_run_is_proved_by_content() -> None:
    """A stranger's canary turns the doubt into a leak, found once."""
    ledger = sound().lists("alice", item("rec-9")).opens("alice", "rec-9", STRANGER).ledger()
    (finding,) = foreign_media(ledger)
    assert (finding.verdict, finding.degree, finding.owner) == (Verdict.INVALID, "proved", "eve of trial 0000beef")


def test_an_unknown_consultation_with_ones_own_content_is_ones_own() -> None:
    """What was read to be the viewer's own leaves no doubt; what was read in part does."""
    new = sound().lists("alice", item("rec-9")).opens("alice", "rec-9", ALICE)
    assert foreign_media(new.ledger()) == []
    partly = sound().lists("alice", item("rec-9")).opens("alice", "rec-9", ALICE, reading="partial")
    assert [finding.verdict for finding in foreign_media(partly.ledger())] == [Verdict.UNKNOWN]
    silent = sound().lists("alice", item("rec-9")).opens("alice", "rec-9", reading="canaries")
    assert [finding.verdict for finding in foreign_media(silent.ledger())] == [Verdict.UNKNOWN]


def test_a_consultation_tells_of_a_recording_that_nobody_asked_about() -> None:
    """The list's own consultation id is enough to know whose an entry is."""
    ledger = sound().lists("alice", item("rec-7", "con-2")).lists("bob", item("rec-8", "con-2")).ledger()
    assert [(f.viewer, f.owner, f.recording) for f in foreign_media(ledger)] == [("alice", "bob", "rec-7")]


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.UNKNOWN, Outcome.INTENT])
@pytest.mark.parametrize("verb", ["joins", "emits"])
def test_who_may_have_taken_part_is_entitled(verb: str, outcome: Outcome) -> None:
    """A join or an emission that was not definitely refused may have happened."""
    new = sound()
    getattr(new, verb)("alice", "visit-2", outcome)
    ledger = new.lists("alice", item("rec-2")).opens("alice", "rec-2", BOB).opens("alice", "rec-2", BOB, direct=True)
    assert foreign_media(ledger.ledger()) == []
    assert reachable_media(ledger.ledger()) == []


@pytest.mark.parametrize("verb", ["joins", "emits"])
def test_who_was_definitely_refused_is_not_entitled(verb: str) -> None:
    """A refused join or emission gives no part in a consultation."""
    new = sound()
    getattr(new, verb)("alice", "visit-2", Outcome.FAIL)
    assert len(foreign_media(new.lists("alice", item("rec-2")).ledger())) == 1


def test_who_was_refused_first_and_let_in_later_is_entitled() -> None:
    """The refusal of one attempt takes nothing from another."""
    new = sound().joins("alice", "visit-2", Outcome.FAIL).joins("alice", "visit-2").lists("alice", item("rec-2"))
    assert foreign_media(new.ledger()) == []


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.UNKNOWN, Outcome.INTENT])
def test_patient_and_clinician_of_a_booking_are_entitled(outcome: Outcome) -> None:
    """Both parties of a booking that may have happened may see what comes of it."""
    new = story().books("alice", "visit-1", outcome).emits("bob", "visit-1")
    for viewer in ("alice", "chen"):
        new.lists(viewer, item("rec-1")).opens(viewer, "rec-1", canary("bob", "visit-1"))
    assert foreign_media(new.ledger()) == []


def test_a_shared_clinician_sees_both_and_the_patients_only_their_own() -> None:
    """Parties of two visits overlap in the clinician and in nobody else."""
    new = sound().lists("chen", item("rec-1"), item("rec-2")).lists("bob", item("rec-1"))
    assert [(finding.viewer, finding.owner) for finding in foreign_media(new.ledger())] == [("bob", "alice")]


@pytest.mark.parametrize("outcome", [Outcome.INTENT, Outcome.UNKNOWN, Outcome.FAIL])
def test_a_canary_names_its_owner_however_its_emission_ended(outcome: Outcome) -> None:
    """What stands in somebody's replay was emitted, even if the target never said so."""
    new = story().books("alice", "visit-1").books("bob", "visit-2").emits("bob", "visit-2", outcome)
    (finding,) = foreign_media(new.lists("alice", item("rec-1")).opens("alice", "rec-1", BOB).ledger())
    assert (finding.degree, finding.owner) == ("proved", "bob")


def test_a_listing_that_repeats_is_one_finding() -> None:
    """The same entry on several pages and in several lists is one exposure with all the evidence."""
    ledger = sound().lists("alice", item("rec-2"), item("rec-2")).lists("alice", item("rec-2")).ledger()
    (finding,) = foreign_media(ledger)
    assert finding.evidence == (len(ledger) - 3, len(ledger) - 1)


def test_a_long_foreign_list_collapses_to_what_was_opened() -> None:
    """Of a viewer with a proof the entries that were only listed add nothing; other viewers keep theirs."""
    others = [item(f"rec-{n}", elsewhere="visit-1 of trial 0000beef") for n in range(10, 40)]
    new = sound().lists("alice", item("rec-2"), *others).opens("alice", "rec-2", BOB).opens("alice", "rec-10", STRANGER)
    new.opens("alice", "rec-11", reading="unreadable").lists("bob", others[0])
    found = [(finding.viewer, finding.recording, finding.degree) for finding in foreign_media(new.ledger())]
    assert found == [
        ("alice", "rec-2", "proved"),
        ("alice", "rec-10", "proved"),
        ("alice", "rec-11", "opened"),
        ("bob", "rec-10", "presented"),
    ]


def test_a_proof_replaces_what_the_id_claimed() -> None:
    """Listed as Bob's, decoded as a stranger's: the finding says whose it really is."""
    new = sound().lists("alice", item("rec-2")).opens("alice", "rec-2", STRANGER)
    assert [finding.owner for finding in foreign_media(new.ledger())] == ["eve of trial 0000beef"]


def test_a_recording_that_two_visits_claim_accuses_nobody() -> None:
    """An id that the target gave to two visits does not tell whose media it is; the content still does."""
    new = sound().records("alice", "visit-1", "rec-2").lists("bob", item("rec-2"))
    assert foreign_media(new.ledger()) == []
    new.lists("alice", item("rec-2")).opens("alice", "rec-2", BOB)
    assert [(finding.viewer, finding.degree) for finding in foreign_media(new.ledger())] == [("alice", "proved")]


def test_a_consultation_that_two_bookings_share_accuses_nobody() -> None:
    """Two visits with one consultation id cannot be told apart by it."""
    new = story().books("alice", "visit-1", consultation="con-1").books("bob", "visit-2", consultation="con-1")
    found = foreign_media(new.lists("alice", item("rec-1")).lists("bob", item("rec-1")).ledger())
    assert {finding.verdict for finding in found} == {Verdict.UNKNOWN}


def test_what_opens_by_a_direct_reference_is_reachable() -> None:
    """A foreign recording that opens without being listed is opened; it is no finding of the list."""
    ledger = sound().opens("alice", "rec-2", direct=True, reading="unreadable").ledger()
    (finding,) = reachable_media(ledger)
    assert finding.check == "reachable-media"
    assert (finding.verdict, finding.degree) == (Verdict.INVALID, "opened")
    assert (finding.viewer, finding.owner, finding.surface) == ("alice", "bob", "replay-media")
    assert (finding.recording, finding.evidence) == ("rec-2", (len(ledger) - 1,))
    assert finding.sentence == "alice's replay media served rec-2, media of bob in visit-2; alice was never in visit-2"
    assert foreign_media(ledger) == []


@pytest.mark.parametrize(("value", "owner"), [(BOB, "bob"), (CHEN, "chen"), (STRANGER, "eve of trial 0000beef")])
def test_what_opens_directly_and_decodes_is_proved(value: str, owner: str) -> None:
    """Any canary of a consultation in which the viewer had no part proves the exposure."""
    ledger = sound().opens("alice", "rec-2", value, direct=True).ledger()
    (finding,) = reachable_media(ledger)
    assert (finding.degree, finding.owner, finding.recording) == ("proved", owner, "rec-2")
    assert len(finding.evidence) == (1 if value == STRANGER else 2)
    assert foreign_media(ledger) == []


@pytest.mark.parametrize("recording", ["rec-1", "rec-99"])
def test_a_direct_reference_with_foreign_content_is_proved_whatever_its_id(recording: str) -> None:
    """One's own or an unknown id that serves foreign bytes directly is reachable media."""
    ledger = sound().opens("alice", recording, BOB, direct=True).ledger()
    assert [(f.degree, f.owner) for f in reachable_media(ledger)] == [("proved", "bob")]


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.UNKNOWN, Outcome.INTENT])
def test_what_did_not_open_is_not_reachable(outcome: Outcome) -> None:
    """Only bytes that came are an exposure."""
    ledger = sound().opens("alice", "rec-2", direct=True, outcome=outcome).ledger()
    assert reachable_media(ledger) == []


def test_a_foreign_reference_that_serves_ones_own_or_nothing_is_not_reachable() -> None:
    """Nothing of anybody else's came."""
    new = sound().opens("alice", "rec-2", ALICE, direct=True)
    assert reachable_media(new.opens("alice", "rec-2", direct=True, reading="empty", size=0).ledger()) == []


def test_ones_own_opens_while_replays_are_offered() -> None:
    """One's own media is nobody's exposure."""
    new = sound().opens("alice", "rec-1", ALICE, direct=True).opens("alice", "rec-1", reading="unreadable", direct=True)
    assert reachable_media(new.ledger()) == []


def test_with_replays_off_a_refusal_of_everything_is_sound() -> None:
    """The kill switch that refuses list and bytes to all is no exposure."""
    ledger = sound("replays").closed()
    assert foreign_media(ledger) == []
    assert reachable_media(ledger) == []


def test_with_replays_off_a_list_that_shows_ones_own_is_reachable() -> None:
    """Replay access is off for everybody, the owner included."""
    ledger = sound("replays").lists("alice", item("rec-1"), item("rec-2")).ledger()
    (finding,) = reachable_media(ledger)
    assert (finding.degree, finding.viewer, finding.owner) == ("presented", "alice", "alice")
    assert (finding.surface, finding.recording) == ("replay-list", "rec-1")
    assert finding.sentence.endswith("held rec-1, video of alice in visit-1; replay access is off for everybody")
    assert [finding.recording for finding in foreign_media(ledger)] == ["rec-2"]


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize(("canaries", "degree"), [((ALICE,), "proved"), ((), "opened")])
def test_with_replays_off_ones_own_bytes_are_reachable(*, direct: bool, canaries: tuple[str, ...], degree: str) -> None:
    """One's own recording that opens, listed or directly, was not refused."""
    new = sound("replays").opens("alice", "rec-1", *canaries, direct=direct)
    (finding,) = reachable_media(new.ledger())
    assert (finding.degree, finding.viewer, finding.recording) == (degree, "alice", "rec-1")
    assert finding.verdict is Verdict.INVALID


def test_with_replays_off_a_foreign_list_entry_is_the_lists_finding() -> None:
    """A foreign recording opened from a list is foreign-media alone."""
    ledger = sound("replays").lists("alice", item("rec-2")).opens("alice", "rec-2", BOB).ledger()
    assert [finding.degree for finding in foreign_media(ledger)] == ["proved"]
    assert reachable_media(ledger) == []


def test_a_reference_from_its_owners_list_alone_is_known() -> None:
    """What opens directly need not be readable to be Alice's, if her own list says so."""
    new = sound().lists("alice", item("rec-7", "con-1")).opens("bob", "rec-7", direct=True, reading="unreadable")
    (finding,) = reachable_media(new.ledger())
    assert (finding.degree, finding.viewer, finding.owner, finding.recording) == ("opened", "bob", "alice", "rec-7")


def test_a_reference_of_which_two_lists_disagree_accuses_nobody_by_its_id() -> None:
    """One of the two is wrong, and nobody knows which; the content still tells."""
    new = sound().lists("alice", item("rec-7", "con-1")).lists("bob", item("rec-7", "con-2"))
    new.opens("bob", "rec-7", direct=True, reading="unreadable").opens(
        "alice", "rec-7", direct=True, reading="no-canary"
    )
    assert reachable_media(new.ledger()) == []
    new.opens("bob", "rec-7", ALICE, direct=True)
    assert [finding.degree for finding in reachable_media(new.ledger())] == ["proved"]


@pytest.mark.parametrize("surface", ["search", "portal-recordings"])
def test_a_list_of_any_surface_is_judged(surface: str) -> None:
    """Whatever shows recordings may show somebody else's; it names no other trial, and has no bytes of its own."""
    row = {"recording": "rec-2", "consultation": "con-2", "medium": "audio"}
    new = sound().call("alice", Action.LIST, Outcome.OK, {"surface": surface}, items=[row])
    (finding,) = foreign_media(new.ledger())
    assert (finding.degree, finding.surface, finding.owner) == ("presented", surface, "bob")


def test_an_export_is_judged_by_what_is_in_it() -> None:
    """One's own is nobody's business; with somebody else's media in it, it is a leak without a recording's id."""
    assert foreign_media(sound().opens("alice", "", ALICE, surface="export").ledger()) == []
    (finding,) = foreign_media(sound().opens("alice", "", ALICE, BOB, surface="export").ledger())
    assert (finding.degree, finding.surface, finding.owner, finding.recording) == ("proved", "export", "bob", "")


def test_words_that_come_by_a_strangers_reference_are_reachable() -> None:
    """A page of words about a recording is served to those who may see it, and to nobody else."""
    new = sound().opens("bob", "rec-1", direct=True, surface="detail", reading="text", size=40)
    (finding,) = reachable_media(new.ledger())
    assert (finding.degree, finding.surface, finding.owner) == ("opened", "detail", "alice")
    refused = sound().opens("bob", "rec-1", direct=True, surface="detail", outcome=Outcome.FAIL)
    assert reachable_media(refused.ledger()) == []


def test_nobody_reaches_anything() -> None:
    """Who is not signed in has no part in any consultation."""
    (finding,) = reachable_media(sound().opens("nobody", "rec-1", ALICE, direct=True).ledger())
    assert (finding.viewer, finding.degree) == ("nobody", "proved")


def test_who_takes_over_is_entitled_from_then_on() -> None:
    """What Dora was shown before the hand-over was not hers; what after, is; and by what may have been, too."""
    for outcome, count in ((Outcome.OK, 0), (Outcome.UNKNOWN, 0), (Outcome.INTENT, 0), (Outcome.FAIL, 1)):
        new = sound().hands_over("visit-1", "dora", outcome).lists("dora", item("rec-1"))
        assert len(foreign_media(new.ledger())) == count
    early = sound().lists("dora", item("rec-1")).hands_over("visit-1", "dora")
    assert [finding.viewer for finding in foreign_media(early.ledger())] == ["dora"]
