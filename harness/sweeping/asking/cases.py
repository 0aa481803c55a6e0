"""Cases: what is asked of an operation, made of Schemathesis's generated values with known references put in."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.core import NOT_SET

from harness.sweeping.asking.patterns import matches
from harness.sweeping.asking.references import References, Value, texts
from harness.sweeping.describing.document import Operation, Place
from harness.sweeping.describing.source import first_line
from harness.sweeping.judging.facts import Facts, Thing

ATTEMPTS = 16
"""How many ways an operation is tried with one's own references until one is answered with success."""
CANDIDATES = 8
FOREIGN_EACH = 2
MAX_FOREIGN = 24
"""How many foreign references of each owner and kind somebody tries at one operation, and how many in all."""
MIN_TEXT = 24
GUESSES = ("a", "e", "1")


@dataclass(frozen=True, slots=True)
class Call:
    """One case to be sent. `given` are all of its values as texts; `thing` is the foreign one that it refers to."""

    operation: Operation
    case: Any = field(repr=False)
    given: tuple[str, ...]
    named: tuple[tuple[str, Value], ...] = ()
    thing: Thing | None = None

    @property
    def in_path(self) -> tuple[str, ...]:
        """The values in its path."""
        return tuple(str(value) for value in self.case.path_parameters.values())


class Cases:
    """Makes calls. `write` returns a fresh 20-digit text of somebody's, to be recognised wherever it turns up."""

    def __init__(
        self, facts: Facts, references: References, write: Callable[[str], str], *, seed_: int, examples: int
    ) -> None:
        self._facts = facts
        self._references = references
        self._write = write
        self._seed = seed_
        self._examples = examples
        self._draw = random.Random(seed_)  # noqa: S311 - which references are tried is no secret
        self._generated: dict[str, list[Any]] = {}
        self.shortened: set[str] = set()
        """Operations at which there were more foreign references than MAX_FOREIGN."""
        self.failed: dict[str, str] = {}
        """Why no case could be generated, by operation."""
        self._later = itertools.count(1)

    def generated(self, operation: Operation) -> list[Any]:
        """Return Schemathesis's cases of an operation, the simplest first; none where its schemas allow none."""
        if operation.label not in self._generated:
            self._generated[operation.label], why = _generate(operation, self._seed, self._examples)
            if why:
                self.failed[operation.label] = why
        return self._generated[operation.label]

    def own(self, operation: Operation, viewer: str) -> Iterator[Call]:
        """Yield an operation in up to ATTEMPTS ways with what its viewer may refer to, the likeliest first."""
        wanted = [place for place in operation.places if place.required or self._is_worth(place, viewer)]
        candidates = {place: self._candidates(place, operation, viewer) for place in wanted}
        if any(place.required and not found for place, found in candidates.items() if place.where != "body"):
            return
        tried: list[dict[Place, Any]] = []
        for attempt, full in enumerate(itertools.islice(_diagonal(candidates), ATTEMPTS)):
            # An optional reference may be what is refused: each choice is made with it and without.
            bare = {place: value for place, value in full.items() if place.required}
            for values in (full, bare):
                if values not in tried and len(tried) < ATTEMPTS:
                    tried.append(values)
                    yield self._call(operation, values, attempt)

    def foreign(self, operation: Operation, viewer: str | None) -> Iterator[Call]:
        """Yield an operation with each kind of reference that its viewer may not use, in each place that takes one."""
        known = [
            [(place, *pair) for pair in self._references.foreign(place.name, viewer, self._draw, FOREIGN_EACH)]
            for place in operation.places
        ]
        # By turns, so that no place of many owners takes all the tries.
        found = [each for turn in itertools.zip_longest(*known) for each in turn if each is not None]
        if len(found) > MAX_FOREIGN:
            self.shortened.add(operation.label)
        for place, value, thing in found[:MAX_FOREIGN]:
            others = [each for each in operation.places if each is not place and each.required]
            # The other references are those of the foreign thing's owner, or its own would not lead to it.
            chosen = {
                each: self._candidates(each, operation, viewer if viewer and each.where == "body" else thing.owner)[:1]
                for each in others
            }
            values = {each: options[0] for each, options in chosen.items() if options}
            if all(each in values for each in others if each.where == "path"):
                yield self._call(operation, {**values, place: value}, 0, thing)

    def plain(self, operation: Operation) -> Iterator[Call]:
        """Yield an operation as somebody calls it who knows nothing: with the simplest generated case."""
        for case in self.generated(operation)[:1]:
            yield self._of(operation, case)

    def page(self, call: Call, name: str, mark: str) -> Call:
        """Return a call for another page of what a call asked for: with a mark in one parameter of its query."""
        case = call.operation.api.Case(
            path_parameters=dict(call.case.path_parameters), query={**call.case.query, name: mark}
        )
        return self._of(call.operation, case)

    def drawn(self, operation: Operation, viewer: str | None) -> Iterator[Call]:
        """Yield Schemathesis's cases; every other one with a reference of the viewer's own in the path."""
        for number, case in enumerate(self.generated(operation)):
            path = dict(case.path_parameters)
            if number % 2 and viewer:
                own = {place.name: self._references.own(place.name, viewer) for place in operation.of("path")}
                path |= {name: values[0] for name, values in own.items() if values}
            copied = operation.api.Case(
                path_parameters=path,
                query=dict(case.query),
                headers=dict(case.headers),
                body=case.body,
                media_type=case.media_type,
            )
            yield self._of(operation, copied)

    def _is_worth(self, place: Place, viewer: str) -> bool:
        """True for what is left out by default but can be said: a reference in a body, a free text."""
        if place.where != "body":
            return False
        return bool(self._references.own(place.name, viewer)) or is_free_text(place.schema)

    def _candidates(self, place: Place, operation: Operation, viewer: str) -> list[Any]:
        schema = place.schema
        if schema.get("type") == "boolean":
            # What is switched is rather switched on: the target may be there for others afterwards.
            return [True, False] if place.required else []
        if "enum" in schema or "const" in schema:
            return list(schema.get("enum", ())) if place.where == "body" and place.required else []
        if schema.get("format") in ("date-time", "date"):
            return [_future(next(self._later), schema["format"])]
        known = [value for value in self._references.own(place.name, viewer)[:CANDIDATES] if fits(value, schema)]
        are_things = any(isinstance(value, str) and self._facts.find(value) for value in known)
        examples = [*schema.get("examples", ())][:2] or [schema[key] for key in ("example",) if key in schema]
        if place.where == "body" and is_free_text(schema) and not are_things:
            return [self._text(viewer, schema), *examples]
        if schema.get("type") == "string" and "pattern" in schema and len(known) < CANDIDATES:
            accounts = self._facts.acquaintances(viewer)
            known += [each for each in accounts if each not in known and fits(each, schema)]
        if not known and place.where == "query":
            known = [guess for guess in GUESSES if fits(guess, schema)]
        drawn = [self._drawn_value(place, case) for case in self.generated(operation)]
        others = [*examples, *[value for value in drawn if value is not None][:2]]
        mixed = [each for pair in itertools.zip_longest(known, others) for each in pair if each is not None]
        return mixed if place.where == "body" else [*known, *others]

    def _drawn_value(self, place: Place, case: Any) -> Any:
        held = {"path": case.path_parameters, "query": case.query, "body": case.body}[place.where]
        return held.get(place.name) if isinstance(held, Mapping) else None

    def _text(self, viewer: str, schema: Mapping[str, Any]) -> str:
        digits = self._write(viewer)
        return f"sweep {digits}" if schema.get("maxLength", 200) >= 26 else digits

    def _call(
        self, operation: Operation, values: Mapping[Place, Any], attempt: int, thing: Thing | None = None
    ) -> Call:
        drawn = self.generated(operation)
        base = drawn[min(attempt, len(drawn) - 1)] if drawn else None
        path = dict(base.path_parameters) if base else {}
        body = base.body if base else NOT_SET
        if operation.of("body") and isinstance(body, Mapping):
            known = {place.name for place in operation.of("body") if place.required}
            body = {key: value for key, value in body.items() if key in known}
        query: dict[str, Any] = {}
        for place, value in values.items():
            if place.where == "path":
                path[place.name] = value
            elif place.where == "query":
                query[place.name] = value
            elif isinstance(body, dict) or body is NOT_SET:
                body = {**(body if isinstance(body, dict) else {}), place.name: value}
        case = operation.api.Case(
            path_parameters=path, query=query, body=body, media_type=base.media_type if base else None
        )
        return self._of(operation, case, thing, named=tuple((place.name, value) for place, value in values.items()))

    def _of(
        self, operation: Operation, case: Any, thing: Thing | None = None, named: tuple[tuple[str, Value], ...] = ()
    ) -> Call:
        body = case.body if isinstance(case.body, Mapping | list | str) else ""
        words = list(texts([dict(case.path_parameters), dict(case.query), body]))
        # A text carries its digits among words; the digits alone are what is known.
        digits = [found for word in words for found in re.findall(r"(?<!\d)\d{20}(?!\d)", word)]
        return Call(operation, case, tuple(dict.fromkeys([*words, *digits])), named, thing)


