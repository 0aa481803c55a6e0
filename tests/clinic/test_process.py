"""The clinic as a process: how it starts, how it refuses to, and how it ends."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .people import Api, Deployment, held

Process = subprocess.Popen[str]
LINE = re.compile(r"clinic listening on (http://127\.0\.0\.1:\d+)\n")
END_S = 10.0


@pytest.fixture
def launched(options: list[str]) -> Iterator[Process]:
    """Return a clinic's process that ends with its standard input."""
    command = [sys.executable, "-m", "harness.clinic", *options, "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True) as process:
        yield process
        process.kill()


def listening(process: Process) -> str:
    """Return the URL that the process prints."""
    assert process.stdout
    found = LINE.fullmatch(process.stdout.readline())
    assert found
    return found[1]


def refused(*arguments: str) -> str:
    """Return what a clinic says that must not start."""
    command = [sys.executable, "-m", "harness.clinic", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
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
    """A port that is taken gives one line that says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused(*options, "--port", port)
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


def test_without_flag_server() -> None:
    """With no flag server it starts with every flag off, and says so."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        command = [sys.executable, "-m", "harness.clinic", "--unleash-url", url, "--unleash-token", "t"]
        with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as process:
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


def test_database_file(options: list[str], tmp_path: Path) -> None:
    """A database file keeps everything, for one clinic at a time."""
    file = str(tmp_path / "clinic.sqlite")
    command = [sys.executable, "-m", "harness.clinic", *options, "--database", file]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as first:
        before = Deployment(listening(first))
        alice, chen = before.patient("alice"), before.clinician("chen")
        _, hers = held(alice, chen, b"hers")
        assert "locked" in refused(*options, "--database", file)
        before.close()
        first.terminate()
        first.communicate(timeout=END_S)
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as second:
        api = Api(listening(second), alice.api.token)
        assert api.call("GET", f"/replays/{hers}/media").body == b"hers"
        api.close()
        second.terminate()
        second.communicate(timeout=END_S)
