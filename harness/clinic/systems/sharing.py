"""Sharing: signed links, carers, the export of all one's replays, and deleting one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import io
import secrets
import time
import zipfile
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Response, Security
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel

from harness.clinic import flaws, policy
from harness.clinic.base.errors import ApiError, answers, not_found
from harness.clinic.base.state import Clinic, Here, Me, Person, bearer, now, person, person_of_token
from harness.clinic.web.ranges import NO_STORE, partial

from . import filing, operations, replays, visibility
from .accounts import Username

LINK_S = 300
SIGNATURE_BYTES = 16
MAX_CARERS = 20
MAX_EXPORTED = 200

SCHEMA = """
CREATE TABLE IF NOT EXISTS shares (
    seq {seq}, recording TEXT NOT NULL, owner TEXT NOT NULL, carer TEXT NOT NULL, since TEXT NOT NULL, until TEXT);
CREATE INDEX IF NOT EXISTS shares_by_carer ON shares (carer);
CREATE UNIQUE INDEX IF NOT EXISTS shares_now ON shares (recording, carer) WHERE until IS NULL;
CREATE INDEX IF NOT EXISTS shares_by_recording ON shares (recording);
CREATE TABLE IF NOT EXISTS link_keys (name TEXT PRIMARY KEY, value {bytes} NOT NULL);
"""

router = APIRouter(tags=["sharing"])


class Link(BaseModel):
    """An address that opens one replay for the one who asked for it, signed in, until it expires."""

    url: str
    expires_at: str


class Share(BaseModel):
    """The carer to share with."""

    carer: Username


class Shares(BaseModel):
    """The carers who may replay a recording now."""

    items: list[Username]


def _key(clinic: Clinic) -> bytes:
    """Return what links are signed with: made once, the same in every process."""
    found = clinic.store.find("SELECT value FROM link_keys WHERE name = 'links'")
    if not found:
        with clinic.store.writing() as db:
            new = secrets.token_bytes(32)
            db.execute("INSERT INTO link_keys (name, value) VALUES ('links', ?) ON CONFLICT DO NOTHING", (new,))
        found = clinic.store.one("SELECT value FROM link_keys WHERE name = 'links'")
    return bytes(found[0])


def _signature(clinic: Clinic, said: str) -> str:
    digest = hmac.digest(_key(clinic), said.encode(), hashlib.sha256)[:SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _signed(clinic: Clinic, viewer: str, replay: str, expires: int) -> str:
    said = base64.urlsafe_b64encode(f"{expires} {replay} {viewer}".encode()).decode().rstrip("=")
    return f"{said}.{_signature(clinic, said)}"


def _read(clinic: Clinic, link: str) -> tuple[int, str, str]:
    """Return when a link expires, the replay and the viewer; 404 for one that the clinic did not make."""
    said, _, signature = link.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(clinic, said).encode()):
        raise not_found("link")
    try:
        expires, replay, viewer = base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)).decode().split(" ")
    except (binascii.Error, ValueError) as error:
        raise not_found("link") from error
    return int(expires), replay, viewer


def _manage(me: Person, replay: str) -> visibility.Row:
    """Return a replay that this person shares and deletes; 404 unless theirs, 403 unless they are its patient."""
    row = visibility.find(me, replay)
    if not policy.may_manage_replay(me, row):
        raise ApiError(403, "patients-only", "Only its patient shares or deletes a recording.")
    return row


def _require_sharing(me: Person) -> None:
    if not policy.may_share(me):
        raise not_found("sharing")


@router.post("/replays/{replay}/link", status_code=201, summary="Make a link", responses=answers(401, 403, 404, 507))
async def make_link(replay: str, me: Me) -> Link:
    """Make a link to a replay of one's own: for oneself, for five minutes."""
    row = visibility.find(me, replay)
    expires = int(time.time()) + LINK_S
    at = datetime.fromtimestamp(expires, UTC).isoformat(timespec="seconds")
    return Link(url=f"/links/{_signed(me.clinic, me.username, row.id, expires)}", expires_at=at)


