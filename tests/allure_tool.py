"""Tests that need Node and the npm package allure."""

from __future__ import annotations

from harness.reporting.report.tool import find

from .needs import needs

needs_allure = needs(find)
