"""What is played alone: the budget holds for it, and what it shows counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import cast

import pytest

from harness.explore.command import exit_code
from harness.explore.explorer import MAX_TRIALS, Explorer
from harness.explore.play import Played, Player
from harness.explore.program import Program
from harness.explore.tally import Onlooker, Tally
from harness.ledger import Ledger
from harness.model import Trial, Verdict
from harness.running.outcome import ExitCode
from harness.running.settings import Settings
from harness.running.trial import TrialResult

from .made import clinic, programs, variants
from .test_shrink import judged

FAILED = judged(programs()[0], "foreign-media")


@dataclass
class Hanging:
    """Plays and never comes to an end."""

    stopped: str = ""

    async def play(self, program: Program, *, confirmed: bool = True) -> Played:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError(program, confirmed)


@dataclass
class Overloaded:
    """Has no verdict on what is played among others, and finds something when it is told again alone."""

    check: str
    stopped: str = ""
    plays: int = 0
    known: dict[Program, Played] = field(default_factory=dict)

    async def play_all(self, programs: Iterable[Program]) -> AsyncGenerator[Played, None]:
        """Judge the first program alone: nobody knows; then nothing more can be played."""
        program = next(iter(programs))
        self.plays = MAX_TRIALS
        yield Played(program, TrialResult(Trial("x", program.combination), Verdict.UNKNOWN, (), 0.0), Ledger())

    async def play(self, program: Program, *, confirmed: bool = True) -> Played:
        """Find what is to be found; nothing is left to be played, so that no smaller program is looked for."""
        assert confirmed
        self.stopped = "that was all" if self.check else ""
        return judged(program, self.check)


class Silent:
    """Looks on and says nothing."""

    def tried(self, tally: Tally) -> None:
        """Hear of a trial."""

    def found(self, played: Played, tally: Tally) -> None:
        """Hear of a failure."""


def explorer(budget_s: float) -> Explorer:
    """Return an exploration that begins now."""
    return Explorer(Settings(), clinic(), time.monotonic(), budget_s, cast("Onlooker", Silent()))


def test_a_trial_that_hangs_alone() -> None:
    """What failed is kept, and not said to fail alone, when the budget ends before that is known."""
    exploring = explorer(0.2)
    seeds = {FAILED.program: 0}
    settling = exploring._choose_and_shrink(cast("Player", Hanging()), variants(), seeds, [FAILED])
    assert asyncio.run(asyncio.wait_for(settling, 30.0)) is False
    assert exploring.leak is not None
    assert (exploring.leak.smallest, exploring.leak.alone) == (FAILED, False)


@pytest.mark.parametrize("budget_s", [0.0, 0.2])
def test_no_time_is_no_answer(budget_s: float) -> None:
    """A budget that is over does not say that a failure was not seen again."""

    async def ended() -> None:
        with pytest.raises(TimeoutError):
            await explorer(budget_s)._fails_alone(cast("Player", Hanging()), FAILED, confirmed=True)

    asyncio.run(asyncio.wait_for(ended(), 30.0))


def test_a_leak_that_shows_when_it_is_told_again() -> None:
    """What had no verdict among others and leaks alone has leaked."""
    exploring = explorer(60.0)
    player = cast("Player", Overloaded("foreign-media"))
    asyncio.run(exploring._play(player, variants(), exploring.ends_s))
    assert exploring.leak is not None
    assert exploring.leak.first.result.verdict is Verdict.INVALID
    assert (exploring.unknown, exit_code(exploring)) == ([], ExitCode.INVALID)


def test_what_is_sound_when_it_is_told_again() -> None:
    """What had no verdict among others and is valid alone counts as valid."""
    exploring = explorer(60.0)
    asyncio.run(exploring._play(cast("Player", Overloaded("")), variants(), exploring.ends_s))
    assert exploring.leak is None
    assert (exploring.tally.trials, exploring.tally.valid, exploring.tally.unsteady) == (1, 1, 1)
