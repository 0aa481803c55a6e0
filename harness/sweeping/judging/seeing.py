"""What is in an answer: identifiers in its text, canaries in its text and media, the hashes of its files.

Everything is looked at, whatever the status: an error page leaks as well as a list. Whose it is is not known here.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import re
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.sweeping.judging.embedded import files_in
from harness.sweeping.judging.kinds import (
    ARCHIVE,
    HEAD_BYTES,
    MEDIA,
    Read,
    Track,
    decoded,
    is_media,
    is_text,
    text_of,
    type_of,
)
from harness.sweeping.judging.known import forms
from harness.sweeping.judging.leaves import MAX_DEPTH, leaves, leaves_within, parsed

DIGITS = re.compile(r"(?<![0-9])[0-9]{20}(?![0-9])")
PRINTABLE = re.compile(rb"[\x20-\x7e]{6,}")
"""Words within what is no text."""
CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
ARCHIVE_END = b"PK\x05\x06"
ARCHIVE_END_BYTES = 66_000
"""How far from its end a ZIP's directory ends: what stands before a ZIP keeps nobody from opening it."""
MAX_TEXT_BYTES = 4 * 2**20
MAX_FILES = 400
MAX_UNPACKED_BYTES = 128 * 2**20
MAX_NESTED = 4
"""How deep files may lie within files: archives in archives, or in JSON."""
MAX_REMEMBERED = 2_000
REDIRECTS = (301, 302, 303, 307, 308)
UNREAD = ("unreadable", "unknown-tag", "partial")
"""Outcomes of a reading in which something was there and could not be read: it may be anybody's."""
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, OSError, ValueError)
"""What a ZIP raises that is none, is encrypted, broken or cut off."""


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

    @property
    def charset(self) -> str:
        """What the body says that it is written in; empty when it does not."""
        found = CHARSET.search(self.header("content-type"))
        return found[1] if found else ""

    def header(self, name: str) -> str:
        """Return a header's value, whatever its case; empty when it is not there."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")

    def json(self) -> Any:
        """Return the body's JSON, or None when it is none."""
        try:
            return json.loads(text_of(self.body, self.charset))
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
    """All that was found. `texts` may hold identifiers, each with the place where it stood."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    canaries: dict[Heard, None] = field(default_factory=dict)
    """Each once, in the order in which they were met."""
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 -> where."""
    unread: list[str] = field(default_factory=list)

    def text(self, text: str, where: str) -> None:
        """Add a text, and the canaries that it holds in digits, however it is encoded."""
        self.texts.append((text, where))
        for form in forms(text):
            for found in DIGITS.finditer(form):
                self.canaries.setdefault(Heard(int(found[0]), where, "text"))

    def leaf(self, value: str | None, where: str) -> None:
        """Add a part of a text that was added as a whole: its place may say what the whole does not."""
        if value is None:
            self.unread.append(f"{where}: JSON deeper than {MAX_DEPTH}")
        else:
            self.texts.append((value, where))


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
        seen, room = Seen(), _Room(MAX_UNPACKED_BYTES)
        seen.text(answer.reason, "status line")
        for name, value in answer.headers.items():
            seen.text(name, f"name of header {name}")
            self._words(value, f"header {name}", seen, room)
        if answer.undecoded:
            seen.unread.append(f"body: {answer.undecoded}")
        if answer.content_type.startswith("multipart/") and answer.body:
            seen.unread.append(f"body: the parts of {answer.content_type}")
        self._bytes(answer.body, answer.content_type, "body", seen, room, answer.charset)
        return seen

    def _bytes(self, data: bytes, content_type: str, where: str, seen: Seen, room: _Room, charset: str = "") -> None:
        if not data:
            return
        if room.depth > MAX_NESTED:
            seen.unread.append(f"{where}: deeper than {MAX_NESTED} files within each other")
            return
        room.depth += 1
        if _is_archive(data):
            self._archive(data, where, seen, room)
        else:
            # What a file calls itself is no proof: sound that is served as JSON is listened to.
            has_media, has_text = is_media(data), is_text(data, content_type)
            if has_media or not has_text or b"\x00" in data[:HEAD_BYTES]:
                self._file(data, where, seen, is_media=has_media or content_type.startswith(MEDIA))
            if has_text and not has_media:
                self._text(data, charset, where, seen, room)
            else:
                # A title or a comment within a file is shown as well as any other text.
                words = b"\n".join(PRINTABLE.findall(data))
                seen.text(words.decode("ascii"), where)
        room.depth -= 1

    def _file(self, data: bytes, where: str, seen: Seen, *, is_media: bool) -> None:
        digest = hashlib.sha256(data).hexdigest()
        seen.files.setdefault(digest, where)
        canaries, outcome = self._media(digest, data)
        seen.canaries.update(dict.fromkeys(Heard(value, where, track) for value, track in canaries))
        if outcome in UNREAD and is_media:
            seen.unread.append(f"{where}: {outcome}")

    def _text(self, data: bytes, charset: str, where: str, seen: Seen, room: _Room) -> None:
        if len(data) > MAX_TEXT_BYTES:
            seen.unread.append(f"{where}: text beyond {MAX_TEXT_BYTES:,} bytes")
        text = text_of(data[:MAX_TEXT_BYTES], charset)
        try:
            document = parsed(text)
        except RecursionError:
            seen.unread.append(f"{where}: JSON too deep to be parsed")
            self._words(text, where, seen, room)
            return
        except ValueError:
            self._words(text, where, seen, room)
            for place, value in leaves_within(text):
                seen.leaf(value, f"{where} {place}")
            return
        for place, value in leaves(document):
            if value is None:
                seen.leaf(value, f"{where} {place}")
            else:
                self._words(value, f"{where} {place}", seen, room)

    def _words(self, text: str, where: str, seen: Seen, room: _Room) -> None:
        """Take in a text, and each file within it."""
        seen.text(text, where)
        for number, file in enumerate(files_in(text)):
            if number >= MAX_FILES:
                seen.unread.append(f"{where}: more than {MAX_FILES} files within a text")
                return
            if file.undecoded:
                seen.unread.append(f"{where}: {file.undecoded}")
            self._bytes(file.data, file.content_type, where, seen, room)

    def _archive(self, data: bytes, where: str, seen: Seen, room: _Room) -> None:
        """Look into each file of a ZIP, up to MAX_FILES and what room is left; what lies beyond is unread."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                self._words(text_of(archive.comment), f"{where} comment", seen, room)
                entries = archive.infolist()
                # A folder may be given content that only some programs unpack.
                files = [info for info in entries if info.file_size or not info.is_dir()]
                folders = [info for info in entries if info.is_dir() and not info.file_size]
                for what, infos in (("files", files), ("folders", folders)):
                    if len(infos) > MAX_FILES:
                        seen.unread.append(f"{where}: {len(infos)} {what}, more than {MAX_FILES}")
                for info in (*folders[:MAX_FILES], *files[:MAX_FILES]):
                    seen.text(info.filename, f"{where} {info.filename}")
                    self._words(text_of(info.comment), f"{where} comment of {info.filename}", seen, room)
                for info in files[:MAX_FILES]:
                    if info.file_size > room.left_bytes:
                        seen.unread.append(f"{where} {info.filename}: too large to unpack")
                        continue
                    with archive.open(info) as file:
                        member = file.read(room.left_bytes)
                    room.left_bytes -= len(member)
                    self._bytes(member, type_of(info.filename), f"{where} {info.filename}", seen, room)
        except BROKEN as error:
            seen.unread.append(f"{where}: a ZIP that cannot be unpacked ({error})")

    def _media(self, digest: str, data: bytes) -> Read:
        known = self._known.get(digest)
        if known is None:
            known = self._known[digest] = decoded(data)
            if len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)
        return known


def _is_archive(data: bytes) -> bool:
    if data.startswith(ARCHIVE):
        return True
    return ARCHIVE_END in data[-ARCHIVE_END_BYTES:] and zipfile.is_zipfile(io.BytesIO(data))
