"""Tests that need a real Chromium."""

from __future__ import annotations

from harness.drivers.browser import find

from .needs import needs

needs_chromium = needs(find)
