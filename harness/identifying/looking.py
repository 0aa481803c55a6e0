"""A file as it came from outside: which canaries show in it when, and which stand in its words."""

from __future__ import annotations

import codecs
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from harness.canary import Canary
from harness.canary.text import find
from harness.canary.unescape import readings
from harness.media.archives import is_archive
from harness.media.decoders import Confinement, Decoders
from harness.media.reading import Reading
from harness.media.tracks import Limits

Where = Literal["audio", "video", "words"]

MAX_BYTES = 256 * 2**20
MAX_TEXT_BYTES = 64 * 2**20
"""Of words; each file in an archive may have an eighth of it, all together as much."""
LIMITS = Limits(
    max_bytes=MAX_BYTES,
    max_duration_s=4 * 3600.0,
    max_frames=1_000_000,
    max_packets=5_000_000,
)
"""More than a run reads: a person waits for the answer, and a whole day's recording may be what was found."""
DEADLINE_S = 1800.0
TEXT = "text"
_READ = frozenset({"canaries", TEXT})
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A canary on a kind of track from one second to another, or in words; `member` names the file in an archive.

    Both seconds are 0 in a still picture and in words.
    """

    canary: Canary
    where: Where
    from_s: float = 0.0
    to_s: float = 0.0
    member: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen in a file. `outcome` is that of `harness.media.reading`, or `text` of a file of words.

    `tracks` are kinds, in the file's order; `note` says what was not read, in words.
    """

    name: str
    outcome: str
    seen: tuple[Seen, ...] = ()
    tracks: tuple[str, ...] = ()
    duration_s: float = 0.0
    note: str = ""

    @property
    def is_identified(self) -> bool:
        """True when all of it was read and holds canaries of ours; words may lie beside media, and beside none."""
        return bool(self.seen) and (
            self.outcome in _READ or (self.outcome == "empty" and any(each.where == "words" for each in self.seen))
        )


def decoders() -> Decoders:
    """Return what reads media: processes that can be killed, with the limits of this command."""
    return Decoders(confinement=Confinement(deadline_s=DEADLINE_S, limits=LIMITS))


def look(name: str, data: bytes, media: Decoders) -> Looked:
    """Return what is in a file's bytes; what kind of file it is, they tell themselves, and they never make it raise."""
    text = as_text(data)
    if text is not None and data:
        if len(data) > MAX_TEXT_BYTES:
            return Looked(name, "unreadable", note=f"{len(data)} bytes of words, more than {MAX_TEXT_BYTES}")
        return Looked(name, TEXT, tuple(Seen(canary, "words") for canary in _in_words(readings(text))))
    reading = media.read(data)
    words, note = _words(data, reading)
    return Looked(
        name,
        reading.outcome,
        (*_in_media(reading), *words),
        tuple(reading.tracks),
        reading.duration_s,
        "; ".join(filter(None, [reading.note, note])),
    )


def as_text(data: bytes, *, whole: bool = True) -> str | None:
    """Return bytes as words, in UTF-8, or in UTF-16 that says so; None when they are none.

    Bytes that are not `whole` may end within a character.
    """
    encoding = next((name for mark, name in _BOMS.items() if data.startswith(mark)), None)
    if encoding is None and b"\0" in data:
        return None
    try:
        return codecs.getincrementaldecoder(encoding or "utf-8")().decode(data, whole)
    except UnicodeDecodeError:
        return None


def _in_media(reading: Reading) -> Iterator[Seen]:
    """Yield what shows in media, in order of time; of an archive file by file."""
    for member in reading.members:
        for each in member.reading.stretches:
            yield Seen(each.canary, each.track, each.from_s, each.to_s, member.name)
    if not reading.members:
        for each in reading.stretches:
            yield Seen(each.canary, each.track, each.from_s, each.to_s)


def _words(data: bytes, reading: Reading) -> tuple[list[Seen], str]:
    """Return canaries in what a file of media says in words, such as its title, and in an archive's files of words."""
    if not is_archive(data):
        return [Seen(canary, "words") for canary in _in_words([data.decode("latin-1")])], ""
    if reading.outcome == "unreadable" and not reading.members:
        # What would not open, or was beyond a limit, in a process that may be killed is not tried in this one.
        return [], ""
    seen: list[Seen] = []
    unread = []
    left_bytes = MAX_TEXT_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist()[: LIMITS.max_entries]:
                limit_bytes = min(MAX_TEXT_BYTES // 8, left_bytes)
                try:
                    with archive.open(entry) as file:
                        unpacked = file.read(limit_bytes + 1)
                except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError):
                    continue  # what reads media says of each file that it could not unpack
                left_bytes -= min(len(unpacked), limit_bytes)
                text = as_text(unpacked, whole=len(unpacked) <= limit_bytes)
                if text and len(unpacked) > limit_bytes:
                    unread.append(entry.filename)
                elif text:
                    seen += [Seen(canary, "words", member=entry.filename) for canary in _in_words(readings(text))]
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError) as error:
        return seen, f"an archive that cannot be opened: {error}"
    return seen, f"too many words, not read: {', '.join(unread[:5])}" if unread else ""


def _in_words(texts: Iterable[str]) -> list[Canary]:
    return list(dict.fromkeys(inscription.canary for text in texts for inscription in find(text)))
