"""Known identifiers in texts: found wherever they stand whole, and never within somebody else's."""

from __future__ import annotations

import json

import pytest

from harness.sweeping.judging.facts import CONSULTATION, Facts, Person, Thing
from harness.sweeping.judging.known import Index, is_weak
from harness.sweeping.judging.seeing import Answer

from .world import ALICE, BOB, facts, leaks, text

LONG, SHORT, RELAY = "rec-00a1b2c3", "visit-12345", "Q29uc3VsdDox/1=="


def found(written: str) -> list[str]:
    """Return which of the known values stand in a text."""
    index = Index()
    for value in (LONG, SHORT, RELAY, "alice.k7q2m9", "alice.k7q2m9-t1", "/odd1234"):
        index.add(value)
    return list(dict.fromkeys(index.find(written)))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("rec-00a1b2c3-thumb.jpg", LONG),
        ("rec-00a1b2c3-720p.webm", LONG),
        ("file_rec-00a1b2c3", LONG),
        ("media.REC-00A1B2C3", LONG),
        ("rec-00a1b2c3.v1.webm", LONG),
        ("urn:rec-00a1b2c3", LONG),
        ("/r/rec%252D00a1b2c3", LONG),
        ("<p>rec&#45;00a1b2c3</p>", LONG),
        ('{"id":"rec\\u002d00a1b2c3"}', LONG),
        ('"Q29uc3VsdDox\\/1=="', RELAY.lower()),
        ("/node/Q29uc3VsdDox%2F1%3D%3D", RELAY.lower()),
        ("visit-12345-thumb", SHORT),
        ("alice.k7q2m9-t1", "alice.k7q2m9-t1"),
        ("Alice.K7Q2M9.", "alice.k7q2m9"),
        ("see /odd1234", "/odd1234"),
    ],
)
def test_it_is_found(written: str, expected: str) -> None:
    """A value is found within a longer word, in any case, encoded once or twice; the longest value there counts."""
    assert found(written) == [expected]


@pytest.mark.parametrize(
    "written",
    ["rec-00a1b2c34", "xrec-00a1b2c3", "visit-12345-2", "9-visit-12345", "visit-123456", "odd1234", "rec-00a1b2", ""],
)
def test_another_identifier_accuses_nobody(written: str) -> None:
    """What goes on with a letter or a digit, or with a number of its own, is another's."""
    assert found(written) == []


def test_what_is_forgotten_is_not_found() -> None:
    """A value whose owner has turned out to be uncertain is found no longer."""
    known = facts()
    known.forget("visit-9f8e7d")
    assert leaks(text('{"id": "visit-9f8e7d"}'), known=known) == []


@pytest.mark.parametrize(
    ("value", "expected"), [("48213", True), ("v-1", True), ("word-of-all", True), ("175928847299117063", False)]
)
def test_what_is_weak(value: str, *, expected: bool) -> None:
    """A number of few digits and a short or plain word may be anything; one of 18 digits is nothing else."""
    assert is_weak(value) is expected


def numbered() -> Facts:
    """Return facts in which Alice's consultation has a number."""
    known = Facts()
    for account in (ALICE, BOB):
        known.add_person(Person(account, account.partition("-")[0], "patient"))
    known.add(Thing("48213", CONSULTATION, ALICE, {ALICE}))
    return known


@pytest.mark.parametrize(
    ("body", "is_accused"),
    [
        ({"size_bytes": 48213, "took_ms": 12}, False),
        ({"id": 48213}, False),
        ({"prescription": {"id": 48213}}, False),
        ({"note": "48213"}, False),
        ({"consultation": 48213}, True),
        ({"consultation_id": "48213"}, True),
        ({"consultationId": 48213}, True),
        ({"consultation": {"id": 48213}}, True),
        ({"consultations": [{"id": 1}, {"id": 48213}]}, True),
        ({"consultations": [1, 48213]}, True),
        ({"url": "http://clinic.invalid/consultations/48213/media?x=1"}, True),
        ({"url": "/prescriptions/48213"}, False),
    ],
)
def test_a_number_accuses_where_its_kind_is_named(body: object, *, is_accused: bool) -> None:
    """A plain number is a reference under a key or in a path that says so; elsewhere it counts bytes."""
    assert bool(leaks(text(json.dumps(body)), BOB, known=numbered())) is is_accused
    assert leaks(text(json.dumps(body)), ALICE, known=numbered()) == []


def test_an_echo_of_a_number_accuses_nobody() -> None:
    """What the viewer asked for by number and finds again tells them nothing."""
    answer = text(json.dumps({"consultation": 48213}))
    assert leaks(answer, BOB, "/consultations/48213", known=numbered()) == []


def test_a_kind_of_plain_numbers_is_told() -> None:
    """Which kinds accuse only where they are named is known, with an example."""
    assert numbered().weak_kinds() == {CONSULTATION: "48213"}
    assert facts().weak_kinds() == {}


def test_it_is_found_in_the_name_of_a_header() -> None:
    """A header may be named after what it is about."""
    assert [leak.value for leak in leaks(Answer(200, headers={"visit-9f8e7d": "1"}))] == ["visit-9f8e7d"]
