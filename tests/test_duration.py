"""A time as people write it."""

from __future__ import annotations

import pytest

from harness.duration import read_duration
from harness.errors import UsageError


@pytest.mark.parametrize(
    ("text", "duration_s"),
    [("60s", 60), ("5m", 300), ("90", 90), ("1.5 min", 90), (" 2s ", 2), ("500ms", 0.5), ("1h", 3600), ("2 h", 7200)],
)
def test_times(text: str, duration_s: float) -> None:
    """A time has a unit, or is seconds."""
    assert read_duration("--budget", text, 0.5, 7200.0) == duration_s


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("soon", "not a time; give one such as '60s'"),
        ("", "not a time; give one such as '60s'"),
        ("90x", "not a time; give one such as '90s'"),
        ("-5s", "not a time; give one such as '5s'"),
        ("5 minutes", "not a time; give one such as '5m'"),
        ("2 hours", "not a time; give one such as '2h'"),
        ("1 minute 30", "not a time; give one such as '1m'"),
        ("9" * 40, "not a time; give one such as '9999s'"),
        ("0", "too short; give '0.5s' or more, such as '60s'"),
        ("499ms", "too short; give '0.5s' or more, such as '60s'"),
        ("121m", "too long; give at most '2h'"),
    ],
)
def test_no_times(text: str, why: str) -> None:
    """What is no time, or out of bounds, is refused in one line with a right form."""
    with pytest.raises(UsageError) as refused:
        read_duration("--budget", text, 0.5, 7200.0)
    assert str(refused.value) == f"--budget {text}: {why}"
