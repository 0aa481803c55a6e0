"""Notices: the inbox, the e-mails, and what is pushed to those who listen."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from .people import Deployment, User
from .staff import account, live

WAIT_S = 20.0
READY = {"type": "ready"}


def arriving(clinic: Deployment) -> AbstractContextManager[ClientConnection]:
    """Open a WebSocket and say nothing yet."""
    return connect(f"{clinic.url.replace('http', 'ws')}/notices/live", proxy=None)


@contextmanager
def ready(clinic: Deployment, person: User) -> Iterator[ClientConnection]:
    """Listen, and be told that one does."""
    with arriving(clinic) as connection:
        connection.send(json.dumps({"token": person.api.token}))
        assert heard(connection) == READY
        yield connection


def heard(connection: ClientConnection) -> Any:
    """Return the next message."""
    return json.loads(connection.recv(WAIT_S))


def closed(connection: ClientConnection) -> int:
    """Read until the server closes; return its code."""
    try:
        for _ in range(100):
            connection.recv(WAIT_S)
    except ConnectionClosed as ended:
        return int(ended.rcvd.code) if ended.rcvd else 0
    raise AssertionError("the server sends on and on")


@contextmanager
def streaming(person: User) -> Iterator[http.client.HTTPResponse]:
    """Open a stream of server-sent events."""
    connection = http.client.HTTPConnection(urlsplit(person.api.url).netloc, timeout=WAIT_S)
    connection.request("GET", "/notices/stream", headers={"Authorization": f"Bearer {person.api.token}"})
    yield connection.getresponse()
    connection.close()


def event(stream: http.client.HTTPResponse) -> Any:
    """Return the data of the next event."""
    line, blank = stream.readline(), stream.readline()
    assert (line[:6], blank) == (b"data: ", b"\n")
    return json.loads(line[6:])


def inbox(person: User, cursor: str = "") -> Any:
    """Return a page of somebody's inbox."""
    answer = person.get(f"/notices?cursor={cursor}")
    assert answer.status == 200, answer
    return answer.json


def test_inbox(clinic: Deployment) -> None:
    """Whom it concerns finds a notice, the newest first, and marks it as read; nobody else can."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    visit = alice.book(chen)
    alice.ok(f"/consultations/{visit}/cancel")
    found = inbox(chen)
    cancelled, booked = found["items"]
    assert (cancelled["kind"], booked["kind"], booked["consultation"]) == ("cancelled", "booked", visit)
    assert (booked["text"], booked["read"], found["unread"]) == ("Alice booked a consultation.", False, 2)
    assert alice.post(f"/notices/{booked['id']}/read").refusal == (404, "not-found")
    assert chen.post("/notices/notice-0/read").refusal == (404, "not-found")
    assert chen.ok(f"/notices/{booked['id']}/read") == booked | {"read": True}
    assert chen.ok(f"/notices/{booked['id']}/read") == booked | {"read": True}
    assert inbox(chen) == {"items": [cancelled, booked | {"read": True}], "next": None, "unread": 1}
    assert inbox(alice)["items"] == []


def test_mail(clinic: Deployment) -> None:
    """Each notice goes out as an e-mail, too, to its recipient alone."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    visit = alice.book(chen)
    (mail,) = chen.get("/notices/mail").json["items"]
    assert mail["to"] == f"{chen.username}@clinic.invalid"
    assert (mail["subject"], mail["body"]) == ("Your clinic: booked", f"Alice booked a consultation. ({visit})")
    assert alice.get("/notices/mail").json == {"items": [], "next": None}


