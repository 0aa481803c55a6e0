"""The camera and the microphone that carry a canary, in a real Chromium."""

from __future__ import annotations

import asyncio
import time

import pytest

from harness.drivers.browser import Session
from harness.errors import TargetError
from harness.media.reading import Reading, read
from tests.chromium import needs_chromium

from .browsers import Hands, canary, live

pytestmark = needs_chromium

SOUND_S, FRAMES = 1.2, 5


async def opened(session: Session, *, video: bool, audio: bool = True) -> list[str]:
    """Let the page open camera and microphone; return their labels."""
    wanted = {"audio": audio, "video": video}
    labels: list[str] = await session.page.evaluate("(wanted) => take(wanted)", wanted)
    return labels


async def finished(hands: Hands, session: Session) -> Reading:
    """Let the page finish its recording, and read what the target got."""
    name = f"/clips/{session.actor}"
    await session.answer("POST", name, lambda: session.page.evaluate("(name) => finish(name)", session.actor))
    return await asyncio.to_thread(read, hands.site.sent[name])


def found(reading: Reading) -> set[tuple[int, int, str]]:
    """Return user, call and track of each canary that was read."""
    return {(each.canary.user, each.canary.call, each.track) for each in reading.canaries}


def test_sound(hands: Hands) -> None:
    """What the microphone plays is what the reader finds in the page's recording of sound."""

    async def story() -> None:
        session = await hands.visitor(live=live(3, "audio"))
        await opened(session, video=False)
        await session.page.evaluate("() => record('audio')")
        sent = await session.until_sent(sound_s=SOUND_S)
        assert sent.sound_s >= SOUND_S
        assert sent.canary == live(3, "audio").canary
        reading = await finished(hands, session)
        assert (reading.outcome, reading.tracks) == ("canaries", ("audio",)), reading
        assert [each.canary for each in reading.canaries] == [canary(3, "audio")]
        await session.close()

    hands.run(story())


def test_two_actors(hands: Hands) -> None:
    """Two actors film at the same time, each their own canary in picture and sound."""

    async def film(user: int) -> Reading:
        session = await hands.visitor(f"user{user}", live(user))
        labels = await opened(session, video=True)
        assert all("Synthetic" in label for label in labels)
        await session.page.evaluate("() => record('video')")
        sent = await session.until_sent(sound_s=SOUND_S, frames=FRAMES)
        assert sent.frames >= FRAMES
        reading = await finished(hands, session)
        await session.close()
        return reading

    async def story() -> None:
        for user, reading in zip((4, 5), await asyncio.gather(film(4), film(5)), strict=True):
            assert reading.outcome == "canaries", reading
            assert {each.canary for each in reading.canaries} == {canary(user)}
            assert {each.track for each in reading.canaries} == {"video", "audio"}

    hands.run(story())


def test_change(hands: Hands) -> None:
    """Another canary in mid-call shows in picture and sound of the same recording, after the first."""

    async def story() -> None:
        session = await hands.visitor(live=live(6))
        await opened(session, video=True)
        await session.page.evaluate("() => record('video')")
        await session.until_sent(sound_s=SOUND_S, frames=FRAMES)
        began_s = time.monotonic()
        await session.show(live(6, call=1))
        # What was emitted of the first would come on top of the time that has passed.
        assert (await session.emitted()).sound_s < time.monotonic() - began_s + SOUND_S / 2
        await session.until_sent(sound_s=SOUND_S, frames=FRAMES)
        reading = await finished(hands, session)
        assert reading.outcome == "canaries", reading
        assert found(reading) == {(6, call, track) for call in (0, 1) for track in ("video", "audio")}
        first_s = {(each.canary.call, each.track): each.first_s for each in reading.canaries}
        assert all(first_s[0, track] < first_s[1, track] for track in ("video", "audio"))
        await session.close()

    hands.run(story())


def test_covered(hands: Hands) -> None:
    """A camera that was opened while only sound is shown films nothing, and shows the code as soon as there is one."""

    async def story() -> None:
        session = await hands.visitor(live=live(8, "audio"))
        await opened(session, video=False)
        await opened(session, video=True, audio=False)
        await session.page.evaluate("() => record('video')")
        sent = await session.until_sent(sound_s=SOUND_S)
        assert sent.frames == 0
        assert sent.camera
        reading = await finished(hands, session)
        assert reading.outcome == "canaries", reading
        assert found(reading) == {(8, 0, "audio")}
        await session.page.evaluate("() => record('video')")
        await session.show(live(8, "video"))
        await session.until_sent(sound_s=SOUND_S, frames=FRAMES)
        assert (8, 0, "video") in found(await finished(hands, session))
        await session.close()

    hands.run(story())


