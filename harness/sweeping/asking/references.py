"""What can be asked for: values that answers brought, by the name of the place that they go to, and whose they are."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from harness.sweeping.describing.document import Document, Operation, singular
from harness.sweeping.judging.facts import ACCOUNT, LINK, NAME, TEXT, Facts, Thing, is_token
from harness.sweeping.wire.secret import is_secret

MAX_EACH = 400
MAX_DEPTH = 40
Value = str | int


class References:
    """Values by the name of their place (a parameter, a property), in the order in which they were first met."""

    def __init__(self, document: Document, facts: Facts) -> None:
        self._document = document
        self._facts = facts
        self._names = {place.name for operation in document.operations for place in operation.places}
        self._values: dict[str, list[Value]] = {}
        self.makers: dict[str, set[str]] = {}
        """Which creating operations bring values for places of a name."""
        self.full: set[str] = set()
        """Names of which more values than MAX_EACH were met."""

    def add(self, name: str, value: Value, *, is_newest: bool = False) -> None:
        """Remember a value for places of this name; the newest is what a call has just been answered with success."""
        values = self._values.setdefault(name, [])
        if is_newest and value in values:
            values.remove(value)
        if value in values:
            return
        if len(values) < MAX_EACH:
            values.append(value)
        else:
            self.full.add(name)

    def own(self, name: str, viewer: str) -> list[Value]:
        """Return the values that somebody may use, the newest first: theirs before what is nobody's."""
        values = self._values.get(name, [])
        theirs = [value for value in values if (thing := self._thing(value)) and self._facts.may_see(viewer, thing)]
        theirs.sort(key=lambda value: not self._is_at_home(value, viewer))
        return [*reversed(theirs), *(value for value in reversed(values) if self._thing(value) is None)]

    def foreign(self, name: str, viewer: str | None, draw: random.Random, each: int) -> list[tuple[Value, Thing]]:
        """Return values of things that somebody may not see, at most `each` of every owner and kind.

        The first of each come before the second of any.
        """
        found: dict[tuple[str, str], list[tuple[Value, Thing]]] = {}
        for value in self._values.get(name, []):
            thing = self._thing(value)
            if thing and not self._facts.may_see(viewer, thing):
                found.setdefault((thing.owner, thing.kind), []).append((value, thing))
        drawn = [draw.sample(pairs, min(each, len(pairs))) for pairs in found.values()]
        return [pair for turn in itertools.zip_longest(*drawn) for pair in turn if pair is not None]

    def _thing(self, value: Value) -> Thing | None:
        return self._facts.find(value) if isinstance(value, str) else None

    def _is_at_home(self, value: Value, viewer: str) -> bool:
        """True for what is somebody's by a part in it, and not by oversight."""
        thing = self._thing(value)
        return bool(thing and (viewer == thing.owner or viewer in thing.parties))

    def harvest(self, operation: Operation, document: Any) -> None:
        """Remember every value of a JSON answer that some place is named after, ids, and addresses of the API."""
        for name, value in self._named(operation, document):
            if operation.creates and value not in self._values.get(name, ()):
                self.makers.setdefault(name, set()).add(operation.label)
            self.add(name, value)
        for text in texts(document):
            self._address(text)

    def _named(self, operation: Operation, node: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, Value]]:
        if depth > MAX_DEPTH:
            return
        if isinstance(node, Mapping):
            for name, value in node.items():
                yield from self._named(operation, value, str(name), depth + 1)
        elif isinstance(node, list):
            for value in node:
                yield from self._named(
                    operation, value, singular(key) if key != "items" else operation.collection, depth + 1
                )
        elif isinstance(node, str | int) and not isinstance(node, bool) and str(node).split() == [str(node)]:
            name = operation.collection if key == "id" else key
            if is_secret(name):
                return
            for each in {name, name.removesuffix("_id"), name.removesuffix("Id")}:
                if each in self._names or key == "id":
                    yield each, node

    def _address(self, text: str) -> None:
        """Remember the parameters of an address of the API."""
        if text.count("/") > 1:
            for name, value in self._document.addressed(text):
                self.add(name, value)


