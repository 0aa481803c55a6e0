"""A port that stays free for the one whom a test gives it to."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved() -> Iterator[int]:
    """Keep a port of 127.0.0.1 on which nobody listens for as long as the block lasts.

    The kernel gives it to nobody who asks for any port, and lets whoever names it listen there, also again and again.
    A port that was only found to be free may be somebody else's by the time at which it is used.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