@router.get(
    "/links/{link}",
    summary="Open a link",
    response_class=Response,
    responses={**answers(401, 403, 404, 410, 507), 200: {"description": "The recording.", "content": replays.MEDIA}},
)
async def open_link(
    link: str, clinic: Here, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Response:
    """Serve a replay's bytes to the signed-in user for whom the link was made, if they may still see it."""
    expires, replay, viewer = _read(clinic, link)
    me = person_of_token(clinic, credentials.credentials) if credentials else None
    if clinic.has_flaw(flaws.SIGNED_LINK_UNBOUND):
        maker = person(clinic, viewer)
        row = visibility.find_unchecked(maker, replay) if maker else None
        if row:
            operations.log_access(clinic, me.username if me else "nobody", "opened", "link", [row.id])
            return partial(clinic.store, row.media, row.content_type, None)
    if me is None:
        raise ApiError(401, "not-signed-in", "Sign in, and send the token as a bearer.")
    if me.username != viewer:
        raise not_found("link")
    if time.time() > expires:
        raise ApiError(410, "link-expired", "The link has expired; make another one.")
    row = visibility.find(me, replay)
    operations.log_access(clinic, me.username, "opened", "link", [row.id])
    return partial(clinic.store, row.media, row.content_type, None)


@router.delete("/replays/{replay}", status_code=204, summary="Delete a replay", responses=answers(401, 403, 404, 507))
async def delete_replay(replay: str, me: Me) -> None:
    """Delete a recording for everybody, with its thumbnail and its shares: its patient alone."""
    row = _manage(me, replay)
    with me.clinic.store.writing() as db:
        carers = db.execute("SELECT carer FROM shares WHERE recording = ? AND until IS NULL", (row.id,)).fetchall()
        people = db.execute("SELECT username FROM participants WHERE consultation = ?", (row.consultation,)).fetchall()
        db.execute("UPDATE shares SET until = ? WHERE recording = ? AND until IS NULL", (now(), row.id))
        db.execute("DELETE FROM replay_index WHERE recording = ?", (row.seq,))
        keys = (row.media, row.thumbnail_key or row.media)
        freed = db.execute("SELECT sum(length(bytes)) FROM media WHERE key IN (?, ?)", keys).fetchone()
        db.execute("DELETE FROM media WHERE key IN (?, ?)", keys)
        db.execute("DELETE FROM recordings WHERE seq = ?", (row.seq,))
        operations.note_deleted(db, row.id, row.consultation)
        filing.touch(db, {username for (username,) in (*carers, *people)})
    me.clinic.store.stored_bytes -= int((freed and freed[0]) or 0)


@router.get("/replays/{replay}/shares", summary="List carers", responses=answers(401, 403, 404, 507))
async def list_shares(replay: str, me: Me) -> Shares:
    """List the carers with whom a recording is shared now."""
    _require_sharing(me)
    row = _manage(me, replay)
    found = me.clinic.store.all("SELECT carer FROM shares WHERE recording = ? AND until IS NULL ORDER BY seq", row.id)
    return Shares(items=[carer for (carer,) in found])


@router.post(
    "/replays/{replay}/shares",
    status_code=204,
    summary="Share with a carer",
    responses=answers(401, 403, 404, 409, 507),
)
async def share_replay(replay: str, to: Share, me: Me) -> None:
    """Share a recording with a carer, who finds it among their own replays until it is revoked."""
    _require_sharing(me)
    row = _manage(me, replay)
    store = me.clinic.store
    carer = person(me.clinic, to.carer)
    if carer is None or not policy.may_care(carer, me):
        raise not_found("carer")
    current = store.all("SELECT carer FROM shares WHERE recording = ? AND until IS NULL", row.id)
    if (carer.username,) in current:
        return
    if len(current) >= MAX_CARERS:
        raise ApiError(409, "too-many-carers", f"A recording is shared with at most {MAX_CARERS} carers.")
    store.require_room("shares")
    with store.writing() as db:
        db.execute(
            "INSERT INTO shares (recording, owner, carer, since) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (row.id, me.username, carer.username, now()),
        )
        filing.touch(db, [carer.username])


@router.delete(
    "/replays/{replay}/shares/{carer}", status_code=204, summary="Revoke a share", responses=answers(401, 403, 404, 507)
)
async def revoke_share(replay: str, carer: str, me: Me) -> None:
    """Revoke a share: from now on the carer neither sees nor opens the recording."""
    row = _manage(me, replay)
    with me.clinic.store.writing() as db:
        revoked = db.execute(
            "UPDATE shares SET until = ? WHERE recording = ? AND carer = ? AND until IS NULL", (now(), row.id, carer)
        )
        if not revoked.rowcount:
            raise not_found("share")
        filing.touch(db, [carer])


@router.get(
    "/replays/export",
    summary="Export my replays",
    response_class=Response,
    responses={**answers(401, 403, 507), 200: {"description": "All of them.", "content": {"application/zip": {}}}},
)
async def export_replays(me: Me) -> Response:
    """Serve one's newest 200 replays as a ZIP: each recording by its id, and a list of titles."""
    chosen = visibility.source(me)
    if me.clinic.has_flaw(flaws.EXPORT_MIXES_USERS):
        chosen = visibility.Source(visibility.BY_CLINICIAN_AND_DAY, (me.username,), judged=False)
    rows = visibility.rows(me, chosen, "ORDER BY r.seq DESC LIMIT ?", MAX_EXPORTED)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        titles = "".join(f"{row.id}.webm  {row.recorded_at}  {replays.title(row, me.username)}\n" for row in rows)
        archive.writestr("replays.txt", titles)
        for row in rows:
            found = me.clinic.store.find("SELECT bytes FROM media WHERE key = ?", row.media)
            if found:
                archive.writestr(f"{row.id}.webm", bytes(found[0]))
    operations.log_access(me.clinic, me.username, "opened", "export", [row.id for row in rows])
    headers = {"Cache-Control": NO_STORE, "Content-Disposition": 'attachment; filename="replays.zip"'}
    return Response(packed.getvalue(), media_type="application/zip", headers=headers)
