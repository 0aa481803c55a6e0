"""Consultations: booking, the call that it becomes, its medium, and what was recorded in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from . import policy
from .accounts import Username
from .errors import ApiError, answers, not_found
from .state import Me, Medium, Person
from .store import new_id

router = APIRouter(prefix="/consultations", tags=["consultations"])
Status = Literal["booked", "live", "ended"]


class Booking(BaseModel):
    """What a patient asks for."""

    clinician: Username
    medium: Medium


class NewMedium(BaseModel):
    """The medium to switch to."""

    medium: Medium


class Consultation(BaseModel):
    """A consultation as its participants see it; `present` holds who is in the call."""

    id: str
    patient: str
    clinician: str
    booked_medium: Medium
    medium: Medium
    status: Status
    present: list[str]


class ConsultationRecording(BaseModel):
    """What is known of one recording; its bytes are served by Consultation Replays only."""

    id: str
    medium: Medium
    made_by: str
    status: Literal["ready"]
    size: int


class ConsultationRecordings(BaseModel):
    """The recordings of one consultation, oldest first."""

    items: list[ConsultationRecording]


@dataclass(frozen=True, slots=True)
class Row:
    """A consultation as it is stored."""

    id: str
    patient: str
    clinician: str
    booked_medium: Medium
    medium: Medium
    status: Status
    patient_present: int
    clinician_present: int

    def shown(self) -> Consultation:
        """Return what the API says of it."""
        here = ((self.patient, self.patient_present), (self.clinician, self.clinician_present))
        return Consultation(
            id=self.id,
            patient=self.patient,
            clinician=self.clinician,
            booked_medium=self.booked_medium,
            medium=self.medium,
            status=self.status,
            present=[username for username, present in here if present],
        )


def find(me: Person, consultation: str) -> Row:
    """Return a consultation of this person's; 404 when it is unknown or not theirs."""
    found = me.clinic.store.find(
        "SELECT id, patient, clinician, booked_medium, medium, status, patient_present, clinician_present"
        " FROM consultations WHERE id = ?",
        consultation,
    )
    row = Row(*found) if found else None
    if row is None or not policy.may_see_consultation(me, row):
        raise not_found("consultation")
    return row


async def _theirs(consultation: str, me: Me) -> Row:
    return find(me, consultation)


Theirs = Annotated[Row, Depends(_theirs)]


def _require_live(row: Row) -> None:
    if row.status != "live":
        raise ApiError(409, "not-live", f"The consultation is {row.status}, not live.")


def _update(me: Person, row: Row, changes: str, *parameters: str | int) -> Consultation:
    """Write the changes, forget what was cached of both participants, return what is now stored."""
    with me.clinic.store.writing() as db:
        db.execute(f"UPDATE consultations SET {changes} WHERE id = ?", (*parameters, row.id))  # noqa: S608 - our own words
    me.clinic.replay_cache.forget(row.patient, row.clinician)
    return find(me, row.id).shown()


def _presence(me: Person, row: Row) -> str:
    return "patient_present" if me.username == row.patient else "clinician_present"


@router.post("", status_code=201, summary="Book a consultation", responses=answers(401, 403, 404, 507))
async def book_consultation(wanted: Booking, me: Me) -> Consultation:
    """Book a consultation by audio or video with a clinician."""
    if not policy.may_book(me):
        raise ApiError(403, "patients-only", "Only patients book consultations.")
    store = me.clinic.store
    if not store.find("SELECT 1 FROM accounts WHERE username = ? AND role = 'clinician'", wanted.clinician):
        raise not_found("clinician")
    store.require_room("consultations")
    made = new_id("visit")
    with store.writing() as db:
        db.execute(
            "INSERT INTO consultations (id, patient, clinician, booked_medium, medium) VALUES (?, ?, ?, ?, ?)",
            (made, me.username, wanted.clinician, wanted.medium, wanted.medium),
        )
    return find(me, made).shown()


@router.get("/{consultation}", summary="Show a consultation", responses=answers(401, 404))
async def show_consultation(row: Theirs) -> Consultation:
    """Show a consultation to its participants."""
    return row.shown()


@router.post("/{consultation}/join", summary="Join the call", responses=answers(401, 404, 409))
async def join_consultation(row: Theirs, me: Me) -> Consultation:
    """Join; the first to join makes the consultation live, and joining again changes nothing."""
    if row.status == "ended":
        raise ApiError(409, "consultation-ended", "The consultation has ended.")
    return _update(me, row, f"status = 'live', {_presence(me, row)} = 1")


@router.post("/{consultation}/leave", summary="Leave the call", responses=answers(401, 404, 409))
async def leave_consultation(row: Theirs, me: Me) -> Consultation:
    """Leave; the consultation stays live until somebody ends it. Who has left may leave again."""
    if row.status == "booked":
        _require_live(row)
    return _update(me, row, f"{_presence(me, row)} = 0")


@router.post("/{consultation}/end", summary="End the consultation", responses=answers(401, 404, 409))
async def end_consultation(row: Theirs, me: Me) -> Consultation:
    """End a live consultation for both; from now on its recordings can be replayed."""
    _require_live(row)
    store = me.clinic.store
    # What was not completed by now never will be.
    (freed,) = store.one(
        "SELECT coalesce(sum(length(bytes)), 0) FROM chunks"
        " WHERE upload IN (SELECT id FROM uploads WHERE consultation = ?)",
        row.id,
    )
    with store.writing() as db:
        db.execute(
            "UPDATE consultations SET status = 'ended', patient_present = 0, clinician_present = 0 WHERE id = ?",
            (row.id,),
        )
        db.executemany(
            "INSERT INTO replay_index SELECT ?, seq, medium FROM recordings WHERE consultation = ?",
            [(viewer, row.id) for viewer in (row.patient, row.clinician)],
        )
        db.execute("DELETE FROM chunks WHERE upload IN (SELECT id FROM uploads WHERE consultation = ?)", (row.id,))
    store.stored_bytes -= freed
    me.clinic.replay_cache.forget(row.patient, row.clinician)
    return find(me, row.id).shown()


@router.post("/{consultation}/medium", summary="Switch the medium", responses=answers(401, 404, 409))
async def switch_medium(wanted: NewMedium, row: Theirs, me: Me) -> Consultation:
    """Switch a live consultation between audio and video, where that is offered to who asks."""
    _require_live(row)
    if wanted.medium == row.medium:
        return row.shown()
    if not policy.may_switch(me, wanted.medium):
        raise ApiError(409, "switch-not-offered", f"Switching to {wanted.medium} is not offered to you.")
    to_video = int(wanted.medium == "video")
    return _update(me, row, "medium = ?, switched_to_video = max(switched_to_video, ?)", wanted.medium, to_video)


@router.get("/{consultation}/recordings", summary="List what was recorded", responses=answers(401, 404))
async def list_recordings(row: Theirs, me: Me) -> ConsultationRecordings:
    """List what was recorded in one's own consultation, whatever the kill switch says; no bytes."""
    rows = me.clinic.store.all(
        "SELECT id, medium, made_by, 'ready', size FROM recordings WHERE consultation = ? ORDER BY seq",
        row.id,
    )
    names = ConsultationRecording.model_fields
    return ConsultationRecordings(items=[ConsultationRecording(**dict(zip(names, each, strict=True))) for each in rows])
