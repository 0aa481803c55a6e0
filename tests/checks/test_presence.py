"""Missing media and vacuous trials: the positive beside every negative."""

from __future__ import annotations

import sys
import types

import pytest

from harness.checks import missing_media, phantom_media, vacuous
from harness.ledger import Action, Ledger, Outcome
from harness.model import Verdict
from tests.checks.stories import Story, Surfaces, canary, declares, item, sound, story, word

ALICE, CHEN = canary("alice", "visit-1"), canary("chen", "visit-1")


def missed(ledger: Ledger) -> list[tuple[str, str, Verdict]]:
    """Return viewer, owner and verdict of each missing-media finding."""
    return [(finding.viewer, finding.owner, finding.verdict) for finding in missing_media(ledger)]


@pytest.mark.parametrize("not_offered", [(), ("replays",)])
def test_a_sound_trial_lacks_nothing(not_offered: tuple[str, ...]) -> None:
    """All was found, or all was rightly refused: neither check has anything to say."""
    ledger = sound(*not_offered).closed()
    assert missing_media(ledger) == []
    assert vacuous(ledger) == []


def test_an_emission_that_its_party_does_not_find_is_missing() -> None:
    """Who took part and does not find what was acknowledged there misses it, whoever emitted it."""
    new = sound().without(Action.OPEN, "alice", recording="rec-1").opens("alice", "rec-1", ALICE)
    (finding,) = missing_media(new.ledger())
    assert (finding.check, finding.verdict) == ("missing-media", Verdict.INVALID)
    assert (finding.viewer, finding.owner, finding.surface) == ("alice", "chen", "replay-list")
    emitted = next(e for e in new.ledger().of(Action.EMIT) if e.data["canary"] == CHEN)
    assert finding.evidence == (emitted.seq,)
    assert finding.sentence == "alice took part in visit-1 but did not find the video that chen emitted there"


def test_a_list_without_ones_own_recording_misses_all_of_it() -> None:
    """An empty list leaves everything of an ended consultation missing."""
    new = sound().without(Action.LIST, "alice").without(Action.OPEN, "alice").lists("alice")
    assert missed(new.ledger()) == [("alice", "alice", Verdict.INVALID), ("alice", "chen", Verdict.INVALID)]


def test_a_listed_recording_that_is_refused_is_missing() -> None:
    """One's own entry that does not open is as good as none."""
    new = sound().without(Action.OPEN, "alice", recording="rec-1").opens("alice", "rec-1", outcome=Outcome.FAIL)
    assert len(missed(new.ledger())) == 2


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.INTENT])
def test_a_recording_whose_opening_had_no_answer_is_not_called_missing(outcome: Outcome) -> None:
    """What was not answered may hold what is sought: the question stays open, and nobody is accused."""
    new = sound().without(Action.OPEN, "alice", recording="rec-1").opens("alice", "rec-1", outcome=outcome)
    assert missing_media(new.ledger()) == []


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.INTENT])
def test_a_last_list_that_had_no_answer_leaves_nothing_missing(outcome: Outcome) -> None:
    """An earlier, still empty list does not stand in for the one that was not answered."""
    new = sound().without(Action.LIST, "alice").without(Action.OPEN, "alice").lists("alice")
    assert missing_media(new.lists("alice", outcome=outcome).ledger()) == []


def test_a_list_from_before_the_end_is_not_expected_to_hold_the_recording() -> None:
    """Only what had ended when the list was asked for must stand in it."""
    new = story().books("alice", "visit-1").joins("alice", "visit-1").emits("alice", "visit-1").lists("alice")
    assert missing_media(new.ends("visit-1").ledger()) == []
    assert missed(new.lists("alice").ledger()) == [("alice", "alice", Verdict.INVALID)]


