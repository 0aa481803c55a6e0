"""What the oracle had to ask: a question that nobody asked, or that had no answer, leaves the trial unproved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.checks.meetings import TEXT, Meeting, listed, span
from harness.entitlement import Item, Standing, may_be_closed, revoked_by, standing
from harness.ledger import HARNESS, NOBODY, Action, Entry, Ledger, Outcome
from harness.provenance import REPLAY_LIST, REPLAYS, Declared, Provenance, derive, references

SIGHTS = (Action.LIST, Action.OPEN, Action.READ)
QUESTIONS = (Action.FLAGS, Action.RECORDINGS, Action.LISTEN, Action.HEAR, *SIGHTS)

Reason = tuple[str, str, tuple[int, ...]]
"""A sentence, the actor whom it is about (or none), the ledger entries that show it."""


def open_questions(ledger: Ledger) -> Iterator[Reason]:
    """Yield each question that had no answer, was never asked, or cannot be asked of the ids that were given."""
    provenance = derive(ledger)
    yield from _unanswered(ledger)
    yield from _unheard(ledger)
    if ledger.of(Action.STORY, Outcome.OK, Outcome.FAIL):
        yield from _unlisted(ledger, provenance)
        yield from _unseen(ledger, provenance)
        yield from _untried(ledger, provenance)
        yield from _unsurveyed(ledger, provenance)
    for what, visits in provenance.contested.items():
        yield f"the target gave {what} to {' and '.join(sorted(visits))}: whose it is cannot be told", "", ()


def _unanswered(ledger: Ledger) -> Iterator[Reason]:
    concluded = {entry.of for entry in ledger}
    for entry in ledger:
        if entry.action not in QUESTIONS or entry.actor == HARNESS:
            continue
        if entry.outcome is Outcome.UNKNOWN:
            yield _no_answer(entry, str(entry.data.get("error", "no answer")))
        elif entry.outcome is Outcome.INTENT and entry.seq not in concluded:
            yield _no_answer(entry, "the run ended first")


def _unheard(ledger: Ledger) -> Iterator[Reason]:
    """What was pushed is known only of who listened from before the story until all had come."""
    calls = ledger.of(Action.LISTEN, Outcome.OK, Outcome.FAIL)
    ended = {entry.actor: entry.seq for entry in calls if entry.data["until"] == "now"}
    for entry in calls:
        if entry.outcome is Outcome.FAIL:
            error = entry.data.get("error", "no reason given")
            yield f"{entry.actor} could not listen to what is pushed ({error})", entry.actor, (entry.seq,)
        elif entry.data["until"] != "now" and ended.get(entry.actor, -1) < entry.seq:
            yield f"{entry.actor} did not listen to the end", entry.actor, (entry.seq,)


def _no_answer(entry: Entry, error: str) -> Reason:
    what = entry.data.get("recording") or entry.data.get("surface") or entry.data.get("visit", "")
    return f"{entry.actor}'s {entry.action} {what}".rstrip() + f" had no answer: {error}", entry.actor, (entry.seq,)


def _unlisted(ledger: Ledger, provenance: Provenance) -> Iterator[Reason]:
    """A list that was asked for before the story ended does not show what the story left in it."""
    told = ledger.of(Action.STORY, Outcome.OK, Outcome.FAIL)[0]
    lists = (entry for entry in ledger.of(Action.LIST, *Outcome) if entry.data["surface"] == REPLAY_LIST)
    asked = {entry.actor for entry in lists if entry.seq > told.seq}
    for actor in provenance.users:
        if actor not in asked:
            yield f"{actor}'s replay list was never asked for after the story", actor, ()


def _unseen(ledger: Ledger, provenance: Provenance) -> Iterator[Reason]:
    """An entry that is its viewer's own by id may hold anything until it was opened."""
    tried = _tried(ledger)
    opened = (entry for entry in ledger.of(Action.OPEN) if entry.data["content"]["outcome"] != TEXT)
    seen = {(entry.actor, entry.data["recording"]) for entry in opened if _is_of_bytes(entry, provenance)}
    for (actor, recording), (entry, meeting) in _listed(ledger).items():
        if meeting is None or meeting.standing != "entitled" or (actor, recording) in seen:
            continue
        attempts = tried.get((actor, recording), [])
        if not attempts:
            yield f"{actor}'s list held {recording}, but nobody looked at what is in it", actor, (entry.seq,)
        elif provenance.replays_offered and not any(may_be_closed(ledger, *span(each)) for each in attempts):
            yield f"{actor}'s list held {recording}, but it could not be opened to see whose it is", actor, (entry.seq,)


