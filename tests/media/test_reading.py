"""The reader: every canary in the bytes is reported, and whatever it could not see shows in the outcome."""

import io
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.canary import Canary, pack
from harness.media import audio, clips, video
from harness.media.reading import Reading, read
from harness.media.tracks import Limits

OURS, FOREIGN = Canary(11, 1, 1, 1), Canary(11, 2, 2, 1)
RATE_HZ = clips.AUDIO_RATE_HZ


def seen(reading: Reading) -> set[tuple[Canary, str]]:
    """Return the reading's canaries with their tracks."""
    return {(each.canary, each.track) for each in reading.canaries}


def pictures(canary: Canary, seconds: int, *, key: bytes | None = None) -> video.Luma:
    """Return pictures of the canary at a clip's size and rate."""
    payload = pack(canary) if key is None else pack(canary, key)
    return video.frames(payload, seconds * clips.FRAMES_PER_S, width=clips.WIDTH, height=clips.HEIGHT)


def sound(canary: Canary, seconds: float, slot: int = 0) -> audio.Samples:
    """Return the sound of the canary at a clip's rate."""
    return audio.synthesise(pack(canary), slot, duration_s=seconds, rate_hz=RATE_HZ)


def blank_pictures(seconds: int) -> video.Luma:
    """Return moving pictures of a clip's size without a code."""
    strip = pictures(OURS, seconds)[:, :26]
    return np.tile(strip, (1, 5, 1))[:, : clips.HEIGHT]


def wav(samples: NDArray[np.float64]) -> bytes:
    """Return samples [count, channels] in -1..1 as a WAV file at 8 kHz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(audio.RATE_HZ)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def test_a_canary_spliced_in_late_is_found() -> None:
    """A foreign canary that begins after ten seconds is reported on both tracks, with its time."""
    data = clips.webm(
        np.concatenate([pictures(OURS, 10), pictures(FOREIGN, 2)]),
        np.concatenate([sound(OURS, 10), sound(FOREIGN, 2)]),
    )
    reading = read(data)
    assert reading.outcome == "canaries"
    assert seen(reading) == {(who, track) for who in (OURS, FOREIGN) for track in ("audio", "video")}
    first_s = {(each.canary, each.track): each.first_s for each in reading.canaries}
    assert first_s[OURS, "video"] == 0.0
    assert first_s[FOREIGN, "video"] == pytest.approx(10, abs=0.6)
    assert first_s[FOREIGN, "audio"] == pytest.approx(10, abs=1)


def test_when_each_canary_shows_is_told() -> None:
    """A canary that comes back after another's two seconds has two stretches; one that is away for one has one."""
    order = [OURS] * 2 + [FOREIGN] * 2 + [OURS] * 2 + [FOREIGN] + [OURS]
    data = clips.webm(np.concatenate([pictures(who, 1) for who in order]), np.concatenate([sound(OURS, 8)]))
    reading = read(data)
    video_only = [each for each in reading.stretches if each.track == "video"]
    assert [(each.canary, each.from_s, each.to_s) for each in video_only] == [
        (OURS, 0.0, 2.0),
        (FOREIGN, 2.0, 4.0),
        (OURS, 4.0, 8.0),
        (FOREIGN, 6.0, 7.0),
    ]
    (heard,) = (each for each in reading.stretches if each.track == "audio")
    assert heard.from_s == pytest.approx(0, abs=0.1)
    assert heard.to_s == pytest.approx(8, abs=0.1)
    counts = {(each.canary, each.track): (each.last_s, each.count) for each in reading.canaries}
    assert counts[OURS, "video"] == (8.0, 25)
    assert counts[FOREIGN, "video"] == (7.0, 15)
    assert counts[OURS, "audio"][1] == 10


def test_foreign_pictures_between_own_ones_are_found() -> None:
    """Every picture is searched: one that is neither first nor on any half second may be the leak."""
    mixed = pictures(OURS, 1)
    mixed[1] = pictures(FOREIGN, 1)[1]
    assert {canary for canary, _ in seen(read(clips.webm(mixed, sound(OURS, 1.0))))} == {OURS, FOREIGN}


