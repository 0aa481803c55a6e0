"""`harness report` of real runs: made whatever the verdict is, and the verdict stands first in a real Chromium."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from harness.drivers.browser import find
from tests.allure_tool import needs_allure
from tests.chromium import needs_chromium

from .commands import Run, harness

pytestmark = [needs_allure, needs_chromium]


def opened(page: Path) -> tuple[str, list[str], int]:
    """Open a report; return its first line, what it asked for beyond itself, and the width of the leaked frame."""
    asked: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find().path, args=["--no-sandbox"])
        shown = chromium.new_page()
        shown.on("request", lambda request: asked.append(request.url))
        shown.goto(page.as_uri())
        shown.get_by_placeholder("Search tests").wait_for()
        frame = shown.locator("figure img")
        width = int(frame.evaluate("(image) => image.naturalWidth")) if frame.count() else 0
        said = shown.locator("h1").first.inner_text()
        chromium.close()
    return said, [each for each in asked if not each.startswith(("data:", "blob:", page.as_uri()))], width


def test_a_clean_run_has_a_green_report_that_asks_nobody(sound: Run, tmp_path: Path) -> None:
    """From `harness run` to a page that says valid."""
    made = harness("report", str(sound.out), "--to", str(tmp_path / "report"), "--history", str(tmp_path / "h.jsonl"))
    assert made.code == 0, made.complained
    said, asked, width = opened(tmp_path / "report" / "index.html")
    assert said.startswith("VALID: ")
    assert asked == []
    assert width == 0


def test_a_leaking_run_has_a_red_report_with_a_frame_of_the_leak(flawed: Run, tmp_path: Path) -> None:
    """The run ended with 1, its report is made with 0, and shows whose media was seen."""
    assert flawed.ended.code == 1
    made = harness("report", str(flawed.out), "--to", str(tmp_path / "report"), "--history", str(tmp_path / "h.jsonl"))
    assert made.code == 0, made.complained
    said, asked, width = opened(tmp_path / "report" / "index.html")
    assert said == "INVALID: do not ship"
    assert asked == []
    assert width >= 160
