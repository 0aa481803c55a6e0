"""The first Ctrl-C or SIGTERM ends what goes on, the rest cut nothing short, and afterwards all is as before."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest

from harness.interruption import SIGNALS, interrupted_once, on_interrupt


@pytest.fixture(autouse=True)
def handlers() -> Iterator[list[object]]:
    """Return what signals do before a test, and let them do so after it."""
    before = [signal.getsignal(each) for each in SIGNALS]
    yield list(before)
    for each, handler in zip(SIGNALS, before, strict=True):
        signal.signal(each, handler)


@pytest.mark.parametrize("first", SIGNALS)
def test_the_first_interrupts_and_the_rest_do_nothing(first: signal.Signals, handlers: list[object]) -> None:
    """Cleaning up goes on to its end, whatever comes meanwhile."""
    cleaned = []

    def work() -> None:
        with interrupted_once():
            try:
                signal.raise_signal(first)
            finally:
                for each in SIGNALS:
                    signal.raise_signal(each)
                    cleaned.append(each)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert cleaned == list(SIGNALS)
    assert [signal.getsignal(each) for each in SIGNALS] == handlers


@pytest.mark.parametrize("first", SIGNALS)
def test_an_event_loop_is_told_once(first: signal.Signals) -> None:
    """What is to happen happens once, and to the command's last line nothing is cut short."""
    told: list[str] = []

    async def work() -> None:
        with on_interrupt(lambda: told.append("interrupted")):
            for each in (first, *SIGNALS):
                signal.raise_signal(each)
                await asyncio.sleep(0)
        signal.raise_signal(first)

    asyncio.run(work())
    assert told == ["interrupted"]
    assert [signal.getsignal(each) for each in SIGNALS] == [signal.SIG_IGN, signal.SIG_IGN]


def test_an_event_loop_that_nobody_interrupts_leaves_signals_as_they_were(handlers: list[object]) -> None:
    """The next Ctrl-C is for whoever comes next."""

    async def work() -> list[object]:
        with on_interrupt(lambda: None):
            pass
        return [signal.getsignal(each) for each in SIGNALS]

    with asyncio.Runner() as runner:
        during = runner.run(work())
    assert during[1] == handlers[1]
    assert [signal.getsignal(each) for each in SIGNALS] == handlers