def test_a_picture_in_the_picture_is_found() -> None:
    """A frame that shows two users' codes at once reports both."""
    both = np.concatenate([pictures(OURS, 2), pictures(FOREIGN, 2)], axis=2)
    reading = read(clips.webm(both, sound(OURS, 2)))
    assert seen(reading) == {(OURS, "video"), (FOREIGN, "video"), (OURS, "audio")}


def test_two_speakers_in_one_track_are_found() -> None:
    """A mix of two users' sound reports both."""
    reading = read(clips.webm(None, sound(OURS, 2, slot=0) + sound(FOREIGN, 2, slot=1), audio_bit_rate=32_000))
    assert seen(reading) == {(OURS, "audio"), (FOREIGN, "audio")}


def test_the_second_channel_is_listened_to() -> None:
    """Each channel is read by itself: two that cancel in a mix, and two with different canaries."""
    samples = audio.synthesise(pack(FOREIGN), 0, duration_s=1.0, rate_hz=audio.RATE_HZ).astype(float)
    assert seen(read(wav(np.stack([-samples, samples], axis=1)))) == {(FOREIGN, "audio")}
    ours = audio.synthesise(pack(OURS), 0, duration_s=1.0, rate_hz=audio.RATE_HZ).astype(float)
    reading = read(wav(np.stack([ours, samples], axis=1)))
    assert seen(reading) == {(OURS, "audio"), (FOREIGN, "audio")}


@pytest.mark.parametrize("channels", range(1, 9))
def test_as_many_channels_as_there_may_be_are_each_listened_to(channels: int) -> None:
    """In the last of up to eight channels a foreign canary is heard beside noise; a ninth is refused."""
    samples = np.random.default_rng(1).normal(0, 0.05, (audio.RATE_HZ, channels))
    samples[:, -1] = audio.synthesise(pack(FOREIGN), 0, duration_s=1.0, rate_hz=audio.RATE_HZ)
    assert seen(read(wav(samples))) == {(FOREIGN, "audio")}
    ninth = read(wav(np.tile(samples, (1, 9))[:, :9]))
    assert (ninth.outcome, ninth.note.startswith("sound of 9 channels")) == ("unreadable", True)


def test_a_second_track_is_read() -> None:
    """A foreign canary in another track of the same kind is found."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="webm") as container:
        streams = [container.add_stream("libopus", rate=RATE_HZ, layout="mono") for _ in range(2)]
        for stream, canary in zip(streams, (OURS, FOREIGN), strict=True):
            frame = av.AudioFrame.from_ndarray(sound(canary, 1)[None], "flt", "mono")
            frame.sample_rate, frame.pts = RATE_HZ, 0
            container.mux([*stream.encode(frame), *stream.encode(None)])
    reading = read(buffer.getvalue())
    assert reading.tracks == ("audio", "audio")
    assert seen(reading) == {(OURS, "audio"), (FOREIGN, "audio")}


def test_two_files_in_one_are_both_read() -> None:
    """A second recording appended to the first one's bytes is found, although its time begins anew."""
    reading = read(clips.clip(OURS, "video").data + clips.clip(FOREIGN, "video").data)
    assert seen(reading) == {(who, track) for who in (OURS, FOREIGN) for track in ("audio", "video")}


def test_media_of_another_run_names_its_run() -> None:
    """A clip of an earlier run is read with its own run number."""
    earlier = Canary(run=999_999, user=1, call=1, mode=0)
    assert {each.canary.run for each in read(clips.clip(earlier, "audio").data).canaries} == {999_999}


