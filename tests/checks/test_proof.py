"""Unproved trials and broken promises: what must hold before a trial may be called valid."""

from __future__ import annotations

import pytest

from harness.checks import broken_promise, unproved
from harness.ledger import Action, Ledger, Outcome
from harness.model import Verdict
from tests.checks.stories import CAST, Story, canary, item, sound, story


def said(ledger: Ledger) -> list[str]:
    """Return the sentences of what is unproved, each of which must be unknown."""
    findings = unproved(ledger)
    assert {(finding.check, finding.verdict) for finding in findings} <= {("unproved", Verdict.UNKNOWN)}
    return [finding.sentence for finding in findings]


@pytest.mark.parametrize("not_offered", [(), ("replays",)])
def test_a_sound_trial_is_proved(not_offered: tuple[str, ...]) -> None:
    """Flags in force from beginning to end, story told, all asked and answered: nothing to say."""
    ledger = sound(*not_offered).closed()
    assert unproved(ledger) == []
    assert broken_promise(ledger) == []


def test_a_ledger_without_a_cast_proves_nothing() -> None:
    """A ledger that does not say who took part cannot say that all were asked."""
    assert "the ledger does not say who took part" in said(story(cast={}).told().closed())
    assert "the ledger does not say who took part" in said(Story().ledger())


@pytest.mark.parametrize("actor", list(CAST))
def test_flags_are_proved_for_every_actor(actor: str) -> None:
    """An actor whose flags were never shown to be in force leaves the trial unproved."""
    ledger = sound().closed()
    cut = Story(ledger).without(Action.FLAGS, actor).ledger()
    (finding,) = unproved(cut)
    assert finding.sentence == f"the flags were not proved to be in force for {actor}"
    assert finding.viewer == actor


def test_flags_are_proved_before_the_story() -> None:
    """A proof that came only after the story says nothing of the story."""
    ledger = sound().without(Action.FLAGS, "bob").closed()
    assert said(ledger) == ["the flags were not proved to be in force for bob"]


def test_flags_are_proved_after_the_last_question() -> None:
    """A proof from before the questions says nothing of what they were answered under."""
    new = sound().proves("bob").tries("bob", "rec-1")
    last = len(new.ledger()) - 1
    new.proves("alice", "chen").ledger().note("harness", Action.FLAGS)
    (finding,) = unproved(new.ledger())
    assert finding.sentence == "the flags were not proved to be in force for bob to the trial's end"
    assert (finding.viewer, finding.evidence) == ("bob", (last,))


def test_a_refused_proof_is_no_proof() -> None:
    """A target that refuses to say which flags it has leaves them unproved, whatever it said before."""
    (finding,) = unproved(sound().proves("alice", outcome=Outcome.FAIL).closed())
    assert finding.sentence == "alice's flags could not be proved: 409 refused"
    assert finding.viewer == "alice"
    assert len(finding.evidence) == 1


def test_flags_that_differ_are_named() -> None:
    """A target that has another combination is told so, flag by flag."""
    new = sound().proves("bob", differs="replay-cache is off, not on")
    (finding,) = unproved(new.closed())
    assert finding.sentence == "the target did not have the combination for bob: replay-cache is off, not on"
    assert finding.viewer == "bob"
    assert len(finding.evidence) == 1


def test_flags_of_another_combination_prove_nothing() -> None:
    """What was wanted must be the trial's own combination."""
    new = sound().proves("bob", wanted={"replay-cache": "off"})
    assert said(new.closed()) == ["bob's flags were proved for another combination"]


def test_flags_are_proved_to_the_end() -> None:
    """Without the harness's own last word the trial was cut off; with a bad one, it says why."""
    why = "the flags were not proved to be served to the trial's end: "
    assert said(sound().proves(*CAST).ledger()) == [why + "the trial was cut off"]
    assert said(sound().closed("the flag server has gone")) == [why + "the flag server has gone"]


def test_a_later_success_does_not_mend_a_failed_proof() -> None:
    """A proof that failed once stays failed."""
    ledger = sound().closed("the flag server has gone")
    ledger.note("harness", Action.FLAGS)
    assert len(said(ledger)) == 1


def test_nothing_happens_after_the_last_proof() -> None:
    """Flags proved before something else happened are not proved to the end."""
    ledger = Story(sound().closed()).proves("alice").ledger()
    assert said(ledger) == ["the flags were not proved to be served to the trial's end: the trial was cut off"]


