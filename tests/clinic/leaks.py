"""Stories that show each planted flaw: told in a flawed clinic something leaks, told word for word in a sound one not.

A story is a generator of observations, each a sentence and whether it is true. `leaks` names the flaw and the
sentences that come true with it; all others must stay untrue.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.clinic import flaws
from harness.clinic.flaws import Flaw
from harness.media import reading

from .canaries import clip
from .flag_server import FlagServer
from .people import ACCESS, Answer, Deployment, User

Observation = tuple[str, bool]
GLOBAL = ("recorder-transcode", "fast-sessions")
"""Flags that are asked for nobody in particular: they stand in the flag server's snapshot, not in usernames."""

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a story is told: a clinic, the server of its flags, and the flags that everybody in the story has."""

    clinic: Deployment
    server: FlagServer
    flags: tuple[str, ...] = (ACCESS,)

    def patient(self, name: str, **about: str) -> User:
        """Let a patient appear."""
        return self.clinic.user(name, *self.flags, **about)

    def clinician(self, name: str, **about: str) -> User:
        """Let a clinician appear."""
        return self.clinic.user(name, *self.flags, role="clinician", **about)

    def pharmacist(self, name: str, pharmacy: str) -> User:
        """Let somebody appear who works at a pharmacy."""
        return self.clinic.user(name, *self.flags, role="pharmacist", pharmacy=pharmacy)


@dataclass(frozen=True, slots=True)
class Case:
    """A flaw, the story that shows it, and which of its sentences come true with the flaw."""

    flaw: Flaw
    story: Callable[[Stage], Iterator[Observation]]
    leaks: frozenset[str]

    def told_on(self, stage: Stage) -> set[str]:
        """Tell the story and return the sentences that came true."""
        return {sentence for sentence, is_true in self.story(stage) if is_true}

    def flags(self, *, toggled: str | None = None) -> tuple[str, ...]:
        """Return the flags that wake the flaw, as they stand in usernames; one of them may be toggled."""
        variants = {ACCESS: "on", **self.flaw.flags}
        if toggled:
            variants[toggled] = "off" if variants[toggled] != "off" else "on"
        given = [(flag, variant) for flag, variant in variants.items() if flag not in GLOBAL and variant != "off"]
        return tuple({"replay-paging": f"paging-{v}", "composite-layout": v}.get(flag, flag) for flag, v in given)

    def for_all(self, *, toggled: str | None = None) -> tuple[str, ...]:
        """Return the flags of the clinic itself that wake the flaw; one of them may be toggled."""
        return tuple(flag for flag in GLOBAL if flag in self.flaw.flags and flag != toggled)


CASES: list[Case] = []


def leaks(flaw: str, *sentences: str) -> Callable[[Callable[[Stage], Iterator[Observation]]], None]:
    """Register a story of this flaw, of which exactly these sentences come true when it is planted."""

    def register(story: Callable[[Stage], Iterator[Observation]]) -> None:
        CASES.append(Case(flaws.find(flaw), story, frozenset(sentences)))

    return register


def meet(patient: User, clinician: User, medium: str = "video") -> str:
    """Let two meet in a live consultation; return its id."""
    visit = patient.book(clinician, medium)
    for each in (patient, clinician):
        each.ok(f"/consultations/{visit}/join")
    return visit


def end(visit: str, by: User) -> list[str]:
    """End a consultation and wait for the recorder; return the ids of its recordings."""
    by.ok(f"/consultations/{visit}/end")
    return [item["id"] for item in by.finished(visit)]


def recorded(patient: User, clinician: User, person: int, *, medium: str = "video", caption: str = "") -> str:
    """Hold a whole consultation in which the patient shows and says this person's number; return the recording."""
    visit = meet(patient, clinician, medium)
    recording = patient.record(visit, clip(person, "video" if medium == "video" else "audio"), medium, caption)
    end(visit, patient)
    return recording


def shown(answer: Answer) -> set[int]:
    """Return whose numbers are heard or seen in what was served; nobody's when it was refused."""
    if answer.status != 200:
        return set()
    return {sighting.canary.user for sighting in reading.read(answer.body).canaries}


def plays(user: User, recording: str) -> set[int]:
    """Return whom somebody hears or sees when they play a recording; nobody when they may not."""
    return shown(user.get(f"/replays/{recording}/media"))


def lists(user: User) -> set[str]:
    """Return the ids of the first page of somebody's replays; none when they may not see the list."""
    answer = user.get("/replays")
    return {item["id"] for item in answer.json["items"]} if answer.status == 200 else set()


def new_number() -> str:
    """Return a member number that nobody has."""
    return f"member-{next(_numbers)}"
