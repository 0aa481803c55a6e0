"""Entitlement: may somebody see an item, at the moment at which they met it? A target may have a policy of its own.

The default is generous, since accusation is strict: whoever took part may see what was made there, while and after they
did, and what may have happened counts for the viewer. A share counts from the moment at which it may have begun to the
one at which its end was acknowledged; while nobody knows whether it came before that end or after, it stands.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from harness.errors import UsageError, nearest
from harness.ledger import DEEDS, NOBODY, Action, Attempt, Entry, Ledger, Outcome
from harness.provenance import derive

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
    """A share that may stand: from its intent on, until a revocation of it was acknowledged in `ended`."""

    visit: str
    recording: str
    owner: str
    carer: str
    since: int
    ended: Entry | None


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
    if item.kind == "visit" and _is_addressed(viewer, item.visit, item.met, ledger):
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
    for moment in _given_to(viewer, ledger) if may_see is default else ledger.derived(_moments):
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
    opened, closed = ledger.derived(_switched)
    for close in closed:
        if close.done is None or close.done.seq >= asked:
            continue
        if all(each.is_over_before(close) for each in opened if each.begun.seq < met):
            return close.done if _is_past_grace(close.done, asked, ledger) else None
    return None


def may_be_closed(ledger: Ledger, asked: int, met: int) -> bool:
    """Return whether replay access may have been closed at some time from `asked` to `met`: a refusal is right then."""
    opened, closed = ledger.derived(_switched)
    return any(
        close.begun.seq < met
        and not any(close.is_over_before(each) and each.done and each.done.seq < asked for each in opened)
        for close in closed
    )


def revoked_by(carer: str, visit: str, recording: str, ledger: Ledger, asked: int) -> Entry | None:
    """Return the entry that last ended a share of a recording, or of any of its visit, with a carer before `asked`."""
    ends = [
        (share.recording == recording, share.ended.seq)
        for share in ledger.derived(_shares)
        if (share.carer, share.visit) == (carer, visit) and share.ended and share.ended.seq < asked
    ]
    return ledger[max(ends)[1]] if ends else None


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
    except (ImportError, ValueError, TypeError) as error:
        # The latter two are what the import says of a name that is empty or begins with a dot.
        raise UsageError(f"the target's policy {name} cannot be imported: {error}") from error
    if not callable(getattr(found, attribute, None)):
        hint = nearest(attribute, vars(found))
        raise UsageError(f"the target's policy {name}: module {module} has no function '{attribute}'{hint}")
    policy: Policy = getattr(found, attribute)
    return policy


def _moments(ledger: Ledger) -> tuple[int, ...]:
    """Return the entries right after which somebody may see more than before, or less."""
    return tuple(entry.seq + 1 for entry in ledger if entry.action in DEEDS)


def _given_to(viewer: str, ledger: Ledger) -> tuple[int, ...]:
    """Return the same moments of the default policy for one viewer: it takes nothing back but what was shared."""
    return tuple(share.since + 1 for share in ledger.derived(_shares) if share.carer == viewer)


def _switched(ledger: Ledger) -> tuple[list[Attempt], list[Attempt]]:
    """Return when replay access was opened for everybody, or may have been, and when it was closed."""
    switched = ledger.attempts(Action.ACCESS)
    opened = [each for each in switched if each.begun.data["open"]]
    return opened, [each for each in switched if not each.begun.data["open"]]


def _is_past_grace(ended: Entry, asked: int, ledger: Ledger) -> bool:
    return _at_s(ledger, asked) - ended.at_s > grace_s(ledger)


def _may_know(viewer: str, item: Item, ledger: Ledger) -> bool:
    """A name is known to whom its owner has met, shares with, or has a prescription at."""
    if _have_met(viewer, item.owner, item.met, ledger):
        return True
    visits = derive(ledger).visits
    for share in ledger.derived(_shares):
        givers = {share.owner} | (visits[share.visit].parties if share.visit in visits else set())
        is_between = (viewer == share.carer and item.owner in givers) or (
            item.owner == share.carer and viewer in givers
        )
        if is_between and share.since < item.met:
            return True
    return any(
        item.owner in known.parties and _is_addressed(viewer, visit, item.met, ledger)
        for visit, known in visits.items()
    )


def _is_addressed(person: str, visit: str, met: int, ledger: Ledger) -> bool:
    """Return whether something written in a visit was sent to somebody, or may have been."""
    since = ledger.derived(_addressed).get((visit, person))
    return since is not None and since < met


def _addressed(ledger: Ledger) -> Mapping[tuple[str, str], int]:
    """Return visit and person -> the entry from which on something written there may have been sent to them."""
    addressed: dict[tuple[str, str], int] = {}
    for each in ledger.attempts(Action.WRITE):
        for person in each.begun.data["to"]:
            addressed.setdefault((each.begun.data["visit"], person), each.begun.seq)
    return addressed


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
        if share.ended is None or share.ended.seq >= item.asked or not _is_past_grace(share.ended, item.asked, ledger):
            return True
    return False


def _shares(ledger: Ledger) -> tuple[_Share, ...]:
    revoked = ledger.attempts(Action.REVOKE)
    shares = []
    for share in ledger.attempts(Action.SHARE):
        data = share.begun.data
        recording, carer = data["recording"], data["carer"]
        ends = (
            each.done
            for each in revoked
            if (each.begun.data["recording"], each.begun.data["carer"]) == (recording, carer)
            and each.done
            and share.is_over_before(each)
        )
        ended = min(ends, key=lambda entry: entry.seq, default=None)
        shares.append(_Share(data["visit"], recording, share.begun.actor, carer, share.begun.seq, ended))
    return tuple(shares)


def _at_s(ledger: Ledger, seq: int) -> float:
    """Return the second of an entry; what is still to come is later than everything."""
    return ledger[seq].at_s if seq < len(ledger) else float("inf")