def test_pages(clinic: Deployment) -> None:
    """Inbox and e-mails come in pages."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    visits = [alice.book(chen) for _ in range(51)]
    first = inbox(chen)
    rest = inbox(chen, first["next"])
    assert [item["consultation"] for item in first["items"] + rest["items"]] == visits[::-1]
    assert (rest["next"], rest["unread"]) == (None, 51)
    mails = chen.get("/notices/mail").json
    assert [visits[0] in item["body"] for item in chen.get(f"/notices/mail?cursor={mails['next']}").json["items"]] == [
        True
    ]


def test_live(clinic: Deployment) -> None:
    """Who listens is sent what is in their inbox, as it comes, and nothing else."""
    alice, chen, dora = clinic.patient("alice"), clinic.clinician("chen"), clinic.clinician("dora")
    alice.book(chen)
    with (
        ready(clinic, chen) as chens,
        ready(clinic, chen) as second,
        ready(clinic, dora) as doras,
        streaming(dora) as stream,
    ):
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert event(stream) == READY
        alice.book(chen)
        alice.book(dora)
        newest = inbox(chen)["items"][0]
        assert heard(chens) == heard(second) == newest
        assert heard(doras) == event(stream) == inbox(dora)["items"][0]


def test_who_listens(clinic: Deployment) -> None:
    """Without the token of a session nobody listens, and who signs out is sent nothing more."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    tokens: list[str | bytes] = [json.dumps({"token": token}) for token in ("", "nobody's", "x" * 300)]
    others: list[str | bytes] = ["token", "{}", b"\xff\x00", json.dumps([chen.api.token])]
    for first in tokens + others:
        with arriving(clinic) as connection:
            connection.send(first)
            assert closed(connection) == 1008
    with arriving(clinic) as silent, ready(clinic, chen) as chens:
        assert chen.post("/sign-out").status == 204
        alice.book(chen)
        assert closed(chens) == 1008
        assert closed(silent) == 1008
    with streaming(chen) as stream:
        assert stream.status == 401


def test_replicas(deploy: Callable[..., Deployment]) -> None:
    """Whoever listens to any of several processes is sent what another one posts."""
    clinic = deploy("--replicas", "2")
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    with ready(clinic, chen) as one:
        for _ in range(50):
            with ready(clinic, chen) as other:
                if replica(other) != replica(one):
                    visits = [alice.book(chen) for _ in range(3)]
                    assert [heard(one)["consultation"] for _ in visits] == visits
                    assert [heard(other)["consultation"] for _ in visits] == visits
                    return
    raise AssertionError("every connection came to one process")


def replica(connection: ClientConnection) -> str:
    """Return which process a connection is with."""
    assert connection.response
    return connection.response.headers["X-Replica"]


def test_topic_unfiltered(deploy: Callable[..., Deployment]) -> None:
    """The planted flaw pushes a notice to everybody of the region who listens, and to no other inbox."""
    clinic = deploy("--flaw", "live-topic-unfiltered")
    alice, chen, bob = clinic.patient("alice"), clinic.clinician("chen"), clinic.patient("bob")
    south = account(clinic, "sue", "clinician", region="south")
    sam = account(clinic, "sam", "patient", region="south")
    with ready(clinic, bob) as bobs, ready(clinic, south) as souths:
        visit = alice.book(chen)
        assert heard(bobs)["consultation"] == visit
        souths_own = sam.book(south)
        assert heard(souths)["consultation"] == souths_own
    assert inbox(bob)["items"] == []


@pytest.mark.parametrize("how", [signal.SIGTERM, "stdin closes"], ids=str)
def test_end(options: list[str], how: signal.Signals | str) -> None:
    """The clinic ends quietly although many listen."""
    command = [sys.executable, "-m", "harness.clinic", *options, "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdin
        assert process.stdout
        clinic = Deployment(process.stdout.readline().split()[-1])
        alice, chen = clinic.patient("alice"), clinic.clinician("chen")
        live(alice, chen)
        with (
            ready(clinic, alice) as one,
            ready(clinic, chen) as two,
            arriving(clinic) as silent,
            streaming(chen) as stream,
        ):
            assert event(stream) == READY
            if isinstance(how, signal.Signals):
                process.send_signal(how)
            else:
                process.stdin.close()
                process.stdin = None
            _, logged = process.communicate(timeout=WAIT_S)
            assert [closed(each) for each in (one, two, silent)] == [1012] * 3
        clinic.close()
    assert process.returncode == 0
    assert "Traceback" not in logged


def test_gone(clinic: Deployment) -> None:
    """A client that goes away without a word holds nobody else up."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    with ready(clinic, chen) as gone, ready(clinic, chen) as chens:
        gone.socket.shutdown(socket.SHUT_RDWR)
        visits = [alice.book(chen) for _ in range(3)]
        assert [heard(chens)["consultation"] for _ in visits] == visits
