"""The picture of a leak: the right frame, the right code in the box, and a PNG that any reader opens."""

import io
import struct

import av
import numpy as np
import pytest

from harness.canary import Canary, pack
from harness.media import clips, frames, video
from harness.media.tracks import Limits
from tests.media import encodes

OURS, FOREIGN = 11, 12
RED = np.array(frames.BOX_COLOUR)


def opened(png: bytes) -> video.Luma:
    """Return a PNG's pixels [height, width, 3], read by FFmpeg."""
    with av.open(io.BytesIO(png), "r") as file:
        return next(file.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint8)


def box_of(picture: video.Luma) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what is drawn in the box's colour."""
    rows, columns = np.nonzero((picture == RED).all(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def film(*payloads: int) -> bytes:
    """Return a film in which each payload shows for a second."""
    seconds = [video.frames(each, clips.FRAMES_PER_S, width=160, height=128, seed=each) for each in payloads]
    return clips.webm(np.concatenate(seconds), None)


def test_the_box_is_around_the_code_that_was_asked_for() -> None:
    """Of two codes side by side only the foreign one is marked, and it is still readable."""
    both = np.full((3, 480, 640), 120, np.uint8)
    for at, payload in ((20, OURS), (340, FOREIGN)):
        both[:, 100:225, at : at + 125] = np.kron(video.modules(payload), np.ones((5, 5), np.uint8))
    png = frames.marked_frame(clips.webm(both, None), FOREIGN)
    assert png is not None
    picture = opened(png)
    assert picture.shape == (480, 640, 3)
    left, top, right, bottom = box_of(picture)
    assert 320 < left < 350 < 455 < right < 485
    assert 80 < top < 110 < 215 < bottom < 245
    assert FOREIGN in video.find_codes(picture[:, :, 0].copy())


@pytest.mark.parametrize(("width", "height"), [(160, 128), (640, 480), (1280, 320)])
def test_the_box_is_seen_where_the_report_shows_it_small(width: int, height: int) -> None:
    """Its line is two pixels at least of the 208 that a report shows, and none of it lies on the code."""
    shown = np.full((3, height, width), 120, np.uint8)
    scale = height // 32
    shown[:, scale : 26 * scale, scale : 26 * scale] = np.kron(
        video.modules(FOREIGN), np.ones((scale, scale), np.uint8)
    )
    png = frames.marked_frame(clips.webm(shown, None), FOREIGN)
    assert png is not None
    picture = opened(png)
    left, top, right, bottom = box_of(picture)
    line = np.flatnonzero((picture[(top + bottom) // 2] == RED).all(axis=1))
    assert (line < (left + right) / 2).sum() * 208 / picture.shape[1] >= 2
    assert video.find_codes(picture[:, :, 0].copy()) == [FOREIGN]


def test_the_first_frame_that_shows_it_is_taken() -> None:
    """A canary that is spliced in late is shown where it stands, and a small picture is enlarged."""
    png = frames.marked_frame(film(OURS, FOREIGN), FOREIGN)
    assert png is not None
    picture = opened(png)
    assert picture.shape == (3 * 128, 3 * 160, 3)
    assert video.find_codes(picture[:, :, 1].copy()) == [FOREIGN]


@pytest.mark.parametrize("codec", ["mjpeg", "png", "libwebp"])
@pytest.mark.parametrize(("width", "height", "scale"), [(320, 240, 1), (96, 72, 5)])
def test_a_still_picture_is_marked_alone_and_in_an_archive(codec: str, width: int, height: int, scale: int) -> None:
    """A wrong thumbnail is evidence, also behind another picture, or in an export among the owner's own."""
    wrong, right = encodes.picture(codec, encodes.FOREIGN, width=width, height=height), encodes.picture("png")
    archive = encodes.archive({"index.json": b"{}", "a.png": right, "b": wrong})
    for data in (wrong, right + wrong, archive):
        png = frames.marked_frame(data, pack(encodes.FOREIGN))
        assert png is not None
        picture = opened(png)
        assert picture.shape == (scale * height, scale * width, 3)
        left, top, right_edge, bottom = (each / scale for each in box_of(picture))
        assert 0.2 * width < left < 0.3 * width < 0.6 * width < right_edge < 0.8 * width
        assert 0.1 * height < top < 0.3 * height < 0.7 * height < bottom < 0.9 * height
        if scale == 1:
            assert video.find_codes(picture[:, :, 1].copy()) == [pack(encodes.FOREIGN)]
    assert frames.marked_frame(right, pack(encodes.FOREIGN)) is None


def test_a_canary_in_the_sound_alone_has_no_picture() -> None:
    """Audio gives None, and so does a film without the payload."""
    canary = Canary(1, 2, 3, 0)
    assert frames.marked_frame(clips.clip(canary, "audio").data, pack(canary)) is None
    assert frames.marked_frame(film(OURS), FOREIGN) is None


@pytest.mark.parametrize("data", [b"", b"nothing that plays", film(OURS)[:200]], ids=["none", "noise", "cut off"])
def test_what_cannot_be_read_has_no_picture(data: bytes) -> None:
    """Bytes that are no film give None and never raise."""
    assert frames.marked_frame(data, OURS) is None


@pytest.mark.parametrize("limits", [Limits(max_frames=3), Limits(max_pixels=100), Limits(max_bytes=100)])
def test_no_more_is_searched_than_the_limits_allow(limits: Limits) -> None:
    """What shows after the limit is not found, though it is there."""
    late = film(OURS, FOREIGN)
    assert frames.marked_frame(late, FOREIGN) is not None
    assert frames.marked_frame(late, FOREIGN, limits=limits) is None


def test_the_png_is_exact() -> None:
    """Each pixel comes back as it was, and the header tells the size."""
    picture = np.random.default_rng(1).integers(0, 256, (7, 5, 3)).astype(np.uint8)
    written = frames.png(picture)
    assert struct.unpack(">II", written[16:24]) == (5, 7)
    assert np.array_equal(opened(written), picture)
