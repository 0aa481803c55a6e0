"""The report in a real Chromium: our verdict first, what leaked plays, nothing is fetched from anywhere."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from harness.cli.main import main
from harness.drivers.browser import find
from harness.reporting.report.page import POLICY
from harness.reporting.report.table import anchor
from tests.allure_tool import needs_allure
from tests.chromium import needs_chromium
from tests.reporting.stored import PLAN, clean, keep_leak, leaking, store, trial_with

pytestmark = [needs_allure, needs_chromium]

LEAKING = trial_with("replay-cache", "video-upgrade")
COPIED = "(code) => { getSelection().selectAllChildren(code); return getSelection().toString(); }"
META = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'


@dataclass
class Opened:
    """A page, and the addresses that it asked for which are not in the page itself."""

    page: Page
    asked: list[str] = field(default_factory=list)

    def shows(self, text: str) -> None:
        """Wait until the page shows a text."""
        self.page.get_by_text(text).first.wait_for(state="visible")


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    """Return a page of a real Chromium, light and 1400 wide."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find().path, args=["--no-sandbox"])
        yield chromium.new_page(viewport={"width": 1400, "height": 900}, color_scheme="light")
        chromium.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a place with the reports of a run that leaks, of a good one and of one that was cut short."""
    place = tmp_path_factory.mktemp("reports")
    keep_leak(store(place / "leak", leaking), LEAKING)
    store(place / "clean", clean)
    control = place / "clean" / "control.jsonl"
    control.write_text(control.read_text().replace('"run": 1', '"run": 2'))
    store(place / "short", lambda trial: None if trial == LEAKING else clean(trial), control=False)
    for name in ("leak", "clean", "short"):
        sys.argv = ["harness", "report", str(place / name), "--history", str(place / "history.jsonl")]
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
    return place


@contextmanager
def opened(page: Page, file: Path, at: str = "") -> Iterator[Opened]:
    """Open a file in the browser and write down what it asks for."""
    shown = Opened(page)

    def ask(request: object) -> None:
        address = str(getattr(request, "url", ""))
        if not address.startswith(("data:", "blob:")) and address.partition("#")[0] != file.as_uri():
            shown.asked.append(address)

    page.context.on("request", ask)
    try:
        page.goto("about:blank")
        page.goto(f"{file.as_uri()}{at}")
        page.locator("#app *").first.wait_for()
        yield shown
    finally:
        page.context.remove_listener("request", ask)


def test_a_leaking_run_says_so_first_and_asks_nobody(browser: Page, reports: Path) -> None:
    """The verdict stands above everything, then with which flags, then a frame of what leaked."""
    with opened(browser, reports / "leak/allure-report/index.html") as shown:
        heading = browser.locator("h1").first
        assert heading.inner_text() == "INVALID: do not ship"
        place = heading.bounding_box()
        assert place is not None
        assert (place["x"], place["y"], place["width"]) == (0, 0, 1400)
        shown.shows("safe with replay-cache=off (2 of 2 combinations valid)")
        shown.shows("leaks when replay-cache=on and video-upgrade=on")
        assert browser.locator(".harness-causes img").evaluate("(image) => image.naturalWidth") == 480
        ring = browser.get_by_text("75%", exact=True)
        assert ring.evaluate("(number) => getComputedStyle(number.parentElement, '::after').content") == '"passed"'
        browser.get_by_text("Categories").first.click()
        shown.shows("foreign media: never ship")
        assert browser.title().strip() == "INVALID: do not ship"
    assert shown.asked == []


def test_from_the_table_to_the_film_that_leaked(browser: Page, reports: Path) -> None:
    """A cell leads to its trial, which is then in sight: flags, the failing step, and the film, which plays."""
    with opened(browser, reports / "leak/allure-report/index.html") as shown:
        browser.get_by_text("every trial").click()
        browser.locator(f'td a[href="{anchor(LEAKING.id)}"]').click()
        browser.wait_for_function("document.getElementById('app').getBoundingClientRect().top < innerHeight / 4")
        shown.shows("two_visits [replay_cache+video_upgrade]")
        shown.shows("what alice can see")
        shown.shows("video-upgrade")
        browser.get_by_text("Attachments").first.click()
        browser.get_by_text("the leaked media (leak.webm)").click()
        film = browser.locator("video").first
        film.wait_for()
        browser.wait_for_function("() => document.querySelector('video').readyState >= 2")
        assert film.evaluate("(film) => film.videoWidth") == 160
    assert shown.asked == []


def test_a_good_run_is_green_and_asks_nobody(browser: Page, reports: Path) -> None:
    """All passed, nothing in a category."""
    with opened(browser, reports / "clean/allure-report/index.html") as shown:
        assert browser.locator("h1").first.inner_text() == "VALID: nobody could see media that is not theirs"
        shown.shows("100%")
        assert browser.get_by_text("Categories", exact=True).count() == 0
    assert shown.asked == []


def test_a_run_that_was_cut_short_is_not_green(browser: Page, reports: Path) -> None:
    """What was not executed is broken, and so is the run without its control."""
    with opened(browser, reports / "short/allure-report/index.html") as shown:
        assert "UNKNOWN" in browser.locator("h1").first.inner_text()
        shown.shows("not proved: the control did not run")
        browser.get_by_text("Categories").first.click()
        shown.shows("no verdict")
        shown.shows("the run as a whole is not proved")
    assert shown.asked == []


def test_the_verdict_opens_alone(browser: Page, reports: Path) -> None:
    """The page beside the report needs nothing either."""
    asked: list[str] = []
    browser.context.on("request", lambda request: asked.append(request.url))
    browser.goto((reports / "leak/allure-report/verdict.html").as_uri())
    assert browser.locator("h1").inner_text() == "INVALID: do not ship"
    assert [each for each in asked if not each.startswith(("data:", "file:"))] == []


def test_a_narrow_page_cuts_nothing_off(browser: Page, reports: Path) -> None:
    """On a telephone the picture stands below the causes, and lines of evidence scroll instead of breaking."""
    before = browser.viewport_size
    assert before
    browser.set_viewport_size({"width": 390, "height": 900})
    try:
        browser.goto((reports / "leak/allure-report/verdict.html").as_uri())
        place = browser.locator(".harness-causes img").bounding_box()
        assert place
        assert place["x"] + place["width"] <= 390
        assert browser.evaluate("document.documentElement.scrollWidth") <= 390
        browser.locator("summary").last.click()
        for command in browser.locator("code").all():
            box = command.bounding_box()
            assert box
            assert box["x"] + box["width"] <= 390
            assert command.evaluate(COPIED) == command.text_content()
        text = browser.locator("pre")
        assert text.evaluate("(text) => getComputedStyle(text).whiteSpace") == "pre"
        assert text.evaluate("(text) => text.scrollWidth > text.clientWidth")
        assert browser.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        browser.set_viewport_size(before)


def test_a_planted_script_is_seen_and_the_policy_stops_it(browser: Page, reports: Path, tmp_path: Path) -> None:
    """The instrument sees a request where there is one; under our policy even a planted script asks nobody."""
    with server() as (address, hits):
        page = (reports / "clean/allure-report/index.html").read_text()
        assert page.count(META) == 1
        planted = page.replace("</body>", f'<script src="{address}/planted.js"></script></body>')
        (tmp_path / "bare.html").write_text(planted.replace(META, ""))
        (tmp_path / "guarded.html").write_text(planted)
        with opened(browser, tmp_path / "bare.html") as shown:
            shown.shows("100%")
        assert shown.asked == [f"{address}/planted.js"]
        assert hits == ["/planted.js"]
        with opened(browser, tmp_path / "guarded.html") as shown:
            shown.shows("100%")
        assert hits == ["/planted.js"]


def test_the_history_has_a_line_a_run(reports: Path) -> None:
    """Three runs of one plan, told apart by their controls, or one that has none."""
    lines = [json.loads(line) for line in (reports / "history.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    assert len(lines[-1]["testResults"]) == len(PLAN.trials) + 1


@contextmanager
def server() -> Iterator[tuple[str, list[str]]]:
    """Serve anything on 127.0.0.1 and write down what was asked for."""
    hits: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            return

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", hits
    finally:
        running.shutdown()
        thread.join()
        running.server_close()
