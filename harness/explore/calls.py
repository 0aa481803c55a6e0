"""What is possible in a story so far: who is in which call, and which verbs a sound target grants or refuses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from harness.explore.program import CLINICIANS, MAX_ACTORS, MAX_VISITS, PATIENTS, AtOnce, Book, Deed, Step, Verb
from harness.model import Medium

OTHER: dict[Medium, Medium] = {"audio": "video", "video": "audio"}
COMMUTING = frozenset({"join", "emit", "leave"})
"""Deeds of two people in one call whose order does not matter: a target grants both, whichever comes first."""


@dataclass(slots=True)
class Call:
    """A visit and the call that it becomes; `medium` is as it is when every switch was granted.

    `heard` has who emitted in which medium since they came: their media carry one canary, so once is enough.
    """

    number: int
    patient: str
    clinician: str
    medium: Medium
    status: str = "booked"
    present: list[str] = field(default_factory=list)
    recorded: bool = False
    switched: bool = False
    heard: set[tuple[str, Medium]] = field(default_factory=set)

    @property
    def parties(self) -> tuple[str, str]:
        """Whose visit it is."""
        return self.patient, self.clinician


class Calls:
    """The calls of a story as they are if a sound target has granted what it should."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    @property
    def cast(self) -> tuple[str, ...]:
        """Everybody who has appeared."""
        return tuple(dict.fromkeys(name for call in self.calls for name in call.parties))

    def patients(self) -> list[str]:
        """Return who may book next: the patients who have appeared, and the next new one.

        New ones appear in the order of their names, so that no two programs differ in names alone.
        """
        return _with_next(PATIENTS, self.cast, room=MAX_ACTORS - len(self.cast))

    def clinicians(self, patient: str) -> list[str]:
        """Return with whom a patient may book next, in the same way."""
        known = {*self.cast, patient}
        return _with_next(CLINICIANS, known, room=MAX_ACTORS - len(known))

    @property
    def may_book(self) -> bool:
        """True while another visit may be booked."""
        return len(self.calls) < MAX_VISITS

    def fresh(self) -> list[Call]:
        """Return the calls that nobody has entered: these may be held as a whole."""
        return [call for call in self.calls if call.status == "booked"]

    def granted(self, deed: Deed) -> list[Verb]:
        """Return every verb of a deed other than `hold` that a sound target grants, or refuses by its flags alone."""
        return [verb for call in self.calls if call.status != "ended" for verb in _granted(call, deed)]

    def refused(self) -> list[Verb]:
        """Return verbs that a sound target refuses: to strangers, after the end, before the beginning."""
        return [verb for call in self.calls for verb in _refused(call, self.cast)]

    def beside(self, verb: Verb) -> list[Verb]:
        """Return what may start together with a verb: anything in another call, in the same what commutes with it."""
        found = [each for call in self.fresh() for each in holds(call)]
        for deed in ("join", "emit", "switch", "leave", "end"):
            found += self.granted(deed)
        return [each for each in found if _go_together(verb, each)]

    def take(self, step: Step) -> None:
        """Go on to where the calls are after a step."""
        if isinstance(step, Book):
            self.calls.append(Call(step.visit, step.patient, step.clinician, step.medium))
        elif isinstance(step, AtOnce):
            for verb in step.verbs:
                self._do(verb)
        elif not step.refusable:
            self._do(step)

    def closing(self) -> list[Verb]:
        """Return the verbs that end every call in which something was recorded: until then it is nobody's replay."""
        verbs: list[Verb] = []
        for call in self.calls:
            if call.recorded and call.status != "ended":
                if not call.present:
                    verbs.append(Verb("join", call.number, (call.patient,)))
                verbs.append(Verb("end", call.number, ((call.present or [call.patient])[0],)))
        return verbs

    def _do(self, verb: Verb) -> None:
        call = self.calls[verb.visit]
        actor = verb.actors[0]
        if verb.deed == "join":
            call.status = "live"
            call.present.append(actor)
        elif verb.deed == "emit":
            call.recorded = True
            call.heard.add((actor, call.medium))
        elif verb.deed == "leave":
            call.present.remove(actor)
            call.heard -= {(actor, medium) for medium in OTHER}
        elif verb.deed == "switch":
            call.medium, call.switched = OTHER[call.medium], True
        elif verb.deed == "hold":
            call.recorded, call.status = True, "ended"
        else:
            call.status, call.present = "ended", []


def holds(call: Call) -> list[Verb]:
    """Return the ways to hold a call that nobody has entered: who leads it, and whether the leader switches."""
    leads = (call.parties, call.parties[::-1])
    return [Verb("hold", call.number, lead, medium) for medium in (None, OTHER[call.medium]) for lead in leads]


def _with_next(names: tuple[str, ...], known: Collection[str], *, room: int) -> list[str]:
    """Return the known of these names, and the first that is not known where there is room for one."""
    found = [name for name in names if name in known]
    return found + [name for name in names if name not in known][: min(room, 1)]


def _granted(call: Call, deed: Deed) -> list[Verb]:
    if deed == "join":
        return [Verb(deed, call.number, (actor,)) for actor in call.parties if actor not in call.present]
    if deed == "emit":
        return [Verb(deed, call.number, (actor,)) for actor in call.present if (actor, call.medium) not in call.heard]
    medium = OTHER[call.medium] if deed == "switch" else None
    repeated = deed == "switch" and call.switched
    return [Verb(deed, call.number, (actor,), medium, repeated) for actor in call.present]


def _refused(call: Call, cast: tuple[str, ...]) -> list[Verb]:
    deeds: tuple[Deed, ...] = ("join", "end") if call.status == "ended" else ("end",)
    strangers = [actor for actor in cast if actor not in call.parties]
    verbs = [(deed, actor) for deed in deeds for actor in call.parties if call.status != "live"]
    verbs += [("join", actor) for actor in strangers] if call.status != "ended" else []
    return [Verb(deed, call.number, (actor,), refusable=True) for deed, actor in verbs]


def _go_together(one: Verb, other: Verb) -> bool:
    if one.visit != other.visit:
        return True
    return one.actors != other.actors and {one.deed, other.deed} <= COMMUTING
