"""Actors and the stage that they share: each verb is a call of a driver, written down before and after."""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from harness.drivers.base import Clip, Driver, shown_by
from harness.drivers.verbs import Introduces
from harness.errors import TargetError, UsageError
from harness.ledger import Action, Ledger, Outcome
from harness.model import Medium, Recording, Wording
from harness.provenance import REPLAY_LIST
from harness.redact import plain

if typing.TYPE_CHECKING:
    from harness.scenario.visit import Visit


class Registry(Protocol):
    """Knows of each consultation of the run in which trial it was booked."""

    def learn(self, consultation: str, trial: str, visit: str) -> None:
        """Remember that a trial booked a consultation."""

    def elsewhere(self, consultation: str, trial: str) -> str | None:
        """Return the other trial's visit that a consultation is, in words, or None when it is not known."""


class Camera(Protocol):
    """Makes what an actor emits, each with the canary's value in 20 digits: media that carry it, and words."""

    async def film(self, number: int, call: int, medium: Medium, caption: str = "") -> tuple[str, Clip]:
        """Film the actor with this number in the trial's call (0 to 31)."""

    def write(self, number: int, call: int, what: Wording) -> tuple[str, str]:
        """Return a word for this actor to write in the trial's call, or in none (0)."""


@dataclass(slots=True)
class Stage:
    """What the actors of one trial share: ledger, camera, the run's registry, the visits booked so far.

    `held` is media by its SHA-256 that may become evidence; it is gone with the trial. `sweep` is the oracle's look at
    everybody's surfaces, where there is an oracle.
    """

    trial: str
    ledger: Ledger
    camera: Camera
    registry: Registry
    visits: list[Visit] = field(default_factory=list)
    held: dict[str, bytes] = field(default_factory=dict)
    sweep: Callable[[], Awaitable[None]] | None = None


class Recorded:
    """The outcome of a call in the making: what to write down beside `ok`."""

    def __init__(self) -> None:
        self.data: dict[str, object] = {}


@dataclass(slots=True, eq=False)
class Actor:
    """A fresh synthetic user with a driver for hands; each verb writes its intent and its outcome."""

    name: str
    number: int
    account: str
    driver: Driver
    stage: Stage

    @contextmanager
    def recorded(self, action: Action, **data: object) -> typing.Iterator[Recorded]:
        """Write the intent, run the body, write the outcome: a refusal fails, silence is unknown."""
        ledger = self.stage.ledger
        intent = ledger.intend(self.name, action, **data)
        result = Recorded()
        try:
            yield result
        except TargetError as error:
            outcome = Outcome.FAIL if error.definite else Outcome.UNKNOWN
            ledger.conclude(intent, outcome, status=error.status, code=error.code, error=plain(str(error)))
            raise
        except BaseException as error:
            ledger.conclude(intent, Outcome.UNKNOWN, error=plain(f"{type(error).__name__}: {error}"))
            raise
        ledger.conclude(intent, Outcome.OK, **result.data)

    @contextmanager
    def writing(self, what: Wording, call: int = 0, *, visit: str = "", to: Sequence[str] = ()) -> typing.Iterator[str]:
        """Give a word that carries the actor's canary, and write down how the call went that took it to the target."""
        canary, word = self.stage.camera.write(self.number, call, what)
        with self.recorded(Action.WRITE, what=what, canary=canary, visit=visit, to=list(to)):
            yield word

    def able_to(self, verb: str) -> Any:
        """Return the driver; raises UsageError where it lacks a verb that not every target's hands have."""
        if not hasattr(self.driver, verb):
            role = type(self).__name__.lower()
            raise UsageError(f"{self.name} cannot {verb.replace('_', ' ')}: this target's {role} has no such hands")
        return self.driver

    async def enrol(self) -> None:
        """Create the account on the target and sign in; where it can be said what others read, it carries a canary."""
        with ExitStack() as both:
            both.enter_context(self.recorded(Action.ENROL, account=self.account, number=self.number))
            if hasattr(self.driver, "introduce"):
                word = both.enter_context(self.writing("name"))
                cast("Introduces", self.driver).introduce(f"{self.name.title()} {word}")
            await self.driver.enrol()

    async def replays(self) -> Sequence[Recording]:
        """Return this actor's replay list; raises TargetError when the target refuses it."""
        with self.recorded(Action.LIST, surface=REPLAY_LIST) as result:
            recordings = await self.driver.replays()
            result.data["items"] = [self.item(recording) for recording in recordings]
            result.data |= shown_by(self.driver)
        return recordings

    def item(self, recording: Recording) -> dict[str, str | None]:
        """Return an entry of a list as the ledger keeps it."""
        return {
            "recording": recording.ref,
            "consultation": recording.consultation,
            "medium": recording.medium,
            "elsewhere": self.stage.registry.elsewhere(recording.consultation, self.stage.trial),
        }
