"""What the oracle has to ask of each surface that a trial declares, and what it has to hear to the end."""

from __future__ import annotations

import pytest

from harness.checks import unproved
from harness.ledger import NOBODY, Action, Ledger, Outcome
from tests.checks.stories import Story, Surfaces, canary, declares, item, sound, story

ALICE, BOB = canary("alice", "visit-1"), canary("bob", "visit-2")
INBOX, SEARCH = declares("inbox"), declares("search", "oneself", "replays", "search")
DETAIL, LINK = declares("detail", "recording", "replays"), declares("link", "link", "replays")


def said(ledger: Ledger) -> list[str]:
    """Return the sentences of what is unproved."""
    return [finding.sentence for finding in unproved(ledger)]


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.FAIL, Outcome.UNKNOWN, Outcome.INTENT])
def test_a_page_of_oneself_is_looked_at_after_the_story(outcome: Outcome) -> None:
    """It has an answer, and that is no refusal where nothing of it was taken away."""
    new = sound(surfaces={"alice": [INBOX]})
    never = "alice never looked at inbox after the story"
    assert said(Story(new.ledger()).closed()) == [never]
    early = Story(new.ledger()).with_deed(lambda told: told.reads("alice", "inbox"))
    assert said(early.closed()) == [never]
    expected = {
        Outcome.OK: [],
        Outcome.FAIL: ["alice was refused inbox, which this combination offers (409 refused)"],
        Outcome.UNKNOWN: ["alice's read inbox had no answer: silence", never],
        Outcome.INTENT: ["alice's read inbox had no answer: the run ended first", never],
    }
    assert said(new.reads("alice", "inbox", outcome=outcome).closed()) == expected[outcome]


@pytest.mark.parametrize(("not_offered", "is_right"), [("search", True), ("sharing", False)])
def test_a_surface_without_what_it_needs_is_rightly_refused(not_offered: str, *, is_right: bool) -> None:
    """One of its needs has to be taken away, whatever else is."""
    new = sound(not_offered, surfaces={"alice": [SEARCH]})
    new.call("alice", Action.LIST, Outcome.FAIL, {"surface": "search"})
    assert (said(new.closed()) == []) is is_right


@pytest.mark.parametrize(("surface", "is_right"), [(SEARCH, True), (INBOX, False)])
def test_while_replays_may_be_closed_their_surfaces_are_rightly_refused(
    surface: dict[str, object], *, is_right: bool
) -> None:
    """What does not need them is not closed with them; a switch without an answer may have been thrown."""
    for outcome in (Outcome.OK, Outcome.UNKNOWN):
        new = sound(surfaces={"alice": [surface]}).with_deed(
            lambda told, outcome=outcome: told.switches_replays(is_open=False, outcome=outcome)  # type: ignore[misc] # a default
        )
        new.reads("alice", str(surface["name"]), outcome=Outcome.FAIL)
        assert (said(new.closed()) == []) is is_right
    refused = sound(surfaces={"alice": [surface]}).with_deed(
        lambda told: told.switches_replays(is_open=False, outcome=Outcome.FAIL)
    )
    refused.reads("alice", str(surface["name"]), outcome=Outcome.FAIL)
    assert len(said(refused.closed())) == 1


def detailed(*, but: tuple[str, str] = ("", ""), surfaces: Surfaces | None = None) -> Story:
    """Return a trial in which everybody has looked at or tried each recording's details; one pair did not."""
    everybody = {"alice": [DETAIL], "bob": [DETAIL], "chen": [DETAIL]}
    new = sound(surfaces=everybody if surfaces is None else surfaces)
    for actor, own in (("alice", "1"), ("bob", "2"), ("chen", "12")):
        for number in "12":
            if (actor, f"rec-{number}") != but:
                outcome = Outcome.OK if number in own else Outcome.FAIL
                direct = number not in own
                new.opens(
                    actor, f"rec-{number}", surface="detail", reading="text", size=9, direct=direct, outcome=outcome
                )
    return new


