"""Calls between aiortc peers and the server, in one process: what is passed on to whom, what is recorded of whom."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI

from harness.canary import Canary
from harness.clinic.base import errors
from harness.clinic.base.errors import ApiError
from harness.clinic.base.store import Store
from harness.clinic.systems import calls
from harness.clinic.systems.calls import Calls
from harness.clinic.webrtc import tracks
from harness.clinic.webrtc.peers import Offer
from harness.clinic.webrtc.rooms import DEFAULT_LIMITS, Files, Limits
from harness.clinic.webrtc.tracks import Outgoing, Recorder, Sample, Timeline
from harness.media import reading

from .callers import Caller, calling, held, until

VISIT, SHARED = "visit-1", "hush"
STORED = "CREATE TABLE IF NOT EXISTS media (bytes {bytes}); CREATE TABLE IF NOT EXISTS chunks (bytes {bytes});"
MEDIA: tuple[tracks.Kind, ...] = ("audio", "video", "audio", "video")
CERTAIN_S = 1.7
"""Two periods of the canary in sound, and a little."""
ANN, BEA, CAT = (Canary(run=5, user=user, call=1, mode=0) for user in (1, 2, 3))
"""Neighbours in number speak in different slots of sound, so that a mix of two would show."""


@dataclass(slots=True)
class Hall:
    """The server's calls, and every file that came of them."""

    limits: Limits = DEFAULT_LIMITS
    files: list[Files] = field(default_factory=list)
    calls: Calls = field(init=False)

    def __post_init__(self) -> None:
        self.calls = Calls(Store(":memory:", STORED), self.keep, limits=self.limits)

    async def keep(self, files: Files) -> None:
        """Take the files of a participant's segment."""
        self.files.append(files)

    def caller(self, canary: Canary, name: str, medium: tracks.Kind = "audio") -> Caller:
        """Return a browser that has not called yet."""
        return Caller(canary, lambda sdp: self.calls.answer(VISIT, name, medium, sdp))

    @property
    def present(self) -> set[str]:
        """Who has a connection."""
        room = self.calls._rooms.get(VISIT)
        return set(room.peers) if room else set()

    def of(self, name: str) -> list[Files]:
        """Return one participant's files, oldest first."""
        return sorted((each for each in self.files if each.username == name), key=lambda each: each.starts_s)


def shown(data: bytes | None, kind: str) -> set[Canary]:
    """Return whose canaries a file shows; it must have one readable track of this kind, and no strange canary."""
    assert data is not None
    read = reading.read(data)
    assert (read.outcome, read.tracks) == ("canaries", (kind,)), read
    return {sighting.canary for sighting in read.canaries}


async def meet(a: Caller, b: Caller, *kinds: str) -> None:
    """From now on, wait until each has received the other's canary and as much sound as one takes for certain."""
    for caller in (a, b):
        caller.forget()
    await until(
        lambda: all(caller.heard_s > CERTAIN_S and caller.canaries(kind) for caller in (a, b) for kind in kinds)
    )


@dataclass(frozen=True, slots=True)
class Switched:
    """A call that was switched thrice: all its files, and what was received, by mode, person and kind."""

    hall: Hall
    received: dict[tuple[int, str, str], set[Canary | None]]


@pytest.fixture(scope="module")
def switched() -> Switched:
    """Hold a call by audio, switched to video by renegotiation, to audio while pictures still come, and to video."""
    call: list[Switched] = []

    async def story() -> None:
        hall = Hall()
        call.append(Switched(hall, {}))
        ann, bea = hall.caller(ANN, "ann"), hall.caller(BEA, "bea")
        async with calling(ann, bea):
            await ann.call()
            await bea.call()
            for mode, medium in enumerate(MEDIA):
                for caller in (ann, bea):
                    caller.show(replace(caller.canary, mode=mode))
                    if mode == 1:
                        await caller.add_video()
                await hall.calls.segment(VISIT, medium)
                await meet(ann, bea, *(("audio", "video") if mode else ("audio",)))
                for kind in ("audio", "video"):
                    call[0].received[mode, "ann", kind] = ann.canaries(kind)
                    call[0].received[mode, "bea", kind] = bea.canaries(kind)
            await hall.calls.end(VISIT)

    held(story)
    return call[0]


