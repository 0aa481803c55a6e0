"""The deployment under test with its flags proved to be in force, for as long as a run lasts."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from harness.drivers.choice import choose
from harness.errors import FlagError, TargetError, UsageError
from harness.flags import wire
from harness.flags.base import Audience, differences, token, username
from harness.flags.embedded import DEVELOPMENT_TOKEN, EmbeddedFlags, connections
from harness.flags.outage import DOWN, Outage
from harness.flags.settle import APP_NAME, Watch, prove_served
from harness.model import Catalogue, Combination
from harness.planning.plan import Group
from harness.planning.render import several
from harness.redact import without_login
from harness.running.register import Register
from harness.running.settings import Settings
from harness.targets.base import FlagSource, Target, TargetOptions
from harness.targets.find import find

CONNECT_S = 5.0
FLAGS_DEADLINE_S = 5.0
IN_BAND_DEADLINE_S = 10.0
ASK_AGAIN_S = 0.1

SHAPE = ("name", "audience", "drivers", "requests", "start", "driver", "not_offered", "is_alive", "close")
"""What a target must have, of `harness.targets.base.Target`."""

Report = Callable[[str], None]


class Watching(Protocol):
    """Knows whether what was proved of the flags still holds."""

    async def confirm(self, since_s: float, deadline_s: float) -> str | None:
        """Return None when it holds after `since_s` (monotonic), otherwise what is not proved; wait `deadline_s`."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A target that answers and has the flags, and the watch over its flag server."""

    target: Target
    watch: Watching


def require_startable(settings: Settings) -> None:
    """Raise UsageError, before anything is touched, for a target or a flag server with which no run can begin."""
    _, url = find(settings.target)
    _require_no_password("--target", url)
    _require_no_password("--flag-server", settings.flag_server)
    _made(settings)
    if settings.flag_server == DOWN:
        if url:
            raise UsageError(f"--flag-server {DOWN}: it is for a target that the harness starts itself, not for {url}")
    elif settings.flag_server and urlsplit(settings.flag_server).scheme not in ("http", "https"):
        raise UsageError(f"--flag-server {settings.flag_server}: not an address (http://...), and not '{DOWN}'")
    if url and not settings.flag_server:
        raise UsageError(
            f"--target {url}: name the flag server that it reads too, with --flag-server; `harness serve` prints both"
        )
    if url:
        parts = urlsplit(url)
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
            socket.create_connection((parts.hostname or "", port), timeout=CONNECT_S).close()
        except (OSError, ValueError) as error:
            raise UsageError(
                f"--target {url}: nothing answers there ({error}); start one with `harness serve`"
            ) from error


def _require_no_password(option: str, address: str | None) -> None:
    """Raise UsageError for an address with user and password: a run writes it down, and its commands name it."""
    if address and address != without_login(address):
        raise UsageError(f"{option} {without_login(address)}: give the address without user and password")


def require_target(settings: Settings) -> None:
    """Raise UsageError for a target that cannot be made: an unknown one, or an unknown flaw."""
    _made(settings)


@asynccontextmanager
async def deployed(group: Group, settings: Settings, register: Register, report: Report) -> AsyncIterator[Deployment]:
    """Start flags and target, prove that the group's combinations are served and in force, and end it all afterwards.

    Raises UsageError when the target does not answer, FlagError when its flags cannot be proved.
    """
    if settings.flag_server == DOWN:
        async with _without_flags(group, settings, register, report) as deployment:
            yield deployment
        return
    async with AsyncExitStack() as stack:
        target = _made(settings)
        report("reaching the flag server" if settings.flag_server else "starting the flag server")
        flags = await _flags(settings, group, target.audience, stack)
        stack.push_async_callback(target.close)
        plan = group.plan
        report(f"proving {several(len(plan.combinations), 'combination')} with an Unleash client")
        await asyncio.to_thread(
            prove_served,
            flags.url,
            flags.token,
            plan.catalogue,
            plan.combinations,
            audience=target.audience,
            shared=dict(group.shared),
            is_ours=not settings.flag_server,
        )
        report(f"reaching or starting the target ({without_login(settings.target)})")
        await target.start(flags)
        report(f"proving the flags through the target ({target.name}), as two users")
        try:
            await _prove_in_band(target, plan.catalogue, _two_apart(group), register)
        except FlagError as error:
            raise FlagError(f"{error}; {await asyncio.to_thread(_who_asked, flags)}") from error
        await asyncio.to_thread(_require_asked, flags)
        etag = await asyncio.to_thread(_etag, flags)
        yield Deployment(target, await stack.enter_async_context(Watch(flags.url, flags.token, etag)))


