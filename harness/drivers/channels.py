"""Channels by which a target pushes: a WebSocket (RFC 6455), or server-sent events (WHATWG HTML, 9.2); aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

import aiohttp
from aiohttp.http_exceptions import LineTooLong

from harness.drivers.refusal import refused
from harness.errors import TargetError

OPEN_S = 20.0
"""How long a channel may take to come about, and how long it waits for its turn when too many are open."""
CLOSE_S = 1.0
MAX_MESSAGES = 20_000
MAX_MESSAGE_BYTES = 1024 * 1024
REFUSAL_BYTES = 4096

Hear = Callable[[str], None]
Ended = Callable[[], None]


class Channel:
    """A connection on which messages come until it is closed.

    It reads in a task of its own, hands each message to `hear`, and calls `ended` when none will come any more.
    Whatever ends it but `close` is in `broke`, and ends nothing else.
    """

    def __init__(
        self, session: aiohttp.ClientSession, messages: AsyncGenerator[str, None], hear: Hear, ended: Ended
    ) -> None:
        self._session = session
        self._reading = asyncio.create_task(self._read(messages, hear), name="channel")
        self._reading.add_done_callback(lambda _: ended())

    @property
    def broke(self) -> TargetError | None:
        """Why nothing comes any more, definite where the target refused the channel; None while it is open.

        Raises what `hear` raised.
        """
        return self._reading.result() if self._reading.done() else None

    async def close(self) -> None:
        """End it, saying so to the target; harmless when it is over."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._session.close()

    async def _read(self, messages: AsyncGenerator[str, None], hear: Hear) -> TargetError:
        count = 0
        try:
            async with aclosing(messages):
                async for message in messages:
                    count += 1
                    if count > MAX_MESSAGES:
                        return TargetError(f"more than {MAX_MESSAGES} messages came", definite=False)
                    hear(message)
        except TargetError as error:
            return error
        except (aiohttp.ClientError, TimeoutError) as error:
            return TargetError(f"it broke: {error or type(error).__name__}", definite=False)
        return TargetError("the target ended it", definite=False)


def websocket(connector: aiohttp.TCPConnector, url: str, first: str, hear: Hear, ended: Ended) -> Channel:
    """Open a WebSocket, say `first`, and hand on each text message."""
    session = _session(connector)

    async def messages() -> AsyncGenerator[str, None]:
        closing = aiohttp.ClientWSTimeout(ws_close=CLOSE_S)
        async with session.ws_connect(url, max_msg_size=MAX_MESSAGE_BYTES, timeout=closing) as socket:
            await socket.send_str(first)
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    yield message.data
                elif message.type is aiohttp.WSMsgType.ERROR:
                    raise TargetError(f"it broke: {message.data or 'no reason'}", definite=False)
            raise TargetError(f"the target closed it with code {socket.close_code}", definite=False)

    return Channel(session, messages(), hear, ended)


def events(connector: aiohttp.TCPConnector, url: str, headers: Mapping[str, str], hear: Hear, ended: Ended) -> Channel:
    """Open a stream of server-sent events, and hand on each one's data; a refusal is the channel's end."""
    session = _session(connector)

    async def messages() -> AsyncGenerator[str, None]:
        async with session.get(url, headers=headers, allow_redirects=False) as response:
            if response.status != 200:
                raise refused(f"GET {response.url.path}", response.status, await response.content.read(REFUSAL_BYTES))
            async with aclosing(_data_of(response.content)) as found:
                async for data in found:
                    yield data

    return Channel(session, messages(), hear, ended)


async def _data_of(lines: aiohttp.StreamReader) -> AsyncGenerator[str, None]:
    """Give the data of each event; comments and other fields are passed over."""
    data: list[str] = []
    size = 0
    while raw := await _line(lines):
        size += len(raw)
        if size > MAX_MESSAGE_BYTES:
            raise _too_long()
        line = raw.decode(errors="replace").rstrip("\r\n")
        if line.startswith("data:"):
            data.append(line[len("data:") :].removeprefix(" "))
        elif not line:
            if data:
                yield "\n".join(data)
            data, size = [], 0


async def _line(lines: aiohttp.StreamReader) -> bytes:
    try:
        return await lines.readline(max_line_length=MAX_MESSAGE_BYTES)
    except LineTooLong as error:
        raise _too_long() from error


def _too_long() -> TargetError:
    return TargetError(f"an event of more than {MAX_MESSAGE_BYTES} bytes came", definite=False)


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=None, connect=OPEN_S)
    return aiohttp.ClientSession(connector=connector, connector_owner=False, timeout=timeout)
