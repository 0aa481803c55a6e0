"""Lists that go on: each further page is read as the same viewer, or it is said that it was not."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from harness.sweeping.asking.pages import marks_of, parameters
from harness.sweeping.asking.reach import Reach
from harness.sweeping.asking.tour import Tour
from harness.sweeping.describing.document import understand
from harness.sweeping.judging.facts import Thing
from harness.sweeping.judging.seeing import Answer

from .api import DOCUMENT
from .test_tour import accounts, tour
from .world import text

FOREIGN = "visit-100777"


def described(*names: str) -> Any:
    """Return the small API, with these parameters in the query of its list."""
    document = copy.deepcopy(DOCUMENT)
    given = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
    document["paths"]["/visits"]["get"]["parameters"] = given
    return document


def read(first: dict[str, Any], *names: str, last: dict[str, Any] | None = None, needle: str = "=pg2") -> Tour:
    """Let Alice read a list whose first page says `first`, and whose second holds what is Bob's."""

    def answer(_method: str, path: str, who: str) -> tuple[Any, ...]:
        assert who == accounts()[0]
        more = first if needle not in path else last or {"items": [{"id": FOREIGN}], "next": None}
        return (200, more) if "refused" not in path else (400, {})

    def run(made: Tour) -> None:
        made.facts.add(Thing(FOREIGN, "visit", accounts()[1], {accounts()[1]}))
        operation = next(each for each in made.document.operations if each.label == "GET /visits")
        made.reach[operation.label] = Reach()
        made.send(next(made.cases.own(operation, accounts()[0])), accounts()[0], "own")

    return tour(answer, run, described=described(*names))


@pytest.mark.parametrize(
    ("first", "names"),
    [
        ({"next": "pg2"}, ("limit", "cursor")),
        ({"items": [], "next_page_token": "pg2"}, ("page_size", "page_token")),
        ({"paging": {"endCursor": "pg2"}}, ("after",)),
        ({"next": "/visits?cursor=pg2"}, ()),
        ({"_links": {"next": {"href": "?cursor=pg2"}}}, ()),
        ({"cursor": "pg1", "items": [], "next_cursor": "pg2"}, ("cursor",)),
        ({"next": "tomorrow", "next_url": "/visits?cursor=pg2"}, ()),
    ],
)
def test_a_further_page_is_read(first: dict[str, Any], names: tuple[str, ...]) -> None:
    """A mark is sent in the parameter that takes it, whatever that is called, and an address is followed."""
    made = read(first, *names)
    assert [(found.leak.value, found.leak.operation) for found in made.found.values()] == [(FOREIGN, "GET /visits")]
    assert "pg2" in next(iter(made.found.values())).curl or "SECRET" in next(iter(made.found.values())).curl
    assert not made.unread


@pytest.mark.parametrize(
    ("first", "names", "expected"),
    [
        ({"next": "http://127.0.0.1:1/visits?cursor=pg2"}, ("cursor",), "not answered with success"),
        ({"next": "refused"}, ("cursor",), "not answered with success"),
    ],
)
def test_a_page_that_is_not_read_is_a_doubt(first: dict[str, Any], names: tuple[str, ...], expected: str) -> None:
    """A page at another origin is never asked for; that, and one that is refused, may hold anything."""
    made = read(first, *names)
    assert expected in made.unread["GET /visits"]


def test_pages_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list with too many pages is a doubt."""
    monkeypatch.setattr("harness.sweeping.asking.pages.MAX_PAGES", 1)
    made = read({"next": "pg2"}, "cursor", last={"next": "pg3"})
    assert "more than 1 further pages" in made.unread["GET /visits"]


@pytest.mark.parametrize("first", [{"next": "pg1"}, {"cursor": "pg1", "items": [1]}, {"next": "pg1", "cursor": "pg0"}])
def test_a_page_that_leads_to_itself_is_a_doubt(first: dict[str, Any]) -> None:
    """A target that passes over the parameter has shown one page of a list, whatever it names as the next."""
    assert "the page itself" in read(first, "cursor").unread["GET /visits"]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ({"cursor": "pg2", "items": [1]}, {"cursor": "pg2", "items": []}),
        ({"cursor": "pg1", "next": "pg2"}, {"cursor": "pg2", "items": [1]}),
        ({"cursor": "pg2", "next": None, "items": [1]}, {"cursor": "pg2", "next": None, "items": [1]}),
    ],
)
def test_a_page_may_tell_its_own_mark(first: dict[str, Any], last: dict[str, Any]) -> None:
    """A list is at its end where its last page is empty, or has no next one beside its own mark."""
    assert not read(first, "cursor", last=last).unread


def test_what_takes_a_mark() -> None:
    """A parameter whose words are all those of a mark takes one, and none that only has such a word in it."""
    taken = ("page_token", "pageToken", "starting_after", "page[number]", "$skiptoken", "cursor_id", "page")
    others = (
        "created_after",
        "homepage",
        "csrf_token",
        "before",
        "page_before",
        "per_page",
        "page_size",
        "start",
        "id",
    )
    operations = {each.label: each for each in understand(described(*taken, *others), "here").operations}
    assert set(parameters(operations["GET /visits"])) == set(taken)


def test_a_mark_that_nothing_takes_is_a_remark() -> None:
    """What is called next may be no page at all: it is told, and decides nothing."""
    made = read({"next": "tomorrow"})
    assert not made.unread
    assert list(made.faults) == ["GET /visits: it names a next page, and no parameter that would take it"]


def test_what_leads_on() -> None:
    """A header, an object with an address and a number lead on; nothing, `false` and another key do not."""
    assert marks_of(text("[]", Link='</a?p=1>; rel="prev", </a?p=3>; rel="next"')) == ["/a?p=3"]
    assert marks_of(text(json.dumps({"nextPage": 2}))) == ["2"]
    assert marks_of(text(json.dumps({"cursor": "c1", "page": {"next": "c2"}}))) == ["c2", "c1"]
    for last in ({"next": None}, {"next": False}, {"next": ""}, {"next_of_kin": "carol"}, [1]):
        assert marks_of(text(json.dumps(last))) == []
    assert marks_of(Answer(200, body=b"no JSON")) == []
