"""Several processes behind one address: each knows at once what any other one was told, and none outlives the rest."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import pytest

from tests.processes import left

from .people import Api, Deployment, User, held
from .test_process import COMMAND, END_S, listening, started

BOTH = {"1", "2"}
CONNECTIONS = 64


@pytest.fixture(scope="module")
def pair(deploy: Callable[..., Deployment]) -> Deployment:
    """Return a sound clinic of two processes."""
    return deploy("--replicas", "2")


def hands(user: User) -> dict[str, User]:
    """Return the user with a connection to each of two processes, by the process's number."""
    found: dict[str, User] = {}
    for _ in range(CONNECTIONS):
        api = Api(user.api.url, user.api.token)
        number = api.call("GET", "/health").headers["x-replica"]
        if number in found:
            api.close()
        found.setdefault(number, User(user.username, api))
        if set(found) == BOTH:
            return found
    raise AssertionError(f"{CONNECTIONS} connections reached {sorted(found)} alone")


def children(process: int) -> list[int]:
    """Return the ids of a process's children, the first to be started first."""
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def until_gone(processes: list[int]) -> None:
    """Wait until none of the processes runs; those that would not end are ended, and the test fails."""
    outstaying = left(processes)
    for each in outstaying:
        os.kill(each, signal.SIGKILL)
    assert outstaying == []


def test_seen_by_the_other(pair: Deployment) -> None:
    """Each act that one process is asked for is seen by whoever asks the other one next."""
    alice, chen = hands(pair.patient("alice")), hands(pair.clinician("chen"))
    visit = alice["1"].book(chen["1"])
    assert chen["2"].get(f"/consultations/{visit}").json["status"] == "booked"
    alice["2"].ok(f"/consultations/{visit}/join")
    assert chen["1"].ok(f"/consultations/{visit}/join")["present"] == [alice["1"].username, chen["1"].username]
    upload = alice["1"].begin(visit)
    assert alice["2"].chunk(upload, 0, b"half").status == 204
    assert alice["1"].chunk(upload, 1, b"half").status == 204
    recording = alice["2"].complete(upload, [b"half", b"half"]).json["recording"]
    chen["2"].ok(f"/consultations/{visit}/end")
    assert chen["1"].post(f"/consultations/{visit}/join").code == "consultation-ended"
    alice["1"].finished(visit)
    assert alice["2"].get(f"/replays/{recording}/media").body == b"halfhalf"
    alice["1"].api.call("POST", "/sign-out")
    assert alice["2"].get("/me").refusal == (401, "not-signed-in")


@pytest.mark.parametrize("flags", [(), ("replay-index-v2",)], ids=["join", "index"])
def test_no_stale_list(pair: Deployment, flags: tuple[str, ...]) -> None:
    """A list that each process keeps is never older than what any process was told."""
    alice, chen = pair.patient("alice", "replay-cache", *flags), pair.clinician("chen", "replay-cache", *flags)
    mine, seen = hands(alice), hands(chen)
    known: set[str] = set()
    for turn in range(6):
        for each in (*mine.values(), *seen.values()):
            assert each.replay_ids() == known
        one, other = (mine["1"], mine["2"]) if turn % 2 else (mine["2"], mine["1"])
        known.add(held(one, seen["1"], f"turn {turn}".encode())[1])
        assert other.replay_ids() == known
        if turn == 3:
            gone = min(known)
            assert one.delete(f"/replays/{gone}").status == 204
            known.remove(gone)
            assert other.replay_ids() == known


def test_one_slot(pair: Deployment) -> None:
    """Of two patients who ask two processes for one slot at the same moment, exactly one has it."""
    chen = pair.clinician("chen")
    slots = [chen.ok("/slots", {"starts_at": f"2999-01-01T{hour:02}:00:00Z"})["slot"] for hour in range(20)]
    rivals = (hands(pair.patient("alice"))["1"], hands(pair.patient("bob"))["2"])
    together = threading.Barrier(2)

    def book(rival: User, slot: str) -> int:
        together.wait(END_S)
        return rival.post("/consultations", {"clinician": chen.username, "medium": "audio", "slot": slot}).status

    with ThreadPoolExecutor(2) as threads:
        for slot in slots:
            assert sorted(threads.map(book, rivals, (slot, slot))) == [201, 409]


@pytest.mark.parametrize("victim", [0, 1])
def test_one_dies(options: list[str], victim: int) -> None:
    """When one process dies the deployment ends, with a line that says which and how."""
    with started(*options, "--replicas", "2") as process:
        listening(process)
        replicas = children(process.pid)
        assert len(replicas) == 2
        os.kill(replicas[victim], signal.SIGKILL)
        _, logged = process.communicate(timeout=END_S)
    assert process.returncode == 1
    last = logged.splitlines()[-1]
    assert re.fullmatch(
        rf"clinic: replica {victim + 1} \(process {replicas[victim]}\) ended by itself: signal SIGKILL; "
        r"the others end with it",
        last,
    ), logged
    until_gone(replicas)


def test_nobody_outlives_the_parent(options: list[str]) -> None:
    """When the parent is killed, which it cannot foresee, the others end by themselves."""
    with Popen([*COMMAND, *options, "--replicas", "3"], stdout=PIPE, stderr=DEVNULL, text=True) as process:
        try:
            listening(process)
            replicas = children(process.pid)
            assert len(replicas) == 3
        finally:
            process.kill()
    until_gone(replicas)


def test_memory_is_shared(options: list[str], tmp_path: Path) -> None:
    """Several processes on `:memory:` have one database all the same, and nothing of it is left."""
    with started(*options, "--replicas", "2", environment={"TMPDIR": str(tmp_path)}) as process:
        clinic = Deployment(listening(process))
        alice = hands(clinic.patient("alice"))
        assert {each.get("/me").json["username"] for each in alice.values()} == {alice["1"].username}
        clinic.close()
        process.terminate()
        process.communicate(timeout=END_S)
    assert list(tmp_path.iterdir()) == []
