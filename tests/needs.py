"""Tests that need a tool of the machine's: where CI is set its absence fails them, elsewhere they are skipped."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from harness.errors import UsageError


def needs(find: Callable[[], object]) -> pytest.MarkDecorator:
    """Return the mark of tests that need what `find` finds; in CI they run without it too, and fail."""
    missing = ""
    try:
        find()
    except UsageError as error:
        missing = str(error)
    return pytest.mark.skipif(bool(missing) and not os.environ.get("CI"), reason=missing or "it is there")
