"""Files that stand within a text: data addresses (RFC 2397), and base64 that decodes to what begins as a file does."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, unquote_to_bytes

from harness.model import printable
from harness.sweeping.judging.kinds import MEDIA, is_certainly_a_file, is_media

ADDRESS = re.compile(r"data:(?P<head>[^<>\r\n]{0,200}?;\s{0,4}base64\s{0,4}|[a-z]+/[^,<>\"'\s]{0,200}),", re.IGNORECASE)
PAYLOAD = re.compile(r"(?:[A-Za-z0-9+/_-]|%[0-9A-Fa-f]{2}|\\/|\\[rn]|\s)*={0,2}")
PERCENT = re.compile(r"[^\"'<>\s\\)]*")
ENDS = frozenset("\"'<>()[]{};,&\\`|")
"""What ends the payload of a data address in a text; anything else is a character that base64 does not have."""
BREAKS = re.compile(r"\\[rn]|\s|\\(?=/)")
BARE = re.compile(r"[A-Za-z0-9+/_-]{16,}(?:(?:\\r|\\n|\s)+[A-Za-z0-9+/_-]{16,})*={0,2}")
MIN_BARE = 200
"""Base64 that is shorter holds no media with a canary in it: it is a token."""
MIN_DOUBTFUL = 4_000
"""From this length on two bytes of a beginning are enough to take it for sound."""
HEAD = 24


@dataclass(frozen=True, slots=True)
class Embedded:
    """A file within a text, its media type if it says one, and why it could not be decoded to its end."""

    data: bytes
    content_type: str = ""
    undecoded: str = ""


def files_in(text: str) -> Iterator[Embedded]:
    """Yield each file that stands in a text."""
    taken = 0
    for found in ADDRESS.finditer(text) if "data:" in text.lower() else ():
        if found.start() < taken:
            continue
        head = found["head"]
        content_type = head.partition(";")[0].strip().lower()
        if head.lower().rstrip().endswith("base64"):
            payload = PAYLOAD.match(text, found.end())
            end = payload.end() if payload else found.end()
            is_whole = end == len(text) or text[end] in ENDS or text[end].isspace()
            # Scripts put addresses together of parts: where nothing stands nothing is shown.
            if payload and payload[0].strip():
                yield _decoded(payload[0], content_type, is_whole=is_whole)
            elif not is_whole and text[end] != "$":
                yield _decoded("", content_type, is_whole=False)
        else:
            plain = PERCENT.match(text, found.end())
            end = plain.end() if plain else found.end()
            if content_type.startswith(MEDIA) and plain and plain[0]:
                yield Embedded(unquote_to_bytes(printable(plain[0])), content_type)
        taken = end
    if len(text) >= MIN_BARE:
        yield from _bare(text, taken)


def _bare(text: str, begin: int) -> Iterator[Embedded]:
    for found in BARE.finditer(text, begin):
        if len(found[0]) < MIN_BARE:
            continue
        head = _bytes(BREAKS.sub("", found[0][: 2 * HEAD])[:HEAD])
        is_long = len(found[0]) >= MIN_DOUBTFUL
        if head is not None and (is_certainly_a_file(head) or (is_long and is_media(head))):
            yield _decoded(found[0], "", is_whole=True)


def _decoded(payload: str, content_type: str, *, is_whole: bool) -> Embedded:
    coded = BREAKS.sub("", unquote(payload)).rstrip("=")
    data = _bytes(coded)
    if data and is_whole:
        return Embedded(data, content_type)
    # Of words that follow it in a sentence some look like base64, too: what it begins with is looked at.
    return Embedded(data or _bytes(coded[: len(coded) // 4 * 4]) or b"", content_type, "a data address in no base64")


def _bytes(coded: str) -> bytes | None:
    coded = coded.translate(str.maketrans("-_", "+/"))
    try:
        return b64decode(coded + "=" * (-len(coded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
