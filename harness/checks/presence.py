"""The positive beside every negative: who found their own media, and did the trial prove anything at all."""

from __future__ import annotations

from collections.abc import Iterator

from harness.checks.meetings import SHOWING, TEXT, span, words
from harness.checks.recordings import EMPTY
from harness.entitlement import closed_by, may_be_closed, may_see_media
from harness.ledger import Action, Entry, Ledger, Outcome
from harness.model import Finding, Verdict
from harness.provenance import READ, REPLAY_LIST, Emission, Provenance, Writing, derive

TRANSCRIPT = "transcript"
"""Where a target that declares this surface shows what was noted in a recording."""


def missing_media(ledger: Ledger) -> list[Finding]:
    """Everybody who took part in an ended consultation finds all that was recorded there, and can read it."""
    provenance = derive(ledger)
    if not provenance.replays_offered:
        return []
    return [finding for viewer in provenance.users for finding in _missing_for(viewer, ledger, provenance)]


def vacuous(ledger: Ledger) -> list[Finding]:
    """A trial proves something only if somebody saw their own media, or, where replays are off, was refused it."""
    provenance = derive(ledger)
    off = "" if provenance.replays_offered else "replays are off"
    why = "" if off else _nothing_seen(ledger, provenance)
    off = off or (_closed_all_along(ledger) if why else "")
    if off:
        why = _nothing_refused(off, ledger, provenance)
    unread = _nothing_read(ledger, provenance)
    return [Finding("vacuous", Verdict.UNKNOWN, each) for each in (why, unread) if each]


def _missing_for(viewer: str, ledger: Ledger, provenance: Provenance) -> Iterator[Finding]:
    asked = [entry for entry in _lists(ledger) if entry.actor == viewer]
    refused = [entry for entry in asked if entry.outcome is Outcome.FAIL and not may_be_closed(ledger, *span(entry))]
    if refused:
        error = refused[-1].data.get("error", "no reason given")
        yield Finding(
            check="missing-media",
            verdict=Verdict.INVALID,
            sentence=f"{viewer}'s replay list was refused ({error}) although replays are offered",
            viewer=viewer,
            owner=viewer,
            surface=refused[-1].data["surface"],
            evidence=(refused[-1].seq,),
        )
    last = asked[-1:]
    if not last or last[0].outcome is not Outcome.OK:
        return
    seen = _canaries_seen_by(viewer, ledger, REPLAY_LIST)
    unread = [entry for entry in _opened_by(viewer, ledger) if entry.data["content"]["outcome"] != READ]
    is_all_read = (
        not any(each.data["surface"] == REPLAY_LIST for each in unread)
        and not _is_waiting(viewer, ledger)
        and _is_all_tried(viewer, last[0], ledger)
    )
    # What holds nothing is a phantom, and told as one.
    for entry in (each for each in unread if each.data["content"]["outcome"] != EMPTY):
        yield Finding(
            check="missing-media",
            verdict=Verdict.UNKNOWN,
            sentence=(
                f"{viewer} opened {entry.data['recording']} but whose media it is could not be read: "
                f"{entry.data['content']['outcome']}"
            ),
            viewer=viewer,
            surface=entry.data["surface"],
            recording=entry.data["recording"],
            evidence=(entry.seq,),
        )
    if not is_all_read or may_be_closed(ledger, *span(last[0])):
        return
    for canary, emission in _expected_for(viewer, last[0], ledger, provenance):
        if canary not in seen:
            yield Finding(
                check="missing-media",
                verdict=Verdict.INVALID,
                sentence=(
                    f"{viewer} took part in {emission.visit} but did not find the {emission.medium} that "
                    f"{emission.actor} emitted there"
                ),
                viewer=viewer,
                owner=emission.actor,
                surface="replay-list",
                evidence=(emission.entry.seq,),
            )


def _is_all_tried(viewer: str, listed: Entry, ledger: Ledger) -> bool:
    """False among the questions, where a run was killed: what nobody has opened yet may be what seems to be missing."""
    tried = {entry.data["recording"] for entry in ledger.of(Action.OPEN, *Outcome) if entry.actor == viewer}
    return all(item["recording"] in tried for item in listed.data["items"])


def _expected_for(viewer: str, listed: Entry, ledger: Ledger, provenance: Provenance) -> Iterator[tuple[int, Emission]]:
    """Yield what must stand in a list: all that was emitted in consultations that had ended when it was asked for."""
    asked = listed.seq if listed.of is None else listed.of
    joined = {entry.data["visit"] for entry in ledger.of(Action.JOIN) if entry.actor == viewer}
    ended = {entry.data["visit"] for entry in ledger.of(Action.END) if entry.seq < asked}
    for canary, emission in provenance.emissions.items():
        is_expected = emission.is_certain and emission.visit in joined & ended
        if is_expected and may_see_media(viewer, emission.visit, "", ledger, *span(listed)):
            yield canary, emission


