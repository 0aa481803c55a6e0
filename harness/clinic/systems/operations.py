"""Operations: the switch that closes replays to all, the log of who met which recording, and who should not have."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from harness.clinic.base.errors import answers
from harness.clinic.base.state import Clinic, Operator, now
from harness.clinic.base.store import Database
from harness.clinic.web import paging
from harness.clinic.web.paging import Cursor

from . import notices
from .accounts import Username
from .affected import Affected, judge

# A recording that was deleted stays known here by its consultation: who met it can be judged later, too.
SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS access_log (
    seq {seq}, viewer TEXT NOT NULL, act TEXT NOT NULL, surface TEXT NOT NULL, recordings TEXT NOT NULL,
    at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS access_log_by_viewer ON access_log (viewer, seq);
CREATE TABLE IF NOT EXISTS deleted_recordings (id TEXT PRIMARY KEY, consultation TEXT NOT NULL);
"""

REPLAY_ACCESS = "replay-access"
router = APIRouter(prefix="/operations", tags=["operations"])


class ReplayAccess(BaseModel):
    """Whether replays are open: to all whose flags allow it, or to nobody."""

    open: bool


class Access(BaseModel):
    """One request that presented recordings to somebody or opened them, or that threw the switch."""

    viewer: str
    act: Literal["presented", "opened", "switched"]
    surface: Annotated[str, Field(description="The part of the clinic that was asked.", examples=["replay-list"])]
    recordings: list[str]
    at: str


class AccessLog(BaseModel):
    """A page of the access log, the newest first."""

    items: list[Access]
    next: str | None


class AffectedPage(BaseModel):
    """What a stretch of the log tells, its oldest first; what `next` leads to may add to the same people."""

    items: list[Affected]
    next: str | None


class Problem(BaseModel):
    """Something that a clinician reported, perhaps of one of their consultations."""

    id: str
    reporter: str
    consultation: str | None
    text: str
    reported_at: str


class Problems(BaseModel):
    """A page of reports, the newest first."""

    items: list[Problem]
    next: str | None


def replays_open(clinic: Clinic) -> bool:
    """Return whether the operator's switch lets replays be opened, as it stands in the database now."""
    found = clinic.store.find("SELECT value FROM settings WHERE name = ?", REPLAY_ACCESS)
    return found is None or found[0] == "open"


def log_access(
    clinic: Clinic, viewer: str, act: Literal["presented", "opened"], surface: str, recordings: Sequence[str]
) -> None:
    """Write down that recordings were presented to somebody or opened by them; 507 once the log is full."""
    if recordings:
        clinic.store.require_room("access_log")
        _log(clinic.store.db, viewer, act, surface, recordings)


def _log(db: Database, viewer: str, act: str, surface: str, recordings: Sequence[str] = ()) -> None:
    db.execute(
        "INSERT INTO access_log (viewer, act, surface, recordings, at) VALUES (?, ?, ?, ?, ?)",
        (viewer, act, surface, json.dumps(list(recordings)), now()),
    )


def note_deleted(db: Database, recording: str, consultation: str) -> None:
    """Remember of a recording that is being deleted what the access log needs to be read."""
    db.execute(
        "INSERT INTO deleted_recordings (id, consultation) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (recording, consultation),
    )


@router.get("/replay-access", summary="Show the replay switch", responses=answers(401, 403))
async def show_replay_access(me: Operator) -> ReplayAccess:
    """Tell whether replays are open."""
    return ReplayAccess(open=replays_open(me.clinic))


@router.post("/replay-access", summary="Throw the replay switch", responses=answers(401, 403, 507))
async def switch_replay_access(wanted: ReplayAccess, me: Operator) -> ReplayAccess:
    """Open replays, or close them to everybody; it is in force with the next request, and stands in the access log."""
    value = "open" if wanted.open else "closed"
    me.clinic.store.require_room("access_log")
    with me.clinic.store.writing() as db:
        db.execute(
            "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (REPLAY_ACCESS, value),
        )
        _log(db, me.username, "switched", f"{REPLAY_ACCESS}: {value}")
    return wanted


@router.get("/access-log", summary="Read the access log", responses=answers(401, 403))
async def read_access_log(
    me: Operator,
    viewer: Username | None = None,
    recording: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9-]{1,100}$")] = None,
    cursor: Cursor = "",
) -> AccessLog:
    """Show who was presented with recordings and who opened them, the newest first, of one viewer or recording."""
    chosen = {"viewer = ?": viewer, "recordings LIKE ?": recording and f'%"{recording}"%'}
    conditions = [condition for condition, value in chosen.items() if value]
    rows = me.clinic.store.all(
        "SELECT seq, viewer, act, surface, recordings, at FROM access_log"  # noqa: S608 - our own words
        f" WHERE {' AND '.join([*conditions, 'seq < ?'])} ORDER BY seq DESC LIMIT ?",
        *filter(None, chosen.values()),
        paging.before(cursor),
        paging.PAGE + 1,
    )
    page, following = paging.cut(rows)
    items = [
        Access(viewer=who, act=act, surface=surface, recordings=json.loads(recordings), at=at)
        for _, who, act, surface, recordings, at in page
    ]
    return AccessLog(items=items, next=following)


@router.get("/affected", summary="Find who was affected", responses=answers(401, 403))
async def list_affected(me: Operator, cursor: Cursor = "") -> AffectedPage:
    """Find in the access log who met recordings of consultations in which they had no part, unshared at that time."""
    items, end = judge(me.clinic, int(cursor or 0))
    return AffectedPage(items=items, next=str(end) if end else None)


@router.get("/problems", summary="List problems", responses=answers(401, 403))
async def list_problems(me: Operator, cursor: Cursor = "") -> Problems:
    """List what clinicians reported, the newest first."""
    rows = me.clinic.store.all(
        "SELECT seq, id, reporter, consultation, text, reported_at FROM problems WHERE seq < ?"
        " ORDER BY seq DESC LIMIT ?",
        paging.before(cursor),
        paging.PAGE + 1,
    )
    page, following = paging.cut(rows)
    items = [
        Problem(id=problem, reporter=reporter, consultation=consultation, text=text, reported_at=at)
        for _, problem, reporter, consultation, text, at in page
    ]
    return Problems(items=items, next=following)


@router.get("/outbox", summary="Read the outbox", responses=answers(401, 403))
async def read_outbox(me: Operator, cursor: Cursor = "") -> notices.Mails:
    """Show every e-mail that the clinic sent, the newest first."""
    return notices.mails(me.clinic, cursor)
