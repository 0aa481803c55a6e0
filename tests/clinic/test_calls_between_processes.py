"""Calls of a clinic in several processes: each lives in one, goes on elsewhere, and obeys who knows the secret."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI

from harness.clinic.base import errors
from harness.clinic.base.errors import ApiError
from harness.clinic.base.store import Store
from harness.clinic.systems import calls
from harness.clinic.systems.calls import Calls
from tests.ports import reserved

from .callers import calling, held, until
from .halls import ANN, BEA, SHARED, STORED, VISIT, Hall, meet, shown


@asynccontextmanager
async def replica(path: Path) -> AsyncIterator[tuple[Hall, str]]:
    """Serve one of several processes' halls, with its own connection to the one database; yield it and its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    hall = Hall()
    hall.calls = Calls(Store(str(path), STORED + calls.SCHEMA), hall.keep, own_address=address, secret=SHARED)
    app = FastAPI()
    app.state.clinic = SimpleNamespace(rooms=hall.calls)
    errors.install(app)
    app.include_router(calls.router)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until(lambda: server.started)
        yield hall, address
    finally:
        await hall.calls.close()
        server.should_exit = True
        await serving
        listener.close()


def test_a_call_lives_in_one_of_several_processes(tmp_path: Path) -> None:
    """Whichever process is asked, participants meet in the one that answered first, and switch and end it there."""

    async def story() -> None:
        async with replica(tmp_path / "db") as (first, _), replica(tmp_path / "db") as (second, _):
            ann, bea = first.caller(ANN, "ann"), second.caller(BEA, "bea")
            async with calling(ann, bea):
                await ann.call()
                await bea.call()
                await meet(ann, bea, "audio")
                assert (first.present, second.present) == ({"ann", "bea"}, set())
                await second.calls.segment(VISIT, "video")
                await meet(ann, bea, "audio")
                await second.calls.leave(VISIT, "bea")
                assert first.present == {"ann"}
                with pytest.raises(ApiError) as refused:
                    await second.calls.answer(VISIT, "bea", "audio", "Guten Tag")
                assert (refused.value.status, refused.value.code) == (422, "bad-sdp")
                await second.calls.end(VISIT)
            assert second.files == []
            for name, canary in (("ann", ANN), ("bea", BEA)):
                assert [each.medium for each in first.of(name)] == ["audio", "video"]
                assert [shown(each.audio, "audio") for each in first.of(name)] == [{canary}] * 2
            assert first.calls._store.all("SELECT * FROM calls") == []

    held(story)


def test_a_call_goes_on_elsewhere_when_its_process_is_gone(tmp_path: Path) -> None:
    """An offer that reaches another process after the call's own one is gone begins the call anew there."""

    async def story() -> None:
        with reserved() as gone:
            await goes_on(gone)

    async def goes_on(gone: int) -> None:
        async with replica(tmp_path / "db") as (hall, address):
            store = hall.calls._store
            store.db.execute("INSERT INTO calls VALUES (?, ?)", (VISIT, f"http://127.0.0.1:{gone}"))
            await hall.calls.segment(VISIT, "video")
            ann = hall.caller(ANN, "ann")
            async with calling(ann):
                await ann.call()
                assert hall.present == {"ann"}
                assert store.all("SELECT * FROM calls") == [(VISIT, address)]
                await hall.calls.close()
                assert store.all("SELECT * FROM calls") == []

    held(story)


def test_only_who_says_the_secret_is_obeyed(tmp_path: Path) -> None:
    """What processes ask of each other is unknown to anybody who does not share their secret."""

    async def story() -> None:
        async with replica(tmp_path / "db") as (hall, address), aiohttp.ClientSession() as session:
            ann = hall.caller(ANN, "ann")
            async with calling(ann):
                await ann.call()
                for secret, status, present in (("", 404, {"ann"}), ("hash", 404, {"ann"}), (SHARED, 200, set())):
                    url, headers = f"{address}/replicas/calls/{VISIT}", {calls.SECRET: secret}
                    async with session.post(url, json={"act": "end"}, headers=headers) as response:
                        assert (response.status, hall.present) == (status, present)

    held(story)
