"""Target: a deployment under test, as an object with a shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from harness.drivers.base import Driver
from harness.drivers.choice import API, choose
from harness.drivers.surfaces import Stranger
from harness.flags.base import Audience
from harness.model import Hands, Role

FEATURES = frozenset({"replays", "search", "sharing", "switch-to-video", "switch-to-audio"})
"""What a combination may take away: all replay access, the search of it, sharing with carers, and each direction of the
medium's switch."""


@dataclass(frozen=True, slots=True)
class FlagSource:
    """Where a target is to read its flags: an Unleash client API and a token for it."""

    url: str
    token: str


class Target(Protocol):
    """A deployment under test. Built by a factory from `TargetOptions`; used from one event loop.

    The combination is carried by each actor's account name, which the target must hand to its flag SDK as the
    user's id: so every combination is in force at once, each for its own actors.

    Three more it may have, and is not asked for them where it has not: `grace_s`, the seconds for which it may still
    serve what was revoked or switched off (none); `policy`, where the entitlement is imported from, as
    `package.module:name` (the default one); and `stranger()`, hands of somebody who is not signed in.
    """

    @property
    def name(self) -> str:
        """What to call it in reports."""

    @property
    def audience(self) -> Audience:
        """How its flags tell users apart: the Unleash context's field into which it puts the account name."""

    @property
    def drivers(self) -> frozenset[Hands]:
        """What hands it has for its users, of `api` and `browser`: `driver` must return those that were chosen."""

    @property
    def requests(self) -> int:
        """How many requests were sent to it so far."""

    async def start(self, flags: FlagSource) -> None:
        """Start or reach the deployment.

        Raises UsageError when it does not answer, before anything runs.
        """

    def driver(self, account: str, name: str, role: Role) -> Driver:
        """Return hands for one fresh user."""

    def not_offered(self, combination: Mapping[str, str]) -> frozenset[str]:
        """Return what the target rightly refuses under a combination.

        Of FEATURES; any other name is an error of the adapter.
        """

    async def is_alive(self) -> bool:
        """Return False when the deployment has gone."""

    async def close(self) -> None:
        """Let go of it, and end what `start` started."""


def grace_s(target: object) -> float:
    """Return how long a target may still serve what was revoked or switched off: its `grace_s`, in seconds, or none."""
    return float(getattr(target, "grace_s", 0.0))


def policy(target: object) -> str:
    """Return where a target's entitlement is imported from, `package.module:name`; "" for the default."""
    return str(getattr(target, "policy", ""))


def stranger(target: object) -> Stranger | None:
    """Return hands of somebody who is not signed in, where a target has them: of its `stranger()`."""
    make = getattr(target, "stranger", None)
    return cast("Stranger", make()) if make else None


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """What the command line says about a target: an address of one that runs already, flaws to plant, hands.

    `hands` has each role's, which are all among the target's `drivers`.
    """

    url: str | None = None
    flaws: Sequence[str] = ()
    hands: Mapping[Role, Hands] = field(default_factory=lambda: choose(API))


Factory = Callable[[TargetOptions], Target]
