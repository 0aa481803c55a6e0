"""One actor in a browser: a context and a page of their own, with a camera that carries their canary."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from playwright.async_api import Browser, BrowserContext, Frame, Page
from playwright.async_api import Error as PlaywrightError

from harness.drivers.base import Live
from harness.drivers.browser import camera, evidence
from harness.drivers.browser.answers import Answer, awaited, fetched
from harness.drivers.browser.camera import Emitted
from harness.drivers.browser.watch import Watch
from harness.redact import Secrets

ACT_S, LOAD_S, SEND_S, CLOSE_S = 20.0, 30.0, 20.0, 5.0
PLAYWRIGHTS_SHARE = 0.9
"""Playwright's own time-outs come first, for they say what was waited for."""
LOOK_S = 0.1
WIDTH, HEIGHT = 1280, 800
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Session:
    """A context and a page of one actor; made by `Chromium.session`.

    Whatever fails raises TargetError with one line that names the actor: definite only where the target answered
    with a refusal. What is done on `page` by hand belongs into `doing`.
    """

    def __init__(self, actor: str, base_url: str, context: BrowserContext, closed: Callable[[Session], None]) -> None:
        self.actor = actor
        self.page: Page
        self._base_url = base_url
        self._context = context
        self._closed = closed
        self._secrets = Secrets()
        self._watch = Watch(actor, context, self._secrets.mask)
        self._turn = 0
        self._live = camera.at_rest(self._turn)
        self._is_traced = False

    @classmethod
    async def begin(cls, browser: Browser, actor: str, base_url: str, closed: Callable[[Session], None]) -> Session:
        """Return a session in a fresh context: no cookies, nothing stored, camera and microphone allowed.

        `closed` is called with it once it is closed. Raises Playwright's errors.
        """
        context = await browser.new_context(
            accept_downloads=False,
            locale="en-GB",
            timezone_id="UTC",
            viewport={"width": WIDTH, "height": HEIGHT},
            # Also lets Chromium tell its addresses to a peer instead of hiding them behind mDNS.
            permissions=["camera", "microphone"],
            reduced_motion="reduce",
        )
        try:
            context.set_default_timeout(1000 * PLAYWRIGHTS_SHARE * ACT_S)
            context.set_default_navigation_timeout(1000 * PLAYWRIGHTS_SHARE * LOAD_S)
            session = cls(actor, base_url, context, closed)
            await context.expose_function(camera.BINDING, session._asked)
            await context.add_init_script(camera.script())
            await context.tracing.start(screenshots=False, snapshots=True, sources=False)
            session._is_traced = True
            session.page = await context.new_page()
        except BaseException:
            with suppress(PlaywrightError):
                await context.close()
            raise
        return session

    @property
    def requests(self) -> int:
        """How many requests the pages made so far."""
        return self._watch.requests

    def doing(self, what: str, within_s: float = ACT_S) -> AbstractAsyncContextManager[None]:
        """Bound whatever is done on `page` in the block, and let its failures be TargetErrors that say `what`.

        Playwright's errors, the time-out, a crashed tab, a browser that is gone and an error in the page that
        nothing caught are not definite; a TargetError that is raised in the block passes unchanged.
        """
        return self._watch.doing(what, within_s)

    async def visit(self, path: str) -> None:
        """Load the page at a path of the target."""
        async with self.doing(f"load {path}", LOAD_S):
            await self.page.goto(self._base_url + path, wait_until="domcontentloaded")

    async def answer(
        self,
        method: str,
        path: str | re.Pattern[str],
        act: Callable[[], Awaitable[object]],
        within_s: float = ACT_S,
    ) -> Answer:
        """Do `act`, and return the target's answer to the request that the page makes for it.

        `path` is without the query: a text that equals it, or an expression that matches all of it. A refusal
        raises TargetError as it does for the API driver: 4xx are definite, but for 401, 408, 425 and 429.
        """
        shown = path if isinstance(path, str) else path.pattern
        async with self.doing(f"wait for {method} {shown}", within_s):
            return await awaited(self.page, method, path, act, actor=self.actor)

    async def fetch(
        self, method: str, path: str, body: bytes | None = None, *, headers: Mapping[str, str] = NO_HEADERS
    ) -> bytes:
        """Let the page's own session fetch a path, and return the answer's bytes; refusals raise as in `answer`."""
        async with self.doing(f"{method} {path}"):
            return (await fetched(self.page, method, path, body, headers, actor=self.actor)).body

    async def show(self, live: Live) -> None:
        """Let camera and microphone emit this canary from now on, also in mid-call; a page keeps it when reloaded."""
        self._turn += 1
        self._live = camera.wire(live, self._turn)
        async with self.doing("show a canary"):
            await self._set_camera()

    async def rest(self) -> None:
        """Emit nothing from now on, as before the first canary: devices stay open, and no packet or frame leaves them.

        Silence would be recorded, and a recording in which nobody can be told is no proof of anything.
        """
        self._turn += 1
        self._live = camera.at_rest(self._turn)
        async with self.doing("let the camera rest"):
            await self._set_camera()

    async def emitted(self) -> Emitted:
        """Return how much of the canary shown now was emitted since it was shown."""
        async with self.doing("look at the camera"):
            return (await self._look())[1]

    async def until_sent(self, *, sound_s: float = 0.0, frames: int = 0, within_s: float = SEND_S) -> Emitted:
        """Wait until so much more of the canary shown now was emitted, counted from this call; return how much.

        `sound_s` are seconds of sound; `frames` those that were drawn. Each peer connection that carries them must have
        sent as much (W3C webrtc-stats, outbound-rtp). Raises TargetError when the page does not do it in time, and at
        once when no canary is shown.
        """
        wanted = f"send {sound_s:g} s of sound and {frames} frames"
        ends_s = time.monotonic() + within_s
        if not self._live["canary"]:
            raise self._watch.error(wanted, "no canary is shown")
        async with self.doing(wanted, within_s + CLOSE_S):
            frame, found = await self._look()
            while not (found.is_on or time.monotonic() > ends_s):
                await asyncio.sleep(LOOK_S)
                frame, found = await self._look()
            if not found.is_on:
                raise self._watch.error(wanted, f"the page has opened no camera or microphone within {within_s:g} s")
            left_ms = 1000 * max(ends_s - time.monotonic(), LOOK_S)
            report = await frame.evaluate(camera.SEND, {"sound_s": sound_s, "frames": frames, "within_ms": left_ms})
            sent = camera.emitted(report)
            if not report["isDone"]:
                line = ", ".join(sent.connections) or "none"
                why = f"only {sent.sound_s:g} s and {sent.frames} within {within_s:g} s (connections: {line})"
                raise self._watch.error(wanted, why)
            return sent

    def hide(self, secret: str) -> None:
        """Keep a value, such as a password that is going to be typed, out of all evidence and messages."""
        self._secrets.add(secret)

    async def keep_evidence(self, directory: Path) -> None:
        """Write ACTOR.png, ACTOR.trace.zip and ACTOR.har, without secrets, into a directory that exists.

        It never raises for a page that is dead or does not answer, but keeps what there is. The trace ends with it.
        """
        if not self._is_traced:
            return
        self._is_traced = False
        await evidence.keep(self._context, self.page, directory, self.actor, self._secrets)

    async def picture(self, file: Path) -> None:
        """Write a picture of the whole page, what may show a person covered; nothing where there is none to be had."""
        await evidence.take_picture(self._context, self.page, file)

    async def close(self) -> None:
        """Let go of the context, and of a trace that was not kept; harmless when the browser is gone."""
        self._watch.over("the session is closed")
        with suppress(PlaywrightError, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                if self._is_traced:
                    # Else Playwright's driver notes the calls of all sessions to come for this trace, too.
                    await self._context.tracing.stop()
                await self._context.close()
        self._closed(self)

    def lost(self, why: str) -> None:
        """Let everything that is being done fail for this reason, such as a browser that is gone."""
        self._watch.over(why)

    def _asked(self) -> dict[str, object]:
        return self._live

    async def _set_camera(self) -> None:
        await asyncio.gather(*(self._in_frame(frame, camera.REFRESH) for frame in self._frames()))

    def _frames(self) -> list[Frame]:
        return [frame for page in self._context.pages for frame in page.frames]

    async def _look(self) -> tuple[Frame, Emitted]:
        """Return the frame that has a camera or microphone, otherwise the page's own, with what it emitted."""
        frames = self._frames()
        found = await asyncio.gather(*(self._in_frame(frame, camera.LOOK) for frame in frames))
        looks = [(frame, camera.emitted(report)) for frame, report in zip(frames, found, strict=True)]
        return next((look for look in looks if look[1].is_on), (self.page.main_frame, looks[0][1]))

    async def _in_frame(self, frame: Frame, function: str) -> Any:
        """Call a function in a frame; one that has been taken out of its page returns None."""
        try:
            return await frame.evaluate(function)
        except PlaywrightError:
            if frame.is_detached():
                return None
            raise
