"""Entitlement: may somebody see an item, at the moment at which they met it? A target may have a policy of its own.

The default is generous, since accusation is strict: whoever took part may see what was made there, while and after they
did, and what may have happened counts for the viewer. A share counts from the moment at which it may have begun to the
one at which its end was acknowledged.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from harness.errors import UsageError, nearest
from harness.ledger import NOBODY, Action, Entry, Ledger, Outcome
from harness.provenance import Writing, derive

Kind = Literal["media", "visit", "name", "note", "prescription", "metric"]
Standing = Literal["entitled", "earlier", "never"]


@dataclass(frozen=True, slots=True)
class Item:
    """Something that may be somebody's alone: media, words of four kinds, or the visit that it is about.

    People and visits are named as in the ledger; `to` are those to whom it was addressed. `asked` and `met` are the
    numbers of the entries between which it was met: the question and its answer.
    """

    kind: Kind
    owner: str
    visit: str = ""
    recording: str = ""
    to: frozenset[str] = frozenset()
    asked: int = 0
    met: int = 0


Policy = Callable[[str, Item, Ledger], bool]
"""May this viewer see this item, by what the ledger says?"""


@dataclass(frozen=True, slots=True)
class _Share:
    """A share that may stand: from its intent on, until a revocation was acknowledged, by entry and in seconds."""

    visit: str
    recording: str
    carer: str
    since: int
    until: int | None
    until_s: float


def default(viewer: str, item: Item, ledger: Ledger) -> bool:
    """Participants while and after they took part, clinicians of their own consultations, carers while it is shared."""
    cast = derive(ledger).cast
    if item.kind == "name" and cast.get(item.owner) == "clinician":
        return True
    if viewer == NOBODY:
        return False
    if viewer == item.owner or viewer in item.to:
        return True
    if item.kind == "name":
        return cast.get(viewer) == "operator" or _may_know(viewer, item, ledger)
    if item.kind == "metric":
        return cast.get(viewer) == "clinician" and _have_met(viewer, item.owner, item.met, ledger)
    if item.kind == "visit" and any(viewer in each.to for each in _written_in(item.visit, ledger)):
        return True
    took_part = _takes_part(viewer, item.visit, item.met, ledger)
    return took_part or (item.kind != "prescription" and _is_shared_with(viewer, item, ledger))


def policy_of(ledger: Ledger) -> Policy:
    """Return the policy that a ledger names, the default where it names none.

    Raises UsageError, with the nearest right name, for one that cannot be imported.
    """
    return ledger.derived(_policy_of)


def standing(viewer: str, item: Item, ledger: Ledger) -> Standing:
    """Return whether a viewer may see an item now, might have seen it earlier in the trial, or never."""
    may_see = policy_of(ledger)
    if may_see(viewer, item, ledger):
        return "entitled"
    for moment in ledger.derived(_moments):
        if moment < item.asked and may_see(viewer, replace(item, asked=moment, met=moment + 1), ledger):
            return "earlier"
    return "never"


def grace_s(ledger: Ledger) -> float:
    """Return for how long a target may still serve what was revoked or switched off, in seconds."""
    return float(next((entry.data.get("grace_s", 0.0) for entry in ledger.of(Action.TRIAL)), 0.0))


def closed_by(ledger: Ledger, asked: int, met: int) -> Entry | None:
    """Return the entry that closed replay access for everybody, where it certainly was closed from `asked` to `met`.

    None where it was open, may have been, or was closed within the target's grace.
    """
    closed: Entry | None = None
    for entry in ledger.of(Action.ACCESS, Outcome.INTENT, Outcome.OK):
        if entry.data["open"]:
            closed = None if entry.seq < met else closed
        elif entry.outcome is Outcome.OK and entry.seq < asked:
            closed = entry
    if closed and _at_s(ledger, asked) - closed.at_s < grace_s(ledger):
        return None
    return closed


def may_be_closed(ledger: Ledger, asked: int, met: int) -> bool:
    """Return whether replay access may have been closed at some time from `asked` to `met`: a refusal is right then."""
    refused = {entry.of for entry in ledger.of(Action.ACCESS, Outcome.FAIL)}
    closed = False
    for entry in ledger.of(Action.ACCESS, Outcome.INTENT, Outcome.OK):
        if entry.data["open"] and entry.outcome is Outcome.OK and entry.seq < asked:
            closed = False
        elif not entry.data["open"] and entry.outcome is Outcome.INTENT and entry.seq not in refused:
            closed = closed or entry.seq < met
    return closed


def may_see_media(viewer: str, visit: str, recording: str, ledger: Ledger, asked: int, met: int) -> bool:
    """Return whether a viewer is entitled to a recording of a visit, between these two entries."""
    known = derive(ledger).visits.get(visit)
    item = Item("media", known.patient if known else "", visit, recording, asked=asked, met=met)
    return standing(viewer, item, ledger) == "entitled"


def _policy_of(ledger: Ledger) -> Policy:
    name = next((str(entry.data.get("policy", "")) for entry in ledger.of(Action.TRIAL)), "")
    if not name:
        return default
    module, _, attribute = name.partition(":")
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise UsageError(f"the target's policy {name} cannot be imported: {error}") from error
    if not callable(getattr(found, attribute, None)):
        hint = nearest(attribute, vars(found))
        raise UsageError(f"the target's policy {name}: module {module} has no function '{attribute}'{hint}")
    policy: Policy = getattr(found, attribute)
    return policy


def _moments(ledger: Ledger) -> tuple[int, ...]:
    """Return the entries right after which somebody may see more than before, or less."""
    changing = {Action.BOOK, Action.JOIN, Action.EMIT, Action.HAND_OVER, Action.WRITE, Action.SHARE, Action.REVOKE}
    return tuple(entry.seq + 1 for entry in ledger if entry.action in changing)


def _may_know(viewer: str, item: Item, ledger: Ledger) -> bool:
    """A name is known to whom its owner has met, shares with, or has a prescription at."""
    if _have_met(viewer, item.owner, item.met, ledger):
        return True
    visits = derive(ledger).visits
    for share in ledger.derived(_shares):
        parties = visits[share.visit].parties if share.visit in visits else set()
        if {viewer, item.owner} & {share.carer} and {viewer, item.owner} & parties and share.since < item.met:
            return True
    prescribed = (
        each for each in derive(ledger).writings.values() if each.what == "prescription" and viewer in each.to
    )
    return any(item.owner in visits[each.visit].parties for each in prescribed if each.visit in visits)


def _written_in(visit: str, ledger: Ledger) -> Iterator[Writing]:
    return (each for each in derive(ledger).writings.values() if each.visit == visit)


def _have_met(one: str, other: str, met: int, ledger: Ledger) -> bool:
    parts = ledger.derived(_parts)
    return any(_takes_part(one, visit, met, ledger) for visit, person in parts if person == other)


def _takes_part(person: str, visit: str, met: int, ledger: Ledger) -> bool:
    since = ledger.derived(_parts).get((visit, person))
    return since is not None and since < met


def _parts(ledger: Ledger) -> Mapping[tuple[str, str], int]:
    """Return visit and person -> the entry from which on they took part, may have, or were named as who will."""
    refused = {entry.of for entry in ledger if entry.outcome is Outcome.FAIL}
    parts: dict[tuple[str, str], int] = {}
    for entry in ledger:
        if entry.outcome is Outcome.FAIL or entry.seq in refused:
            continue
        for person in _named_in(entry):
            parts.setdefault((entry.data["visit"], person), entry.seq if entry.of is None else entry.of)
    return parts


def _named_in(entry: Entry) -> Iterator[str]:
    if entry.action in (Action.BOOK, Action.JOIN, Action.EMIT):
        yield entry.actor
    if entry.action in (Action.BOOK, Action.HAND_OVER):
        yield entry.data["clinician"]


def _is_shared_with(viewer: str, item: Item, ledger: Ledger) -> bool:
    for share in ledger.derived(_shares):
        is_it = share.recording == item.recording or not item.recording
        if share.carer != viewer or share.visit != item.visit or not is_it or share.since >= item.met:
            continue
        if share.until is None or share.until >= item.asked:
            return True
        if _at_s(ledger, item.asked) - share.until_s < grace_s(ledger):
            return True
    return False


def _shares(ledger: Ledger) -> tuple[_Share, ...]:
    refused = {entry.of for entry in ledger if entry.outcome is Outcome.FAIL}
    shares = []
    for entry in ledger.of(Action.SHARE, Outcome.INTENT):
        if entry.seq in refused:
            continue
        recording, carer = entry.data["recording"], entry.data["carer"]
        ends = (
            each
            for each in ledger.of(Action.REVOKE, Outcome.OK)
            if each.of is not None
            and each.of > entry.seq
            and (each.data["recording"], each.data["carer"]) == (recording, carer)
        )
        end = next(ends, None)
        until, until_s = (end.seq, end.at_s) if end else (None, 0.0)
        shares.append(_Share(entry.data["visit"], recording, carer, entry.seq, until, until_s))
    return tuple(shares)


def _at_s(ledger: Ledger, seq: int) -> float:
    """Return the second of an entry; what is still to come is later than everything."""
    return ledger[seq].at_s if seq < len(ledger) else float("inf")
