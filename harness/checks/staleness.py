"""Who still met what they might see once, and may not any more: a share was revoked, replay access closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from harness.checks.exposure import Exposure, Exposures, leak
from harness.checks.meetings import Meeting, content, is_of_replays, listed, named, reference, span, words
from harness.entitlement import closed_by, revoked_by
from harness.ledger import Action, Entry, Ledger, Outcome
from harness.model import Degree, Finding, Wording
from harness.provenance import derive


def stale_access(ledger: Ledger) -> list[Finding]:
    """Nothing is shown, served or pushed to somebody from whom it was taken, once the target's grace is over."""
    exposures = Exposures()
    for entry in ledger:
        if entry.outcome is not Outcome.OK:
            continue
        closed = _closed(entry, ledger)
        for degree, meeting in _met(ledger, entry):
            if meeting.standing == "earlier" or (closed and _is_of_a_replay(meeting)):
                exposures.add(degree, meeting)
    return [_stale(each.meeting, each, ledger) for each in exposures]


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


def _closed(entry: Entry, ledger: Ledger) -> Entry | None:
    """Return what closed replay access for everybody, for an answer that came although it certainly was closed."""
    if entry.action not in (Action.LIST, Action.OPEN) or not is_of_replays(entry, derive(ledger)):
        return None
    return closed_by(ledger, *span(entry))


def _is_of_a_replay(meeting: Meeting) -> bool:
    """True for what is closed with the replays; one's own name on a page that shows none of them is not."""
    return not meeting.is_foreign and (meeting.what == "note" or meeting.what not in get_args(Wording))


def _stale(meeting: Meeting, exposure: Exposure, ledger: Ledger) -> Finding:
    """Return the finding, with the entry by which it was taken from its viewer."""
    closed = _closed(meeting.entry, ledger)
    if closed:
        why = f"replay access was closed for everybody in #{closed.seq}"
        return leak("stale-access", exposure, why=why, since=(closed.seq,))
    asked = span(meeting.entry)[0]
    revoked = revoked_by(meeting.viewer, meeting.origin, meeting.recording, ledger, asked)
    if revoked:
        return leak("stale-access", exposure, why=f"that was revoked in #{revoked.seq}", since=(revoked.seq,))
    return leak("stale-access", exposure, why=f"{meeting.viewer} may not see it any more")