@asynccontextmanager
async def _without_flags(
    group: Group, settings: Settings, register: Register, report: Report
) -> AsyncIterator[Deployment]:
    """Start the target while nobody answers where it reads its flags, and prove that it has what it falls back to."""
    async with AsyncExitStack() as stack:
        target = _made(settings)
        outage = stack.enter_context(Outage())
        stack.push_async_callback(target.close)
        report(f"starting the target ({without_login(settings.target)}) while its flag server is down")
        await target.start(FlagSource(outage.url, outage.token))
        report(f"proving through the target ({target.name}) which flags it falls back to")
        await _prove_in_band(target, group.plan.catalogue, group.plan.combinations[:1], register)
        yield Deployment(target, outage)


def _made(settings: Settings) -> Target:
    """Return what the adapter's factory makes; raise UsageError when that is no target, all that it lacks at once."""
    factory, url = find(settings.target)
    hands = choose(settings.driver)
    try:
        target = factory(TargetOptions(url, settings.flaws, hands))
    except UsageError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(f"--target {settings.target}: its factory raised {reason}") from error
    lacking = [name for name in SHAPE if not hasattr(target, name)]
    if lacking:
        what = f"a {type(target).__name__} without {', '.join(lacking)}"
        raise UsageError(f"--target {settings.target}: its factory returned {what}; see docs/adapters.md")
    for role, wanted in hands.items():
        if wanted not in target.drivers:
            has = ", ".join(sorted(target.drivers)) or "none"
            raise UsageError(
                f"--driver {settings.driver}: target {target.name} has no {wanted} for a {role}; it has {has}"
            )
    return target


async def _flags(settings: Settings, group: Group, audience: Audience, stack: AsyncExitStack) -> FlagSource:
    if settings.flag_server:
        return FlagSource(settings.flag_server.rstrip("/"), DEVELOPMENT_TOKEN)
    catalogue, shared = group.plan.catalogue, dict(group.shared)
    embedded = await asyncio.to_thread(EmbeddedFlags.start, catalogue, audience=audience, shared=shared)
    stack.push_async_callback(asyncio.to_thread, embedded.stop)
    return FlagSource(embedded.url, embedded.token)


def _who_asked(flags: FlagSource) -> str:
    """Say which SDKs read the flags: a target that is not among them has its flags from somewhere else."""
    try:
        clients = [each for each in connections(flags.url, flags.token) if each["app_name"] != APP_NAME]
    except FlagError as error:
        return str(error)
    if not clients:
        return f"no SDK of the target's has asked the flag server at {flags.url} for them"
    names = ", ".join(sorted({f"{each['app_name']} ({each['sdk']})" for each in clients}))
    return f"the flag server at {flags.url} was asked for them by {names}"


def _require_asked(flags: FlagSource) -> None:
    """Raise FlagError when no SDK but ours has asked: to watch that flag server would prove nothing."""
    if all(each["app_name"] == APP_NAME for each in connections(flags.url, flags.token)):
        raise FlagError(f"the target has the right flags, but not from {flags.url}: {_who_asked(flags)}")


def _etag(flags: FlagSource) -> str:
    return wire.get(f"{flags.url}/client/features", flags.token, timeout_s=FLAGS_DEADLINE_S).etag


def _two_apart(group: Group) -> Sequence[Combination]:
    """Return the group's base and the combination of its plan that differs from it in the most flags."""
    base = group.base

    def distance(combination: Combination) -> int:
        return sum(base[flag] != combination[flag] for flag in base)

    return base, max(group.plan.combinations, key=distance)


async def _prove_in_band(
    target: Target, catalogue: Catalogue, combinations: Sequence[Combination], register: Register
) -> None:
    for number, combination in enumerate(combinations, 1):
        name = f"probe{number}"
        unique = f"{register.run:05x}-{register.enrol('settle', name):x}"
        driver = target.driver(username(name, unique, token(catalogue, combination)), name, "patient")
        try:
            await driver.enrol()
            found = await _settled(driver.features, combination)
        except TargetError as error:
            raise FlagError(f"the target did not say which flags a user has: {error}") from error
        finally:
            await driver.close()
        if found:
            raise FlagError(
                "the target does not have the combination that its user carries, so no trial would prove anything: "
                + "; ".join(found)
            )


async def _settled(features: Callable[[], Awaitable[Mapping[str, str]]], combination: Combination) -> tuple[str, ...]:
    """Ask until the target has the combination, or the deadline is over; return what still differs."""
    deadline = time.monotonic() + IN_BAND_DEADLINE_S
    while True:
        seen = await features()
        found = differences(combination, seen)
        if not found or time.monotonic() > deadline:
            return found
        await asyncio.sleep(ASK_AGAIN_S)
