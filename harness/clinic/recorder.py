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
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

from . import filing, flaws, footage, notices
from .errors import ApiError
from .features import COMPOSITE_LAYOUT, RECORDER_TRANSCODE
from .state import Clinic, Layout, Medium, now
from .store import Database, new_id

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

WORKERS = 2
ATTEMPTS = 3
CLAIM_S = 60.0
LOOK_AGAIN_S = 0.25
SWAP_S = 0.05
MAX_PARTS = 8
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


@dataclass(frozen=True, slots=True)
class _Job:
    """Something for the worker: a recording that is not finished."""

    seq: int
    recording: int
    attempts: int


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """A recording as the worker needs to know it."""

    seq: int
    id: str
    consultation: str
    made_by: str
    medium: Medium
    layout: Layout | None
    media: str


@dataclass(frozen=True, slots=True)
class _Finished:
    """What the worker made of it."""

    data: bytes
    thumbnail: bytes | None
    duration_s: float
    content_type: str | None = None


def receive(clinic: Clinic, db: Database, take: Take) -> str:
    """Store a take and leave the rest to the worker; return the id of the recording that it will be."""
    made = new_id("rec")
    key = made
    if clinic.has_flaw(flaws.RECORDER_ID_COLLISION):
        count = db.execute("SELECT count(*) FROM recordings WHERE medium = ?", (take.medium,)).fetchone()
        key = f"take-{count and count[0] + 1}"
    _insert(
        db,
        made,
        take.consultation,
        take.made_by,
        take.medium,
        None,
        take.content_type,
        key,
        take.began_at,
        take.caption,
    )
    db.execute(STORE, (key, take.data))
    db.execute("UPDATE recordings SET size = ? WHERE id = ?", (len(take.data), made))
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
        _insert(db, made, meeting.id, "", medium, layout, f"{medium}/webm", made, now(), "")
    filing.touch(db, meeting.participants)
    if takes:
        _tell_if_complete(clinic, db, meeting.id)
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


async def work(clinic: Clinic) -> None:
    """Do what there is to do, until cancelled."""
    async with asyncio.TaskGroup() as group:
        for _ in range(WORKERS):
            group.create_task(_work(clinic))


async def _work(clinic: Clinic) -> None:
    while True:
        clinic.work.clear()
        try:
            job = _claim(clinic)
            if job:
                await _do(clinic, job)
        except Exception:
            # One database error must not end the recorder for good; the claim runs out, and the job is tried again.
            log.exception("the recorder's worker failed")
            job = None
        if not job:
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await clinic.work.wait()
            except TimeoutError:
                # Another process may have left a job here.
                continue


def _claim(clinic: Clinic) -> _Job | None:
    """Return the oldest job that nobody does, now this worker's; a composite waits for its takes to be finished."""
    stale = (datetime.now(UTC) - timedelta(seconds=CLAIM_S)).isoformat(timespec="milliseconds")
    free = "(claimed_at IS NULL OR claimed_at < ?)"
    found = clinic.store.find(
        f"SELECT j.seq FROM jobs j LEFT JOIN recordings r ON r.seq = j.recording WHERE {free}"  # noqa: S608 - our own words
        " AND (r.layout IS NULL OR NOT EXISTS (SELECT 1 FROM recordings t WHERE t.consultation = r.consultation"
        " AND t.layout IS NULL AND t.status = 'processing')) ORDER BY j.seq LIMIT 1",
        stale,
    )
    if not found:
        return None
    claimed = clinic.store.find(
        f"UPDATE jobs SET claimed_at = ?, attempts = attempts + 1 WHERE seq = ? AND {free}"  # noqa: S608 - our own words
        " RETURNING seq, recording, attempts",
        now(),
        found[0],
        stale,
    )
    return _Job(*claimed) if claimed else None


async def _do(clinic: Clinic, job: _Job) -> None:
    found = clinic.store.find(
        "SELECT seq, id, consultation, made_by, medium, layout, media FROM recordings WHERE seq = ?", job.recording
    )
    if not found:
        with clinic.store.writing() as db:
            db.execute("DELETE FROM jobs WHERE seq = ?", (job.seq,))
        return
    recording = _Unfinished(*found)
    if job.attempts > ATTEMPTS:
        # Whoever tried before did not live to tell why.
        log.error("%s is given up after %d attempts", recording.id, ATTEMPTS)
        _conclude(clinic, job, recording, None)
        return
    try:
        finished = await (_compose(clinic, recording) if recording.layout else _shape(clinic, recording))
    except footage.FootageError as error:
        log.warning("%s: %s", recording.id, error)
        finished = None
    _conclude(clinic, job, recording, finished)


async def _shape(clinic: Clinic, recording: _Unfinished) -> _Finished:
    """Shrink a take if the worker's flag says so, and make its thumbnail; what cannot be read is kept as it is."""
    (data,) = clinic.store.one("SELECT bytes FROM media WHERE key = ?", recording.media)
    shrink = clinic.features.without_user(RECORDER_TRANSCODE) != "off"
    try:
        finished = await asyncio.to_thread(_shaped, bytes(data), shrink=shrink)
    except footage.FootageError as error:
        log.info("%s is kept as it came: %s", recording.id, error)
        finished = _Finished(bytes(data), None, 0.0)
    if clinic.has_flaw(flaws.WRONG_THUMBNAIL):
        clinic.last_thumbnail, before = finished.thumbnail or clinic.last_thumbnail, clinic.last_thumbnail
        finished = _Finished(finished.data, before or finished.thumbnail, finished.duration_s)
    return finished


