"""Channels against a server that misbehaves on them, over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from harness.drivers import channels
from harness.drivers.api import Pool
from harness.drivers.channels import Channel
from harness.errors import TargetError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
EVENTS = {"Content-Type": "text/event-stream"}


def broken(handler: Handler, *, by_websocket: bool = False) -> tuple[list[str], TargetError]:
    """Listen to a server until the channel is over; return what came, and why it is over."""
    heard: list[str] = []
    broke: list[TargetError] = []

    async def serve() -> None:
        application = web.Application()
        application.add_routes([web.get("/push", handler)])
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        pool = Pool(f"http://{host}:{port}")
        session = pool.session("alice")
        over = asyncio.Event()
        channel: Channel
        if by_websocket:
            channel = session.websocket("/push", "hello", heard.append, over.set)
        else:
            channel = session.events("/push", heard.append, over.set)
        try:
            async with asyncio.timeout(20):
                await over.wait()
            assert channel.broke is not None
            broke.append(channel.broke)
        finally:
            await channel.close()
            await session.close()
            await pool.close()
            await runner.cleanup()

    asyncio.run(serve())
    return heard, broke[0]


def stream(*parts: bytes) -> Handler:
    """Return what serves these bytes as server-sent events, and ends."""

    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=EVENTS)
        await response.prepare(request)
        for part in parts:
            await response.write(part)
        return response

    return serve


def test_events_are_read_as_they_are_written() -> None:
    """Data of several lines is one event; comments, other fields and an unfinished event are none."""
    whole = b": hello\n\nevent: news\ndata: one\ndata:two\r\n\r\ndata: caf\xc3\xa9\n\nid: 3\n\ndata: cut of"
    heard, broke = broken(stream(whole[:20], whole[20:]))
    assert heard == ["one\ntwo", "café"]
    assert not broke.definite


def test_a_refusal_is_definite() -> None:
    """A stream that is refused ends the channel with the target's own word."""

    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"error": {"code": "wrong-role", "message": "Not for you."}}, status=403)

    heard, broke = broken(refuse)
    assert (heard, broke.definite, broke.code) == ([], True, "wrong-role")


@pytest.mark.parametrize("by_websocket", [False, True])
def test_no_message_is_taken_without_a_bound(by_websocket: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a parameter of the test
    """A message that is larger than any page ends the channel; it is not held."""
    monkeypatch.setattr(channels, "MAX_MESSAGE_BYTES", 1000)

    async def push(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("x" * 2000)
        await socket.receive()
        return socket

    serve = push if by_websocket else stream(*[b"data: " + b"x" * 400 + b"\n"] * 5)
    heard, broke = broken(serve, by_websocket=by_websocket)
    assert (heard, broke.definite) == ([], False)


def test_a_line_without_an_end_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that goes on and on ends the channel."""
    monkeypatch.setattr(channels, "MAX_MESSAGE_BYTES", 1000)
    heard, broke = broken(stream(b"data: " + b"x" * 300_000))
    assert (heard, broke.definite) == ([], False)
    assert "more than 1000 bytes" in str(broke)


def test_messages_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """More messages than anybody can have been sent end the channel."""
    monkeypatch.setattr(channels, "MAX_MESSAGES", 2)
    heard, broke = broken(stream(b"data: again\n\n" * 5))
    assert heard == ["again"] * 2
    assert "more than 2 messages" in str(broke)


def test_nobody_there() -> None:
    """A channel to where nobody listens is over, and not for a refusal."""
    broke: list[TargetError | None] = []

    async def call() -> None:
        pool = Pool("http://127.0.0.1:9")
        session, over = pool.session("alice"), asyncio.Event()
        channel = session.websocket("/push", "hello", lambda _: None, over.set)
        await over.wait()
        broke.append(channel.broke)
        await channel.close()
        await session.close()
        await pool.close()

    asyncio.run(call())
    assert broke[0] is not None
    assert not broke[0].definite
