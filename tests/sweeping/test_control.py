"""The control is blind to nothing but what it slipped in itself."""

from __future__ import annotations

import json

import pytest

from harness.sweeping.control import control
from harness.sweeping.judging.facts import CONSULTATION, RECORDING, Facts, Thing
from harness.sweeping.judging.judge import Request
from harness.sweeping.judging.seeing import Eye

from .world import ALICE, BOB, HIS_RECORDING, facts, text


def test_only_what_was_slipped_in_counts() -> None:
    """A slip that nobody can see is missed, though the answer holds something else of somebody else's."""
    known = facts()
    sent = tuple(thing.value for thing in known.things.values() if thing.value != HIS_RECORDING)
    request = Request("GET /things", "GET", "/things", sent)
    missed = control(known, [(ALICE, request, text(json.dumps({"id": HIS_RECORDING})))], Eye()).missed
    assert "an identifier slipped into GET /things" in missed
    assert "a header slipped into GET /things" in missed


REQUEST = Request("GET /things", "GET", "/things")


def test_a_kind_that_is_not_seen_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference of every kind is slipped in, also one that is a plain number; a kind that is not found is named."""
    known = facts()
    known.add(Thing("48213", "paper", BOB, {BOB}))
    sample = (ALICE, REQUEST, text("{}"))
    found = control(known, [sample], Eye())
    assert not [each for each in found.missed if "reference" in each]
    monkeypatch.setattr(known.index, "weak", lambda *_: iter(()))
    assert "a reference (paper) slipped into GET /things" in control(known, [sample], Eye()).missed
    known.index.discard(HIS_RECORDING)
    missed = control(known, [sample], Eye()).missed
    assert f"a reference ({RECORDING}) slipped into GET /things" in missed
    assert f"a reference ({CONSULTATION}) slipped into GET /things" not in missed
    assert not Facts().weak_kinds()
