"""What is asked as whom and in which order.

What destroys comes last: first everybody reads, then makes, then reads with own, foreign and no references; then what
changes something is tried on what is another's, then what ends or deletes, then on one's own; then all lists once more,
for a cache may leak from the second reading on; then generated cases; last what ends a session, and whoever oversees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.sweeping.asking.cases import Call, Cases
from harness.sweeping.asking.reach import How, Reach
from harness.sweeping.asking.references import References
from harness.sweeping.describing.document import Document, Harm, Operation
from harness.sweeping.judging.facts import Facts

Asked = tuple[Operation, str | None, How, Iterator[Call]]
"""An operation, as whom, how, and the calls to be tried."""


@dataclass(frozen=True, slots=True)
class Itinerary:
    """The steps of a tour; what comes later is made of what was learnt by then, and of what was reached."""

    document: Document
    facts: Facts
    references: References
    cases: Cases
    people: Sequence[str]
    reach: Mapping[str, Reach]

    def steps(self) -> Iterator[tuple[str, Iterable[Asked]]]:
        """Yield each step with its name."""
        everybody = [person for person in self.people if not self.facts.people[person].oversees]
        overseers = [person for person in self.people if self.facts.people[person].oversees]
        by_harm = sorted(self.document.operations, key=lambda each: (each.harm, -each.path.count("{")))
        safe = [each for each in by_harm if each.is_safe]
        lists = [each for each in safe if not each.of("path")]
        makes = [each for each in by_harm if Harm.NONE < each.harm < Harm.ENDS]
        ends = [each for each in by_harm if Harm.ENDS <= each.harm < Harm.ENDS_SESSION]
        leaves = [each for each in by_harm if each.harm is Harm.ENDS_SESSION]
        yield "everybody reads what they have", self._own(lists, self.people)
        yield "everybody makes what there is to make", self._own(makes, everybody)
        yield "once more, with fresh things, what nobody could make", self._afresh(makes, everybody)
        yield "everybody reads with references of their own", self._own(safe, self.people)
        yield "everybody reads with foreign references, and without signing in", self._foreign(safe)
        yield "everybody changes what is another's", self._foreign(makes)
        yield "everybody ends and deletes what is another's", self._foreign(ends)
        yield "everybody ends and deletes what is theirs", self._own(ends, everybody)
        yield "everybody reads what they have once more", self._own(lists, self.people)
        yield "generated cases that read", self._generated(safe)
        yield "generated cases that change", self._generated([*makes, *ends], everybody)
        yield "everybody leaves", self._own(leaves, everybody)
        yield "nobody leaves", self._foreign(leaves, [None])
        yield "the overseers act", self._own([*makes, *ends], overseers)
        yield "the overseers leave", self._own(leaves, overseers)

    def _own(self, operations: Iterable[Operation], people: Sequence[str]) -> Iterator[Asked]:
        for operation in operations:
            for person in people:
                yield operation, person, "own", self.cases.own(operation, person)

    def _afresh(self, operations: Iterable[Operation], people: Sequence[str]) -> Iterator[Asked]:
        """Ask for what nobody could do, after what it refers to was made anew: others may have used the old up."""
        known = {operation.label: operation for operation in self.document.operations}
        for operation in operations:
            if self.reach[operation.label].is_reached:
                continue
            for place in operation.places:
                for maker in sorted(self.references.makers.get(place.name, ())):
                    yield from self._own([known[maker]], people)
            yield from self._own([operation], people)

    def _foreign(self, operations: Iterable[Operation], people: Sequence[str | None] = ()) -> Iterator[Asked]:
        for operation in operations:
            for person in people or (*self.people, None):
                yield operation, person, "foreign", self.cases.foreign(operation, person)
                if person is None:
                    yield operation, None, "own", self.cases.plain(operation)

    def _generated(self, operations: Iterable[Operation], people: Sequence[str] = ()) -> Iterator[Asked]:
        for operation in operations:
            for person in (*(people or self.people), None):
                yield operation, person, "generated", self.cases.drawn(operation, person)
