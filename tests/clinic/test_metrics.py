"""Health metrics: the patient's own, and those of patients whom a clinician has consulted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .people import Deployment, User
from .staff import account, live


def record(patient: User, value: float, kind: str = "pulse", unit: str = "1/min") -> str:
    """Record a measurement and return its id."""
    return str(patient.ok("/metrics", {"kind": kind, "value": value, "unit": unit})["id"])


def values(person: User, path: str) -> list[float]:
    """Return the values that somebody is shown."""
    answer = person.get(path)
    assert answer.status == 200, answer
    return [item["value"] for item in answer.json["items"]]


def test_own(clinic: Deployment) -> None:
    """A patient sees their own measurements, what was recorded last first, of one kind if they wish."""
    alice, bob = clinic.patient("alice"), clinic.patient("bob")
    record(alice, 61)
    record(alice, 5.4, "glucose", "mmol/L")
    at = {"kind": "pulse", "value": 62, "unit": "1/min", "measured_at": "2026-03-01T10:00:00+02:00"}
    assert alice.ok("/metrics", at)["measured_at"] == "2026-03-01T08:00:00.000+00:00"
    record(bob, 99)
    assert values(alice, "/metrics") == [62, 5.4, 61]
    assert values(alice, "/metrics?kind=pulse") == [62, 61]
    assert values(alice, "/metrics?kind=weight") == []
    assert values(bob, "/metrics") == [99]


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": float("nan")},
        {"value": float("inf")},
        {"value": 1e13},
        {"value": "much"},
        {"kind": "Pulse!"},
        {"unit": ""},
        {"measured_at": "2026-03-01T10:00:00"},
    ],
    ids=str,
)
def test_refused(clinic: Deployment, wrong: dict[str, Any]) -> None:
    """What is no measurement is refused."""
    metric = {"kind": "pulse", "value": 60, "unit": "1/min"} | wrong
    assert clinic.patient("alice").post("/metrics", metric).refusal == (422, "invalid-request")


def test_roles(clinic: Deployment) -> None:
    """Only patients record metrics and have a list of their own."""
    chen = clinic.clinician("chen")
    assert chen.post("/metrics", {"kind": "pulse", "value": 60, "unit": "1/min"}).refusal == (403, "wrong-role")
    assert chen.get("/metrics").refusal == (403, "wrong-role")


def test_pages(clinic: Deployment) -> None:
    """A list comes in pages."""
    alice = clinic.patient("alice")
    for n in range(51):
        record(alice, n)
    first = alice.get("/metrics").json
    assert values(alice, "/metrics") == list(range(50, 0, -1))
    assert values(alice, f"/metrics?kind=pulse&cursor={first['next']}") == [0]


def test_clinicians(clinic: Deployment) -> None:
    """Clinicians see them from the time that a consultation with the patient has begun: also after handing over."""
    alice, chen, dora = clinic.patient("alice"), clinic.clinician("chen"), clinic.clinician("dora")
    record(alice, 61)
    path = f"/patients/{alice.username}/metrics"
    visit = alice.book(chen)
    assert chen.get(path).refusal == (404, "not-found")
    alice.ok(f"/consultations/{visit}/join")
    assert values(chen, path) == [61]
    assert chen.get(path).json["patient_name"] == "Alice"
    assert dora.get(path).refusal == (404, "not-found")
    chen.ok(f"/consultations/{visit}/hand-over", {"clinician": dora.username})
    dora.ok(f"/consultations/{visit}/end")
    for each in (alice, chen, dora):
        assert values(each, path) == [61]
        assert values(each, f"{path}?kind=weight") == []


def test_strangers(clinic: Deployment) -> None:
    """Other patients, clinicians who were cancelled and those of another region see none, nor that there are any."""
    alice, bob, chen = clinic.patient("alice"), clinic.patient("bob"), clinic.clinician("chen")
    record(alice, 61)
    path = f"/patients/{alice.username}/metrics"
    cancelled = alice.book(chen)
    alice.ok(f"/consultations/{cancelled}/cancel")
    live(bob, chen)
    south = account(clinic, "dora", "clinician", region="south")
    for stranger in (bob, chen, south):
        assert stranger.get(path).refusal == (404, "not-found")
    assert chen.get("/patients/nobody/metrics").refusal == (404, "not-found")
    assert bob.get(f"/patients/{chen.username}/metrics").refusal == (404, "not-found")


def test_previous_patient(deploy: Callable[..., Deployment]) -> None:
    """The planted flaw shows a clinician the metrics of the patient whom they looked at before."""
    clinic = deploy("--flaw", "metrics-of-previous-patient")
    alice, bob, chen, dora = (
        clinic.patient("alice"),
        clinic.patient("bob"),
        clinic.clinician("chen"),
        clinic.clinician("dora"),
    )
    for patient, value in ((alice, 61), (bob, 99)):
        record(patient, value)
        live(patient, chen)
    live(bob, dora)
    hers, his = (f"/patients/{each.username}/metrics" for each in (alice, bob))
    assert values(chen, hers) == [61]
    assert values(dora, his) == [99]
    assert values(chen, his) == [61]
    assert values(chen, his) == [99]
    assert values(alice, "/metrics") == [61]
