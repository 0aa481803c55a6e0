"""The recorder's media work: what is put in can be read in what comes out, and nothing else can."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from harness.canary import Canary, pack
from harness.clinic import footage
from harness.clinic.footage import Layout, Part
from harness.media import clips, video
from harness.media.reading import read
from harness.model import Medium

from .footage_media import (
    CLINICIAN,
    PATIENT,
    THIRD,
    both,
    clip,
    codes,
    heard,
    is_dark,
    live,
    payloads,
    pictures,
    seen,
    silence_then,
    sound,
)

LAYOUTS: tuple[Layout, ...] = ("side-by-side", "picture-in-picture")


@pytest.mark.parametrize("made", [bytes, live], ids=["with-duration", "live"])
def test_probe_says_what_a_clip_holds(made: Callable[[bytes], bytes]) -> None:
    """Tracks, size and length are found in a finished file and in one that has no duration written."""
    probe = footage.probe(made(clip(PATIENT)))
    assert (probe.has_audio, probe.has_video, probe.width, probe.height) == (True, True, 160, 128)
    assert probe.duration_s == pytest.approx(1.0, abs=0.03)
    heard = footage.probe(made(clip(PATIENT, "audio")))
    assert (heard.has_audio, heard.has_video, heard.width, heard.height) == (True, False, 0, 0)
    assert heard.duration_s == pytest.approx(1.0, abs=0.03)


def test_the_content_type_is_that_of_the_content() -> None:
    """Pictures make it video, sound alone makes it audio."""
    assert footage.content_type(clip(PATIENT)) == "video/webm"
    assert footage.content_type(clip(PATIENT, "audio")) == "audio/webm"


@pytest.mark.parametrize("made", [bytes, live], ids=["with-duration", "live"])
def test_mux_copies_one_track_of_each_file(made: Callable[[bytes], bytes]) -> None:
    """The packets are those of the sources, and the sound of the video file is left out."""
    spoken, filmed = made(clip(PATIENT, "audio")), made(clip(CLINICIAN))
    data = footage.mux(spoken, filmed)
    assert seen(data) == {(PATIENT, "audio"), (CLINICIAN, "video")}
    assert payloads(data, "audio") == payloads(spoken, "audio")
    assert payloads(data, "video") == payloads(filmed, "video")
    assert footage.probe(data).duration_s == pytest.approx(1.0, abs=0.03)


def test_mux_takes_either_file_alone() -> None:
    """Without one of the two files the other's track stands alone."""
    assert seen(footage.mux(clip(PATIENT, "audio"), None)) == {(PATIENT, "audio")}
    assert seen(footage.mux(None, clip(PATIENT))) == {(PATIENT, "video")}


@pytest.mark.parametrize("medium", ["audio", "video"])
def test_transcode_keeps_tracks_duration_and_canary(medium: Medium) -> None:
    """The same person is seen and heard for the same time, at fewer bits."""
    before = clips.clip(PATIENT, medium, duration_s=3.0).data
    after = footage.transcode(live(before))
    assert read(after).tracks == read(before).tracks
    assert seen(after) == seen(before)
    assert footage.probe(after).duration_s == pytest.approx(3.0, abs=0.1)
    assert len(after) < len(before)


def test_transcode_makes_large_pictures_smaller() -> None:
    """A camera's picture comes down to the size of the tile at a fraction of the bits, and stays readable."""
    pictured = video.frames(pack(PATIENT), 15, width=640, height=480)
    before = clips.webm(pictured, None, video_bit_rate=1_000_000)
    after = footage.transcode(before)
    assert seen(after) == {(PATIENT, "video")}
    probe = footage.probe(after)
    assert (probe.width, probe.height, probe.has_audio) == (480, 360, False)
    assert len(after) < len(before) / 2


def test_the_thumbnail_shows_the_canary() -> None:
    """The JPEG holds the code, within the size that was asked for."""
    for width, height in ((160, 120), (320, 240), (81, 121)):
        data = footage.thumbnail(clip(PATIENT), width=width, height=height)
        assert data is not None
        assert data.startswith(b"\xff\xd8\xff")
        (luma,) = pictures(data).values()
        assert luma.shape[0] <= height
        assert luma.shape[1] <= width
        if width >= 160:
            assert codes(luma) == [pack(PATIENT)]


def test_the_thumbnail_is_not_of_the_black_beginning() -> None:
    """Black pictures are passed over; where all are black, a black one it is."""
    shown = video.frames(pack(PATIENT), 2, width=160, height=128)
    data = footage.thumbnail(silence_then(shown, 5))
    assert data is not None
    assert codes(next(iter(pictures(data).values()))) == [pack(PATIENT)]
    black = footage.thumbnail(silence_then(shown[:0], 5))
    assert black is not None
    assert codes(next(iter(pictures(black).values()))) == []


