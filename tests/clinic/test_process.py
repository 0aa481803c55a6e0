"""The clinic as a process: how it starts, how it refuses to, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests import postgresql as servers
from tests.ports import reserved

from .people import Api, Deployment, User, held

Process = subprocess.Popen[str]
LINE = re.compile(r"clinic listening on (http://127\.0\.0\.1:\d+)\n")
COMMAND = [sys.executable, "-m", "harness.clinic"]
END_S = 20.0
SECRET = "only for this test"  # noqa: S105 - of an account that lives as long as the test


@contextmanager
def started(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[Process]:
    """Start a clinic, whose process does not outlive the block."""
    command = [*COMMAND, *arguments]
    with subprocess.Popen(
        command, stdin=-1, stdout=-1, stderr=-1, text=True, env=os.environ | (environment or {})
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(params=["1", "2"], ids=["one process", "two replicas"])
def launched(options: list[str], request: pytest.FixtureRequest) -> Iterator[Process]:
    """Return a clinic's process that ends with its standard input."""
    with started(*options, "--until-stdin-closes", "--replicas", request.param) as process:
        yield process


def listening(process: Process) -> str:
    """Return the URL that the process prints."""
    assert process.stdout
    found = LINE.fullmatch(process.stdout.readline())
    assert found
    return found[1]


def refused(*arguments: str) -> str:
    """Return what a clinic says that must not start."""
    ended = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (4, "")
    return ended.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, "stdin closes"])
def test_end(launched: Process, how: signal.Signals | str) -> None:
    """It ends quietly when told to, though a client keeps its connection and another is in mid-request."""
    url = listening(launched)
    idle = Api(url)
    assert idle.call("GET", "/health").json == {"status": "ok"}
    half = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
    half.sendall(b"POST /sign-in HTTP/1.1\r\nHost: clinic\r\nContent-Length: 999\r\n\r\n{")
    assert launched.stdin
    if isinstance(how, signal.Signals):
        launched.send_signal(how)
    else:
        launched.stdin.close()
        launched.stdin = None
    said, logged = launched.communicate(timeout=END_S)
    idle.close()
    half.close()
    assert (launched.returncode, said) == (0, "")
    assert "Traceback" not in logged


def test_port_in_use(options: list[str]) -> None:
    """A port that is taken gives one line that says so, also when several processes would share it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for replicas in ("1", "2"):
            said = refused(*options, "--port", port, "--replicas", replicas)
            assert said.count("\n") == 1
            assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said


def test_unknown_flaw(options: list[str]) -> None:
    """An unknown flaw gives one line with the nearest right name."""
    said = refused(*options, "--flaw", "video-branch-skips-onwer")
    assert said.count("\n") == 1
    assert "did you mean 'video-branch-skips-owner'?" in said


def test_usage(options: list[str], tmp_path: Path) -> None:
    """What cannot be is refused before anything starts."""
    assert "required" in refused()
    assert "is not an http(s) URL" in refused("--unleash-url", "localhost", "--unleash-token", "t")
    assert "cannot open the database" in refused(*options, "--database", str(tmp_path / "no" / "such"))
    assert "begins with postgresql://" in refused(*options, "--database", "mysql://somewhere/clinic")
    assert "give 1 to 16" in refused(*options, "--replicas", "17")
    assert "a password has 1 to 200 characters" in refused(*options, "--operator-password", "")


@pytest.mark.parametrize("replicas", ["1", "2"])
def test_no_postgresql(options: list[str], replicas: str) -> None:
    """A PostgreSQL that is not there gives one line, without the password that was given."""
    with reserved() as port:
        database = f"postgresql://clinic:{SECRET.replace(' ', '')}@127.0.0.1:{port}/clinic"
        said = refused(*options, "--database", database, "--replicas", replicas)
    assert said.startswith("clinic: cannot open the PostgreSQL database: ")
    assert f"port {port} failed: Connection refused" in said
    assert SECRET.replace(" ", "") not in said


def test_without_flag_server() -> None:
    """With no flag server it starts with every flag off, and says so."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        with started("--unleash-url", url, "--unleash-token", "t") as process:
            clinic = Deployment(listening(process))
            alice, chen = clinic.patient("alice"), clinic.clinician("chen")
            held(alice, chen, b"hers")
            assert set(alice.get("/me/features").json.values()) == {"off"}
            assert alice.get("/replays").refusal == (403, "replays-off")
            clinic.close()
            process.terminate()
            _, logged = process.communicate(timeout=END_S)
    assert process.returncode == 0
    assert "no flags after 5 s: starting with every flag off" in logged


