"""One sweep's doubts: what it had to leave out is said."""

from __future__ import annotations

from typing import Any

import pytest

from harness.drivers.api import Exchange
from harness.running.settings import Settings
from harness.sweeping.facts import Thing
from harness.sweeping.run import Orders, Run

from .world import ALICE

NOTHING: Any = None
"""What a run that is not begun does not look at."""


def test_what_is_left_out_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A story with too many requests, and too many things, are each a doubt; as many as may be are none."""
    monkeypatch.setattr("harness.sweeping.run.MAX_EXCHANGES", 2)
    monkeypatch.setattr("harness.sweeping.run.MAX_THINGS", 2)
    monkeypatch.setattr("harness.sweeping.facts.MAX_THINGS", 2)
    run = Run(Orders(Settings()), NOTHING, None, lambda _: None)
    for number in range(2):
        run.observe(Exchange("alice", "GET", "/", {}, None, 200, b"", 0.0, 0.0))
        run.facts.add(Thing(f"visit-{number}", "visit", ALICE))
        run.facts.add(Thing("visit-0", "visit", ALICE))
    assert run.left_out() == []
    run.observe(Exchange("alice", "GET", "/", {}, None, 200, b"", 0.0, 0.0))
    run.facts.add(Thing("visit-2", "visit", ALICE))
    assert [doubt.partition(":")[0] for doubt in run.left_out()] == [
        "the story made more than 2 requests",
        "more than 2 things were met",
    ]
