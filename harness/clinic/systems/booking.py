"""Booking: clinicians' slots, and consultations that patients book, reschedule and cancel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from harness.clinic import policy
from harness.clinic.base.errors import ApiError, answers, not_found
from harness.clinic.base.state import Clinician, Me, Medium, Patient, Person, Time, now, person
from harness.clinic.base.store import Database, new_id

from . import consultations, notices
from .accounts import Username
from .consultations import Consultation

SHOWN = 200
MAX_SLOTS_EACH = 1_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS slots (
    seq {seq}, clinician TEXT NOT NULL, starts_at TEXT NOT NULL, taken INTEGER NOT NULL DEFAULT 0,
    UNIQUE (clinician, starts_at));
"""

SlotNumber = Annotated[int, Field(ge=1, le=2**53)]

router = APIRouter(tags=["booking"])


class NewSlot(BaseModel):
    """A time that a clinician offers, with its offset from UTC."""

    starts_at: Annotated[Time, Field(examples=["2026-12-01T09:30:00+00:00"])]


class Slot(BaseModel):
    """A time at which a clinician can be booked."""

    slot: SlotNumber
    clinician: str
    starts_at: str


class Slots(BaseModel):
    """Free slots, the earliest first."""

    items: list[Slot]


class Booking(BaseModel):
    """What a patient asks for; without a slot the consultation is for now."""

    clinician: Username
    medium: Medium
    slot: SlotNumber | None = None


class NewTime(BaseModel):
    """The slot to move a consultation to."""

    slot: SlotNumber


class Mine(BaseModel):
    """Somebody's consultations, the newest first: at most 200."""

    items: list[Consultation]


def _this_minute() -> str:
    return datetime.now(UTC).isoformat(timespec="minutes")


def _take(db: Database, clinician: str, slot: int) -> str:
    """Take a free slot of the clinician's and return when it is; 409 when it is taken or past, 404 if unknown."""
    taken = db.execute(
        "UPDATE slots SET taken = 1 WHERE seq = ? AND clinician = ? AND taken = 0 AND starts_at >= ?"
        " RETURNING starts_at",
        (slot, clinician, _this_minute()),
    ).fetchone()
    if taken:
        return str(taken[0])
    found = db.execute("SELECT taken FROM slots WHERE seq = ? AND clinician = ?", (slot, clinician)).fetchone()
    if found is None:
        raise not_found("slot")
    if found[0]:
        raise ApiError(409, "slot-taken", "Somebody else has this slot.")
    raise ApiError(409, "slot-past", "The time of this slot has passed.")


def _free(db: Database, slot: int | None) -> None:
    db.execute("UPDATE slots SET taken = 0 WHERE seq = ?", (slot,))


def _require_movable(me: Person, row: consultations.Row) -> None:
    if me.username != row.patient:
        raise ApiError(403, "patients-only", "Only its patient moves or cancels a consultation.")
    if not policy.may_move(me, row):
        raise ApiError(409, "not-booked", f"The consultation is {row.status}; only a booked one is moved or cancelled.")


@router.post("/slots", status_code=201, summary="Offer a slot", responses=answers(401, 403, 409))
async def offer_slot(new: NewSlot, me: Clinician) -> Slot:
    """Offer a time at which patients of one's region can book."""
    store = me.clinic.store
    if store.one("SELECT count(*) FROM slots WHERE clinician = ?", me.username)[0] >= MAX_SLOTS_EACH:
        raise ApiError(409, "too-many-slots", f"A clinician has at most {MAX_SLOTS_EACH:,} slots.")
    starts_at = new.starts_at.isoformat(timespec="minutes")
    with store.writing() as db:
        made = db.execute(
            "INSERT INTO slots (clinician, starts_at) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING seq",
            (me.username, starts_at),
        ).fetchone()
    if not made:
        raise ApiError(409, "slot-known", "You have a slot at that time.")
    return Slot(slot=made[0], clinician=me.username, starts_at=starts_at)