def test_a_story_without_an_end_is_unproved() -> None:
    """A trial that stopped in the middle proves nothing."""
    assert said(sound().without(Action.STORY).closed()) == ["the story was not told to its end"]


def test_a_broken_story_is_unproved() -> None:
    """A story that raised, and not by its own assertion, was not told; that is no broken promise."""
    ledger = sound().told("switching.py:7: TargetError: silence").closed()
    (finding,) = unproved(ledger)
    assert finding.sentence == "the story broke: switching.py:7: TargetError: silence"
    assert [ledger[seq].action for seq in finding.evidence] == [Action.STORY]
    assert broken_promise(ledger) == []


def test_a_failed_assertion_is_a_broken_promise() -> None:
    """The scenario's own assertion makes the trial invalid, but is neither a leak nor a doubt."""
    ledger = sound().told("switching.py:9: 3 != 2", assertion=True).closed()
    assert unproved(ledger) == []
    (finding,) = broken_promise(ledger)
    assert (finding.check, finding.verdict, finding.degree) == ("broken-promise", Verdict.INVALID, None)
    assert finding.sentence.endswith("switching.py:9: 3 != 2")
    assert [ledger[seq].action for seq in finding.evidence] == [Action.STORY]


def test_a_switch_that_is_refused_though_offered_is_unproved() -> None:
    """The story that was meant was not the story that was told."""
    ledger = sound().with_deed(lambda new: new.switches("bob", "visit-2", "video", Outcome.FAIL)).closed()
    (finding,) = unproved(ledger)
    assert finding.sentence == (
        "bob was refused the switch to video in visit-2, which this combination offers (409 refused)"
    )
    assert finding.viewer == "bob"
    assert [ledger[seq].outcome for seq in finding.evidence] == [Outcome.FAIL]


def test_a_switch_that_is_granted_though_not_offered_is_unproved() -> None:
    """A target that grants what the combination takes away does not run under it."""
    ledger = sound("switch-to-video").with_deed(lambda new: new.switches("bob", "visit-2", "video")).closed()
    (finding,) = unproved(ledger)
    assert finding.sentence == "bob got the switch to video in visit-2, which this combination does not offer"
    assert (finding.viewer, len(finding.evidence)) == ("bob", 1)


@pytest.mark.parametrize(
    ("not_offered", "outcome"), [((), Outcome.OK), (("switch-to-video",), Outcome.FAIL), (("replays",), Outcome.OK)]
)
def test_a_switch_that_does_as_its_combination_says_is_sound(not_offered: tuple[str, ...], outcome: Outcome) -> None:
    """Granted where offered, refused where not, each by its own medium."""
    new = sound(*not_offered).with_deed(lambda new: new.switches("bob", "visit-2", "video", outcome))
    assert unproved(new.closed()) == []


@pytest.mark.parametrize(("outcome", "why"), [(Outcome.UNKNOWN, "silence"), (Outcome.INTENT, "the run ended first")])
def test_every_question_has_an_answer(outcome: Outcome, why: str) -> None:
    """Silence and a question that stands alone are each named with who asked what."""
    for new, sentence in (
        (sound().lists("bob", outcome=outcome), "bob's list replay-list had no answer: "),
        (sound().opens("bob", "rec-2", outcome=outcome), "bob's open rec-2 had no answer: "),
        (sound().records("bob", "visit-2", outcome=outcome), "bob's recordings visit-2 had no answer: "),
        (sound().proves("bob", outcome=outcome), "bob's flags had no answer: "),
    ):
        ledger = new.closed()
        (finding,) = unproved(ledger)
        assert finding.sentence == sentence + why
        assert finding.viewer == "bob"
        assert [ledger[seq].outcome for seq in finding.evidence] == [outcome]


@pytest.mark.parametrize("not_offered", [(), ("replays",)])
@pytest.mark.parametrize("actor", list(CAST))
def test_every_actors_list_is_asked_for_after_the_story(actor: str, not_offered: tuple[str, ...]) -> None:
    """An actor whose list was asked for only in mid-story may be shown anything after it."""
    early = story(*not_offered).lists(actor)
    late = sound(*not_offered).without(Action.TRIAL).without(Action.LIST, actor)
    shifted = list(early.ledger())
    for entry in late.ledger():
        of = None if entry.of is None else entry.of + len(early.ledger())
        shifted.append(type(entry)(len(shifted), 0.0, entry.actor, entry.action, entry.outcome, entry.data, of))
    assert f"{actor}'s replay list was never asked for after the story" in said(Story(shifted).closed())