def _shaped(data: bytes, *, shrink: bool) -> _Finished:
    found = footage.probe(data)
    shaped = footage.transcode(data) if shrink else data
    return _Finished(shaped, footage.thumbnail(shaped) if found.has_video else None, found.duration_s)


async def _compose(clinic: Clinic, recording: _Unfinished) -> _Finished:
    """Lay the takes of a consultation on one time line, each participant's one after the other."""
    (patient, clinician) = clinic.store.one(
        "SELECT patient, clinician FROM consultations WHERE id = ?", recording.consultation
    )
    rows = clinic.store.all(
        "SELECT r.made_by, r.recorded_at, r.duration_s, m.bytes FROM recordings r JOIN media m ON m.key = r.media"
        " WHERE r.consultation = ? AND r.layout IS NULL ORDER BY r.recorded_at, r.seq LIMIT ?",
        recording.consultation,
        MAX_PARTS,
    )
    if clinic.has_flaw(flaws.COMPOSITE_OF_ANOTHER_ROOM):
        rows = [row for row in rows if row[0] != clinician] + clinic.store.all(
            "SELECT r.made_by, r.recorded_at, r.duration_s, m.bytes FROM recordings r JOIN media m ON m.key = r.media"
            " WHERE r.made_by = ? AND r.layout IS NULL ORDER BY r.seq DESC LIMIT 1",
            clinician,
        )
    seats = {patient: 0}
    parts: list[footage.Part] = []
    free_s: dict[str, float] = {}
    origin = datetime.fromisoformat(min(row[1] for row in rows)) if rows else datetime.now(UTC)
    for made_by, recorded_at, duration_s, data in rows:
        began_s = (datetime.fromisoformat(recorded_at) - origin).total_seconds()
        starts_s = max(began_s, free_s.get(made_by, 0.0))
        parts.append(footage.Part(bytes(data), starts_s, seats.setdefault(made_by, len(seats))))
        free_s[made_by] = starts_s + (duration_s or 0.0)
    if not parts or recording.layout is None:
        raise footage.FootageError("there is nothing to lay together")
    return await asyncio.to_thread(_composed, parts, recording.layout)


def _composed(parts: list[footage.Part], layout: Layout) -> _Finished:
    data = footage.composite(parts, layout)
    found = footage.probe(data)
    picture = footage.thumbnail(data) if found.has_video else None
    return _Finished(data, picture, found.duration_s, footage.content_type(data))


def _conclude(clinic: Clinic, job: _Job, recording: _Unfinished, finished: _Finished | None) -> None:
    """Write what the worker made: None for what cannot be made, today or ever."""
    with clinic.store.writing() as db:
        db.execute("DELETE FROM jobs WHERE seq = ?", (job.seq,))
        if finished is None:
            db.execute("UPDATE recordings SET status = 'failed' WHERE seq = ?", (recording.seq,))
            _tell_if_complete(clinic, db, recording.consultation)
            return
        db.execute(STORE, (recording.media, finished.data))
        clinic.store.stored_bytes += len(finished.thumbnail or b"") + (len(finished.data) if recording.layout else 0)
        thumbnail = f"{recording.id}.jpg" if finished.thumbnail else None
        if finished.thumbnail:
            db.execute(STORE, (thumbnail, finished.thumbnail))
        db.execute(
            "UPDATE recordings SET status = 'ready', size = ?, thumbnail = ?, duration_s = ?,"
            " content_type = coalesce(?, content_type) WHERE seq = ?",
            (len(finished.data), thumbnail, finished.duration_s, finished.content_type, recording.seq),
        )
        filing.file(clinic, db, recording.seq)
        if clinic.has_flaw(flaws.PHANTOM_OF_RETRY) and clinic.features.without_user(RECORDER_TRANSCODE) != "off":
            filing.file(clinic, db, _phantom(db, recording))
        _tell_if_complete(clinic, db, recording.consultation)


def _tell_if_complete(clinic: Clinic, db: Database, consultation: str) -> None:
    """Tell the participants when the last recording of an ended consultation is ready."""
    waiting = db.execute(
        "SELECT 1 FROM recordings WHERE consultation = ? AND status = 'processing'", (consultation,)
    ).fetchone()
    ended = db.execute("SELECT 1 FROM consultations WHERE id = ? AND status = 'ended'", (consultation,)).fetchone()
    if ended and not waiting:
        rows = db.execute("SELECT username FROM participants WHERE consultation = ?", (consultation,)).fetchall()
        people: Iterable[str] = [username for (username,) in rows]
        notices.post(clinic, db, people, "recordings-ready", "Your consultation can be replayed.", consultation)


def _phantom(db: Database, recording: _Unfinished) -> int:
    made = new_id("rec")
    _insert(db, made, recording.consultation, recording.made_by, recording.medium, None, "video/webm", made, now(), "")
    db.execute(STORE, (made, b""))
    db.execute("DELETE FROM jobs WHERE recording = (SELECT seq FROM recordings WHERE id = ?)", (made,))
    row: Any = db.execute("UPDATE recordings SET status = 'ready' WHERE id = ? RETURNING seq", (made,)).fetchone()
    return int(row[0])


def _insert(
    db: Database,
    made: str,
    consultation: str,
    made_by: str,
    medium: Medium,
    layout: str | None,
    content_type: str,
    media: str,
    recorded_at: str,
    caption: str,
) -> None:
    """Store an unfinished recording and its job."""
    db.execute(
        "INSERT INTO recordings"
        " (id, consultation, made_by, medium, layout, content_type, size, recorded_at, media, caption)"
        " VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
        (made, consultation, made_by, medium, layout, content_type, recorded_at, media, caption),
    )
    db.execute("INSERT INTO jobs (recording) SELECT seq FROM recordings WHERE id = ?", (made,))
