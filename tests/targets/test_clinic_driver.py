"""The clinic's driver against a server that does what the clinic must never do, over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from harness.drivers.api import Pool
from harness.errors import TargetError
from harness.targets.clinic import ClinicDriver
from harness.targets.clinic.surfaces import FIRST_BYTES

Use = Callable[[ClinicDriver], Awaitable[None]]


def against(routes: list[web.RouteDef], use: Use) -> None:
    """Let a driver use a server of these routes."""

    async def serve() -> None:
        application = web.Application()
        application.add_routes(routes)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        pool = Pool(f"http://{host}:{port}")
        driver = ClinicDriver(pool.session("alice"), "alice~+", "alice", "patient")
        try:
            await use(driver)
        finally:
            await driver.close()
            await pool.close()
            await runner.cleanup()

    asyncio.run(serve())


async def _refuse(_: web.Request) -> web.Response:
    return web.json_response({"error": {"code": "not-found", "message": "No such replay."}}, status=404)


async def _serve(_: web.Request) -> web.Response:
    return web.Response(body=b"somebody's video")


async def _circle(_: web.Request) -> web.Response:
    item = {"id": "rec-1", "consultation": "con-1", "medium": "audio"}
    return web.json_response({"items": [item], "next": "again"})


def test_bytes_are_asked_for_though_the_detail_is_refused() -> None:
    """A detail that is well guarded says nothing of the bytes beside it."""

    async def use(driver: ClinicDriver) -> None:
        assert await driver.open("rec-2") == b"somebody's video"

    against([web.get("/replays/rec-2", _refuse), web.get("/replays/rec-2/media", _serve)], use)


def test_a_list_that_goes_in_circles_has_no_answer() -> None:
    """A page that brings nothing new and is not the last ends the reading, without an end to the list."""

    async def use(driver: ClinicDriver) -> None:
        with pytest.raises(TargetError, match="a page brought nothing new") as caught:
            await driver.replays()
        assert not caught.value.definite

    against([web.get("/replays", _circle)], use)


def test_pages_that_lead_back_have_no_answer() -> None:
    """A list whose pages go in circles ends the look, without an end to the list."""

    async def use(driver: ClinicDriver) -> None:
        with pytest.raises(TargetError, match="leads back") as caught:
            await driver.look("inbox")
        assert not caught.value.definite

    against([web.get("/notices", _circle)], use)


@pytest.mark.parametrize("size", [0, 1, FIRST_BYTES - 1, FIRST_BYTES, FIRST_BYTES + 1])
@pytest.mark.parametrize("knows_ranges", [True, False])
def test_ranges_are_joined(size: int, knows_ranges: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A file of any size is whole when it was asked for in two ranges, also by a server that sends it all at once."""
    whole = bytes(number % 251 for number in range(size))

    async def serve(request: web.Request) -> web.Response:
        wanted = request.http_range
        start, end = wanted.start or 0, wanted.stop or size
        if not knows_ranges:
            return web.Response(body=whole)
        if start >= size:
            return web.Response(status=416)
        return web.Response(status=206, body=whole[start:end])

    async def use(driver: ClinicDriver) -> None:
        assert (await driver.look("range", "rec-1")).media == whole

    against([web.get("/replays/rec-1/media", serve)], use)


def test_a_link_leads_nowhere_else() -> None:
    """A link that is no path is not followed: the user's token would go with it."""

    async def use(driver: ClinicDriver) -> None:
        for link in ("http://elsewhere.invalid/links/1", "@elsewhere.invalid/links/1", ""):
            with pytest.raises(TargetError, match="no path") as caught:
                await driver.look("link", link)
            assert not caught.value.definite

    against([], use)
