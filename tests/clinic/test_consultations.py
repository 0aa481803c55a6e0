"""The call: who is in it, its medium, handing it over, and that nobody else can tell that it exists."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from .people import Answer, Deployment, User

SOUND = {"medium": "audio", "content_type": "audio/webm"}
CLINICIANS: dict[str, tuple[str, ...]] = {"join": (), "index": ("replay-index-v2",)}


def live(patient: User, clinician: User, medium: str = "audio") -> str:
    """Book a consultation that both join; return its id."""
    visit = patient.book(clinician, medium)
    for each in (patient, clinician):
        each.ok(f"/consultations/{visit}/join")
    return visit


def hand_over(user: User, visit: str, to: User) -> Answer:
    """Ask to hand a consultation over."""
    return user.post(f"/consultations/{visit}/hand-over", {"clinician": to.username})


def switch(user: User, visit: str, medium: str) -> Answer:
    """Ask to switch a consultation's medium."""
    return user.post(f"/consultations/{visit}/medium", {"medium": medium})


def test_life(clinic: Deployment) -> None:
    """A consultation is booked, becomes live when somebody joins, and ends for both."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    visit = alice.book(chen)
    shown = chen.get(f"/consultations/{visit}").json
    assert shown.pop("starts_at") > "2026"
    assert shown == {
        "id": visit,
        "patient": alice.username,
        "clinician": chen.username,
        "participants": [alice.username, chen.username],
        "booked_medium": "audio",
        "medium": "audio",
        "status": "booked",
        "present": [],
    }
    for _ in range(2):
        joined = alice.ok(f"/consultations/{visit}/join")
        assert (joined["status"], joined["present"]) == ("live", [alice.username])
    assert chen.ok(f"/consultations/{visit}/join")["present"] == [alice.username, chen.username]
    for _ in range(2):
        assert alice.ok(f"/consultations/{visit}/leave")["present"] == [chen.username]
    ended = chen.ok(f"/consultations/{visit}/end")
    assert (ended["status"], ended["present"]) == ("ended", [])


def test_rejoin(clinic: Deployment) -> None:
    """The call goes on when everybody has left, until somebody ends it, and who has left comes back."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    visit = live(alice, chen)
    for each in (alice, chen):
        left = each.ok(f"/consultations/{visit}/leave")
        assert left["status"] == "live"
    assert left["present"] == []
    assert alice.begin(visit)
    back = alice.ok(f"/consultations/{visit}/join")
    assert (back["status"], back["present"]) == ("live", [alice.username])


def test_state_errors(clinic: Deployment) -> None:
    """What a consultation's state does not allow is refused with a code."""
    alice, chen = clinic.patient("alice", "video-upgrade"), clinic.clinician("chen")
    visit = alice.book(chen)
    not_live = [
        (alice, "end", None),
        (alice, "medium", {"medium": "video"}),
        (alice, "uploads", SOUND),
        (chen, "hand-over", {"clinician": clinic.clinician("dora").username}),
    ]
    for user, path, body in (*not_live, (alice, "leave", None)):
        assert user.post(f"/consultations/{visit}/{path}", body).refusal == (409, "not-live")
    alice.ok(f"/consultations/{visit}/join")
    alice.ok(f"/consultations/{visit}/end")
    assert alice.post(f"/consultations/{visit}/join").refusal == (409, "consultation-ended")
    for user, path, body in not_live:
        assert user.post(f"/consultations/{visit}/{path}", body).refusal == (409, "not-live")
    assert alice.ok(f"/consultations/{visit}/leave")["status"] == "ended"


