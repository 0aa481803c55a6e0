"""How far a sweep came: who was answered what, and where the answers decide nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.drivers.refusal import NOT_A_REFUSAL
from harness.sweeping.describing.document import Harm, Operation

How = Literal["story", "own", "foreign", "generated"]
UNAUTHORISED = 401


@dataclass(slots=True)
class Reach:
    """How an operation was reached: the statuses that came, of each actor (None: not signed in) and each way."""

    statuses: dict[tuple[str | None, How], dict[int, int]] = field(default_factory=dict)

    def add(self, viewer: str | None, how: How, status: int) -> None:
        """Count an answer; 0 is none."""
        counted = self.statuses.setdefault((viewer, how), {})
        counted[status] = counted.get(status, 0) + 1

    def undecided(self, *, is_read: bool) -> Counter[int]:
        """Return how many answers, by status, say nothing of what their reader may see: see NOT_A_REFUSAL.

        Of what is another's, errors and silence (0) do neither; of one's own they are a fault of the target's. That one
        is not signed in (401) decides for whoever is not, and where something is done: it may be about what was sent.
        """
        found = Counter[int]()
        for (viewer, how), counted in self.statuses.items():
            for status, times in counted.items():
                is_refused = status in NOT_A_REFUSAL and (status != UNAUTHORISED or (is_read and viewer is not None))
                is_lost = how == "foreign" and (status >= 500 or not status)
                if how in ("own", "foreign") and (is_refused or is_lost):
                    found[status] += times
        return found

    def by(self, viewer: str | None) -> bool:
        """True when the actor was answered with success with what they may refer to."""
        return any(
            200 <= status < 300
            for (who, how), counted in self.statuses.items()
            if who == viewer and how in ("story", "own")
            for status in counted
        )

    @property
    def is_reached(self) -> bool:
        """True when anybody who is signed in was; where nobody has to be, anybody at all."""
        return any(self.by(viewer) for viewer, _ in self.statuses)


def blind_spots(operations: Iterable[Operation], reach: Mapping[str, Reach]) -> Iterator[str]:
    """Yield what was asked and not decided: a target that was too busy to refuse has not refused."""
    for operation in operations:
        left = reach[operation.label].undecided(is_read=operation.is_safe)
        if left and operation.harm is not Harm.ENDS_SESSION:  # who has left is rightly unknown afterwards
            told = ", ".join(f"{times:,} times {status or 'no answer'}" for status, times in sorted(left.items()))
            yield f"{operation.label}: {told}: whether it would have been refused is not known"
