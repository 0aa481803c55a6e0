"""Shrinks a program that fails: Hypothesis makes it again from its seed, and plays smaller ones until none fails."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from harness.explore.interleave import Variants, generate
from harness.explore.play import Played, Player
from harness.explore.program import Program
from harness.model import Catalogue, Verdict

MAX_SHRINKS = 500
MAX_SHRINKING_S = 300.0
"""Hypothesis's own limits: there it stops and ends as if nothing smaller failed."""


class _Fails(Exception):
    """A program fails for the reason that is being shrunk."""


class _Halt(BaseException):
    """No more time: Hypothesis lets through what is no Exception."""


@dataclass(slots=True)
class Shrinking:
    """A failing program on its way to a smaller one. `is_smallest` once nothing smaller fails for the same reason.

    `seed` is that of the batch that held it. `plays` counts the programs that were played for it.
    """

    best: Played
    seed: int
    until_s: float
    catalogue: Catalogue
    onlooker: Callable[[Program, int], None]
    plays: int = 0
    is_smallest: bool = False
    _fails: dict[Program, bool] = field(default_factory=dict)
    _asked: concurrent.futures.Future[bool] | None = None
    _halted: bool = False

    async def run(self, player: Player, variants: Variants) -> None:
        """Shrink until nothing smaller fails, the time is over, or nothing more can be played."""
        loop, first = asyncio.get_running_loop(), self.best.program
        smaller, began_s = 0, time.monotonic()

        def deliver(program: Program) -> None:
            nonlocal smaller
            if program == first:
                self._fails[first] = True
            # Until the failing one comes by again, there comes what was played before it and did not fail.
            elif first in self._fails and program not in self._fails:
                self._fails[program] = self._ask(program, player, loop)
            if self._fails.get(program):
                smaller += 1  # at least as often as Hypothesis counts one
                raise _Fails

        try:
            is_ended = await asyncio.to_thread(_ended, partial(generate, variants, self.seed, deliver, shrinks=True))
            took_s = time.monotonic() - began_s
            self.is_smallest = is_ended and smaller < MAX_SHRINKS and took_s < MAX_SHRINKING_S
        finally:
            self._halted = True
            if self._asked:
                self._asked.cancel()

    def _ask(self, program: Program, player: Player, loop: asyncio.AbstractEventLoop) -> bool:
        """Ask from Hypothesis's thread whether a program fails for the same reason."""
        known = player.known.get(program)
        if known and known.result.verdict is Verdict.VALID:
            return False
        if self._halted or player.stopped or time.monotonic() >= self.until_s:
            raise _Halt
        self._asked = asyncio.run_coroutine_threadsafe(self._try(program, player), loop)
        try:
            return self._asked.result()
        except (TimeoutError, asyncio.CancelledError, concurrent.futures.CancelledError) as error:
            raise _Halt from error

    async def _try(self, program: Program, player: Player) -> bool:
        async with asyncio.timeout(max(0.0, self.until_s - time.monotonic())):
            played = await player.play(program, confirmed=False)
        self.plays += 1
        sought, reason = self.best.reason, played.reason
        if sought is None or reason is None or reason.check != sought.check:
            return False
        if program.size(self.catalogue) <= self.best.program.size(self.catalogue):
            self.best = played
            self.onlooker(program, self.plays)
        return True


def _ended(shrink: Callable[[], None]) -> bool:
    """Return True when Hypothesis came to its end with a program that fails."""
    try:
        shrink()
    except _Fails:
        return True
    except _Halt:
        pass
    return False
