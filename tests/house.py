"""A house with three actors whose drivers only remember: for what a story writes down, without any target."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from harness.drivers.base import Clip, Live
from harness.ledger import Action, Ledger, Outcome
from harness.model import Medium, Recording
from harness.running.register import Register
from harness.scenario import Actor, Clinician, Patient, Stage


@dataclass(slots=True)
class File:
    """A clip."""

    data: bytes
    content_type: str = "video/webm"
    sha256: str = ""
    caption: str = ""

    def live(self) -> Live:
        """Return nothing to film: no driver here has a camera."""
        return Live("", (), b"", 0)


class Camera:
    """Films clips whose bytes are their own canaries."""

    async def film(self, number: int, call: int, medium: Medium) -> tuple[str, Clip]:
        """Return a canary that names actor, call and medium."""
        canary = f"{number:08d}{call:08d}{'av'.index(medium[0]):04d}"
        return canary, File(canary.encode())


@dataclass(slots=True)
class Memory:
    """A driver to a target that keeps all it is told in a list, and fails where it is told to."""

    account: str
    calls: list[tuple[str, ...]]
    errors: dict[str, Exception] = field(default_factory=dict)

    async def _do(self, *call: str) -> None:
        await asyncio.sleep(0)
        if error := self.errors.get(call[0]):
            raise error
        self.calls.append((self.account, *call))

    async def enrol(self) -> None:
        """Sign up."""
        await self._do("enrol")

    async def features(self) -> dict[str, str]:
        """Return no flags."""
        return {}

    async def book(self, clinician: str, medium: Medium) -> str:
        """Return a consultation named after the number of bookings."""
        await self._do("book", clinician, medium)
        return f"con-{sum(call[1] == 'book' for call in self.calls)}"

    async def join(self, consultation: str) -> None:
        """Enter."""
        await self._do("join", consultation)

    async def switch(self, consultation: str, medium: Medium) -> None:
        """Switch."""
        await self._do("switch", consultation, medium)

    async def send(self, consultation: str, medium: Medium, clip: Clip) -> None:
        """Send."""
        await self._do("send", consultation, medium, clip.data.decode())

    async def leave(self, consultation: str) -> None:
        """Leave."""
        await self._do("leave", consultation)

    async def end(self, consultation: str) -> None:
        """End."""
        await self._do("end", consultation)

    async def recordings(self, consultation: str) -> Sequence[Recording]:
        """Return nothing."""
        await self._do("recordings", consultation)
        return []

    async def replays(self) -> Sequence[Recording]:
        """Return one's own recording and one of an unknown consultation."""
        await self._do("replays")
        return [Recording("rec-1", "con-1", "video"), Recording("rec-9", "con-9", "audio")]

    async def open(self, recording: str) -> bytes:
        """Return nothing."""
        await self._do("open", recording)
        return b""

    async def close(self) -> None:
        """Let go of nothing."""


Role = TypeVar("Role", bound=Actor)


class House:
    """Alice, Bob and Chen on a stage of their own."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.registry = Register(1)
        self.registry.learn("con-9", "t2", "visit-5")
        self.calls: list[tuple[str, ...]] = []
        self.errors: dict[str, Exception] = {}
        self.stage = Stage("t1", self.ledger, Camera(), self.registry)
        self.alice, self.bob = self._actor(Patient, "alice", 0), self._actor(Patient, "bob", 1)
        self.chen = self._actor(Clinician, "chen", 2)

    def _actor(self, role: type[Role], name: str, number: int) -> Role:
        account = f"{name}-t1"
        return role(name, number, account, Memory(account, self.calls, self.errors), self.stage)

    def outcomes(self, action: Action) -> list[Outcome]:
        """Return how the calls of a kind went, intents included."""
        return [entry.outcome for entry in self.ledger.of(action, *Outcome)]


def play(story: Callable[[House], Awaitable[None]]) -> House:
    """Play a story in a new house."""
    house = House()

    async def told() -> None:
        await story(house)

    asyncio.run(told())
    return house
