"""The process that decodes: `python -m harness.media.decoder`, told over standard input what to read.

Media that a target serves is hostile until it was read. So the process that touches it has little: so much memory and
no more, no file and no socket that it could open, no child that it could start, and nobody misses it when it is
killed. It ends when its standard input closes, and by itself when it is busy for longer than its parent waits.

Both ways a message is its length, 8 bytes big-endian, and that many bytes. In comes first the configuration, as JSON;
then for each piece of media its bytes, answered by `{"coded": ...}`, and `decode` or `discard`, of which the first is
answered by the reading.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from typing import BinaryIO

LENGTH_BYTES = 8
DECODE, DISCARD = b"decode", b"discard"
SPARE_S = 2
_LOG_BYTES = 64 * 1024


def main() -> None:
    """Read pieces of media until standard input closes."""
    # Whatever a library prints must not stand among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    blobs = sys.stdin.buffer
    told = _receive(blobs)
    if told is None:
        return
    config = json.loads(told)
    memory_bytes = int(config["memory_bytes"])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # Only now, so that what the libraries take is within the limit.
    from harness.media.serving import Reader

    reader = Reader.of(config)
    confine()
    _send(answers, b'{"ready": true}')
    while True:
        data = _receive(blobs)
        if data is None:
            return
        # Without a handler it ends the process, also when the decoder never comes back to Python.
        signal.alarm(int(config["deadline_s"]) + SPARE_S)
        _send(answers, reader.open(data))
        if _receive(blobs) == DECODE:
            _send(answers, reader.decode())
        else:
            reader.discard()
        signal.alarm(0)


def confine() -> None:
    """Take from this process what could reach beyond it: no file descriptor can be had from here on.

    A socket needs one as well as a file does, and a child needs several, so that nothing can be fetched, with or
    without a namespace of its own. Raises OSError or ValueError where the system refuses the limits.
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LOG_BYTES, _LOG_BYTES))


def framed(body: bytes) -> bytes:
    """Return a message with its length before it."""
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def configuration(**values: int | float | str | Mapping[str, int | float]) -> bytes:
    """Return the configuration as a message's body."""
    return json.dumps(values).encode()


def _receive(stream: BinaryIO) -> bytes | None:
    """Return the next message, or None when the other side is gone."""
    length = stream.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        return None
    size = int.from_bytes(length, "big")
    body = stream.read(size)
    return body if len(body) == size else None


def _send(stream: BinaryIO, body: bytes) -> None:
    stream.write(framed(body))
    stream.flush()


if __name__ == "__main__":
    main()
