"""A hall of calls: the server's side in one process, with every file that came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.canary import Canary
from harness.clinic.base.store import Store
from harness.clinic.systems.calls import Calls
from harness.clinic.webrtc import tracks
from harness.clinic.webrtc.rooms import DEFAULT_LIMITS, Files, Limits
from harness.media import reading

from .callers import Caller, until

VISIT, SHARED = "visit-1", "hush"
STORED = "CREATE TABLE IF NOT EXISTS media (bytes {bytes}); CREATE TABLE IF NOT EXISTS chunks (bytes {bytes});"
MEDIA: tuple[tracks.Kind, ...] = ("audio", "video", "audio", "video")
CERTAIN_S = 1.7
"""Two periods of the canary in sound, and a little."""
ANN, BEA, CAT = (Canary(run=5, user=user, call=1, mode=0) for user in (1, 2, 3))
"""Neighbours in number speak in different slots of sound, so that a mix of two would show."""


@dataclass(slots=True)
class Hall:
    """The server's calls, and every file that came of them."""

    limits: Limits = DEFAULT_LIMITS
    files: list[Files] = field(default_factory=list)
    calls: Calls = field(init=False)

    def __post_init__(self) -> None:
        self.calls = Calls(Store(":memory:", STORED), self.keep, limits=self.limits)

    async def keep(self, files: Files) -> None:
        """Take the files of a participant's segment."""
        self.files.append(files)

    def caller(self, canary: Canary, name: str, medium: tracks.Kind = "audio") -> Caller:
        """Return a browser that has not called yet."""
        return Caller(canary, lambda sdp: self.calls.answer(VISIT, name, medium, sdp))

    @property
    def present(self) -> set[str]:
        """Who has a connection."""
        room = self.calls._rooms.get(VISIT)
        return set(room.peers) if room else set()

    def of(self, name: str) -> list[Files]:
        """Return one participant's files, oldest first."""
        return sorted((each for each in self.files if each.username == name), key=lambda each: each.starts_s)


def shown(data: bytes | None, kind: str) -> set[Canary]:
    """Return whose canaries a file shows; it must have one readable track of this kind, and no strange canary."""
    assert data is not None
    read = reading.read(data)
    assert (read.outcome, read.tracks) == ("canaries", (kind,)), read
    return {sighting.canary for sighting in read.canaries}


async def meet(a: Caller, b: Caller, *kinds: str) -> None:
    """From now on, wait until each has received the other's canary and as much sound as one takes for certain."""
    for caller in (a, b):
        caller.forget()
    await until(
        lambda: all(caller.heard_s > CERTAIN_S and caller.canaries(kind) for caller in (a, b) for kind in kinds)
    )
