"""The clinic's pages in a real browser, moved by the driver: what was done there is found in the recordings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from harness.drivers.choice import API, BROWSER
from harness.errors import TargetError
from harness.model import Recording
from harness.targets.clinic.pages import ClinicPages
from tests.chromium import needs_chromium

from .wards import NO_WEBRTC, Person, Ward, recorded, ward

pytestmark = needs_chromium

BOTH = ("video-upgrade", "video-downgrade")
V2 = ("video-upgrade", "replay-index-v2")


@pytest.fixture(scope="module")
def sound() -> Iterator[Ward]:
    """Return a clinic without flaws."""
    with ward() as made:
        yield made


@pytest.fixture(params=["webrtc", "upload"])
def either(sound: Ward, request: pytest.FixtureRequest) -> Iterator[Ward]:
    """Return a clinic whose calls go live, then one whose pages have to upload."""
    sound.scripts = () if request.param == "webrtc" else (NO_WEBRTC,)
    yield sound
    sound.scripts = ()


def test_a_call_that_is_switched(either: Ward) -> None:
    """What both said before the switch and showed after it is in their recordings, by content."""

    async def story() -> None:
        alice, chen = await asyncio.gather(
            either.person("alice", "patient", BROWSER, *BOTH), either.person("chen", "clinician", BROWSER, *BOTH)
        )
        visit = await alice.pages.book(chen.account, "audio")
        await alice.pages.join(visit)
        await chen.pages.join(visit)
        assert await either.paths() == {"upload" if either.scripts else "webrtc"}
        await asyncio.gather(alice.send(visit, "audio"), chen.send(visit, "audio"))
        await alice.pages.switch(visit, "video")
        await asyncio.gather(alice.send(visit, "video"), chen.send(visit, "video"))
        await alice.pages.leave(visit)
        await alice.pages.leave(visit)
        await chen.pages.end(visit)
        found = await recorded(either, alice, visit)
        for name in ("alice", "chen"):
            assert {(name, "audio", "audio")} in found
            assert {(name, "audio", "video"), (name, "video", "video")} in found
        assert len(found) == 4

    either.run(story)


def test_who_says_nothing_is_not_recorded(either: Ward) -> None:
    """Who joins and is never told to emit anything leaves no recording, by whichever path."""

    async def story() -> None:
        bob, chen = await asyncio.gather(
            either.person("bob", "patient", BROWSER, *BOTH), either.person("chen", "clinician", BROWSER, *BOTH)
        )
        visit = await bob.pages.book(chen.account, "audio")
        await bob.pages.join(visit)
        await chen.pages.join(visit)
        await chen.pages.switch(visit, "video")
        await bob.send(visit, "video")
        await chen.pages.end(visit)
        assert await recorded(either, chen, visit) == [{("bob", "audio", "video"), ("bob", "video", "video")}]
        with pytest.raises(TargetError, match="not offered, the call is ended") as caught:
            await bob.pages.join(visit)
        assert caught.value.definite

    either.run(story)


def test_two_calls_at_once_by_both_kinds_of_hands(sound: Ward) -> None:
    """A clinician by the pages holds two calls with patients by the API; each holds the canaries of its own."""

    async def story() -> None:
        chen = await sound.person("chen", "clinician", BROWSER, *BOTH)
        alice, bob = await asyncio.gather(*(sound.person(each, "patient", API, *BOTH) for each in ("alice", "bob")))

        async def hold(patient: Person, call: int) -> str:
            visit = await patient.driver.book(chen.account, "audio")
            await patient.driver.join(visit)
            await chen.driver.join(visit)
            await asyncio.gather(patient.send(visit, "audio", call), chen.send(visit, "audio", call))
            await patient.driver.switch(visit, "video")
            await chen.send(visit, "video", call)
            await patient.driver.end(visit)
            return visit

        visits = await asyncio.gather(hold(alice, 0), hold(bob, 1))
        for patient, visit in zip((alice, bob), visits, strict=True):
            found = await recorded(sound, patient, visit)
            name = patient.name
            assert {(name, "audio", "audio")} in found
            assert {("chen", "audio", "audio")} in found
            assert {("chen", "audio", "video"), ("chen", "video", "video")} in found
            assert len(found) == 3
        assert len(await chen.pages.replays()) == 6

    sound.run(story)


def test_what_a_person_is_shown(sound: Ward) -> None:
    """The list is followed to its end, with badge, titles and media; the player plays the very bytes that were sent."""

    async def story() -> None:
        alice = await sound.person("alice", "patient", BROWSER, "paging-small")
        chen = await sound.person("chen", "clinician", API)
        visit = await alice.pages.book(chen.account, "video")
        await chen.driver.join(visit)
        for medium in ("video", "audio", "audio", "audio", "audio"):
            await chen.send(visit, medium)
        await chen.driver.end(visit)
        made = await alice.pages.recordings(visit)
        listed = await alice.pages.replays()
        assert sorted(each.ref for each in listed) == sorted(each.ref for each in made)
        assert {each.ref: each.medium for each in listed} == {each.ref: each.medium for each in made}
        shown = alice.pages.shown()
        assert (shown.badge, shown.total) == (5, 5)
        assert {shown.titles[each.ref] for each in made if each.medium == "video"} == {"Video consultation with Chen"}
        video = next(each for each in made if each.medium == "video")
        assert await alice.pages.open(video.ref) == chen.clip("video").data
        page = alice.pages.shown().pages[video.ref]
        assert (page.title, page.player, page.played) == ("Video consultation with Chen", "video", True)
        assert len(await alice.pages.replays()) == 5

    sound.run(story)


def test_a_badge_without_an_answer_loses_no_list_and_is_told(sound: Ward) -> None:
    """Where the page asked for the number and was not answered, the list stands and what came with it does not."""

    async def story() -> None:
        alice = await sound.person("alice", "patient", BROWSER)
        assert await alice.pages.replays() == []
        assert alice.pages.shown().badge == 0
        page = alice.pages._devices.any.page
        await page.route("**/replays/count", lambda route: route.fulfill(status=500, body="{}"))
        assert await alice.pages.replays() == []
        with pytest.raises(TargetError, match="the badge") as caught:
            alice.pages.shown()
        assert not caught.value.definite
        await page.unroute("**/replays/count")
        await alice.pages.replays()
        assert alice.pages.shown().badge == 0

    sound.run(story)


def test_what_is_foreign_is_framed_in_the_picture_of_the_list(sound: Ward, tmp_path: Path) -> None:
    """The picture shows the list as it is, with a red frame around the entries that are named, and only around them."""

    async def story() -> None:
        alice = await sound.person("alice", "patient", BROWSER)
        chen = await sound.person("chen", "clinician", API)
        visit = await alice.pages.book(chen.account, "video")
        await chen.driver.join(visit)
        for medium in ("video", "audio"):
            await chen.send(visit, medium)
        await chen.driver.end(visit)
        made = await alice.pages.recordings(visit)
        await alice.pages.keep_evidence(tmp_path, {made[0].ref})
        assert red(tmp_path / "alice.replays.png") > 1_000
        assert red(tmp_path / "alice.png") == 0
        (tmp_path / "none").mkdir()
        await alice.pages.keep_evidence(tmp_path / "none", ())
        assert not (tmp_path / "none" / "alice.replays.png").exists()

    sound.run(story)


def red(picture: Path) -> int:
    """Return how many pixels of a picture have the colour of the frame."""
    with av.open(str(picture)) as container:
        pixels = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    return int((abs(pixels - (0xC1, 0x12, 0x1F)).max(axis=2) < 8).sum())


def test_what_is_refused(sound: Ward) -> None:
    """What the pages refuse, by words or by offering no button, is definite; the call goes on as it was."""

    async def refused(work: object) -> tuple[bool, int | None, str]:
        with pytest.raises(TargetError) as caught:
            await work  # type: ignore[misc]  # any of the driver's verbs
        return caught.value.definite, caught.value.status, caught.value.code

    async def story() -> None:
        alice = await sound.person("alice", "patient", BROWSER, "no-replays")
        chen = await sound.person("chen", "clinician", API)
        visit = await alice.pages.book(chen.account, "audio")
        assert await refused(alice.pages.leave(visit)) == (True, None, "not-in-call")
        await alice.pages.join(visit)
        assert await refused(alice.pages.switch(visit, "video")) == (True, None, "not-offered")
        await alice.send(visit, "audio")
        await alice.pages.end(visit)
        (own,) = await alice.pages.recordings(visit)
        assert await refused(alice.pages.replays()) == (True, 403, "replays-off")
        assert await refused(alice.pages.open(own.ref)) == (True, 403, "replays-off")
        assert await refused(alice.pages.join("visit-nowhere")) == (True, 404, "not-found")

    sound.run(story)


def test_the_list_and_the_page_contradict_each_other(sound: Ward) -> None:
    """Where the list calls a replay otherwise than its own page did, there is no answer."""

    async def story() -> None:
        alice = await sound.person("alice", "patient", BROWSER)
        chen = await sound.person("chen", "clinician", API)
        visit = await alice.pages.book(chen.account, "audio")
        await chen.driver.join(visit)
        await chen.send(visit, "audio")
        await chen.driver.end(visit)
        (made,) = await alice.pages.recordings(visit)
        assert await alice.pages.replays() == [made]
        (session,) = sound.sessions
        await session.page.route(
            f"**/replays/{made.ref}",
            lambda route: route.fulfill(json=_detail(made, visit)),
        )
        await alice.pages.open(made.ref)
        with pytest.raises(TargetError, match="title is 'Audio consultation with Chen' on the list") as caught:
            await alice.pages.replays()
        assert not caught.value.definite

    sound.run(story)


def _detail(made: Recording, visit: str) -> dict[str, object]:
    about = {"id": made.ref, "consultation": visit, "medium": "audio", "title": "Audio consultation with Mallory"}
    return about | {"recorded_at": "2026-01-01T00:00:00Z", "with": "mallory", "size": 1, "transcript": False}


def test_a_leak_stands_in_the_page() -> None:
    """Who wakes the flaw finds another's video on the page, plays it, and it is the other's by content.

    Bytes that are open are had though the page of their replay refuses.
    """
    with ward("video-branch-skips-owner", "bytes-open") as flawed:

        async def story() -> None:
            alice = await flawed.person("alice", "patient", BROWSER, *V2)
            bob, chen = await flawed.person("bob", "patient", API), await flawed.person("chen", "clinician", API)
            his = await bob.driver.book(chen.account, "video")
            await bob.driver.join(his)
            await bob.send(his, "video")
            await bob.send(his, "audio")
            await bob.driver.end(his)
            foreign = {each.medium: each.ref for each in await bob.driver.recordings(his)}
            hers = await alice.pages.book(chen.account, "audio")
            await alice.pages.join(hers)
            await alice.pages.switch(hers, "video")
            await alice.pages.end(hers)
            assert foreign["video"] in {each.ref for each in await alice.pages.replays()}
            held = flawed.heard(await alice.pages.open(foreign["video"]))
            assert held == {("bob", "audio", "video"), ("bob", "video", "video")}
            assert flawed.heard(await alice.pages.open(foreign["audio"])) == {("bob", "audio", "audio")}
            assert foreign["audio"] not in alice.pages.shown().pages

        flawed.run(story)


def test_surfaces_and_verbs_in_the_pages_session(sound: Ward) -> None:
    """What the pages have no button for is asked in their own session: there for its owner, and refused to Bob."""

    async def story() -> None:
        alice, bob = await asyncio.gather(*(sound.person(each, "patient", BROWSER) for each in ("alice", "bob")))
        chen = await sound.person("chen", "clinician", API)
        visit = await alice.pages.book(chen.account, "audio")
        for each in (alice, chen):
            await each.driver.join(visit)
        await chen.send(visit, "audio")
        await chen.driver.end(visit)
        (recording,) = await alice.pages.recordings(visit)
        await alice.pages.measure("beats of alice")
        assert "beats of alice" in (await alice.pages.look("metrics")).text
        assert "beats of alice" not in (await bob.pages.look("metrics")).text
        assert (await alice.pages.look("range", recording.ref)).media == chen.clip("audio").data
        (link,) = (await alice.pages.look("make-link", recording.ref)).links
        assert (await alice.pages.look("link", link)).media == chen.clip("audio").data
        for surface, about in (("range", recording.ref), ("link", link), ("detail", recording.ref)):
            with pytest.raises(TargetError) as caught:
                await bob.pages.look(surface, about)
            assert caught.value.definite, surface

    sound.run(story)


def test_introduce(sound: Ward) -> None:
    """The name that somebody was introduced by is the one that the form for a new account was filled in with."""

    async def story() -> None:
        chen = await sound.person("chen", "clinician", API)
        alice = ClinicPages(sound, "alice-1f-9~+", "alice", "patient")
        alice.introduce("Alice abcdefghijklmnopqr")
        await alice.enrol()
        await alice.book(chen.account, "audio")
        assert "Alice abcdefghijklmnopqr" in (await chen.driver.look("agenda")).text

    sound.run(story)
