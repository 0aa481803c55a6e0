"""What is kept of a page when its trial does not look valid: a picture, a trace, the requests."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import BrowserContext, Page

from harness.drivers.browser.redact import Secrets


async def keep(context: BrowserContext, page: Page, directory: Path, actor: str, secrets: Secrets) -> None:
    """Write ACTOR.png, ACTOR.trace.zip and ACTOR.har into the directory."""