def test_database_is_kept(options: list[str], new_database: Callable[[], str], tmp_path: Path) -> None:
    """A database keeps everything for the next clinic."""
    database = new_database()
    kept = [*options, "--database", str(tmp_path / "clinic.sqlite") if database == ":memory:" else database]
    with started(*kept) as process:
        first = Deployment(listening(process))
        alice, chen = first.patient("alice"), first.clinician("chen")
        _, hers = held(alice, chen, b"hers")
        first.close()
        process.terminate()
        process.communicate(timeout=END_S)
    with started(*kept) as process:
        api = Api(listening(process), alice.api.token)
        assert api.call("GET", f"/replays/{hers}/media").body == b"hers"
        api.close()


@pytest.mark.parametrize("replicas", ["1", "2"])
def test_operator(options: list[str], replicas: str) -> None:
    """The password comes from the environment, and nobody else is called operator."""
    given = [*options, "--replicas", replicas]
    with started(*given, environment={"CLINIC_OPERATOR_PASSWORD": SECRET}) as process:
        api = Api(listening(process))
        signed_in = api.call("POST", "/sign-in", {"username": "operator", "password": SECRET})
        api.token = signed_in.json["token"]
        me = api.call("GET", "/me").json
        api.close()
    assert (me["username"], me["role"]) == ("operator", "operator")


def test_no_operator(clinic: Deployment) -> None:
    """Without a password there is no operator, and nobody can take the name."""
    api = Api(clinic.url)
    someone = {"username": "operator", "password": SECRET}
    assert api.call("POST", "/sign-in", someone).refusal == (401, "wrong-credentials")
    opened = api.call("POST", "/accounts", someone | {"name": "Olga", "role": "patient"})
    api.close()
    assert opened.refusal == (409, "username-taken")


def test_busy_sqlite(options: list[str], tmp_path: Path) -> None:
    """While somebody else keeps the SQLite file it is read but not written, and afterwards all goes on."""
    file = tmp_path / "clinic.sqlite"
    with started(*options, "--database", str(file)) as process:
        clinic = Deployment(listening(process))
        alice = clinic.patient("alice")
        hold(file, alice)
        assert alice.post("/sign-out").status == 204
        clinic.close()


def hold(file: Path, alice: User) -> None:
    """Keep the file for oneself while Alice asks."""
    with closing(sqlite3.connect(file, isolation_level=None)) as hog:
        hog.execute("BEGIN IMMEDIATE")
        assert alice.put("/me/pharmacy", {"pharmacy": "none"}).status == 404
        assert alice.post("/sign-out").refusal == (503, "database-unavailable")
        hog.execute("ROLLBACK")


@contextmanager
def database_of_its_own() -> Iterator[tuple[servers.Cluster, servers.PostgreSQL]]:
    """Run a server that a test may stop."""
    with servers.cluster() as cluster:
        server = cluster.start()
        try:
            yield cluster, server
        finally:
            server.stop()


@pytest.mark.usefixtures("postgresql")
@pytest.mark.parametrize("replicas", ["1", "2"])
def test_postgresql_away(options: list[str], replicas: str) -> None:
    """While PostgreSQL is away the answer is 503, and once it is back all is as it was."""
    with (
        database_of_its_own() as (cluster, server),
        started(*options, "--database", server.new_database(), "--replicas", replicas) as process,
    ):
        clinic = Deployment(listening(process))
        users = [clinic.patient(f"user{n}") for n in range(8)]
        server.stop()
        for user in users:
            assert [user.get("/me").refusal for _ in range(2)] == [(503, "database-unavailable")] * 2
            assert user.get("/health").status == 200
        again = cluster.start()
        try:
            assert [user.get("/me").json["username"] for user in users] == [user.username for user in users]
        finally:
            again.stop()
        clinic.close()
