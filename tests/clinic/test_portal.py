"""The portal: a clinician's agenda and recordings, and a way to tell of problems."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from .people import Deployment, User
from .staff import live, replayable


def agenda(clinician: User, cursor: str = "") -> Any:
    """Return a page of the clinician's agenda."""
    answer = clinician.get(f"/portal/agenda?cursor={cursor}")
    assert answer.status == 200, answer
    return answer.json


def test_agenda(clinic: Deployment) -> None:
    """It shows what is live and what is to come, the earliest first, and whose it is."""
    alice, bob, chen = clinic.patient("alice"), clinic.patient("bob"), clinic.clinician("chen")
    later = []
    for days in (2, 1):
        at = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        slot = chen.ok("/slots", {"starts_at": at})["slot"]
        booking = {"clinician": chen.username, "medium": "video", "slot": slot}
        later.append(bob.ok("/consultations", booking)["id"])
    now = live(alice, chen)
    ended, cancelled = live(alice, chen), alice.book(chen)
    alice.ok(f"/consultations/{ended}/end")
    alice.ok(f"/consultations/{cancelled}/cancel")
    live(alice, clinic.clinician("dora"))
    shown = [(each["id"], each["patient_name"], each["status"], each["medium"]) for each in agenda(chen)["items"]]
    assert shown == [
        (now, "Alice", "live", "audio"),
        (later[1], "Bob", "booked", "video"),
        (later[0], "Bob", "booked", "video"),
    ]


def test_agenda_after_hand_over(clinic: Deployment) -> None:
    """A consultation is on the agenda of who has it now."""
    alice, chen, dora = clinic.patient("alice"), clinic.clinician("chen"), clinic.clinician("dora")
    visit = live(alice, chen)
    chen.ok(f"/consultations/{visit}/hand-over", {"clinician": dora.username})
    assert agenda(chen)["items"] == []
    assert [each["id"] for each in agenda(dora)["items"]] == [visit]


def test_agenda_pages(clinic: Deployment) -> None:
    """It comes in pages."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    booked = [alice.book(chen) for _ in range(51)]
    first = agenda(chen)
    rest = agenda(chen, first["next"])
    assert agenda(clinic.clinician("dora"), first["next"])["items"] == []
    assert [each["id"] for each in first["items"] + rest["items"]] == booked
    assert rest["next"] is None
    for never_given_out in ("yesterday", "-1", "%00"):
        assert chen.get(f"/portal/agenda?cursor={never_given_out}").refusal == (422, "invalid-request")


def test_recordings(clinic: Deployment) -> None:
    """It shows the recordings of one's own consultations before and after they can be replayed, and of no others."""
    alice, chen, dora = clinic.patient("alice"), clinic.clinician("chen"), clinic.clinician("dora")
    ready = replayable(alice, chen, b"hers, of yesterday")
    replayable(alice, dora, b"hers, with another")
    visit = live(alice, chen)
    fresh = alice.record(visit, b"hers, of now")
    items = chen.get("/portal/recordings").json["items"]
    assert [(item["id"], item["patient_name"], item["made_by"], item["medium"]) for item in items] == [
        (fresh, "Alice", alice.username, "audio"),
        (ready, "Alice", alice.username, "audio"),
    ]
    assert (items[0]["consultation"], items[1]["status"]) == (visit, "ready")


def test_problems(clinic: Deployment) -> None:
    """A clinician tells of a problem, of a consultation only if it is their own."""
    alice, chen, dora = clinic.patient("alice"), clinic.clinician("chen"), clinic.clinician("dora")
    visit = live(alice, chen)
    told = chen.ok("/portal/problems", {"text": "No sound.", "consultation": visit})
    assert told.items() >= {"reporter": chen.username, "consultation": visit, "text": "No sound."}.items()
    assert chen.ok("/portal/problems", {"text": "Slow."})["consultation"] is None
    of_another = {"text": "No picture.", "consultation": visit}
    assert dora.post("/portal/problems", of_another).refusal == (404, "not-found")
    assert chen.post("/portal/problems", {"text": ""}).refusal == (422, "invalid-request")


def test_clinicians_only(clinic: Deployment) -> None:
    """Patients have no portal."""
    alice = clinic.patient("alice")
    for path in ("/portal/agenda", "/portal/recordings"):
        assert alice.get(path).refusal == (403, "wrong-role")
    assert alice.post("/portal/problems", {"text": "No sound."}).refusal == (403, "wrong-role")
