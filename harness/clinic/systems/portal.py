"""The portal: the clinicians' agenda, the recordings of their consultations, and a place for problems."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from harness.clinic.base.errors import answers
from harness.clinic.base.state import Clinician, Layout, Medium, now
from harness.clinic.base.store import new_id
from harness.clinic.web import paging
from harness.clinic.web.paging import Cursor

from . import consultations, operations
from .operations import Problem

SCHEMA = """
CREATE TABLE IF NOT EXISTS problems (
    seq {seq}, id TEXT UNIQUE NOT NULL, reporter TEXT NOT NULL, consultation TEXT, text TEXT NOT NULL,
    reported_at TEXT NOT NULL);
"""

router = APIRouter(prefix="/portal", tags=["portal"])


class Appointment(BaseModel):
    """A consultation that is to come or goes on, with its patient's name."""

    id: str
    patient: str
    patient_name: str
    medium: Medium
    status: Literal["booked", "live"]
    starts_at: str


class Agenda(BaseModel):
    """A page of appointments, the earliest first."""

    items: list[Appointment]
    next: str | None


class PortalRecording(BaseModel):
    """A recording, finished or not, with its consultation."""

    id: str
    consultation: str
    patient: str
    patient_name: str
    medium: Medium
    layout: Layout | None
    made_by: str
    status: Literal["processing", "ready", "failed"]
    size: int
    recorded_at: str


class PortalRecordings(BaseModel):
    """A page of recordings, the newest first."""

    items: list[PortalRecording]
    next: str | None


class NewProblem(BaseModel):
    """What went wrong, and perhaps in which consultation."""

    text: Annotated[str, Field(min_length=1, max_length=2_000)]
    consultation: Annotated[str | None, Field(max_length=100)] = None


@router.get("/agenda", summary="Show my agenda", responses=answers(401, 403))
async def show_agenda(me: Clinician, cursor: Cursor = "") -> Agenda:
    """Show the consultations that the clinician has now and that are booked or live, the earliest first."""
    own = "c.clinician = ? AND c.region = ?"
    after = "(c.starts_at, c.seq) > (SELECT c.starts_at, c.seq FROM consultations c WHERE c.seq = ? AND"
    rows = me.clinic.store.all(
        "SELECT c.seq, c.id, c.patient, a.name, c.medium, c.status, c.starts_at FROM consultations c"  # noqa: S608 - our own words
        f" JOIN accounts a ON a.username = c.patient WHERE {own} AND c.status IN ('booked', 'live')"
        f"{f' AND {after} {own})' if cursor else ''} ORDER BY c.starts_at, c.seq LIMIT ?",
        *(me.username, me.region),
        *((int(cursor), me.username, me.region) if cursor else ()),
        paging.PAGE + 1,
    )
    page, following = paging.cut(rows)
    items = [
        Appointment(id=visit, patient=patient, patient_name=name, medium=medium, status=status, starts_at=at)
        for _, visit, patient, name, medium, status, at in page
    ]
    return Agenda(items=items, next=following)


@router.get("/recordings", summary="List my consultations' recordings", responses=answers(401, 403, 507))
async def list_portal_recordings(me: Clinician, cursor: Cursor = "") -> PortalRecordings:
    """List what was recorded in the clinician's consultations, finished or not; it is watched in the replays."""
    rows = me.clinic.store.all(
        "SELECT r.seq, r.id, r.consultation, c.patient, a.name, r.medium, r.layout, r.made_by, r.status, r.size,"
        " r.recorded_at FROM participants p JOIN consultations c ON c.id = p.consultation"
        " JOIN recordings r ON r.consultation = c.id JOIN accounts a ON a.username = c.patient"
        " WHERE p.username = ? AND c.region = ? AND r.seq < ? ORDER BY r.seq DESC LIMIT ?",
        me.username,
        me.region,
        paging.before(cursor),
        paging.PAGE + 1,
    )
    page, following = paging.cut(rows)
    fields = PortalRecording.model_fields
    items = [PortalRecording(**dict(zip(fields, row[1:], strict=True))) for row in page]
    operations.log_access(me.clinic, me.username, "presented", "portal", [each.id for each in items])
    return PortalRecordings(items=items, next=following)


@router.post("/problems", status_code=201, summary="Report a problem", responses=answers(401, 403, 404, 507))
async def report_problem(new: NewProblem, me: Clinician) -> Problem:
    """Report a problem to the operators; a consultation that is named must be one's own."""
    if new.consultation is not None:
        consultations.find(me, new.consultation)
    store = me.clinic.store
    store.require_room("problems")
    made = Problem(
        id=new_id("problem"), reporter=me.username, consultation=new.consultation, text=new.text, reported_at=now()
    )
    with store.writing() as db:
        db.execute(
            "INSERT INTO problems (id, reporter, consultation, text, reported_at) VALUES (?, ?, ?, ?, ?)",
            (made.id, made.reporter, made.consultation, made.text, made.reported_at),
        )
    return made
