"""One Chromium for a target: started when the first actor needs it, ended for certain."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from playwright.async_api import Browser as Connected
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Playwright, async_playwright

from harness.drivers.browser.context import Session
from harness.drivers.browser.find import Browser, find
from harness.drivers.browser.processes import MARK, Family
from harness.errors import HarnessError, TargetError, UsageError

FLAGS = (
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    # For a target on this machine that offers 127.0.0.1 alone.
    "--allow-loopback-in-peer-connection",
)
NO_SANDBOX = "--no-sandbox"
"""Chromium refuses to start as root with its sandbox."""
TMPDIR = "TMPDIR"
LAUNCH_S, OPEN_S, STOP_S = 30.0, 30.0, 15.0
"""Ended politely, a browser leaves no file behind, even on a busy machine; its traces hold tokens."""
MAX_OPENING = 4
"""Contexts that are made at once: more would wait for each other until their time is over."""
GONE = "the browser has ended"
MAX_LAUNCHES = 4
"""A browser that has died is started anew for the actors to come, but not for ever."""
_ENVIRONMENT = asyncio.Lock()
"""Held while this process has another temporary directory: two that start at once would restore each other's."""


@dataclass(frozen=True, slots=True)
class Running:
    """A Chromium that was started, the Playwright that drives it, the processes of both and where they write."""

    playwright: Playwright
    browser: Connected
    family: Family
    folder: str


class Chromium:
    """One browser for a target; nothing is started before the first session.

    Used from one event loop, on any thread; safe for many actors at once. `browser` None is whatever `find` finds.
    """

    def __init__(self, base_url: str, browser: Browser | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._browser = browser
        self._lock = asyncio.Lock()
        self._opening = asyncio.Semaphore(MAX_OPENING)
        self._launching: asyncio.Task[Running] | None = None
        self._launches = 0
        self._sessions: set[Session] = set()
        self._requests = 0
        self._is_closed = False

    @property
    def requests(self) -> int:
        """How many requests the pages of all sessions made so far."""
        return self._requests + sum(session.requests for session in self._sessions)

    async def session(self, actor: str) -> Session:
        """Return a context and a page for one actor.

        Raises UsageError when there is no browser or it does not start, TargetError when it is lost, and
        HarnessError when it has died too often.
        """
        running = await self._running()
        try:
            async with self._opening, asyncio.timeout(OPEN_S):
                session = await Session.begin(running.browser, actor, self._base_url, self._closed)
        except (PlaywrightError, TimeoutError) as error:
            why = f"no page within {OPEN_S:g} s" if isinstance(error, TimeoutError) else _first_line(error)
            raise TargetError(f"{actor}, open a browser: {why}", definite=False) from error
        self._sessions.add(session)
        if not running.browser.is_connected():
            session.lost(GONE)
        return session

    async def close(self) -> None:
        """Close all sessions and end the browser: none of its processes is left; harmless when it never started."""
        self._is_closed = True
        launching, self._launching = self._launching, None
        if launching is None:
            return
        with suppress(HarnessError, PlaywrightError):
            await _end(await launching, list(self._sessions))

    async def _running(self) -> Running:
        """Return the browser; start it, or start it anew when it has died."""
        async with self._lock:
            if self._is_closed:
                raise HarnessError("the browser is closed")
            if self._launching is None or await self._has_died(self._launching):
                self._launches += 1
                if self._launches > MAX_LAUNCHES:
                    failed = self._launching.exception() if self._launching else None
                    if failed:
                        raise failed
                    raise HarnessError(f"the browser has died {MAX_LAUNCHES} times")
                self._launching = asyncio.create_task(self._launch())
            # Whoever is cancelled meanwhile must not leave a browser behind that nobody knows.
            return await asyncio.shield(self._launching)

    async def _has_died(self, launching: asyncio.Task[Running]) -> bool:
        if not launching.done():
            return False
        if launching.exception():
            return True
        running = launching.result()
        if running.browser.is_connected():
            return False
        await _end(running)
        return True

    async def _launch(self) -> Running:
        browser = self._browser
        if browser is None:
            browser = await asyncio.to_thread(find)
        async with AsyncExitStack() as undo:
            folder = tempfile.mkdtemp(prefix="harness-browser-")
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
            try:
                playwright = await _start_in(folder)
                undo.push_async_callback(playwright.stop)
                mark = uuid.uuid4().hex
                connected = await playwright.chromium.launch(
                    executable_path=browser.path,
                    args=[*FLAGS, *([NO_SANDBOX] if _is_root() else [])],
                    env={**os.environ, MARK: mark},
                    timeout=1000 * LAUNCH_S,
                    # The harness ends the browser itself: it may have evidence to fetch first.
                    handle_sigint=False,
                    handle_sigterm=False,
                    handle_sighup=False,
                )
            except PlaywrightError as error:
                raise UsageError(f"{browser.whose} did not start: {_first_line(error)}") from error
            except TimeoutError as error:
                raise UsageError(f"{browser.whose}: Playwright did not start within {LAUNCH_S:g} s") from error
            undo.push_async_callback(connected.close)
            running = Running(playwright, connected, await asyncio.to_thread(Family.of, mark), folder)
            connected.on("disconnected", lambda _: self._lost())
            undo.pop_all()
            return running

    def _lost(self) -> None:
        for session in self._sessions:
            session.lost(GONE)

    def _closed(self, session: Session) -> None:
        if session in self._sessions:
            self._sessions.remove(session)
            self._requests += session.requests


async def _end(running: Running, sessions: Sequence[Session] = ()) -> None:
    """End sessions, their browser and its driver politely, then by their ids."""
    try:
        async with asyncio.timeout(STOP_S):
            await asyncio.gather(*(session.close() for session in sessions))
            await running.browser.close()
            await running.playwright.stop()
    except (PlaywrightError, TimeoutError):
        pass
    finally:
        await running.family.end()
        await asyncio.to_thread(shutil.rmtree, running.folder, ignore_errors=True)


async def _start_in(folder: str) -> Playwright:
    """Start Playwright's driver with a temporary directory of its own.

    Raw traces lie there, with tokens in them, and the browser's profile: they go with the folder whatever becomes of
    the driver, which takes its environment from this process and cannot be given another. Raises TimeoutError.
    """
    async with _ENVIRONMENT:
        before = os.environ.get(TMPDIR)
        os.environ[TMPDIR] = folder
        try:
            async with asyncio.timeout(LAUNCH_S):
                return await async_playwright().start()
        finally:
            if before is None:
                os.environ.pop(TMPDIR, None)
            else:
                os.environ[TMPDIR] = before


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _first_line(error: PlaywrightError) -> str:
    lines = [line.strip() for line in error.message.splitlines() if line.strip()]
    return lines[0] if lines else "it gave no reason"