@pytest.mark.parametrize("outcome", [Outcome.INTENT, Outcome.UNKNOWN, Outcome.FAIL])
@pytest.mark.parametrize("verb", ["joins", "emits"])
def test_only_what_is_certain_is_expected(verb: str, outcome: Outcome) -> None:
    """An emission or a part in the call that may not have been is not missed."""
    outcomes = {"joins": Outcome.OK, "emits": Outcome.OK, verb: outcome}
    new = story().books("alice", "visit-1").joins("alice", "visit-1", outcomes["joins"])
    new.emits("alice", "visit-1", outcomes["emits"]).ends("visit-1").lists("alice")
    assert missing_media(new.ledger()) == []


@pytest.mark.parametrize("again", [Outcome.INTENT, Outcome.UNKNOWN, Outcome.FAIL])
def test_a_canary_that_was_acknowledged_once_is_expected(again: Outcome) -> None:
    """The same canary sent again, without success, takes nothing from the first."""
    new = story().books("alice", "visit-1").joins("alice", "visit-1").emits("alice", "visit-1")
    new.emits("alice", "visit-1", again).ends("visit-1").lists("alice")
    assert missed(new.ledger()) == [("alice", "alice", Verdict.INVALID)]


@pytest.mark.parametrize("outcome", [Outcome.INTENT, Outcome.UNKNOWN, Outcome.FAIL])
def test_a_consultation_that_did_not_end_is_not_expected(outcome: Outcome) -> None:
    """Recordings of a call that may still run need not be there."""
    new = story().books("alice", "visit-1").joins("alice", "visit-1").emits("alice", "visit-1")
    assert missing_media(new.ends("visit-1", outcome).lists("alice").ledger()) == []


@pytest.mark.parametrize("reading", ["unreadable", "partial", "no-canary", "unknown-tag"])
def test_ones_own_media_that_cannot_be_read_is_unknown(reading: str) -> None:
    """The harness cannot say whose it is: neither found nor missing."""
    new = sound().without(Action.OPEN, "alice", recording="rec-1").opens("alice", "rec-1", reading=reading)
    (finding,) = missing_media(new.ledger())
    assert (finding.verdict, finding.viewer, finding.recording) == (Verdict.UNKNOWN, "alice", "rec-1")
    assert (finding.surface, finding.owner) == ("replay-list", "")
    assert finding.evidence == (len(new.ledger()) - 1,)
    assert finding.sentence.endswith(f"could not be read: {reading}")


def test_a_list_that_is_refused_although_offered_is_missing() -> None:
    """Replays that a combination offers must not be refused."""
    new = sound().without(Action.LIST, "alice").without(Action.OPEN, "alice").lists("alice", outcome=Outcome.FAIL)
    (finding,) = missing_media(new.ledger())
    assert (finding.verdict, finding.viewer, finding.owner) == (Verdict.INVALID, "alice", "alice")
    assert (finding.surface, finding.evidence) == ("replay-list", (len(new.ledger()) - 1,))
    assert "refused (409 refused) although replays are offered" in finding.sentence


def test_a_list_refused_once_hides_nothing_of_the_list_that_came_later() -> None:
    """The refusal stays a finding, and the later list is judged as any other."""
    new = sound().without(Action.LIST, "alice").without(Action.OPEN, "alice").lists("alice", outcome=Outcome.FAIL)
    found = missed(new.lists("alice", item("rec-1")).opens("alice", "rec-1", ALICE).ledger())
    assert found == [("alice", "alice", Verdict.INVALID), ("alice", "chen", Verdict.INVALID)]


def test_with_replays_off_nothing_is_missing() -> None:
    """What a combination takes away is not missed."""
    assert missing_media(sound("replays").lists("alice").ledger()) == []


def test_a_direct_opening_does_not_find_anything_in_the_list() -> None:
    """What opened only by its reference was not in the list."""
    new = sound().without(Action.OPEN, "alice", recording="rec-1").opens("alice", "rec-1", ALICE, CHEN, direct=True)
    assert len(missed(new.ledger())) == 2


def said(ledger: Ledger) -> str:
    """Return the sentence of the only finding, which must be unknown."""
    (finding,) = vacuous(ledger)
    assert (finding.check, finding.verdict) == ("vacuous", Verdict.UNKNOWN)
    return finding.sentence


