"""The positive beside every negative: who found their own media, and did the trial prove anything at all."""

from __future__ import annotations

from collections.abc import Iterator

from harness.ledger import Action, Entry, Ledger, Outcome
from harness.model import Finding, Verdict
from harness.provenance import READ, Emission, Provenance, derive


def missing_media(ledger: Ledger) -> list[Finding]:
    """Everybody who took part in an ended consultation finds all that was recorded there, and can read it."""
    provenance = derive(ledger)
    if not provenance.replays_offered:
        return []
    return [finding for viewer in provenance.cast for finding in _missing_for(viewer, ledger, provenance)]


def vacuous(ledger: Ledger) -> list[Finding]:
    """A trial proves something only if somebody saw their own media, or, where replays are off, was refused it."""
    provenance = derive(ledger)
    why = _nothing_seen(ledger, provenance) if provenance.replays_offered else _nothing_refused(ledger, provenance)
    return [Finding("vacuous", Verdict.UNKNOWN, why)] if why else []


def _missing_for(viewer: str, ledger: Ledger, provenance: Provenance) -> Iterator[Finding]:
    refused = [entry for entry in ledger.of(Action.LIST, Outcome.FAIL) if entry.actor == viewer]
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
    last = [entry for entry in ledger.of(Action.LIST, *Outcome) if entry.actor == viewer][-1:]
    if not last or last[0].outcome is not Outcome.OK:
        return
    seen = _canaries_seen_by(viewer, ledger)
    unread = [entry for entry in _opened_by(viewer, ledger) if entry.data["content"]["outcome"] != READ]
    is_all_read = not unread and not _is_waiting(viewer, ledger) and _is_all_tried(viewer, last[0], ledger)
    for entry in unread:
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
    for canary, emission in _expected_for(viewer, last[0], ledger, provenance):
        if canary not in seen and is_all_read:
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
        if emission.is_certain and emission.visit in joined & ended:
            yield canary, emission


def _is_waiting(viewer: str, ledger: Ledger) -> bool:
    """True when an attempt to open something was not answered: what it holds may be what is missing."""
    opens = [entry for entry in ledger.of(Action.OPEN, *Outcome) if entry.actor == viewer]
    answered = {entry.of for entry in opens if entry.outcome in (Outcome.OK, Outcome.FAIL)}
    return any(entry.outcome is Outcome.INTENT and entry.seq not in answered for entry in opens)


def _opened_by(viewer: str, ledger: Ledger) -> list[Entry]:
    return [entry for entry in ledger.of(Action.OPEN) if entry.actor == viewer and not entry.data["direct"]]


def _canaries_seen_by(viewer: str, ledger: Ledger) -> set[int]:
    return {
        int(sighting["value"]) for entry in _opened_by(viewer, ledger) for sighting in entry.data["content"]["canaries"]
    }


def _nothing_seen(ledger: Ledger, provenance: Provenance) -> str:
    for viewer in provenance.cast:
        seen = _canaries_seen_by(viewer, ledger)
        if any(emission.actor == viewer and canary in seen for canary, emission in provenance.emissions.items()):
            return ""
    return "no actor saw any media of their own: that nobody saw foreign media proves nothing"


def _nothing_refused(ledger: Ledger, provenance: Provenance) -> str:
    own = {
        (viewer, recording)
        for recording, visit in provenance.visit_of_recording.items()
        for viewer in provenance.visits[visit].parties
    }
    if not own:
        return "replays are off, but no recording is known to exist: there was nothing to refuse"
    asked = {entry.actor for entry in ledger.of(Action.LIST, Outcome.FAIL, Outcome.OK)}
    tried = {(entry.actor, entry.data["recording"]) for entry in ledger.of(Action.OPEN, Outcome.FAIL, Outcome.OK)}
    never_asked = sorted(set(provenance.cast) - asked)
    if never_asked:
        return f"replays are off, but {never_asked[0]}'s replay list was never asked for"
    untried = sorted(own - tried)
    if untried:
        return f"replays are off, but {untried[0][0]} never tried to open {untried[0][1]}, which is their own"
    return ""
