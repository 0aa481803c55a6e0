"""What is in an answer: identifiers in its text, canaries in its text and media, the hashes of its files.

Everything is looked at, whatever the status: an error page leaks as well as a list. Whose it is is not known here.
"""

from __future__ import annotations

import binascii
import hashlib
import io
import json
import lzma
import re
import zipfile
import zlib
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

import av
import numpy as np

from harness.canary import pack, unpack
from harness.media import reading
from harness.media.video import find_codes

TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+-]{4,399}")
DIGITS = re.compile(r"(?<![0-9])[0-9]{20}(?![0-9])")
BASE64 = re.compile(r"^data:[a-z]+/[a-z0-9.+-]+;base64,", re.IGNORECASE)
MAX_TEXT_BYTES = 4 * 2**20
MAX_FILES = 400
MAX_UNPACKED_BYTES = 128 * 2**20
MAX_DEPTH = 40
MAX_NESTED = 4
"""How deep files may lie within files: archives in archives, or in JSON."""
MAX_REMEMBERED = 2_000
PICTURES = {b"\xff\xd8\xff": "jpeg_pipe", b"\x89PNG": "png_pipe", b"GIF8": "gif"}
SOUNDS = (b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1", b"\xff\xf9")
FILMS = (b"\x1aE\xdf\xa3", b"OggS", b"RIFF", b"DKIF")
BOXES = (b"ftyp", b"styp", b"moov", b"moof", b"mdat")
"""What an MP4 begins with, after a length of four bytes."""
REDIRECTS = (301, 302, 303, 307, 308)
MEDIA = ("audio/", "video/", "image/")
UNREAD = ("unreadable", "unknown-tag", "partial")
"""Outcomes of a reading in which something was there and could not be read: it may be anybody's."""
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, OSError, ValueError)
"""What a ZIP raises that is none, is encrypted, broken or cut off."""


Track = Literal["audio", "video", "picture", "text"]
Read = tuple[tuple[tuple[int, Track], ...], str]
"""The canaries of a file, each with its kind of track, and the outcome of the reading."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status line, the headers, the body.

    `cut_short` when it was not read to its end; `undecoded` says why the body is not what it stands for.
    """

    status: int
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_short: bool = False
    undecoded: str = ""

    @property
    def is_redirect(self) -> bool:
        """True when what was asked for is said to be elsewhere."""
        return self.status in REDIRECTS

    @property
    def content_type(self) -> str:
        """The media type alone, in lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()

    def header(self, name: str) -> str:
        """Return a header's value, whatever its case; empty when it is not there."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")

    def json(self) -> Any:
        """Return the body's JSON, or None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Heard:
    """A canary in media or text: its 64 bits, where it stood, and in what kind of track."""

    value: int
    where: str
    track: Track


@dataclass(slots=True)
class Seen:
    """All that was found. `tokens` are words that may be identifiers, each with the first place where it stood."""

    tokens: dict[str, str] = field(default_factory=dict)
    canaries: dict[Heard, None] = field(default_factory=dict)
    """Each once, in the order in which they were met."""
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 -> where."""
    unread: list[str] = field(default_factory=list)

    def text(self, text: str, where: str) -> None:
        """Add what a text holds; percent-encoding is looked through."""
        for each in {text, unquote(text)}:
            for found in TOKEN.finditer(each):
                word = found[0].rstrip(".~+-_")
                self.tokens.setdefault(found[0], where)
                self.tokens.setdefault(word, where)
                if "." in word:
                    # A file is called by its identifier, and a sentence ends with one.
                    self.tokens.setdefault(word.rpartition(".")[0], where)
            for found in DIGITS.finditer(each):
                self.canaries.setdefault(Heard(int(found[0]), where, "text"))


@dataclass(slots=True)
class _Room:
    """What one answer may still have unpacked, however its files lie within each other."""

    left_bytes: int
    depth: int = 0


