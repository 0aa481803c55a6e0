"""How a case is sent, and how its request is written down without any credential."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping

import pytest
import requests

from harness.sweeping.asking.caller import Caller, NoAnswerError, as_request
from harness.sweeping.asking.cases import Call
from harness.sweeping.describing.document import understand

from .api import DOCUMENT, served
from .world import ALICE

SECRET = "top-s3cret-token"  # noqa: S105 - it is looked for in what is written


def prepared(url: str, body: Mapping[str, str] | None = None, method: str = "GET") -> requests.PreparedRequest:
    """Return a request with a credential."""
    headers = {"Authorization": f"Bearer {SECRET}", "X-Other": "it's"}
    return requests.Request(method, url, headers=headers, json=body).prepare()


def test_the_words_of_a_request() -> None:
    """An echo is looked for in path, query, body and headers; the credential is none of them."""
    request = as_request("POST /a", prepared("http://127.0.0.1:1/visits/v%2D1?x=y%20z", {"note": "grüß"}, "POST"))
    assert request.path == "/visits/v-1"
    assert {"/visits/v-1", "x=y z", '{"note": "grüß"}', "it's"} <= set(request.shown)
    assert SECRET not in "".join(request.shown[:3])


def call() -> Call:
    """Return a case of the small API."""
    operation = next(each for each in understand(DOCUMENT, "x").operations if each.label == "GET /visits/{visit}")
    return Call(operation, operation.api.Case(path_parameters={"visit": "v 1"}), ("v 1",))


def test_sent_as_somebody_and_as_nobody() -> None:
    """The viewer's headers go with a request, nobody's has none, and a path is encoded."""
    asked: list[tuple[str, str]] = []

    def answer(_method: str, path: str, who: str) -> tuple[int, object]:
        asked.append((path, who))
        return 418, {"short": "stout"}

    with served(answer) as address:
        caller = Caller(address, {ALICE: {"Authorization": "Bearer alice"}})
        for viewer in (ALICE, None):
            request, got, _ = caller.send(call(), viewer)
            assert (got.status, got.json()) == (418, {"short": "stout"})
            assert request.operation == "GET /visits/{visit}"
        caller.close()
    assert asked == [("/visits/v%201", "alice"), ("/visits/v%201", "")]


def test_an_answer_that_breaks_off() -> None:
    """What came before the connection broke is an answer, and known to be cut short."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id": "')

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        caller = Caller(f"http://127.0.0.1:{server.getsockname()[1]}", {})
        _, got, _ = caller.send(call(), None)
        caller.close()
        thread.join(timeout=10)
    assert (got.status, got.body, got.cut_short) == (200, b'{"id": "', True)


def test_silence() -> None:
    """A target that is not there gives no answer."""
    with pytest.raises(NoAnswerError, match="ConnectionError") as caught:
        Caller("http://127.0.0.1:1", {}).send(call(), None)
    assert "v%201" not in str(caught.value), "a path may be a link, which lets in whoever reads it"
