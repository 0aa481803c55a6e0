"""Settings of all tests, and the PostgreSQL server that some of them need."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import postgresql as servers

# Either would assert a timing: what takes long on a busy machine is not wrong.
settings.register_profile("harness", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("harness")

NOT_TESTED = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def postgresql(pytestconfig: pytest.Config) -> Iterator[servers.PostgreSQL]:
    """Return a server of the tests' own; where none can be had they fail in CI, and elsewhere are skipped aloud."""
    try:
        servers.find()
    except servers.MissingError as error:
        pytestconfig.stash[NOT_TESTED] = str(error)
        servers.do_without(error, is_ci=os.environ.get("CI") == "true")
    with servers.running() as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say at the end, where it is read, that PostgreSQL was not tested."""
    if NOT_TESTED in config.stash:
        terminalreporter.write_line(f"PostgreSQL was NOT tested: {config.stash[NOT_TESTED]}", yellow=True, bold=True)
