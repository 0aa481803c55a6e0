"""Tests that need a real Chromium: where CI is set its absence fails them, elsewhere they are skipped with a reason."""

from __future__ import annotations

import os

import pytest

from harness.drivers.browser import find
from harness.errors import UsageError


def _missing() -> str:
    try:
        find()
    except UsageError as error:
        return str(error)
    return ""


MISSING = _missing()
needs_chromium = pytest.mark.skipif(bool(MISSING) and not os.environ.get("CI"), reason=MISSING or "there is one")
"""In CI the test runs without a browser too, and fails."""