def of_modes(canary: Canary, *modes: int) -> set[Canary | None]:
    """Return somebody's canaries of these modes."""
    return {replace(canary, mode=mode) for mode in modes}


@pytest.mark.parametrize(("name", "other"), [("ann", BEA), ("bea", ANN)])
def test_each_receives_the_other_alone(switched: Switched, name: str, other: Canary) -> None:
    """What comes is the other one's of that segment, at most with a last picture of the one before."""
    for mode in range(len(MEDIA)):
        assert switched.received[mode, name, "audio"] == of_modes(other, mode)
        seen = switched.received[mode, name, "video"]
        assert of_modes(other, *([mode] if mode else [])) <= seen <= of_modes(other, max(mode - 1, 1), max(mode, 1))


@pytest.mark.parametrize(("name", "canary"), [("ann", ANN), ("bea", BEA)])
def test_sound_is_recorded_by_sender_and_segment(switched: Switched, name: str, canary: Canary) -> None:
    """Each segment has a sound of its own, with the sender's canary of that segment and nobody else's."""
    files = switched.hall.of(name)
    assert [each.medium for each in files] == list(MEDIA)
    for mode, each in enumerate(files):
        assert shown(each.audio, "audio") == of_modes(canary, mode)


@pytest.mark.parametrize(("name", "canary"), [("ann", ANN), ("bea", BEA)])
def test_pictures_are_recorded_while_the_medium_is_video(switched: Switched, name: str, canary: Canary) -> None:
    """A video segment has pictures, of the sender alone; an audio segment has none, though they were still sent."""
    first, second, third, fourth = switched.hall.of(name)
    assert (first.video, third.video) == (None, None)
    assert of_modes(canary, 1) <= shown(second.video, "video") <= of_modes(canary, 1, 2)
    assert of_modes(canary, 3) <= shown(fourth.video, "video") <= of_modes(canary, 2, 3)


@pytest.mark.parametrize("name", ["ann", "bea"])
def test_segments_follow_each_other_in_time(switched: Switched, name: str) -> None:
    """A segment begins where the one before it ends, on the call's clock and on the calendar."""
    for before, after in itertools.pairwise(switched.hall.of(name)):
        lasted_s = reading.read(before.audio or b"").duration_s
        assert before.starts_s + lasted_s == pytest.approx(after.starts_s, abs=0.5)
        apart = datetime.fromisoformat(after.began_at) - datetime.fromisoformat(before.began_at)
        assert apart.total_seconds() == pytest.approx(after.starts_s - before.starts_s, abs=0.01)


def test_who_comes_back_is_connected_and_recorded_anew() -> None:
    """After leaving, and after a reload without leaving, a participant gets a whole picture again and new files."""

    async def story() -> None:
        hall = Hall()
        ann = hall.caller(ANN, "ann", "video")
        beas = [hall.caller(replace(BEA, call=call), "bea", "video") for call in (1, 2, 3)]
        async with calling(ann, *beas):
            await ann.call(with_video=True)
            for bea in beas:
                await bea.call(with_video=True)
                await meet(ann, bea, "audio", "video")
                assert bea.canaries("audio") == bea.canaries("video") == {ANN}
                if bea is beas[0]:
                    await hall.calls.leave(VISIT, "bea")
                    assert hall.present == {"ann"}
            await hall.calls.end(VISIT)
        assert hall.present == set()
        for files, bea in zip(hall.of("bea"), beas, strict=True):
            assert shown(files.audio, "audio") == shown(files.video, "video") == {bea.canary}
        (anns,) = hall.of("ann")
        assert shown(anns.audio, "audio") == shown(anns.video, "video") == {ANN}

    held(story)


