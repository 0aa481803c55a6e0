"""Notices: the inbox and the e-mails that go with it; `listening` has the same as it happens."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from harness.clinic import policy
from harness.clinic.base.errors import answers, not_found
from harness.clinic.base.state import Clinic, Me, now
from harness.clinic.base.store import Database, Row, new_id
from harness.clinic.web import paging
from harness.clinic.web.paging import Cursor

SCHEMA = """
CREATE TABLE IF NOT EXISTS notices (
    seq {seq}, id TEXT UNIQUE NOT NULL, recipient TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL,
    consultation TEXT, created_at TEXT NOT NULL, read INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS notices_by_recipient ON notices (recipient, seq);
CREATE TABLE IF NOT EXISTS mail (
    seq {seq}, id TEXT UNIQUE NOT NULL, recipient TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
    sent_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS mail_by_recipient ON mail (recipient, seq);
"""

COLUMNS = "n.seq, n.id, n.recipient, n.kind, n.text, n.consultation, n.created_at, n.read"

log = logging.getLogger("clinic")
router = APIRouter(prefix="/notices", tags=["notices"])


class Notice(BaseModel):
    """Something that its recipient should know, perhaps about a consultation."""

    id: str
    kind: Annotated[str, Field(examples=["booked"])]
    text: str
    consultation: str | None
    created_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    read: bool


class Inbox(BaseModel):
    """A page of notices, the newest first, and how many in all are unread."""

    items: list[Notice]
    next: str | None
    unread: int


class Mail(BaseModel):
    """An e-mail as it left the clinic; nothing is delivered, `.invalid` is nobody's domain (RFC 2606)."""

    id: str
    to: str
    subject: str
    body: str
    sent_at: str


class Mails(BaseModel):
    """A page of e-mails, the newest first."""

    items: list[Mail]
    next: str | None


def post(
    clinic: Clinic, db: Database, recipients: Iterable[str], kind: str, text: str, consultation: str | None = None
) -> None:
    """Notify each recipient by inbox, e-mail and live, as a part of the caller's transaction.

    When there is room for no more notices, that is in the log alone: nobody is kept in a call by it.
    """
    told = list(dict.fromkeys(recipients))
    if not told:
        return
    if clinic.store.is_full("notices"):
        log.error("no room for a notice: %s", kind)
        return
    at, about = now(), f" ({consultation})" if consultation else ""
    db.executemany(
        "INSERT INTO notices (id, recipient, kind, text, consultation, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        [(new_id("notice"), each, kind, text, consultation, at) for each in told],
    )
    db.executemany(
        "INSERT INTO mail (id, recipient, subject, body, sent_at) VALUES (?, ?, ?, ?, ?)",
        [(new_id("mail"), each, f"Your clinic: {kind.replace('-', ' ')}", f"{text}{about}", at) for each in told],
    )
    clinic.live.wake()


def mails(clinic: Clinic, cursor: str, recipient: str | None = None) -> Mails:
    """Return a page of the e-mails to one recipient, or to anybody."""
    theirs, whose = ("recipient = ? AND", (recipient,)) if recipient else ("", ())
    rows = clinic.store.all(
        f"SELECT seq, id, recipient, subject, body, sent_at FROM mail WHERE {theirs} seq < ? ORDER BY seq DESC LIMIT ?",  # noqa: S608 - our own words
        *whose,
        paging.before(cursor),
        paging.PAGE + 1,
    )
    page, following = paging.cut(rows)
    items = [
        Mail(id=mail, to=f"{username}@clinic.invalid", subject=subject, body=body, sent_at=at)
        for _, mail, username, subject, body, at in page
    ]
    return Mails(items=items, next=following)


def of_row(row: Row) -> Notice:
    """Return the notice that was selected as COLUMNS."""
    _, notice, _, kind, text, consultation, created_at, read = row
    return Notice(id=notice, kind=kind, text=text, consultation=consultation, created_at=created_at, read=bool(read))


@router.get("", summary="List my notices", responses=answers(401))
async def list_notices(me: Me, cursor: Cursor = "") -> Inbox:
    """List what the signed-in user was told, the newest first."""
    store = me.clinic.store
    rows = store.all(
        f"SELECT {COLUMNS} FROM notices n WHERE n.recipient = ? AND n.seq < ? ORDER BY n.seq DESC LIMIT ?",  # noqa: S608 - our own words
        me.username,
        paging.before(cursor),
        paging.PAGE + 1,
    )
    unread = store.one("SELECT count(*) FROM notices WHERE recipient = ? AND read = 0", me.username)[0]
    page, following = paging.cut(rows)
    return Inbox(items=[of_row(row) for row in page], next=following, unread=unread)


@router.post("/{notice}/read", summary="Mark a notice as read", responses=answers(401, 404))
async def read_notice(notice: Annotated[str, Path(max_length=100)], me: Me) -> Notice:
    """Mark one's own notice as read; it may be read already."""
    store = me.clinic.store
    found = store.find(f"SELECT {COLUMNS} FROM notices n WHERE n.id = ?", notice)  # noqa: S608 - our own words
    if found is None or not policy.may_receive(me.username, found[2]):
        raise not_found("notice")
    with store.writing() as db:
        db.execute("UPDATE notices SET read = 1 WHERE id = ?", (notice,))
    return of_row(found).model_copy(update={"read": True})


@router.get("/mail", summary="List my e-mails", responses=answers(401))
async def list_my_mail(me: Me, cursor: Cursor = "") -> Mails:
    """List the e-mails that the clinic sent to the signed-in user, the newest first."""
    return mails(me.clinic, cursor, me.username)
