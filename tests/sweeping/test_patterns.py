"""Patterns of a document are tried in time that is linear: a document may be anybody's."""

from __future__ import annotations

import pytest

from harness.sweeping.asking.cases import fits


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("^[a-z0-9.-]+$", "alice.k7q2m9-t1", True),
        ("^[a-z]+$", "alice.k7q2m9-t1", False),
        ("9", "alice.k7q2m9-t1", True),
        ("(?=a)alice", "bob", True),
        ("(", "bob", True),
        ("a" * 3_000, "b", True),
    ],
)
def test_what_fits(pattern: str, value: str, *, expected: bool) -> None:
    """A pattern may be found anywhere in a value; one that cannot be tried in linear time keeps nothing out."""
    assert fits(value, {"type": "string", "pattern": pattern}) is expected


def test_no_pattern_takes_for_ever() -> None:
    """A pattern whose attempts double with each character is over at once."""
    assert not fits("a" * 40, {"type": "string", "pattern": "^(([a-z0-9.-])+)+[!]$"})
