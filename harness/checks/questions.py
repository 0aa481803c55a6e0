"""What the oracle had to ask: a question that nobody asked, or that had no answer, leaves the trial unproved."""

from __future__ import annotations

from collections.abc import Iterator

from harness.ledger import HARNESS, Action, Entry, Ledger, Outcome
from harness.provenance import Provenance, derive, references

SIGHTS = (Action.LIST, Action.OPEN)
QUESTIONS = (Action.FLAGS, Action.RECORDINGS, *SIGHTS)

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
    asked = {entry.actor for entry in ledger.of(Action.LIST, *Outcome) if entry.seq > told.seq}
    for actor in provenance.cast:
        if actor not in asked:
            yield f"{actor}'s replay list was never asked for after the story", actor, ()


def _unseen(ledger: Ledger, provenance: Provenance) -> Iterator[Reason]:
    """An entry that is its viewer's own by id may hold anything until it was opened."""
    tried = _tried(ledger)
    seen = {(entry.actor, entry.data["recording"]) for entry in ledger.of(Action.OPEN)}
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
        for actor in provenance.cast:
            if actor not in parties and (actor, recording) not in met:
                yield f"{actor} never tried to open {recording} of {visit} directly", actor, ()
        if not any((party, recording) in tried for party in parties):
            yield f"{recording} of {visit} was opened by nobody who took part: what is in it is not known", "", ()
    emitted = {emission.visit for emission in provenance.emissions.values() if emission.is_certain}
    ended = {entry.data["visit"] for entry in ledger.of(Action.END)}
    for visit in sorted(emitted & ended - set(provenance.visit_of_recording.values())):
        yield f"no recording of {visit} is known, so nobody could try to open it directly", "", ()


def _tried(ledger: Ledger) -> set[tuple[str, str]]:
    return {(entry.actor, entry.data["recording"]) for entry in ledger.of(Action.OPEN, *Outcome)}


def _listed(ledger: Ledger) -> dict[tuple[str, str], Entry]:
    """Return who was shown which recording, and in which entry last."""
    return {(entry.actor, item["recording"]): entry for entry in ledger.of(Action.LIST) for item in entry.data["items"]}
