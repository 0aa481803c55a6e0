"""Target: a deployment under test, as an object with a shape; and how `--target` finds one."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.drivers.base import Driver
from harness.errors import UsageError
from harness.model import Role


@dataclass(frozen=True, slots=True)
class FlagSource:
    """Where a target is to read its flags: an Unleash client API and a token for it."""

    url: str
    token: str


class Target(Protocol):
    """A deployment under test. Built by a factory from `TargetOptions`; used from one event loop.

    The combination is carried by each actor's account name, which the target must hand to its flag SDK as the
    user's id: so every combination is in force at once, each for its own actors.
    """

    @property
    def name(self) -> str:
        """What to call it in reports."""

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

        Of `replays` (all replay access), `switch-to-video`, `switch-to-audio`.
        """

    async def is_alive(self) -> bool:
        """Return False when the deployment has gone."""

    async def close(self) -> None:
        """Let go of it, and end what `start` started."""


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """What the command line says about a target: an address of one that runs already, flaws to plant."""

    url: str | None = None
    flaws: Sequence[str] = ()


Factory = Callable[[TargetOptions], Target]


def find(text: str) -> tuple[Factory, str | None]:
    """Resolve `--target`: `clinic`, the address of a running clinic, or `package.module:factory`.

    Returns the factory and the address, if one was given. Raises UsageError for anything else.
    """
    if text == "clinic" or text.startswith(("http://", "https://")):
        module = importlib.import_module("harness.targets.clinic")
        factory: Factory = module.ClinicTarget
        return factory, None if text == "clinic" else text.rstrip("/")
    name, colon, attribute = text.partition(":")
    if not colon:
        raise UsageError(
            f"--target {text}: not a target; give `clinic`, the address of a running clinic (http://...), "
            "or `package.module:factory` of an adapter"
        )
    try:
        factory = getattr(importlib.import_module(name), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"--target {text}: {error}") from error
    return factory, None
