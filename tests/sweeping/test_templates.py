"""Paths and the templates that they are of, also below a prefix that the document's own do not have."""

from __future__ import annotations

import pytest

from harness.sweeping.asking.pages import is_address
from harness.sweeping.asking.references import References, entitle, learn
from harness.sweeping.describing.document import Document, understand
from harness.sweeping.describing.templates import MAX_PATH, path_matches
from harness.sweeping.judging.facts import LINK

from .api import DOCUMENT
from .world import ALICE, HERS, facts

SIGNED = "bG9uZ3NpZ25lZA1.c2ln"


@pytest.fixture(scope="module")
def below() -> Document:
    """Return the small API's document, asked below a prefix."""
    return understand(DOCUMENT, "small.json").at("http://127.0.0.1:1/api/v1/")


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("/visits/{visit}/end", "/visits/v-1/end", {"visit": "v-1"}),
        ("/visits/{visit}", "/visits/v-1/end", None),
        ("/visits/{visit}", "/visits/", None),
        ("/visits/{visit}", "/calls/v-1", None),
        ("/files/{name}.{kind}", "/files/a.webm", {"name": "a", "kind": "webm"}),
        ("/files/{name}.{kind}", "/files/.webm", None),
        ("/files/v{version}", "/files/v", None),
        ("/files/{name}:end", "/files/a:end", {"name": "a"}),
        ("/files/{name}:end", "/files/a:begin", None),
        ("/a.b", "/axb", None),
    ],
)
def test_templates(template: str, path: str, expected: dict[str, str] | None) -> None:
    """A path is of the template that it fits as a whole, with at least a letter for each parameter."""
    assert path_matches(template, path) == expected


def test_no_text_takes_for_ever() -> None:
    """Many parameters in a segment are sought once each, and a text that is too long for a path is none."""
    many = "/" + "-".join(f"{{p{number}}}" for number in range(8)) + "!"
    assert path_matches(many, "/" + "-" * (MAX_PATH - 1)) is None
    assert path_matches("/{a}", "/" + "a" * MAX_PATH) is None


@pytest.mark.parametrize("origin", ["", "http://127.0.0.1:1"])
def test_addresses_below_a_prefix(below: Document, origin: str) -> None:
    """An address in an answer, a link that is made and a page's are those of the document's paths."""
    operations = {each.label: each for each in below.operations}
    known = facts()
    references = References(below, known)
    references.harvest(operations["GET /visits"], {"url": f"{origin}/api/v1/links/{SIGNED}"})
    assert references.own("link", ALICE) == [SIGNED]
    making = operations["POST /visits/{visit}/link"]
    theirs = entitle(known, making, ALICE, (HERS,), refused=False)
    learn(known, below, making, ALICE, (HERS,), theirs or [], {"url": f"{origin}/api/v1/links/{SIGNED}"})
    thing = known.find(SIGNED)
    assert thing
    assert thing.kind == LINK
    assert is_address(f"{origin}/api/v1/visits?cursor=2", operations["GET /visits"], below)
    assert not is_address("/api/v10/visits?cursor=2", operations["GET /visits"], below)


def test_what_is_no_address_is_none(below: Document) -> None:
    """A text that no parser takes for an address is not one of the API."""
    References(below, facts()).harvest(below.operations[0], {"url": "http://[::1/visits/v-1", "other": "//[x/y"})