def _diagonal(candidates: Mapping[Place, Sequence[Any]]) -> Iterator[dict[Place, Any]]:
    """Yield choices of a value for each place, those first that take the likeliest values in all places."""
    offered = [(place, found[:CANDIDATES]) for place, found in candidates.items() if found]
    last = sum(len(found) - 1 for _, found in offered)
    for total in range(min(last, ATTEMPTS) + 1):
        for indices in _summing(total, [len(found) for _, found in offered]):
            yield {place: found[index] for (place, found), index in zip(offered, indices, strict=True)}


def _summing(total: int, sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield the index tuples below `sizes` that sum to `total`."""
    if not sizes:
        if total == 0:
            yield ()
        return
    for index in range(min(total, sizes[0] - 1) + 1):
        for rest in _summing(total - index, sizes[1:]):
            yield (index, *rest)


def is_free_text(schema: Mapping[str, Any]) -> bool:
    """True for a string that may be anything and is long enough for a text that is recognised."""
    is_text = schema.get("type") == "string" and not schema.keys() & {"pattern", "format", "enum", "const"}
    return is_text and schema.get("maxLength", 200) >= MIN_TEXT


def fits(value: Value, schema: Mapping[str, Any]) -> bool:
    """Return whether a value may stand where a schema is, as far as type, pattern and length tell."""
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return isinstance(value, int)
    if kind == "string" or kind is None:
        pattern, length = schema.get("pattern"), schema.get("maxLength")
        if not isinstance(value, str) or (isinstance(length, int) and len(value) > length):
            return False
        return not isinstance(pattern, str) or matches(pattern, value)
    return False


def _future(number: int, form: str) -> str:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1, minutes=number)
    return at.isoformat() if form == "date-time" else at.date().isoformat()


def _generate(operation: Operation, seed_: int, examples: int) -> tuple[list[Any], str]:
    """Let Schemathesis generate valid cases; return them, and why it stopped when it did before its time."""
    cases: list[Any] = []

    @seed(seed_)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(operation.api.as_strategy())
    def collect(case: Any) -> None:
        cases.append(case)

    try:
        collect()
    except Exception as error:  # noqa: BLE001 - such as of a schema that nothing satisfies: the rest goes on
        return cases, first_line(error)
    return cases, ""
