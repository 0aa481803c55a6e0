"""What is only counted: a badge tells of somebody else's replays too when it counts more than one's own."""

from __future__ import annotations

from harness.ledger import Action, Entry, Ledger
from harness.model import Finding, Verdict
from harness.provenance import Provenance, derive


def count_mismatch(ledger: Ledger) -> list[Finding]:
    """No badge counts more replays than there are recordings that its user may see.

    It may count fewer: recordings appear late. A user of whose visits some recordings are not known is not judged.
    """
    provenance = derive(ledger)
    recorded = {
        entry.data["visit"]: {item["recording"] for item in entry.data["items"]}
        for entry in ledger.of(Action.RECORDINGS)
    }
    found: dict[str, Finding] = {}
    for entry in ledger.of(Action.LIST):
        badge = entry.data.get("badge")
        own = _own(entry, recorded, provenance)
        if badge is not None and own is not None and badge > len(own):
            found[entry.actor] = Finding(
                check="count-mismatch",
                verdict=Verdict.INVALID,
                sentence=(
                    f"{entry.actor}'s badge counted {badge} replays, of which {entry.actor} may see {len(own)}: "
                    "the others are somebody else's"
                ),
                degree="presented",
                viewer=entry.actor,
                surface="badge",
                evidence=(entry.seq,),
            )
    return list(found.values())


def _own(entry: Entry, recorded: dict[str, set[str]], provenance: Provenance) -> set[str] | None:
    """Return every recording that the viewer of a list may see, or None when some are not known."""
    own: set[str] = set()
    for visit in provenance.visits:
        if provenance.may_see(entry.actor, visit):
            if visit not in recorded:
                return None
            own |= recorded[visit]
    for item in entry.data["items"]:
        of = provenance.visit_of(item["recording"], item["consultation"])
        if of and provenance.may_see(entry.actor, of):
            own.add(item["recording"])
    return own
