"""HTTP for drivers: one connection pool for a target, one session for an actor (aiohttp)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from harness.drivers.channels import Channel, Ended, Hear, events, websocket
from harness.drivers.refusal import refused
from harness.errors import TargetError

REQUEST_DEADLINE_S = 20.0
MAX_BODY_BYTES = 64 * 1024 * 1024
MAX_CONNECTIONS = 64
MAX_CHANNELS = 512
"""Connections that stay open to be pushed to: those of 16 trials at once with 16 people each, on two channels."""
NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with its answer, as an observer is shown it; times are seconds of the monotonic clock."""

    actor: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    status: int
    answer: bytes
    began_s: float
    ended_s: float


Observer = Callable[[Exchange], None]


@dataclass(slots=True)
class Pool:
    """The connections to one target, and the count of requests made over them.

    Make it inside a running event loop. A session for each actor costs 14 microseconds; a connector each
    would cost every actor a new connection. Channels have a connector of their own: they stay open for as long as a
    trial lasts, and requests would wait for them.
    """

    base_url: str
    observer: Observer | None = None
    requests: int = 0
    connector: aiohttp.TCPConnector = field(
        default_factory=lambda: aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=30)
    )
    channels: aiohttp.TCPConnector = field(default_factory=lambda: aiohttp.TCPConnector(limit=MAX_CHANNELS))

    def session(self, actor: str) -> ApiSession:
        """Return a new session, with no cookies and no token, for one actor."""
        return ApiSession(self, actor)

    async def close(self) -> None:
        """Close all connections."""
        await self.connector.close()
        await self.channels.close()


class ApiSession:
    """One actor's HTTP session. Every method raises TargetError for an answer that is no success.

    A 4xx is definite, but for those that are `refusal.NOT_A_REFUSAL`: the target says that it did not do it. A 5xx, a
    time-out, a broken or refused connection is not: a target that is down must never be taken for one that refuses.
    """

    def __init__(self, pool: Pool, actor: str) -> None:
        self._pool = pool
        self._actor = actor
        self._headers: dict[str, str] = {}
        self._http = aiohttp.ClientSession(
            connector=pool.connector,
            connector_owner=False,
            timeout=aiohttp.ClientTimeout(total=REQUEST_DEADLINE_S),
        )

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that every request of this session carries."""
        return dict(self._headers)

    def authorize(self, token: str) -> None:
        """Send a bearer token (RFC 6750) from now on."""
        self._headers["Authorization"] = f"Bearer {token}"

    async def json(self, method: str, path: str, body: object = None) -> Any:
        """Send a JSON body (or none) and return the answer's JSON; None for an empty answer."""
        data = None if body is None else json.dumps(body).encode()
        answer = await self.send(method, path, data, content_type="application/json")
        if not answer:
            return None
        try:
            return json.loads(answer)
        except ValueError as error:
            raise TargetError(f"{method} {path} answered with broken JSON: {error}", definite=False) from error

    async def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        content_type: str = "application/octet-stream",
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> bytes:
        """Send bytes (or none), perhaps with further headers, and return the answer's bytes."""
        headers = self._headers | ({"Content-Type": content_type} if body is not None else {}) | dict(headers)
        began_s = time.monotonic()
        status, answer = await self._exchange(method, path, headers, body)
        if self._pool.observer:
            ended_s = time.monotonic()
            self._pool.observer(Exchange(self._actor, method, path, headers, body, status, answer, began_s, ended_s))
        if 200 <= status < 300:
            return answer
        raise refused(f"{method} {path}", status, answer)

    def websocket(self, path: str, first: str, hear: Hear, ended: Ended) -> Channel:
        """Begin to listen to a WebSocket to which `first` is said; the session's headers do not go with it."""
        self._pool.requests += 1
        return websocket(self._pool.channels, self._pool.base_url + path, first, hear, ended)

    def events(self, path: str, hear: Hear, ended: Ended) -> Channel:
        """Begin to listen to server-sent events."""
        self._pool.requests += 1
        return events(self._pool.channels, self._pool.base_url + path, self.headers, hear, ended)

    async def close(self) -> None:
        """Close the session; the pool's connections stay."""
        await self._http.close()

    async def _exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, bytes]:
        self._pool.requests += 1
        url = self._pool.base_url + path
        try:
            async with self._http.request(method, url, headers=headers, data=body, allow_redirects=False) as response:
                chunks, size = [], 0
                async for chunk in response.content.iter_any():
                    size += len(chunk)
                    if size > MAX_BODY_BYTES:
                        raise TargetError(f"{method} {path}: more than {MAX_BODY_BYTES} bytes", definite=False)
                    chunks.append(chunk)
                return response.status, b"".join(chunks)
        except TimeoutError as error:
            message = f"{method} {path}: no answer within {REQUEST_DEADLINE_S:g} s"
            raise TargetError(message, definite=False) from error
        except (aiohttp.ClientError, ValueError) as error:  # such as of an address that holds credentials
            raise TargetError(f"{method} {path}: {error or type(error).__name__}", definite=False) from error
