"""Exports: every file in a ZIP is read within limits, and what was not read is told by its name."""

import io
import struct
import tracemalloc
import zipfile

import pytest

from harness.media.reading import read
from harness.media.tracks import Limits
from tests.media.encodes import FOREIGN, OURS, archive, encoded, picture

FILM = encoded("webm", "libvpx", "libopus", seconds=1.0)


def test_the_union_of_its_files_is_read() -> None:
    """Films, pictures and sound in one export name everybody who is in it, and words are left to others."""
    reading = read(
        archive(
            {
                "replays/1.webm": FILM,
                "replays/2.wav": encoded("wav", None, "pcm_s16le", canary=FOREIGN),
                "thumbnail.jpg": picture("mjpeg"),
                "index.json": b'{"replays": [1, 2]}',
                "empty.txt": b"",
            }
        )
    )
    assert reading.outcome == "canaries"
    assert {(each.canary, each.track) for each in reading.canaries} == {
        (OURS, "video"),
        (OURS, "audio"),
        (FOREIGN, "audio"),
    }
    assert [each.name for each in reading.members] == ["replays/1.webm", "replays/2.wav", "thumbnail.jpg", "empty.txt"]
    assert reading.tracks == ("video", "audio")
    assert reading.duration_s == pytest.approx(2.0, abs=0.1)
    assert "1 files of words not read here" in reading.note
    assert reading.packets
    (video,) = (each for each in reading.canaries if (each.canary, each.track) == (OURS, "video"))
    assert video.count == 11


def test_the_hash_of_its_packets_is_that_of_its_media() -> None:
    """The same films under other names and in another order hash the same; another film does not."""
    sound = encoded("wav", None, "pcm_s16le")
    one = read(archive({"a": FILM, "b": sound}))
    assert one.packets == read(archive({"c": sound, "d": FILM}, zipfile.ZIP_STORED)).packets
    assert one.packets != read(archive({"a": FILM})).packets


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("inner.zip", archive({"a.webm": FILM}), "an archive in an archive"),
        ("cut.webm", FILM[:-500], "cut off"),
        ("page.svg", b"<svg><image href='http://127.0.0.1/'/></svg>", "Invalid"),
        ("page.html", b'<img src="data:image/png;base64,AAAA">', "Invalid data"),
        ("noise.bin", bytes(range(256)) * 10, "Invalid data"),
        ("picture.png", picture("png", None), "no canary"),
    ],
)
def test_one_file_that_was_not_read_makes_it_partial(name: str, data: bytes, said: str) -> None:
    """What is right in one file does not make up for what was not seen in another, and the note names that one."""
    reading = read(archive({"film.webm": FILM, name: data}))
    assert reading.outcome == "partial"
    assert name in reading.note
    assert said in reading.note


def test_limits_bound_the_files_and_what_they_unpack_to() -> None:
    """More files, or more bytes, than are read make it unreadable or partial."""
    many = archive({f"{number}.txt": b"words" for number in range(12)})
    assert read(many, limits=Limits(max_entries=11)).note == "12 files in an archive, more than 11"
    assert read(many, limits=Limits(max_entries=12)).outcome == "empty"
    films = archive({f"{number}.webm": FILM for number in range(3)}, zipfile.ZIP_STORED)
    reading = read(films, limits=Limits(max_unpacked_bytes=2 * len(FILM) + 10))
    assert (reading.outcome, len(reading.members)) == ("partial", 3)
    assert "bytes unpacked" in reading.note


def test_a_bomb_unpacks_to_no_more_than_the_limit() -> None:
    """Files of zeros that a few kilobytes hold end at the limit, one by one and together."""
    limits = Limits(max_bytes=2**20, max_unpacked_bytes=3 * 2**20)
    flat = archive({f"{number}.webm": bytes(2**20 + 1) for number in range(5)})
    assert len(flat) < 20_000
    reading = read(flat, limits=limits)
    assert reading.outcome == "unreadable"
    assert "more than 1048576 bytes unpacked" in reading.note
    assert "beyond what is unpacked of one archive" in reading.note
    nested = archive({"again.zip": archive({"again.zip": flat})})
    assert (read(nested).outcome, read(nested).note) == ("unreadable", "again.zip: an archive in an archive")


def test_a_bomb_is_never_in_memory() -> None:
    """Of a hundred megabytes no more is unpacked at once than the limit allows."""
    bomb = archive({"a.webm": bytes(100 * 2**20)})
    tracemalloc.start()
    try:
        assert read(bomb, limits=Limits(max_bytes=2**20)).outcome == "unreadable"
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most_bytes < 10 * 2**20


def test_a_header_that_lies_about_a_size_is_not_believed() -> None:
    """A bomb whose directory claims ten bytes is refused as damaged, or read to no more than that."""
    bomb = bytearray(archive({"a.webm": bytes(10**6)}))
    at = bomb.index(b"PK\x01\x02")
    bomb[at + 24 : at + 28] = struct.pack("<I", 10)
    assert read(bytes(bomb)).outcome == "unreadable"


def test_what_the_directory_leaves_out_is_missed() -> None:
    """A file that lies between others, without an entry, is not opened by anybody, and the bytes are counted."""
    whole = archive({"a.webm": FILM, "b.webm": encoded("webm", None, "libopus", canary=FOREIGN)}, zipfile.ZIP_STORED)
    start = whole.index(b"PK\x01\x02")
    second = whole.index(b"PK\x01\x02", start + 4)
    end = whole.index(b"PK\x05\x06")
    tail = bytearray(whole[end:])
    tail[8:16] = struct.pack("<HHI", 1, 1, second - start)
    reading = read(whole[:second] + bytes(tail))
    assert reading.outcome == "partial"
    assert "bytes that the archive does not list" in reading.note


def test_an_encrypted_file_is_named() -> None:
    """It cannot be opened, and says so."""
    data = bytearray(archive({"secret.webm": FILM}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    reading = read(bytes(data))
    assert (reading.outcome, reading.note) == ("unreadable", "secret.webm: encrypted")


def test_a_cut_or_damaged_archive_never_passes() -> None:
    """Wherever it is cut or a byte of it is changed, what is called read was read."""
    whole = archive({"a.webm": FILM, "b.png": picture("png")}, zipfile.ZIP_STORED)
    assert read(whole).outcome == "canaries"
    for at in range(0, len(whole) - 1, len(whole) // 30):
        assert read(whole[:at]).outcome != "canaries"
        damaged = bytearray(whole)
        damaged[at] ^= 0x55
        reading = read(bytes(damaged))
        assert {each.canary for each in reading.canaries} <= {OURS}
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        body = file.getinfo("b.png").header_offset + 60
    changed = bytearray(whole)
    changed[body] ^= 1
    assert "b.png: Bad CRC-32" in read(bytes(changed)).note


def test_an_archive_of_nothing_is_empty() -> None:
    """No files, or words alone, hold nobody's media."""
    assert read(archive({})).outcome == "empty"
    assert read(archive({"a.txt": b"words"})).outcome == "empty"
