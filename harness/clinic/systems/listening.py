"""Listening to one's notices as they are posted, in any process: over a WebSocket or by server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.types import Message, Send

from harness.clinic import flaws, policy
from harness.clinic.base.errors import ApiError, answers
from harness.clinic.base.live import Listener, Position
from harness.clinic.base.state import Clinic, Me, Person, person_of_token
from harness.clinic.base.store import Row

from . import notices

HELLO_S = 5.0
SEND_S = 10.0
CLOSE_S = 1.0
LOOK_BACK = 200
POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013
EVENTS = "text/event-stream"
READY = '{"type":"ready"}'

router = APIRouter(prefix="/notices", tags=["notices"])


class Hello(BaseModel):
    """What a listener sends first: the token of a session."""

    token: Annotated[str, Field(max_length=200)]


def _reader(clinic: Clinic) -> Callable[[], None]:
    """Return what reads the notices that have come since, and pushes each to whom it is for."""
    last = clinic.store.one("SELECT max(seq) FROM notices")[0] or 0
    position = Position(max(0, last - LOOK_BACK))

    def unread() -> list[Row]:
        rows = clinic.store.all(
            f"SELECT {notices.COLUMNS}, a.region FROM notices n JOIN accounts a ON a.username = n.recipient"  # noqa: S608 - our own words
            " WHERE n.seq > ? ORDER BY n.seq LIMIT ?",
            position.read_to,
            position.limit,
        )
        fresh = position.fresh([row[0] for row in rows], time.monotonic())
        return [row for row in rows if row[0] in fresh]

    def push() -> None:
        for *row, region in unread():
            clinic.live.push(notices.of_row(tuple(row)).model_dump_json(), _reaches(clinic, row[2], region))

    # What is there already belongs to the inbox; it was looked at for the gaps in it alone.
    unread()
    return push


def _reaches(clinic: Clinic, recipient: str, region: str) -> Callable[[Listener], bool]:
    if clinic.has_flaw(flaws.LIVE_TOPIC_UNFILTERED):
        return lambda listener: listener.region == region
    return lambda listener: policy.may_receive(listener.username, recipient)


async def _messages(clinic: Clinic, me: Person, token: str) -> AsyncGenerator[str, None]:
    """Give what to send to one listener while their session lasts: `ready`, then notices; "" for a heartbeat."""
    listener = Listener(me.username, me.region)
    clinic.live.add(listener, lambda: _reader(clinic))
    try:
        yield READY
        async for message in listener.messages():
            if person_of_token(clinic, token) is None:
                return
            yield message
    finally:
        clinic.live.drop(listener)


class _Events(StreamingResponse):
    """Server-sent events that end when the client does not take one for SEND_S."""

    async def stream_response(self, send: Send) -> None:
        """Send each event in time, or end."""

        async def soon(message: Message) -> None:
            async with asyncio.timeout(SEND_S):
                await send(message)

        with contextlib.suppress(TimeoutError):
            await super().stream_response(soon)


async def _as_events(messages: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    async with contextlib.aclosing(messages):
        async for message in messages:
            yield f"data: {message}\n\n" if message else ": no news\n\n"


@router.get(
    "/stream",
    summary="Listen to my notices",
    response_class=Response,
    responses={**answers(401, 503), 200: {"description": "Notices as they come.", "content": {EVENTS: {}}}},
)
async def stream_notices(me: Me, request: Request) -> _Events:
    """Send `ready`, then each new notice as a server-sent event, and a comment now and then when there is none."""
    me.clinic.live.require_room()
    token = request.headers["authorization"].partition(" ")[2].strip()
    events = _as_events(_messages(me.clinic, me, token))
    return _Events(events, media_type=EVENTS, headers={"Cache-Control": "no-store"})


async def _send_all(socket: WebSocket, messages: AsyncGenerator[str, None]) -> None:
    """Send until there is nothing more to send, or the client does not take it; the server itself pings."""
    with contextlib.suppress(TimeoutError, WebSocketDisconnect):
        async with contextlib.aclosing(messages):
            async for message in messages:
                if message:
                    async with asyncio.timeout(SEND_S):
                        await socket.send_text(message)


async def _until_gone(socket: WebSocket) -> None:
    """Take no notice of what a client says after its token, until it closes."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _token(socket: WebSocket) -> str:
    """Return the token that a client sends first, "" when it sends something else."""
    with contextlib.suppress(TimeoutError, WebSocketDisconnect, KeyError, ValidationError):
        async with asyncio.timeout(HELLO_S):
            return Hello.model_validate_json(await socket.receive_text()).token
    return ""


@router.websocket("/live")
async def listen_to_notices(socket: WebSocket) -> None:
    """Take `{"token": ...}` within 5 s, answer `{"type": "ready"}`, then send each new notice as it is posted.

    It closes with 1008 for an unknown token or one that was signed out, 1013 when too many listen.
    """
    clinic: Clinic = socket.app.state.clinic
    await socket.accept()
    token = await _token(socket)
    me, code = person_of_token(clinic, token), POLICY_VIOLATION
    if me is not None:
        code = await _listen(socket, me, token)
    # A client that does not read holds up the closing, too.
    with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
        async with asyncio.timeout(CLOSE_S):
            await socket.close(code)


async def _listen(socket: WebSocket, me: Person, token: str) -> int:
    """Send until either side ends it; return the code to close with."""
    try:
        me.clinic.live.require_room()
    except ApiError:
        return TRY_AGAIN_LATER
    tasks = {
        asyncio.create_task(_send_all(socket, _messages(me.clinic, me, token))),
        asyncio.create_task(_until_gone(socket)),
    }
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return TRY_AGAIN_LATER if person_of_token(me.clinic, token) else POLICY_VIOLATION
