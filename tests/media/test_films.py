"""Containers and codecs: each is read, a copy in another wrapping is known, and what was cut off never passes."""

from __future__ import annotations

import io
import re
from fractions import Fraction
from typing import Any

import av
import pytest
from av.packet import Packet

from harness.media.decoders import Decoders
from harness.media.reading import glance, read
from harness.media.tracks import Track
from tests.media.encodes import FOREIGN, OURS, archive, encoded, picture, remuxed

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
KINDS: dict[str, tuple[str, str | None, str | None, int, dict[str, str]]] = {
    "webm vp8": ("webm", "libvpx", "libopus", 48_000, {}),
    "webm vp9": ("webm", "libvpx-vp9", "libopus", 48_000, {}),
    "live webm": ("webm", "libvpx", "libopus", 48_000, {"live": "1"}),
    "mkv pcm": ("matroska", "libvpx", "pcm_s16le", 16_000, {}),
    "mp4": ("mp4", "libx264", "aac", 48_000, {}),
    "mp4 opus": ("mp4", "libx264", "libopus", 48_000, {}),
    "fragmented mp4": ("mp4", "libx264", "aac", 48_000, FRAGMENTED),
    "m4a": ("mp4", None, "aac", 48_000, {}),
    "ogg opus": ("ogg", None, "libopus", 48_000, {}),
    "ogg flac": ("ogg", None, "flac", 16_000, {}),
    "wav": ("wav", None, "pcm_s16le", 48_000, {}),
    "telephony wav": ("wav", None, "pcm_mulaw", 8_000, {}),
    "flac": ("flac", None, "flac", 16_000, {}),
    "mp3": ("mp3", None, "libmp3lame", 44_100, {}),
    "aac": ("adts", None, "aac", 48_000, {}),
    "ivf": ("ivf", "libvpx", None, 48_000, {}),
}
UNTRACEABLE = {"aac", "mp3", "fragmented mp4", "live webm"}
"""These say nowhere how much there is: a cut between two parts leaves no trace."""


def film(name: str) -> bytes:
    """Return two seconds of a kind."""
    container, pictures, sound, rate_hz, options = KINDS[name]
    return encoded(container, pictures, sound, rate_hz=rate_hz, options=options)


@pytest.mark.parametrize("name", KINDS)
def test_every_container_is_read_to_its_end(name: str) -> None:
    """Each track shows its canary, from its beginning to its end."""
    reading = read(film(name))
    _, pictures, sound, _, _ = KINDS[name]
    assert (reading.outcome, reading.note) == ("canaries", "")
    assert {each.track for each in reading.canaries} == {
        kind for kind, codec in (("video", pictures), ("audio", sound)) if codec
    }
    assert {each.canary for each in reading.canaries} == {OURS}
    assert reading.duration_s == pytest.approx(2.0, abs=0.15)
    assert all(each.count == 20 for each in reading.canaries if each.track == "video")
    assert reading.packets


