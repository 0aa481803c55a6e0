"""The clinic's description of itself, and its one shape of an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .people import Api, Deployment

REFUSAL = {"$ref": "#/components/schemas/ErrorBody"}
OPEN = {"open_account", "sign_in", "show_health"}


@pytest.fixture
def api(clinic: Deployment) -> Iterator[Api]:
    """Return a connection of somebody who is not signed in."""
    api = Api(clinic.url)
    yield api
    api.close()


def references(node: Any) -> Iterator[str]:
    """Yield every `$ref` in a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from references(each)


def test_every_operation_is_described(api: Api) -> None:
    """Every operation has an id, summary, description, known tag, its refusals' shape and its security."""
    document = api.call("GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    tags = {tag["name"] for tag in document["tags"]}
    operations = [each for path in document["paths"].values() for each in path.values()]
    ids = [each["operationId"] for each in operations]
    assert len(ids) == len(set(ids)) >= 60
    assert {tag for each in operations for tag in each["tags"]} == tags
    for each in operations:
        assert each["summary"]
        assert each["description"]
        assert any(status.startswith("2") for status in each["responses"])
        for status, response in each["responses"].items():
            assert response["description"]
            if status >= "400":
                assert response["content"]["application/json"]["schema"] == REFUSAL
        assert ("security" in each) == (each["operationId"] not in OPEN)
    for schema in document["components"]["schemas"].values():
        assert schema["description"]


def test_the_example_of_an_offer_is_answered(clinic: Deployment, api: Api) -> None:
    """Whoever has joined and offers what the document gives as an example of an SDP gets an answer."""
    schemas = api.call("GET", "/openapi.json").json["components"]["schemas"]
    (example,) = schemas["Offer"]["properties"]["sdp"]["examples"]
    alice = clinic.patient("alice")
    visit = alice.book(clinic.clinician("chen"), "audio")
    alice.ok(f"/consultations/{visit}/join")
    answer = alice.post(f"/consultations/{visit}/call", {"type": "offer", "sdp": example})
    assert answer.status == 200
    assert answer.json["type"] == "answer"
    alice.ok(f"/consultations/{visit}/end")


def test_references_resolve(api: Api) -> None:
    """No reference of the document points to nothing."""
    document = api.call("GET", "/openapi.json").json
    found = set(references(document))
    assert found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def test_home_page_asks_for_nothing(api: Api) -> None:
    """The home page says what this is, and no page loads anything from elsewhere."""
    page = api.call("GET", "/")
    assert page.headers["content-type"].startswith("text/html")
    assert b"/openapi.json" in page.body
    assert b"http://" not in page.body
    assert b"https://" not in page.body
    assert api.call("GET", "/docs").refusal == (404, "not-found")


def test_one_shape_of_errors(api: Api, clinic: Deployment) -> None:
    """Unknown routes, wrong methods, broken JSON and wrong types are all refused in the same shape."""
    assert api.call("GET", "/nowhere").refusal == (404, "not-found")
    assert api.call("DELETE", "/health").refusal == (405, "method-not-allowed")
    assert api.call("POST", "/sign-in", b"{").refusal == (422, "invalid-request")
    assert api.call("POST", "/sign-in", b'"\xff"').status in (400, 422)
    assert api.call("POST", "/sign-in", b"").refusal == (422, "invalid-request")
    assert api.call("POST", "/sign-in", ["\ud800"]).refusal == (422, "invalid-request")
    lone = {"username": "a", "password": "\ud800"}
    assert api.call("POST", "/sign-in", lone).refusal == (422, "invalid-request")
    alice = clinic.patient("alice")
    assert alice.chunk("up-1", -1, b"").refusal == (422, "invalid-request")


@pytest.mark.parametrize(
    "path",
    [
        *("/consultations/%00", "/clinicians/%00/slots", "/links/%00", "/replays/%00", "/replays/%00/media"),
        *("/replays/search?q=%00", "/replays?cursor=%00", "/replays/%ED%A0%80", "/consultations/%FF"),
    ],
)
def test_odd_characters_in_an_address(clinic: Deployment, path: str) -> None:
    """Characters that a database may not be able to hold are in nothing's address."""
    alice = clinic.patient("alice", "replay-search", "replay-index-v2")
    answer = alice.get(path)
    assert answer.status in (404, 422) or answer.json == {"items": []}


def test_odd_characters_in_a_text(api: Api) -> None:
    """A name with a character that the database cannot hold is refused, or it is kept as it is."""
    odd = {"username": "odd-name", "name": "a\0b", "role": "patient", "password": "secret"}
    opened = api.call("POST", "/accounts", odd)
    if opened.status == 201:
        assert opened.json["name"] == "a\0b"
    else:
        assert opened.refusal == (422, "invalid-request")


def test_no_flaw_through_http(api: Api) -> None:
    """No operation, path or word of the API names a flaw."""
    assert b"flaw" not in api.call("GET", "/openapi.json").body
