"""Who still met what they might see once, and may not any more: a share was revoked, replay access closed."""

from __future__ import annotations

from collections.abc import Iterator

from harness.checks.exposure import Exposures, leak
from harness.checks.meetings import Meeting, content, is_of_replays, listed, named, reference, span, words
from harness.entitlement import closed_by
from harness.ledger import Action, Entry, Ledger, Outcome
from harness.model import Degree, Finding
from harness.provenance import derive


def stale_access(ledger: Ledger) -> list[Finding]:
    """Nothing is shown, served or pushed to somebody from whom it was taken, once the target's grace is over."""
    exposures = Exposures()
    for entry in ledger:
        if entry.outcome is not Outcome.OK:
            continue
        is_closed = _is_closed(entry, ledger)
        for degree, meeting in _met(ledger, entry):
            if meeting.standing == "earlier" or (is_closed and not meeting.is_foreign):
                exposures.add(degree, meeting)
    return [leak("stale-access", each, why=_why(each.meeting.entry, ledger)) for each in exposures]


def _met(ledger: Ledger, entry: Entry) -> Iterator[tuple[Degree, Meeting]]:
    """Yield what one entry shows, and how plainly."""
    if entry.action is Action.LIST:
        yield from (("presented", meeting) for _, meeting in listed(ledger, entry) if meeting)
    if entry.action is Action.OPEN and entry.data["size"]:
        by_id = reference(ledger, entry)
        if by_id:
            yield "opened", by_id
        yield from (("proved", each) for each in content(ledger, entry))
    if entry.action is Action.READ:
        yield from (("proved", each) for each in content(ledger, entry))
    if entry.action in (Action.READ, Action.HEAR):
        yield from (("presented", each) for each in named(ledger, entry))
    yield from (("proved", each) for each in words(ledger, entry))


def _is_closed(entry: Entry, ledger: Ledger) -> bool:
    """True for an answer that came, or should not have, while replay access was certainly closed for everybody."""
    if entry.action not in (Action.LIST, Action.OPEN) or not is_of_replays(entry, derive(ledger)):
        return False
    return closed_by(ledger, *span(entry)) is not None


def _why(entry: Entry, ledger: Ledger) -> str:
    closed = closed_by(ledger, *span(entry)) if _is_closed(entry, ledger) else None
    if closed:
        return f"replay access was closed for everybody in #{closed.seq}"
    asked = span(entry)[0]
    revoked = [each for each in ledger.of(Action.REVOKE) if each.data["carer"] == entry.actor and each.seq < asked]
    return f"that was revoked in #{revoked[-1].seq}" if revoked else f"{entry.actor} may not see it any more"