def test_the_latest_other_participant_is_shown() -> None:
    """When a second clinician joins, the patient receives them; when the first leaves, the second gets the patient."""

    async def story() -> None:
        hall = Hall()
        ann, bea, cat = hall.caller(ANN, "ann"), hall.caller(BEA, "bea"), hall.caller(CAT, "cat")
        async with calling(ann, bea, cat):
            await ann.call()
            await bea.call()
            await meet(ann, bea, "audio")
            ann.forget()
            await cat.call()
            await until(lambda: CAT in ann.canaries("audio"))
            await hall.calls.leave(VISIT, "bea")
            await until(lambda: ANN in cat.canaries("audio"))
            await hall.calls.end(VISIT)
        assert [shown(each.audio, "audio") for each in hall.of("cat")] == [{CAT}]
        assert [shown(each.audio, "audio") for each in hall.of("bea")] == [{BEA}]

    held(story)


def test_what_a_lost_browser_sent_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that is gone without a word is disconnected, and its files are finished."""
    monkeypatch.setattr(tracks, "CONSENT_INTERVAL_S", 0.05)
    monkeypatch.setattr(tracks, "CONSENT_FAILURES", 4)

    async def story() -> None:
        hall = Hall(Limits(connect_s=99))
        ann, bea = hall.caller(ANN, "ann"), hall.caller(BEA, "bea")
        async with calling(ann, bea):
            await ann.call()
            await bea.call()
            await meet(ann, bea, "audio")
            bea.vanish()
            await until(lambda: hall.present == {"ann"})
            await until(lambda: hall.of("bea"))
            await hall.calls.end(VISIT)
        assert shown(hall.of("bea")[0].audio, "audio") == {BEA}

    held(story)


def test_who_hangs_up_is_disconnected_at_once() -> None:
    """A connection that its browser closes is closed here too, without being told to leave."""

    async def story() -> None:
        hall = Hall(Limits(connect_s=99))
        ann = hall.caller(ANN, "ann")
        async with calling(ann):
            await ann.call()
            assert hall.present == {"ann"}
            await ann.close()
            await until(lambda: not hall.present)
            await hall.calls.close()

    held(story)


def test_an_offer_that_nobody_follows_up_is_forgotten() -> None:
    """A participant who does not connect in time has no place in the call."""

    async def story() -> None:
        hall = Hall(Limits(connect_s=0.2))
        ann = hall.caller(ANN, "ann")
        async with calling(ann):
            offer = await ann.offer()
            await hall.calls.answer(VISIT, "ann", "audio", offer)
            assert hall.present == {"ann"}
            await until(lambda: not hall.present)

    held(story)


def test_a_call_and_the_server_have_limits() -> None:
    """One participant too many is told 409, one call too many 503; an empty room makes place."""

    async def story() -> None:
        hall = Hall(Limits(calls=1, participants=1))
        ann, bea = hall.caller(ANN, "ann"), hall.caller(BEA, "bea")
        async with calling(ann, bea):
            offer = await bea.offer()
            await ann.call()
            for visit, status, code in ((VISIT, 409, "call-full"), ("visit-2", 503, "too-many-calls")):
                with pytest.raises(ApiError) as refused:
                    await hall.calls.answer(visit, "bea", "audio", offer)
                assert (refused.value.status, refused.value.code) == (status, code)
            await hall.calls.leave(VISIT, "ann")
            assert await hall.calls.answer("visit-2", "bea", "audio", offer)
            await hall.calls.close()

    held(story)


SPOILT: dict[str, Callable[[str], str]] = {
    "no SDP": lambda _: "Guten Tag",
    "empty": lambda _: "",
    "no media": lambda sdp: sdp[: sdp.index("m=")],
    "no certificate": lambda sdp: "\n".join(line for line in sdp.splitlines() if "fingerprint" not in line),
    "no credentials": lambda sdp: "\n".join(line for line in sdp.splitlines() if "ice-ufrag" not in line),
    "two of a kind": lambda sdp: sdp + sdp[sdp.index("m=") :],
    "another kind": lambda sdp: sdp.replace("m=audio", "m=application"),
    "another codec": lambda sdp: sdp.replace("opus/48000/2", "opium/48000/2"),
    "a bundle of nobody": lambda sdp: sdp.replace("a=group:BUNDLE 0", "a=group:BUNDLE 7 0"),
    "a broken number": lambda sdp: sdp.replace("a=rtpmap:96", "a=rtpmap:ninety-six"),
}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
def test_a_bad_offer_is_refused(spoilt: Callable[[str], str]) -> None:
    """An SDP that nothing can be made of is told 422, and leaves nobody in the call."""

    async def story() -> None:
        hall = Hall()
        ann = hall.caller(ANN, "ann")
        async with calling(ann):
            offer = await ann.offer()
            with pytest.raises(ApiError) as refused:
                await hall.calls.answer(VISIT, "ann", "audio", spoilt(offer))
            assert (refused.value.status, refused.value.code) == (422, "bad-sdp")
            assert hall.present == set()

    held(story)


def test_only_candidates_of_this_machine_are_tried() -> None:
    """An offer cannot make the server send packets to other addresses, however it names them."""
    here = "a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host"
    others = [
        "a=candidate:2 1 udp 2130706431 10.1.2.3 40000 typ host",
        "a=candidate:3 1 udp 2130706431 5a1c.local 40000 typ host",
        "a=candidate:4 1 udp 1677729535 10.1.2.3 40000 typ srflx raddr 127.0.0.1 rport 40000",
        "a=candidate:5",
    ]
    head = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "m=audio 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0"]
    rest = ["a=mid:0", "a=rtpmap:96 opus/48000/2", "a=fingerprint:sha-256 AA:BB", "a=setup:actpass"]
    offer = Offer.parse("\r\n".join([*head, *rest, here, *others]))
    assert [line for line in offer.sdp.splitlines() if "candidate" in line] == [here]


def test_a_picture_goes_on_from_a_whole_one_only() -> None:
    """After a change of who is shown, and after a gap, a sample that is no whole picture is not sent."""

    async def story() -> None:
        outgoing = Outgoing("video")
        whole, rest = Sample(1.0, b"whole", is_key=True), Sample(2.0, b"rest", is_key=False)
        assert [outgoing.push("ann", each) for each in (rest, whole, rest)] == [False, True, True]
        assert [outgoing.push("bea", each) for each in (rest, whole)] == [False, True]
        assert [bytes(await outgoing.recv()) for _ in range(3)] == [b"whole", b"rest", b"whole"]
        kept = [outgoing.push("bea", rest) for _ in range(tracks.WAITING_SAMPLES + 2)]
        assert kept == [True] * tracks.WAITING_SAMPLES + [False, False]
        assert outgoing.push("bea", whole)
        assert bytes(await outgoing.recv()) == b"whole"

    held(story)


def test_a_recorder_takes_no_more_than_its_bounds() -> None:
    """Bytes and seconds beyond a bound are left out, and so is everything after them."""
    key = b"\x10\x00\x00\x9d\x01\x2a" + bytes(4)
    for bounds in ((25, 99.0), (99, 2.5)):
        recorder = Recorder("video", *bounds)
        assert not recorder.add(Sample(0.0, b"\x01" * 10, is_key=False))
        for at_s in (1.0, 3.0, 5.0):
            assert recorder.add(Sample(at_s, key, is_key=True))
        assert recorder.add(Sample(5.1, b"", is_key=False))
        assert [sample.at_s for sample in recorder.samples] == [1.0, 3.0]


def test_a_timeline_follows_the_sender_and_survives_their_restart() -> None:
    """Jitter leaves the sender's spacing as it is, a restart or a wrap goes on from now, and time never runs back."""
    timeline = Timeline(rate_hz=1000)
    assert timeline.at_s(500, now_s=10.0) == 10.0
    assert timeline.at_s(520, now_s=10.4) == pytest.approx(10.02)
    assert timeline.at_s(500, now_s=10.5) == pytest.approx(10.021)
    assert timeline.at_s(90_000_000, now_s=11.0) == 11.0
    assert timeline.at_s(0, now_s=12.0) == 12.0


