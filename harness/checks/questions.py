"""What the oracle had to ask: a question that nobody asked, or that had no answer, leaves the trial unproved."""

from __future__ import annotations

from collections.abc import Iterator

from harness.checks.meetings import TEXT, span
from harness.entitlement import Item, may_be_closed, standing
from harness.ledger import HARNESS, NOBODY, Action, Entry, Ledger, Outcome
from harness.provenance import REPLAY_LIST, Declared, Provenance, derive, references

SIGHTS = (Action.LIST, Action.OPEN, Action.READ)
QUESTIONS = (Action.FLAGS, Action.RECORDINGS, Action.LISTEN, Action.HEAR, *SIGHTS)

Reason = tuple[str, str, tuple[int, ...]]
"""A sentence, the actor whom it is about (or none), the ledger entries that show it."""


def open_questions(ledger: Ledger) -> Iterator[Reason]:
    """Yield each question that had no answer, was never asked, or cannot be asked of the ids that were given."""
    provenance = derive(ledger)
    yield from _unanswered(ledger)
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
    seen = {(entry.actor, entry.data["recording"]) for entry in opened}
    for (actor, recording), entry in _listed(ledger).items():
        item = next(item for item in entry.data["items"] if item["recording"] == recording)
        visit = provenance.visit_of(recording, item["consultation"])
        if not visit or not provenance.may_see(actor, visit) or (actor, recording) in seen:
            continue
        if (actor, recording) not in tried:
            yield f"{actor}'s list held {recording}, but nobody looked at what is in it", actor, (entry.seq,)
        elif provenance.replays_offered:
            yield f"{actor}'s list held {recording}, but it could not be opened to see whose it is", actor, (entry.seq,)


def _untried(ledger: Ledger, provenance: Provenance) -> Iterator[Reason]:
    """That a reference is refused to strangers is known only if each tried it, and of a recording that exists."""
    tried = _tried(ledger)
    met = tried | set(_listed(ledger))
    for recording, visit in references(ledger, provenance).items():
        parties = provenance.visits[visit].parties
        for actor in (*provenance.users, *((NOBODY,) if NOBODY in provenance.surfaces else ())):
            if actor not in parties and (actor, recording) not in met:
                yield f"{actor} never tried to open {recording} of {visit} directly", actor, ()
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
    for actor in (*provenance.users, NOBODY):
        for surface in provenance.surfaces.get(actor, {}).values():
            found = answers.get((actor, surface.name), [])
            if surface.about == "oneself":
                yield from _of_oneself(actor, surface, [each for each in found if each.seq > told], ledger)
            elif surface.about == "recording":
                yield from _of_recordings(actor, surface, found, ledger)
            elif surface.about == "person":
                asked = {str(entry.data.get("about", "")) for entry in found}
                for person, role in provenance.cast.items():
                    if role == "patient" and person not in asked:
                        yield f"{actor} never looked at {surface.name} of {person}", actor, ()


def _of_oneself(actor: str, surface: Declared, answers: list[Entry], ledger: Ledger) -> Iterator[Reason]:
    not_offered = derive(ledger).not_offered
    if not answers:
        yield f"{actor} never looked at {surface.name} after the story", actor, ()
    for entry in answers:
        is_right = surface.needs & not_offered or may_be_closed(ledger, *span(entry))
        if entry.outcome is Outcome.FAIL and not is_right:
            error = entry.data.get("error", "no reason given")
            yield f"{actor} was refused {surface.name}, which this combination offers ({error})", actor, (entry.seq,)


def _of_recordings(actor: str, surface: Declared, answers: list[Entry], ledger: Ledger) -> Iterator[Reason]:
    """Whoever may not see a recording has to have tried it there, and whoever may, to have looked at it."""
    provenance = derive(ledger)
    now = len(ledger)
    looked = {entry.data.get("recording") for entry in answers}
    for recording, visit in references(ledger, provenance).items():
        item = Item("media", provenance.visits[visit].patient, visit, recording, asked=now, met=now)
        is_theirs = standing(actor, item, ledger) == "entitled"
        if recording not in looked and not (is_theirs and surface.needs & provenance.not_offered):
            verb = "looked at" if is_theirs else "tried"
            yield f"{actor} never {verb} {surface.name} of {recording}", actor, ()


def _tried(ledger: Ledger) -> set[tuple[str, str]]:
    return {(entry.actor, entry.data["recording"]) for entry in ledger.of(Action.OPEN, *Outcome)}


def _listed(ledger: Ledger) -> dict[tuple[str, str], Entry]:
    """Return who was shown which recording, and in which entry last."""
    return {(entry.actor, item["recording"]): entry for entry in ledger.of(Action.LIST) for item in entry.data["items"]}
