"""Operations: the switch that closes replays, the access log, and who was affected by a leak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .people import Deployment, User
from .staff import OPERATOR_PASSWORD, live, operator, replayable, until

Deploy = Callable[..., Deployment]
PATHS = ("replay-access", "access-log", "affected", "problems", "outbox")


@pytest.fixture(scope="module")
def operated(deploy: Deploy) -> Deployment:
    """Return a sound clinic that has an operator."""
    return deploy("--operator-password", OPERATOR_PASSWORD)


def items(person: User, path: str) -> Any:
    """Return the items of the first page."""
    answer = person.get(path)
    assert answer.status == 200, answer
    return answer.json["items"]


def accesses(oscar: User, viewer: User) -> list[tuple[str, str, list[str]]]:
    """Return what the log says of one viewer, the newest first."""
    found = items(oscar, f"/operations/access-log?viewer={viewer.username.replace('+', '%2B')}")
    return [(each["act"], each["surface"], each["recordings"]) for each in found]


def affected(oscar: User) -> dict[tuple[str, str], tuple[str, str, int]]:
    """Return owner, degree and times of each viewer and recording."""
    found = items(oscar, "/operations/affected")
    return {(each["viewer"], each["recording"]): (each["owner"], each["degree"], each["times"]) for each in found}


def test_operators_only(operated: Deployment) -> None:
    """Nobody but the operator comes near it."""
    for person in (operated.patient("alice"), operated.clinician("chen")):
        for path in PATHS:
            assert person.get(f"/operations/{path}").refusal == (403, "wrong-role")
        assert person.post("/operations/replay-access", {"open": False}).refusal == (403, "wrong-role")


def test_switch(operated: Deployment) -> None:
    """Closed, nobody sees or opens replays; open again, they do; who threw it stands in the log."""
    oscar, alice, chen = operator(operated), operated.patient("alice"), operated.clinician("chen")
    recording = replayable(alice, chen, b"hers")
    assert oscar.get("/operations/replay-access").json == {"open": True}
    assert oscar.ok("/operations/replay-access", {"open": False}) == {"open": False}
    for person in (alice, chen):
        for path in ("/replays", f"/replays/{recording}", f"/replays/{recording}/media"):
            assert person.get(path).refusal == (403, "replays-off")
    oscar.ok("/operations/replay-access", {"open": True})
    assert alice.get(f"/replays/{recording}/media").body == b"hers"
    switched = [(act, surface) for act, surface, _ in accesses(oscar, oscar)[:2]]
    assert switched == [("switched", "replay-access: open"), ("switched", "replay-access: closed")]


def test_log(operated: Deployment) -> None:
    """It holds what was presented to whom and opened by whom, and can be read by viewer and by recording."""
    oscar, alice, chen = operator(operated), operated.patient("alice"), operated.clinician("chen")
    recording = replayable(alice, chen, b"hers")
    assert alice.replay_ids() == {recording}
    alice.get(f"/replays/{recording}/media")
    assert [item["id"] for item in chen.get("/portal/recordings").json["items"]] == [recording]
    of_alice = accesses(oscar, alice)
    assert [(act, recordings) for act, _, recordings in of_alice[:2]] == [
        ("opened", [recording]),
        ("presented", [recording]),
    ]
    assert accesses(oscar, chen) == [("presented", "portal", [recording])]
    found = items(oscar, f"/operations/access-log?recording={recording}")
    assert {each["viewer"] for each in found} == {alice.username, chen.username}
    assert len(found) == len(of_alice) + 1
    assert items(oscar, f"/operations/access-log?recording={recording[:-1]}") == []
    assert oscar.get("/operations/access-log?recording=%25").refusal == (422, "invalid-request")


def test_log_pages(operated: Deployment) -> None:
    """It comes in pages."""
    oscar = operator(operated)
    for _ in range(51):
        oscar.ok("/operations/replay-access", {"open": True})
    path = "/operations/access-log?viewer=operator"
    first = oscar.get(path).json
    assert len(first["items"]) == 50
    assert items(oscar, f"{path}&cursor={first['next']}")[0]["act"] == "switched"


def test_sound(operated: Deployment) -> None:
    """Nobody was affected by a sound clinic: participants, clinicians of a hand-over, and what was deleted since."""
    oscar, alice = operator(operated), operated.patient("alice")
    chen, dora = operated.clinician("chen"), operated.clinician("dora")
    visit = live(alice, chen)
    recording = alice.record(visit, b"hers")
    chen.ok(f"/consultations/{visit}/hand-over", {"clinician": dora.username})
    alice.ok(f"/consultations/{visit}/end")
    for person in (alice, chen, dora):
        until(lambda seen=person: recording in seen.replay_ids())  # type: ignore[misc]  # the default binds the person
        assert person.get(f"/replays/{recording}/media").body == b"hers"
    assert operated.patient("bob").get(f"/replays/{recording}/media").refusal == (404, "not-found")
    assert alice.api.call("DELETE", f"/replays/{recording}").status == 204
    assert affected(oscar) == {}


def test_bytes_open(deploy: Deploy) -> None:
    """Who opened a stranger's recording is named with it and its patient, also once it is deleted; nobody else is."""
    clinic = deploy("--operator-password", OPERATOR_PASSWORD, "--flaw", "bytes-open")
    oscar, alice, bob, chen = operator(clinic), clinic.patient("alice"), clinic.patient("bob"), clinic.clinician("chen")
    recording, other = replayable(alice, chen, b"hers"), replayable(alice, chen, b"hers, too")
    for viewer in (alice, chen, bob, bob):
        assert viewer.get(f"/replays/{recording}/media").body == b"hers"
    assert alice.get(f"/replays/{other}/media").status == 200
    bobs = {(bob.username, recording): (alice.username, "opened", 2)}
    assert affected(oscar) == bobs
    assert alice.api.call("DELETE", f"/replays/{recording}").status == 204
    assert affected(oscar) == bobs


