"""What a sweep needs of a target, found also behind a wrapper such as the adapter that the documents begin with."""

from __future__ import annotations

from typing import Any

from harness.targets.described import as_described, as_signed_in


class Api:
    """All that a sweep asks a target and a driver for."""

    base_url, openapi = "http://127.0.0.1:1", "openapi.json"
    observe = others = None
    credentials: dict[str, str] = {}  # noqa: RUF012 - a stand-in of one line


class Wrapped:
    """Hands everything on to another."""

    def __init__(self, real: object) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_a_wrapper_has_what_it_hands_on_to() -> None:
    """isinstance() asks a wrapper's class alone from Python 3.12 on."""
    described, signed_in = as_described(Wrapped(Api())), as_signed_in(Wrapped(Api()))
    assert described is not None
    assert described.openapi == "openapi.json"
    assert signed_in is not None
    assert as_described(Wrapped(object())) is None
    assert as_signed_in(object()) is None