class Eye:
    """Looks into answers; a file that was decoded once is known by its hash."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Read] = OrderedDict()

    def look(self, answer: Answer) -> Seen:
        """Return all that an answer holds."""
        seen = Seen()
        seen.text(answer.reason, "status line")
        for name, value in answer.headers.items():
            seen.text(value, f"header {name}")
        if answer.undecoded:
            seen.unread.append(f"body: {answer.undecoded}")
        self._bytes(answer.body, answer.content_type, "body", seen, _Room(MAX_UNPACKED_BYTES))
        return seen

    def _bytes(self, data: bytes, content_type: str, where: str, seen: Seen, room: _Room) -> None:
        if not data:
            return
        if room.depth > MAX_NESTED:
            seen.unread.append(f"{where}: deeper than {MAX_NESTED} files within each other")
            return
        room.depth += 1
        if data.startswith(b"PK\x03\x04"):
            self._archive(data, where, seen, room)
        else:
            # What a file calls itself is no proof: sound that is served as JSON is listened to.
            is_media, is_text = _is_media(data), _is_text(data, content_type)
            if is_media or not is_text or b"\x00" in data[:1024]:
                self._file(data, where, seen, is_media=is_media or content_type.startswith(MEDIA))
            if is_text and not is_media:
                self._text(data, where, seen, room)
        room.depth -= 1

    def _file(self, data: bytes, where: str, seen: Seen, *, is_media: bool) -> None:
        digest = hashlib.sha256(data).hexdigest()
        seen.files.setdefault(digest, where)
        canaries, outcome = self._media(digest, data)
        seen.canaries.update(dict.fromkeys(Heard(value, where, track) for value, track in canaries))
        if outcome in UNREAD and is_media:
            seen.unread.append(f"{where}: {outcome}")

    def _text(self, data: bytes, where: str, seen: Seen, room: _Room) -> None:
        if len(data) > MAX_TEXT_BYTES:
            seen.unread.append(f"{where}: text beyond {MAX_TEXT_BYTES:,} bytes")
        text = data[:MAX_TEXT_BYTES].decode(errors="replace")
        try:
            document = json.loads(text)
        except RecursionError:
            seen.unread.append(f"{where}: JSON too deep to be parsed")
            seen.text(text, where)
            return
        except ValueError:
            seen.text(text, where)
            return
        for place, value in leaves(document):
            if value is None:
                seen.unread.append(f"{where} {place}: JSON deeper than {MAX_DEPTH}")
                continue
            if BASE64.match(value):
                self._encoded(value, f"{where} {place}", seen, room)
            seen.text(value, f"{where} {place}".rstrip())

    def _encoded(self, value: str, where: str, seen: Seen, room: _Room) -> None:
        head, _, data = value.partition(",")
        try:
            decoded = b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            return
        self._bytes(decoded, head[5:].partition(";")[0], where, seen, room)

    def _archive(self, data: bytes, where: str, seen: Seen, room: _Room) -> None:
        """Look into each file of a ZIP, up to MAX_FILES and what room is left; what lies beyond is unread."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                files = [info for info in archive.infolist() if not info.is_dir()]
                if len(files) > MAX_FILES:
                    seen.unread.append(f"{where}: {len(files)} files, more than {MAX_FILES}")
                for info in files[:MAX_FILES]:
                    seen.text(info.filename, f"{where} {info.filename}")
                    if info.file_size > room.left_bytes:
                        seen.unread.append(f"{where} {info.filename}: too large to unpack")
                        continue
                    with archive.open(info) as file:
                        member = file.read(room.left_bytes)
                    room.left_bytes -= len(member)
                    self._bytes(member, _type_of(info.filename), f"{where} {info.filename}", seen, room)
        except BROKEN as error:
            seen.unread.append(f"{where}: a ZIP that cannot be unpacked ({error})")

    def _media(self, digest: str, data: bytes) -> Read:
        known = self._known.get(digest)
        if known is None:
            known = self._known[digest] = _decoded(data)
            if len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)
        return known


def leaves(node: Any, place: str = "$", depth: int = 0) -> Iterator[tuple[str, str | None]]:
    """Yield every string and number of a JSON document with its place, and every key of an object.

    What lies deeper than MAX_DEPTH is None, in the place where it begins.
    """
    if depth > MAX_DEPTH:
        yield place, None
        return
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield f"{place} key", str(key)
            yield from leaves(value, f"{place}.{key}", depth + 1)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, f"{place}[{index}]", depth + 1)
    elif isinstance(node, str | int | float) and not isinstance(node, bool):
        yield place, str(node)


def _is_text(data: bytes, content_type: str) -> bool:
    """True for what calls itself text, and for anything else that reads as such and does not call itself media."""
    if content_type.startswith("text/") or content_type.endswith(
        ("json", "xml", "javascript", "x-www-form-urlencoded")
    ):
        return True
    if content_type.startswith(MEDIA):
        return False
    try:
        data[:MAX_TEXT_BYTES].decode()
    except UnicodeDecodeError as error:
        return error.start > MAX_TEXT_BYTES - 8
    return b"\x00" not in data[:1024]


def _is_media(data: bytes) -> bool:
    """True for what begins as pictures, sound and films do, whatever it calls itself."""
    return data.startswith((*PICTURES, *SOUNDS, *FILMS)) or (data[:1] == b"\x00" and data[4:8] in BOXES)


def _type_of(name: str) -> str:
    kinds = {
        "webm": "video/webm",
        "mp4": "video/mp4",
        "jpg": "image/jpeg",
        "png": "image/png",
        "json": "application/json",
    }
    return kinds.get(name.rpartition(".")[2].lower(), "")


def _decoded(data: bytes) -> Read:
    """Return the canaries in media, each with its kind of track, and the outcome of the reading."""
    for magic, form in PICTURES.items():
        if data.startswith(magic):
            return _picture(data, form)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _picture(data, "webp_pipe")
    found = reading.read(data)
    return tuple((pack(each.canary), each.track) for each in found.canaries), found.outcome


def _picture(data: bytes, form: str) -> Read:
    try:
        with av.open(io.BytesIO(data), "r", format=form) as container:
            pictures = [next(container.decode(video=0))]
    except (av.FFmpegError, StopIteration, ValueError):
        return (), "unreadable"
    codes = [code for picture in pictures for code in find_codes(picture.to_ndarray(format="gray").astype(np.uint8))]
    ours = [code for code in codes if unpack(code) is not None]
    return tuple((code, "picture") for code in ours), "canaries" if ours else "no-canary"
