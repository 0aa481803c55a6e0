"""Whether an answer shows its viewer something of somebody else's: the judgement behind `foreign_data`.

- An identifier, name or text of somebody else's in the status line, a header, or a body: **presented**.
- A file that is byte for byte one of somebody else's, though no canary in it was read: **opened**.
- A canary of somebody else's in media, a picture or a text: **proved**.

What the viewer sent in the request and finds again in the answer is an echo and accuses nobody, whatever the status: it
tells them nothing that they did not have. All else in the same answer does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from harness.model import Degree
from harness.sweeping.facts import LINK, TEXT, Facts, Thing
from harness.sweeping.seeing import Answer, Eye, Seen, canary_of

DEGREES: tuple[Degree, ...] = ("presented", "opened", "proved")
MAX_LEAKS = 50
"""Of one answer: a list of everybody's recordings is told by its first ones."""


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
    echoes = {token.lower() for token in sent.tokens}
    leaks = [
        *_identifiers(facts, viewer, request, seen.tokens, echoes),
        *_texts(facts, viewer, request, seen, {each.value for each in sent.canaries}),
        *_media(facts, viewer, request, seen),
        *_files(facts, viewer, request, seen),
    ]
    return leaks[:MAX_LEAKS], seen


def _identifiers(
    facts: Facts, viewer: str | None, request: Request, tokens: Mapping[str, str], echoes: Collection[str]
) -> list[Leak]:
    found: dict[str, Leak] = {}
    for token, where in tokens.items():
        thing = facts.find(token)
        if thing and thing.kind != TEXT and token.lower() not in echoes and not facts.may_see(viewer, thing):
            what = "a link" if thing.kind == LINK else f"the {thing.kind} {thing.value}"
            found.setdefault(
                thing.value, _leak(facts, request, viewer, thing.owner, "presented", what, where, thing.value)
            )
    return list(found.values())


def _texts(facts: Facts, viewer: str | None, request: Request, seen: Seen, echoes: Collection[int]) -> list[Leak]:
    """Judge 20-digit values in text: those that were written in this run, and canaries of media or of other runs."""
    leaks = []
    for heard in seen.canaries:
        if heard.track != "text" or heard.value in echoes:
            continue
        digits = f"{heard.value:020d}"
        thing = facts.find(digits)
        if thing and not facts.may_see(viewer, thing):
            what = f"text that {facts.called(thing.owner)} wrote ({digits})"
            leaks.append(_leak(facts, request, viewer, thing.owner, "proved", what, heard.where, digits))
        elif not thing and heard.value in facts.canaries:
            owner, visit = facts.canaries[heard.value]
            if not facts.may_hear(viewer, visit):
                what = f"the canary {digits} of media that {facts.called(owner)} emitted"
                leaks.append(_leak(facts, request, viewer, owner, "presented", what, heard.where, digits))
    return leaks


def _media(facts: Facts, viewer: str | None, request: Request, seen: Seen) -> list[Leak]:
    leaks = []
    for heard in seen.canaries:
        if heard.track == "text":
            continue
        digits = f"{heard.value:020d}"
        if heard.value in facts.canaries:
            owner, visit = facts.canaries[heard.value]
            if not facts.may_hear(viewer, visit):
                what = f"{heard.track} that {facts.called(owner)} emitted in {visit}"
                leaks.append(_leak(facts, request, viewer, owner, "proved", what, heard.where, digits))
        elif canary := canary_of(heard.value):
            owner = f"user {canary.user} of run {canary.run}"
            what = f"{heard.track} of {owner}, which is no run of these people"
            leaks.append(_leak(facts, request, viewer, owner, "proved", what, heard.where, digits))
    return leaks


def _files(facts: Facts, viewer: str | None, request: Request, seen: Seen) -> list[Leak]:
    leaks = []
    for digest, where in seen.files.items():
        thing = facts.find(facts.files.get(digest, ""))
        if thing and not _may_open(facts, viewer, thing):
            what = f"the file of {thing.kind} {thing.value}"
            leaks.append(_leak(facts, request, viewer, thing.owner, "opened", what, where, thing.value))
    return leaks


def _may_open(facts: Facts, viewer: str | None, thing: Thing) -> bool:
    person = facts.people.get(viewer or "")
    if person and person.oversees:
        return viewer in thing.parties
    return facts.may_see(viewer, thing)


def _leak(
    facts: Facts,
    request: Request,
    viewer: str | None,
    owner: str,
    degree: Degree,
    what: str,
    where: str,
    value: str,
) -> Leak:
    who, whose = facts.called(viewer), facts.called(owner)
    why = "which is not for everybody" if viewer is None else f"in nothing of which {who} has a part"
    sentence = f"{request.operation} showed {who} {what}: it is {whose}'s, {why} (in the {where})"
    return Leak(request.operation, viewer, owner, degree, what, where, sentence, value)


def worst(leaks: Collection[Leak]) -> Leak:
    """Return the leak of the highest degree."""
    return max(leaks, key=lambda leak: DEGREES.index(leak.degree))
