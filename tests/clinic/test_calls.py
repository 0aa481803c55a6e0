"""Calls between aiortc peers and the server, in one process: what is passed on to whom, what is recorded of whom."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import datetime

import pytest

from harness.canary import Canary
from harness.clinic.webrtc import tracks
from harness.clinic.webrtc.rooms import Limits
from harness.media import reading

from .callers import calling, held, until
from .halls import ANN, BEA, CAT, MEDIA, VISIT, Hall, meet, shown


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
