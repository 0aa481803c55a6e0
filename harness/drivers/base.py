"""Driver: one actor's hands on the target, whatever moves it (API, browser)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeGuard

from harness.errors import TargetError
from harness.model import Medium, Recording
from harness.redact import plain


@dataclass(frozen=True, slots=True)
class Live:
    """What a camera and a microphone that carry a canary show and play for as long as they are on.

    `canary` is the payload's 20 digits. `modules` are the rows of its QR code with the quiet zone, `1` for dark; none
    for sound alone. `pcm` is mono sound, 16 bits little-endian at `rate_hz`, that repeats without a seam.
    """

    canary: str
    modules: tuple[str, ...]
    pcm: bytes
    rate_hz: int


class Clip(Protocol):
    """Media that an actor emits: the bytes of a file and what they are."""

    @property
    def data(self) -> bytes:
        """The file."""

    @property
    def content_type(self) -> str:
        """Its media type, for example `video/webm` (RFC 2046)."""

    @property
    def sha256(self) -> str:
        """The file's SHA-256, in hexadecimal."""

    @property
    def caption(self) -> str:
        """Words that go with it, such as what is said in it; empty for none."""

    def live(self) -> Live:
        """Return the same canary for a camera that films for as long as a call lasts."""


class Driver(Protocol):
    """What one signed-in user can do. Every method raises TargetError when the target refuses or is silent.

    A consultation and a recording are named by the target's own references.
    """

    async def enrol(self) -> None:
        """Create the account and sign in."""

    async def features(self) -> Mapping[str, str]:
        """Return each flag's variant as the target evaluates it for this user: the in-band proof."""

    async def book(self, clinician: str, medium: Medium) -> str:
        """Book a consultation with the clinician's account; return its reference."""

    async def join(self, consultation: str) -> None:
        """Enter the call."""

    async def switch(self, consultation: str, medium: Medium) -> None:
        """Change the call's medium while it runs."""

    async def send(self, consultation: str, medium: Medium, clip: Clip) -> None:
        """Emit media into the call, and return when the target has acknowledged it."""

    async def leave(self, consultation: str) -> None:
        """Leave the call."""

    async def end(self, consultation: str) -> None:
        """End the call for everybody."""

    async def recordings(self, consultation: str) -> Sequence[Recording]:
        """Return what the target says was recorded in a consultation of one's own."""

    async def replays(self) -> Sequence[Recording]:
        """Return the whole replay list, pages followed to the end."""

    async def open(self, recording: str) -> bytes:
        """Return the bytes of a recording: asked for even where what stands beside them is refused."""

    async def close(self) -> None:
        """Let go of connections."""


class Shown(Protocol):
    """What a user was shown beside the entries of the replay list that was read last."""

    @property
    def badge(self) -> int | None:
        """How many replays the badge counted; None when there was no number."""

    @property
    def total(self) -> int | None:
        """How many entries the list itself said that it has; None when it did not say."""

    @property
    def titles(self) -> Mapping[str, str]:
        """What each recording on the list is called."""


class ShowsMore(Protocol):
    """A driver that was shown more than the list itself: what it saw is written down and judged with it."""

    def shown(self) -> Shown:
        """Return what came with the list of the last `replays`.

        Raises TargetError when the target was asked and did not answer: the list itself stands all the same.
        """


class KeepsEvidence(Protocol):
    """A driver with eyes: what it saw can be kept when a trial is not valid."""

    async def keep_evidence(self, directory: Path, foreign: Collection[str]) -> None:
        """Write what was seen into the directory, which exists; called once, before `close`.

        `foreign` has the recordings that this user met and that are somebody else's: they may be marked in a picture.
        """


def shows_more(driver: object) -> TypeGuard[ShowsMore]:
    """True for a driver that has `shown`, also by handing on to another: of that, isinstance() knows nothing."""
    return hasattr(driver, "shown")


def keeps_evidence(driver: object) -> TypeGuard[KeepsEvidence]:
    """True for a driver that has `keep_evidence`, also by handing on to another."""
    return hasattr(driver, "keep_evidence")


def shown_by(driver: Driver) -> dict[str, object]:
    """Return what came with a list as the ledger keeps it; no answer to that must not lose the list."""
    if not shows_more(driver):
        return {}
    try:
        shown = driver.shown()
    except TargetError as error:
        return {"unanswered": plain(str(error))}
    numbers = {"badge": shown.badge, "total": shown.total}
    for what, number in numbers.items():
        if number is not None and (type(number) is not int or number < 0):
            return {"unanswered": f"the {what} is {number!r}, which counts nothing"}
    return {**numbers, "titles": {str(recording): str(title) for recording, title in shown.titles.items()}}
