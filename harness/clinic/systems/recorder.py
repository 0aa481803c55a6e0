"""The recorder: what participants sent becomes recordings, finished by a background worker, and so they appear late.

Whatever arrives is a *take*: one participant, one stretch of one medium. The worker shrinks it when its flag says
so, makes its thumbnail and files it for everybody who has a part in the consultation; when the consultation ends it
lays all takes together in one composite, if the patient has a layout for it. Jobs stand in the database, so that
any process may do them and none is lost with the process that began it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from harness.clinic import flaws, footage
from harness.clinic.base.errors import ApiError
from harness.clinic.base.features import COMPOSITE_LAYOUT
from harness.clinic.base.state import Clinic, Medium, now
from harness.clinic.base.store import Database, new_id

from . import filing, notices

SCHEMA = """
CREATE TABLE IF NOT EXISTS recordings (
    seq {seq}, id TEXT UNIQUE NOT NULL, consultation TEXT NOT NULL, made_by TEXT NOT NULL, medium TEXT NOT NULL,
    layout TEXT, content_type TEXT NOT NULL, size INTEGER NOT NULL, recorded_at TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'processing', media TEXT NOT NULL, thumbnail TEXT, duration_s REAL,
    caption TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS recordings_by_consultation ON recordings (consultation);
CREATE TABLE IF NOT EXISTS media (key TEXT PRIMARY KEY, bytes {bytes} NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
    seq {seq}, recording BIGINT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, claimed_at TEXT);
"""

Status = Literal["processing", "ready", "failed"]

SWAP_S = 0.05
NOBODY = ""
"""Who made a composite."""
CAPTION_CHARACTERS = 2_000
STORE = "INSERT INTO media (key, bytes) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes"

log = logging.getLogger("clinic")


class Files(Protocol):
    """What a call's recorders made: WebM files with one track each, None where nothing came."""

    @property
    def consultation(self) -> str:
        """The consultation's id."""

    @property
    def username(self) -> str:
        """Whose sound and picture."""

    @property
    def audio(self) -> bytes | None:
        """The audio recorder's file."""

    @property
    def video(self) -> bytes | None:
        """The video recorder's file."""

    @property
    def began_at(self) -> str:
        """When both begin: RFC 3339, UTC."""


class Meeting(Protocol):
    """What the recorder needs to know of a consultation."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def patient(self) -> str:
        """The patient's username."""

    @property
    def participants(self) -> Collection[str]:
        """Who has or had a part in it."""


@dataclass(frozen=True, slots=True)
class Take:
    """One stretch of one medium that came from one participant; `began_at` is when its sending began."""

    consultation: str
    made_by: str
    medium: Medium
    content_type: str
    data: bytes
    began_at: str
    caption: str = ""


def receive(clinic: Clinic, db: Database, take: Take) -> str:
    """Store a take and leave the rest to the worker; return the id of the recording that it will be."""
    made = new_id("rec")
    key = made
    if clinic.has_flaw(flaws.RECORDER_ID_COLLISION):
        count = db.execute("SELECT count(*) FROM recordings WHERE medium = ?", (take.medium,)).fetchone()
        key = f"take-{count and count[0] + 1}"
    insert(db, made, take, key)
    db.execute(STORE, (key, take.data))
    clinic.work.set()
    return made


async def receive_files(clinic: Clinic, files: Files) -> None:
    """Store what the call's two recorders made of one participant's stretch as one take, sound and picture together."""
    try:
        data = await asyncio.to_thread(footage.mux, files.audio, files.video)
        clinic.store.require_bytes(len(data))
    except (footage.FootageError, ApiError) as error:
        log.error("%s: what %s sent cannot be kept: %s", files.consultation, files.username, error)
        return
    medium: Medium = "video" if files.video else "audio"
    take = Take(files.consultation, files.username, medium, f"{medium}/webm", data, files.began_at)
    with clinic.store.writing() as db:
        receive(clinic, db, take)
    clinic.store.stored_bytes += len(data)


def finish(clinic: Clinic, db: Database, meeting: Meeting) -> None:
    """Close a consultation that has ended: begin its composite, and drop what was never completed."""
    unfinished = "FROM chunks WHERE upload IN (SELECT id FROM uploads WHERE consultation = ?)"
    freed: Any = db.execute(f"SELECT coalesce(sum(length(bytes)), 0) {unfinished}", (meeting.id,)).fetchone()
    db.execute(f"DELETE {unfinished}", (meeting.id,))
    clinic.store.stored_bytes -= int(freed[0])
    takes = db.execute("SELECT made_by, medium FROM recordings WHERE consultation = ?", (meeting.id,)).fetchall()
    layout = clinic.features.variant(COMPOSITE_LAYOUT, meeting.patient)
    if layout != "off" and len({made_by for made_by, _ in takes}) > 1:
        medium: Medium = "video" if any(medium == "video" for _, medium in takes) else "audio"
        made = new_id("rec")
        insert(db, made, Take(meeting.id, NOBODY, medium, f"{medium}/webm", b"", now()), made, layout)
    filing.touch(db, meeting.participants)
    if takes:
        tell_if_complete(clinic, db, meeting.id)
    clinic.work.set()


def forget(clinic: Clinic, consultation: str) -> None:
    """Delete all that was recorded of a consultation so far."""
    with clinic.store.writing() as db:
        db.execute(
            "DELETE FROM media WHERE key IN (SELECT media FROM recordings WHERE consultation = ?)", (consultation,)
        )
        db.execute("DELETE FROM recordings WHERE consultation = ?", (consultation,))


async def swap_tracks(clinic: Clinic, consultation: str) -> None:
    """Let the uploads of two consultations that switch at the same moment change places."""
    clinic.switching.append(consultation)
    await asyncio.sleep(SWAP_S)
    if len(clinic.switching) > 1 and clinic.switching[0] == consultation:
        clinic.swapped |= {clinic.switching[0]: clinic.switching[1], clinic.switching[1]: clinic.switching[0]}
        del clinic.switching[:2]
    elif consultation in clinic.switching:
        clinic.switching.remove(consultation)


def transcript(clinic: Clinic, recording: int) -> str:
    """Return who spoke when in a recording, and what captions there are; of a composite, in all of its takes."""
    rows = clinic.store.all(
        "SELECT a.name, t.medium, t.recorded_at, t.duration_s, t.caption FROM recordings r"
        " JOIN recordings t ON (t.seq = r.seq OR (r.layout IS NOT NULL AND t.consultation = r.consultation))"
        " JOIN accounts a ON a.username = t.made_by WHERE r.seq = ? ORDER BY t.recorded_at, t.seq",
        recording,
    )
    lines = []
    for name, medium, recorded_at, duration_s, caption in rows:
        lines.append(f"{recorded_at}  {name}, {medium}, {duration_s or 0:.1f} s")
        lines += [f"    {line}" for line in caption.splitlines()]
    return "\n".join(lines) + "\n"


def tell_if_complete(clinic: Clinic, db: Database, consultation: str) -> None:
    """Tell the participants when the last recording of an ended consultation is ready."""
    waiting = db.execute(
        "SELECT 1 FROM recordings WHERE consultation = ? AND status = 'processing'", (consultation,)
    ).fetchone()
    ended = db.execute("SELECT 1 FROM consultations WHERE id = ? AND status = 'ended'", (consultation,)).fetchone()
    if ended and not waiting:
        rows = db.execute("SELECT username FROM participants WHERE consultation = ?", (consultation,)).fetchall()
        people: Iterable[str] = [username for (username,) in rows]
        notices.post(clinic, db, people, "recordings-ready", "Your consultation can be replayed.", consultation)


def insert(db: Database, made: str, take: Take, key: str, layout: str | None = None) -> None:
    """Store an unfinished recording, whose bytes will be under `key`, and the worker's job of it."""
    db.execute(
        "INSERT INTO recordings"
        " (id, consultation, made_by, medium, layout, content_type, size, recorded_at, media, caption)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            made,
            take.consultation,
            take.made_by,
            take.medium,
            layout,
            take.content_type,
            len(take.data),
            take.began_at,
            key,
            take.caption,
        ),
    )
    db.execute("INSERT INTO jobs (recording) SELECT seq FROM recordings WHERE id = ?", (made,))
