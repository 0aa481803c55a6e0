"""Still pictures: what they show, what lies inside and behind them, and sizes that are refused unseen."""

import struct
import zlib

import pytest

from harness.media.pictures import still
from harness.media.reading import read
from harness.media.tracks import Limits
from tests.media.encodes import FOREIGN, OURS, picture

CODECS = ("mjpeg", "png", "libwebp")


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def huge_png(side: int, *, is_real: bool) -> bytes:
    """Return a grey PNG of so many pixels a side: its header alone, or all of its rows, which shrink to nothing."""
    header = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + side)) for _ in range(side)) + packer.flush() if is_real else b""
    return header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("width", "height"), [(320, 240), (160, 120), (96, 72)])
def test_a_still_picture_is_read_down_to_a_thumbnail(codec: str, width: int, height: int) -> None:
    """JPEG, PNG and WebP show their canary, for no time at all, by their bytes and not by a name."""
    reading = read(picture(codec, FOREIGN, width=width, height=height))
    assert (reading.outcome, reading.tracks, reading.duration_s, reading.packets) == ("canaries", ("video",), 0.0, "")
    (sighting,) = reading.canaries
    assert (sighting.canary, sighting.track, sighting.first_s, sighting.last_s) == (FOREIGN, "video", 0.0, 0.0)


@pytest.mark.parametrize("codec", CODECS)
def test_a_picture_without_a_code_is_no_canary(codec: str) -> None:
    """It has content, and names nobody."""
    assert read(picture(codec, None)).outcome == "no-canary"


@pytest.mark.parametrize("codec", CODECS)
def test_half_a_picture_never_passes(codec: str) -> None:
    """Cut at any of forty places it is read as far as it goes and is partial or unreadable."""
    whole = picture(codec)
    for share in range(40):
        reading = read(whole[: len(whole) * share // 40])
        assert reading.outcome in ({"empty"} if share == 0 else {"partial", "unreadable"}), share
        assert {each.canary for each in reading.canaries} <= {OURS}
    assert read(whole[:-1]).outcome != "canaries"


def test_a_thumbnail_in_the_metadata_is_read() -> None:
    """A camera's own thumbnail inside the file may be of somebody else's picture."""
    inner, outer = picture("mjpeg", FOREIGN, width=160, height=120), picture("mjpeg")
    exif = b"Exif\0\0" + inner
    data = outer[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + outer[2:]
    reading = read(data)
    assert (reading.outcome, {each.canary for each in reading.canaries}) == ("canaries", {OURS, FOREIGN})


@pytest.mark.parametrize("codec", CODECS)
def test_what_follows_a_picture_is_read_or_named(codec: str) -> None:
    """A second picture behind the first is read; any other bytes there make it partial, padding does not."""
    first = picture(codec)
    assert {each.canary for each in read(first + picture("png", FOREIGN)).canaries} == {OURS, FOREIGN}
    assert read(first + b"somebody's film").outcome == "partial"
    assert read(first + bytes(64)).outcome == "canaries"


@pytest.mark.parametrize("is_real", [False, True], ids=["header", "real"])
def test_a_huge_png_is_refused_unseen(*, is_real: bool) -> None:
    """Ten thousand pixels a side are told by the header, before a row is unpacked."""
    reading = read(huge_png(10_000, is_real=is_real))
    assert (reading.outcome, reading.note) == ("unreadable", "pictures of 10000x10000")


@pytest.mark.parametrize("side", [10_000, 65_500])
def test_a_huge_jpeg_is_refused_unseen(side: int) -> None:
    """The size stands in the frame's header, and is believed when it is too large."""
    small = picture("mjpeg")
    at = small.index(b"\xff\xc0")
    data = small[: at + 5] + struct.pack(">HH", side, side) + small[at + 9 :]
    assert (read(data).outcome, read(data).note) == ("unreadable", f"pictures of {side}x{side}")


def test_a_header_that_lies_about_its_size_never_passes() -> None:
    """A PNG and a JPEG that claim to be within the limit and hold less are not called read."""
    for codec, mark, skip, form in (("png", b"IHDR", 4, ">II"), ("mjpeg", b"\xff\xc0", 5, ">HH")):
        whole = picture(codec)
        at = whole.index(mark) + skip
        size = struct.pack(form, 2000, 2000)
        assert read(whole[:at] + size + whole[at + len(size) :]).outcome != "canaries", codec


def test_many_pictures_in_one_file_are_too_many() -> None:
    """A file of more pictures than a file has tracks is read in part, and never passes."""
    reading = read(picture("mjpeg") * 5, limits=Limits(max_tracks=3))
    assert (reading.outcome, reading.note) == ("partial", "more than 3 pictures in one file")


def test_kinds_are_told_by_bytes() -> None:
    """What is none of the four kinds is no still picture."""
    found = [still(picture(codec)) for codec in CODECS]
    assert [each and each.form for each in found] == ["jpeg_pipe", "png_pipe", "webp_pipe"]
    assert still(b"RIFF\0\0\0\0WAVE") is None