def test_sound_has_no_thumbnail() -> None:
    """There is nothing to picture in sound alone."""
    assert footage.thumbnail(clip(PATIENT, "audio")) is None


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("later_s", [0.0, 0.37])
def test_both_are_seen_and_heard_in_a_composite(layout: Layout, later_s: float) -> None:
    """Two persons' pictures and sound can be read in one file, and again when it has been transcoded."""
    data = footage.composite([Part(live(clip(PATIENT)), 7.0, 0), Part(clip(CLINICIAN), 7.0 + later_s, 1)], layout)
    assert footage.content_type(data) == "video/webm"
    assert seen(data) == both(PATIENT, CLINICIAN)
    assert footage.probe(data).duration_s == pytest.approx(1.0 + later_s, abs=0.1)
    assert seen(footage.transcode(data)) == both(PATIENT, CLINICIAN)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("sizes", [((160, 128), (480, 640)), ((480, 640), (640, 360)), ((640, 360), (160, 128))])
def test_cameras_of_all_sizes_stay_readable(layout: Layout, sizes: Sequence[tuple[int, int]]) -> None:
    """Small, wide and upright pictures beside or within each other show their codes."""
    parts = []
    for seat, (canary, (width, height)) in enumerate(zip((PATIENT, CLINICIAN), sizes, strict=True)):
        shown = video.frames(pack(canary), 5, width=width, height=height)
        parts.append(Part(clips.webm(shown, None, video_bit_rate=500_000), 0.0, seat))
    assert seen(footage.composite(parts, layout)) == {(PATIENT, "video"), (CLINICIAN, "video")}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pieces_of_a_seat_follow_one_another(layout: Layout) -> None:
    """Eight pieces, with sound before video, pauses between and a hand-over, are all in their places."""
    spoken, filmed = clip(PATIENT, "audio"), clip(PATIENT)
    parts = [
        Part(spoken, 0.0, 0),
        Part(clip(CLINICIAN, "audio"), 0.1, 1),
        Part(filmed, 2.0, 0),
        Part(clip(CLINICIAN), 2.2, 1),
        Part(filmed, 3.0, 0),
        Part(clip(CLINICIAN, "audio"), 4.5, 1),
        Part(clip(THIRD), 6.0, 2),
        Part(spoken, 7.5, 0),
    ]
    data = footage.composite(parts, layout)
    assert seen(data) == both(PATIENT, CLINICIAN, THIRD)
    assert footage.probe(data).duration_s == pytest.approx(8.5, abs=0.1)
    first_s: dict[tuple[Canary, str], float] = {(each.canary, each.track): each.first_s for each in read(data).canaries}
    expected_s = {(PATIENT, "video"): 2.0, (CLINICIAN, "video"): 2.2, (THIRD, "video"): 6.0, (THIRD, "audio"): 6.0}
    for who, at_s in expected_s.items():
        assert first_s[who] == pytest.approx(at_s, abs=0.25)
    assert seen(footage.transcode(data)) == both(PATIENT, CLINICIAN, THIRD)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seats", [(0, 1), (1, 0)])
def test_a_seat_with_sound_alone_has_a_dark_tile(layout: Layout, seats: tuple[int, int]) -> None:
    """One who is only heard takes part in a composite with pictures."""
    parts = [Part(clip(PATIENT), 0.0, seats[0]), Part(clip(CLINICIAN, "audio"), 0.0, seats[1])]
    data = footage.composite(parts, layout)
    assert seen(data) == {(PATIENT, "audio"), (PATIENT, "video"), (CLINICIAN, "audio")}
    if layout == "side-by-side":
        for luma in pictures(data).values():
            tiles = (luma[:, :160], luma[:, 160:])
            assert is_dark(tiles[seats[1]])
            assert codes(tiles[seats[0]]) == [pack(PATIENT)]


def test_a_tile_is_dark_before_and_after_its_pictures() -> None:
    """Left is the lower seat, and a person stands nowhere but in their tile, nor longer than recorded."""
    data = footage.composite([Part(clip(CLINICIAN), 11.5, 5), Part(clip(PATIENT), 10.0, 3)], "side-by-side")
    shown = pictures(data)
    assert {luma.shape for luma in shown.values()} == {(128, 320)}
    assert max(shown) == 2.4
    for at_s, luma in shown.items():
        left, right = luma[:, :160], luma[:, 160:]
        assert codes(left) == ([pack(PATIENT)] if at_s < 1.0 else [])
        assert codes(right) == ([pack(CLINICIAN)] if at_s >= 1.5 else [])
        assert is_dark(left) == (at_s >= 1.0)
        assert is_dark(right) == (at_s < 1.5)


