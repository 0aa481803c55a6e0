"""Ctrl-C and SIGTERM end what goes on alike: the first of them, in order, and those that follow cut nothing short."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Let the first SIGINT or SIGTERM raise KeyboardInterrupt within the block; the rest are ignored to its end.

    Afterwards both do what they did before. Outside the main thread, where Python takes no signals, it does nothing.
    """

    def interrupt(_number: int, _frame: object) -> None:
        _ignore()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, interrupt) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def on_interrupt(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` in the running event loop at the first SIGINT or SIGTERM within the block.

    From then on both are ignored, also after the block: what came of the work is still to be written and told, and
    the command ends with that. If none came, both do what they did before.
    """
    loop = asyncio.get_running_loop()
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if interrupted:  # two that came at the same moment are both on their way already
            return
        interrupted = True
        act()

    before = {each: signal.getsignal(each) for each in SIGNALS}
    for each in SIGNALS:
        loop.add_signal_handler(each, interrupt)
    try:
        yield
    finally:
        # Without a handler a signal ends the process: one that comes in between waits until there is one again.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for each, handler in before.items():
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_IGN if interrupted else handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _ignore() -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
