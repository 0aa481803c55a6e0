"""The run's register: who every canary and every consultation of this run belongs to."""

from __future__ import annotations

from harness.canary import RUN_BITS, USER_BITS, Canary, new_run
from harness.errors import HarnessError
from harness.model import Role

MAX_CAST = 1 << 24
"""256 run numbers of 65,536 users: more than any plan needs, and few of 2**20, so that two runs seldom share one."""


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

    def elsewhere(self, consultation: str, trial: str) -> str | None:
        """Return another trial's visit that a consultation is, in words; None for one's own or an unknown one."""
        known = self._consultations.get(consultation)
        return f"{known[1]} of trial {known[0]}" if known and known[0] != trial else None