def test_anew(hands: Hands) -> None:
    """Tracks that the page has stopped emit nothing, and asked for anew, also after a reload, they show the canary."""

    async def story() -> None:
        session = await hands.visitor(live=live(9))
        for reload in (False, True):
            await opened(session, video=True)
            await session.until_sent(frames=1)
            await session.page.evaluate("() => drop()")
            assert not (await session.emitted()).is_on
            if reload:
                await session.visit("/")
            await opened(session, video=True)
            await session.page.evaluate("() => record('video')")
            await session.until_sent(sound_s=SOUND_S, frames=FRAMES)
            assert found(await finished(hands, session)) == {(9, 0, "video"), (9, 0, "audio")}
            await session.page.evaluate("() => drop()")
        await session.close()

    hands.run(story())


def test_rest(hands: Hands) -> None:
    """Before the first canary and at rest an open camera and microphone give a recorder nothing, and nobody waits."""

    async def require_nothing(session: Session) -> None:
        await session.page.evaluate("() => record('video')")
        await session.page.evaluate("() => new Promise((go) => setTimeout(go, 600))")
        emitted = await session.emitted()
        assert (emitted.sound_s, emitted.frames) == (0, 0)
        reading = await finished(hands, session)
        assert (reading.outcome, reading.tracks, reading.duration_s) == ("empty", (), 0), reading
        with pytest.raises(TargetError, match="no canary is shown"):
            await session.until_sent(sound_s=0.1)

    async def story() -> None:
        session = await hands.visitor()
        await opened(session, video=True)
        await require_nothing(session)
        await session.page.evaluate("() => record('video')")
        await session.show(live(13))
        await session.until_sent(sound_s=SOUND_S, frames=FRAMES)
        assert found(await finished(hands, session)) == {(13, 0, "video"), (13, 0, "audio")}
        await session.rest()
        await require_nothing(session)
        await session.close()

    hands.run(story())


NOT_SENT = [
    ("() => undefined", "has opened no camera or microphone within 0.4 s"),
    ("() => take({ audio: true })", "only 0"),
    ("() => { tracks[0].enabled = false }", "has opened no camera or microphone"),
]


def test_not_sent(hands: Hands) -> None:
    """What a page without a camera, or muted, does not emit is not waited for beyond the limit, nor taken for sent."""

    async def story() -> None:
        session = await hands.visitor(live=live(10))
        for act, said in NOT_SENT:
            await session.page.evaluate(act)
            with pytest.raises(TargetError, match=said) as raised:
                await session.until_sent(sound_s=0.1, frames=1, within_s=0.4)
            assert not raised.value.definite
        await session.close()

    hands.run(story())


def test_connection(hands: Hands) -> None:
    """Where a connection carries the tracks, what counts is what it has sent; one on hold sends nothing."""

    async def story() -> None:
        session = await hands.visitor(live=live(11))
        await opened(session, video=True)
        await session.page.evaluate("() => call()")
        sent = await session.until_sent(sound_s=0.5, frames=3)
        assert sent.packets > 0
        assert sorted(sent.connections) == ["audio connected", "video connected"]
        await session.page.evaluate("() => hold()")
        with pytest.raises(TargetError, match="audio connected"):
            await session.until_sent(sound_s=0.5, frames=3, within_s=1.5)
        await session.close()

    hands.run(story())


def test_devices(hands: Hands) -> None:
    """A page that looks for devices first finds a camera and a microphone, and that they are synthetic."""

    async def story() -> None:
        session = await hands.visitor(live=live(12))
        lists = "async () => (await navigator.mediaDevices.enumerateDevices()).map((each) => each.toJSON())"
        devices = await session.page.evaluate(lists)
        assert [each["kind"] for each in devices] == ["audioinput", "videoinput"]
        assert all(each["label"].startswith("Synthetic") for each in devices)
        await session.close()

    hands.run(story())
