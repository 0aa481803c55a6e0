"""Many looks of one kind as one line: a trial asks each surface of each recording, and mostly nothing comes of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from harness.ledger import Action, Entry, Outcome
from harness.planning.render import several
from harness.provenance import REPLAY_LIST

FOLDED = (Action.OPEN, Action.HEAR)


@dataclass(frozen=True, slots=True)
class Looks:
    """Entries of one actor that are alike: what was asked where, and how it ended."""

    entries: tuple[Entry, ...]

    @property
    def words(self) -> str:
        """What they are about, for several."""
        first = self.entries[0]
        surface = str(first.data["surface"]).replace("-", " ")
        if first.action is Action.HEAR:
            return f"hears {several(len(self.entries), 'message')} by {surface}"
        verb = "tries" if first.data.get("direct") else "looks at"
        return f"{verb} the {surface} of {several(len(self.entries), 'recording')}"


def folded(entries: Iterable[Entry], told: Collection[int]) -> Iterator[Entry | Looks]:
    """Yield entries in order, those that are alike at the place of the first; never those numbered in `told`.

    The replay list's own recordings are always told one by one.
    """
    alike: dict[tuple[object, ...], list[Entry]] = {}
    order: list[Entry | tuple[object, ...]] = []
    for entry in entries:
        key = _key(entry)
        if key is None or entry.seq in told:
            order.append(entry)
        else:
            if key not in alike:
                order.append(key)
            alike.setdefault(key, []).append(entry)
    for each in order:
        if isinstance(each, Entry):
            yield each
        else:
            found = alike[each]
            yield found[0] if len(found) == 1 else Looks(tuple(found))


def _key(entry: Entry) -> tuple[object, ...] | None:
    if entry.action not in FOLDED or entry.data.get("surface") == REPLAY_LIST or entry.outcome is Outcome.UNKNOWN:
        return None
    return entry.actor, entry.action, entry.data.get("surface"), entry.data.get("direct"), entry.outcome