def test_strangers(clinic: Deployment) -> None:
    """To anybody else a consultation, its uploads and its recordings are as good as unknown."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    strangers = [
        clinic.patient("mallory", "video-upgrade"),
        clinic.clinician("dora", "video-upgrade"),
        clinic.clinician("far", "video-upgrade", region="south"),
    ]
    visit = alice.book(chen)
    alice.ok(f"/consultations/{visit}/join")
    upload = alice.begin(visit)
    for mallory in strangers:
        for at in (visit, "visit-unknown", "%F0%9F%98%80"):
            answers = [
                mallory.get(f"/consultations/{at}"),
                mallory.get(f"/consultations/{at}/recordings"),
                mallory.post(f"/consultations/{at}/join"),
                mallory.post(f"/consultations/{at}/leave"),
                mallory.post(f"/consultations/{at}/end"),
                mallory.post(f"/consultations/{at}/medium", {"medium": "video"}),
                mallory.post(f"/consultations/{at}/cancel"),
                mallory.post(f"/consultations/{at}/reschedule", {"slot": 1}),
                mallory.post(f"/consultations/{at}/hand-over", {"clinician": chen.username}),
                mallory.post(f"/consultations/{at}/uploads", SOUND),
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
        visit = live(patient, chen)
        answer = switch(patient, visit, "video")
        assert answer.status == up
        if up == 409:
            assert answer.code == "switch-not-offered"
            assert switch(patient, visit, "audio").json["medium"] == "audio"
            continue
        assert chen.get(f"/consultations/{visit}").json["medium"] == "video"
        assert chen.get(f"/consultations/{visit}").json["booked_medium"] == "audio"
        assert switch(chen, visit, "audio").code == "switch-not-offered"
        assert switch(patient, visit, "video").json["medium"] == "video"
        assert switch(patient, visit, "audio").status == down


def test_clinicians_switch(clinic: Deployment) -> None:
    """A clinician to whom the switch is offered switches for a patient to whom it is not, back and forth."""
    alice = clinic.patient("alice")
    chen = clinic.clinician("chen", "video-upgrade", "video-downgrade")
    visit = live(alice, chen)
    for medium in ("video", "audio", "video"):
        assert switch(chen, visit, medium).json["medium"] == medium
        assert alice.get(f"/consultations/{visit}").json["medium"] == medium
    assert switch(alice, visit, "smell").refusal == (422, "invalid-request")


def test_a_refused_switch_loses_nothing(clinic: Deployment) -> None:
    """A switch that is refused leaves the medium and what was recorded until then."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    visit = live(alice, chen)
    recording = alice.record(visit, b"said before")
    assert switch(alice, visit, "video").code == "switch-not-offered"
    alice.ok(f"/consultations/{visit}/end")
    assert [item["id"] for item in alice.finished(visit)] == [recording]
    assert alice.get(f"/replays/{recording}/media").body == b"said before"