@router.get("/clinicians/{clinician}/slots", summary="List free slots", responses=answers(401, 404))
async def list_slots(clinician: Annotated[str, Path(max_length=200)], me: Me) -> Slots:
    """List the free slots of a clinician of one's region, from now on."""
    found = person(me.clinic, clinician)
    if found is None or found.role != "clinician" or found.region != me.region:
        raise not_found("clinician")
    rows = me.clinic.store.all(
        "SELECT seq, clinician, starts_at FROM slots WHERE clinician = ? AND taken = 0 AND starts_at >= ?"
        " ORDER BY starts_at LIMIT ?",
        clinician,
        _this_minute(),
        SHOWN,
    )
    return Slots(items=[Slot(slot=slot, clinician=who, starts_at=at) for slot, who, at in rows])


@router.post(
    "/consultations", status_code=201, summary="Book a consultation", responses=answers(401, 403, 404, 409, 507)
)
async def book_consultation(wanted: Booking, me: Patient) -> Consultation:
    """Book a consultation by audio or video with a clinician of one's region, in a free slot or for now."""
    clinic = me.clinic
    clinician = person(clinic, wanted.clinician)
    if clinician is None or not policy.may_book(me, clinician):
        raise not_found("clinician")
    clinic.store.require_room("consultations")
    made = new_id("visit")
    with clinic.store.writing() as db:
        starts_at = _take(db, wanted.clinician, wanted.slot) if wanted.slot else now()
        db.execute(
            "INSERT INTO consultations (id, patient, clinician, region, booked_medium, medium, slot, starts_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                made,
                me.username,
                wanted.clinician,
                me.region,
                wanted.medium,
                wanted.medium,
                wanted.slot,
                starts_at,
            ),
        )
        db.execute(
            "INSERT INTO participants (consultation, username) VALUES (?, ?), (?, ?)",
            (made, me.username, made, wanted.clinician),
        )
        notices.post(clinic, db, [wanted.clinician], "booked", f"{me.name} booked a consultation.", made)
    return consultations.find(me, made).shown()


@router.get("/consultations", summary="List my consultations", responses=answers(401))
async def list_consultations(me: Me) -> Mine:
    """List the consultations in which one has a part, the newest first."""
    rows = me.clinic.store.all(
        "SELECT c.id FROM participants p JOIN consultations c ON c.id = p.consultation"
        " WHERE p.username = ? ORDER BY c.seq DESC LIMIT ?",
        me.username,
        SHOWN,
    )
    return Mine(items=[consultations.find(me, consultation).shown() for (consultation,) in rows])


@router.post("/consultations/{consultation}/cancel", summary="Cancel", responses=answers(401, 403, 404, 409))
async def cancel_consultation(row: consultations.Theirs, me: Me) -> Consultation:
    """Cancel a consultation that has not begun; its slot is free again."""
    _require_movable(me, row)
    with me.clinic.store.writing() as db:
        _free(db, consultations.hold(db, row.id, "booked"))
        db.execute("UPDATE consultations SET status = 'cancelled', slot = NULL WHERE id = ?", (row.id,))
        notices.post(me.clinic, db, [row.clinician], "cancelled", f"{me.name} cancelled.", row.id)
    return consultations.find(me, row.id).shown()


@router.post("/consultations/{consultation}/reschedule", summary="Reschedule", responses=answers(401, 403, 404, 409))
async def reschedule_consultation(to: NewTime, row: consultations.Theirs, me: Me) -> Consultation:
    """Move a consultation that has not begun to another free slot of the same clinician."""
    _require_movable(me, row)
    with me.clinic.store.writing() as db:
        held = consultations.hold(db, row.id, "booked")
        starts_at = _take(db, row.clinician, to.slot)
        _free(db, held)
        db.execute("UPDATE consultations SET slot = ?, starts_at = ? WHERE id = ?", (to.slot, starts_at, row.id))
        notices.post(me.clinic, db, [row.clinician], "rescheduled", f"{me.name} moved to {starts_at}.", row.id)
    return consultations.find(me, row.id).shown()
