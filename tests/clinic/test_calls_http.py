"""Calls by HTTP, with a clinic in a process of its own: who may call, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.canary import Canary
from harness.media import reading

from .callers import Caller, calling, held, until
from .people import Api, Deployment, User

OFFER = {"type": "offer", "sdp": "Guten Tag"}
ANN, BEA = Canary(run=6, user=1, call=1, mode=0), Canary(run=6, user=2, call=1, mode=0)


def booked(clinic: Deployment, *flags: str) -> tuple[User, User, str]:
    """Return a patient, a clinician and their consultation, to which nobody has come yet."""
    patient, clinician = clinic.patient("ann", *flags), clinic.clinician("bea", *flags)
    return patient, clinician, patient.book(clinician)


def browser(user: User, visit: str, canary: Canary) -> Caller:
    """Return a user's browser, which has not called yet."""

    async def signal(sdp: str) -> str:
        # A connection of its own: of several processes behind the address, any may be asked.
        api = Api(user.api.url, user.api.token)
        path, offer = f"/consultations/{visit}/call", {"type": "offer", "sdp": sdp}
        answer = await asyncio.to_thread(api.call, "POST", path, offer)
        api.close()
        assert (answer.status, answer.json["type"]) == (200, "answer"), answer
        return str(answer.json["sdp"])

    return Caller(canary, signal)


def test_only_who_is_present_calls(clinic: Deployment) -> None:
    """A stranger is told 404, and a participant 409 before joining, after leaving and after the end."""
    patient, clinician, visit = booked(clinic)
    path = f"/consultations/{visit}/call"
    assert patient.post(path, OFFER).refusal == (409, "not-live")
    clinician.ok(f"/consultations/{visit}/join")
    assert patient.post(path, OFFER).refusal == (409, "not-joined")
    patient.ok(f"/consultations/{visit}/join")
    assert patient.post(path, OFFER).refusal == (422, "bad-sdp")
    assert patient.post(path, {"type": "answer", "sdp": ""}).refusal == (422, "invalid-request")
    assert clinic.patient("eve").post(path, OFFER).refusal == (404, "not-found")
    assert clinic.patient("eve").post("/consultations/visit-0/call", OFFER).refusal == (404, "not-found")
    patient.ok(f"/consultations/{visit}/leave")
    assert patient.post(path, OFFER).refusal == (409, "not-joined")
    clinician.ok(f"/consultations/{visit}/end")
    assert clinician.post(path, OFFER).refusal == (409, "not-live")


@pytest.mark.parametrize("processes", ["1", "3"])
def test_a_call_becomes_recordings_of_each_segment(
    processes: str, deploy: Callable[..., Deployment], new_database: Callable[[], str], tmp_path: Path
) -> None:
    """A call that is switched to video is recorded by participant and segment, each with its sender's canary alone."""
    database = new_database()
    several_share = str(tmp_path / "db") if database == ":memory:" else database
    clinic = deploy("--replicas", processes, "--database", several_share)
    patient, clinician, visit = booked(clinic, "video-upgrade")

    async def story() -> None:
        ann, bea = browser(patient, visit, ANN), browser(clinician, visit, BEA)
        async with calling(ann, bea):
            for user, caller in ((patient, ann), (clinician, bea)):
                await asyncio.to_thread(user.ok, f"/consultations/{visit}/join")
                await caller.call()
            await until(lambda: ann.canaries("audio") and bea.canaries("audio"))
            await asyncio.to_thread(patient.ok, f"/consultations/{visit}/medium", {"medium": "video"})
            for caller in (ann, bea):
                await caller.add_video()
                caller.forget()
            await until(lambda: all(each.heard_s > 1.7 and each.canaries("video") for each in (ann, bea)))
            assert ann.canaries("audio") == ann.canaries("video") == {BEA}
            assert bea.canaries("audio") == bea.canaries("video") == {ANN}
            await asyncio.to_thread(patient.ok, f"/consultations/{visit}/leave")
            await asyncio.to_thread(clinician.ok, f"/consultations/{visit}/end")

            def recorded() -> list[dict[str, str]]:
                return list(patient.get(f"/consultations/{visit}/recordings").json["items"])

            await until(lambda: len(recorded()) == 4 and all(each["status"] == "ready" for each in recorded()))
            expected = {(user.username, medium) for user in (patient, clinician) for medium in ("audio", "video")}
            assert {(each["made_by"], each["medium"]) for each in recorded()} == expected
            for each in recorded():
                read = reading.read(patient.get(f"/replays/{each['id']}/media").body)
                assert (read.outcome, set(read.tracks)) == ("canaries", {"audio", each["medium"]}), read
                sender = ANN if each["made_by"] == patient.username else BEA
                assert {sighting.canary for sighting in read.canaries} == {sender}

    held(story)