def _untried(ledger: Ledger, provenance: Provenance) -> Iterator[Reason]:
    """That a reference is refused to strangers is known only if each tried it, and of a recording that exists.

    Whoever might see it earlier has to have tried it since.
    """
    tried, held = _tried(ledger), _listed(ledger)
    for recording, visit in references(ledger, provenance).items():
        parties = provenance.visits[visit].parties
        for actor in (*provenance.users, *((NOBODY,) if NOBODY in provenance.surfaces else ())):
            attempts = tried.get((actor, recording), [])
            stands = _stands(actor, recording, visit, ledger, len(ledger) - 1)
            if stands == "never" and not attempts and (actor, recording) not in held:
                yield f"{actor} never tried to open {recording} of {visit} directly", actor, ()
            if stands == "earlier" and not _has_tried_since(attempts, visit, ledger):
                yield f"{actor} never tried to open {recording} of {visit} since it was taken back", actor, ()
        if not any((party, recording) in tried for party in parties):
            yield f"{recording} of {visit} was opened by nobody who took part: what is in it is not known", "", ()
    emitted = {emission.visit for emission in provenance.emissions.values() if emission.is_certain}
    ended = {entry.data["visit"] for entry in ledger.of(Action.END)}
    for visit in sorted(emitted & ended - set(provenance.visit_of_recording.values())):
        yield f"no recording of {visit} is known, so nobody could try to open it directly", "", ()


def _unsurveyed(ledger: Ledger, provenance: Provenance) -> Iterator[Reason]:
    """What a surface shows is known only of those who asked it, and whether it is shut only of those who may not."""
    told = ledger.of(Action.STORY, Outcome.OK, Outcome.FAIL)[0].seq
    answers: dict[tuple[str, str], list[Entry]] = {}
    for action in SIGHTS:
        for entry in ledger.of(action, Outcome.OK, Outcome.FAIL):
            answers.setdefault((entry.actor, entry.data["surface"]), []).append(entry)
    given = _given_out(ledger, provenance)
    for actor in (*provenance.users, NOBODY):
        for surface in provenance.surfaces.get(actor, {}).values():
            found = answers.get((actor, surface.name), [])
            if surface.about == "oneself":
                yield from _of_oneself(actor, surface, [each for each in found if each.seq > told], ledger)
            elif surface.about == "recording":
                yield from _of_recordings(actor, surface, found, ledger)
            elif surface.about == "link":
                yield from _of_links(actor, surface, found, given, ledger)
            else:
                asked = {str(entry.data.get("about", "")) for entry in found}
                for person, role in provenance.cast.items():
                    if role == "patient" and person not in asked:
                        yield f"{actor} never looked at {surface.name} of {person}", actor, ()


def _of_oneself(actor: str, surface: Declared, answers: list[Entry], ledger: Ledger) -> Iterator[Reason]:
    not_offered = derive(ledger).not_offered
    if not answers:
        yield f"{actor} never looked at {surface.name} after the story", actor, ()
    for entry in (entry for entry in answers if entry.outcome is Outcome.FAIL):
        is_closed = REPLAYS in surface.needs and may_be_closed(ledger, *span(entry))
        if not (surface.needs & not_offered or is_closed):
            error = entry.data.get("error", "no reason given")
            yield f"{actor} was refused {surface.name}, which this combination offers ({error})", actor, (entry.seq,)


