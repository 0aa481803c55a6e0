"""Uploads: a participant's recording comes in chunks while the consultation is live, then becomes whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field, model_validator

from harness.clinic import flaws, policy
from harness.clinic.base.errors import ApiError, answers, not_found
from harness.clinic.base.state import Me, Medium, Person, now
from harness.clinic.base.store import new_id

from . import consultations, recorder

MAX_CHUNK_BYTES = 1024 * 1024
MAX_CHUNKS = 64
MAX_UPLOADS = 256
# A longer body than this is cut off; up to it the sender is heard out, so that it gets to read the refusal.
MAX_HEARD_BYTES = 8 * MAX_CHUNK_BYTES
CONTENT_TYPE = r'^(audio|video)/webm(; ?codecs="?[A-Za-z0-9.,_-]{1,60}"?)?$'

SCHEMA = """
CREATE TABLE IF NOT EXISTS uploads (
    seq {seq}, id TEXT UNIQUE NOT NULL, consultation TEXT NOT NULL, made_by TEXT NOT NULL, medium TEXT NOT NULL,
    content_type TEXT NOT NULL, caption TEXT NOT NULL, began_at TEXT NOT NULL, recording TEXT);
CREATE INDEX IF NOT EXISTS uploads_by_consultation ON uploads (consultation);
CREATE TABLE IF NOT EXISTS chunks (
    upload TEXT NOT NULL, n INTEGER NOT NULL, bytes {bytes} NOT NULL, PRIMARY KEY (upload, n));
"""

router = APIRouter(tags=["uploads"])


class NewUpload(BaseModel):
    """What will be sent."""

    medium: Medium
    content_type: Annotated[str, Field(pattern=CONTENT_TYPE, examples=["video/webm"])]
    caption: Annotated[
        str, Field(max_length=recorder.CAPTION_CHARACTERS, description="What is said in it, for the transcript.")
    ] = ""

    @model_validator(mode="after")
    def _agrees(self) -> NewUpload:
        if not self.content_type.startswith(self.medium):
            raise ValueError(f"content_type must be of the medium {self.medium}")
        return self


class Upload(BaseModel):
    """An upload that has begun."""

    id: str


class Completion(BaseModel):
    """What was sent: chunks 0 to `chunks` - 1, and the hash of all bytes in that order."""

    chunks: Annotated[int, Field(ge=1, le=MAX_CHUNKS)]
    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")]


class Completed(BaseModel):
    """The recording that the upload became."""

    recording: str


def _require_live(me: Person, row: consultations.Row) -> None:
    if not policy.may_upload(me, row):
        raise ApiError(409, "not-live", f"The consultation is {row.status}; only a live one is recorded.")


@dataclass(frozen=True, slots=True)
class _Begun:
    """An upload that is not complete, as it is stored."""

    consultation: str
    medium: Medium
    content_type: str
    caption: str
    began_at: str


def _open_upload(me: Person, upload: str) -> _Begun:
    """Return an upload of this person's; 404 for another's, 409 when it or its consultation is over."""
    found = me.clinic.store.find(
        "SELECT made_by, recording, consultation, medium, content_type, caption, began_at FROM uploads WHERE id = ?",
        upload,
    )
    if not found or not policy.may_continue_upload(me, found[0]):
        raise not_found("upload")
    if found[1]:
        raise ApiError(409, "upload-complete", "The upload is complete.")
    begun = _Begun(*found[2:])
    _require_live(me, consultations.find(me, begun.consultation))
    return begun


@router.post(
    "/consultations/{consultation}/uploads",
    status_code=201,
    summary="Begin an upload",
    responses=answers(401, 403, 404, 409, 507),
)
async def begin_upload(new: NewUpload, row: consultations.Theirs, me: Me) -> Upload:
    """Begin to upload a recording of a live consultation; video only while its medium is video."""
    _require_live(me, row)
    if me.username not in row.present:
        consultations.require_conducting(me, row)
    if new.medium == "video" and row.medium != "video":
        raise ApiError(409, "wrong-medium", "The consultation is by audio.")
    store = me.clinic.store
    if store.one("SELECT count(*) FROM uploads WHERE consultation = ?", row.id)[0] >= MAX_UPLOADS:
        raise ApiError(409, "too-many-uploads", f"A consultation has at most {MAX_UPLOADS} uploads.")
    store.require_room("uploads")
    made = new_id("up")
    with store.writing() as db:
        db.execute(
            "INSERT INTO uploads (id, consultation, made_by, medium, content_type, caption, began_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (made, row.id, me.username, new.medium, new.content_type, new.caption, now()),
        )
    return Upload(id=made)


async def _body(request: Request) -> bytes:
    """Return the request's body; 413 above MAX_CHUNK_BYTES, without ever holding more."""
    kept = bytearray()
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_HEARD_BYTES:
            break
        if size <= MAX_CHUNK_BYTES:
            kept += part
    if size > MAX_CHUNK_BYTES:
        raise ApiError(413, "chunk-too-large", f"A chunk has at most {MAX_CHUNK_BYTES:,} bytes.")
    return bytes(kept)