def _is_waiting(viewer: str, ledger: Ledger) -> bool:
    """True when an attempt to open something was not answered: what it holds may be what is missing."""
    opens = [entry for entry in ledger.of(Action.OPEN, *Outcome) if entry.actor == viewer]
    answered = {entry.of for entry in opens if entry.outcome in (Outcome.OK, Outcome.FAIL)}
    return any(entry.outcome is Outcome.INTENT and entry.seq not in answered for entry in opens)


def _lists(ledger: Ledger) -> list[Entry]:
    return [entry for entry in ledger.of(Action.LIST, *Outcome) if entry.data["surface"] == REPLAY_LIST]


def _opened_by(viewer: str, ledger: Ledger) -> list[Entry]:
    """Return what a viewer opened of their own, files alone."""
    return [
        entry
        for entry in ledger.of(Action.OPEN)
        if entry.actor == viewer and not entry.data["direct"] and entry.data["content"]["outcome"] != TEXT
    ]


def _canaries_seen_by(viewer: str, ledger: Ledger, surface: str = "") -> set[int]:
    """Return the canaries in what a viewer opened, on one surface or on any."""
    return {
        int(sighting["value"])
        for entry in _opened_by(viewer, ledger)
        for sighting in entry.data["content"]["canaries"]
        if surface in ("", entry.data["surface"])
    }


def _nothing_seen(ledger: Ledger, provenance: Provenance) -> str:
    for viewer in provenance.cast:
        seen = _canaries_seen_by(viewer, ledger)
        if any(emission.actor == viewer and canary in seen for canary, emission in provenance.emissions.items()):
            return ""
    return "no actor saw any media of their own: that nobody saw foreign media proves nothing"


def _nothing_read(ledger: Ledger, provenance: Provenance) -> str:
    """Say which words were written and read by nobody who may: that no stranger read them proves nothing.

    Of notes it is enough that one of their writer's was read: not everything that is said is transcribed.
    """
    read: set[int] = set()
    noted: set[str] = set()
    for entry in (entry for action in (*SHOWING, Action.HEAR) for entry in ledger.of(action)):
        for sighting, meeting in zip(entry.data.get("texts", ()), words(ledger, entry), strict=True):
            if meeting.standing == "entitled":
                read.add(int(sighting["value"]))
                noted |= {meeting.owner} if meeting.what == "note" else set()
    for canary, writing in provenance.writings.items():
        is_read = canary in read or (writing.what == "note" and writing.actor in noted)
        if writing.is_certain and _can_be_read(writing, provenance) and not is_read:
            what = f"{writing.actor}'s {writing.what}"
            return f"nobody who may read {what} was shown it: that nobody else was proves nothing"
    return ""


def _can_be_read(writing: Writing, provenance: Provenance) -> bool:
    """A prescription and a metric are shown somewhere; a note only where transcripts are, and replays are offered."""
    if writing.what == "note":
        has_transcripts = any(TRANSCRIPT in surfaces for surfaces in provenance.surfaces.values())
        return has_transcripts and provenance.replays_offered
    return writing.what != "name"


def _closed_all_along(ledger: Ledger) -> str:
    """Say who closed replay access for good before anybody's list was asked for, if it certainly was closed."""
    lists = [entry for entry in _lists(ledger) if entry.outcome is not Outcome.INTENT]
    closed = [closed_by(ledger, *span(entry)) for entry in lists]
    return f"replays were closed in #{closed[0].seq}" if closed and all(closed) and closed[0] else ""


def _nothing_refused(off: str, ledger: Ledger, provenance: Provenance) -> str:
    """Say what was not refused; `off` says why it should have been."""
    own = {
        (viewer, recording)
        for recording, visit in provenance.visit_of_recording.items()
        for viewer in provenance.visits[visit].parties
    }
    if not own:
        return f"{off}, but no recording is known to exist: there was nothing to refuse"
    asked = {entry.actor for entry in _lists(ledger) if entry.outcome in (Outcome.FAIL, Outcome.OK)}
    tried = {(entry.actor, entry.data["recording"]) for entry in ledger.of(Action.OPEN, Outcome.FAIL, Outcome.OK)}
    never_asked = sorted(set(provenance.users) - asked)
    if never_asked:
        return f"{off}, but {never_asked[0]}'s replay list was never asked for"
    untried = sorted(own - tried)
    if untried:
        return f"{off}, but {untried[0][0]} never tried to open {untried[0][1]}, which is their own"
    return ""
