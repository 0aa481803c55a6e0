"""The bare client: aiohttp and uvloop, which send a recording's requests to a fresh clinic and check nothing else.

No engine, no ledger, no oracle, no media. The clinic and its flag server are started with the harness's own
adapter, so that both sides face the same processes with the same arguments; that is not timed.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from yarl import URL

from benchmarks import processor
from benchmarks.figures import BareRun
from benchmarks.recording import Place, Script, Step, Template
from harness.drivers.api import MAX_CONNECTIONS, REQUEST_DEADLINE_S
from harness.drivers.choice import API, AT_ONCE
from harness.flags.embedded import EmbeddedFlags
from harness.planning import catalogue
from harness.targets.base import FlagSource, TargetOptions
from harness.targets.clinic import ClinicTarget

CLINIC = "harness.clinic"
REPLAY_DEADLINE_S = 300.0
FINISHED_S, AGAIN_S = 30.0, 0.05
UNFINISHED = b'"status":"processing"'


class Differs(Exception):
    """The clinic answered a replayed request otherwise than the recorded one, so nothing can be compared."""


def replay(scripts: Sequence[Script], flags: Path) -> BareRun:
    """Send every script's requests to a fresh clinic, as many trials at once as `harness run` plays.

    Raises Differs at the first answer whose status is not the recorded one, TimeoutError after
    REPLAY_DEADLINE_S, and the harness's own errors when the processes do not start.
    """
    with (
        EmbeddedFlags.start(catalogue.load(flags)) as control,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        try:
            return runner.run(_replay(scripts, FlagSource(control.url, control.token)))
        except ExceptionGroup as group:
            raise _first(group) from None


def _first(error: Exception) -> Exception:
    """Return the first of what went wrong in tasks at once: the others follow from it or say the same."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


async def _replay(scripts: Sequence[Script], flags: FlagSource) -> BareRun:
    timeout = aiohttp.ClientTimeout(total=REQUEST_DEADLINE_S)
    async with _clinic(flags) as url:
        clinic = processor.child(CLINIC)
        connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        ) as http:
            clinic_s, cpu_s, began_s = processor.process_s(clinic), time.process_time(), time.monotonic()
            waiting = iter(scripts)
            async with asyncio.timeout(REPLAY_DEADLINE_S), asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE[API]):
                    group.create_task(_work(waiting, http, url))
            return BareRun(
                requests=sum(map(len, scripts)),
                elapsed_s=time.monotonic() - began_s,
                client_cpu_s=time.process_time() - cpu_s,
                clinic_cpu_s=processor.process_s(clinic) - clinic_s,
            )


@asynccontextmanager
async def _clinic(flags: FlagSource) -> AsyncIterator[str]:
    """Start a clinic as `harness run` does; yield its address."""
    target = ClinicTarget(TargetOptions())
    try:
        await target.start(flags)
        yield target.pool.base_url
    finally:
        await target.close()


async def _work(waiting: Iterator[Script], http: aiohttp.ClientSession, url: str) -> None:
    for script in waiting:
        values: dict[Place, str] = {}
        over = [asyncio.Event() for _ in script]
        async with asyncio.TaskGroup() as group:
            for step, mine in zip(script, over, strict=True):
                before = [over[at] for at in step.after]
                group.create_task(_send(step, before, mine, values, http, url))


async def _send(
    step: Step,
    before: Sequence[asyncio.Event],
    over: asyncio.Event,
    values: dict[Place, str],
    http: aiohttp.ClientSession,
    url: str,
) -> None:
    for each in before:
        await each.wait()
    path = _filled(step.path, values)
    headers = {name: _filled(text, values) for name, text in step.headers}
    body = _filled(step.body, values).encode() if isinstance(step.body, tuple) else step.body
    # As `harness.drivers.api` has quoted it: not to be quoted again.
    address = URL(url + path, encoded=True)
    ends_s = time.monotonic() + FINISHED_S
    while True:
        async with http.request(step.method, address, headers=headers, data=body, allow_redirects=False) as response:
            answer = await response.read()
        # Recordings appear late, and what comes next needs them: asked for again, and counted once.
        if UNFINISHED not in answer or time.monotonic() > ends_s:
            break
        await asyncio.sleep(AGAIN_S)
    if response.status != step.status:
        raise Differs(f"{step.method} {path} was answered {response.status}, in the recording {step.status}")
    if step.learns:
        document = json.loads(answer)
        for place in step.learns:
            values[place] = _at(document, place)
    over.set()


def _filled(template: Template, values: Mapping[Place, str]) -> str:
    return "".join(piece if isinstance(piece, str) else values[piece] for piece in template)


def _at(document: Any, place: Place) -> str:
    try:
        for key in place.route:
            document = document[key]
    except (LookupError, TypeError) as error:
        raise Differs(f"an answer has nothing at {place.route}, where the recorded one had") from error
    return str(document)
