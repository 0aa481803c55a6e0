"""What becomes of an actor's work in a real Chromium: answers, refusals, and everything that can go wrong."""

from __future__ import annotations

import asyncio
import os
import signal
from functools import partial

import pytest

from harness.drivers.browser import Session, context
from harness.errors import TargetError
from tests.chromium import needs_chromium

from .browsers import Hands

pytestmark = needs_chromium

THROWS = "() => new Promise((go) => { setTimeout(go, 50); setTimeout(() => { throw new Error('no tea'); }); })"
FOR_EVER = "() => new Promise(() => undefined)"


async def posts(session: Session, path: str, body: str = "abc") -> None:
    """Let the page post a text by itself."""
    await session.page.evaluate("([path, body]) => void fetch(path, { method: 'POST', body })", [path, body])


def test_answer(hands: Hands) -> None:
    """What the page asks for by itself is answered to the driver; a refusal is definite only where it is one."""

    async def story() -> None:
        session = await hands.visitor()
        found = await session.answer("POST", "/any", lambda: posts(session, "/any?x=1"))
        assert (found.method, found.path, found.status, found.body) == ("POST", "/any", 200, b"cba")
        assert (await session.answer("POST", "/any", lambda: posts(session, "/any", "]2,1["))).json() == [1, 2]
        button = session.page.locator("#refused")
        with pytest.raises(TargetError, match="alice, POST /refused: 403 not_yours") as refused:
            await session.answer("POST", "/refused", button.click)
        assert (refused.value.definite, refused.value.status, refused.value.code) == (True, 403, "not_yours")
        for path, said in (("/broken", "500 oh"), ("/cut", "net::ERR_EMPTY_RESPONSE")):
            with pytest.raises(TargetError, match=said) as failed:
                await session.answer("POST", path, partial(posts, session, path))
            assert not failed.value.definite
        with pytest.raises(TargetError, match="wait for POST /other: it was not done within 0"):
            await session.answer("POST", "/other", button.click, within_s=0.3)
        await session.close()

    hands.run(story())


def test_fetch(hands: Hands) -> None:
    """The page's own session fetches any bytes, and refusals raise as they do for the API."""
    data = bytes(range(256)) * 300

    async def story() -> None:
        session = await hands.visitor()
        before = hands.chromium.requests
        assert await session.fetch("POST", "/bytes", data, headers={"X-Any": "1"}) == data[::-1]
        assert hands.site.sent["/bytes"] == data
        assert hands.chromium.requests == before + 1
        with pytest.raises(TargetError, match="403 not_yours") as refused:
            await session.fetch("POST", "/refused", b"")
        assert refused.value.definite
        with pytest.raises(TargetError, match="alice, POST /cut: Failed to fetch") as failed:
            await session.fetch("POST", "/cut", b"")
        assert not failed.value.definite
        await session.close()
        assert hands.chromium.requests == before + 3

    hands.run(story())


def test_never_loads(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is never answered is an error that is not definite, in one line, when its time is over."""
    monkeypatch.setattr(context, "LOAD_S", 0.5)

    async def story() -> None:
        session = await hands.chromium.session("alice")
        with pytest.raises(TargetError) as raised:
            await session.visit("/never")
        assert str(raised.value).startswith("alice, load /never: ")
        assert "\n" not in str(raised.value)
        assert not raised.value.definite
        await session.close()

    hands.run(story())


def test_missing_element(hands: Hands) -> None:
    """An action that Playwright gives up says in one line what it was waiting for, and what the console said."""

    async def story() -> None:
        session = await hands.visitor()
        await session.page.evaluate("() => console.error('out of tea')")
        with pytest.raises(TargetError) as raised:
            async with session.doing("leave"):
                await session.page.get_by_test_id("leave").click(timeout=200)
        line = str(raised.value)
        assert line.startswith("alice, leave: Locator.click: Timeout 200ms exceeded")
        assert 'waiting for get_by_test_id("leave")' in line
        assert "the page said: out of tea" in line
        assert "\n" not in line
        assert not raised.value.definite
        await session.close()

    hands.run(story())


def test_uncaught(hands: Hands) -> None:
    """An error that nothing catches in the page fails what is done in it, once; one that is caught does not."""

    async def story() -> None:
        session = await hands.visitor()
        with pytest.raises(TargetError, match="alice, look: an error in the page that nothing caught: Error: no tea"):
            async with session.doing("look"):
                await session.page.evaluate(THROWS)
        async with session.doing("look again"):
            await session.page.evaluate("() => { try { missing() } catch {} }")
        await session.close()

    hands.run(story())


def test_crashed_tab(hands: Hands) -> None:
    """A tab that crashes fails at once whatever is being done in it, and all that comes after."""

    async def story() -> None:
        session = await hands.visitor()
        with pytest.raises(TargetError, match="alice, wait: the tab crashed") as raised:
            async with session.doing("wait"):
                await session.page.goto("chrome://crash")
        assert not raised.value.definite
        for act in (session.emitted, lambda: session.visit("/"), lambda: session.fetch("GET", "/")):
            with pytest.raises(TargetError, match="the tab crashed"):
                await act()
        await session.close()
        await (await hands.visitor()).close()

    hands.run(story())


def test_browser_dies(hands: Hands) -> None:
    """A browser that ends fails everybody in it at once, and the next actor gets another one."""

    async def story() -> None:
        session = await hands.visitor()
        group = (await hands.chromium._running()).family.leader
        kill = asyncio.to_thread(os.killpg, group, signal.SIGKILL)
        # Which of its processes is missed first is chance.
        with pytest.raises(TargetError, match=r"alice, wait: the (browser has ended|tab crashed)"):
            async with session.doing("wait"):
                await asyncio.gather(session.page.evaluate(FOR_EVER), kill)
        await (await hands.visitor("bob")).close()
        with pytest.raises(TargetError, match="the browser has ended"):
            await session.visit("/")
        await session.close()

    hands.run(story())
