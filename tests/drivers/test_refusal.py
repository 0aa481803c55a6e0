"""Which answers of a target are refusals."""

from __future__ import annotations

import pytest

from harness.drivers.refusal import refused


@pytest.mark.parametrize(
    ("status", "definite"),
    [(400, True), (403, True), (404, True), (401, False), (429, False), (500, False), (302, False)],
)
def test_definite(status: int, definite: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A refusal is definite; whoever is not signed in, too early or met by a broken target was not refused."""
    assert refused("GET /x", status, b"").definite is definite


@pytest.mark.parametrize(
    ("body", "line", "code"),
    [
        (b'{"error": {"code": "not_yours", "message": "No."}}', "GET /x: 403 not_yours", "not_yours"),
        (b'{"error": {"code": "", "message": "No."}}', "GET /x: 403 No.", ""),
        (b'{"error": "no"}', 'GET /x: 403 {"error": "no"}', ""),
        (b"\xff" * 200, f"GET /x: 403 {'�' * 80}", ""),
        (b"", "GET /x: 403", ""),
    ],
)
def test_words(body: bytes, line: str, code: str) -> None:
    """The target's own code is told, otherwise the beginning of what it said."""
    error = refused("GET /x", 403, body)
    assert (str(error), error.code, error.status) == (line, code, 403)
