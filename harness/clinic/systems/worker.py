"""The recorder's worker: shrinks, pictures and files what came, and lays a consultation's takes together at its end.

Jobs stand in the database, so that any process may do them and none is lost with the process that began it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.clinic import flaws, footage
from harness.clinic.base.features import RECORDER_TRANSCODE
from harness.clinic.base.state import Clinic, Layout, Medium, now
from harness.clinic.base.store import Database, new_id

from . import filing, recorder

WORKERS = 2
ATTEMPTS = 3
CLAIM_S = 300.0
LOOK_AGAIN_S = 1.0
COMPOSITE_THUMBNAIL_WIDTH = 320

log = logging.getLogger("clinic")


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
    size: int


@dataclass(frozen=True, slots=True)
class _Finished:
    """What the worker made of it."""

    data: bytes
    thumbnail: bytes | None
    duration_s: float
    content_type: str | None = None


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
        "SELECT seq, id, consultation, made_by, medium, layout, media, size FROM recordings WHERE seq = ?",
        job.recording,
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
        if clinic.has_flaw(flaws.KEEPS_FILMING) and recording.medium == "audio":
            data = await _filmed_on(clinic, recording, bytes(data))
        finished = await asyncio.to_thread(_shaped, bytes(data), shrink=shrink)
    except footage.FootageError as error:
        log.debug("%s is kept as it came: %s", recording.id, error)
        finished = _Finished(bytes(data), None, 0.0)
    if clinic.has_flaw(flaws.WRONG_THUMBNAIL):
        clinic.last_thumbnail, before = finished.thumbnail or clinic.last_thumbnail, clinic.last_thumbnail
        finished = _Finished(finished.data, before or finished.thumbnail, finished.duration_s)
    return finished


def _shaped(data: bytes, *, shrink: bool) -> _Finished:
    found = footage.probe(data)
    shaped = footage.transcode(data) if shrink else data
    return _Finished(shaped, footage.thumbnail(shaped) if found.has_video else None, found.duration_s)


async def _filmed_on(clinic: Clinic, recording: _Unfinished, data: bytes) -> bytes:
    """Return sound with the pictures that its maker was filmed in before, in a call switched there and back."""
    filmed = clinic.store.find(
        "SELECT m.bytes FROM recordings r JOIN media m ON m.key = r.media JOIN consultations c ON c.id = r.consultation"
        " WHERE c.id = ? AND c.switched_to_video = 1 AND c.medium = 'audio'"
        " AND r.made_by = ? AND r.medium = 'video' AND r.seq < ? ORDER BY r.seq DESC LIMIT 1",
        recording.consultation,
        recording.made_by,
        recording.seq,
    )
    return await asyncio.to_thread(footage.mux, data, bytes(filmed[0])) if filmed else data


async def _compose(clinic: Clinic, recording: _Unfinished) -> _Finished:
    """Lay the takes of a consultation on one time line, each participant's one after the other."""
    (patient, clinician) = clinic.store.one(
        "SELECT patient, clinician FROM consultations WHERE id = ?", recording.consultation
    )
    rows = clinic.store.all(
        "SELECT r.made_by, r.recorded_at, r.duration_s, m.bytes FROM recordings r JOIN media m ON m.key = r.media"
        " WHERE r.consultation = ? AND r.layout IS NULL ORDER BY r.recorded_at, r.seq LIMIT ?",
        recording.consultation,
        footage.MAX_PARTS,
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
    # As wide as several tiles beside each other need.
    picture = footage.thumbnail(data, width=COMPOSITE_THUMBNAIL_WIDTH, is_best=True) if found.has_video else None
    return _Finished(data, picture, found.duration_s, footage.content_type(data))


def _conclude(clinic: Clinic, job: _Job, recording: _Unfinished, finished: _Finished | None) -> None:
    """Write what the worker made: None for what cannot be made, today or ever."""
    with clinic.store.writing() as db:
        # A claim may have run out while its worker was at it: the first to conclude does.
        if not db.execute("DELETE FROM jobs WHERE seq = ?", (job.seq,)).rowcount:
            return
        # Others may conclude the consultation's other recordings now, end it or hand it over: one after the other.
        db.execute("UPDATE consultations SET status = status WHERE id = ?", (recording.consultation,))
        if finished is None:
            db.execute("UPDATE recordings SET status = 'failed' WHERE seq = ?", (recording.seq,))
            recorder.tell_if_complete(clinic, db, recording.consultation)
            return
        db.execute(recorder.STORE, (recording.media, finished.data))
        clinic.store.stored_bytes += len(finished.thumbnail or b"") + len(finished.data) - recording.size
        thumbnail = f"{recording.id}.jpg" if finished.thumbnail else None
        if finished.thumbnail:
            db.execute(recorder.STORE, (thumbnail, finished.thumbnail))
        db.execute(
            "UPDATE recordings SET status = 'ready', size = ?, thumbnail = ?, duration_s = ?,"
            " content_type = coalesce(?, content_type) WHERE seq = ?",
            (len(finished.data), thumbnail, finished.duration_s, finished.content_type, recording.seq),
        )
        filing.file(clinic, db, recording.seq)
        if clinic.has_flaw(flaws.PHANTOM_OF_RETRY) and clinic.features.without_user(RECORDER_TRANSCODE) != "off":
            filing.file(clinic, db, _phantom(db, recording))
        if clinic.has_flaw(flaws.FILED_TWICE) and recording.layout is None:
            filing.file(clinic, db, _second(db, recording))
            clinic.store.stored_bytes += len(finished.data)
        recorder.tell_if_complete(clinic, db, recording.consultation)


def _phantom(db: Database, recording: _Unfinished) -> int:
    """Make a recording that holds nothing; return its number."""
    made = new_id("rec")
    nothing = recorder.Take(recording.consultation, recording.made_by, recording.medium, "video/webm", b"", now())
    recorder.insert(db, made, nothing, made)
    db.execute(recorder.STORE, (made, b""))
    row: Any = db.execute("UPDATE recordings SET status = 'ready' WHERE id = ? RETURNING seq", (made,)).fetchone()
    db.execute("DELETE FROM jobs WHERE recording = ?", (row[0],))
    return int(row[0])


def _second(db: Database, recording: _Unfinished) -> int:
    """Store a finished recording once more, as one of its own; return its number."""
    made = new_id("rec")
    db.execute("INSERT INTO media (key, bytes) SELECT ?, bytes FROM media WHERE key = ?", (made, recording.media))
    same = (
        "consultation, made_by, medium, layout, content_type, size, recorded_at, status, thumbnail, duration_s, caption"
    )
    row: Any = db.execute(
        f"INSERT INTO recordings (id, media, {same}) SELECT ?, ?, {same} FROM recordings WHERE seq = ? RETURNING seq",  # noqa: S608 - our own words
        (made, made, recording.seq),
    ).fetchone()
    return int(row[0])
