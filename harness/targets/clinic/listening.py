"""What the clinic pushes to one user: their notices as they are posted, by both of its channels at once.

The clinic lets 1,000 listen to one of its processes, which is more than the 192 of 16 trials with six people each.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from harness.drivers.api import ApiSession
from harness.drivers.channels import Channel
from harness.drivers.surfaces import Hear
from harness.errors import TargetError
from harness.targets.clinic.surfaces import pages, parsed

READY_S = 20.0
COMES_S = 5.0
"""How long a notice that stands in the inbox may take to be pushed: the clinic looks for new ones each 0.1 s."""
INBOX = "/notices"
LIVE_UPDATES, EVENT_STREAM = "live-updates", "event-stream"
READY = {"type": "ready"}


class Listening:
    """The channels of one user who is signed in, open from `begin` until `end` or `close`."""

    def __init__(self, session: ApiSession, hear: Hear) -> None:
        self._session = session
        self._hear = hear
        self._changed = asyncio.Event()
        self._channels: dict[str, Channel] = {}
        self._ready: set[str] = set()
        self._came: dict[str, set[str]] = {LIVE_UPDATES: set(), EVENT_STREAM: set()}
        self._known: set[str] = set()

    async def begin(self) -> None:
        """Open both channels, and return when both are; what stands in the inbox by then need not come.

        Raises TargetError when one cannot be had, and leaves none open.
        """
        token = self._session.headers.get("Authorization", "").partition(" ")[2]
        hello = json.dumps({"token": token})
        self._channels = {
            LIVE_UPDATES: self._session.websocket(
                "/notices/live", hello, lambda words: self._take(LIVE_UPDATES, words), self._changed.set
            ),
            EVENT_STREAM: self._session.events(
                "/notices/stream", lambda words: self._take(EVENT_STREAM, words), self._changed.set
            ),
        }
        try:
            await self._until(lambda: len(self._ready) == len(self._channels), READY_S)
            self._require_open()
            for name in self._channels:
                if name not in self._ready:
                    raise TargetError(f"{name}: not open within {READY_S:g} s", definite=False)
            self._known = await self._inbox()
        except BaseException:
            await self.close()
            raise

    async def end(self) -> None:
        """Wait until all that came into the inbox since `begin` has come by each channel, and close them.

        Raises TargetError, not definite, when a channel broke, or when something did not come within COMES_S.
        """
        try:
            owed = await self._inbox() - self._known
            await self._until(lambda: all(owed <= came for came in self._came.values()), COMES_S)
            self._require_open()
            for name, came in self._came.items():
                if missing := owed - came:
                    what = f"{len(missing)} of {len(owed)} notices did not come within {COMES_S:g} s"
                    raise TargetError(f"{name}: {what}, the first {min(missing)}", definite=False)
        except TargetError as error:
            # What was pushed is not known then, even where the clinic has an answer to something else.
            raise TargetError(str(error), definite=False, status=error.status, code=error.code) from error
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the channels; harmless when they are."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))

    def _take(self, name: str, words: str) -> None:
        self._changed.set()
        try:
            message = json.loads(words)
        except ValueError:
            message = None  # words all the same: whoever hears them judges them
        if message == READY:
            self._ready.add(name)
            return
        if isinstance(message, dict):
            self._came[name].add(str(message.get("id")))
        self._hear(name, words)

    def _require_open(self) -> None:
        for name, channel in self._channels.items():
            if broke := channel.broke:
                raise TargetError(f"{name}: {broke}", definite=broke.definite, status=broke.status, code=broke.code)

    async def _inbox(self) -> set[str]:
        bodies = await pages(self._session.send, INBOX)
        return {str(item["id"]) for body in bodies for item in parsed(INBOX, body)["items"]}

    async def _until(self, is_so: Callable[[], bool], within_s: float) -> None:
        """Wait until it is so, a channel broke, or the time is over; which of them is for the caller to see."""
        try:
            async with asyncio.timeout(within_s):
                while not (is_so() or any(channel.broke for channel in self._channels.values())):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return
