"""What a file is, by what it begins with: media, an archive, text in one of many encodings."""

from __future__ import annotations

import codecs
from typing import Literal

from harness.canary import pack
from harness.media import reading

PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8")
SYNCS = (b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1", b"\xff\xf9")
"""Two bytes with which sound begins; by chance anything else may, too."""
SOUNDS = (b"ID3", b"fLaC", *SYNCS)
FILMS = (b"\x1aE\xdf\xa3", b"OggS", b"RIFF", b"DKIF")
BOXES = (b"ftyp", b"styp", b"moov", b"moof", b"mdat")
"""What an MP4 begins with, after a length of four bytes."""
ARCHIVE = b"PK\x03\x04"
MEDIA = ("audio/", "video/", "image/")
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Marks of byte order, a longer one before one that it begins with."""
ANY = "latin-1"
"""In which every byte is a character: the words of ASCII within whatever it is are found all the same."""
HOSTS = frozenset({"idna", "punycode"})
"""In which the names of hosts are written, and no body; to read one takes as long as its length squared."""
HEAD_BYTES = 1024

Track = Literal["audio", "video", "picture", "text"]
Read = tuple[tuple[tuple[int, Track], ...], str]
"""The canaries of a file, each with its kind of track, and the outcome of the reading."""


def is_media(data: bytes) -> bool:
    """True for what begins as pictures, sound and films do, whatever it calls itself."""
    return data.startswith((*PICTURES, *SOUNDS, *FILMS)) or (data[:1] == b"\x00" and data[4:8] in BOXES)


def is_certainly_a_file(data: bytes) -> bool:
    """True for what begins as media or an archive do, by more than two bytes."""
    return data.startswith(ARCHIVE) or (is_media(data) and not data.startswith(SYNCS))


def is_text(data: bytes, content_type: str) -> bool:
    """True for what calls itself text, and for anything else that reads as such and does not call itself media."""
    if content_type.startswith("text/") or content_type.endswith(
        ("json", "xml", "javascript", "csv", "x-www-form-urlencoded")
    ):
        return True
    if content_type.startswith(MEDIA):
        return False
    return encoding_of(data) != ANY and (encoding_of(data) != "utf-8" or b"\x00" not in data[:HEAD_BYTES])


def encoding_of(data: bytes, charset: str = "") -> str:
    """Return in what a text is written: as it says, by its mark, with every other byte a zero, UTF-8, or anything."""
    for mark, name in MARKS:
        if data.startswith(mark):
            return name
    head = data[:HEAD_BYTES]
    for first, name in ((0, "utf-16-be"), (1, "utf-16-le")):
        zeros, others = head[first::2], head[1 - first :: 2]
        if len(head) >= 4 and zeros.count(0) > 0.8 * len(zeros) and others.count(0) == 0:
            return name
    return next((name for name in (charset, "utf-8") if name and _is_written_in(data, name)), ANY)


def _is_written_in(data: bytes, name: str) -> bool:
    """True when a text can be read by a codec's name, and to the end but for a character that is cut off."""
    try:
        # Raises for what is no encoding of texts, such as base64.
        b"".decode(name)
        if codecs.lookup(name).name in HOSTS:
            return False
        codecs.getincrementaldecoder(name)().decode(data)
        data.decode(name, errors="replace")
    except Exception:  # noqa: BLE001 - a codec may raise anything, and the target names it
        return False
    return True


def text_of(data: bytes, charset: str = "") -> str:
    """Return a text, whatever it is written in: nothing is too odd to be searched."""
    return data.decode(encoding_of(data, charset), errors="replace").lstrip("\ufeff")


def type_of(name: str) -> str:
    """Return the media type that a file's name tells of."""
    kinds = {
        "webm": "video/webm",
        "mp4": "video/mp4",
        "jpg": "image/jpeg",
        "png": "image/png",
        "json": "application/json",
        "csv": "text/csv",
        "txt": "text/plain",
    }
    return kinds.get(name.rpartition(".")[2].lower(), "")


def decoded(data: bytes) -> Read:
    """Return the canaries in media, each with its kind of track, and the outcome of the reading."""
    found = reading.read(data)
    is_picture = data.startswith(PICTURES) or (data.startswith(b"RIFF") and data[8:12] == b"WEBP")
    canaries = tuple((pack(each.canary), "picture" if is_picture else each.track) for each in found.canaries)
    return canaries, found.outcome
