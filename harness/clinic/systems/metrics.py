"""Health metrics: what patients measure at home, for themselves and for the clinicians who have consulted them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from harness.clinic import flaws, policy
from harness.clinic.base.errors import ApiError, answers, not_found
from harness.clinic.base.state import Me, Patient, Person, Time, now
from harness.clinic.base.store import new_id
from harness.clinic.web import paging
from harness.clinic.web.paging import Cursor

MAX_EACH = 10_000
LARGEST = 1e12

SCHEMA = """
CREATE TABLE IF NOT EXISTS metrics (
    seq {seq}, id TEXT UNIQUE NOT NULL, patient TEXT NOT NULL, kind TEXT NOT NULL, value DOUBLE PRECISION NOT NULL,
    unit TEXT NOT NULL, measured_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS metrics_by_patient ON metrics (patient, seq);
"""

Kind = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$", examples=["pulse", "blood-pressure-systolic", "glucose"])]
OfKind = Annotated[str, Query(pattern=r"^[a-z0-9-]{0,60}$", description="Only this kind; empty for all.")]

router = APIRouter(tags=["metrics"])


class NewMetric(BaseModel):
    """A measurement; it was made now unless a time with its offset from UTC is given."""

    kind: Kind
    value: Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False, examples=[72])]
    unit: Annotated[str, Field(min_length=1, max_length=40, examples=["1/min"])]
    measured_at: Time | None = None


class Metric(BaseModel):
    """A measurement as it is kept."""

    id: str
    kind: Kind
    value: float
    unit: str
    measured_at: Annotated[str, Field(description="RFC 3339, UTC.")]


class Metrics(BaseModel):
    """A page of measurements, those recorded last first."""

    items: list[Metric]
    next: str | None


class PatientMetrics(Metrics):
    """A page of a patient's measurements under the patient's name."""

    patient: str
    patient_name: str


def _page(me: Person, patient: str, kind: str, cursor: str) -> Metrics:
    only, wanted = (" AND kind = ?", (kind,)) if kind else ("", ())
    rows = me.clinic.store.all(
        "SELECT seq, id, kind, value, unit, measured_at FROM metrics"  # noqa: S608 - our own words
        f" WHERE patient = ?{only} AND seq < ? ORDER BY seq DESC LIMIT ?",
        patient,
        *wanted,
        paging.before(cursor),
        paging.PAGE + 1,
    )
    page, following = paging.cut(rows)
    items = [Metric(id=m, kind=k, value=value, unit=unit, measured_at=at) for _, m, k, value, unit, at in page]
    return Metrics(items=items, next=following)


def _has_consulted(me: Person, patient: str) -> bool:
    """True when this person has or had a part in a consultation of the patient's that has begun."""
    found = me.clinic.store.find(
        "SELECT 1 FROM participants p JOIN consultations c ON c.id = p.consultation"
        " WHERE p.username = ? AND c.patient = ? AND c.region = ? AND c.status IN ('live', 'ended')",
        me.username,
        patient,
        me.region,
    )
    return found is not None


def _shown(me: Person, patient: str) -> str:
    """Return whose metrics the page of a patient shows: theirs."""
    if not me.clinic.has_flaw(flaws.METRICS_OF_PREVIOUS_PATIENT):
        return patient
    before = me.clinic.looked_at.get(me.username, patient)
    me.clinic.looked_at[me.username] = patient
    return before


@router.post("/metrics", status_code=201, summary="Record a metric", responses=answers(401, 403, 409, 507))
async def record_metric(new: NewMetric, me: Patient) -> Metric:
    """Record one of one's own measurements."""
    store = me.clinic.store
    if store.one("SELECT count(*) FROM metrics WHERE patient = ?", me.username)[0] >= MAX_EACH:
        raise ApiError(409, "too-many-metrics", f"A patient records at most {MAX_EACH:,} metrics.")
    store.require_room("metrics")
    at = new.measured_at.isoformat(timespec="milliseconds") if new.measured_at else now()
    made = Metric(id=new_id("metric"), kind=new.kind, value=new.value, unit=new.unit, measured_at=at)
    with store.writing() as db:
        db.execute(
            "INSERT INTO metrics (id, patient, kind, value, unit, measured_at) VALUES (?, ?, ?, ?, ?, ?)",
            (made.id, me.username, made.kind, made.value, made.unit, made.measured_at),
        )
    return made


@router.get("/metrics", summary="List my metrics", responses=answers(401, 403))
async def list_my_metrics(me: Patient, kind: OfKind = "", cursor: Cursor = "") -> Metrics:
    """List one's own measurements, those recorded last first."""
    return _page(me, me.username, kind, cursor)


@router.get("/patients/{patient}/metrics", summary="List a patient's metrics", responses=answers(401, 404))
async def list_patient_metrics(
    patient: Annotated[str, Path(max_length=200)], me: Me, kind: OfKind = "", cursor: Cursor = ""
) -> PatientMetrics:
    """List the measurements of a patient whom the clinician has consulted."""
    found = me.clinic.store.find("SELECT name FROM accounts WHERE username = ? AND role = 'patient'", patient)
    if not found or not policy.may_see_metrics(me, patient, has_consulted=_has_consulted(me, patient)):
        raise not_found("patient")
    page = _page(me, _shown(me, patient), kind, cursor)
    return PatientMetrics(patient=patient, patient_name=found[0], items=page.items, next=page.next)
