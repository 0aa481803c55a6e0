"""The tracks of a call: pictures go on from a whole one, recorders are bounded, a timeline follows the sender."""

from __future__ import annotations

import pytest

from harness.clinic.webrtc import tracks
from harness.clinic.webrtc.tracks import Outgoing, Recorder, Sample, Timeline

from .callers import held


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
