"""A real clinic in a process of its own, and a flag server that speaks Unleash's client protocol to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from harness.process import Service
from tests.postgresql import PostgreSQL

from .flag_server import serving, snapshot
from .people import Deployment


@pytest.fixture(scope="session")
def flag_server() -> Iterator[str]:
    """Return the URL of a flag server's API."""
    with serving(snapshot()) as server:
        yield server.url


@pytest.fixture(scope="session")
def options(flag_server: str) -> list[str]:
    """Return the options that any clinic needs; its flags stay as they are, and are seldom asked for."""
    return ["--unleash-url", flag_server, "--unleash-token", "default:development.test", "--refresh-s", "10"]


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Return a function that makes an empty database; whatever uses it is tested on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return lambda: ":memory:"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database


@contextmanager
def deploying(options: list[str], new_database: Callable[[], str]) -> Iterator[Callable[..., Deployment]]:
    """Yield a function that starts a clinic on an empty database with further options, the way the harness does."""
    services: list[Service] = []
    deployments: list[Deployment] = []

    def start(*more: str) -> Deployment:
        given = [*options, "--database", new_database(), "--until-stdin-closes", *more]
        services.append(Service.start("clinic", "harness.clinic", given))
        deployments.append(Deployment(services[-1].url))
        return deployments[-1]

    try:
        yield start
    finally:
        for deployment in deployments:
            deployment.close()
        for service in services:
            # They end all at once, and are then waited for.
            if service.process.stdin:
                service.process.stdin.close()
        for service in services:
            service.stop()


@pytest.fixture(scope="module")
def deploy(options: list[str], new_database: Callable[[], str]) -> Iterator[Callable[..., Deployment]]:
    """Yield what starts clinics that end with the module."""
    with deploying(options, new_database) as start:
        yield start


@pytest.fixture(scope="session")
def clinic(options: list[str], new_database: Callable[[], str]) -> Iterator[Deployment]:
    """Yield a sound clinic."""
    with deploying(options, new_database) as start:
        yield start()


@pytest.fixture(scope="session")
def flawed(options: list[str], new_database: Callable[[], str]) -> Iterator[Deployment]:
    """Yield a clinic in which the video branch skips the owner."""
    with deploying(options, new_database) as start:
        yield start("--flaw", "video-branch-skips-owner")