@pytest.mark.parametrize("name", KINDS)
def test_a_file_that_was_cut_off_never_passes(name: str) -> None:
    """However much is left, the beginning is read, and no outcome says that this was all."""
    whole = film(name)
    digest, found = read(whole).packets, 0
    for share in range(2, 40):
        reading = read(whole[: len(whole) * share // 40])
        found += bool(reading.canaries)
        assert {each.canary for each in reading.canaries} <= {OURS}
        assert reading.outcome in ("partial", "unreadable") or name in UNTRACEABLE
        assert reading.packets != digest
    assert found or name in ("mp4", "mp4 opus", "m4a"), "their directory stands at the end"
    assert name in UNTRACEABLE or read(whole[:-1]).outcome in ("partial", "unreadable")


def test_a_live_stream_is_cut_between_its_parts_only() -> None:
    """Within a block or a box a cut is seen also where nobody says how long the whole is."""
    whole = film("live webm")
    outcomes = {read(whole[: len(whole) // 2 + more]).outcome for more in range(0, 40, 3)}
    assert "partial" in outcomes
    assert read(film("fragmented mp4")[:-300]).outcome == "partial"


def test_bytes_behind_the_end_are_not_passed_over() -> None:
    """What a demuxer would leave out, since it comes after the last part, makes the reading partial."""
    for name in ("webm vp8", "mp4", "ogg opus", "wav"):
        reading = read(film(name) + b"\x7fsomething else" * 40)
        assert (reading.outcome, {each.canary for each in reading.canaries}) == ("partial", {OURS}), name


def test_blocks_of_a_track_that_nobody_declared_are_missed() -> None:
    """A foreign recording whose blocks name a track without an entry is not decoded by anybody, and that is said."""
    whole = film("webm vp8")
    *_, sound = re.finditer(rb"\xa3..?(\x82)..\x80", whole, re.DOTALL)
    reading = read(whole[: sound.start(1)] + b"\x85" + whole[sound.end(1) :])
    assert reading.outcome == "partial"
    assert "blocks were not read" in reading.note


@pytest.mark.parametrize(("name", "others"), [("webm vp8", ["matroska"]), ("mp4", ["matroska", "mov"])])
def test_the_same_packets_in_another_container_have_the_same_hash(name: str, others: list[str]) -> None:
    """A remuxed copy is other bytes and the same media; another recording of the same length is not."""
    whole = film(name)
    copies = [whole, *(remuxed(whole, container) for container in others)]
    assert len(set(copies)) == len(copies)
    assert {read(copy).packets for copy in copies} == {read(whole).packets}
    container, pictures, sound, rate_hz, options = KINDS[name]
    other = encoded(container, pictures, sound, canary=FOREIGN, rate_hz=rate_hz, options=options)
    assert read(other).packets not in {"", read(whole).packets}


def test_a_remuxed_copy_is_not_decoded_again_and_a_cut_one_is() -> None:
    """The copy's reading says whence it is; what is cut off or differs is read by itself."""
    whole = film("webm vp8")
    with Decoders(1) as decoders:
        first = decoders.read(whole)
        copy = decoders.read(remuxed(whole, "matroska"))
        assert (copy.outcome, copy.canaries, copy.packets) == (first.outcome, first.canaries, first.packets)
        assert copy.note == "coded as what was read before"
        assert "before" not in decoders.read(whole[:-1]).note
        assert "before" not in decoders.read(encoded("webm", "libvpx", "libopus", canary=FOREIGN)).note


def test_what_an_edit_list_hides_is_read() -> None:
    """An MP4 that a player begins late holds what comes before all the same."""
    buffer = io.BytesIO()
    with av.open(io.BytesIO(film("mp4")), "r") as old, av.open(buffer, "w", format="mp4") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None and packet.pts is not None and packet.time_base:
                packet.pts -= int(1 / packet.time_base)
                packet.dts -= int(1 / packet.time_base)
                packet.stream = stream
                new.mux(packet)
    (sighting,) = read(buffer.getvalue()).canaries
    assert sighting.count == 20


def test_an_attachment_is_not_passed_over() -> None:
    """A picture that is attached to a film is read with it."""
    buffer = io.BytesIO()
    with av.open(io.BytesIO(film("webm vp8")), "r") as old, av.open(buffer, "w", format="matroska") as new:
        streams = {each.index: new.add_stream_from_template(each) for each in old.streams.get()}
        new.add_attachment("cover.jpg", "image/jpeg", picture("mjpeg", FOREIGN))
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
    assert {each.canary for each in read(buffer.getvalue()).canaries} == {OURS, FOREIGN}


def test_a_glance_finds_and_never_passes() -> None:
    """It sees a foreign canary at the beginning, none that comes later, and its outcome never says that all is well."""
    foreign = encoded("webm", "libvpx", "libopus", canary=FOREIGN)
    assert {(each.canary, each.track) for each in glance(foreign).canaries} == {(FOREIGN, "video"), (FOREIGN, "audio")}
    for media in (foreign, film("wav"), picture("png"), archive({"a.png": picture("png")}), film("webm vp8")[:-1]):
        assert glance(media).outcome == "glanced"
    assert (glance(b"").outcome, glance(b"nothing that plays").outcome) == ("empty", "unreadable")


def test_a_glance_is_cheaper_than_a_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of six seconds with one key picture it decodes that picture and less than two seconds of sound."""
    decoded: list[str] = []
    decode = Track.decode

    def count(track: Track, packet: Packet[Any]) -> None:
        decoded.append(track.kind)
        decode(track, packet)

    monkeypatch.setattr(Track, "decode", count)
    glance(encoded("webm", "libvpx", "libopus", seconds=6.0))
    assert 1 <= decoded.count("video") <= 3
    assert 85 <= decoded.count("audio") <= 100


def test_a_picture_that_repeats_to_the_pixel_is_counted_each_time() -> None:
    """Standing pictures are searched once and seen throughout; a foreign one between two of them is seen."""
    buffer = io.BytesIO()
    with av.open(io.BytesIO(picture("png")), "r") as ours, av.open(io.BytesIO(picture("png", FOREIGN)), "r") as foreign:
        pictures = [next(file.decode(video=0)) for file in (ours, foreign)]
    with av.open(buffer, "w", format="matroska") as file:
        stream = file.add_stream("ffv1", rate=10, width=320, height=240, pix_fmt="gray")
        for at in range(9):
            frame = pictures[at == 4]
            frame.pts, frame.time_base = at, Fraction(1, 10)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    counts = {each.canary: each.count for each in read(buffer.getvalue()).canaries}
    assert counts == {OURS: 8, FOREIGN: 1}