@asynccontextmanager
async def replica(path: Path) -> AsyncIterator[tuple[Hall, str]]:
    """Serve one of several processes' halls, with its own connection to the one database; yield it and its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    hall = Hall()
    hall.calls = Calls(Store(str(path), STORED + calls.SCHEMA), hall.keep, own_address=address, secret=SHARED)
    app = FastAPI()
    app.state.clinic = SimpleNamespace(rooms=hall.calls)
    errors.install(app)
    app.include_router(calls.router)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until(lambda: server.started)
        yield hall, address
    finally:
        await hall.calls.close()
        server.should_exit = True
        await serving
        listener.close()


def test_a_call_lives_in_one_of_several_processes(tmp_path: Path) -> None:
    """Whichever process is asked, participants meet in the one that answered first, and switch and end it there."""

    async def story() -> None:
        async with replica(tmp_path / "db") as (first, _), replica(tmp_path / "db") as (second, _):
            ann, bea = first.caller(ANN, "ann"), second.caller(BEA, "bea")
            async with calling(ann, bea):
                await ann.call()
                await bea.call()
                await meet(ann, bea, "audio")
                assert (first.present, second.present) == ({"ann", "bea"}, set())
                await second.calls.segment(VISIT, "video")
                await meet(ann, bea, "audio")
                await second.calls.leave(VISIT, "bea")
                assert first.present == {"ann"}
                with pytest.raises(ApiError) as refused:
                    await second.calls.answer(VISIT, "bea", "audio", "Guten Tag")
                assert (refused.value.status, refused.value.code) == (422, "bad-sdp")
                await second.calls.end(VISIT)
            assert second.files == []
            for name, canary in (("ann", ANN), ("bea", BEA)):
                assert [each.medium for each in first.of(name)] == ["audio", "video"]
                assert [shown(each.audio, "audio") for each in first.of(name)] == [{canary}] * 2
            assert first.calls._store.all("SELECT * FROM calls") == []

    held(story)


def test_a_call_goes_on_elsewhere_when_its_process_is_gone(tmp_path: Path) -> None:
    """An offer that reaches another process after the call's own one is gone begins the call anew there."""

    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            gone = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with replica(tmp_path / "db") as (hall, address):
            store = hall.calls._store
            store.db.execute("INSERT INTO calls VALUES (?, ?)", (VISIT, gone))
            await hall.calls.segment(VISIT, "video")
            ann = hall.caller(ANN, "ann")
            async with calling(ann):
                await ann.call()
                assert hall.present == {"ann"}
                assert store.all("SELECT * FROM calls") == [(VISIT, address)]
                await hall.calls.close()
                assert store.all("SELECT * FROM calls") == []

    held(story)


def test_only_who_says_the_secret_is_obeyed(tmp_path: Path) -> None:
    """What processes ask of each other is unknown to anybody who does not share their secret."""

    async def story() -> None:
        async with replica(tmp_path / "db") as (hall, address), aiohttp.ClientSession() as session:
            ann = hall.caller(ANN, "ann")
            async with calling(ann):
                await ann.call()
                for secret, status, present in (("", 404, {"ann"}), ("hash", 404, {"ann"}), (SHARED, 200, set())):
                    url, headers = f"{address}/replicas/calls/{VISIT}", {calls.SECRET: secret}
                    async with session.post(url, json={"act": "end"}, headers=headers) as response:
                        assert (response.status, hall.present) == (status, present)

    held(story)
