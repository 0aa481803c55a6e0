"""Who listens to one process, and how far that process has read a table that several processes write."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from .errors import ApiError

POLL_S = 0.1
HEARTBEAT_S = 15.0
SETTLE_S = 5.0
BATCH = 500
MAX_AHEAD = 10_000
MAX_LISTENERS = 1_000
MAX_WAITING = 2 * BATCH
"""Two batches can be pushed before those who read have their turn: more wait for nobody who does."""

log = logging.getLogger("clinic")


class Position:
    """How far a table has been read by its automatic number.

    PostgreSQL gives a number when a row is written and shows the row when its transaction is committed, so that a
    lower number can appear after a higher one. A gap is therefore read again until its row is there, or until the
    rows behind it have been known for SETTLE_S: then whoever had taken the number has rolled back.
    """

    def __init__(self, read_to: int) -> None:
        """Begin behind the row `read_to`."""
        self.read_to = read_to
        self._ahead: dict[int, float] = {}

    @property
    def limit(self) -> int:
        """How many rows above `read_to` to read: those known behind a gap, and a batch of new ones."""
        return len(self._ahead) + BATCH

    def fresh(self, numbers: Iterable[int], now_s: float) -> set[int]:
        """Return which of these rows were not read before; they are the lowest above `read_to`."""
        unread = {number for number in numbers if number > self.read_to and number not in self._ahead}
        self._ahead |= dict.fromkeys(unread, now_s)
        for number in sorted(self._ahead):
            is_settled = now_s - self._ahead[number] >= SETTLE_S or len(self._ahead) > MAX_AHEAD
            if number != self.read_to + 1 and not is_settled:
                break
            self.read_to = number
            del self._ahead[number]
        return unread


@dataclass(slots=True, eq=False)
class Listener:
    """One open connection: whose it is, and what waits to be sent on it."""

    username: str
    region: str
    is_dropped: bool = False
    _waiting: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(MAX_WAITING))

    def put(self, message: str) -> bool:
        """Let a message wait; False when so many wait already that nobody can be reading them."""
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            return False
        return True

    async def messages(self) -> AsyncIterator[str]:
        """Give each message until the listener is dropped, and an empty one when there was none for HEARTBEAT_S."""
        while not self.is_dropped:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    message = await self._waiting.get()
            except TimeoutError:
                message = ""
            if not self.is_dropped:
                yield message


class Listeners:
    """All listeners of this process; the table is read while there are any."""

    def __init__(self) -> None:
        self._all: set[Listener] = set()
        self._posted = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    def require_room(self) -> None:
        """Refuse with 503 when too many listen."""
        if len(self._all) >= MAX_LISTENERS:
            raise ApiError(503, "too-many-listeners", f"At most {MAX_LISTENERS:,} listen at once; try again later.")

    def add(self, listener: Listener, reader: Callable[[], Callable[[], None]]) -> None:
        """Let somebody listen; 503 when too many do. `reader` makes what reads the table once, and pushes."""
        self.require_room()
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_on(reader()), name="notices")
        self._all.add(listener)

    def drop(self, listener: Listener) -> None:
        """Send nothing more to a listener; what waits for it is forgotten."""
        self._all.discard(listener)
        listener.is_dropped = True
        # This wakes who waits for a message; where many wait already, nobody does.
        listener.put("")

    def push(self, message: str, reaches: Callable[[Listener], bool]) -> None:
        """Send a message to those whom it reaches; a listener that does not read is dropped."""
        for listener in [each for each in self._all if reaches(each)]:
            if not listener.put(message):
                self.drop(listener)

    def wake(self) -> None:
        """Say that this process posts something; it is read once its transaction is committed."""
        self._posted.set()

    async def _read_on(self, read: Callable[[], None]) -> None:
        try:
            while self._all:
                read()
                await self._pause()
        except Exception:
            # Who is dropped comes again, and finds in the inbox what was not pushed.
            log.exception("cannot read what to push")
        finally:
            self._reading = None
            for listener in list(self._all):
                self.drop(listener)

    async def _pause(self) -> None:
        """Wait for what this process posts, at most POLL_S: other processes post, too."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._posted.wait()
        self._posted.clear()
