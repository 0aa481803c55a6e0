"""The control is blind to nothing but what it slipped in itself."""

from __future__ import annotations

import json

from harness.sweeping.control import control
from harness.sweeping.judging import Request

from .world import ALICE, HIS_RECORDING, facts, text


def test_only_what_was_slipped_in_counts() -> None:
    """A slip that nobody can see is missed, though the answer holds something else of somebody else's."""
    known = facts()
    sent = tuple(thing.value for thing in known.things.values() if thing.value != HIS_RECORDING)
    request = Request("GET /things", "GET", "/things", sent)
    missed = control(known, [(ALICE, request, text(json.dumps({"id": HIS_RECORDING})))]).missed
    assert "an identifier slipped into GET /things" in missed
    assert "a header slipped into GET /things" in missed
