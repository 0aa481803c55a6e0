"""The OpenAPI document: what is read out of it, and the one line that a broken one is refused with."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.sweeping.describing.document import (
    Document,
    Operation,
    operation_of,
    read,
    singular,
    understand,
)
from harness.sweeping.describing.pointers import resolve

from .api import DOCUMENT, served


@pytest.fixture(scope="module")
def document() -> Document:
    """Return the small API's document."""
    return understand(DOCUMENT, "small.json")


def called(document: Document, label: str) -> Operation:
    """Return the operation of that label."""
    return next(each for each in document.operations if each.label == label)


def test_operations_and_their_places(document: Document) -> None:
    """Each operation is there once, with parameters of its path item too, and the properties of its body."""
    assert len(document.operations) == 8
    assert [place.name for place in called(document, "DELETE /visits/{visit}").places] == ["visit"]
    booking = called(document, "POST /visits")
    assert [(place.name, place.where) for place in booking.places] == [
        ("clinician", "body"),
        ("medium", "body"),
        ("note", "body"),
    ]
    assert booking.creates
    assert booking.collection == "visit"


def test_what_destroys_ranks_last(document: Document) -> None:
    """Reading comes first, then making and changing; ending, deleting and leaving come last."""
    ranks = {each.label: each.harm for each in document.operations}
    order = sorted(ranks, key=lambda label: ranks[label])
    assert order[-3:] == ["POST /visits/{visit}/end", "DELETE /visits/{visit}", "POST /sign-out"]
    assert {label for label, rank in ranks.items() if rank == 0} == {
        "GET /visits",
        "GET /visits/{visit}",
        "GET /links/{link}",
    }


def test_more_operations_than_a_sweep_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are refused in one line: none is left out in silence."""
    monkeypatch.setattr("harness.sweeping.describing.document.MAX_OPERATIONS", 3)
    with pytest.raises(UsageError, match="a sweep asks 3; give it in parts"):
        understand(DOCUMENT, "here")


def test_a_reference_is_followed_and_null_left_out() -> None:
    """A `$ref` leads to its schema, `anyOf` with null to the other, and a circle nowhere."""
    raw = {"a": {"$ref": "#/b"}, "b": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "c": {"$ref": "#/c"}}
    assert resolve({"$ref": "#/a"}, raw) == {"type": "string"}
    assert resolve({"type": ["integer", "null"]}, raw) == {"type": "integer"}
    assert resolve({"$ref": "#/c"}, raw) == {}
    assert resolve({"$ref": "#/nowhere"}, raw) == {}


def test_paths_and_templates(document: Document) -> None:
    """A path is of the template that it fits as a whole, a fixed one before one with parameters."""
    found = operation_of(document, "POST", "/visits/v-1/end")
    assert found
    assert (found[0].label, found[1]) == ("POST /visits/{visit}/end", {"visit": "v-1"})
    assert operation_of(document, "PUT", "/visits") is None


@pytest.mark.parametrize(("word", "expected"), [("visits", "visit"), ("pharmacies", "pharmacy"), ("access", "access")])
def test_singular(word: str, expected: str) -> None:
    """A collection's name becomes that of its members."""
    assert singular(word) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", "is nothing"),
        ("[1, 2]", "this is a list"),
        ('"openapi"', "this is a text"),
        ("{", "broken JSON"),
        ('{"a": 1}', "no `openapi`"),
        ('{"openap": "3.1.0", "paths": {}}', "did you mean 'openap'"),
        ('{"openapi": "2.0", "paths": {"/a": {}}}', "OpenAPI 2.0 is not known"),
        ('{"openapi": "3.1.0"}', "no `paths`"),
        ('{"openapi": "3.1.0", "paths": {}}', "no `paths`"),
        ('{"openapi": "3.1.0", "paths": []}', "no `paths`"),
        ('{"openapi": "3.1.0", "paths": {"/a": 3}}', "paths./a is a number"),
        ('{"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {"/a": {}}}', "no operation"),
        ("openapi: [", "neither JSON nor YAML"),
        ("[" * 100_000, "nested too deeply|broken JSON"),
    ],
)
def test_a_broken_document_is_one_line(tmp_path: Path, written: str, expected: str) -> None:
    """What is no OpenAPI document is refused with the file's name and what is wrong with it."""
    file = tmp_path / "openapi.json"
    if written.startswith("openapi:") or not written:
        file = tmp_path / "openapi.yaml"
    file.write_text(written)
    with pytest.raises(UsageError, match=expected) as refused:
        read(str(file))
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_yaml_is_read(tmp_path: Path) -> None:
    """A document in YAML is as good."""
    file = tmp_path / "openapi.yaml"
    file.write_text(
        "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths: {/a: {get: {responses: {'200': {description: x}}}}}\n"
    )
    assert [each.label for each in read(str(file)).operations] == ["GET /a"]


def test_an_absent_document(tmp_path: Path) -> None:
    """An absent file names its nearest neighbour; an address where nothing is says so."""
    (tmp_path / "openapi.json").write_text("{}")
    with pytest.raises(UsageError, match=r"no such file; did you mean '.*openapi\.json'"):
        read(str(tmp_path / "openap.json"))
    with pytest.raises(UsageError, match="nothing answers there"):
        read("http://127.0.0.1:1/openapi.json")
    with pytest.raises(UsageError, match="Is a directory"):
        read(str(tmp_path))


