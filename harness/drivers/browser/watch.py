"""What goes wrong in a page, in one clear line: time-outs, crashes, uncaught errors, what its console said."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, WebError
from playwright.async_api import Error as PlaywrightError

from harness.errors import TargetError

MAX_TROUBLES = 50
MAX_LINE = 300

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_OF_A_REFUSAL = "Failed to load resource"
"""With this Chromium's console reports each answer that is an error: that is judged where the answer is read."""


class Watch:
    """Watches the pages of one actor's context, and bounds and blames whatever is done in them.

    `requests` counts those that the pages made; `mask` takes secrets out of a text.
    """

    def __init__(self, actor: str, context: BrowserContext, mask: Callable[[str], str]) -> None:
        self.actor = actor
        self.requests = 0
        self._mask = mask
        self._end = ""
        self._faults: deque[str] = deque(maxlen=MAX_TROUBLES)
        self._said: deque[str] = deque(maxlen=MAX_TROUBLES)
        self._limits: set[asyncio.Timeout] = set()
        context.on("request", self._count)
        context.on("weberror", self._uncaught)
        context.on("console", self._console)
        context.on("page", self._follow)

    @property
    def end(self) -> str:
        """Why nothing can be done in the pages any more; empty while they live."""
        return self._end

    @asynccontextmanager
    async def doing(self, what: str, within_s: float) -> AsyncIterator[None]:
        """Bound what is done in the block, and blame it in one line; raises TargetError that is not definite."""
        if self._end:
            raise self.error(what, self._end)
        try:
            async with asyncio.timeout(within_s) as limit:
                self._limits.add(limit)
                try:
                    yield
                finally:
                    self._limits.discard(limit)
        except TimeoutError as error:
            raise self.error(what, self._end or f"it was not done within {within_s:g} s") from error
        except PlaywrightError as error:
            raise self.error(what, self._end or _line(error.message)) from error
        if self._faults:
            fault = self._faults[0]
            self._faults.clear()
            raise self.error(what, fault)

    def error(self, what: str, why: str) -> TargetError:
        """Return the error to raise: who did what, why it failed, and the last thing that the console said of it."""
        said = f" (the page said: {self._said[-1]})" if self._said and not self._end else ""
        line = " ".join(self._mask(f"{self.actor}, {what}: {why}{said}").split())
        return TargetError(line[:MAX_LINE], definite=False)

    def fault(self, why: str) -> None:
        """Let whatever is done next, or now, fail for this reason."""
        self._faults.append(why)

    def over(self, why: str) -> None:
        """Let everything fail for this reason, at once and from now on."""
        self._end = why
        now_s = asyncio.get_running_loop().time()
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(now_s)

    def _follow(self, page: Page) -> None:
        page.on("crash", lambda _: self.over(self._end or "the tab crashed"))

    def _count(self, _: Request) -> None:
        self.requests += 1

    def _uncaught(self, error: WebError) -> None:
        self.fault(f"an error in the page that nothing caught: {error.error.name}: {_line(error.error.message)}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_OF_A_REFUSAL):
            place = urlsplit(message.location["url"]).path
            self._said.append(f"{_line(message.text)} ({place}:{message.location['lineNumber']})")


def _line(message: str) -> str:
    """Return the first line of Playwright's message, with what it was waiting for: the first line of its log."""
    lines = [line.strip() for line in _ANSI.sub("", message).strip().splitlines() if line.strip()]
    log = next((line for line in lines[1:] if line.startswith("- ")), "").removeprefix("- ")
    return f"{lines[0]} {log}".strip() if lines else "it gave no reason"
