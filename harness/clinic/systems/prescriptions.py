"""Prescriptions: a clinician issues them, they go to the patient's pharmacy, a pharmacist there dispenses them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from harness.clinic import flaws, policy
from harness.clinic.base.errors import ApiError, answers, not_found
from harness.clinic.base.state import Clinic, Clinician, Me, Person, now, require_role
from harness.clinic.base.store import new_id
from harness.clinic.web import paging
from harness.clinic.web.paging import Cursor

from . import accounts, notices
from .consultations import Theirs

MAX_EACH = 50

SCHEMA = """
CREATE TABLE IF NOT EXISTS prescriptions (
    seq {seq}, id TEXT UNIQUE NOT NULL, consultation TEXT NOT NULL, patient TEXT NOT NULL, clinician TEXT NOT NULL,
    region TEXT NOT NULL, pharmacy TEXT NOT NULL, medicine TEXT NOT NULL, dose TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'issued', issued_at TEXT NOT NULL, dispensed_by TEXT, dispensed_at TEXT);
CREATE INDEX IF NOT EXISTS prescriptions_by_consultation ON prescriptions (consultation);
CREATE INDEX IF NOT EXISTS prescriptions_by_patient ON prescriptions (patient, seq);
CREATE INDEX IF NOT EXISTS prescriptions_by_clinician ON prescriptions (clinician, seq);
CREATE INDEX IF NOT EXISTS prescriptions_by_pharmacy ON prescriptions (pharmacy, seq);
"""

Status = Literal["issued", "dispensed"]
Pharmacist = Annotated[Person, Depends(require_role("pharmacist"))]

router = APIRouter(tags=["prescriptions"])


class NewPrescription(BaseModel):
    """What the patient is to take."""

    medicine: Annotated[str, Field(min_length=1, max_length=200, examples=["Amoxicillin 500 mg"])]
    dose: Annotated[str, Field(min_length=1, max_length=200, examples=["one capsule every 8 hours for 7 days"])]


class Prescription(BaseModel):
    """A prescription as its patient, the clinician who issued it and the pharmacy see it."""

    id: str
    consultation: str
    patient: str
    patient_name: str
    clinician: str
    clinician_name: str
    pharmacy: str
    medicine: str
    dose: str
    status: Status
    issued_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    dispensed_at: str | None


class Prescriptions(BaseModel):
    """A page of prescriptions, the newest first."""

    items: list[Prescription]
    next: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A prescription as it is stored, with the names of its patient and its clinician."""

    seq: int
    id: str
    consultation: str
    patient: str
    patient_name: str
    clinician: str
    clinician_name: str
    region: str
    pharmacy: str
    medicine: str
    dose: str
    status: Status
    issued_at: str
    dispensed_at: str | None

    def shown(self) -> Prescription:
        """Return what the API says of it."""
        return Prescription.model_validate(self, from_attributes=True)


SELECT = (
    "SELECT r.seq, r.id, r.consultation, r.patient, p.name, r.clinician, d.name, r.region, r.pharmacy, r.medicine,"
    " r.dose, r.status, r.issued_at, r.dispensed_at FROM prescriptions r"
    " JOIN accounts p ON p.username = r.patient JOIN accounts d ON d.username = r.clinician"
)


def _find(me: Person, prescription: str) -> Row:
    """Return a prescription that this person may see; 404 otherwise."""
    found = me.clinic.store.find(f"{SELECT} WHERE r.id = ?", prescription)
    row = Row(*found) if found else None
    if row is None or not policy.may_see_prescription(me, row, accounts.pharmacy_of(me.clinic, me.username)):
        raise not_found("prescription")
    return row


def _pharmacy(clinic: Clinic, patient: str) -> str:
    """Return where a patient's prescription goes: the pharmacy of their choice; 409 when there is none."""
    chosen = accounts.pharmacy_of(clinic, patient)
    if chosen is None:
        raise ApiError(409, "no-pharmacy", "The patient has not chosen a pharmacy yet.")
    if clinic.has_flaw(flaws.PRESCRIPTION_TO_WRONG_PHARMACY):
        chosen_by_somebody = "SELECT pharmacy FROM accounts WHERE role = 'patient' AND pharmacy IS NOT NULL"
        return str(clinic.store.one(f"{chosen_by_somebody} ORDER BY seq DESC LIMIT 1")[0])
    return chosen


