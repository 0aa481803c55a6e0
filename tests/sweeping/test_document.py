"""The OpenAPI document: what is read out of it, and the one line that a broken one is refused with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.sweeping.document import (
    Document,
    Operation,
    operation_of,
    path_matches,
    read,
    resolve,
    singular,
    understand,
)

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
    monkeypatch.setattr("harness.sweeping.document.MAX_OPERATIONS", 3)
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
    assert path_matches("/visits/{visit}/end", "/visits/v-1/end") == {"visit": "v-1"}
    assert path_matches("/visits/{visit}", "/visits/v-1/end") is None
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
