"""A PostgreSQL server of the tests' own: real, on 127.0.0.1, in a temporary directory, gone when the tests end."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from tests.ports import reserved

DEBIAN = Path("/usr/lib/postgresql")
INSTALL = "apt install postgresql"
OWNER = "clinic"
OWNERS = ("postgres", "nobody")
"""Whose process it is when the tests are root, as whom PostgreSQL refuses to run: the first that exists."""
START_S, STOP_S, LOOK_S = 30.0, 10.0, 0.02
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    # Nothing here has to survive the machine's fall.
    "fsync": "off",
    "full_page_writes": "off",
}


class MissingError(Exception):
    """There is no PostgreSQL on this machine; the message says how to get it."""


class DidNotStartError(Exception):
    """PostgreSQL is there and does not start; the message holds its last words."""


@dataclass(slots=True)
class PostgreSQL:
    """A running server; `process` is its first process, which ends all others."""

    process: subprocess.Popen[bytes]
    port: int
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def url(self, database: str = "postgres") -> str:
        """Return a database's address."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        name = f"clinic{next(self._numbers)}"
        with closing(psycopg.connect(self.url(), autocommit=True)) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def stop(self) -> None:
        """End it by its own id: its clients' connections are cut; harmless when it has ended already."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(STOP_S)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A directory with the data of a server, and the port that it is to have."""

    binaries: Path
    directory: Path
    port: int
    user: int | None

    def start(self) -> PostgreSQL:
        """Start the server, also again after its end; return when it answers, raise DidNotStartError otherwise."""
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [str(self.binaries / "postgres"), "-D", str(self.directory / "data"), "-p", str(self.port), *settings]
        if shutil.which("setpriv"):
            # Should these tests be killed, the kernel ends the server for them.
            command = ["setpriv", "--pdeathsig", "INT", "--", *command]
        log = self.directory / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                user=self.user,
                group=_group(self.user),
                extra_groups=[] if self.user else None,
            )
        server = PostgreSQL(process, self.port)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(psycopg.OperationalError), closing(psycopg.connect(server.url(), connect_timeout=2)):
                return server
            time.sleep(LOOK_S)
        server.stop()
        raise DidNotStartError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-2000:]}")


def find() -> Path:
    """Return the directory of the newest PostgreSQL's programs; raise MissingError with what to install."""
    installed = [each.parent for each in DEBIAN.glob("*/bin/initdb")]
    if installed:
        return max(installed, key=lambda each: float(each.parent.name))
    elsewhere = shutil.which("initdb")
    if elsewhere is None:
        raise MissingError(f"PostgreSQL is not installed: {INSTALL}")
    return Path(elsewhere).resolve().parent


def do_without(missing: MissingError, *, is_ci: bool) -> NoReturn:
    """Fail in CI, where everything has to be there; elsewhere skip."""
    if is_ci:
        pytest.fail(str(missing), pytrace=False)
    pytest.skip(str(missing))


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Make a fresh cluster that sorts text as people do, unlike SQLite; it is removed at the end."""
    binaries = find()
    user = _somebody_else() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="clinic-postgresql-", ignore_cleanup_errors=True) as directory:
        if user:
            shutil.chown(directory, user)
        made = subprocess.run(
            [
                *(str(binaries / "initdb"), "-D", f"{directory}/data", "-U", OWNER, "--auth=trust", "--no-sync"),
                *("--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en"),
            ],
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
            cwd="/",
            user=user,
            group=_group(user),
            extra_groups=[] if user else None,
        )
        if made.returncode:
            raise DidNotStartError(f"initdb failed:\n{made.stderr[-2000:]}")
        with reserved() as port:
            yield Cluster(binaries, Path(directory), port, user)


@contextmanager
def running() -> Iterator[PostgreSQL]:
    """Make a cluster and run its server for as long as the block lasts; raises MissingError, DidNotStartError."""
    with cluster() as made:
        server = made.start()
        try:
            yield server
        finally:
            server.stop()


def _somebody_else() -> int:
    known = {each.pw_name: each.pw_uid for each in pwd.getpwall()}
    return next(known[name] for name in OWNERS if name in known)


def _group(user: int | None) -> int | None:
    return None if user is None else pwd.getpwuid(user).pw_gid
