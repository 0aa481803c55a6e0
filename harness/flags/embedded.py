"""A flag server for unmodified Unleash SDKs, in a process of its own, with one snapshot for its whole life.

`python -m harness.flags.embedded` is the process; `EmbeddedFlags` starts and ends it for the harness. It is a
process and no thread, so that a busy harness cannot keep the target's SDK waiting.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from harness.errors import FlagError
from harness.flags import wire
from harness.flags.base import BY_USER_ID, NOTHING, Audience, Json, encode, etag_of, snapshot
from harness.flags.protocol import FlagServer
from harness.model import Catalogue
from harness.process import Service, ServiceDied

# A fixed token keeps strangers' SDKs out by accident, not by force: the server is on the loopback interface.
DEVELOPMENT_TOKEN: Final = "default:development.harness"  # noqa: S105 - not a secret, see above
HOST: Final = "127.0.0.1"
ENDING_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
USAGE_EXIT: Final = 4
MAX_PORT: Final = 65535
ASK_S: Final = 5.0
CLOSE_S: Final = 0.5


async def serve(server: FlagServer, port: int, *, until_stdin_closes: bool) -> None:
    """Serve on the loopback interface until SIGTERM, SIGINT or the end of standard input; raise OSError."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in ENDING_SIGNALS:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=CLOSE_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        print(f"flag server listening on http://{HOST}:{runner.addresses[0][1]}", flush=True)
        if until_stdin_closes:
            threading.Thread(target=_end_with_the_input, daemon=True).start()
        await stop.wait()
    finally:
        await runner.cleanup()
        # Whoever closes the input and sends a signal too must not turn a clean end into a killed one.
        for number in ENDING_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _end_with_the_input() -> None:
    # Not sys.stdin: a thread that waits in its lock would abort the interpreter on its way out.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class EmbeddedFlags:
    """The harness's hold on a running flag server; a context manager."""

    service: Service
    etag: str
    token: str = DEVELOPMENT_TOKEN

    @classmethod
    def start(
        cls,
        catalogue: Catalogue,
        port: int = 0,
        audience: Audience = BY_USER_ID,
        shared: Mapping[str, str] = NOTHING,
    ) -> Self:
        """Publish the catalogue's snapshot in a new process, and return once it is served.

        Port 0 takes a free one; `shared` is as `snapshot` takes it. Raises FlagError with the process's last
        words when it does not come up.
        """
        body = encode(snapshot(catalogue, audience, shared))
        with tempfile.TemporaryDirectory(prefix="harness-flags-") as directory:
            file = Path(directory) / "snapshot.json"
            file.write_bytes(body)
            options = ["--snapshot", str(file), "--port", str(port), "--token", DEVELOPMENT_TOKEN]
            try:
                service = Service.start("flags", __name__, [*options, "--until-stdin-closes"])
            except ServiceDied as problem:
                raise FlagError(str(problem)) from problem
        return cls(service, etag_of(body))

    @property
    def url(self) -> str:
        """Where an Unleash SDK is pointed to: `http://127.0.0.1:PORT/api`."""
        return f"{self.service.url}/api"

    def is_alive(self) -> bool:
        """True while the process has not ended."""
        return self.service.is_alive()

    def connections(self) -> list[Json]:
        """Return the SDK clients that the server remembers, the one seen last at the end; raise FlagError."""
        return connections(self.url, self.token)

    def stop(self) -> None:
        """End the process; harmless when it has ended already."""
        self.service.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def connections(url: str, token: str) -> list[Json]:
    """Return the SDK clients that the server at `url` (it ends in /api) remembers, the one seen last at the end.

    Raises FlagError when it does not answer, or is no server of ours and cannot tell.
    """
    answer = wire.get(f"{url.removesuffix('/api')}/connections", token, timeout_s=ASK_S)
    if answer.status != 200:
        raise FlagError(f"the flag server at {url} cannot say who asked it (status {answer.status})")
    found: list[Json] = json.loads(answer.body)["connections"]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the process; return 0, or 4 when the snapshot cannot be read or the port cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m harness.flags.embedded", description=__doc__)
    parser.add_argument("--snapshot", type=Path, required=True, help="the client-features document, JSON")
    parser.add_argument("--port", type=_port, default=0, help="0 takes a free one")
    parser.add_argument("--token", default=DEVELOPMENT_TOKEN, help="what clients send as their Authorization")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the parent process")
    try:
        options = parser.parse_args(arguments)
        server = FlagServer(_read_snapshot(options.snapshot), options.token)
    except SystemExit as ending:
        return USAGE_EXIT if ending.code else 0
    except (OSError, ValueError) as problem:
        return _refuse(str(problem))
    try:
        asyncio.run(serve(server, options.port, until_stdin_closes=options.until_stdin_closes))
    except OSError as problem:
        if problem.errno != errno.EADDRINUSE:
            raise
        return _refuse(f"port {options.port} of {HOST} is in use; choose another port, or 0 for any free one")
    return 0


def _refuse(reason: str) -> int:
    print(f"flag server: {reason}", file=sys.stderr)
    return USAGE_EXIT


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: it takes a number from 0 to {MAX_PORT}")
    return int(text)


def _read_snapshot(file: Path) -> bytes:
    body = file.read_bytes()
    try:
        document: Any = json.loads(body)
    except ValueError as problem:
        raise ValueError(f"{file} is not JSON: {problem}") from problem
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        raise ValueError(f"{file} is not a client-features document: it has no list 'features'")
    return body


if __name__ == "__main__":
    sys.exit(main())
