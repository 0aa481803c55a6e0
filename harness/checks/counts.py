"""What is only counted: a number tells of somebody else's replays too when it is larger than one's own."""

from __future__ import annotations

from harness.checks.meetings import listed, span
from harness.entitlement import may_see_media
from harness.ledger import Action, Entry, Ledger, Outcome
from harness.model import Finding, Verdict
from harness.provenance import derive

NUMBERS = ("badge", "total")


def count_mismatch(ledger: Ledger) -> list[Finding]:
    """No badge, and no list's own total, counts more replays than there are recordings that its user may see.

    It may count fewer: recordings appear late. A user of whose visits some recordings are not known is not judged; a
    number that was asked for and not answered leaves the trial unknown.
    """
    recorded = _recorded(ledger)
    found: dict[tuple[str, str], Finding] = {}
    for entry in ledger.of(Action.LIST):
        if "unanswered" in entry.data:
            found[entry.actor, ""] = _unanswered(entry)
        own = _own(entry, recorded, ledger)
        for what in NUMBERS:
            number = entry.data.get(what)
            if number is not None and own is not None and number > len(own):
                found[entry.actor, what] = _mismatch(entry, what, number, len(own))
    return list(found.values())


def _recorded(ledger: Ledger) -> dict[str, set[str]]:
    """Return what is known to be recorded in each visit: nothing of one of which the last question had no answer."""
    known: dict[str, set[str]] = {}
    for entry in ledger.of(Action.RECORDINGS, Outcome.OK, Outcome.FAIL, Outcome.UNKNOWN):
        if entry.outcome is Outcome.OK:
            known.setdefault(entry.data["visit"], set()).update(item["recording"] for item in entry.data["items"])
        else:
            known.pop(entry.data["visit"], None)
    return known


def _mismatch(entry: Entry, what: str, number: int, own: int) -> Finding:
    counted = "badge counted"
    if what != "badge":
        counted = f"{entry.data['surface'].replace('-', ' ')} said that it has"
    return Finding(
        check="count-mismatch",
        verdict=Verdict.INVALID,
        sentence=(
            f"{entry.actor}'s {counted} {number} replays, of which {entry.actor} may see {own}: "
            "the others are somebody else's"
        ),
        degree="presented",
        viewer=entry.actor,
        surface="badge" if what == "badge" else entry.data["surface"],
        evidence=(entry.seq,),
    )


def _unanswered(entry: Entry) -> Finding:
    return Finding(
        check="count-mismatch",
        verdict=Verdict.UNKNOWN,
        sentence=f"what {entry.actor} is shown beside the list had no answer: {entry.data['unanswered']}",
        viewer=entry.actor,
        surface="badge",
        evidence=(entry.seq,),
    )


def _own(entry: Entry, recorded: dict[str, set[str]], ledger: Ledger) -> set[str] | None:
    """Return every recording that the viewer of a list may see, or None when some are not known."""
    provenance = derive(ledger)
    own: set[str] = set()
    for visit in provenance.visits:
        may_see_any = may_see_media(entry.actor, visit, "", ledger, *span(entry))
        if may_see_any and visit not in recorded:
            return None
        known = recorded.get(visit, set())
        own |= {each for each in known if may_see_media(entry.actor, visit, each, ledger, *span(entry))}
    for item, meeting in listed(ledger, entry):
        if meeting and meeting.standing == "entitled":
            own.add(item["recording"])
    return own
