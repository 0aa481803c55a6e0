"""Plays programs on one deployment, each as a fresh trial that is judged as in any run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field

from harness.explore.program import Program
from harness.explore.render import scenario_of
from harness.ledger import Ledger, Outcome
from harness.model import Finding, Trial, degree_rank
from harness.running.deployment import Deployment
from harness.running.engine import CONFIRM_S
from harness.running.rank import own
from harness.running.trial import Rig, TrialResult, conclude, judged, perform

AT_ONCE = 6
DIED = "the target died in the middle"


@dataclass(frozen=True, slots=True)
class Played:
    """A program with what became of it."""

    program: Program
    result: TrialResult
    ledger: Ledger

    @property
    def reason(self) -> Finding | None:
        """The worst that went wrong within the trial: of the first check that found something, the highest degree.

        None when nothing did, or all that leaked is other trials': that cannot be told again alone.
        """
        wrong = own(self.result.findings)
        first = [each for each in wrong if each.check == wrong[0].check]
        return max(first, key=lambda each: degree_rank(each.degree), default=None)


@dataclass(slots=True)
class Player:
    """Plays on one deployment. `stopped` says why nothing more can be played there, once that is so."""

    rig: Rig
    deployment: Deployment
    seed: int
    stopped: str = ""
    plays: int = 0
    known: dict[Program, Played] = field(default_factory=dict)

    async def play(self, program: Program, *, confirmed: bool = True) -> Played:
        """Play a program with fresh actors, and judge it.

        Unless it is `confirmed` the flag server is not asked whether it still serves the same afterwards: enough for
        what leaks, not for what is called valid.
        """
        self.plays += 1
        # A name of its own: canaries and consultations of an earlier play are another trial's.
        trial = Trial(f"explored {program.digest}, play {self.plays}", program.combination, self.seed)
        ledger = Ledger()
        await perform(trial, scenario_of(program, f"explored_{program.digest}"), self.rig, ledger)
        silent = any(entry.outcome is Outcome.UNKNOWN for entry in ledger)
        if silent and not await self.deployment.target.is_alive():
            self.stopped = self.stopped or DIED
        if not confirmed:
            return Played(program, judged(trial, ledger), ledger)
        unproved = await self.deployment.watch.confirm(time.monotonic(), CONFIRM_S)
        if unproved:
            self.stopped = self.stopped or f"the flags are no longer proved: {unproved}"
        return Played(program, conclude(trial, ledger, unproved=unproved or ""), ledger)

    async def play_all(self, programs: Iterable[Program]) -> AsyncGenerator[Played, None]:
        """Play programs, AT_ONCE at the same time, and yield each when it is judged; stop when `stopped`."""
        waiting = iter(programs)
        running: set[asyncio.Task[Played]] = set()
        try:
            while True:
                while len(running) < AT_ONCE and not self.stopped and (program := next(waiting, None)) is not None:
                    running.add(asyncio.create_task(self.play(program)))
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    played = task.result()
                    self.known[played.program] = played
                    yield played
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
