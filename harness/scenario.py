"""What a QA engineer writes: a cast and a story in plain Python. The privacy assertion is the oracle's.

    @scenario(flags=["video-upgrade"])
    async def switching_keeps_replays_apart(alice: Patient, bob: Patient, chen: Clinician):
        hers = await alice.book(chen, medium="audio")
        ...

The signature is the cast: every parameter is a fresh synthetic user with the role of its annotation.
"""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, overload

from harness.canary import CALL_BITS
from harness.drivers.base import Clip, Driver, shown_by
from harness.errors import TargetError, UsageError
from harness.ledger import HARNESS, Action, Ledger, Outcome
from harness.model import Medium, Recording, Role
from harness.redact import plain

CALLS_PER_TRIAL = 1 << CALL_BITS
"""As many as a canary can number."""
REPLAY_LIST = "replay-list"


class Registry(Protocol):
    """Knows of each consultation of the run in which trial it was booked."""

    def learn(self, consultation: str, trial: str, visit: str) -> None:
        """Remember that a trial booked a consultation."""

    def elsewhere(self, consultation: str, trial: str) -> str | None:
        """Return the other trial's visit that a consultation is, in words, or None when it is not known."""


class Camera(Protocol):
    """Makes the media that an actor emits: the canary's value, and a clip that carries it."""

    async def film(self, number: int, call: int, medium: Medium) -> tuple[str, Clip]:
        """Film the actor with this number in the trial's call (0 to 31); the canary is 20 digits."""


@dataclass(slots=True)
class Stage:
    """What the actors of one trial share: ledger, camera, the run's registry, the visits booked so far.

    `held` is media by its SHA-256 that may become evidence; it is gone with the trial.
    """

    trial: str
    ledger: Ledger
    camera: Camera
    registry: Registry
    visits: list[Visit] = field(default_factory=list)
    held: dict[str, bytes] = field(default_factory=dict)


class _Recorded:
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
    def recorded(self, action: Action, **data: object) -> typing.Iterator[_Recorded]:
        """Write the intent, run the body, write the outcome: a refusal fails, silence is unknown."""
        ledger = self.stage.ledger
        intent = ledger.intend(self.name, action, **data)
        result = _Recorded()
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

    async def enrol(self) -> None:
        """Create the account on the target and sign in."""
        with self.recorded(Action.ENROL, account=self.account, number=self.number):
            await self.driver.enrol()

    async def replays(self) -> Sequence[Recording]:
        """Return this actor's replay list; raises TargetError when the target refuses it."""
        with self.recorded(Action.LIST, surface=REPLAY_LIST) as result:
            recordings = await self.driver.replays()
            result.data["items"] = [self._item(recording) for recording in recordings]
            result.data |= shown_by(self.driver)
        return recordings

    def _item(self, recording: Recording) -> dict[str, str | None]:
        return {
            "recording": recording.ref,
            "consultation": recording.consultation,
            "medium": recording.medium,
            "elsewhere": self.stage.registry.elsewhere(recording.consultation, self.stage.trial),
        }


class Clinician(Actor):
    """A clinician, who is booked by patients and takes part in their consultations."""


class Patient(Actor):
    """A patient, who books consultations and finds their recordings under Consultation Replays."""

    async def book(self, clinician: Clinician, *, medium: Medium) -> Visit:
        """Book a consultation with the clinician."""
        visits = self.stage.visits
        if len(visits) >= CALLS_PER_TRIAL:
            raise UsageError(f"{self.name} books visit {len(visits) + 1}: a scenario has at most {CALLS_PER_TRIAL}")
        visit = Visit(f"visit-{len(visits) + 1}", len(visits), medium, self.stage, self)
        visits.append(visit)
        data = {"visit": visit.name, "clinician": clinician.name, "medium": medium}
        with self.recorded(Action.BOOK, **data) as result:
            visit.consultation = await self.driver.book(clinician.account, medium)
            result.data["consultation"] = visit.consultation
            self.stage.registry.learn(visit.consultation, self.stage.trial, visit.name)
        return visit