def test_a_document_is_fetched() -> None:
    """A document is read from an address, and a refusal there is told."""
    with served(lambda *_: (404, {})) as address:
        assert len(read(f"{address}/openapi.json").operations) == 8
        with pytest.raises(UsageError, match="404 Not Found"):
            read(f"{address}/elsewhere.json")


def test_servers() -> None:
    """The first absolute address of its servers is where a document's paths are."""
    raw: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    assert understand(raw, "x").server is None
    raw["servers"] = [{"url": "/v1"}, {"url": "https://clinic.invalid/v1/"}]
    assert understand(raw, "x").server == "https://clinic.invalid/v1"


def referring(node: dict[str, Any]) -> dict[str, Any]:
    """Return the small API with one schema that is this."""
    raw: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    content = {"application/json": {"schema": {"type": "object", "properties": {"x": node}}}}
    raw["paths"]["/visits"]["post"]["requestBody"] = {"content": content}
    return raw


@pytest.mark.parametrize("password", ["s3cret", "{word}", "s3cret it's", "s3cret" * 99])
@pytest.mark.parametrize("level", ["document", "path", "operation"])
def test_no_password_of_a_server_is_told(level: str, password: str) -> None:
    """An address that no library takes, for its letters, is refused in a line that leaves out who is to sign in."""
    variables = {"word": {"default": "s3cret"}}
    servers = {"servers": [{"url": f"http://me:{password}@h\N{ACCOUNT OF}st/v1", "variables": variables}]}
    path = {**DOCUMENT["paths"]["/visits"], **(servers if level == "path" else {})}
    path["get"] = {**path["get"], **(servers if level == "operation" else {})}
    raw = {**DOCUMENT, **(servers if level == "document" else {}), "paths": {"/visits": path}}
    with pytest.raises(UsageError, match="x: netloc 'h\N{ACCOUNT OF}st' contains invalid characters") as refused:
        understand(raw, "x")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "node",
    [
        {"$ref": "http://user:pw@127.0.0.1:1/schema.json#/X"},
        {"$ref": "file:///etc/hostname"},
        {"$ref": "other.json"},
        {"$dynamicRef": "http://127.0.0.1:1/x"},
        {"$id": "http://127.0.0.1:1/x", "$ref": "#/X"},
    ],
)
def test_nothing_outside_a_document_is_read(node: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference to another address or file is refused in one line, before anybody would follow it."""

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr("schemathesis.core.jsonschema.resolver.retrieve", never)
    monkeypatch.setattr("requests.sessions.Session.request", never)
    with pytest.raises(UsageError, match="nothing outside it is read; bundle it first") as refused:
        understand(referring(node), "x")
    assert "pw" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_property_may_be_called_a_reference() -> None:
    """What only bears the name of a reference, or leads within the document, is none."""
    raw = referring({"type": "object", "properties": {"$ref": {"type": "string"}, "y": {"$ref": "#/components/s"}}})
    assert len(understand(raw | {"components": {"s": {"type": "string"}}}, "x").operations) == 8


def test_a_document_elsewhere_is_not_fetched() -> None:
    """A redirect within an origin is followed, one to another is refused with both addresses and no password."""

    def answer(_method: str, path: str, _who: str) -> tuple[Any, ...]:
        to = {"/here": "/openapi.json", "/round": "/round"}.get(path, "http://127.0.0.1:1/stolen")
        return 302, None, {"Location": to}

    with served(answer) as address:
        assert len(read(f"{address}/here").operations) == 8
        named = address.replace("http://", "http://admin:s3cret@")
        with pytest.raises(UsageError, match=r"redirects to another origin, http://127\.0\.0\.1:1/stolen") as refused:
            read(f"{named}/away?access_token=s3cret")
        assert "s3cret" not in str(refused.value)
        with pytest.raises(UsageError, match="more than 3 redirects"):
            read(f"{address}/round")
        assert "s3cret" not in read(f"{named}/here").source


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{}", "it broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nxxxxxxxxx", "gzip: it is broken"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", "it broke off"),
        (b"no HTTP at all\r\n\r\n", "nothing answers there"),
    ],
)
def test_what_is_no_answer_is_one_line(said: bytes, expected: str) -> None:
    """An answer that breaks off, cannot be decoded or is no HTTP is a line, and no traceback."""
    with spoken(said) as address, pytest.raises(UsageError, match=expected) as refused:
        read(address)
    assert "\n" not in str(refused.value)


def test_a_document_that_drips_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that goes on for ever, a byte at a time, is not listened to for ever."""
    monkeypatch.setattr("harness.sweeping.describing.source.FETCH_S", 0.5)
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"
    with spoken(said, drip_s=0.05) as address, pytest.raises(UsageError, match=r"was not over after 0\.5 s"):
        read(address)


@contextmanager
def spoken(said: bytes, drip_s: float = 0.0) -> Iterator[str]:
    """Serve these bytes to one connection, then more of them slowly if there is a time for each; yield the address."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(said)
                while drip_s and not stop.wait(drip_s):
                    connection.sendall(b" ")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/openapi.json"
        finally:
            stop.set()
            thread.join(timeout=10)
