"""A flag server that does not answer: an address on loopback which is held and at which nobody listens.

A target that starts beside it has what its flag client falls back to, in most SDKs every flag off: a combination of its
own.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from harness.flags.embedded import DEVELOPMENT_TOKEN

HOST: Final = "127.0.0.1"
DOWN: Final = "down"
"""What `--flag-server` has in place of an address."""


class Outage:
    """Holds the address while its block runs; as the watch of a run it proves that the outage lasts."""

    def __init__(self) -> None:
        self._socket = socket.socket()

    def __enter__(self) -> Self:
        self._socket.bind((HOST, 0))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    @property
    def url(self) -> str:
        """Where an Unleash SDK is pointed to: it ends in /api, as a flag server's does."""
        return f"http://{HOST}:{self._socket.getsockname()[1]}/api"

    @property
    def token(self) -> str:
        """What a client sends, though nobody reads it."""
        return DEVELOPMENT_TOKEN

    async def confirm(self, since_s: float, deadline_s: float) -> str | None:
        """Return None when a connection is refused now, otherwise what came; `since_s` is as `Watch.confirm` has it."""
        del since_s
        host, port = self._socket.getsockname()
        try:
            async with asyncio.timeout(deadline_s):
                _, writer = await asyncio.open_connection(host, port)
        except ConnectionRefusedError:
            return None
        except OSError as error:
            return f"it is not known whether the flag server is down: {error}"
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return f"somebody listens at port {port}, where no flag server was to answer"
