"""A flag server that speaks Unleash's client protocol: users' flags stand in their usernames, others are set here."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BOOLEAN = (
    "video-upgrade",
    "replay-index-v2",
    "replay-detail-v2",
    "replay-cache",
    "edge-cache",
    "replay-access",
    "carer-sharing",
)
CHILDREN = {"video-downgrade": "video-upgrade", "replay-search": "replay-index-v2"}
_versions = itertools.count(1)


def _strategy(marker: str, **more: object) -> dict[str, object]:
    constraint = {"contextName": "userId", "operator": "STR_CONTAINS", "values": [f"+{marker}+"]}
    parameters = {"rollout": "100", "stickiness": "userId", "groupId": marker}
    return {"name": "flexibleRollout", "parameters": parameters, "constraints": [constraint], **more}


def snapshot(*, for_all: tuple[str, ...] = (), for_nobody: tuple[str, ...] = ()) -> bytes:
    """Return a snapshot in which each user's flags stand in their username, between plus signs.

    Flags `for_all` are on whoever asks and for the clinic itself, flags `for_nobody` are off for everybody.
    """
    flags: list[dict[str, object]] = [
        {"name": name, "enabled": True, "strategies": [_strategy(name)]} for name in BOOLEAN
    ]
    for name, parent in CHILDREN.items():
        needs = [{"feature": parent, "enabled": True}]
        flags.append({"name": name, "enabled": True, "strategies": [_strategy(name)], "dependencies": needs})
    sizes = [
        _strategy(f"paging-{size}", variants=[{"name": size, "weight": 1000, "stickiness": "userId"}])
        for size in ("small", "large")
    ]
    flags.append({"name": "replay-paging", "enabled": True, "strategies": sizes})
    layouts = [
        _strategy(layout, variants=[{"name": layout, "weight": 1000, "stickiness": "userId"}])
        for layout in ("side-by-side", "picture-in-picture")
    ]
    flags.append({"name": "composite-layout", "enabled": True, "strategies": layouts})
    flags = [flag for flag in flags if flag["name"] not in (*for_all, *for_nobody)]
    flags += [{"name": name, "enabled": True, "strategies": [{"name": "default"}]} for name in for_all]
    return json.dumps({"version": 2, "features": flags}).encode()


@dataclass(slots=True)
class FlagServer:
    """A running flag server; `features` is what it serves, None for an error, and may be replaced at any time."""

    url: str = ""
    features: bytes | None = field(default_factory=snapshot)
    version: int = 0

    def serve(self, features: bytes | None) -> None:
        """Serve another snapshot from now on."""
        self.features, self.version = features, next(_versions)


def _protocol(server: FlagServer) -> type[BaseHTTPRequestHandler]:
    class Protocol(BaseHTTPRequestHandler):
        """The three requests of an Unleash SDK."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Serve the snapshot, or 304 to who has it."""
            features, etag = server.features, f'"{server.version}"'
            if features is None:
                self._answer(503, b"", etag)
            elif self.headers.get("If-None-Match") == etag:
                self._answer(304, b"", etag)
            else:
                self._answer(200, features, etag)

        def do_POST(self) -> None:
            """Take registrations and metrics."""
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer(202, b"", "")

        def _answer(self, status: int, body: bytes, etag: str) -> None:
            self.send_response(status)
            self.send_header("ETag", etag)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
            """Say nothing."""

    return Protocol


@contextmanager
def serving(features: bytes | None) -> Iterator[FlagServer]:
    """Run a flag server for as long as the block lasts."""
    state = FlagServer(features=features)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _protocol(state))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/api"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
