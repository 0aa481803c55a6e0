"""The flag server as a process: what an unmodified Unleash SDK meets, and what is left when it has ended."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from UnleashClient.clients.unleash_client import UnleashClient
from UnleashClient.utils import InstanceAllowType

from harness.errors import FlagError
from harness.flags import base
from harness.flags.embedded import EmbeddedFlags
from harness.flags.protocol import MAX_BODY_BYTES, MAX_CONNECTIONS
from harness.flags.settle import evaluate
from harness.model import Catalogue, Combination

WAIT_S = 20.0
THREADS = 16


def _await(condition: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < ends_s, "it did not come about"
        time.sleep(0.02)


def _get(flags: EmbeddedFlags, **headers: str) -> requests.Response:
    authorized = {"Authorization": flags.token} | headers
    return requests.get(f"{flags.url}/client/features", headers=authorized, timeout=WAIT_S)


def _post(flags: EmbeddedFlags, what: str, body: str | bytes, **headers: str) -> int:
    authorized = {"Authorization": flags.token} | headers
    return requests.post(f"{flags.url}/client/{what}", data=body, headers=authorized, timeout=WAIT_S).status_code


@pytest.fixture
def client(flags: EmbeddedFlags, tmp_path: Path) -> Iterator[UnleashClient]:
    """An Unleash client as a target has it, with registration and metrics, polling fast."""
    connected = UnleashClient(
        flags.url,
        "clinic",
        refresh_interval=0.05,  # type: ignore[arg-type]  # the scheduler takes parts of a second
        metrics_interval=1,
        custom_headers={"Authorization": flags.token},
        cache_directory=str(tmp_path),
        multiple_instance_mode=InstanceAllowType.SILENTLY_ALLOW,
    )
    with connected:
        yield connected


def test_users_of_every_combination_act_at_once_on_one_client(
    client: UnleashClient, catalogue: Catalogue, combinations: list[Combination]
) -> None:
    """Sixteen threads evaluate different users on one client, and each user has the flags of their token."""

    def wrong(share: int) -> list[str]:
        found: list[str] = []
        for number, combination in enumerate(combinations[share::THREADS]):
            name = base.username("user", f"{share}x{number}", base.token(catalogue, combination))
            found += base.differences(combination, evaluate(client, catalogue, {"userId": name}))
        return found

    with ThreadPoolExecutor(THREADS) as pool:
        assert [sentence for found in pool.map(wrong, range(THREADS)) for sentence in found] == []


def test_the_snapshot_is_served_with_its_entity_tag(flags: EmbeddedFlags, catalogue: Catalogue) -> None:
    """The document comes with the tag that the harness knows, and not again to whoever has it."""
    first = _get(flags)
    assert first.status_code == 200
    assert first.json() == base.snapshot(catalogue)
    assert first.headers["ETag"] == flags.etag
    again = _get(flags, **{"If-None-Match": flags.etag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", flags.etag)
    assert _get(flags, **{"If-None-Match": f'"older", W/{flags.etag}'}).status_code == 304
    assert _get(flags, **{"If-None-Match": '"older"'}).status_code == 200


@pytest.mark.parametrize("token", ["", "default:development.other", "schlüssel"])
def test_a_wrong_client_token_is_refused(flags: EmbeddedFlags, token: str) -> None:
    """Every endpoint of the protocol answers 401 to a client that has another token."""
    headers = {"Authorization": token.encode()}
    for method, path in (
        ("GET", "/api/client/features"),
        ("POST", "/api/client/register"),
        ("POST", "/api/client/metrics"),
        ("GET", "/connections"),
    ):
        answer = requests.request(method, flags.service.url + path, headers=headers, json={}, timeout=WAIT_S)
        assert answer.status_code == 401
    assert flags.connections() == []


def test_the_server_is_a_flag_control(flags: EmbeddedFlags) -> None:
    """The engine needs no more than the protocol says, and its address is the one for SDKs."""
    control = flags
    assert control.is_alive()
    assert control.url == f"{flags.service.url}/api"


def test_health_asks_for_no_token(flags: EmbeddedFlags) -> None:
    """Anybody on the machine may ask whether the server is well."""
    answer = requests.get(f"{flags.service.url}/health", timeout=WAIT_S)
    assert (answer.status_code, answer.json()) == (200, {"health": "GOOD"})


def test_the_server_knows_which_client_has_the_snapshot(client: UnleashClient, flags: EmbeddedFlags) -> None:
    """A client is registered, served once, acknowledges from then on, and its metrics arrive."""
    client.is_enabled("search", {"userId": "alice"})
    _await(lambda: any(found["acked"] > 1 and found["metrics"] for found in flags.connections()))
    (found,) = flags.connections()
    assert found["connection_id"] == client.connection_id
    assert (found["app_name"], found["registered"], found["served"]) == ("clinic", True, 1)
    assert found["acked_etag"] == flags.etag
    assert found["polls"] >= found["acked"] + 1
    assert found["sdk"].startswith("unleash-python-sdk:")
    assert found["last_seen_s"] >= 0


def test_bodies_are_objects_of_bounded_size(flags: EmbeddedFlags) -> None:
    """What is not a JSON object is refused, what is too large is not read, and an object is accepted."""
    for what in ("register", "metrics"):
        assert _post(flags, what, "{}") == 202
        assert _post(flags, what, "[]") == 400
        assert _post(flags, what, "{") == 400
        assert _post(flags, what, b"\xff\xfe\xff") == 400
        assert _post(flags, what, '{"x": "' + "x" * MAX_BODY_BYTES + '"}') == 413


def test_the_memory_of_connections_is_bounded(flags: EmbeddedFlags) -> None:
    """Beyond its limit the server forgets the clients that it saw longest ago, and says how many."""
    with requests.Session() as session:
        for number in range(MAX_CONNECTIONS + 3):
            headers = {"Authorization": flags.token, "unleash-connection-id": str(number)}
            session.post(f"{flags.url}/client/register", data="{}", headers=headers, timeout=WAIT_S)
    known = [found["connection_id"] for found in flags.connections()]
    assert (len(known), known[0], known[-1]) == (MAX_CONNECTIONS, "3", str(MAX_CONNECTIONS + 2))


def test_stopping_leaves_nothing(catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process and no file is left, the connection is refused, and a second stop does no harm."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with EmbeddedFlags.start(catalogue) as flags:
        assert flags.is_alive()
        assert _get(flags).status_code == 200
    assert not flags.is_alive()
    assert flags.service.process.returncode == 0
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FlagError, match="does not answer"):
        flags.connections()
    flags.stop()


def test_the_server_ends_with_the_harness(flags: EmbeddedFlags) -> None:
    """When the standard input closes, as it does when the harness is killed, the process ends by itself."""
    assert flags.service.process.stdin
    flags.service.process.stdin.close()
    _await(lambda: not flags.is_alive())


def test_a_port_in_use_is_one_clear_sentence(flags: EmbeddedFlags, catalogue: Catalogue) -> None:
    """A port that somebody has is named, and no server is left behind."""
    port = int(flags.service.url.rpartition(":")[2])
    with pytest.raises(FlagError) as caught:
        EmbeddedFlags.start(catalogue, port)
    assert str(caught.value) == (
        f"flags did not start: flag server: port {port} of 127.0.0.1 is in use; "
        "choose another port, or 0 for any free one"
    )


def test_the_process_says_what_it_refuses_in_one_line(flags: EmbeddedFlags, tmp_path: Path) -> None:
    """A taken port and an unreadable snapshot each give exit code 4 and one line on standard error."""
    good, bad, other = (tmp_path / name for name in ("good.json", "bad.json", "other.json"))
    good.write_text('{"version": 2, "features": []}')
    bad.write_text("{")
    other.write_text("[]")
    port = flags.service.url.rpartition(":")[2]
    for options, sentence in (
        (["--snapshot", good, "--port", port], "is in use"),
        (["--snapshot", bad], "is not JSON"),
        (["--snapshot", other], "is not a client-features document"),
        (["--snapshot", tmp_path / "none.json"], "No such file"),
    ):
        command = [sys.executable, "-m", "harness.flags.embedded", *map(str, options)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
        assert (ended.returncode, ended.stdout) == (4, "")
        assert sentence in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_the_process_ends_well_on_sigterm(tmp_path: Path) -> None:
    """A server that was started by hand serves until it is told to end, and then exits with 0."""
    file = tmp_path / "snapshot.json"
    file.write_text('{"version": 2, "features": []}')
    command = [sys.executable, "-m", "harness.flags.embedded", "--snapshot", str(file)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("flag server listening on http://127.0.0.1:")
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