def test_every_foreign_recording_is_tried_by_everybody() -> None:
    """That strangers are refused is known only of those who tried."""
    new = sound().without(Action.OPEN, "alice", recording="rec-2")
    (finding,) = unproved(new.closed())
    assert finding.sentence == "alice never tried to open rec-2 of visit-2 directly"
    assert finding.viewer == "alice"


def test_a_foreign_recording_that_was_listed_needs_no_direct_try() -> None:
    """It is a finding of the list already; the bound on what is opened there adds no doubt."""
    assert (
        unproved(sound().without(Action.OPEN, "alice", recording="rec-2").lists("alice", item("rec-2")).closed()) == []
    )


def test_a_list_entry_of_ones_own_is_looked_at() -> None:
    """An own id that nobody opened may hold anything."""
    new = sound().lists("alice", item("rec-1"), item("rec-7", "con-1"))
    new.tries("bob", "rec-7")
    assert said(new.closed()) == [
        "alice's list held rec-7, but nobody looked at what is in it",
        "rec-7 of visit-1 was opened by nobody who took part: what is in it is not known",
    ]
    new.opens("alice", "rec-7", outcome=Outcome.FAIL)
    assert said(new.closed()) == ["alice's list held rec-7, but it could not be opened to see whose it is"]
    assert unproved(new.opens("alice", "rec-7", canary("alice", "visit-1")).closed()) == []


def test_what_a_participants_list_holds_is_tried_by_strangers() -> None:
    """A reference that only a participant's list gave away may still open for everybody else."""
    new = (
        sound()
        .lists("alice", item("rec-1"), item("rec-7", "con-1"))
        .opens("alice", "rec-7", canary("alice", "visit-1"))
    )
    assert said(new.closed()) == ["bob never tried to open rec-7 of visit-1 directly"]
    assert said(new.tries("bob", "rec-7").closed()) == []


def test_media_that_never_came_could_not_leak() -> None:
    """A refused emission that the story swallowed leaves the trial without what it was about."""
    new = sound().with_deed(lambda new: new.emits("bob", "visit-2", Outcome.FAIL))
    assert said(new.closed()) == ["bob's media never came to visit-2: 409 refused"]


def test_what_comes_after_the_story_is_no_part_of_it() -> None:
    """A deed that outlives its story has happened under the oracle's eyes or behind its back: nobody knows."""
    assert said(sound().books("bob", "visit-3").closed())[0] == "bob's book came after the story had ended"


def test_a_recording_that_no_party_opened_is_not_known() -> None:
    """A recording that the target counts to a visit, but lists to nobody, may be anybody's."""
    new = sound().records("alice", "visit-1", "rec-1", "rec-7").tries("bob", "rec-7")
    assert said(new.closed()) == ["rec-7 of visit-1 was opened by nobody who took part: what is in it is not known"]


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.FAIL])
def test_a_visit_without_a_known_recording_could_not_be_tried(outcome: Outcome) -> None:
    """Without a reference nobody could be refused it."""
    new = sound().without(Action.RECORDINGS, "bob").records("bob", "visit-2", outcome=outcome)
    assert said(new.closed()) == ["no recording of visit-2 is known, so nobody could try to open it directly"]


def test_a_visit_that_was_not_held_needs_no_recording() -> None:
    """A visit that has not ended, or in which nothing was acknowledged, need not be recorded."""
    new = sound().with_deed(lambda new: new.books("bob", "visit-3").emits("bob", "visit-3"))
    assert unproved(new.closed()) == []
    new = sound().with_deed(lambda new: new.books("bob", "visit-3").ends("visit-3"))
    assert unproved(new.closed()) == []


def test_an_id_that_two_visits_share_is_a_doubt() -> None:
    """Neither a recording nor a consultation may belong to two visits."""
    new = sound().records("alice", "visit-1", "rec-1", "rec-2")
    assert "the target gave recording rec-2 to visit-1 and visit-2: whose it is cannot be told" in said(new.closed())
    new = sound().books("bob", "visit-3", consultation="con-1")
    assert "the target gave consultation con-1 to visit-1 and visit-3: whose it is cannot be told" in said(new.closed())
