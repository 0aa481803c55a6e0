"""A real clinic in a process of its own, and a flag server that speaks Unleash's client protocol to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.process import Service

from .people import Deployment

BOOLEAN = (
    "video-upgrade",
    "replay-index-v2",
    "replay-search",
    "replay-detail-v2",
    "replay-cache",
    "edge-cache",
    "replay-access",
    "carer-sharing",
)
ETAG = '"one"'


def _strategy(marker: str, **more: object) -> dict[str, object]:
    constraint = {"contextName": "userId", "operator": "STR_CONTAINS", "values": [f"+{marker}+"]}
    parameters = {"rollout": "100", "stickiness": "userId", "groupId": marker}
    return {"name": "flexibleRollout", "parameters": parameters, "constraints": [constraint], **more}


def _features() -> bytes:
    """Return a snapshot in which each user's flags stand in their username, between plus signs."""
    flags: list[dict[str, object]] = [
        {"name": name, "enabled": True, "strategies": [_strategy(name)]} for name in BOOLEAN
    ]
    parent = [{"feature": "video-upgrade", "enabled": True}]
    downgrade = [_strategy("video-downgrade")]
    flags.append({"name": "video-downgrade", "enabled": True, "strategies": downgrade, "dependencies": parent})
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
    return json.dumps({"version": 2, "features": flags}).encode()


class _Protocol(BaseHTTPRequestHandler):
    """The three requests of an Unleash SDK."""

    protocol_version = "HTTP/1.1"
    body = _features()

    def do_GET(self) -> None:
        """Serve the snapshot, or 304 to who has it."""
        fresh = self.headers.get("If-None-Match") != ETAG
        self._answer(200 if fresh else 304, self.body if fresh else b"")

    def do_POST(self) -> None:
        """Take registrations and metrics."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(202, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("ETag", ETAG)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
        """Say nothing."""


@pytest.fixture(scope="session")
def flag_server() -> Iterator[str]:
    """Return the URL of a flag server's API."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Protocol)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    server.server_close()
    serving.join()


@pytest.fixture(scope="session")
def options(flag_server: str) -> list[str]:
    """Return the options that any clinic needs."""
    return ["--unleash-url", flag_server, "--unleash-token", "default:development.test"]


@pytest.fixture(scope="session")
def deploy(options: list[str]) -> Iterator[Callable[..., Deployment]]:
    """Return a function that starts a clinic with further options, the way the harness does."""
    services: list[Service] = []
    deployments: list[Deployment] = []

    def start(*more: str) -> Deployment:
        services.append(Service.start("clinic", "harness.clinic", [*options, "--until-stdin-closes", *more]))
        deployments.append(Deployment(services[-1].url))
        return deployments[-1]

    yield start
    for deployment in deployments:
        deployment.close()
    for service in services:
        service.stop()


@pytest.fixture(scope="session")
def clinic(deploy: Callable[..., Deployment]) -> Deployment:
    """Return a sound clinic."""
    return deploy()


@pytest.fixture(scope="session")
def flawed(deploy: Callable[..., Deployment]) -> Deployment:
    """Return a clinic in which the video branch skips the owner."""
    return deploy("--flaw", "video-branch-skips-owner")