@pytest.mark.parametrize(
    ("but", "sentence"),
    [
        (("", ""), ""),
        (("alice", "rec-1"), "alice never looked at detail of rec-1"),
        (("bob", "rec-1"), "bob never tried detail of rec-1"),
        (("chen", "rec-2"), "chen never looked at detail of rec-2"),
    ],
)
def test_what_goes_with_a_recording_is_asked_for_by_everybody(but: tuple[str, str], sentence: str) -> None:
    """By who may see it and by who may not."""
    assert said(detailed(but=but).closed()) == ([sentence] if sentence else [])


def test_who_is_not_signed_in_tries_everything() -> None:
    """Where a target has hands for nobody, these try each recording and what goes with it."""
    new = sound(surfaces={NOBODY: [DETAIL]})
    assert said(Story(new.ledger()).closed()) == [
        "nobody never tried to open rec-1 of visit-1 directly",
        "nobody never tried to open rec-2 of visit-2 directly",
        "nobody never tried detail of rec-1",
        "nobody never tried detail of rec-2",
    ]
    for recording in ("rec-1", "rec-2"):
        new.tries(NOBODY, recording).opens(NOBODY, recording, surface="detail", direct=True, outcome=Outcome.FAIL)
    assert said(new.closed()) == []


def test_a_thumbnail_is_not_the_recording() -> None:
    """Neither for a stranger, who has to try the bytes, nor for who must have looked at them."""
    thumbnail = declares("thumbnail", "recording")
    new = sound(surfaces={"alice": [thumbnail], "bob": [thumbnail]})
    new = new.without(Action.OPEN, "bob", recording="rec-1").without(Action.OPEN, "alice", recording="rec-1")
    for actor, own, foreign in (("alice", "rec-1", "rec-2"), ("bob", "rec-2", "rec-1")):
        new.opens(actor, own, canary(actor, f"visit-{own[-1]}"), surface="thumbnail")
        new.opens(actor, foreign, surface="thumbnail", direct=True, outcome=Outcome.FAIL)
    assert said(new.closed()) == [
        "alice's list held rec-1, but nobody looked at what is in it",
        "bob never tried to open rec-1 of visit-1 directly",
    ]


def test_every_patient_is_looked_at() -> None:
    """By each who has a page about people."""
    new = sound(surfaces={"chen": [declares("patient-metrics", "person")]}).reads(
        "chen", "patient-metrics", about="alice"
    )
    assert said(Story(new.ledger()).closed()) == ["chen never looked at patient-metrics of bob"]
    assert said(new.reads("chen", "patient-metrics", about="bob", outcome=Outcome.FAIL).closed()) == []


def test_a_link_that_was_given_out_is_tried_by_strangers() -> None:
    """By everybody who may not see the recording; a link that was not given out cannot be."""
    new = sound(surfaces={"alice": [LINK], "bob": [LINK]})
    assert said(Story(new.ledger()).closed()) == []
    new.opens("alice", "rec-1", ALICE, surface="link")
    assert said(Story(new.ledger()).closed()) == ["bob never tried the link to rec-1 that was given out"]
    new.opens("bob", "rec-1", surface="link", direct=True, outcome=Outcome.FAIL)
    assert said(new.closed()) == []


PEOPLE = {"alice": "patient", "chen": "clinician", "carol": "carer"}


def shared() -> Story:
    """Return a trial in which Alice shared her recording with Carol, who found it in her list."""
    new = story(cast=PEOPLE).proves(*PEOPLE).holds("alice", "visit-1").shares("rec-1")
    return new.lists("carol", item("rec-1")).opens("carol", "rec-1", ALICE)


def asked(new: Story, *, carol: tuple[dict[str, str | None], ...] = ()) -> list[str]:
    """Return what is unproved of a story after which all were asked, and Carol was shown this."""
    new.told().records("alice", "visit-1", "rec-1").lists("carol", *carol)
    for actor in ("alice", "chen"):
        new.lists(actor, item("rec-1")).opens(actor, "rec-1", ALICE)
    return [each for each in said(Story(new.ledger()).closed()) if "flags" not in each]


