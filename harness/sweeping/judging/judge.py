"""Whether an answer shows its viewer something of somebody else's: the judgement behind `foreign_data`.

- An identifier, name or text of somebody else's in the status line, a header, or a body: **presented**.
- A file that is byte for byte one of somebody else's, though no canary in it was read: **opened**.
- A canary of somebody else's in media, a picture or a text: **proved**.

What the viewer sent in the request and finds again in the answer is an echo and accuses nobody, whatever the status: it
tells them nothing that they did not have. All else in the same answer does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from harness.canary import unpack
from harness.model import Degree, degree_rank, printable
from harness.sweeping.describing.document import collection_of
from harness.sweeping.judging.facts import ACCOUNT, LINK, NAME, Facts, Thing
from harness.sweeping.judging.known import kind_of
from harness.sweeping.judging.leaves import number
from harness.sweeping.judging.seeing import Answer, Eye, Heard, Seen

WORD = re.compile(r"[^\s/?&=\"',:;{}()\[\]\\]+")
FRACTION = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:e\+?[0-9]+)?")
NEVER_THERE = "was never there"
MAX_LEAKS = 50
"""Of one answer: a list of everybody's recordings is told by the worst of each owner's, and then of all."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: `shown` are all the texts of the request; `operation` is the method and the path's template."""

    operation: str
    method: str
    path: str
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leak:
    """One thing of somebody else's in one answer. Viewer and owner are accounts; no viewer is one not signed in."""

    operation: str
    viewer: str | None
    owner: str
    degree: Degree
    what: str
    where: str
    sentence: str
    value: str

    @property
    def key(self) -> tuple[str, str | None, str]:
        """What makes two leaks the same finding: operation, viewer, owner."""
        return self.operation, self.viewer, self.owner


def judge(facts: Facts, viewer: str | None, request: Request, answer: Answer, eye: Eye) -> tuple[list[Leak], Seen]:
    """Return what in an answer is somebody else's, and all that was seen in it."""
    seen = eye.look(answer)
    sent = Seen()
    for text in request.shown:
        sent.text(text, "request")
    bench = _Bench(facts, viewer, request)
    echoes = {value for text in request.shown for value in (*facts.index.find(text), *_words(text))}
    leaks = [
        *bench.identifiers(seen, echoes),
        *bench.texts(seen.canaries, {each.value for each in sent.canaries}),
        *bench.media(seen.canaries),
        *bench.files(seen.files),
    ]
    # First the worst of each owner: fifty identifiers of one must not hide the media of another.
    leaks.sort(key=lambda leak: -degree_rank(leak.degree))
    first: dict[str, Leak] = {}
    rest = [leak for leak in leaks if first.setdefault(leak.owner, leak) is not leak]
    return [*first.values(), *rest][:MAX_LEAKS], seen


def _words(text: str) -> Iterator[str]:
    """Yield a text's words, and its numbers as references are written."""
    for word in WORD.findall(text.lower()):
        yield word
        if FRACTION.fullmatch(word) and not word.isdecimal():
            yield number(float(word))


@dataclass(frozen=True, slots=True)
class _Bench:
    """Judges what one viewer was shown in answer to one request."""

    facts: Facts
    viewer: str | None
    request: Request

    def identifiers(self, seen: Seen, echoes: Collection[str]) -> Iterator[Leak]:
        """Yield each identifier, account and name of somebody's whom the viewer may not know of, once."""
        told = set(echoes)
        for value, where in self._named(seen):
            thing = self.facts.find(value)
            if thing and value not in told and not self.facts.may_see(self.viewer, thing):
                told.add(value)
                whose = self.facts.called(thing.owner)
                if thing.kind in (ACCOUNT, NAME):
                    what, why = f"{whose}'s {thing.kind} {thing.value}", f"has nothing to do with {whose}"
                else:
                    shown = "" if thing.kind == LINK else f" {thing.value}"
                    what, why = f"{whose}'s {thing.kind}{shown}", "has no part in it"
                yield self._leak(thing.owner, "presented", what, where, thing.value, why)

    def _named(self, seen: Seen) -> Iterator[tuple[str, str]]:
        """Yield each known value that stood somewhere; one that may be any number only where its kind was named."""
        collection, looked_at = collection_of(self.request.operation), set()
        for text, where in seen.texts:
            if text not in looked_at:
                looked_at.add(text)
                yield from ((value, where) for value in self.facts.index.find(text))
            for value, kind in self.facts.index.weak(text, where, collection):
                thing = self.facts.find(value)
                if thing and kind_of(thing.kind) == kind:
                    yield value, where

    def texts(self, canaries: Collection[Heard], echoes: Collection[int]) -> Iterator[Leak]:
        """Yield each 20-digit value that was written into a text, or is that of emitted media."""
        for heard in canaries:
            if heard.track != "text" or heard.value in echoes:
                continue
            digits = f"{heard.value:020d}"
            thing = self.facts.find(digits)
            if thing and not self.facts.may_see(self.viewer, thing):
                what = f"text that {self.facts.called(thing.owner)} wrote ({digits})"
                yield self._leak(
                    thing.owner, "proved", what, heard.where, digits, "has no part in what it was written in"
                )
            elif not thing and heard.value in self.facts.canaries:
                owner, visit = self.facts.canaries[heard.value]
                if not self.facts.may_hear(self.viewer, visit):
                    what = f"the canary {digits} of media that {self.facts.called(owner)} emitted in {visit}"
                    yield self._leak(owner, "presented", what, heard.where, digits, NEVER_THERE)

    def media(self, canaries: Collection[Heard]) -> Iterator[Leak]:
        """Yield each canary in sound or pictures that somebody emitted where the viewer never was."""
        for heard in canaries:
            if heard.track == "text":
                continue
            digits = f"{heard.value:020d}"
            if heard.value in self.facts.canaries:
                owner, visit = self.facts.canaries[heard.value]
                if not self.facts.may_hear(self.viewer, visit):
                    what = f"{heard.track} that {self.facts.called(owner)} emitted in {visit}"
                    yield self._leak(owner, "proved", what, heard.where, digits, NEVER_THERE)
            elif canary := unpack(heard.value):
                owner = f"user {canary.user} of run {canary.run}"
                yield self._leak(owner, "proved", f"{heard.track} of {owner}", heard.where, digits, NEVER_THERE)

    def files(self, files: Mapping[str, str]) -> Iterator[Leak]:
        """Yield each file that is byte for byte what somebody was served by the reference of what is theirs."""
        for digest, where in files.items():
            thing = self.facts.find(self.facts.files.get(digest, ""))
            if thing and not self._may_open(thing):
                what = f"the file of {self.facts.called(thing.owner)}'s {thing.kind} {thing.value}"
                yield self._leak(thing.owner, "opened", what, where, thing.value, "has no part in it")

    def _may_open(self, thing: Thing) -> bool:
        person = self.facts.people.get(self.viewer or "")
        if person and person.oversees:
            return self.viewer in thing.parties
        return self.facts.may_see(self.viewer, thing)

    def _leak(self, owner: str, degree: Degree, what: str, where: str, value: str, why: str) -> Leak:
        who = self.facts.called(self.viewer)
        verb = "showed" if degree == "presented" else "served"
        because = f"{who} {why}" if self.viewer else "it is not for everybody"
        # A key or a file's name may have lines that read like the sweep's own.
        what, where = (printable(text).replace("\n", "\\n") for text in (what, where))
        sentence = printable(f"{self.request.operation} {verb} {who} {what} in the {where}; {because}")
        return Leak(self.request.operation, self.viewer, owner, degree, what, where, sentence, value)