def test_a_trial_in_which_nobody_saw_their_own_is_vacuous() -> None:
    """That nobody saw foreign media proves nothing when nobody saw anything."""
    assert "no actor saw any media of their own" in said(sound().without(Action.OPEN).closed())
    assert "no actor saw any media of their own" in said(story().ledger())


def test_seeing_only_the_others_media_is_vacuous() -> None:
    """The positive is one's own emission, not the counterpart's."""
    said(sound().without(Action.OPEN).opens("alice", "rec-1", CHEN).closed())


def test_one_actor_who_saw_their_own_is_a_positive() -> None:
    """A single own sighting in a list shows that the instrument works."""
    assert vacuous(sound().without(Action.OPEN).opens("alice", "rec-1", ALICE).closed()) == []


def test_a_direct_sighting_is_no_positive() -> None:
    """The list itself must have shown it."""
    said(sound().without(Action.OPEN).opens("alice", "rec-1", ALICE, direct=True).closed())


def test_with_replays_off_and_nothing_recorded_a_trial_is_vacuous() -> None:
    """There was nothing to refuse."""
    assert "there was nothing to refuse" in said(sound("replays").without(Action.RECORDINGS).closed())
    empty = sound("replays").without(Action.RECORDINGS).records("alice", "visit-1").records("bob", "visit-2")
    assert "there was nothing to refuse" in said(empty.closed())


@pytest.mark.parametrize("actor", ["alice", "bob", "chen"])
def test_with_replays_off_everybody_asks_for_their_list(actor: str) -> None:
    """A list that was not asked for was not refused."""
    assert f"{actor}'s replay list was never asked for" in said(sound("replays").without(Action.LIST, actor).closed())


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.INTENT])
def test_with_replays_off_silence_is_no_refusal(outcome: Outcome) -> None:
    """A dead target must not be taken for one that refuses."""
    new = sound("replays").without(Action.LIST, "bob").lists("bob", outcome=outcome)
    assert "bob's replay list was never asked for" in said(new.closed())
    new = sound("replays").without(Action.OPEN, "bob", recording="rec-2")
    assert "bob never tried to open rec-2" in said(new.opens("bob", "rec-2", direct=True, outcome=outcome).closed())


@pytest.mark.parametrize(("actor", "recording"), [("alice", "rec-1"), ("chen", "rec-2")])
def test_with_replays_off_everybody_tries_their_own(actor: str, recording: str) -> None:
    """That the owner is refused too is known only when the owner tried."""
    new = sound("replays").without(Action.OPEN, actor, recording=recording)
    assert said(new.closed()).endswith(f"{actor} never tried to open {recording}, which is their own")


def test_what_holds_nothing_is_told_as_a_phantom_alone() -> None:
    """It is not unreadable, and what is not in it is not called missing."""
    new = sound().without(Action.OPEN, "alice", recording="rec-1").opens("alice", "rec-1", reading="empty")
    assert missing_media(new.ledger()) == []
    assert len(phantom_media(new.ledger())) == 1


def operated(*, policy: str = "", surfaces: Surfaces | None = None) -> Story:
    """Return a trial of one held visit that has an operator."""
    cast = {"alice": "patient", "chen": "clinician", "olga": "operator"}
    new = story(cast=cast, policy=policy, surfaces=surfaces)
    return new.holds("alice", "visit-1").told().records("alice", "visit-1", "rec-1")


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.UNKNOWN, Outcome.INTENT, Outcome.FAIL])
def test_a_list_that_may_be_closed_is_rightly_refused(outcome: Outcome) -> None:
    """Or rightly empty: only a switch that was certainly not thrown makes either wrong."""
    count = 1 if outcome is Outcome.FAIL else 0
    refused = operated().switches_replays(is_open=False, outcome=outcome).lists("alice", outcome=Outcome.FAIL)
    assert len(missing_media(refused.ledger())) == count
    empty = operated().switches_replays(is_open=False, outcome=outcome).lists("alice")
    assert len(missing_media(empty.ledger())) == 2 * count


