"""The canary in pictures: drawn, encoded or not, and found again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.media import video


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**64 - 1), st.sampled_from([(160, 128), (320, 240), (640, 480), (128, 96)]))
def test_round_trip(payload: int, size: tuple[int, int]) -> None:
    """Any payload is found in every frame of any usual size."""
    width, height = size
    for luma in video.frames(payload, 3, width=width, height=height):
        assert video.find_codes(luma) == [payload]


def test_frames_are_drawn_from_the_seed_and_move() -> None:
    """The same seed draws the same pictures, another seed others, and no two frames are alike."""
    first = video.frames(1, 4, width=160, height=128, seed=5)
    assert first.shape == (4, 128, 160)
    assert first.dtype == np.uint8
    assert np.array_equal(first, video.frames(1, 4, width=160, height=128, seed=5))
    assert not np.array_equal(first, video.frames(1, 4, width=160, height=128, seed=6))
    assert len({luma.tobytes() for luma in first}) == 4


def test_the_code_has_its_size_and_place() -> None:
    """The code is centred, covers 0.55 to 0.6 of the height and keeps to limited-range levels."""
    luma = video.frames(9, 1, width=160, height=128)[0]
    side = 3 * video.MODULES
    assert 0.55 <= side / 128 <= 0.6
    code = luma[26 : 26 + side, 42 : 42 + side]
    assert set(np.unique(code)) == {16, 235}
    assert np.array_equal(code[::3, ::3], video.modules(9))


def test_two_codes_in_one_frame_are_both_found() -> None:
    """A foreign code that is turned, smaller and beside our own is found too."""
    luma = video.frames(1, 1, width=640, height=480)[0]
    foreign = np.kron(video.modules(2), np.ones((3, 3), np.uint8))
    luma[10:85, 10:85] = np.rot90(foreign)
    assert sorted(video.find_codes(luma)) == [1, 2]


def test_a_grid_of_users_is_read_in_full() -> None:
    """Nine pictures in one grid give nine payloads."""
    tiles = [video.frames(payload, 1, width=160, height=128, seed=payload)[0] for payload in range(9)]
    grid = np.block([tiles[0:3], tiles[3:6], tiles[6:9]])
    assert sorted(video.find_codes(grid)) == list(range(9))


def test_codes_of_other_texts_are_left_out() -> None:
    """A QR code of 20 digits above 64 bits is not a payload."""
    luma = np.kron(video.modules(2**64), np.ones((4, 4), np.uint8))
    assert video.find_codes(np.pad(luma, 20, constant_values=200)) == []


def test_noise_holds_no_code() -> None:
    """Random pictures, coarse and fine, give no payload."""
    draw = np.random.default_rng(3)
    for _ in range(30):
        cell = int(draw.integers(1, 9))
        cells = draw.integers(0, 256, (128 // cell + 1, 160 // cell + 1), dtype=np.uint8)
        assert video.find_codes(np.kron(cells, np.ones((cell, cell), np.uint8))) == []


@pytest.mark.parametrize(("width", "height"), [(160, 40), (40, 128)])
def test_a_picture_without_room_is_refused(width: int, height: int) -> None:
    """A code that would not fit is refused with the size in the message."""
    with pytest.raises(ValueError, match=f"{width}x{height}"):
        video.frames(1, 1, width=width, height=height)


def test_yuv_is_grey() -> None:
    """Planar YUV 4:2:0 holds the luma on top of neutral chroma."""
    luma = video.frames(12345, 1, width=160, height=128)[0]
    planes = video.yuv420p(luma)
    assert planes.shape == (192, 160)
    assert np.array_equal(planes[:128], luma)
    assert set(np.unique(planes[128:])) == {128}
