"""Hostile media ends as a reading within limits; nothing hangs, nothing is fetched, and nothing unseen passes."""

from __future__ import annotations

import socket
import struct
import wave
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from harness.media import clips
from harness.media.decoders import Confinement, Decoders
from harness.media.reading import read
from harness.media.tracks import Limits
from tests.media.encodes import FOREIGN, OURS, archive, encoded, picture

CLIP = clips.clip(OURS, "video").data
LIVE = encoded("webm", "libvpx", "libopus", options={"live": "1"}, seconds=1.0)


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    """Return decoders as a run has them, with less patience."""
    with Decoders(2, confinement=Confinement(deadline_s=20.0)) as pool:
        yield pool


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """Return a server that nobody may ever connect to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def box(kind: bytes, body: bytes) -> bytes:
    """Return a box of an MP4."""
    return struct.pack(">I", 8 + len(body)) + kind + body


def pointers(url: str) -> dict[str, bytes]:
    """Return files of many kinds that name a place where the media would be."""
    where = url.encode()
    film = encoded("matroska", "libvpx", None, seconds=0.5)
    reference = box(b"rdrf", bytes(4) + b"url " + struct.pack(">I", len(where) + 1) + where + b"\0")
    return {
        "hls": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + where + b"\n#EXT-X-ENDLIST\n",
        "hls key": b'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="' + where + b'"\n#EXTINF:1,\n' + where + b"\n",
        "concat": b"ffconcat version 1.0\nfile '" + where + b"'\n",
        "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet>'
        b'<Representation id="1"><BaseURL>' + where + b"</BaseURL></Representation></AdaptationSet></Period></MPD>",
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="' + where + b'"/></svg>',
        "mov": box(b"ftyp", b"qt  " + bytes(4)) + box(b"moov", box(b"rmra", box(b"rmda", reference))),
        "mkv": film.replace(b"Lavf", b"http", 1) + where,
        "asx": b'<asx version="3.0"><entry><ref href="' + where + b'"/></entry></asx>',
    }


@pytest.mark.parametrize("kind", pointers("http://x/"))
@pytest.mark.parametrize("scheme", ["http", "file", "concat", "tcp"])
def test_nothing_is_fetched_from_elsewhere(
    kind: str, scheme: str, elsewhere: socket.socket, decoders: Decoders, tmp_path: Path
) -> None:
    """Neither the reader nor a decoder process follows what points to a server or a file, alone or in an archive."""
    foreign = tmp_path / "foreign.webm"
    foreign.write_bytes(clips.clip(FOREIGN, "audio").data)
    port = elsewhere.getsockname()[1]
    url = {
        "http": f"http://127.0.0.1:{port}/foreign.webm",
        "tcp": f"tcp://127.0.0.1:{port}",
        "file": f"file://{foreign}",
        "concat": f"concat:{foreign}",
    }[scheme]
    data = pointers(url)[kind]
    for reading in (read(data), decoders.read(data), decoders.read(archive({"film.webm": data}))):
        assert reading.outcome not in ("canaries", "glanced")
        assert FOREIGN not in {each.canary for each in reading.canaries}
    with pytest.raises(BlockingIOError):
        elsewhere.accept()


@pytest.mark.parametrize("kind", ["hls", "concat"])
def test_the_pointers_do_point(kind: str, elsewhere: socket.socket) -> None:
    """FFmpeg told to trust these very files does connect, so that nobody connecting above means something."""
    data = pointers(f"http://127.0.0.1:{elsewhere.getsockname()[1]}/foreign.webm")[kind]
    trust = {"safe": "0", "extension_picky": "0", "protocol_whitelist": "http,tcp"}
    with pytest.raises(av.FFmpegError):
        av.open(BytesIO(data), "r", format=kind, options=trust, timeout=1.0)
    elsewhere.accept()[0].close()


def endless_wav(size: int) -> bytes:
    """Return noise as a WAV that says it has no end."""
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8).tobytes())
    head = bytearray(buffer.getvalue())
    head[4:8] = head[40:44] = b"\xff" * 4
    return bytes(head)


ENDLESS = LIVE + LIVE[LIVE.index(b"\x1fC\xb6u") :] * 100
"""A live stream whose clusters come again and again."""
HOSTILE = {
    "zero bytes": b"",
    "zeros": bytes(2**20),
    "an endless wav": endless_wav(12 * 2**20),
    "only headers": CLIP[:300] * 2000,
    "a million atoms": box(b"ftyp", b"isom" + bytes(4)) + box(b"free", b"") * 10**6,
    "boxes in boxes": b"".join(struct.pack(">I", 2**20 - 8 * at) + b"moov" for at in range(2**16)),
    "a flat bomb": archive({f"{at}.webm": bytes(63 * 2**20) for at in range(2)}),
    "a nested bomb": archive({"a.zip": archive({"b.zip": archive({"c.webm": bytes(2**24)})})}),
    "a page": b"<!doctype html><title>Sign in</title>" * 30,
    "a huge picture": picture("png").replace(struct.pack(">II", 320, 240), struct.pack(">II", 2**31 - 1, 2**31 - 1)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_media_ends_as_unreadable(name: str, decoders: Decoders) -> None:
    """Whatever it claims, it ends within the limits of a decoder, and is not said to be anybody's."""
    reading = decoders.read(HOSTILE[name])
    assert reading.outcome in ("unreadable", "empty")
    assert (reading.outcome == "empty") <= (name == "zero bytes")
    assert "decoder" not in reading.note, "it was refused, not crashed on"
    assert decoders.read(CLIP).outcome == "canaries"


