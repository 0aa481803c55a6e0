"""The picture of a leak that is heard: the right stretch of time in the box, and a PNG that any reader opens."""

import io

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.canary import pack
from harness.media import audio, clips
from harness.media.frames import BOX_COLOUR
from harness.media.spectrogram import spectrogram
from harness.media.tracks import Limits
from tests.media.encodes import FOREIGN, OURS, archive, encoded, picture


def sound(*parts: tuple[int, float]) -> audio.Samples:
    """Return payloads one after another, each for so many seconds."""
    made = [audio.synthesise(payload, 0, duration_s=seconds, rate_hz=16_000) for payload, seconds in parts]
    return np.concatenate(made)


def opened(png: bytes) -> NDArray[np.uint8]:
    """Return a PNG's pixels [height, width, 3], read by FFmpeg."""
    with av.open(io.BytesIO(png), "r") as file:
        return next(file.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint8)


def boxed(picture: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and the columns of what is drawn in the box's colour."""
    rows, columns = np.nonzero((picture == np.array(BOX_COLOUR)).all(axis=2))
    return rows, columns


def test_the_box_is_around_the_time_in_which_it_is_heard() -> None:
    """A foreign canary from the fourth to the seventh second of ten is boxed there, over the tones of both slots."""
    data = clips.webm(None, sound((pack(OURS), 4.0), (pack(FOREIGN), 3.2), (pack(OURS), 2.8)))
    png = spectrogram(data, pack(FOREIGN))
    assert png is not None
    shown = opened(png)
    height, width, _ = shown.shape
    assert (width >= 480, height >= 200) == (True, True)
    rows, columns = boxed(shown)
    assert columns.min() * 10 / width == pytest.approx(4.0, abs=0.1)
    assert columns.max() * 10 / width == pytest.approx(7.2, abs=0.1)
    assert (height - rows.max()) * 4000 / height == pytest.approx(250, abs=60)
    assert (height - rows.min()) * 4000 / height == pytest.approx(3500, abs=60)


def test_two_stretches_have_two_boxes() -> None:
    """Where the owner's own sound comes in between, no box is drawn."""
    data = clips.webm(None, sound((pack(FOREIGN), 2.4), (pack(OURS), 4.0), (pack(FOREIGN), 1.6)))
    png = spectrogram(data, pack(FOREIGN))
    assert png is not None
    shown = opened(png)
    _, columns = boxed(shown)
    seconds = np.unique(columns) * 8 / shown.shape[1]
    assert not np.any((seconds > 2.5) & (seconds < 6.3))
    assert np.any(seconds < 2.4)
    assert np.any(seconds > 6.4)


def test_a_tone_stands_where_it_sounds() -> None:
    """What is loudest in a row is the tone of that row's frequency: time to the right, pitch upwards."""
    beginning = audio.synthesise(pack(FOREIGN), 0, duration_s=0.8, rate_hz=16_000)
    tone = 0.5 * np.sin(2 * np.pi * 2000 * np.arange(32_000) / 16_000)
    png = spectrogram(clips.webm(None, np.concatenate([beginning, tone]).astype(np.float32)), pack(FOREIGN))
    assert png is not None
    grey = opened(png)[:, -200:-20, 1].mean(axis=1)
    assert int(grey.argmax()) == pytest.approx(len(grey) / 2, abs=2)


@pytest.mark.parametrize("seconds", [0.9, 1.0, 30.0])
def test_its_size_hardly_depends_on_the_length(seconds: float) -> None:
    """A second and half a minute give a picture of about the same width."""
    png = spectrogram(clips.webm(None, sound((pack(OURS), seconds))), pack(OURS))
    assert png is not None
    height, width, _ = opened(png).shape
    assert 480 <= width <= 1100
    assert height == 257


def test_a_member_of_an_archive_and_a_film_are_heard() -> None:
    """The sound of a film, and of one among others in an export."""
    film = encoded("mp4", "libx264", "aac", canary=FOREIGN)
    assert spectrogram(film, pack(FOREIGN)) is not None
    export = archive({"a.png": picture("png", FOREIGN), "b.wav": encoded("wav", None, "pcm_s16le"), "c.mp4": film})
    assert spectrogram(export, pack(FOREIGN)) is not None
    assert spectrogram(export, pack(OURS)) is not None


@pytest.mark.parametrize(
    "data",
    [b"", b"nothing that plays", picture("png"), encoded("webm", "libvpx", None), clips.clip(OURS, "audio").data[:300]],
    ids=["none", "noise", "picture", "mute", "cut off"],
)
def test_where_nothing_is_heard_there_is_no_picture(data: bytes) -> None:
    """It gives None and never raises; nor is one drawn for a canary that others sing."""
    assert spectrogram(data, pack(OURS)) is None
    assert spectrogram(clips.clip(FOREIGN, "audio").data, pack(OURS)) is None


def test_limits_are_kept() -> None:
    """What is beyond a limit is not listened to."""
    data = clips.clip(OURS, "audio", duration_s=3.0).data
    for limits in (Limits(max_duration_s=1.0), Limits(max_bytes=100), Limits(max_packets=10)):
        assert spectrogram(data, pack(OURS), limits=limits) is None
    assert spectrogram(data, pack(OURS)) is not None