def _of_recordings(actor: str, surface: Declared, answers: list[Entry], ledger: Ledger) -> Iterator[Reason]:
    """Whoever may not see a recording has to have tried it there, and whoever may, to have looked at it."""
    provenance = derive(ledger)
    looked = {entry.data.get("recording") for entry in answers}
    for recording, visit in references(ledger, provenance).items():
        is_theirs = _stands(actor, recording, visit, ledger, len(ledger) - 1) == "entitled"
        if recording not in looked and not (is_theirs and surface.needs & provenance.not_offered):
            verb = "looked at" if is_theirs else "tried"
            yield f"{actor} never {verb} {surface.name} of {recording}", actor, ()


def _of_links(
    actor: str, surface: Declared, answers: list[Entry], given: Mapping[str, str], ledger: Ledger
) -> Iterator[Reason]:
    """Whoever may not see a recording has to have tried each link to it that was given out."""
    looked = {entry.data.get("recording") for entry in answers}
    for recording, visit in given.items():
        is_theirs = _stands(actor, recording, visit, ledger, len(ledger) - 1) == "entitled"
        if recording not in looked and not is_theirs:
            yield f"{actor} never tried the {surface.name} to {recording} that was given out", actor, ()


def _given_out(ledger: Ledger, provenance: Provenance) -> dict[str, str]:
    """Return the recordings to which a link was had, each with its visit: its own user has come in by it."""
    known = references(ledger, provenance)
    return {
        entry.data["recording"]: known[entry.data["recording"]]
        for entry in ledger.of(Action.OPEN)
        if _is_link(entry, provenance) and not entry.data["direct"] and entry.data["recording"] in known
    }


def _is_of_bytes(entry: Entry, provenance: Provenance) -> bool:
    """True where a recording itself was asked for, by a list or directly: what goes with it, a thumbnail, is not it."""
    declared = provenance.surfaces.get(entry.actor, {}).get(entry.data["surface"])
    return declared is None or declared.about not in ("recording", "link")


def _is_link(entry: Entry, provenance: Provenance) -> bool:
    declared = provenance.surfaces.get(entry.actor, {}).get(entry.data["surface"])
    return declared is not None and declared.about == "link"


def _stands(actor: str, recording: str, visit: str, ledger: Ledger, asked: int, met: int | None = None) -> Standing:
    """Return how an actor stands to a recording between two entries, or at one."""
    patient = derive(ledger).visits[visit].patient
    item = Item("media", patient, visit, recording, asked=asked, met=asked if met is None else met)
    return standing(actor, item, ledger)


def _has_tried_since(attempts: list[Entry], visit: str, ledger: Ledger) -> bool:
    """True when a recording was asked for after it was taken back, be that within the target's grace."""
    for entry in attempts:
        actor, recording = entry.actor, entry.data["recording"]
        revoked = revoked_by(actor, visit, recording, ledger, len(ledger))
        is_after = revoked is not None and revoked.seq < span(entry)[0]
        if is_after or _stands(actor, recording, visit, ledger, *span(entry)) == "earlier":
            return True
    return False


def _tried(ledger: Ledger) -> dict[tuple[str, str], list[Entry]]:
    """Return who asked for which recording itself, and not for what goes with it, with each of their entries."""
    provenance = derive(ledger)
    tried: dict[tuple[str, str], list[Entry]] = {}
    for entry in (entry for entry in ledger.of(Action.OPEN, *Outcome) if _is_of_bytes(entry, provenance)):
        tried.setdefault((entry.actor, entry.data["recording"]), []).append(entry)
    return tried


def _listed(ledger: Ledger) -> dict[tuple[str, str], tuple[Entry, Meeting | None]]:
    """Return who was shown which recording, in which entry last, and how they stood to it then."""
    return {
        (entry.actor, item["recording"]): (entry, meeting)
        for entry in ledger.of(Action.LIST)
        for item, meeting in listed(ledger, entry)
    }
