"""The budget holds for what is played alone, too."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import cast

import pytest

from harness.explore.explorer import Explorer
from harness.explore.play import Played, Player
from harness.explore.program import Program
from harness.explore.tally import Onlooker, Tally
from harness.running.settings import Settings

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


class Silent:
    """Looks on and says nothing."""

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
