"""What is kept of a page when its trial does not look valid: a picture, a trace, the requests.

The trace is Playwright's, rewritten: without secrets, without media, which may be anybody's, and without this machine's
paths. The requests are taken from it, so that they are recorded once.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from harness.redact import TRACE_LINES, TRACE_TEXTS, Secrets

PICTURE_S, TRACE_S = 8.0, 15.0
MAX_BYTES = 128 * 1024 * 1024
"""Of a trace when it is unpacked; a larger one is not kept."""
FACES = "img, video, canvas, iframe, embed, object"
"""What may show a person: it is covered in the picture. Text stays."""
COVER = "#8a8f98"
MAX_TEXT = 400
"""Of what a function in the page was given or returned: longer texts are media or sound in base64."""

_ACTIONS = frozenset({"before", "after", "input", "log"})
_READABLE = re.compile(r"text/|application/(?:json|x-www-form-urlencoded)|.*\+json")
_INLINE = re.compile(rb"data:(?:image|video|audio|application/octet-stream)[^\"'()\\\s<>]*")


async def keep(context: BrowserContext, page: Page, directory: Path, actor: str, secrets: Secrets) -> None:
    """Write ACTOR.png, ACTOR.trace.zip and ACTOR.har into the directory, each if it can be had; end the trace."""
    await picture(page, directory / f"{actor}.png")
    # What is not redacted yet lies where nobody else may read it, and not for long.
    with tempfile.TemporaryDirectory(prefix="harness-trace-") as private:
        raw = Path(private) / "trace.zip"
        with suppress(PlaywrightError, TimeoutError):
            async with asyncio.timeout(TRACE_S):
                await context.tracing.stop(path=raw)
        if raw.is_file():
            await asyncio.to_thread(rewrite, raw, directory, actor, secrets)


async def picture(page: Page, file: Path) -> None:
    """Write a picture of the whole page, what may show a person covered; nothing where there is none to be had."""
    with suppress(PlaywrightError, TimeoutError):
        async with asyncio.timeout(PICTURE_S):
            await page.screenshot(
                path=file,
                full_page=True,
                mask=[frame.locator(FACES) for frame in page.frames],
                mask_color=COVER,
                timeout=0,
            )


def rewrite(raw: Path, directory: Path, actor: str, secrets: Secrets) -> None:
    """Write ACTOR.trace.zip and ACTOR.har, both without secrets, of a trace that Playwright wrote."""
    with zipfile.ZipFile(raw) as archive:
        members = [each for each in archive.infolist() if each.filename.endswith(TRACE_LINES + TRACE_TEXTS)]
        if sum(each.file_size for each in members) > MAX_BYTES:
            return
        entries = {each.filename: archive.read(each) for each in members}
    # A value may be learnt from the last entry and stand in the first: first everything is looked at.
    scrubbed = {name: _scrubbed(name, data, secrets) for name, data in entries.items()}
    masked = {name: _whole(name, secrets.mask_bytes(_INLINE.sub(b"data:,", data))) for name, data in scrubbed.items()}
    with zipfile.ZipFile(directory / f"{actor}.trace.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in masked.items():
            archive.writestr(name, data)
    har = _har(line for name, data in masked.items() if name.endswith(".network") for line in data.splitlines())
    (directory / f"{actor}.har").write_text(json.dumps(har), encoding="utf-8")


def _scrubbed(name: str, data: bytes, secrets: Secrets) -> bytes:
    """Return an entry without the values that have a secret's name; what is no JSON stays as it is."""
    if name.endswith(TRACE_LINES):
        return b"".join(_line(line, secrets) for line in data.splitlines())
    if name.endswith(".json"):
        with suppress(ValueError):
            return json.dumps(secrets.scrub(json.loads(data))).encode()
    return data


def _whole(name: str, data: bytes) -> bytes:
    """Return an entry without the lines that masking has broken."""
    return b"".join(line + b"\n" for line in data.splitlines() if _json(line)) if name.endswith(TRACE_LINES) else data


def _json(line: bytes) -> Any:
    """Return the object that a line is, otherwise None."""
    with suppress(ValueError):
        return json.loads(line)
    return None


def _line(line: bytes, secrets: Secrets) -> bytes:
    """Return a line of a trace; one that cannot be read cannot be redacted either, and is left out."""
    event = secrets.scrub(_json(line))
    if not isinstance(event, dict):
        return b""
    if event.get("type") in _ACTIONS:
        event = _cut(event)
    elif event.get("type") == "resource-snapshot":
        entry = event["snapshot"]
        for body in (entry["response"]["content"], entry["request"].get("postData", {})):
            if not _READABLE.match(body.get("mimeType", "")):
                body.pop("text", None)
    return json.dumps(event).encode() + b"\n"


def _cut(node: Any) -> Any:
    if isinstance(node, str) and len(node) > MAX_TEXT:
        return f"({len(node)} characters were left out)"
    if isinstance(node, list):
        return [_cut(each) for each in node]
    if isinstance(node, dict):
        # A stack names files of this machine.
        return {key: _cut(each) for key, each in node.items() if key != "stack"}
    return node


def _har(lines: Iterator[bytes]) -> dict[str, object]:
    """Return the requests of a trace as an HTTP Archive 1.2, without bodies."""
    entries = [event["snapshot"] for event in map(json.loads, lines) if event.get("type") == "resource-snapshot"]
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
