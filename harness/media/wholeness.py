"""Whether the bytes of a film or sound are all there: its outermost structure, walked without decoding anything.

A decoder reads what it is given and falls silent at the end, so that a replay cut off before somebody else's minute
looks like a short one. Most containers say how long their parts are. A live stream that does not (WebM with clusters
of unknown length, fragmented MP4, a WAV of 0xFFFFFFFF bytes), ADTS, and MP3, unless its header counts the frames, can
be cut between two parts without a trace.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

_EBML, _SEGMENT, _CLUSTER, _BLOCK, _BLOCK_GROUP = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xA3, 0xA0
_IN_SEGMENT = frozenset({0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1043A770, 0x1254C367, 0x1941A469, _CLUSTER})
_IN_CLUSTER = frozenset({_BLOCK, _BLOCK_GROUP, 0xE7, 0xA7, 0xAB, 0x5854})
_ANYWHERE = frozenset({0xEC, 0xBF})
_KNOWN = _IN_SEGMENT | _IN_CLUSTER | _ANYWHERE | {_EBML, _SEGMENT}
_EMPTY_BLOCK_BYTES = 4
_UNKNOWN_LENGTHS = (0, 0xFFFFFFFF)
_MP4_LARGE = 1
CUT_OFF = "cut off"


def missing(data: bytes, packets: int) -> str:
    """Return in a few words what of a container is not there or was not read; "" where nothing tells of a loss.

    `packets` is how many the demuxer gave. Formats: Matroska and WebM (RFC 9559), MP4 (ISO/IEC 14496-12), Ogg (RFC
    3533), WAV, IVF; `harness.media.films` compares the durations
    of FLAC and MP3. Linear in the number of parts; it copies nothing.
    """
    for mark, at, walk in _WALKS:
        if data[at : at + len(mark)] == mark:
            return walk(data, packets)
    return ""


def _matroska(data: bytes, packets: int) -> str:
    """Walk segments, clusters and blocks: each must lie within the bytes, and there are as many packets as blocks."""
    at, blocks = 0, 0
    while at < len(data):
        element, after_id = _vint(data, at, keep_marker=True)
        size, body = _vint(data, after_id)
        if element is None or body > len(data):
            return _lost(data, at)
        is_master = element in (_SEGMENT, _CLUSTER)
        if element not in _KNOWN or (size is None and not is_master):
            return _lost(data, at)
        if size is not None and body + size > len(data):
            return CUT_OFF
        if element == _BLOCK_GROUP or (element == _BLOCK and size and size > _EMPTY_BLOCK_BYTES):
            blocks += 1
        at = body if is_master or size is None else body + size
    return f"{blocks - packets} of {blocks} blocks were not read" if packets < blocks else ""


def _vint(data: bytes, at: int, *, keep_marker: bool = False) -> tuple[int | None, int]:
    """Return an EBML number (RFC 8794) and where it ends; None for a reserved or invalid one."""
    if at >= len(data) or not data[at]:
        return None, at + 1
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big")
    if keep_marker:
        return value, at + length
    value &= (1 << 7 * length) - 1
    return (None if value == (1 << 7 * length) - 1 else value), at + length


def _mp4(data: bytes, _packets: int) -> str:
    at = 0
    while at < len(data):
        if len(data) - at < 8:
            return _lost(data, at)
        size = int.from_bytes(data[at : at + 4], "big")
        if size == _MP4_LARGE:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:
            return ""
        if size < 8 or not data[at + 4 : at + 8].isalnum():
            return _lost(data, at)
        at += size
    return CUT_OFF if at > len(data) else ""


def _ogg(data: bytes, _packets: int) -> str:
    """Walk pages; the last of each logical stream must say that it is the last."""
    at = 0
    is_open: dict[bytes, bool] = {}
    while at < len(data):
        if data[at : at + 4] != b"OggS":
            return _lost(data, at)
        table = data[at + 27 : at + 27 + data[at + 26]] if at + 26 < len(data) else b""
        is_open[data[at + 14 : at + 18]] = not data[at + 5] & 4 if at + 5 < len(data) else True
        at += 27 + len(table) + sum(table)
    return CUT_OFF if at > len(data) or any(is_open.values()) else ""


def _wav(data: bytes, _packets: int) -> str:
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"data" and size in _UNKNOWN_LENGTHS:
            return ""
        if at + 8 + size > len(data):
            return CUT_OFF
        at += 8 + size + size % 2
    return _lost(data, at) if at < len(data) else ""


def _ivf(data: bytes, _packets: int) -> str:
    (header,) = struct.unpack("<H", data[6:8].ljust(2, b"\0"))
    at = header
    while 0 < at < len(data):
        at += 12 + int.from_bytes(data[at : at + 4], "little")
    return CUT_OFF if at > len(data) else ""


def _lost(data: bytes, at: int) -> str:
    return f"{len(data) - at} bytes from byte {at} on were not understood"


_WALKS: tuple[tuple[bytes, int, Callable[[bytes, int], str]], ...] = (
    (b"\x1aE\xdf\xa3", 0, _matroska),
    (b"ftyp", 4, _mp4),
    (b"moov", 4, _mp4),
    (b"OggS", 0, _ogg),
    (b"WAVE", 8, _wav),
    (b"DKIF", 0, _ivf),
)
