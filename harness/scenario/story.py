"""A story with its cast, as `@scenario` makes it of an async function; and what a story says beside its verbs."""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from harness.errors import UsageError
from harness.ledger import HARNESS, NOBODY
from harness.scenario.actor import Actor, Stage
from harness.scenario.roles import ROLES, Operator

_STAGE: ContextVar[Stage | None] = ContextVar("stage", default=None)


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


async def checkpoint() -> None:
    """Let the oracle look now, in the middle of the story: at everybody's lists and pages as they are at this moment.

    What somebody may see only for a while, a share or what a kill switch closes, is seen only then. Raises UsageError
    outside of a story that is being told.
    """
    stage = _STAGE.get()
    if stage is None or stage.sweep is None:
        raise UsageError("checkpoint() belongs in a story that is being told")
    await stage.sweep()


@contextmanager
def staged(stage: Stage) -> Iterator[None]:
    """Let the story that is told in the block be on this stage."""
    before = _STAGE.set(stage)
    try:
        yield
    finally:
        _STAGE.reset(before)


Story = Callable[..., Awaitable[None]]
DEFINED: list[Scenario] = []
"""Every scenario that this process has defined, so that whoever collects them can tell when one was passed over."""


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
    def is_alone(self) -> bool:
        """True when it acts on the whole deployment: no other trial may be played there at the same time."""
        return any(role is Operator for _, role in self.cast)

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
        if name in (HARNESS, NOBODY):
            raise UsageError(f"{place}: no actor of scenario '{story.__name__}' may be called '{name}'")
        role = hints.get(name)
        if not isinstance(role, type) or role not in ROLES:
            *others, last = (role.__name__ for role in ROLES)
            known = f"{', '.join(others)} or {last}"
            raise UsageError(f"{place}: '{name}' of scenario '{story.__name__}' needs a role: {known}")
        yield name, role