def test_a_list_that_stays_closed_after_it_was_opened_again_is_missing() -> None:
    """Closed, opened, each acknowledged in turn: now it must be there."""
    new = operated().switches_replays(is_open=False).switches_replays(is_open=True).lists("alice")
    assert len(missing_media(new.ledger())) == 2


def test_what_a_policy_denies_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target by whose policy nobody sees replays need not list them."""
    module = types.ModuleType("ours_policy")
    monkeypatch.setattr(module, "none", lambda *_: False, raising=False)
    monkeypatch.setitem(sys.modules, "ours_policy", module)
    assert missing_media(operated(policy="ours_policy:none").lists("alice").ledger()) == []


def test_replays_that_were_closed_all_along_prove_by_their_refusal() -> None:
    """Nobody can have seen their own: that everybody was refused it is what there is to prove."""
    new = operated().switches_replays(is_open=False)
    for actor in ("alice", "chen"):
        new.lists(actor, outcome=Outcome.FAIL)
    assert said(new.ledger()) == "replays were closed in #17, but alice never tried to open rec-1, which is their own"
    assert vacuous(new.tries("alice", "rec-1").tries("chen", "rec-1").ledger()) == []


def test_replays_that_were_open_for_a_while_prove_nothing_by_their_refusal() -> None:
    """A list that was asked for while they were open might have shown one's own."""
    new = operated().lists("alice").switches_replays(is_open=False)
    for actor in ("alice", "chen"):
        new.lists(actor, outcome=Outcome.FAIL).tries(actor, "rec-1")
    assert "no actor saw any media of their own" in said(new.ledger())


@pytest.mark.parametrize("what", ["prescription", "metric"])
def test_words_that_nobody_was_shown_prove_nothing(what: str) -> None:
    """Each of them must be met by somebody who may read it, on any surface."""
    written = sound().writes("chen", what, visit="visit-1")
    assert said(written.ledger()) == (
        f"nobody who may read chen's {what} was shown it: that nobody else was proves nothing"
    )
    said(written.reads("chen", "pages", word("chen", what, "visit-2")).ledger())
    said(Story(written.ledger()).reads("bob", "pages", word("chen", what, "visit-1")).ledger())
    assert vacuous(written.hears("chen", word("chen", what, "visit-1")).ledger()) == []


@pytest.mark.parametrize("outcome", [Outcome.INTENT, Outcome.UNKNOWN, Outcome.FAIL])
def test_words_that_may_not_have_come_need_not_be_shown(outcome: Outcome) -> None:
    """Nor need a name, of which no surface is promised."""
    assert vacuous(sound().writes("chen", "metric", outcome=outcome).writes("alice", "name").ledger()) == []


def test_of_a_second_prescription_the_first_proves_nothing() -> None:
    """Each stands for itself."""
    new = sound().writes("chen", "prescription", visit="visit-1").writes("chen", "prescription", visit="visit-2")
    new.reads("alice", "prescriptions", word("chen", "prescription", "visit-1"))
    said(new.ledger())
    assert vacuous(new.reads("bob", "prescriptions", word("chen", "prescription", "visit-2")).ledger()) == []


def test_notes_are_asked_for_where_there_are_transcripts() -> None:
    """One of them is enough, of each who wrote; without transcripts nobody can be shown any."""
    surfaces = {"alice": [declares("transcript", "recording", "replays")]}
    for declared, count in ((surfaces, 1), (None, 0)):
        new = Story([*operated(surfaces=declared).ledger()])
        new.lists("alice", item("rec-1")).opens("alice", "rec-1", ALICE)
        new.writes("alice", "note", visit="visit-1").writes("alice", "note", visit="visit-2")
        assert len(vacuous(new.ledger())) == count
        new.opens("alice", "rec-1", surface="transcript", reading="text", words=(word("alice", "note", "visit-1"),))
        assert vacuous(new.ledger()) == []
