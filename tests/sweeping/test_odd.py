"""Answers as odd as a target likes: none is overlooked, none ends the sweep, and what they say can be written down."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from requests import PreparedRequest

from harness.sweeping.asking.tour import Tour
from harness.sweeping.judging.facts import Facts, Thing
from harness.sweeping.judging.judge import Request, judge
from harness.sweeping.judging.seeing import Answer, Eye

from .test_tour import Clinic, accounts, tour
from .world import BOB, HIS, facts, leaks, text


@pytest.mark.parametrize(
    "charset", ["rot13", "base64", "hex", "zlib", "idna", "punycode", "undefined", "unicode_escape", "klingon", "utf-7"]
)
def test_no_charset_hides_anything(charset: str) -> None:
    """What an answer calls its encoding, be that no encoding of texts at all, neither hides it nor ends the sweep."""
    answer = text(json.dumps({"id": HIS}), content_type=f"application/json; charset={charset}")
    assert [leak.value for leak in leaks(answer)] == [HIS]
    assert answer.json() == {"id": HIS}


def test_half_a_character_is_written_down() -> None:
    """What a target says in half a pair of surrogates is found, and told in letters that any file takes."""
    known = facts()
    known.add(Thing("visit-\ud83d5e6f7a", "visit\ud83d", BOB, {BOB}))
    for body in ({"\ud83d\nVALID": "visit-\ud83d5e6f7a"}, {"x": "data:image/png,\ud83d visit-\ud83d5e6f7a"}):
        (leak,) = leaks(text(json.dumps(body)), known=known)
        assert leak.value == "visit-\ud83d5e6f7a"
        assert "visit-\\ud83d5e6f7a" in leak.what
        assert "\n" not in leak.sentence
        assert not re.search("[\ud800-\udfff]", leak.sentence + leak.where + leak.what)


def test_an_answer_that_cannot_be_judged_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault over one answer is told of its operation, without a secret, and all else is asked and judged."""

    def fragile(facts: Facts, viewer: str | None, request: Request, answer: Answer, eye: Eye) -> Any:
        if viewer == accounts()[1] and request.path == "/visits" and request.method == "GET":
            raise LookupError("'hex' is not a text encoding,\npassword=s3cret")
        return judge(facts, viewer, request, answer, eye)

    monkeypatch.setattr("harness.sweeping.asking.tour.judge", fragile)
    made = tour(Clinic("GET /visits/{visit}").answer, Tour.run)
    why = "an answer that could not be judged (LookupError: 'hex' is not a text encoding, password=REDACTED)"
    assert made.unread == {"GET /visits": f"{why}, served to bob"}
    assert {leak.leak.operation for leak in made.found.values()} == {"GET /visits/{visit}"}


@pytest.mark.parametrize("broken", ["learn", "as_curl"])
def test_no_fault_takes_back_a_leak(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """What an answer was seen to show is kept, though nothing can be learnt from it, or no command be written."""

    def fail(*_: object) -> Any:
        raise ValueError("nobody knows why")

    def run(made: Tour) -> None:
        made.references.add("visit", "visit-100001")
        made.facts.add(Thing("visit-100001", "visit", accounts()[0], {accounts()[0]}))
        monkeypatch.setattr(f"harness.sweeping.asking.tour.{broken}", fail)
        operation = made.document.operations[1]
        request = Request(operation.label, "POST", "/visits")
        answer = Answer(201, headers={"Content-Type": "application/json"}, body=b'{"id": "visit-100001"}')
        curl = made._curl(PreparedRequest(), accounts()[1], operation)
        made.take(operation, accounts()[1], "own", request, answer, (), curl=curl)

    made = tour(Clinic().answer, run)
    assert [found.leak.value for found in made.found.values()] == ["visit-100001"]
    assert broken != "as_curl" or "nobody knows why" in str(made.found)
