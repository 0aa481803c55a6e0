"""A flag server for unmodified Unleash SDKs, in a process of its own, with one snapshot for its whole life.

It speaks the client part of the Unleash protocol (features with entity tags, register, metrics) and counts
who has the snapshot. `python -m harness.flags.embedded` is the process; `EmbeddedFlags` starts and ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import hmac
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from harness.errors import FlagError
from harness.flags import wire
from harness.flags.base import BY_USER_ID, Audience, Json, encode, etag_of, snapshot
from harness.model import Catalogue
from harness.process import Service, ServiceDied

# A fixed token keeps strangers' SDKs out by accident, not by force: the server is on the loopback interface.
DEVELOPMENT_TOKEN: Final = "default:development.harness"  # noqa: S105 - not a secret, see above
HOST: Final = "127.0.0.1"
ENDING_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
USAGE_EXIT: Final = 4
MAX_PORT: Final = 65535
MAX_BODY_BYTES: Final = 2**20
MAX_CONNECTIONS: Final = 1024
MAX_HEADER_CHARS: Final = 200
ASK_S: Final = 5.0
CLOSE_S: Final = 0.5

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Connection:
    """One SDK client object, as the server knows it by its `unleash-connection-id`."""

    connection_id: str
    app_name: str
    sdk: str
    polls: int = 0
    served: int = 0
    acked: int = 0
    acked_etag: str = ""
    metrics: int = 0
    registered: bool = False
    seen_s: float = 0.0

    def report(self, now_s: float) -> Json:
        """Return the connection for `/connections`; `last_seen_s` counts seconds back from now."""
        return {
            "connection_id": self.connection_id,
            "app_name": self.app_name,
            "sdk": self.sdk,
            "registered": self.registered,
            "polls": self.polls,
            "metrics": self.metrics,
            "served": self.served,
            "acked": self.acked,
            "acked_etag": self.acked_etag,
            "last_seen_s": round(now_s - self.seen_s, 3),
        }


@dataclass(slots=True)
class FlagServer:
    """The protocol's endpoints over one snapshot; it remembers the MAX_CONNECTIONS clients seen last."""

    body: bytes
    token: str
    etag: str = ""
    forgotten: int = 0
    connections: OrderedDict[str, Connection] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.etag = etag_of(self.body)

    def application(self) -> web.Application:
        """Return the aiohttp application that serves this snapshot."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.add_routes(
            [
                web.get("/health", self._health),
                web.get("/connections", self._guarded(self._connections)),
                web.get("/api/client/features", self._guarded(self._features)),
                web.post("/api/client/register", self._guarded(self._register)),
                web.post("/api/client/metrics", self._guarded(self._metrics)),
            ]
        )
        return application

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            given = request.headers.get("Authorization", "")
            if not hmac.compare_digest(given.encode(errors="replace"), self.token.encode()):
                return web.json_response({"message": "this client token is not known"}, status=401)
            return await handler(request)

        return guarded

    def _touch(self, request: web.Request) -> Connection:
        def header(name: str) -> str:
            return request.headers.get(name, "")[:MAX_HEADER_CHARS]

        connection_id = header("unleash-connection-id")
        connection = self.connections.get(connection_id)
        if connection is None:
            connection = Connection(connection_id, header("unleash-appname"), header("unleash-sdk"))
            self.connections[connection_id] = connection
        self.connections.move_to_end(connection_id)
        if len(self.connections) > MAX_CONNECTIONS:
            self.connections.popitem(last=False)
            self.forgotten += 1
        connection.seen_s = time.monotonic()
        return connection

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"health": "GOOD"})

    async def _connections(self, _request: web.Request) -> web.Response:
        now_s = time.monotonic()
        live = [connection.report(now_s) for connection in self.connections.values()]
        return web.json_response({"etag": self.etag, "forgotten": self.forgotten, "connections": live})

    async def _features(self, request: web.Request) -> web.Response:
        headers = {"ETag": self.etag}
        known = [f'"{tag.value}"' for tag in request.if_none_match or ()]
        # Only SDKs name their connection: a plain GET, as the harness's own watch sends it, is no client.
        connection = self._touch(request) if "unleash-connection-id" in request.headers else None
        if connection:
            connection.polls += 1
            if known:
                connection.acked_etag = known[0]
                connection.acked += self.etag in known
        if self.etag in known:
            return web.Response(status=304, headers=headers)
        if connection:
            connection.served += 1
        return web.Response(body=self.body, content_type="application/json", headers=headers)

    async def _register(self, request: web.Request) -> web.Response:
        await _read_object(request)
        self._touch(request).registered = True
        return web.Response(status=202)

    async def _metrics(self, request: web.Request) -> web.Response:
        await _read_object(request)
        self._touch(request).metrics += 1
        return web.Response(status=202)


async def _read_object(request: web.Request) -> Json:
    try:
        body = json.loads(await request.read())
    except ValueError as problem:
        raise web.HTTPBadRequest(text="the body is not JSON") from problem
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body is not a JSON object")
    return body


async def serve(server: FlagServer, port: int, *, until_stdin_closes: bool) -> None:
    """Serve on the loopback interface until SIGTERM, SIGINT or the end of standard input; raise OSError."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in ENDING_SIGNALS:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=CLOSE_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        print(f"flag server listening on http://{HOST}:{runner.addresses[0][1]}", flush=True)
        if until_stdin_closes:
            threading.Thread(target=_end_with_the_input, daemon=True).start()
        await stop.wait()
    finally:
        await runner.cleanup()
        # Whoever closes the input and sends a signal too must not turn a clean end into a killed one.
        for number in ENDING_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _end_with_the_input() -> None:
    # Not sys.stdin: a thread that waits in its lock would abort the interpreter on its way out.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class EmbeddedFlags:
    """The harness's hold on a running flag server; a FlagControl and a context manager."""

    service: Service
    etag: str
    token: str = DEVELOPMENT_TOKEN

    @classmethod
    def start(cls, catalogue: Catalogue, port: int = 0, audience: Audience = BY_USER_ID) -> Self:
        """Publish the catalogue's snapshot in a new process, and return once it is served.

        Port 0 takes a free one. Raises FlagError with the process's last words when it does not come up.
        """
        body = encode(snapshot(catalogue, audience))
        with tempfile.TemporaryDirectory(prefix="harness-flags-") as directory:
            file = Path(directory) / "snapshot.json"
            file.write_bytes(body)
            options = ["--snapshot", str(file), "--port", str(port), "--token", DEVELOPMENT_TOKEN]
            try:
                service = Service.start("flags", __name__, [*options, "--until-stdin-closes"])
            except ServiceDied as problem:
                raise FlagError(f"the flag server could not be started: {problem}") from problem
        return cls(service, etag_of(body))

    @property
    def url(self) -> str:
        """Where an Unleash SDK is pointed to: `http://127.0.0.1:PORT/api`."""
        return f"{self.service.url}/api"

    def is_alive(self) -> bool:
        """True while the process has not ended."""
        return self.service.is_alive()

    def connections(self) -> list[Json]:
        """Return the SDK clients that the server remembers, the one seen last at the end; raise FlagError."""
        answer = wire.get(f"{self.service.url}/connections", self.token, timeout_s=ASK_S)
        if answer.status != 200:
            raise FlagError(f"the flag server answered {answer.status} when asked for its connections")
        found: list[Json] = json.loads(answer.body)["connections"]
        return found

    def stop(self) -> None:
        """End the process; harmless when it has ended already."""
        self.service.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def main(arguments: list[str] | None = None) -> int:
    """Run the process; return 0, or 4 when the snapshot cannot be read or the port cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m harness.flags.embedded", description=__doc__)
    parser.add_argument("--snapshot", type=Path, required=True, help="the client-features document, JSON")
    parser.add_argument("--port", type=_port, default=0, help="0 takes a free one")
    parser.add_argument("--token", default=DEVELOPMENT_TOKEN, help="what clients send as their Authorization")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the parent process")
    try:
        options = parser.parse_args(arguments)
        server = FlagServer(_read_snapshot(options.snapshot), options.token)
    except SystemExit as ending:
        return USAGE_EXIT if ending.code else 0
    except (OSError, ValueError) as problem:
        return _refuse(str(problem))
    try:
        asyncio.run(serve(server, options.port, until_stdin_closes=options.until_stdin_closes))
    except OSError as problem:
        if problem.errno != errno.EADDRINUSE:
            raise
        return _refuse(f"port {options.port} of {HOST} is in use")
    return 0


def _refuse(reason: str) -> int:
    print(f"flag server: {reason}", file=sys.stderr)
    return USAGE_EXIT


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: it takes a number from 0 to {MAX_PORT}")
    return int(text)


def _read_snapshot(file: Path) -> bytes:
    body = file.read_bytes()
    try:
        document: Any = json.loads(body)
    except ValueError as problem:
        raise ValueError(f"{file} is not JSON: {problem}") from problem
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        raise ValueError(f"{file} is not a client-features document: it has no list 'features'")
    return body


if __name__ == "__main__":
    sys.exit(main())
