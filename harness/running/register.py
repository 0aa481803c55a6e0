"""The run's register: who every canary and every consultation of this run belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.canary import RUN_BITS, USER_BITS, Canary, new_run, pack
from harness.canary.text import Fragments, find, inscribe
from harness.canary.unescape import readings
from harness.errors import HarnessError
from harness.model import Role

MAX_CAST = 1 << 24
"""256 run numbers of 65,536 users: more than any plan needs, and few of 2**20, so that two runs seldom share one."""
MIN_NUMBER_DIGITS = 12
"""A consultation that is a plain number of fewer digits is not looked for in words, which are full of such."""

_REF = re.compile(r"[A-Za-z0-9_-]+")
_OTHER_REF = re.compile(r"""[^\s"'`<>()\[\]{},;&?=|\\]+={0,2}""")


@dataclass(frozen=True, slots=True)
class Written:
    """A canary that stands in words, whole or cut: its value, 20 digits, and in words whose it is."""

    value: str
    owner: str


class Register:
    """Numbers the actors of a run, and tells their canaries and consultations apart across its trials.

    A canary's user has 16 bits: a run of more actors takes the run numbers that follow the first. Patients have
    even numbers and all others odd ones: the number's parity is the slot in which they are heard, so that the two
    who talk in a call stay readable when the target mixes them.
    """

    def __init__(self, first_run: int | None = None) -> None:
        self._first_run = new_run() if first_run is None else first_run
        self._actors: dict[int, tuple[str, str]] = {}
        self._next = {0: 0, 1: 1}
        self._consultations: dict[str, tuple[str, str]] = {}
        self._fragments = Fragments()
        self._has_other_refs = False

    @property
    def run(self) -> int:
        """The first run number in this run's canaries."""
        return self._first_run

    def enrol(self, trial: str, actor: str, role: Role = "patient") -> int:
        """Return a number for an actor of a trial, which no other actor of the run has."""
        parity = 0 if role == "patient" else 1
        number = self._next[parity]
        if number >= MAX_CAST:
            raise HarnessError(f"a run has at most {MAX_CAST:,} actors")
        self._next[parity] += 2
        self._actors[number] = trial, actor
        return number

    def canary(self, number: int, call: int, mode: int) -> Canary:
        """Return what the actor with this number emits in a call."""
        run = (self._first_run + (number >> USER_BITS)) % (1 << RUN_BITS)
        return Canary(run, number & (1 << USER_BITS) - 1, call, mode)

    def inscribe(self, number: int, call: int, mode: int) -> str:
        """Return a word that carries the canary of the actor with this number; `words` knows it when it is cut."""
        token = inscribe(self.canary(number, call, mode))
        self._fragments.learn(token)
        return token

    def words(self, text: str) -> list[Written]:
        """Return every different canary in a text, also under JSON, HTML or URL escapes; cut ones only of this run."""
        found: dict[Canary, None] = {}
        for reading in readings(text):
            found |= dict.fromkeys(inscription.canary for inscription in find(reading))
            found |= dict.fromkeys(self._fragments.find(reading))
        return [Written(f"{pack(canary):020d}", self.owner(canary)) for canary in found]

    def owner(self, canary: Canary) -> str:
        """Return in words who emitted a canary: an actor of a trial of this run, or somebody of another run."""
        number = (canary.run - self._first_run) % (1 << RUN_BITS) << USER_BITS | canary.user
        if number in self._actors:
            trial, actor = self._actors[number]
            return f"{actor} of trial {trial}"
        return f"user {canary.user} of run {canary.run}"

    def learn(self, consultation: str, trial: str, visit: str) -> None:
        """Remember that a trial booked a consultation."""
        self._consultations[consultation] = (trial, visit)
        self._has_other_refs = self._has_other_refs or not _REF.fullmatch(consultation)

    def consultations_in(self, text: str, trial: str) -> tuple[tuple[str, str | None], ...]:
        """Return the consultations of this run that a text names, each once, with what `elsewhere` says of it.

        A name is a whole run of letters, digits, `_` and `-`; where the target's names hold more than that, also what
        stands between spaces, quotes, brackets and what parts a list or a query. Linear in the text.
        """
        found: dict[str, None] = {}
        for reading in readings(text):
            for name in self._names(reading):
                if name in self._consultations and not (name.isdecimal() and len(name) < MIN_NUMBER_DIGITS):
                    found[name] = None
        return tuple((name, self.elsewhere(name, trial)) for name in found)

    def elsewhere(self, consultation: str, trial: str) -> str | None:
        """Return another trial's visit that a consultation is, in words; None for one's own or an unknown one."""
        known = self._consultations.get(consultation)
        return f"{known[1]} of trial {known[0]}" if known and known[0] != trial else None

    def _names(self, text: str) -> Iterator[str]:
        for match in _REF.finditer(text):
            yield match[0]
        if self._has_other_refs:
            for match in _OTHER_REF.finditer(text):
                yield match[0].rstrip(".:!")
