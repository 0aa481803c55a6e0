"""Whatever is met by whomever: who may have taken part is never accused, and what was refused changes nothing."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from harness.checks import ALL, LEAKS
from harness.ledger import Outcome
from tests.checks.stories import CAST, Story, canary, item, story, word

PEOPLE = {**CAST, "dana": "clinician", "carol": "carer", "pia": "pharmacist", "olga": "operator"}
VIEWERS = ("alice", "bob", "dana", "carol", "pia", "nobody")
VISITS = ("visit-1", "visit-2")
RECORDINGS = ("rec-1", "rec-2", "rec-7")
HELD = (("alice", "visit-1"), ("bob", "visit-2"))
MEDIA = [canary(actor, visit) for patient, visit in HELD for actor in (patient, "chen")]
WORDS = [
    *(word(actor, "name") for actor in CAST),
    *(word(patient, "metric") for patient in ("alice", "bob")),
    *(word("chen", what, visit) for what in ("note", "prescription") for visit in VISITS),
]

Step = Callable[[Story], Story]
Seen = set[tuple[str, str, str, str, str, str | None]]

viewers = st.sampled_from(VIEWERS)
recordings = st.sampled_from(RECORDINGS)
some_words = st.lists(st.sampled_from(WORDS), max_size=2).map(tuple)
some_refs = st.lists(st.sampled_from(["con-1", "con-2"]), max_size=1).map(tuple)
outcomes = st.sampled_from(Outcome)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Draw one thing that somebody does or meets."""
    kind = draw(st.sampled_from(["list", "open", "read", "hear", "share", "revoke", "write", "access"]))
    viewer, recording, outcome = draw(viewers), draw(recordings), draw(outcomes)
    words, refs = draw(some_words), draw(some_refs)
    media, direct = draw(st.lists(st.sampled_from(MEDIA), max_size=2)), draw(st.booleans())
    visit = draw(st.sampled_from(VISITS))
    deeds: dict[str, Step] = {
        "list": lambda new: new.lists(viewer, item(recording, visit.replace("visit", "con")), outcome=outcome),
        "open": lambda new: new.opens(viewer, recording, *media, direct=direct, words=words, outcome=outcome),
        "read": lambda new: new.reads(viewer, "inbox", *words, refs=refs, outcome=outcome),
        "hear": lambda new: new.hears(viewer, *words, refs=refs),
        "share": lambda new: new.shares(recording, outcome=outcome),
        "revoke": lambda new: new.revokes(recording, outcome=outcome),
        "write": lambda new: new.writes("chen", "prescription", visit=visit, to=("pia",), outcome=outcome),
        "access": lambda new: new.switches_replays(is_open=direct, outcome=outcome),
    }
    return deeds[kind]


def played(deeds: list[Step], begun: Step = lambda new: new) -> Story:
    """Return a trial of two held visits in which all this was done and met, after something more at its beginning."""
    new = story(cast=PEOPLE).holds("alice", "visit-1").holds("bob", "visit-2")
    new.records("alice", "visit-1", "rec-1").records("bob", "visit-2", "rec-2")
    for actor in CAST:
        new.writes(actor, "name")
    for patient in ("alice", "bob"):
        new.writes(patient, "metric")
    for visit in VISITS:
        new.writes("chen", "note", visit=visit).writes("chen", "prescription", visit=visit)
    begun(new)
    for deed in deeds:
        deed(new)
    return new


def found(new: Story) -> Seen:
    """Return what all checks find, without the numbers of entries."""
    findings = (finding for check in ALL for finding in check(new.ledger()))
    return {(f.check, f.viewer, f.owner, f.surface, f.recording, f.degree) for f in findings}


@given(st.lists(steps(), max_size=8), st.sampled_from([Outcome.INTENT, Outcome.UNKNOWN, Outcome.OK]))
def test_who_may_have_taken_part_is_never_accused(deeds: list[Step], outcome: Outcome) -> None:
    """Dana may have come to both visits: while replays are open nothing of these is foreign to her, or stale."""

    def begun(new: Story) -> Story:
        for visit in VISITS:
            new.joins("dana", visit, outcome)
        # Never acknowledged before all that follows: replays may be open whatever is switched.
        return new.switches_replays(is_open=True, outcome=Outcome.UNKNOWN)

    leaks = {each for each in found(played(deeds, begun)) if each[0] in LEAKS}
    assert not [each for each in leaks if each[1] == "dana"]


@given(st.lists(steps(), max_size=8), st.sampled_from(["joins", "emits", "books", "hands_over", "shares"]), viewers)
def test_what_was_refused_changes_nothing(deeds: list[Step], verb: str, person: str) -> None:
    """Neither for nor against anybody; but that it was refused may leave the trial unproved."""

    def begun(new: Story) -> Story:
        if verb == "shares":
            return new.shares("rec-1", person, Outcome.FAIL)
        if verb == "hands_over":
            return new.hands_over("visit-1", person, Outcome.FAIL)
        refused: Story = getattr(new, verb)(person, "visit-1", Outcome.FAIL)
        return refused

    before, after = found(played(deeds)), found(played(deeds, begun))
    assert {each for each in before if each[0] != "unproved"} == {each for each in after if each[0] != "unproved"}


@given(st.lists(steps(), max_size=8), viewers, st.sampled_from([Outcome.INTENT, Outcome.UNKNOWN, Outcome.OK]))
def test_more_that_may_have_happened_accuses_nobody_more(deeds: list[Step], viewer: str, outcome: Outcome) -> None:
    """A part in a visit, certain or possible, takes accusations from its viewer and adds none."""
    before = found(played(deeds))
    after = found(played(deeds, lambda new: new.joins(viewer, "visit-1", outcome)))
    assert accused(viewer, after) <= accused(viewer, before)


def accused(viewer: str, seen: Seen) -> set[str]:
    """Return the checks that find something foreign with a viewer; what is stale or counted is for other tests."""
    return {each[0] for each in seen if each[1] == viewer} & (LEAKS - {"count-mismatch", "stale-access"})
