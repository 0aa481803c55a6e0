"""One process of the clinic: what it needs to serve, and how it begins and ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn

import uvicorn
import uvloop

from harness.clinic.app import SCHEMA, build_app
from harness.clinic.base.features import Features
from harness.clinic.base.state import Clinic
from harness.clinic.base.store import Store
from harness.clinic.systems import accounts

FLAGS_S = 5.0
KEEP_ALIVE_S = 75
CLOSE_S = 1.0
SAYS_NEWS = ("on", "websockets_sansio_impl")
"""The modules of uvicorn whose errors nobody else has written into the log: its lifespan and its WebSockets."""

log = logging.getLogger("clinic")
_told: list[int] = []
"""The signals that were obeyed: the first. No Event, whose lock a second signal would wait for."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What every process of one deployment is started with."""

    database: str
    unleash_url: str
    unleash_token: str
    refresh_s: float
    flaws: frozenset[str]
    title: str
    operator_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """One process among those that serve an address; alone it has no number and nobody to be reached by."""

    listeners: tuple[socket.socket, ...]
    number: int | None = None
    own_address: str | None = None
    secret: str = ""


class NotStartedError(Exception):
    """The application could not begin; the log says why."""


class _Server(uvicorn.Server):
    """Uvicorn that tells when it answers, and whose end has a limit."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await super().shutdown(sockets)
        except TimeoutError:
            log.warning("the application did not close within %g s: left as it is", CLOSE_S)


def serve(settings: Settings, place: Place, announce: Callable[[], None]) -> None:
    """Serve until told to end, which raises SystemExit; call `announce` once requests are answered.

    Raises CannotOpenError when the database cannot be opened, NotStartedError when the application fails to begin.
    """
    store = Store(settings.database, SCHEMA)
    features = Features(settings.unleash_url, settings.unleash_token, settings.refresh_s)
    try:
        if settings.operator_password:
            accounts.set_operator(store, settings.operator_password)
        features.start()
        _wait_for_flags(features)
        _run(Clinic(store, features, settings.flaws), settings.title, place, announce)
    finally:
        ignore_signals()
        store.close()
        features.stop()


def _run(clinic: Clinic, title: str, place: Place, announce: Callable[[], None]) -> None:
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.module in SAYS_NEWS)
    config = uvicorn.Config(
        build_app(clinic, title, own_address=place.own_address, secret=place.secret),
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="on",
        ws="websockets-sansio",
        headers=[("X-Replica", str(place.number))] if place.number else [],
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        # At the end nobody is waited for: connections of idle clients may stay open for minutes.
        timeout_graceful_shutdown=0,
    )
    server = _Server(config, announce)
    # Closing the loop, as a runner does, would wait for the recorder's threads.
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(server.serve(list(place.listeners)))
    except SystemExit as stopped:
        if not server.started:
            raise NotStartedError("the application did not start") from stopped
        raise


def _wait_for_flags(features: Features) -> None:
    started = time.monotonic()
    if features.wait(FLAGS_S):
        log.info("flags came after %.2f s", time.monotonic() - started)
    else:
        log.warning("no flags after %g s: starting with every flag off", FLAGS_S)


def obey_signals() -> None:
    """Let the first SIGTERM or Ctrl-C raise SystemExit(0) in the main thread."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _end)


def ignore_signals() -> None:
    """Let nobody who tells it again cut the cleaning short."""
    _told.append(0)


def end_when_closed(descriptor: int) -> None:
    """End this process, as SIGTERM does, when nobody holds the other end of a pipe any more."""

    def watch() -> None:
        while os.read(descriptor, 65536):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="ending", daemon=True).start()


def leave(code: int) -> NoReturn:
    """End this process now: threads of the SDK and of the recorder may be at work for seconds more."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


def _end(number: int, _frame: FrameType | None) -> None:
    if not _told:
        _told.append(number)
        raise SystemExit(0)