def entitle(
    facts: Facts, operation: Operation, viewer: str | None, given: Collection[str], *, refused: bool
) -> list[Thing] | None:
    """Learn from the request of a call that changes something who has a part in what; `given` are all its values.

    Returns the things that the request named. Nothing is learnt, and None returned, of a call that was certainly
    refused, or that named anything which its viewer may not see: what it brought may be a leak.
    """
    if operation.is_safe or refused or viewer is None:
        return None
    named = [thing for value in given if (thing := facts.find(value))]
    theirs = [thing for thing in named if thing.kind not in (ACCOUNT, NAME)]
    if not all(facts.may_see(viewer, thing) for thing in theirs):
        return None
    people = {person.account for person in facts.named(given)} | {viewer}
    for thing in theirs:
        for account in people:
            facts.grant(thing, account)
    for account in people:
        facts.meet(viewer, account)
    return theirs


def learn(
    facts: Facts,
    document: Document,
    operation: Operation,
    viewer: str,
    given: Collection[str],
    theirs: list[Thing],
    answer: Any,
) -> list[str]:
    """Learn what a call has made, once its answer is judged; return the accounts of those whom only the answer named.

    `theirs` is what `entitle` returned, `answer` the answer's JSON, or None. An answer lets in nobody by naming them:
    it may be the leak. But who is public, or is known from a request to a patient with a part in it, has one, too.
    """
    people = {person.account for person in facts.named(given)} | {viewer}
    insiders = people.union(*((thing.owner, *thing.parties) for thing in theirs))
    private = [each for each in insiders if each in facts.people and not facts.people[each].is_public]
    shown = {person.account: person for person in facts.named(texts(answer))}
    known = {
        account
        for account, person in shown.items()
        if person.is_public or account in insiders or any(facts.has_met(account, each) for each in private)
    }
    made = _create(facts, document, operation, viewer, theirs, people | known, answer)
    for text in (thing for thing in theirs if thing.kind == TEXT):
        above = made or next((thing for thing in theirs if thing.kind != TEXT), None)
        if above is None:
            # A profile, a public note: who may read it is not known, so nobody is accused of reading it.
            facts.forget(text.value)
        else:
            text.within = above.value
    return sorted(shown.keys() - known) if made else []


def _create(
    facts: Facts,
    document: Document,
    operation: Operation,
    viewer: str,
    within: list[Thing],
    people: set[str],
    answer: Any,
) -> Thing | None:
    """Add what a call has made: each new id at the top of its answer, which people have a part in."""
    made = None
    if not isinstance(answer, Mapping):
        return made
    above = next((thing.value for thing in within if thing.kind != TEXT), None)
    above = above or next(
        (str(value) for key, value in answer.items() if key != "id" and _is_known(facts, viewer, value)), None
    )
    for key, value in answer.items():
        if not is_token(value) or is_secret(str(key)):
            continue
        if facts.find(value):
            if key == "id" and operation.creates and value not in people.union(thing.value for thing in within):
                facts.keep(Thing(value, operation.collection, viewer))
            continue
        if document.paths_of(value):
            for _, found in document.addressed(value):
                if is_token(found) and not facts.find(found):
                    facts.add(Thing(found, LINK, viewer, set(), within=None))
        elif key == "id" or key in ("recording", "uuid") or str(key).endswith(("_id", "Id")):
            kind = operation.collection if key == "id" else str(key)
            made = facts.add(Thing(value, kind, viewer, set(people), within=above))
    return made


def _is_known(facts: Facts, viewer: str, value: object) -> bool:
    """True for a thing that its viewer may see: what is made does not lie within what leaked beside it."""
    thing = facts.find(value) if isinstance(value, str) else None
    return thing is not None and thing.kind not in (ACCOUNT, NAME) and facts.may_see(viewer, thing)


def texts(node: Any, depth: int = 0) -> Iterator[str]:
    """Yield every string of a JSON document."""
    if depth > MAX_DEPTH:
        return
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from texts(value, depth + 1)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value, depth + 1)
