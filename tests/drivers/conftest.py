"""The browser and the site of the browser driver's tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from harness.drivers.browser import Chromium

from .browsers import Hands, running_loop
from .pages import serving


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Return an event loop that runs on a thread of its own."""
    with running_loop() as running:
        yield running


@pytest.fixture(scope="session")
def hands(loop: asyncio.AbstractEventLoop) -> Iterator[Hands]:
    """Return a Chromium for a target, both shared by all tests."""
    with serving() as site:
        hands = Hands(site, Chromium(site.url), loop)
        try:
            yield hands
        finally:
            hands.run(hands.chromium.close())
