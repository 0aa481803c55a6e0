"""The edge cache: answers that anybody may have are kept for a moment, by their address, before the application."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness.clinic import flaws
from harness.clinic.base.state import Clinic

MAX_KEPT = 200
MAX_BYTES = 1024 * 1024
MAX_AGE = re.compile(rb"max-age=(\d{1,6})")


@dataclass(slots=True)
class _Answer:
    """An answer on its way out, or kept until `expires_s` of the monotonic clock."""

    start: Message = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    expires_s: float = 0.0


class EdgeCache:
    """Keeps answers to GET that are marked `public, max-age=N`, and no others; the oldest goes first."""

    def __init__(self, app: ASGIApp, clinic: Clinic) -> None:
        self._app = app
        self._clinic = clinic
        self._kept: OrderedDict[bytes, _Answer] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or let the application answer."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        address = scope["raw_path"] + b"?" + scope["query_string"]
        kept = self._kept.get(address)
        if kept and kept.expires_s > time.monotonic():
            await send(kept.start)
            await send({"type": "http.response.body", "body": bytes(kept.body)})
            return
        await self._app(scope, receive, self._keeping(address, send))

    def _keeping(self, address: bytes, send: Send) -> Send:
        answer = _Answer()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.start = message
                answer.expires_s = time.monotonic() + self._age_s(message)
            elif answer.expires_s > time.monotonic() and len(answer.body) <= MAX_BYTES:
                answer.body += message.get("body", b"")
                if not message.get("more_body") and len(answer.body) <= MAX_BYTES:
                    self._keep(address, answer)
            await send(message)

        return keep

    def _keep(self, address: bytes, answer: _Answer) -> None:
        self._kept[address] = answer
        self._kept.move_to_end(address)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    def _age_s(self, start: Message) -> float:
        """Return for how long an answer may be kept for everybody: 0 for one that is private or varies."""
        if start["status"] != 200:
            return 0.0
        headers = dict(start["headers"])
        control = headers.get(b"cache-control", b"")
        age = MAX_AGE.search(control)
        if not age or b"set-cookie" in headers:
            return 0.0
        if self._clinic.has_flaw(flaws.EDGE_STORES_PRIVATE):
            return float(age[1])
        return float(age[1]) if b"public" in control and b"vary" not in headers else 0.0
