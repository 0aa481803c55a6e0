"""The client part of the Unleash protocol over one snapshot: features with entity tags, register, metrics.

It counts which clients have the snapshot, so that a run can say who has acknowledged it. The endpoints are
those under the tag `Client` of unleash-server's OpenAPI (https://docs.getunleash.io).
"""

from __future__ import annotations

import hmac
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from harness.flags.base import Json, etag_of

MAX_BODY_BYTES: Final = 2**20
MAX_CONNECTIONS: Final = 1024
MAX_HEADER_CHARS: Final = 200

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