def test_recordings_of_a_consultation(clinic: Deployment) -> None:
    """Participants see what was recorded, whatever the kill switch says."""
    alice, chen = clinic.user("alice"), clinic.clinician("chen")
    visit = live(alice, chen, "video")
    first, second = alice.record(visit, b"what alice said", "video"), chen.record(visit, b"what chen said")
    alice.ok(f"/consultations/{visit}/end")
    shown = alice.finished(visit)
    assert shown == chen.get(f"/consultations/{visit}/recordings").json["items"]
    assert shown == [
        {"id": first, "medium": "video", "made_by": alice.username, "status": "ready", "size": 15},
        {"id": second, "medium": "audio", "made_by": chen.username, "status": "ready", "size": 14},
    ]
    assert alice.get("/replays").refusal == (403, "replays-off")


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A live consultation that Chen has handed over to Dora, who is in it; both recorded something, as did Alice."""

    visit: str
    alice: User
    chen: User
    dora: User
    recordings: list[str]


def handed_over(clinic: Deployment, *flags: str) -> HandedOver:
    """Let Chen hand a consultation over to Dora; everybody has these flags."""
    alice = clinic.patient("alice", *flags)
    chen, dora = clinic.clinician("chen", *flags), clinic.clinician("dora", *flags)
    visit = live(alice, chen)
    before = chen.record(visit, b"what chen said")
    assert hand_over(chen, visit, dora).status == 200
    dora.ok(f"/consultations/{visit}/join")
    after = dora.record(visit, b"what dora said")
    return HandedOver(visit, alice, chen, dora, [before, after])


def test_hand_over(clinic: Deployment) -> None:
    """The second clinician has the consultation and joins it, and the first keeps a part in it."""
    case = handed_over(clinic)
    shown = case.alice.get(f"/consultations/{case.visit}").json
    assert shown["clinician"] == case.dora.username
    assert shown["participants"] == sorted(each.username for each in (case.alice, case.chen, case.dora))
    assert shown["status"] == "live"
    for user in (case.chen, case.dora):
        assert user.get(f"/consultations/{case.visit}").json == shown
        assert [item["id"] for item in user.get("/consultations").json["items"]] == [case.visit]


def test_who_has_handed_over_does_not_come_back(clinic: Deployment) -> None:
    """The first clinician may leave and not come back, and what they had they cannot hand over again."""
    case = handed_over(clinic)
    left = case.chen.ok(f"/consultations/{case.visit}/leave")
    assert left["present"] == sorted([case.alice.username, case.dora.username])
    assert case.chen.post(f"/consultations/{case.visit}/join").refusal == (403, "handed-over")
    assert case.chen.post(f"/consultations/{case.visit}/end").refusal == (403, "handed-over")
    assert case.chen.post(f"/consultations/{case.visit}/medium", {"medium": "video"}).refusal == (403, "handed-over")
    upload = {"medium": "audio", "content_type": "audio/webm"}
    assert case.chen.post(f"/consultations/{case.visit}/uploads", upload).refusal == (403, "handed-over")
    assert hand_over(case.chen, case.visit, case.chen).refusal == (403, "not-yours-to-hand-over")
    assert hand_over(case.dora, case.visit, case.chen).status == 200
    back = case.chen.ok(f"/consultations/{case.visit}/join")
    assert case.chen.username in back["present"]
    assert case.dora.post(f"/consultations/{case.visit}/join").refusal == (403, "handed-over")


@pytest.mark.parametrize("cached", [(), ("replay-cache",)], ids=["uncached", "cached"])
@pytest.mark.parametrize("path", CLINICIANS)
def test_all_keep_the_recordings(clinic: Deployment, path: str, cached: tuple[str, ...]) -> None:
    """After a hand-over the patient and both clinicians replay what was recorded before it and after it."""
    case = handed_over(clinic, *CLINICIANS[path], *cached)
    people = (case.alice, case.chen, case.dora)
    assert [user.replay_ids() for user in people] == [set()] * 3
    case.dora.ok(f"/consultations/{case.visit}/end")
    case.alice.finished(case.visit)
    for user in people:
        assert user.replay_ids() == set(case.recordings)
        assert user.get("/replays/count").json == {"count": 2}
        bodies = [user.get(f"/replays/{recording}/media").body for recording in case.recordings]
        assert bodies == [b"what chen said", b"what dora said"]


def test_to_whom_a_consultation_is_handed_over(clinic: Deployment) -> None:
    """Only to another clinician of the region, and only by the one who has it, never by the patient."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    dora, far = clinic.clinician("dora"), clinic.clinician("far", region="south")
    visit = live(alice, chen)
    for unknown in (far, clinic.patient("bob"), alice):
        assert hand_over(chen, visit, unknown).refusal == (404, "not-found")
    assert chen.post(f"/consultations/{visit}/hand-over", {"clinician": "nobody"}).refusal == (404, "not-found")
    assert hand_over(chen, visit, chen).refusal == (403, "not-yours-to-hand-over")
    assert hand_over(alice, visit, dora).refusal == (403, "not-yours-to-hand-over")
    assert hand_over(dora, visit, dora).refusal == (404, "not-found")
    assert alice.get(f"/consultations/{visit}").json["participants"] == [alice.username, chen.username]