@router.put(
    "/uploads/{upload}/chunks/{n}",
    status_code=204,
    summary="Send a chunk",
    response_class=Response,
    responses=answers(401, 404, 409, 413, 507),
    max_body_size=2 * MAX_HEARD_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def send_chunk(upload: str, n: Annotated[int, Path(ge=0)], request: Request, me: Me) -> None:
    """Store chunk `n`, counted from 0: up to 1 MiB of raw bytes. Sending it again replaces it."""
    sent = await _body(request)
    if n >= MAX_CHUNKS:
        raise ApiError(413, "too-many-chunks", f"An upload has at most {MAX_CHUNKS} chunks.")
    begun = _open_upload(me, upload)
    store = me.clinic.store
    before = store.find("SELECT length(bytes) FROM chunks WHERE upload = ? AND n = ?", upload, n)
    growth = len(sent) - (before[0] if before else 0)
    store.require_bytes(growth)
    with store.writing() as db:
        consultations.hold(db, begun.consultation, "live")
        db.execute(
            "INSERT INTO chunks (upload, n, bytes) VALUES (?, ?, ?)"
            " ON CONFLICT (upload, n) DO UPDATE SET bytes = excluded.bytes",
            (upload, n, sent),
        )
    store.stored_bytes += growth


@router.post(
    "/uploads/{upload}/complete",
    status_code=201,
    summary="Complete an upload",
    responses=answers(401, 404, 409, 507),
)
async def complete_upload(upload: str, said: Completion, me: Me) -> Completed:
    """Make a recording of the chunks, when all are there and their hash is the one that was said."""
    begun = _open_upload(me, upload)
    store = me.clinic.store
    chunks = store.all("SELECT n, bytes FROM chunks WHERE upload = ? ORDER BY n", upload)
    if [n for n, _ in chunks] != list(range(said.chunks)):
        raise ApiError(409, "chunks-differ", f"Chunks 0 to {said.chunks - 1} were said, others are here.")
    whole = b"".join(bytes(each) for _, each in chunks)
    if hashlib.sha256(whole).hexdigest() != said.sha256.lower():
        raise ApiError(409, "hash-differs", "The bytes that came are not those that were said.")
    store.require_room("recordings")
    take = recorder.Take(
        _where(me, begun), me.username, begun.medium, begun.content_type, whole, begun.began_at, begun.caption
    )
    with store.writing() as db:
        consultations.hold(db, begun.consultation, "live")
        made = recorder.receive(me.clinic, db, take)
        db.execute("DELETE FROM chunks WHERE upload = ?", (upload,))
        completed = db.execute("UPDATE uploads SET recording = ? WHERE id = ? AND recording IS NULL", (made, upload))
        if not completed.rowcount:
            raise ApiError(409, "upload-complete", "The upload is complete.")
    return Completed(recording=made)


def _where(me: Person, begun: _Begun) -> str:
    """Return the consultation that an upload belongs to: the one in which it was begun."""
    if me.clinic.has_flaw(flaws.LATE_UPLOAD_TO_LATEST):
        latest = me.clinic.store.one(
            "SELECT c.id FROM participants p JOIN consultations c ON c.id = p.consultation"
            " WHERE p.username = ? AND c.status = 'live' ORDER BY c.seq DESC LIMIT 1",
            me.username,
        )
        return str(latest[0])
    if me.clinic.has_flaw(flaws.SWITCHES_SWAP_TRACKS):
        return me.clinic.swapped.get(begun.consultation, begun.consultation)
    return begun.consultation
