"""The recorder's media work refuses what it cannot use, and says why."""

import io
from collections.abc import Callable

import av
import numpy as np
import pytest

from harness.clinic import footage
from harness.clinic.footage import FootageError, Part
from harness.clinic.footage.reading import MAX_BYTES
from harness.media import clips
from harness.media.reading import read

from .footage_media import CLINICIAN, PATIENT, both, clip, live, payloads, seen


def two_tracks() -> bytes:
    """Return a WebM with two tracks of sound."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="webm") as container:
        for stream in [container.add_stream("libopus", rate=48_000, layout="mono") for _ in range(2)]:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), "flt", "mono")
            frame.sample_rate, frame.pts = 48_000, 0
            container.mux([*stream.encode(frame), *stream.encode(None)])
    return buffer.getvalue()


def huge() -> bytes:
    """Return a clip whose key frames claim 8192x8192 pixels."""
    data = clip(PATIENT)
    at = data.index(b"\x9d\x01\x2a") + 3
    return data[:at] + b"\x00\x20\x00\x20" + data[at + 4 :]


def large() -> bytes:
    """Return a picture of more pixels than are taken, which its header says."""
    return clips.webm(np.full((1, 1200, 2048), 99, np.uint8), None)


def pcm() -> bytes:
    """Return a Matroska file of a codec that is not WebM's."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=11_025, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
        frame.sample_rate, frame.pts = 11_025, 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: b"", "no bytes"),
        (lambda: b"not media " * 50, "cannot be read as WebM"),
        (lambda: footage.thumbnail(clip(PATIENT)), "cannot be read as WebM"),
        (lambda: clip(PATIENT)[:40], "cannot be read as WebM"),
        (lambda: clip(PATIENT)[:300], "cannot be read as WebM|neither sound nor pictures"),
        (lambda: bytes(MAX_BYTES + 1), "67108865 bytes, more than 67108864"),
        (huge, "more than 2359296 pixels"),
        (large, "2048x1200, more than 2359296 pixels"),
        (two_tracks, "2 audio tracks"),
        (pcm, "pcm_s16le, which WebM has not"),
    ],
    ids=["empty", "text", "jpeg", "head", "header", "too-many-bytes", "huge", "large", "two-tracks", "pcm"],
)
def test_what_is_not_usable_is_refused_by_all(made: Callable[[], bytes], why: str) -> None:
    """Every function says what is wrong, and a composite also says with which piece."""
    data = made()
    for work in (footage.probe, footage.content_type, footage.transcode, footage.thumbnail):
        with pytest.raises(FootageError, match=why):
            work(data)
    for pair in ((data, None), (None, data), (data, clip(PATIENT))):
        with pytest.raises(FootageError, match=why):
            footage.mux(*pair)
    with pytest.raises(FootageError, match=f"piece 1 of 2, of seat 7: .*({why})"):
        footage.composite([Part(clip(PATIENT), 0, 0), Part(data, 0, 7)], "side-by-side")


def test_mux_refuses_a_file_without_the_track() -> None:
    """Sound cannot come from nowhere, nor pictures from sound."""
    with pytest.raises(FootageError, match="neither"):
        footage.mux(None, None)
    with pytest.raises(FootageError, match="video"):
        footage.mux(None, clip(PATIENT, "audio"))
    with pytest.raises(FootageError, match="audio"):
        footage.mux(footage.mux(None, clip(PATIENT)), clip(PATIENT))


def test_a_composite_is_bounded() -> None:
    """No pieces, too many, a span that is too long and times that are none are refused."""
    part = Part(clip(PATIENT, "audio"), 0.0, 0)
    for parts, why in (
        ([], "0 pieces"),
        ([part] * 33, "33 pieces"),
        ([part, Part(part.data, 1799.5, 1)], "span 180[01] s, more than 1800 s"),
        ([part, Part(part.data, float("nan"), 1)], "no finite time"),
        ([part, Part(part.data, float("inf"), 1)], "no finite time"),
    ):
        with pytest.raises(FootageError, match=why):
            footage.composite(parts, "side-by-side")


def test_a_file_that_is_cut_off_counts_as_far_as_it_goes() -> None:
    """Half of a live recording is half as long, and still its owner's."""
    whole = live(clips.clip(PATIENT, "video", duration_s=4.0).data)
    half = whole[: len(whole) // 2]
    assert footage.probe(half).duration_s == pytest.approx(2.0, abs=0.5)
    assert seen(footage.transcode(half)) == both(PATIENT)
    assert seen(footage.composite([Part(half, 0, 0), Part(clip(CLINICIAN), 0, 1)], "side-by-side")) == both(
        PATIENT, CLINICIAN
    )


def test_a_corrupt_packet_is_left_out() -> None:
    """A picture that cannot be decoded takes nothing else with it."""
    data = clips.clip(PATIENT, "video", duration_s=2.0).data
    packet = payloads(data, "video")[-3]
    damaged = data.replace(packet, b"\xff" * len(packet))
    assert damaged != data
    assert seen(footage.transcode(damaged)) == both(PATIENT)


@pytest.mark.parametrize("seed", range(12))
def test_damaged_media_gives_media_or_a_refusal(seed: int) -> None:
    """Whatever bytes are changed, nothing but FootageError is raised, and no other person appears."""
    draw = np.random.default_rng(seed)
    damaged = bytearray(clip(PATIENT))
    for _ in range(int(draw.choice((1, 4, 40)))):
        damaged[draw.integers(draw.choice((500, len(damaged))))] = draw.integers(256)
    data = bytes(damaged)
    works: list[Callable[[], bytes]] = [
        lambda: footage.mux(data, data),
        lambda: footage.transcode(data),
        lambda: footage.composite([Part(data, 0, 0), Part(clip(CLINICIAN), 0, 1)], "picture-in-picture"),
    ]
    for work in works:
        try:
            made = work()
        except FootageError:
            continue
        assert {each.canary for each in read(made).canaries} <= {PATIENT, CLINICIAN}