def test_an_inset_stands_in_the_lower_right_corner() -> None:
    """The lowest seat's picture fills the canvas, and the next one's a ninth of it."""
    parts = [Part(clip(CLINICIAN), 0.0, 1), Part(clip(PATIENT), 0.0, 0)]
    for luma in pictures(footage.composite(parts, "picture-in-picture")).values():
        height, width = luma.shape
        assert (width, height) == (400, 320)
        assert codes(luma[height * 2 // 3 :, width * 2 // 3 :]) == [pack(CLINICIAN)]
        assert codes(luma[: height * 5 // 6, : width * 5 // 6]) == [pack(PATIENT)]


def test_the_later_of_overlapping_pieces_is_shown() -> None:
    """A seat's next piece takes over as soon as it begins."""
    data = footage.composite([Part(clip(PATIENT), 0.0, 0), Part(clip(THIRD), 0.6, 0)], "side-by-side")
    found = {at_s: codes(luma) for at_s, luma in pictures(data).items()}
    assert all(each == [pack(PATIENT) if at_s < 0.6 else pack(THIRD)] for at_s, each in found.items())


def test_sound_alone_gives_mixed_sound() -> None:
    """A composite of sound has one track, in which each voice begins when its piece does."""
    parts = [Part(clip(PATIENT, "audio"), 3.0, 0), Part(live(clip(CLINICIAN, "audio")), 3.5, 1)]
    data = footage.composite(parts, "picture-in-picture")
    assert footage.content_type(data) == "audio/webm"
    assert read(data).tracks == ("audio",)
    first_s = {each.canary: each.first_s for each in read(data).canaries}
    assert first_s == {PATIENT: pytest.approx(0, abs=0.1), CLINICIAN: pytest.approx(0.5, abs=0.1)}


def test_loud_voices_are_not_cut_off_in_the_mix() -> None:
    """Two voices that exceed the full scale together are made quieter as a whole."""
    parts = [Part(sound(each, 48_000, "libopus", amplitude=0.9), 0.0, each.user) for each in (PATIENT, CLINICIAN)]
    data = footage.composite(parts, "side-by-side")
    assert seen(data) == {(PATIENT, "audio"), (CLINICIAN, "audio")}
    loudness = np.abs(heard(data))
    assert loudness.max() < 1.2
    assert (loudness > 0.9).mean() < 0.01


def test_a_pause_within_a_file_stays_where_it_is() -> None:
    """Sound of which packets are missing in the middle is silent there, and in time afterwards."""
    whole = clips.clip(PATIENT, "audio", duration_s=3.0).data
    loudness = np.abs(heard(footage.transcode(live(whole, without_s=(1.0, 2.0)))))
    tenths = [loudness[at * 4800 : (at + 1) * 4800].max() for at in range(30)]
    assert all(each > 0.1 for each in tenths[:9] + tenths[22:29])
    assert all(each < 0.01 for each in tenths[12:19])


@pytest.mark.parametrize(
    ("codec", "rate_hz"),
    [("libopus", 8000), ("libopus", 12_000), ("libopus", 24_000), ("vorbis", 44_100), ("vorbis", 22_050)],
)
def test_sound_of_any_rate_is_mixed(codec: str, rate_hz: int) -> None:
    """Opus and Vorbis, narrow and wide, keep their pitch and length."""
    data = sound(PATIENT, rate_hz, codec)
    assert seen(footage.mux(data, None)) == {(PATIENT, "audio")}
    assert seen(footage.transcode(data)) == {(PATIENT, "audio")}
    mixed = footage.composite([Part(data, 0.0, 0), Part(clip(CLINICIAN, "audio"), 0.0, 1)], "side-by-side")
    assert seen(mixed) == {(PATIENT, "audio"), (CLINICIAN, "audio")}
    assert footage.probe(mixed).duration_s == pytest.approx(1.0, abs=0.1)


def test_only_the_differences_of_time_count() -> None:
    """The composite begins with the earliest piece, and the same media gives the same bytes."""
    early, late = (
        footage.composite([Part(clip(PATIENT), at_s, 0), Part(clip(CLINICIAN), at_s + 0.5, 1)], "side-by-side")
        for at_s in (0.0, 4096.0)
    )
    assert early == late


def test_threads_do_not_disturb_each_other() -> None:
    """Work on four threads at once gives the bytes that one thread gives."""
    parts = [[Part(clip(PATIENT), 0.0, 0), Part(clip(each), 0.0, 1)] for each in (CLINICIAN, THIRD)]

    def work(at: int) -> Sequence[bytes | None]:
        made = footage.composite(parts[at % 2], LAYOUTS[at // 2 % 2])
        return made, footage.transcode(made), footage.thumbnail(made), footage.mux(made, made)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(8))) == [work(at % 4) for at in range(8)]
