"""One real Chromium for the tests, on an event loop like that of a run: uvloop, and not on the main thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import uvloop

from harness.canary import Canary
from harness.drivers.base import Live
from harness.drivers.browser import Chromium, Session
from harness.media.clips import clip
from harness.model import Medium

from .pages import Site

LIMIT_S = 90.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Hands:
    """A Chromium for a site, and the loop on which it is used."""

    site: Site
    chromium: Chromium
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do the work on the loop's thread and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(LIMIT_S)

    async def visitor(self, actor: str = "alice", live: Live | None = None) -> Session:
        """Return a session that has loaded the page, its camera showing a canary if one is given."""
        session = await self.chromium.session(actor)
        await session.visit("/")
        if live:
            await session.show(live)
        return session


@contextmanager
def running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop on a thread of its own for as long as the block lasts."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def canary(user: int, medium: Medium = "video", call: int = 0) -> Canary:
    """Return the canary of a user in a medium."""
    return Canary(run=7, user=user, call=call, mode=("audio", "video").index(medium))


def live(user: int, medium: Medium = "video", call: int = 0) -> Live:
    """Return what a camera shows of the user's canary in a medium."""
    return clip(canary(user, medium, call), medium).live()
