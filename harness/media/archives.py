"""ZIP archives, as exports come: every file in one is read, within limits, and what was not is said by its name."""

from __future__ import annotations

import hashlib
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

from harness.media.sighting import Member, Outcome, Reading, union
from harness.media.tracks import Limits, Refused

MARKS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ENCRYPTED = 1
_HEADER_BYTES, _DESCRIPTOR_BYTES = 30, 24
_MAX_NOTES = 8
_MAX_NAME = 80
_EMBEDDED = (b"<svg", b"data:image/", b"data:video/", b"data:audio/")
_DAMAGES = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, OSError, ValueError, struct.error)
"""What zipfile raises for what is wrong with an archive: it has no one name for it."""
_READ_KINDS: frozenset[Outcome] = frozenset({"canaries", "empty"})


def is_archive(data: bytes) -> bool:
    """True when the bytes begin as a ZIP file does."""
    return data.startswith(MARKS)


def read_archive(data: bytes, read: Callable[[bytes], Reading], limits: Limits) -> Reading:
    """Read each file of a ZIP (APPNOTE 6.3) by `read` and return the union; what the bytes hold never makes it raise.

    Words are left to those who read words. An archive in the archive is not opened: it makes the outcome partial, as
    does a file that is encrypted, damaged or beyond a limit.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > limits.max_entries:
                return _refused(f"{len(entries)} files in an archive, more than {limits.max_entries}")
            hidden = _hidden_bytes(data, archive)
            return _together(*_members(archive, entries, read, limits), hidden)
    except _DAMAGES as error:
        return _refused(f"an archive that cannot be opened: {error}")


def files_in(data: bytes, limits: Limits) -> Iterator[bytes]:
    """Yield the files of a ZIP that may be media, as far as they can be unpacked within the limits."""
    files: list[bytes] = []

    def keep(unpacked: bytes) -> Reading:
        files.append(unpacked)
        return Reading("empty")

    read_archive(data, keep, limits)
    yield from files


def _members(
    archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], read: Callable[[bytes], Reading], limits: Limits
) -> tuple[list[Member], int]:
    """Return the members that may hold media, and how many are words; stop where the unpacked bytes reach the limit."""
    members: list[Member] = []
    texts, left_bytes = 0, limits.max_unpacked_bytes
    for entry in entries:
        name = entry.filename[:_MAX_NAME]
        try:
            unpacked = _unpacked(archive, entry, min(left_bytes, limits.max_bytes))
        except Refused as error:
            members.append(Member(name, _refused(str(error))))
            left_bytes -= min(left_bytes, limits.max_bytes)
            continue
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
            EOFError,
            OSError,
            ValueError,
        ) as error:
            members.append(Member(name, _refused(str(error) or type(error).__name__)))
            continue
        left_bytes -= len(unpacked)
        if is_archive(unpacked):
            members.append(Member(name, _refused("an archive in an archive")))
        elif unpacked and _is_text(unpacked):
            texts += 1
        else:
            members.append(Member(name, read(unpacked)))
    return members, texts


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit_bytes: int) -> bytes:
    """Return the bytes of one file, never more than the limit, whatever its header claims; raise Refused beyond it."""
    if entry.flag_bits & _ENCRYPTED:
        raise Refused("encrypted")
    if limit_bytes <= 0:
        raise Refused("beyond what is unpacked of one archive")
    with archive.open(entry) as file:
        unpacked = file.read(limit_bytes + 1)
    if len(unpacked) > limit_bytes:
        raise Refused(f"more than {limit_bytes} bytes unpacked")
    return unpacked


def _is_text(data: bytes) -> bool:
    """True of words without pictures or sound written into them."""
    if b"\0" in data or any(mark in data for mark in _EMBEDDED):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _hidden_bytes(data: bytes, archive: zipfile.ZipFile) -> int:
    """Return how many bytes lie between the files that the directory lists: one that it leaves out is no less there."""
    at = hidden = 0
    for entry in sorted(archive.infolist(), key=lambda each: each.header_offset):
        start = entry.header_offset
        gap = start - at
        hidden += gap if gap > _DESCRIPTOR_BYTES else 0
        names = (int.from_bytes(data[start + each : start + each + 2], "little") for each in (26, 28))
        at = start + _HEADER_BYTES + sum(names) + entry.compress_size
    gap = archive.start_dir - at
    return hidden + (gap if gap > _DESCRIPTOR_BYTES else 0)


def _together(members: list[Member], texts: int, hidden: int) -> Reading:
    notes = [f"{each.name}: {each.reading.note or each.reading.outcome}" for each in members if _is_worth_a_note(each)]
    more = [f"and {len(notes) - _MAX_NOTES} more"] if len(notes) > _MAX_NOTES else []
    words = [f"{texts} files of words not read here"] if texts else []
    loose = [f"{hidden} bytes that the archive does not list"] if hidden else []
    packets = [each.reading.packets for each in members if each.reading.packets]
    return Reading(
        _outcome([each.reading.outcome for each in members], is_whole=not hidden),
        union(sighting for each in members for sighting in each.reading.canaries),
        tuple(dict.fromkeys(track for each in members for track in each.reading.tracks)),
        max((each.reading.duration_s for each in members), default=0.0),
        "; ".join([*loose, *notes[:_MAX_NOTES], *more, *words]),
        tuple(stretch for each in members for stretch in each.reading.stretches),
        hashlib.sha256(" ".join(sorted(packets)).encode()).hexdigest() if packets else "",
        tuple(members),
    )


def _is_worth_a_note(member: Member) -> bool:
    return member.reading.outcome != "canaries" or bool(member.reading.note)


def _outcome(outcomes: list[Outcome], *, is_whole: bool) -> Outcome:
    """Weigh the members: what is right in one does not make up for what was not seen in another."""
    if "unknown-tag" in outcomes:
        return "unknown-tag"
    if not is_whole or "unreadable" in outcomes or "partial" in outcomes:
        return "partial" if {"canaries", "partial"} & set(outcomes) else "unreadable"
    if "canaries" in outcomes:
        return "canaries" if set(outcomes) <= _READ_KINDS else "partial"
    return "no-canary" if "no-canary" in outcomes else "empty"


def _refused(why: str) -> Reading:
    return Reading("unreadable", note=why)
