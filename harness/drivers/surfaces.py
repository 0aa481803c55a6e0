"""Surfaces: where a target's user can meet media or data, beside the replay list and a recording's own bytes.

A driver that has `surfaces` says which there are for its user, and looks at each; what it returns is judged as the
replay list is. One that has `listen` hears what is pushed to its user for as long as the trial lasts. A target that has
`stranger` is also asked as somebody who is not signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, cast

from harness.model import Recording

About = Literal["oneself", "recording", "person", "link"]
Shows = Literal["words", "list", "media"]


@dataclass(frozen=True, slots=True)
class Surface:
    """A place where somebody can meet media or data: what it is called in findings, and what it is asked about.

    `shows` says what it is first of all: words, a list of recordings, a file. `about` is what its address names: none
    but who asks (`oneself`), a recording, a person (whose account is given), or a link that another surface has given
    out. `needs` are features of the target (`harness.targets.base.FEATURES`) without which it is rightly refused.
    """

    name: str
    shows: Shows = "words"
    about: About = "oneself"
    needs: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class View:
    """What a surface showed: recordings that it listed, its words, a file, links that it gave out. Any may be absent.

    `text` is everything that was shown in words, as it came, its pages followed to the end; canaries and references are
    looked for in it, and it is not kept. `media` is a file: a clip, a picture, an archive of them.
    """

    recordings: Sequence[Recording] | None = None
    text: str = ""
    media: bytes | None = None
    links: Sequence[str] = ()


Hear = Callable[[str, str], None]
"""Takes the channel by which something was pushed, such as `live-updates`, and its words."""


class HasSurfaces(Protocol):
    """A driver whose user can meet media or data in more places than the replay list."""

    def surfaces(self) -> Sequence[Surface]:
        """Return all that there are for this user, whatever the flags say."""

    async def look(self, surface: str, about: str = "") -> View:
        """Look at a surface, at the recording, the account or the link that it is asked about.

        Raises TargetError when the target refuses or is silent.
        """


class Listens(Protocol):
    """A driver to whose user something is pushed."""

    async def listen(self, hear: Hear) -> None:
        """Begin to listen on every channel there is, and return when all are open; each message goes to `hear`.

        Raises TargetError when a channel cannot be had.
        """

    async def hush(self) -> None:
        """Wait until what was sent to this user has come, within a bound, and stop listening.

        Raises TargetError, not definite, when a channel broke in between, or what must have come did not.
        """


class Stranger(HasSurfaces, Protocol):
    """Hands of somebody who is not signed in."""

    async def open(self, recording: str) -> bytes:
        """Ask for the bytes of a recording."""

    async def close(self) -> None:
        """Let go of connections."""


def as_having_surfaces(driver: object) -> HasSurfaces | None:
    """Return a driver that has `surfaces` and `look`, also by handing on to another; None otherwise."""
    return cast("HasSurfaces", driver) if hasattr(driver, "surfaces") and hasattr(driver, "look") else None


def as_listening(driver: object) -> Listens | None:
    """Return a driver that has `listen` and `hush`, also by handing on to another; None otherwise."""
    return cast("Listens", driver) if hasattr(driver, "listen") and hasattr(driver, "hush") else None