def test_a_carer_need_not_try_what_is_shared() -> None:
    """It stands in her list, or is missing from it; that a stranger is refused it is for strangers to try."""
    assert asked(shared(), carol=(item("rec-1"),)) == []
    assert asked(shared()) == []


def test_what_was_taken_back_is_tried_again() -> None:
    """That it was open while it was shared says nothing of now; within the target's grace says something."""
    new = shared().revokes("rec-1")
    again = Story(new.ledger()).tries("carol", "rec-1")
    assert asked(again) == []
    assert asked(new) == ["carol never tried to open rec-1 of visit-1 since it was taken back"]
    patient = story(cast=PEOPLE, grace_s=5.0).proves(*PEOPLE).holds("alice", "visit-1").shares("rec-1")
    patient.revokes("rec-1").opens("carol", "rec-1", ALICE, direct=True).passes(9.0)
    assert asked(patient) == []


def test_what_was_taken_back_twice_is_tried_after_the_last_time() -> None:
    """What was tried while it was shared anew does not count."""
    new = shared().revokes("rec-1").shares("rec-1").opens("carol", "rec-1", ALICE, direct=True).revokes("rec-1")
    assert asked(new) == ["carol never tried to open rec-1 of visit-1 since it was taken back"]


def test_what_a_carers_list_held_is_looked_at() -> None:
    """What is shared with her may be anybody's until it was opened."""
    new = story(cast=PEOPLE).proves(*PEOPLE).holds("alice", "visit-1").shares("rec-1")
    assert asked(new, carol=(item("rec-1"),)) == ["carol's list held rec-1, but nobody looked at what is in it"]


def test_a_recording_upon_which_replays_closed_could_not_be_opened() -> None:
    """A refusal is right from then on; where the switch was certainly not thrown, what was listed stays unseen."""
    unseen = "alice's list held rec-1, but it could not be opened to see whose it is"
    for outcome, is_open in ((Outcome.OK, False), (Outcome.UNKNOWN, False), (Outcome.FAIL, True)):
        new = sound().without(Action.OPEN, "alice", recording="rec-1")
        new.switches_replays(is_open=False, outcome=outcome).opens("alice", "rec-1", outcome=Outcome.FAIL)
        assert (unseen in said(new.closed())) is is_open


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.FAIL, Outcome.UNKNOWN, Outcome.INTENT])
def test_who_listens_does_so_to_the_end(outcome: Outcome) -> None:
    """That nothing foreign came is known only of who heard all that came."""
    begun = sound().call("alice", Action.LISTEN, outcome, {"until": "the end"})
    expected = {
        Outcome.OK: ["alice did not listen to the end"],
        Outcome.FAIL: ["alice could not listen to what is pushed (409 refused)"],
        Outcome.UNKNOWN: ["alice's listen had no answer: silence"],
        Outcome.INTENT: ["alice's listen had no answer: the run ended first"],
    }
    assert said(Story(begun.ledger()).closed()) == expected[outcome]
    ended = sound().call("alice", Action.LISTEN, Outcome.OK, {"until": "the end"})
    ended.call("alice", Action.LISTEN, outcome, {"until": "now"})
    lost = {Outcome.OK: [], Outcome.FAIL: expected[Outcome.FAIL]}
    open_end = [*expected[outcome], "alice did not listen to the end"]
    assert said(ended.closed()) == lost.get(outcome, open_end)


@pytest.mark.parametrize("action", [Action.READ, Action.HEAR])
def test_what_was_read_or_heard_without_an_answer_is_open(action: Action) -> None:
    """Silence is named with who asked what."""
    new = sound()
    new.ledger().note("bob", action, Outcome.UNKNOWN, surface="inbox", about="", error="too many messages")
    assert said(new.closed()) == [f"bob's {action} inbox had no answer: too many messages"]