@dataclass(slots=True, eq=False)
class Visit:
    """A booked consultation and the call that it becomes."""

    name: str
    call: int
    medium: Medium
    stage: Stage
    patient: Patient
    consultation: str = ""

    async def hold(self, *actors: Actor, switch_to: Medium | None = None) -> None:
        """Hold the whole call: all join and are recorded, the first may switch the medium, all leave.

        A target that does not offer the switch under the trial's flags refuses it; the call then goes on as
        it was. Whether the refusal was right is the oracle's to say.
        """
        if not actors:
            raise UsageError(f"{self.name}.hold() needs the actors who take part")
        for actor in actors:
            await self.join(actor)
        await asyncio.gather(*(self.emit(actor) for actor in actors))
        if switch_to and await self.switch(actors[0], switch_to):
            await asyncio.gather(*(self.emit(actor) for actor in actors))
        for actor in actors[:-1]:
            await self.leave(actor)
        await self.end(actors[-1])

    async def join(self, actor: Actor) -> None:
        """Let the actor enter the call."""
        with actor.recorded(Action.JOIN, visit=self.name):
            await actor.driver.join(self.consultation)

    async def emit(self, actor: Actor) -> None:
        """Let the actor be seen and heard for a moment: media that carries the actor's canary."""
        canary, clip = await self.stage.camera.film(actor.number, self.call, self.medium)
        with actor.recorded(Action.EMIT, visit=self.name, medium=self.medium, canary=canary):
            await actor.driver.send(self.consultation, self.medium, clip)

    async def switch(self, actor: Actor, medium: Medium) -> bool:
        """Let the actor change the medium; False when the target definitely refused."""
        try:
            with actor.recorded(Action.SWITCH, visit=self.name, medium=medium):
                await actor.driver.switch(self.consultation, medium)
        except TargetError as error:
            if not error.definite:
                raise
            return False
        self.medium = medium
        return True

    async def leave(self, actor: Actor) -> None:
        """Let the actor leave the call."""
        with actor.recorded(Action.LEAVE, visit=self.name):
            await actor.driver.leave(self.consultation)

    async def end(self, actor: Actor) -> None:
        """Let the actor end the call for everybody."""
        with actor.recorded(Action.END, visit=self.name):
            await actor.driver.end(self.consultation)

    async def recorded(self) -> Sequence[Recording]:
        """Wait, as its patient, until the target has finished all that was recorded here; return it.

        A replay list shows a recording only then. Raises TargetError when it is refused, or takes too long.
        """
        with self.patient.recorded(Action.RECORDINGS, visit=self.name) as result:
            recordings = await self.patient.driver.recordings(self.consultation)
            result.data["items"] = [{"recording": each.ref, "medium": each.medium} for each in recordings]
        return recordings


@asynccontextmanager
async def together() -> AsyncIterator[Callable[..., None]]:
    """Do several things at once: what is handed to the yielded function starts together when the block ends.

    All of them are finished before the block is left; their errors are raised then, one as it is, several as
    an ExceptionGroup.
    """
    calls: list[Callable[[], Awaitable[object]]] = []

    def at_once(verb: Callable[..., Awaitable[object]], *args: object, **options: object) -> None:
        calls.append(lambda: verb(*args, **options))

    yield at_once
    results = await asyncio.gather(*(call() for call in calls), return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise BaseExceptionGroup("several things went wrong together", errors)


Story = Callable[..., Awaitable[None]]
DEFINED: list[Scenario] = []
"""Every scenario that this process has defined, so that whoever collects them can tell when one was passed over."""
ROLES: Mapping[type[Actor], Role] = {Patient: "patient", Clinician: "clinician"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A cast and a story, with the flags that it is about and the place where it was written."""

    name: str
    story: Story
    cast: tuple[tuple[str, type[Actor]], ...]
    flags: tuple[str, ...]
    path: Path
    line: int

    @property
    def summary(self) -> str:
        """The first line of the story's docstring."""
        return (inspect.getdoc(self.story) or "").split("\n")[0]

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return f"{self.path}:{self.line}"


@overload
def scenario(story: Story, /) -> Scenario: ...
@overload
def scenario(*, flags: Sequence[str] = ()) -> Callable[[Story], Scenario]: ...
def scenario(story: Story | None = None, /, *, flags: Sequence[str] = ()) -> Scenario | Callable[[Story], Scenario]:
    """Make a scenario of an async function whose parameters are its cast; as `@scenario` or `@scenario(...)`.

    `flags` names the flags that the story is about; a name that the catalogue lacks is a UsageError before
    anything runs. Every scenario is played under all combinations of the plan, whatever it names here.
    """
    return _make(story, flags) if story else lambda story: _make(story, flags)


def _make(story: Story, flags: Sequence[str]) -> Scenario:
    code = inspect.unwrap(story).__code__
    place = f"{code.co_filename}:{code.co_firstlineno}"
    if not inspect.iscoroutinefunction(story):
        raise UsageError(f"{place}: scenario '{story.__name__}' must be an `async def`")
    if isinstance(flags, str):
        raise UsageError(f"{place}: flags of scenario '{story.__name__}' must be a list: flags=[{flags!r}]")
    cast = tuple(_cast(story, place))
    made = Scenario(story.__name__, story, cast, tuple(flags), Path(code.co_filename), code.co_firstlineno)
    DEFINED.append(made)
    return made


def _cast(story: Story, place: str) -> typing.Iterator[tuple[str, type[Actor]]]:
    try:
        hints: Mapping[str, Any] = typing.get_type_hints(story)
    except NameError as error:
        raise UsageError(f"{place}: {error}; import the roles with `from harness import Patient`") from error
    parameters = inspect.signature(story).parameters
    if not parameters:
        raise UsageError(
            f"{place}: scenario '{story.__name__}' has no cast; give it parameters such as `alice: Patient`"
        )
    for name in parameters:
        if name == HARNESS:
            raise UsageError(f"{place}: no actor of scenario '{story.__name__}' may be called '{HARNESS}'")
        role = hints.get(name)
        if not isinstance(role, type) or role not in ROLES:
            known = " or ".join(role.__name__ for role in ROLES)
            raise UsageError(f"{place}: '{name}' of scenario '{story.__name__}' needs a role: {known}")
        yield name, role
