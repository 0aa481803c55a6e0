"""A recording of a run's requests, and the script by which they can be sent again to another clinic.

A clinic hands out ids, tokens and cursors, so a request cannot be sent again as it was. The script knows of
each value in a request which earlier answer handed it out, and where in that answer's JSON it stood; whoever
plays the script puts the value in that the replayed answer has in the same place.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.drivers.api import Exchange

TOKEN = re.compile(r"([A-Za-z0-9_-]{8,})")
TRIAL = re.compile(r"-([0-9a-f]{8})-[0-9a-f]{5}-[0-9a-f]+~")
CURSOR = "next"
"""A cursor is a place in one user's list: the same text means another place to another user."""

Route = tuple[str | int, ...]
"""Where a value stands in a JSON document: the keys and indices that lead to it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A value in an answer: of which request of the trial, and where in its JSON."""

    step: int
    route: Route


Template = tuple[str | Place, ...]
"""Text with places to fill in."""


@dataclass(frozen=True, slots=True)
class Step:
    """A request to send: what it was answered, what is learnt from that, and which requests must be over before."""

    method: str
    path: Template
    headers: tuple[tuple[str, Template], ...]
    body: bytes | Template | None
    status: int
    learns: tuple[Place, ...]
    after: tuple[int, ...]


Script = Sequence[Step]
"""The requests of a trial, in the order in which they were sent."""


def write(path: Path, exchanges: Iterable[Exchange]) -> None:
    """Write exchanges as JSON Lines; of the answers, those that are JSON."""
    with path.open("w", encoding="utf-8") as file:
        for each in exchanges:
            row = {
                "actor": each.actor,
                "method": each.method,
                "path": each.path,
                "headers": dict(each.headers),
                "body": None if each.body is None else base64.b64encode(each.body).decode(),
                "status": each.status,
                "answer": each.answer.decode() if each.answer.startswith(b"{") else "",
                "began_s": each.began_s,
                "ended_s": each.ended_s,
            }
            file.write(json.dumps(row) + "\n")


def read(path: Path) -> list[Exchange]:
    """Read what `write` wrote."""
    exchanges = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            row["body"] = None if row["body"] is None else base64.b64decode(row["body"])
            row["answer"] = row["answer"].encode()
            exchanges.append(Exchange(**row))
    return exchanges


def scripts(exchanges: Sequence[Exchange]) -> list[Script]:
    """Return a script for each trial, in the order in which the trials began.

    The actors must be account names, which tell the trial. What belongs to no trial (the health check, the
    probes of the flags) makes a script for each actor.
    """
    trials: dict[str, list[Exchange]] = {}
    for each in sorted(exchanges, key=lambda each: each.began_s):
        found = TRIAL.search(each.actor)
        trials.setdefault(found[1] if found else each.actor, []).append(each)
    return [_script(trial) for trial in trials.values()]


@dataclass(slots=True)
class _Knowledge:
    """Which values the answers so far have handed out, and where; what a client made up itself is not among them."""

    made_up: set[str] = field(default_factory=set)
    handed_out: dict[tuple[str, str], Place] = field(default_factory=dict)
    used: dict[int, set[Place]] = field(default_factory=dict)

    def send(self, user: str, text: str) -> Template:
        """Return the text with the places from which its values came."""
        pieces: list[str | Place] = []
        for word in TOKEN.split(text):
            place = self.handed_out.get((user, word)) or self.handed_out.get(("", word))
            if place:
                self.used.setdefault(place.step, set()).add(place)
                pieces.append(place)
            elif word:
                self.made_up.add(word)
                pieces.append(word)
        return tuple(pieces)

    def answer(self, step: int, user: str, document: object) -> None:
        """Take in what an answer hands out: an id is known from its first answer, a cursor from the last."""
        for route, value in _leaves(document):
            if not TOKEN.fullmatch(value) or value in self.made_up:
                continue
            if route[-1] == CURSOR:
                self.handed_out[user, value] = Place(step, route)
            else:
                self.handed_out.setdefault(("", value), Place(step, route))


def _script(trial: Sequence[Exchange]) -> Script:
    """Go through a trial as it went, request by request and answer by answer."""
    knowledge = _Knowledge()
    sent: list[dict[str, Any]] = [{} for _ in trial]
    moments = [(each.began_s, True, at) for at, each in enumerate(trial)]
    moments += [(each.ended_s, False, at) for at, each in enumerate(trial)]
    for _, is_request, at in sorted(moments):
        each = trial[at]
        if is_request:
            sent[at] = {
                "path": knowledge.send(each.actor, each.path),
                "headers": tuple((name, knowledge.send(each.actor, text)) for name, text in each.headers.items()),
                "body": _body(knowledge, each),
            }
        elif each.answer.startswith(b"{"):
            knowledge.answer(at, each.actor, json.loads(each.answer))
    return [
        Step(
            method=each.method,
            status=each.status,
            learns=tuple(knowledge.used.get(at, ())),
            after=_after(trial, at),
            **sent[at],
        )
        for at, each in enumerate(trial)
    ]


def _body(knowledge: _Knowledge, each: Exchange) -> bytes | Template | None:
    if each.body is None or "json" not in each.headers.get("Content-Type", ""):
        return each.body
    template = knowledge.send(each.actor, each.body.decode())
    return template if any(isinstance(piece, Place) for piece in template) else each.body


def _after(trial: Sequence[Exchange], at: int) -> tuple[int, ...]:
    """Return the requests that were over when this one was sent, less those that follow from the others."""
    over = [other for other, each in enumerate(trial) if each.ended_s <= trial[at].began_s]
    latest_s = max((trial[other].began_s for other in over), default=0.0)
    return tuple(other for other in over if trial[other].ended_s > latest_s)


def _leaves(document: object, route: Route = ()) -> Iterator[tuple[Route, str]]:
    if isinstance(document, str):
        yield route, document
        return
    inside: Iterable[tuple[str | int, object]] = ()
    if isinstance(document, Mapping):
        inside = document.items()
    elif isinstance(document, list):
        inside = enumerate(document)
    for key, value in inside:
        yield from _leaves(value, (*route, key))
