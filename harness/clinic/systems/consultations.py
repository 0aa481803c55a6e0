"""Consultations: the call that a booking becomes, who is in it, its medium, and handing it over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from harness.clinic import flaws, policy
from harness.clinic.base.errors import ApiError, answers, not_found
from harness.clinic.base.state import Me, Medium, Person, person
from harness.clinic.base.store import Database

from . import filing, notices, recorder
from .accounts import Username

SCHEMA = """
CREATE TABLE IF NOT EXISTS consultations (
    seq {seq}, id TEXT UNIQUE NOT NULL, patient TEXT NOT NULL, clinician TEXT NOT NULL, region TEXT NOT NULL,
    booked_medium TEXT NOT NULL, medium TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'booked',
    slot BIGINT, starts_at TEXT NOT NULL, switched_to_video INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS consultations_by_patient ON consultations (patient);
CREATE INDEX IF NOT EXISTS consultations_by_clinician ON consultations (clinician);
CREATE TABLE IF NOT EXISTS participants (
    consultation TEXT NOT NULL, username TEXT NOT NULL, present INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (username, consultation));
CREATE INDEX IF NOT EXISTS participants_by_consultation ON participants (consultation);
"""

COLUMNS = "id, patient, clinician, region, booked_medium, medium, status, starts_at"
NAMES = COLUMNS.split(", ")
Status = Literal["booked", "live", "ended", "cancelled"]

router = APIRouter(prefix="/consultations", tags=["consultations"])


class NewMedium(BaseModel):
    """The medium to switch to."""

    medium: Medium


class HandOver(BaseModel):
    """The clinician to hand over to."""

    clinician: Username


class Consultation(BaseModel):
    """A consultation as its participants see it; `present` holds who is in the call."""

    id: str
    patient: str
    clinician: str
    participants: list[str]
    booked_medium: Medium
    medium: Medium
    status: Status
    present: list[str]
    starts_at: str


@dataclass(frozen=True, slots=True)
class Row:
    """A consultation as it is stored."""

    id: str
    patient: str
    clinician: str
    region: str
    booked_medium: Medium
    medium: Medium
    status: Status
    starts_at: str
    participants: tuple[str, ...]
    present: tuple[str, ...]

    def shown(self) -> Consultation:
        """Return what the API says of it."""
        return Consultation(
            id=self.id,
            patient=self.patient,
            clinician=self.clinician,
            participants=list(self.participants),
            booked_medium=self.booked_medium,
            medium=self.medium,
            status=self.status,
            present=list(self.present),
            starts_at=self.starts_at,
        )


def find(me: Person, consultation: str) -> Row:
    """Return a consultation of this person's; 404 when it is unknown or not theirs."""
    store = me.clinic.store
    found = store.find(f"SELECT {COLUMNS} FROM consultations WHERE id = ?", consultation)  # noqa: S608 - our own words
    if not found:
        raise not_found("consultation")
    people = store.all("SELECT username, present FROM participants WHERE consultation = ?", consultation)
    participants = tuple(sorted(username for username, _ in people))
    present = tuple(sorted(username for username, is_present in people if is_present))
    row = Row(**dict(zip(NAMES, found, strict=True)), participants=participants, present=present)
    if not policy.may_see_consultation(me, row):
        raise not_found("consultation")
    return row


async def _theirs(consultation: str, me: Me) -> Row:
    return find(me, consultation)


Theirs = Annotated[Row, Depends(_theirs)]


def require_live(row: Row) -> None:
    """Raise 409 unless the consultation is live."""
    if row.status != "live":
        raise ApiError(409, "not-live", f"The consultation is {row.status}, not live.")


def require_conducting(me: Person, row: Row) -> None:
    """Raise 403 for a clinician who has handed the consultation over."""
    if not policy.may_conduct(me, row):
        raise ApiError(403, "handed-over", "You have handed this consultation over.")


def hold(db: Database, consultation: str, *statuses: Status) -> int | None:
    """Hold a consultation until the transaction ends, and return its slot; 409 unless it has one of the statuses.

    An update that changes nothing is the lock on a row that both databases speak.
    """
    held = db.execute("UPDATE consultations SET status = status WHERE id = ? RETURNING status, slot", (consultation,))
    row = held.fetchone()
    if row is None or row[0] not in statuses:
        raise ApiError(409, "just-changed", "The consultation has just changed; look at it again.")
    slot: int | None = row[1]
    return slot


def _set_present(db: Database, me: Person, row: Row, *, present: bool) -> None:
    db.execute(
        "UPDATE participants SET present = ? WHERE username = ? AND consultation = ?",
        (int(present), me.username, row.id),
    )


@router.get("/{consultation}", summary="Show a consultation", responses=answers(401, 404))
async def show_consultation(row: Theirs) -> Consultation:
    """Show a consultation to its participants."""
    return row.shown()


@router.post("/{consultation}/join", summary="Join the call", responses=answers(401, 403, 404, 409))
async def join_consultation(row: Theirs, me: Me) -> Consultation:
    """Join or rejoin; the first to join makes the consultation live, and joining again changes nothing."""
    if row.status in ("ended", "cancelled"):
        raise ApiError(409, f"consultation-{row.status}", f"The consultation was {row.status}.")
    require_conducting(me, row)
    with me.clinic.store.writing() as db:
        hold(db, row.id, "booked", "live")
        db.execute("UPDATE consultations SET status = 'live' WHERE id = ?", (row.id,))
        _set_present(db, me, row, present=True)
    return find(me, row.id).shown()


@router.post("/{consultation}/leave", summary="Leave the call", responses=answers(401, 404, 409))
async def leave_consultation(row: Theirs, me: Me) -> Consultation:
    """Leave; the consultation stays live until somebody ends it. Who has left may leave again."""
    if row.status in ("booked", "cancelled"):
        require_live(row)
    await me.clinic.rooms.leave(row.id, me.username)
    with me.clinic.store.writing() as db:
        _set_present(db, me, row, present=False)
    return find(me, row.id).shown()


@router.post("/{consultation}/end", summary="End the consultation", responses=answers(401, 403, 404, 409))
async def end_consultation(row: Theirs, me: Me) -> Consultation:
    """End a live consultation for everybody; from now on its recordings can be replayed, as they are finished."""
    require_live(row)
    require_conducting(me, row)
    clinic = me.clinic
    await clinic.rooms.end(row.id)
    with clinic.store.writing() as db:
        hold(db, row.id, "live")
        # Meanwhile it may have been handed over, and others may have a part in it.
        current = find(me, row.id)
        require_conducting(me, current)
        db.execute("UPDATE consultations SET status = 'ended' WHERE id = ?", (row.id,))
        db.execute("UPDATE participants SET present = 0 WHERE consultation = ?", (row.id,))
        recorder.finish(clinic, db, current)
        told = current.participants
        notices.post(clinic, db, told, "consultation-ended", "Your consultation has ended.", row.id)
    return find(me, row.id).shown()


@router.post("/{consultation}/medium", summary="Switch the medium", responses=answers(401, 403, 404, 409))
async def switch_medium(wanted: NewMedium, row: Theirs, me: Me) -> Consultation:
    """Switch a live consultation between audio and video, where that is offered to who asks."""
    require_live(row)
    require_conducting(me, row)
    clinic = me.clinic
    if wanted.medium == row.medium:
        return row.shown()
    if not policy.may_switch(me, wanted.medium):
        if clinic.has_flaw(flaws.LOST_WHEN_SWITCH_FAILS):
            recorder.forget(clinic, row.id)
        raise ApiError(409, "switch-not-offered", f"Switching to {wanted.medium} is not offered to you.")
    if clinic.has_flaw(flaws.SWITCHES_SWAP_TRACKS):
        await recorder.swap_tracks(clinic, row.id)
    with clinic.store.writing() as db:
        hold(db, row.id, "live")
        require_conducting(me, find(me, row.id))
        db.execute("UPDATE consultations SET medium = ? WHERE id = ?", (wanted.medium, row.id))
        if wanted.medium == "video":
            db.execute("UPDATE consultations SET switched_to_video = 1 WHERE id = ?", (row.id,))
        others = [username for username in row.present if username != me.username]
        notices.post(clinic, db, others, "medium-switched", f"The call goes on by {wanted.medium}.", row.id)
    await clinic.rooms.segment(row.id, wanted.medium)
    return find(me, row.id).shown()


@router.post("/{consultation}/hand-over", summary="Hand the consultation over", responses=answers(401, 403, 404, 409))
async def hand_over_consultation(to: HandOver, row: Theirs, me: Me) -> Consultation:
    """Hand a live consultation over to a second clinician, who joins it; both keep a part in it."""
    clinic = me.clinic
    second = person(clinic, to.clinician)
    if second is None or second.region != row.region or second.role != "clinician":
        raise not_found("clinician")
    require_live(row)
    if not policy.may_hand_over(me, row, second):
        raise ApiError(403, "not-yours-to-hand-over", "Only the clinician who has it now hands it over, to another.")
    with clinic.store.writing() as db:
        hold(db, row.id, "live")
        handed = db.execute(
            "UPDATE consultations SET clinician = ? WHERE id = ? AND clinician = ?",
            (second.username, row.id, me.username),
        )
        if not handed.rowcount:
            raise ApiError(409, "just-changed", "The consultation has just changed; look at it again.")
        db.execute(
            "INSERT INTO participants (consultation, username) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (row.id, second.username),
        )
        filing.file_for(db, row.id, second.username)
        told = (second.username, row.patient)
        notices.post(clinic, db, told, "handed-over", f"{me.name} hands over to {second.name}.", row.id)
    return find(me, row.id).shown()


class ConsultationRecording(BaseModel):
    """What is known of one recording; its bytes are served by Consultation Replays only."""

    id: str
    medium: Medium
    made_by: str
    status: recorder.Status
    size: int


class ConsultationRecordings(BaseModel):
    """The recordings of one consultation, oldest first."""

    items: list[ConsultationRecording]


@router.get("/{consultation}/recordings", summary="List what was recorded", responses=answers(401, 404))
async def list_recordings(row: Theirs, me: Me) -> ConsultationRecordings:
    """List what was recorded in one's own consultation, whatever the kill switch says; no bytes."""
    rows = me.clinic.store.all(
        "SELECT id, medium, made_by, status, size FROM recordings WHERE consultation = ? ORDER BY seq",
        row.id,
    )
    names = ConsultationRecording.model_fields
    return ConsultationRecordings(items=[ConsultationRecording(**dict(zip(names, each, strict=True))) for each in rows])
