"""A load of one kind of request on a clinic, from a process of its own: `python -m benchmarks.load` reads an Order.

Each connection belongs to one patient, who asks again as soon as they have been answered; nothing is checked but the
status. The order comes on standard input and the figures go to standard output, both as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
import uvloop

WARM_UP_S = 0.5
REQUEST_S = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """What to send: `body` as JSON, None for none; one connection for each of the tokens, for `seconds`."""

    url: str
    method: str
    path: str
    body: dict[str, str] | None
    status: int
    tokens: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it; `slowest_ms` is the time in which 99 of 100 requests were answered.

    `sent` counts those of the first moment, too, which `requests` and the times leave out.
    """

    sent: int
    requests: int
    elapsed_s: float
    median_ms: float
    slowest_ms: float
    client_cpu_s: float

    @property
    def requests_per_s(self) -> float:
        """Answered requests by time."""
        return self.requests / self.elapsed_s


class WrongAnswerError(Exception):
    """The clinic answered with another status than it should."""


async def send(order: Order) -> Load:
    """Send for as long as was ordered, after a moment that is not counted; raise WrongAnswerError."""
    took_s: list[float] = []
    connector = aiohttp.TCPConnector(limit=len(order.tokens))
    timeout = aiohttp.ClientTimeout(total=REQUEST_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
        counts_from_s = time.monotonic() + WARM_UP_S
        ends_at_s = counts_from_s + order.seconds

        async def ask(token: str) -> int:
            sent = 0
            headers = {"Authorization": f"Bearer {token}"}
            while (began_s := time.monotonic()) < ends_at_s:
                async with http.request(
                    order.method, order.url + order.path, json=order.body, headers=headers
                ) as response:
                    await response.read()
                if response.status != order.status:
                    raise WrongAnswerError(f"{order.method} {order.path} was answered {response.status}")
                sent += 1
                if began_s >= counts_from_s:
                    took_s.append(time.monotonic() - began_s)
            return sent

        cpu_s = time.process_time()
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(ask(token)) for token in order.tokens]
        took_s.sort()
        return Load(
            sent=sum(each.result() for each in asking),
            requests=len(took_s),
            elapsed_s=time.monotonic() - counts_from_s,
            median_ms=took_s[len(took_s) // 2] * 1000,
            slowest_ms=took_s[len(took_s) * 99 // 100] * 1000,
            client_cpu_s=time.process_time() - cpu_s,
        )


def main() -> None:
    """Read the order, send, and write the figures."""
    given: dict[str, Any] = json.load(sys.stdin)
    order = Order(**given | {"tokens": tuple(given["tokens"])})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        json.dump(asdict(runner.run(send(order))), sys.stdout)


if __name__ == "__main__":
    main()
