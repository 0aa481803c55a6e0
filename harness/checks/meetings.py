"""What the actors met, entry by entry: recordings in lists, canaries in media and in words, visits that words name.

Every check of what somebody may not see goes over these; each says whose it was, and how the viewer stands to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.entitlement import Item, Kind, Standing, standing
from harness.ledger import Action, Entry, Ledger
from harness.provenance import READ, REPLAYS, Provenance, derive, references

ELSEWHERE = "another trial"
TEXT = "text"
"""The outcome of content that is words alone."""
WRITTEN = ("note", "prescription", "metric", "words")
SHOWING = (Action.LIST, Action.OPEN, Action.READ)
"""Entries of what a user asked to see; what was pushed stands in Action.HEAR."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """One thing that one viewer met in one entry.

    `origin` is the visit that it is of, ELSEWHERE for another trial's, "" for what is of none; `what` says in a word
    what it is; `made` are the entries by which its owner made it.
    """

    entry: Entry
    owner: str
    origin: str
    what: str
    recording: str
    standing: Standing
    made: tuple[int, ...] = ()

    @property
    def viewer(self) -> str:
        """Who met it."""
        return self.entry.actor

    @property
    def told(self) -> str:
        """What its owner made, in words."""
        here = "" if self.origin in ("", ELSEWHERE) else f" in {self.origin}"
        if self.what == "name":
            return f"the name of {self.owner}"
        if self.what in WRITTEN:
            return f"the {self.what} that {self.owner} wrote{here}"
        return f"{self.what} that {self.owner} emitted{here}"

    @property
    def is_foreign(self) -> bool:
        """True for what the viewer was never entitled to see."""
        return self.standing == "never"


def span(entry: Entry) -> tuple[int, int]:
    """Return the entries between which something was met: the question and its answer."""
    return (entry.seq if entry.of is None else entry.of), entry.seq


def listed(ledger: Ledger, entry: Entry) -> Iterator[tuple[Mapping[str, Any], Meeting | None]]:
    """Yield each item of a list with whose recording it is by its ids, None where no actor of this run made it."""
    provenance = derive(ledger)
    for item in entry.data.get("items", ()):
        visit = provenance.visit_of(item["recording"], item["consultation"])
        if visit:
            owner = provenance.visits[visit].patient
            yield item, _of_visit(entry, ledger, "media", owner, visit, item["medium"], item["recording"])
        elif item.get("elsewhere"):
            yield item, _of_another(entry, item["elsewhere"], item["medium"], item["recording"])
        else:
            yield item, None


def reference(ledger: Ledger, entry: Entry) -> Meeting | None:
    """Return what an opened reference is of by the target's own id, None where that is not known."""
    provenance = derive(ledger)
    recording = entry.data.get("recording", "")
    visit = ledger.derived(_known).get(recording)
    if not visit:
        return None
    return _of_visit(entry, ledger, "media", provenance.visits[visit].patient, visit, "media", recording)


def content(ledger: Ledger, entry: Entry) -> Iterator[Meeting]:
    """Yield whose media each canary is that was seen or heard in what an entry opened."""
    provenance = derive(ledger)
    recording = entry.data.get("recording", "")
    for sighting in entry.data.get("content", {}).get("canaries", ()):
        emission = provenance.emissions.get(int(sighting["value"]))
        if emission is None:
            yield _of_another(entry, sighting["owner"], sighting["track"], recording)
        else:
            made = (emission.entry.seq,)
            actor, visit = emission.actor, emission.visit
            yield _of_visit(entry, ledger, "media", actor, visit, sighting["track"], recording, made)


def words(ledger: Ledger, entry: Entry) -> Iterator[Meeting]:
    """Yield whose words each canary is that was read in an entry."""
    provenance = derive(ledger)
    recording = entry.data.get("recording", "")
    for sighting in entry.data.get("texts", ()):
        writing = provenance.writings.get(int(sighting["value"]))
        if writing is None:
            yield _of_another(entry, sighting["owner"], "words", recording)
            continue
        asked, met = span(entry)
        of = _if_of(ledger, recording, writing.visit)
        item = Item(writing.what, writing.actor, writing.visit, of, writing.to, asked, met)
        stands = standing(entry.actor, item, ledger)
        made = tuple(each.seq for each in writing.entries if each.outcome != "intent")[:1]
        yield Meeting(entry, writing.actor, writing.visit, writing.what, recording, stands, made)


def named(ledger: Ledger, entry: Entry) -> Iterator[Meeting]:
    """Yield each visit that the words of an entry name."""
    provenance = derive(ledger)
    for ref in entry.data.get("refs", ()):
        visit = provenance.visit_of_consultation.get(ref["consultation"])
        if visit:
            yield _of_visit(entry, ledger, "visit", provenance.visits[visit].patient, visit, "the visit", "")
        elif ref.get("elsewhere"):
            yield _of_another(entry, ref["elsewhere"], "a visit", "")


def is_own(ledger: Ledger, entry: Entry) -> bool:
    """True when all of the opened content was read, and none of it is somebody else's."""
    found = list(content(ledger, entry))
    is_read = entry.data["content"]["outcome"] == READ and bool(found)
    return is_read and not any(each.is_foreign for each in found)


def is_of_replays(entry: Entry, provenance: Provenance) -> bool:
    """True for a surface that shows replays, and is closed with them; what a target does not declare is one."""
    declared = provenance.surfaces.get(entry.actor, {}).get(entry.data["surface"])
    return declared is None or REPLAYS in declared.needs


def _known(ledger: Ledger) -> dict[str, str]:
    """Return recording -> visit by the target's own ids, but for those that it gave to several visits."""
    provenance = derive(ledger)
    found = references(ledger, provenance)
    claimed: dict[str, set[str]] = {}
    for entry in ledger.of(Action.LIST):
        for item in entry.data["items"]:
            visit = provenance.visit_of(item["recording"], item["consultation"])
            if visit:
                claimed.setdefault(item["recording"], set()).add(visit)
    return {
        recording: visit
        for recording, visit in found.items()
        if f"recording {recording}" not in provenance.contested and claimed.get(recording, {visit}) == {visit}
    }


def _if_of(ledger: Ledger, recording: str, visit: str) -> str:
    """Return a recording if it is known to be of a visit: what another one holds is told by the visit alone."""
    return recording if ledger.derived(_known).get(recording) == visit else ""


def _of_visit(
    entry: Entry,
    ledger: Ledger,
    kind: Kind,
    owner: str,
    visit: str,
    what: str,
    recording: str,
    made: tuple[int, ...] = (),
) -> Meeting:
    asked, met = span(entry)
    item = Item(kind, owner, visit, _if_of(ledger, recording, visit), asked=asked, met=met)
    return Meeting(entry, owner, visit, what, recording, standing(entry.actor, item, ledger), made)


def _of_another(entry: Entry, owner: str, what: str, recording: str) -> Meeting:
    """What another trial made is nobody's here."""
    return Meeting(entry, owner, ELSEWHERE, what, recording, "never")
