"""Those who listen in one process, and how it reads a table that other processes write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from harness.clinic.base.errors import ApiError
from harness.clinic.base.live import (
    BATCH,
    MAX_AHEAD,
    MAX_LISTENERS,
    MAX_WAITING,
    SETTLE_S,
    Listener,
    Listeners,
    Position,
)


def nothing() -> None:
    """Read nothing."""


def played(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Play a story in an event loop, with a limit."""
    asyncio.run(asyncio.wait_for(story(), 20))


async def all_of(messages: AsyncIterator[str]) -> list[str]:
    """Return every message until the last."""
    return [message async for message in messages]


def test_in_order() -> None:
    """What comes in order is read once, and left behind."""
    position = Position(10)
    assert position.fresh([11, 12], 0) == {11, 12}
    assert (position.read_to, position.limit) == (12, BATCH)
    assert position.fresh([13], 0) == {13}


def test_late() -> None:
    """A number that becomes visible after higher ones is read when it does, and the higher ones not again."""
    position = Position(10)
    assert position.fresh([11, 13, 14, 16], 0) == {11, 13, 14, 16}
    assert (position.read_to, position.limit) == (11, BATCH + 3)
    assert position.fresh([13, 14, 16], 1) == set()
    assert position.fresh([12, 13, 14, 16], 2) == {12}
    assert position.read_to == 14
    assert position.fresh([15, 16], 3) == {15}
    assert position.read_to == 16


def test_never() -> None:
    """A number that was rolled back is given up after a while."""
    position = Position(10)
    assert position.fresh([12], 0) == {12}
    assert position.fresh([12, 13], SETTLE_S / 2) == {13}
    assert position.read_to == 10
    assert position.fresh([12, 13], SETTLE_S) == set()
    assert (position.read_to, position.limit) == (13, BATCH)


def test_far_ahead() -> None:
    """What is remembered behind a gap has a limit."""
    position = Position(10)
    position.fresh(range(12, 12 + MAX_AHEAD), 0)
    assert position.read_to == 10
    position.fresh([12 + MAX_AHEAD], 0)
    assert (position.read_to, position.limit) == (12 + MAX_AHEAD, BATCH)


def test_does_not_read() -> None:
    """A listener for whom too much waits is dropped, and hears no more; the others hear all."""

    async def story() -> None:
        listeners, slow, quick = Listeners(), Listener("slow", "north"), Listener("quick", "north")
        for each in (slow, quick):
            listeners.add(each, lambda: nothing)
        told: list[str] = []
        hearing = quick.messages()
        for n in range(MAX_WAITING + 1):
            listeners.push(str(n), lambda _: True)
            told.append(await anext(hearing))
        assert told == [str(n) for n in range(MAX_WAITING + 1)]
        assert (slow.is_dropped, quick.is_dropped) == (True, False)
        assert await all_of(slow.messages()) == []
        listeners.drop(quick)
        assert await all_of(hearing) == []

    played(story)


def test_whom_it_reaches() -> None:
    """A message waits for those whom it reaches."""

    async def story() -> None:
        listeners, alice, bob = Listeners(), Listener("alice", "north"), Listener("bob", "north")
        for each in (alice, bob):
            listeners.add(each, lambda: nothing)
        listeners.push("hers", lambda listener: listener.username == "alice")
        listeners.push("his", lambda listener: listener.username == "bob")
        assert [await anext(each.messages()) for each in (alice, bob)] == ["hers", "his"]

    played(story)


def test_too_many() -> None:
    """So many listen and no more, until one of them goes."""

    async def story() -> None:
        listeners, last = Listeners(), Listener("last", "north")
        for n in range(MAX_LISTENERS - 1):
            listeners.add(Listener(str(n), "north"), lambda: nothing)
        listeners.add(last, lambda: nothing)
        with pytest.raises(ApiError, match="At most 1,000 listen"):
            listeners.require_room()
        with pytest.raises(ApiError):
            listeners.add(Listener("late", "north"), lambda: nothing)
        listeners.drop(last)
        listeners.add(Listener("late", "north"), lambda: nothing)

    played(story)


def test_reads_while_heard() -> None:
    """The table is read while somebody listens, at once after a post, and by a new reader for who comes later."""

    async def story() -> None:
        listeners, readers = Listeners(), 0

        def reader() -> Callable[[], None]:
            nonlocal readers
            readers += 1
            return lambda: listeners.push(f"of reader {readers}", lambda _: True)

        for n in (1, 2):
            listener = Listener("alice", "north")
            listeners.add(listener, reader)
            listeners.wake()
            assert await anext(listener.messages()) == f"of reader {n}"
            listeners.drop(listener)
            reading = [task for task in asyncio.all_tasks() if task.get_name() == "notices"]
            await asyncio.gather(*reading)

    played(story)


def test_reading_fails(caplog: pytest.LogCaptureFixture) -> None:
    """When the table cannot be read everybody is dropped, so that they come again, and the next one is read for."""

    async def story() -> None:
        listeners, alice, bob = Listeners(), Listener("alice", "north"), Listener("bob", "north")

        def fail() -> None:
            raise ConnectionError("the database is gone")

        listeners.add(alice, lambda: fail)
        assert await all_of(alice.messages()) == []
        listeners.add(bob, lambda: lambda: listeners.push("his", lambda _: True))
        assert await anext(bob.messages()) == "his"

    played(story)
    assert "the database is gone" in caplog.text