def test_video_branch(deploy: Deploy) -> None:
    """Who was shown everybody's videos is named with each of them, and with what was opened."""
    clinic = deploy("--operator-password", OPERATOR_PASSWORD, "--flaw", "video-branch-skips-owner")
    oscar, bob, chen = operator(clinic), clinic.patient("bob"), clinic.clinician("chen", "video-upgrade")
    opened, shown = (replayable(bob, chen, data, "video") for data in (b"foreign", b"foreign, too"))
    replayable(bob, chen, b"sound alone")
    alice = clinic.patient("alice", "video-upgrade", "replay-index-v2")
    visit = live(alice, chen)
    own = alice.record(visit, b"hers")
    chen.ok(f"/consultations/{visit}/medium", {"medium": "video"})
    alice.ok(f"/consultations/{visit}/end")
    until(lambda: own in alice.replay_ids())
    assert alice.get(f"/replays/{opened}/media").body == b"foreign"
    degrees = {pair: (owner, degree) for pair, (owner, degree, _) in affected(oscar).items()}
    assert degrees == {
        (alice.username, opened): (bob.username, "opened"),
        (alice.username, shown): (bob.username, "presented"),
    }


def test_shares(deploy: Deploy) -> None:
    """A carer has a right to a recording while it is shared; what they open after that affects its patient."""
    flaw = ("--flaw", "revoked-share-still-opens")
    clinic = deploy("--operator-password", OPERATOR_PASSWORD, *flaw)
    oscar, chen = operator(clinic), clinic.clinician("chen")
    alice, carol = clinic.patient("alice", "carer-sharing"), clinic.patient("carol", "carer-sharing")
    recording = replayable(alice, chen, b"hers")
    assert alice.post(f"/replays/{recording}/shares", {"carer": carol.username}).status == 204
    assert carol.get(f"/replays/{recording}/media").body == b"hers"
    assert affected(oscar) == {}
    carer = carol.username.replace("+", "%2B")
    assert alice.api.call("DELETE", f"/replays/{recording}/shares/{carer}").status == 204
    assert carol.get(f"/replays/{recording}/media").body == b"hers"
    assert affected(oscar) == {(carol.username, recording): (alice.username, "opened", 1)}


def test_problems_and_outbox(operated: Deployment) -> None:
    """The operator reads what clinicians told of, and every e-mail."""
    oscar, alice, chen = operator(operated), operated.patient("alice"), operated.clinician("chen")
    visit = alice.book(chen)
    chen.ok("/portal/problems", {"text": "No sound.", "consultation": visit})
    newest = items(oscar, "/operations/problems")[0]
    assert (newest["reporter"], newest["consultation"], newest["text"]) == (chen.username, visit, "No sound.")
    assert items(oscar, "/operations/outbox")[0]["to"] == f"{chen.username}@clinic.invalid"
