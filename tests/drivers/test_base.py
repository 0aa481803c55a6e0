"""What a driver may offer beyond its verbs: found also behind a wrapper, and taken only for what it says that it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from harness.drivers.base import Driver, keeps_evidence, shown_by, shows_more


class Told:
    """A driver that was shown something; nothing else of a driver is asked for."""

    def __init__(self, badge: object = 3, total: object = None, titles: Mapping[Any, Any] | None = None) -> None:
        self.badge, self.total, self.titles = badge, total, titles or {}

    def shown(self) -> Told:
        """Return what was shown."""
        return self

    async def keep_evidence(self, *_: object) -> None:
        """Keep nothing."""


class Wrapped:
    """Hands everything on to another."""

    def __init__(self, real: object) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_a_wrapper_has_what_it_hands_on_to() -> None:
    """So is the control's driver made, and the adapter that the documents begin with."""
    assert shows_more(Wrapped(Told()))
    assert keeps_evidence(Wrapped(Told()))
    assert not shows_more(Wrapped(object()))
    assert not keeps_evidence(object())
    assert shown_by(cast("Driver", Wrapped(Told()))) == {"badge": 3, "total": None, "titles": {}}
    assert shown_by(cast("Driver", Wrapped(object()))) == {}


@pytest.mark.parametrize("badge", ["3", 1.5, True, -1, b"3"], ids=repr)
def test_a_badge_that_counts_nothing_has_no_answer(badge: object) -> None:
    """A number that is none must neither end the run nor pass for a badge that counts rightly."""
    assert shown_by(cast("Driver", Told(badge))) == {"unanswered": f"the badge is {badge!r}, which counts nothing"}


def test_titles_are_texts() -> None:
    """Whatever an adapter calls its recordings, the ledger can hold it."""
    assert shown_by(cast("Driver", Told(titles={1: b"x"})))["titles"] == {"1": "b'x'"}
