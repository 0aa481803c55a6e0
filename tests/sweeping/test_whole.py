"""An answer with much in it: the worst is told of whatever it holds besides, and all of it is looked at."""

from __future__ import annotations

import base64
import json

from harness.sweeping.judging.facts import CONSULTATION, Thing
from harness.sweeping.judging.judge import MAX_LEAKS

from .world import BOB, HIS, HIS_CANARY, facts, leaks, media, text

MANY = [f"visit-7{number:05}" for number in range(MAX_LEAKS + 10)]


def test_the_worst_is_told_of_a_long_list() -> None:
    """Media are told first, though identifiers of more people than are told stand before them."""
    known = facts()
    for value in MANY:
        known.add(Thing(value, CONSULTATION, f"owner of {value}", set()))
    file = "data:video/webm;base64," + base64.b64encode(media(HIS_CANARY)).decode()
    found = leaks(text(json.dumps([*MANY, file])), known=known)
    assert len(found) == MAX_LEAKS
    assert (found[0].degree, found[0].owner) == ("proved", BOB)


def test_a_key_that_stands_twice_hides_nothing() -> None:
    """Both values of a repeated key are looked at, and what lies within them."""
    for body in (f'{{"id": "{HIS}", "id": "x"}}', f'{{"a": {{"id": "{HIS}"}}, "a": {{"id": "x"}}}}'):
        assert [(leak.value, leak.where.rpartition(".")[2]) for leak in leaks(text(body))] == [(HIS, "id")]
