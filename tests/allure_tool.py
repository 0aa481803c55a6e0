"""Tests that need Node and the npm package allure: where CI is set its absence fails them, else they are skipped."""

from __future__ import annotations

import os

import pytest

from harness.errors import UsageError
from harness.reporting.report.tool import find


def _missing() -> str:
    try:
        find()
    except UsageError as error:
        return str(error)
    return ""


MISSING = _missing()
needs_allure = pytest.mark.skipif(bool(MISSING) and not os.environ.get("CI"), reason=MISSING or "it is there")
"""In CI the test runs without Allure too, and fails."""
