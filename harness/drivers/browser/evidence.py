"""What is kept of a page when its trial does not look valid: a picture, a trace, the requests.

The trace is Playwright's, rewritten: without secrets, without media, which may be anybody's, and without this machine's
paths. The requests are taken from it, so that they are recorded once.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from harness.drivers.browser import picture
from harness.redact import NotRedactableError, Secrets, clean_trace, packed

PICTURE_S, TRACE_S = 8.0, 15.0
MAX_BYTES = 128 * 1024 * 1024
"""Of a trace when it is unpacked; a larger one is not kept."""


async def keep(context: BrowserContext, page: Page, directory: Path, actor: str, secrets: Secrets) -> None:
    """Write ACTOR.png, ACTOR.trace.zip and ACTOR.har into the directory, each if it can be had; end the trace."""
    await take_picture(context, page, directory / f"{actor}.png")
    # What is not redacted yet lies where nobody else may read it, and not for long.
    with tempfile.TemporaryDirectory(prefix="harness-trace-") as private:
        raw = Path(private) / "trace.zip"
        with suppress(PlaywrightError, TimeoutError):
            async with asyncio.timeout(TRACE_S):
                await context.tracing.stop(path=raw)
        if raw.is_file():
            await asyncio.to_thread(rewrite, raw, directory, actor, secrets)


async def take_picture(context: BrowserContext, page: Page, file: Path) -> None:
    """Write a picture of the whole page, what may show a person covered; nothing where there is none to be had."""
    with suppress(PlaywrightError, TimeoutError):
        async with asyncio.timeout(PICTURE_S):
            await picture.take(context, page, file)


def rewrite(raw: Path, directory: Path, actor: str, secrets: Secrets) -> None:
    """Write ACTOR.trace.zip and ACTOR.har, both without secrets, of a trace that Playwright wrote."""
    try:
        members = clean_trace(raw, secrets, MAX_BYTES)
    except NotRedactableError:
        return
    (directory / f"{actor}.trace.zip").write_bytes(packed(members))
    lines = (line for name, data in members.items() if name.endswith(".network") for line in data.splitlines())
    # A secret that is also a word of the trace's own, such as a password `request`, leaves no requests to be told.
    with suppress(KeyError, TypeError, AttributeError):
        (directory / f"{actor}.har").write_text(json.dumps(_har(lines)), encoding="utf-8")


def _har(lines: Iterator[bytes]) -> dict[str, object]:
    """Return the requests of a trace as an HTTP Archive 1.2, without bodies, in the order in which they started."""
    entries = [event["snapshot"] for event in map(json.loads, lines) if event.get("type") == "resource-snapshot"]
    # Playwright writes each when it ends, and a page's script may have ended before the page.
    entries.sort(key=lambda entry: (entry["startedDateTime"], entry.get("_monotonicTime", 0.0)))
    for entry in entries:
        for body in (entry["response"]["content"], entry["request"].get("postData", {})):
            body.pop("_file", None)
    first: dict[str, str] = {}
    for entry in entries:
        first.setdefault(entry.get("pageref", ""), entry["startedDateTime"])
    pages = [
        {"id": page, "startedDateTime": at, "title": page, "pageTimings": {}} for page, at in first.items() if page
    ]
    creator = {"name": "Playwright", "version": "trace"}
    return {"log": {"version": "1.2", "creator": creator, "pages": pages, "entries": entries}}
