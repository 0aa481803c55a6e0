"""What a target offers besides its users' hands so that its API itself can be asked: `harness sweep` needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from harness.drivers.api import Observer


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody who is in no story but has an account: the headers with which they are signed in, and who they are.

    `also` are further values that stand for them in the target's data, such as the pharmacy where they work. They may
    see who those are that they know (`knows`, accounts). Who `oversees`, as an operator does, may see every identifier
    and name, but nobody's media.
    """

    name: str
    account: str
    role: str
    headers: Mapping[str, str]
    also: frozenset[str] = frozenset()
    knows: frozenset[str] = frozenset()
    oversees: bool = False


class Described(Protocol):
    """A target that describes its API by an OpenAPI document."""

    @property
    def base_url(self) -> str:
        """The address that the document's paths follow, once it is started."""

    @property
    def openapi(self) -> str:
        """Where the document is."""

    def observe(self, observer: Observer) -> None:
        """Show every exchange of its users' API hands from now on."""

    async def others(self, cast: Sequence[str], account: Callable[[str], str]) -> Sequence[Other]:
        """Open accounts for whomever a story lacks and the API knows, and sign them in.

        `cast` holds the accounts of those in the story; `account` makes the name of one, under the same flags, of what
        they are to be called. An empty list is right where patients and clinicians are all there are.
        """


class SignedIn(Protocol):
    """A driver that says with which headers its user is signed in."""

    @property
    def credentials(self) -> Mapping[str, str]:
        """The headers; empty before `enrol`."""


def as_described(target: object) -> Described | None:
    """Return a target that has all of `Described`, also by handing on to another; None otherwise."""
    names = ("base_url", "openapi", "observe", "others")
    return cast("Described", target) if all(hasattr(target, name) for name in names) else None


def as_signed_in(driver: object) -> SignedIn | None:
    """Return a driver that has `credentials`, also by handing on to another; None otherwise."""
    return cast("SignedIn", driver) if hasattr(driver, "credentials") else None
