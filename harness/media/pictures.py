"""Still pictures by what is in them: kind, size, where they end, and the pictures that lie inside them.

Nothing is decoded here: a size beyond a limit is refused before it costs memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_AFTER_SCAN = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]", re.DOTALL)
_JPEG, _PNG, _GIF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8"
_NOT_FRAMES = frozenset({0xC4, 0xC8, 0xCC})
_MAX_INSIDE = 16


@dataclass(frozen=True, slots=True)
class Still:
    """A still or animated picture in the bytes of a file: its format as FFmpeg names it, its size in pixels.

    It ends at byte `end`; `is_whole` is False when it was cut off. `inside` are pictures in its metadata, as cameras
    put a thumbnail there, each as bytes of its own: of JPEG only. `moves` is True where several may follow in time.
    """

    form: str
    width: int
    height: int
    end: int
    is_whole: bool
    inside: tuple[bytes, ...] = ()

    @property
    def moves(self) -> bool:
        """True of a format in which pictures follow each other in time."""
        return self.form in ("apng", "gif")


def still(data: bytes) -> Still | None:
    """Return the JPEG (ITU T.81), PNG (ISO/IEC 15948), WebP (RFC 9649) or GIF with which `data` begins, or None."""
    if data.startswith(_JPEG):
        return _jpeg(data)
    if data.startswith(_PNG):
        return _png(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    if data.startswith(_GIF):
        width, height = (int.from_bytes(data[at : at + 2], "little") for at in (6, 8))
        return Still("gif", width, height, len(data), data.rstrip(b"\0").endswith(b";"))
    return None


def stills(data: bytes, most: int) -> tuple[list[tuple[bytes, Still]], list[str]]:
    """Return each picture in a file of pictures with its own bytes, and what else there is, or is not, in words.

    The first comes first; then those in its metadata, and those that follow it in the same file. At most `most`.
    """
    found: list[tuple[bytes, Still]] = []
    unread: list[str] = []
    waiting = [data]
    while waiting:
        part = waiting.pop(0)
        picture = still(part)
        if picture is None:
            unread.append(f"{len(part)} bytes behind its end were not read")
            continue
        if len(found) == most:
            unread.append(f"more than {most} pictures in one file")
            break
        if not picture.is_whole:
            unread.append("cut off")
        found.append((part[: picture.end], picture))
        waiting += [each for each in (*picture.inside, part[picture.end :].lstrip(b"\0")) if each]
    return found, list(dict.fromkeys(unread))


def _jpeg(data: bytes) -> Still:
    """Walk the segments to the end of the image, over the entropy-coded data of each scan."""
    width = height = 0
    inside: list[bytes] = []
    at = 2
    while at + 4 <= len(data) or data[at : at + 2] == b"\xff\xd9":
        marker = data[at + 1]
        if data[at] != 0xFF:
            break
        if marker == 0xD9:
            return Still("jpeg_pipe", width, height, at + 2, is_whole=True, inside=tuple(inside))
        if marker == 0xFF:
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
            height, width = (int.from_bytes(data[at + each : at + each + 2], "big") for each in (5, 7))
        if 0xE0 <= marker <= 0xEF and len(inside) < _MAX_INSIDE and (found := data.find(_JPEG, at + 4, end)) > 0:
            inside.append(data[found:end])
        if marker == 0xDA:
            after = _AFTER_SCAN.search(data, end)
            end = after.end() - 2 if after else len(data)
        at = end
    return Still("jpeg_pipe", width, height, len(data), is_whole=False, inside=tuple(inside))


def _png(data: bytes) -> Still:
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    at, form = len(_PNG), "png_pipe"
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if kind == b"acTL":
            form = "apng"
        if kind == b"IEND":
            return Still(form, width, height, at, is_whole=at <= len(data))
    return Still(form, width, height, len(data), is_whole=False)


def _webp(data: bytes) -> Still:
    """The size stands in the first chunk: of a canvas, or of a lossy or lossless picture."""
    end = 8 + int.from_bytes(data[4:8], "little")
    body = data[20:30].ljust(10, b"\0")
    width = height = 0
    if data[12:16] == b"VP8X":
        width, height = (1 + int.from_bytes(body[at : at + 3], "little") for at in (4, 7))
    elif data[12:16] == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif data[12:16] == b"VP8 ":
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return Still("webp_pipe", width, height, min(end, len(data)), end <= len(data))