@pytest.mark.parametrize("track", ["audio", "video"])
def test_a_track_without_a_canary_makes_it_partial(track: str) -> None:
    """Sound or pictures without a canary beside a track that has one are partial, and the note says which."""
    noise = np.random.default_rng(1).normal(0, 0.1, 2 * RATE_HZ).astype(np.float32)
    data = clips.webm(pictures(OURS, 2), noise) if track == "audio" else clips.webm(blank_pictures(2), sound(OURS, 2))
    reading = read(data)
    assert (reading.outcome, len(reading.canaries)) == ("partial", 1)
    assert reading.note == f"{track}: no canary"


def test_a_track_that_shows_nothing_does_no_harm() -> None:
    """A muted microphone or a covered camera beside a canary is not partial, but noted."""
    muted = read(clips.webm(pictures(OURS, 2), np.zeros(2 * RATE_HZ, np.float32)))
    covered = read(clips.webm(np.full((10, 128, 160), 16, np.uint8), sound(OURS, 2)))
    assert (muted.outcome, muted.note) == ("canaries", "audio: silent")
    assert (covered.outcome, covered.note) == ("canaries", "video: flat pictures")


def test_a_camera_that_opens_late_is_read() -> None:
    """After flat pictures every frame is tested until a code shows, however short."""
    flat = np.full((9, 128, 160), 16, np.uint8)
    reading = read(clips.webm(np.concatenate([flat, pictures(FOREIGN, 1)[:1], flat]), None))
    assert seen(reading) == {(FOREIGN, "video")}


def test_a_blank_at_the_sample_is_followed_by_the_next_frame() -> None:
    """Where a sample shows no code, a foreign code in the very next frame is found."""
    parts = [pictures(OURS, 1)[:3], blank_pictures(1)[:1], pictures(FOREIGN, 1)[:1], pictures(OURS, 1)]
    data = clips.webm(np.concatenate(parts), None, video_bit_rate=400_000)
    assert seen(read(data)) == {(OURS, "video"), (FOREIGN, "video")}


def test_timestamps_that_lie_hide_nothing() -> None:
    """Many frames in what claims to be a few milliseconds are sampled by their number."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=1000, width=160, height=128, pix_fmt="yuv420p")
        stream.bit_rate = 30_000_000
        for at, luma in enumerate(np.concatenate([pictures(OURS, 4), pictures(FOREIGN, 4)])):
            frame = av.VideoFrame.from_ndarray(video.yuv420p(luma), "yuv420p")
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    reading = read(buffer.getvalue())
    assert reading.duration_s < 0.1
    assert seen(reading) == {(OURS, "video"), (FOREIGN, "video")}


def test_an_unknown_tag_is_told_apart() -> None:
    """A well-formed payload of another key is neither a canary nor nothing, even beside a canary of ours."""
    stranger = clips.clip(OURS, "video", key=b"another key").data
    assert (read(stranger).outcome, read(stranger).canaries) == ("unknown-tag", ())
    assert read(stranger, key=b"another key").outcome == "canaries"
    mixed = np.concatenate([pictures(OURS, 2), pictures(OURS, 2, key=b"another key")])
    reading = read(clips.webm(mixed, sound(OURS, 4)))
    assert (reading.outcome, len(reading.canaries)) == ("unknown-tag", 2)
    assert "video: 1 payloads with an unknown tag" in reading.note


def test_a_tone_is_no_canary() -> None:
    """A WAV file that plays a tone has energy and no canary."""
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / audio.RATE_HZ)
    reading = read(wav(tone[:, None]))
    assert (reading.outcome, reading.tracks, reading.duration_s) == ("no-canary", ("audio",), 2.0)


def test_noise_and_pictures_are_no_canary() -> None:
    """Random sound and pictures, from many seeds, accuse nobody."""
    for seed in range(15):
        draw = np.random.default_rng(seed)
        noise = draw.normal(0, 0.2, 3 * RATE_HZ).astype(np.float32)
        cells = draw.integers(16, 235, (15, 16, 20), dtype=np.uint8)
        reading = read(clips.webm(np.kron(cells, np.ones((1, 8, 8), np.uint8)), noise))
        assert (reading.outcome, reading.canaries) == ("no-canary", ())


def test_nothing_is_empty() -> None:
    """No bytes, silence, flat pictures and a file without frames are empty."""
    assert read(b"").outcome == "empty"
    assert read(wav(np.zeros((8000, 2)))).outcome == "empty"
    assert read(wav(np.zeros((0, 1)))).outcome == "empty"
    assert read(clips.webm(np.full((5, 128, 160), 90, np.uint8), None)).outcome == "empty"


@pytest.mark.parametrize(
    "data",
    [
        np.random.default_rng(1).bytes(20_000),
        b"<!doctype html><title>Sign in</title>" * 30,
        b"not found",
        b'{"detail": "forbidden"}',
        bytes(10_000),
        clips.clip(OURS, "video").data[3000:],
        clips.clip(OURS, "video").data[:200],
    ],
    ids=["random", "html", "text", "json", "zeros", "without its first chunk", "header only"],
)
def test_what_cannot_be_decoded_is_unreadable(data: bytes) -> None:
    """Bytes that are no media, or have lost their head, are unreadable, and the note says why."""
    reading = read(data)
    assert (reading.outcome, reading.canaries) == ("unreadable", ())
    assert reading.note


def test_a_script_cannot_name_other_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script or playlist that points to a local recording is not followed."""
    monkeypatch.chdir(tmp_path)
    Path("local.webm").write_bytes(clips.clip(FOREIGN, "audio").data)
    for script in (
        b"ffconcat version 1.0\nfile local.webm\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nlocal.webm\n#EXT-X-ENDLIST\n",
    ):
        reading = read(script)
        assert (reading.outcome, reading.tracks) == ("unreadable", ())


