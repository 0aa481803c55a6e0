"""What is possible in a story so far: who is in which call, and which verbs a sound target grants or refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.explore.program import AtOnce, Book, Deed, Step, Verb
from harness.model import Medium

OTHER: dict[Medium, Medium] = {"audio": "video", "video": "audio"}
COMMUTING = frozenset({"join", "emit", "leave"})
"""Deeds of two people in one call whose order does not matter: a target grants both, whichever comes first."""
PRESENT = frozenset({"emit", "switch", "end"})
"""Deeds of somebody who is in the call: who is not, joins first."""


@dataclass(slots=True)
class Call:
    """A visit and the call that it becomes; `medium` is as it is when every switch was granted.

    `heard` has who emitted in which medium since they came: their media carry one canary, so once is enough. `knocked`
    has what was refused, and in which status: once is enough of that, too.
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
    knocked: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def parties(self) -> tuple[str, str]:
        """Whose visit it is."""
        return self.patient, self.clinician

    def would_grant(self, deed: Deed, actor: str) -> bool:
        """True when a sound target grants it to a party, who joins first if need be, and it adds anything."""
        if self.status == "ended":
            return False
        if deed == "hold":
            return self.status == "booked"
        if deed == "join":
            return actor not in self.present
        if deed == "leave":
            return actor in self.present
        return deed != "emit" or (actor, self.medium) not in self.heard

    def verb(self, deed: Deed, actor: str, *, switches: bool = False) -> Verb:
        """Return a verb of this visit; `switches` is for a hold, which its first actor leads."""
        if deed == "hold":
            other = self.clinician if actor == self.patient else self.patient
            return Verb(deed, self.number, (actor, other), OTHER[self.medium] if switches else None)
        if deed == "switch":
            return Verb(deed, self.number, (actor,), OTHER[self.medium], repeated=self.switched)
        return Verb(deed, self.number, (actor,))


class Calls:
    """The calls of a story as they are if a sound target has granted what it should."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def before(self, verb: Verb) -> list[Verb]:
        """Return what has to happen before a verb: who is not in the call joins, unless they are to be refused."""
        needs = verb.deed in PRESENT and not verb.refusable
        is_absent = verb.actors[0] not in self.calls[verb.visit].present
        return [Verb("join", verb.visit, verb.actors)] if needs and is_absent else []

    def take(self, step: Step) -> None:
        """Go on to where the calls are after a step."""
        if isinstance(step, Book):
            self.calls.append(Call(step.visit, step.patient, step.clinician, step.medium))
        elif isinstance(step, AtOnce):
            for verb in step.verbs:
                self._do(verb)
        else:
            self._do(step)

    def knock(self, call: Call, actor: str) -> Verb | None:
        """Return what a sound target refuses somebody: to a stranger the door, to a party what has ended or not begun.

        None for a party while the call is live, and for what was refused already.
        """
        is_party = actor in call.parties
        if is_party and call.status == "live":
            return None
        deed: Deed = "end" if is_party and call.status == "booked" else "join"
        if (call.status, deed, actor) in call.knocked:
            return None
        return Verb(deed, call.number, (actor,), refusable=True)

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
        if verb.refusable:
            call.knocked.add((call.status, verb.deed, actor))
        elif verb.deed == "join":
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
        else:
            call.status, call.present = "ended", []
            call.recorded = call.recorded or verb.deed == "hold"


def go_together(verbs: Sequence[Verb]) -> bool:
    """True when two verbs may start together: in different calls, or in one where their order does not matter.

    What is to be refused is tried on its own: there its refusal is expected, and nothing else's.
    """
    one, other = verbs
    if one.refusable or other.refusable:
        return False
    if one.visit != other.visit:
        return True
    return one.actors != other.actors and {one.deed, other.deed} <= COMMUTING