def test_an_endless_stream_ends_at_each_limit() -> None:
    """Pictures, packets and seconds are counted while they come."""
    for limits, said in (
        (Limits(max_frames=50), "more than 50 pictures"),
        (Limits(max_packets=500), "more than 500 packets"),
        (Limits(max_duration_s=20.0), "longer than 20 s"),
        (Limits(max_bytes=2**20), "more than 1048576"),
    ):
        reading = read(ENDLESS, limits=limits)
        assert reading.outcome == "unreadable"
        assert said in reading.note


@pytest.mark.parametrize(
    "data",
    [
        picture("png"),
        picture("mjpeg"),
        picture("libwebp"),
        encoded("wav", None, "pcm_s16le"),
        archive({"a": CLIP}),
        CLIP,
    ],
    ids=["png", "jpeg", "webp", "wav", "zip", "webm"],
)
def test_names_and_types_say_nothing(data: bytes, decoders: Decoders) -> None:
    """The reader is given bytes alone: a PNG that was served as a film is read as a PNG."""
    assert {each.canary for each in decoders.read(data).canaries} == {OURS}
    renamed = decoders.read(archive({"film.webm": data})) if not data.startswith(b"PK") else decoders.read(data)
    assert renamed.outcome == "canaries"


def test_a_clip_cut_at_any_place_never_passes(decoders: Decoders) -> None:
    """At a hundred places, of a clip as the harness films it."""
    outcomes = {decoders.read(CLIP[: len(CLIP) * at // 100]).outcome for at in range(1, 100)}
    assert outcomes == {"partial", "unreadable"}


def test_noise_is_unreadable(decoders: Decoders) -> None:
    """Random bytes, alone or behind the mark of each kind of media, are nobody's."""
    marks = (
        b"",
        CLIP[:40],
        b"OggS\0\2",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"RIFF\xff\0\0\0WEBP",
        b"PK\3\4",
        b"fLaC",
    )
    for seed in range(10):
        draw = np.random.default_rng(seed)
        for mark in marks:
            reading = decoders.read(mark + draw.bytes(int(draw.integers(1, 5000))))
            assert (reading.outcome, reading.canaries) == ("unreadable", ()), (seed, mark)


@pytest.mark.parametrize("name", ["webm", "mp4", "png", "jpeg", "zip"])
def test_flipped_bits_accuse_nobody(name: str, decoders: Decoders) -> None:
    """A damaged file gives its own canary or none, at no place anybody else's, and no damage kills a decoder."""
    whole = {
        "webm": CLIP,
        "mp4": encoded("mp4", "libx264", "aac", seconds=1.0),
        "png": picture("png"),
        "jpeg": picture("mjpeg"),
        "zip": archive({"a.webm": CLIP}),
    }[name]
    for seed in range(60):
        draw = np.random.default_rng(seed)
        data = np.frombuffer(whole, np.uint8).copy()
        at = draw.integers(0, 400 if seed % 2 else len(data), 1 + seed % 8)
        data[at] ^= np.uint8(1) << draw.integers(0, 8, len(at), dtype=np.uint8)
        reading = decoders.read(data.tobytes())
        assert {each.canary for each in reading.canaries} <= {OURS}
        assert "decoder" not in reading.note, seed