@pytest.mark.parametrize(("speech", "outcome"), [(sound(OURS, 1), "partial"), (None, "unreadable")])
def test_a_track_that_cannot_be_decoded_is_not_passed(speech: audio.Samples | None, outcome: str) -> None:
    """Pictures in another codec than declared are reported, with or without a canary beside them."""
    data = clips.webm(pictures(OURS, 1), speech)
    reading = read(data.replace(b"V_VP8", b"V_VP9"))
    assert reading.outcome == outcome
    assert "video: not one frame can be decoded" in reading.note


def test_lost_packets_are_noted_and_many_are_not_passed() -> None:
    """A track of which much cannot be decoded is partial, although its canary was seen."""
    foreign_sound_as_video = clips.clip(OURS, "video").data + clips.clip(FOREIGN, "audio").data
    reading = read(foreign_sound_as_video)
    assert reading.outcome == "partial"
    assert "packets corrupt" in reading.note


def test_damage_never_raises_nor_accuses() -> None:
    """Three hundred ways of damaging a clip end in an outcome, and never in somebody else's canary."""
    whole = clips.clip(OURS, "video").data
    for seed in range(300):
        draw = np.random.default_rng(seed)
        data = np.frombuffer(whole, np.uint8).copy()
        reach = 400 if seed % 2 else len(data)
        data[draw.integers(0, reach, 1 + seed % 30)] = draw.integers(0, 256, 1 + seed % 30)
        assert {each.canary for each in read(data.tobytes()).canaries} <= {OURS}


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(max_bytes=1000), "more than 1000"),
        (Limits(max_duration_s=1.5), "longer than 1.5 s"),
        (Limits(max_frames=5), "more than 5 pictures"),
        (Limits(max_pixels=1000), "pictures of 160x128"),
        (Limits(max_tracks=1), "2 tracks, more than 1"),
        (Limits(max_channels=0), "sound of 1 channels"),
    ],
)
def test_limits(limits: Limits, reason: str) -> None:
    """Media beyond a limit is unreadable with a note, never silently passed."""
    data = clips.clip(OURS, "video", duration_s=2.0).data
    assert read(data).outcome == "canaries"
    reading = read(data, limits=limits)
    assert reading.outcome == "unreadable"
    assert reason in reading.note