@router.post(
    "/consultations/{consultation}/prescriptions",
    status_code=201,
    summary="Prescribe",
    responses=answers(401, 403, 404, 409, 507),
)
async def prescribe(new: NewPrescription, row: Theirs, me: Clinician) -> Prescription:
    """Issue a prescription in one's own consultation, live or ended; it goes to the patient's pharmacy."""
    if me.username != row.clinician:
        raise ApiError(403, "handed-over", "You have handed this consultation over.")
    if not policy.may_prescribe(me, row):
        raise ApiError(409, "not-begun", f"The consultation is {row.status}; prescribe once it is live.")
    clinic = me.clinic
    if clinic.store.one("SELECT count(*) FROM prescriptions WHERE consultation = ?", row.id)[0] >= MAX_EACH:
        raise ApiError(409, "too-many-prescriptions", f"A consultation has at most {MAX_EACH} prescriptions.")
    clinic.store.require_room("prescriptions")
    made, pharmacy = new_id("prescription"), _pharmacy(clinic, row.patient)
    with clinic.store.writing() as db:
        db.execute(
            "INSERT INTO prescriptions"
            " (id, consultation, patient, clinician, region, pharmacy, medicine, dose, issued_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (made, row.id, row.patient, me.username, row.region, pharmacy, new.medicine, new.dose, now()),
        )
        text = f"{me.name} has prescribed {new.medicine}; it waits for you at {pharmacy}."
        notices.post(clinic, db, [row.patient], "prescription-issued", text, row.id)
    return _find(me, made).shown()


@router.get("/prescriptions", summary="List prescriptions", responses=answers(401))
async def list_prescriptions(me: Me, cursor: Cursor = "") -> Prescriptions:
    """List one's own prescriptions, those one has issued, or those that went to one's pharmacy, the newest first."""
    works_at = accounts.pharmacy_of(me.clinic, me.username)
    column, whose = {"clinician": ("r.clinician", me.username), "pharmacist": ("r.pharmacy", works_at)}.get(
        me.role, ("r.patient", me.username)
    )
    rows = me.clinic.store.all(
        f"{SELECT} WHERE {column} = ? AND r.region = ? AND r.seq < ? ORDER BY r.seq DESC LIMIT ?",
        whose,
        me.region,
        paging.before(cursor),
        paging.PAGE + 1,
    )
    page, following = paging.cut(rows)
    seen = [row for row in (Row(*each) for each in page) if policy.may_see_prescription(me, row, works_at)]
    return Prescriptions(items=[row.shown() for row in seen], next=following)


@router.get("/prescriptions/{prescription}", summary="Show a prescription", responses=answers(401, 404))
async def show_prescription(prescription: str, me: Me) -> Prescription:
    """Show a prescription to its patient, to who issued it, or to its pharmacy."""
    return _find(me, prescription).shown()


@router.post("/prescriptions/{prescription}/dispense", summary="Dispense", responses=answers(401, 403, 404, 409))
async def dispense(prescription: str, me: Pharmacist) -> Prescription:
    """Hand the medicine out, once, at the pharmacy that the prescription went to."""
    row = _find(me, prescription)
    clinic = me.clinic
    with clinic.store.writing() as db:
        dispensed = db.execute(
            "UPDATE prescriptions SET status = 'dispensed', dispensed_by = ?, dispensed_at = ?"
            " WHERE id = ? AND status = 'issued'",
            (me.username, now(), row.id),
        )
        if not dispensed.rowcount:
            raise ApiError(409, "dispensed", "The prescription was dispensed already.")
        text = f"{row.pharmacy} has dispensed {row.medicine}."
        notices.post(clinic, db, [row.patient], "prescription-dispensed", text, row.consultation)
    return _find(me, row.id).shown()
