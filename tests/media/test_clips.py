"""Clips: what a driver uploads is real WebM, always carries its canary, and is the same when made again."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest

from harness.canary import Canary, pack
from harness.media import clips, video
from harness.media.reading import read
from harness.model import Medium


def random_canaries(count: int, seed: int) -> list[Canary]:
    """Return canaries drawn from all of the fields' ranges."""
    draw = np.random.default_rng(seed)
    return [Canary(*(int(draw.integers(2**bits)) for bits in (20, 16, 5, 3))) for _ in range(count)]


@pytest.mark.parametrize("medium", ["audio", "video"])
@pytest.mark.parametrize("duration_s", [0.85, 1.0, 2.5])
def test_round_trip(medium: Medium, duration_s: float) -> None:
    """Every track of a clip of a random canary is read as that canary and nothing else."""
    for seed, canary in enumerate(random_canaries(30, seed=int(duration_s * 100))):
        reading = read(clips.clip(canary, medium, seed=seed, duration_s=duration_s).data)
        assert reading.outcome == "canaries", reading
        assert reading.tracks == (("audio",) if medium == "audio" else ("video", "audio"))
        assert {(each.canary, each.track) for each in reading.canaries} == {(canary, track) for track in reading.tracks}
        assert reading.duration_s == pytest.approx(duration_s, abs=0.2)


def test_the_same_arguments_give_the_same_bytes() -> None:
    """A clip can be made again, its hash is that of its bytes, and another seed draws another picture."""
    canary = Canary(1, 2, 3, 1)
    one, again, other = (clips.clip(canary, "video", seed=seed) for seed in (4, 4, 5))
    assert one == again
    assert one.sha256 == hashlib.sha256(one.data).hexdigest() != other.sha256
    assert clips.clip(canary, "audio") == clips.clip(canary, "audio")


def test_threads_make_the_same_clips() -> None:
    """Clips made by many threads at once equal those made one by one."""
    canaries = random_canaries(40, seed=9)
    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(lambda canary: clips.clip(canary, "video"), canaries))
    assert at_once == [clips.clip(canary, "video") for canary in canaries]


def test_the_files_are_what_their_type_says() -> None:
    """Audio is WebM with one Opus track, video is WebM with VP8 and Opus."""
    expected: dict[Medium, list[str]] = {"audio": ["opus"], "video": ["vp8", "opus"]}
    for medium, codecs in expected.items():
        made = clips.clip(Canary(1, 2, 3, 0), medium)
        assert made.content_type == f"{medium}/webm"
        with av.open(io.BytesIO(made.data), "r") as container:
            assert "webm" in container.format.name
            assert [stream.codec_context.codec.canonical_name for stream in container.streams] == codecs


def test_every_picture_of_a_clip_can_be_read() -> None:
    """No frame of a video clip is lost to the codec."""
    for canary in random_canaries(20, seed=3):
        data = clips.clip(canary, "video", duration_s=2.0).data
        with av.open(io.BytesIO(data), "r") as container:
            frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
        assert [video.find_codes(frame.astype(np.uint8)) for frame in frames] == [[pack(canary)]] * 10


@pytest.mark.parametrize("duration_s", [0.0, 0.8, 61.0])
def test_durations_outside_the_range_are_refused(duration_s: float) -> None:
    """A clip that could not hold a frame of sound, or would cost too much, is not made."""
    with pytest.raises(ValueError, match=r"a clip lasts 0.85 to 60 s"):
        clips.clip(Canary(1, 2, 3, 0), "audio", duration_s=duration_s)
