"""Reach and blind spots: a target that was too busy, too slow or broken has refused nobody."""

from __future__ import annotations

import pytest

from harness.sweeping.asking.reach import How, Reach, blind_spots
from harness.sweeping.describing.document import Operation

READ = Operation("GET /replays/{id}", "GET", "/replays/{id}", (), creates=False, is_stream=False, api=None)
LEAVE = Operation("POST /sign-out", "POST", "/sign-out", (), creates=False, is_stream=False, api=None)


def reached(viewer: str | None, how: How, *statuses: int) -> Reach:
    """Return what an operation answered to one person."""
    reach = Reach()
    for status in statuses:
        reach.add(viewer, how, status)
    return reach


@pytest.mark.parametrize(
    ("viewer", "how", "status", "is_blind"),
    [
        ("bob", "foreign", 404, False),
        ("bob", "foreign", 403, False),
        ("bob", "foreign", 200, False),
        ("bob", "foreign", 429, True),
        ("bob", "foreign", 401, True),
        ("bob", "foreign", 503, True),
        ("bob", "foreign", 0, True),
        (None, "foreign", 401, False),
        (None, "foreign", 429, True),
        ("bob", "own", 401, True),
        ("bob", "own", 429, True),
        ("bob", "own", 500, False),
        ("bob", "generated", 429, False),
        ("bob", "story", 401, False),
    ],
)
def test_only_an_answer_that_decides_is_one(viewer: str | None, how: How, status: int, *, is_blind: bool) -> None:
    """A rate limit, a lost session, an error or silence leave open whether somebody would have been let in."""
    found = list(blind_spots([READ], {READ.label: reached(viewer, how, 404, status)}))
    said = f"{READ.label}: 1 times {status or 'no answer'}: whether it would have been refused is not known"
    assert found == ([said] if is_blind else [])


def test_a_wrong_password_is_an_answer() -> None:
    """401 to something that is done, as to a sign-in, is about what was sent and not about who sends it."""
    enter = Operation("POST /sign-in", "POST", "/sign-in", (), creates=False, is_stream=False, api=None)
    assert list(blind_spots([enter], {enter.label: reached("bob", "own", 401)})) == []
    assert list(blind_spots([enter], {enter.label: reached("bob", "own", 429)})) != []


def test_who_has_left_is_rightly_unknown() -> None:
    """After the end of a session 401 is the answer that there should be."""
    assert list(blind_spots([LEAVE], {LEAVE.label: reached("bob", "own", 200, 401)})) == []
    assert list(blind_spots([READ], {READ.label: reached("bob", "own", 200, 401)})) != []
