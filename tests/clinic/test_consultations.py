"""Booking, the call, its medium, and that nobody else can tell that it exists."""

from __future__ import annotations

from .people import Deployment


def test_life(clinic: Deployment) -> None:
    """A consultation is booked, becomes live when somebody joins, and ends for both."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    visit = alice.book(chen)
    assert chen.get(f"/consultations/{visit}").json == {
        "id": visit,
        "patient": alice.username,
        "clinician": chen.username,
        "booked_medium": "audio",
        "medium": "audio",
        "status": "booked",
        "present": [],
    }
    for _ in range(2):
        joined = alice.ok(f"/consultations/{visit}/join")
        assert (joined["status"], joined["present"]) == ("live", [alice.username])
    assert chen.ok(f"/consultations/{visit}/join")["present"] == [alice.username, chen.username]
    assert alice.ok(f"/consultations/{visit}/leave")["present"] == [chen.username]
    ended = chen.ok(f"/consultations/{visit}/end")
    assert (ended["status"], ended["present"]) == ("ended", [])


def test_state_errors(clinic: Deployment) -> None:
    """What a consultation's state does not allow is refused with a code."""
    alice, chen = clinic.patient("alice", "video-upgrade"), clinic.clinician("chen")
    visit = alice.book(chen)
    upload = {"medium": "audio", "content_type": "audio/webm"}
    for path, body in (("leave", None), ("end", None), ("medium", {"medium": "video"}), ("uploads", upload)):
        assert alice.post(f"/consultations/{visit}/{path}", body).refusal == (409, "not-live")
    alice.ok(f"/consultations/{visit}/join")
    alice.ok(f"/consultations/{visit}/end")
    assert alice.post(f"/consultations/{visit}/join").refusal == (409, "consultation-ended")
    for path, body in (("end", None), ("medium", {"medium": "video"}), ("uploads", upload)):
        assert alice.post(f"/consultations/{visit}/{path}", body).refusal == (409, "not-live")
    assert alice.ok(f"/consultations/{visit}/leave")["status"] == "ended"


def test_who_books(clinic: Deployment) -> None:
    """Only a patient books, and only with a clinician."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    by_clinician = chen.post("/consultations", {"clinician": chen.username, "medium": "audio"})
    assert by_clinician.refusal == (403, "patients-only")
    with_patient = alice.post("/consultations", {"clinician": alice.username, "medium": "audio"})
    assert with_patient.refusal == (404, "not-found")


def test_strangers(clinic: Deployment) -> None:
    """To anybody else a consultation, its uploads and its recordings are as good as unknown."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    strangers = [clinic.patient("mallory", "video-upgrade"), clinic.clinician("dora", "video-upgrade")]
    visit = alice.book(chen)
    alice.ok(f"/consultations/{visit}/join")
    upload = alice.begin(visit)
    for mallory in strangers:
        for at in (visit, "visit-unknown"):
            answers = [
                mallory.get(f"/consultations/{at}"),
                mallory.get(f"/consultations/{at}/recordings"),
                mallory.post(f"/consultations/{at}/join"),
                mallory.post(f"/consultations/{at}/leave"),
                mallory.post(f"/consultations/{at}/end"),
                mallory.post(f"/consultations/{at}/medium", {"medium": "video"}),
                mallory.post(f"/consultations/{at}/uploads", {"medium": "audio", "content_type": "audio/webm"}),
            ]
            assert {answer.refusal for answer in answers} == {(404, "not-found")}
        assert mallory.chunk(upload, 0, b"x").refusal == (404, "not-found")
        assert mallory.complete(upload, [b"x"]).refusal == (404, "not-found")
    assert alice.get(f"/consultations/{visit}").json["present"] == [alice.username]


def test_switch_offered(clinic: Deployment) -> None:
    """Each direction of the switch is offered by its own flag, and to the one who asks."""
    plain, chen = clinic.patient("plain"), clinic.clinician("chen")
    upgrade = clinic.patient("upgrade", "video-upgrade")
    both = clinic.patient("both", "video-upgrade", "video-downgrade")
    for patient, up, down in ((plain, 409, None), (upgrade, 200, 409), (both, 200, 200)):
        visit = patient.book(chen)
        patient.ok(f"/consultations/{visit}/join")
        answer = patient.post(f"/consultations/{visit}/medium", {"medium": "video"})
        assert answer.status == up
        if up == 409:
            assert answer.code == "switch-not-offered"
            continue
        assert chen.get(f"/consultations/{visit}").json["medium"] == "video"
        assert chen.get(f"/consultations/{visit}").json["booked_medium"] == "audio"
        assert chen.post(f"/consultations/{visit}/medium", {"medium": "audio"}).code == "switch-not-offered"
        assert patient.post(f"/consultations/{visit}/medium", {"medium": "audio"}).status == down


def test_recordings_of_a_consultation(clinic: Deployment) -> None:
    """Participants see what was recorded, whatever the kill switch says."""
    alice, chen = clinic.user("alice"), clinic.clinician("chen")
    visit = alice.book(chen, "video")
    alice.ok(f"/consultations/{visit}/join")
    first, second = alice.record(visit, b"what alice said", "video"), chen.record(visit, b"what chen said")
    alice.ok(f"/consultations/{visit}/end")
    shown = alice.get(f"/consultations/{visit}/recordings").json
    assert shown == chen.get(f"/consultations/{visit}/recordings").json
    assert shown["items"] == [
        {"id": first, "medium": "video", "made_by": alice.username, "status": "ready", "size": 15},
        {"id": second, "medium": "audio", "made_by": chen.username, "status": "ready", "size": 14},
    ]
    assert alice.get("/replays").refusal == (403, "replays-off")
