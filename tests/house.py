"""A house with three actors whose drivers only remember: for what a story writes down, without any target."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from harness.canary import MODES
from harness.drivers.base import Clip, Live
from harness.ledger import Action, Ledger, Outcome
from harness.model import Medium, Recording, Wording
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

    async def film(self, number: int, call: int, medium: Medium, caption: str = "") -> tuple[str, Clip]:
        """Return a canary that names actor, call and medium."""
        canary = f"{number:08d}{call:08d}{'av'.index(medium[0]):04d}"
        return canary, File(canary.encode(), caption=caption)

    def write(self, number: int, call: int, what: Wording) -> tuple[str, str]:
        """Return a canary that names actor, call and kind, and it again as the word."""
        canary = f"{number:08d}{call:08d}{MODES.index(what):04d}"
        return canary, f"word{canary}"


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


class Able(Memory):
    """A driver with all the verbs that a target's hands may have."""

    takes_captions = True

    def introduce(self, name: str) -> None:
        """Be called so."""
        self.calls.append((self.account, "introduce", name))

    async def send(self, consultation: str, medium: Medium, clip: Clip) -> None:
        """Send, with the caption."""
        await self._do("send", consultation, medium, clip.caption)

    async def share(self, recording: str, carer: str) -> None:
        """Share."""
        await self._do("share", recording, carer)

    async def revoke(self, recording: str, carer: str) -> None:
        """Revoke."""
        await self._do("revoke", recording, carer)

    async def hand_over(self, consultation: str, clinician: str) -> None:
        """Hand over."""
        await self._do("hand-over", consultation, clinician)

    async def prescribe(self, consultation: str, medicine: str) -> None:
        """Prescribe."""
        await self._do("prescribe", consultation, medicine)

    async def choose_pharmacy(self, pharmacist: str) -> None:
        """Choose."""
        await self._do("choose", pharmacist)

    async def measure(self, words: str) -> None:
        """Measure."""
        await self._do("measure", words)

    async def switch_replays(self, *, is_open: bool) -> None:
        """Open or close."""
        await self._do("replays", "open" if is_open else "closed")


Role = TypeVar("Role", bound=Actor)


class House:
    """Alice, Bob and Chen on a stage of their own, and others who come when they are asked for."""

    def __init__(self, driver: type[Memory] = Memory) -> None:
        self.driver = driver
        self.ledger = Ledger()
        self.registry = Register(1)
        self.registry.learn("con-9", "t2", "visit-5")
        self.calls: list[tuple[str, ...]] = []
        self.errors: dict[str, Exception] = {}
        self.stage = Stage("t1", self.ledger, Camera(), self.registry)
        self.alice, self.bob = self.actor(Patient, "alice", 0), self.actor(Patient, "bob", 1)
        self.chen = self.actor(Clinician, "chen", 2)

    def actor(self, role: type[Role], name: str, number: int) -> Role:
        """Return somebody on this stage."""
        account = f"{name}-t1"
        return role(name, number, account, self.driver(account, self.calls, self.errors), self.stage)

    def outcomes(self, action: Action) -> list[Outcome]:
        """Return how the calls of a kind went, intents included."""
        return [entry.outcome for entry in self.ledger.of(action, *Outcome)]


def play(story: Callable[[House], Awaitable[None]], driver: type[Memory] = Memory) -> House:
    """Play a story in a new house."""
    house = House(driver)

    async def told() -> None:
        await story(house)

    asyncio.run(told())
    return house
