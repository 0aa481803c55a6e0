"""Booking: slots that are offered and taken, and consultations that are booked, moved and cancelled."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from .nursery import running
from .people import Answer, Api, Deployment, User

SOON = (datetime.now(UTC) + timedelta(days=400)).replace(second=0, microsecond=0)
_days = itertools.count()


def times() -> Iterator[datetime]:
    """Yield times to come, an hour apart."""
    return (SOON + timedelta(days=next(_days), hours=1) for _ in range(1000))


def offer(clinician: User, starts_at: datetime) -> int:
    """Offer a slot and return its number."""
    return int(clinician.ok("/slots", {"starts_at": starts_at.isoformat()})["slot"])


def offers(clinician: User, count: int) -> list[int]:
    """Offer some slots, the earliest first, and return their numbers."""
    return [offer(clinician, at) for at in itertools.islice(times(), count)]


def free(user: User, clinician: User) -> list[int]:
    """Return the numbers of a clinician's free slots, as somebody is shown them."""
    answer = user.get(f"/clinicians/{clinician.username}/slots")
    assert answer.status == 200, answer
    return [item["slot"] for item in answer.json["items"]]


def ask(patient: User, clinician: User, slot: int | None = None) -> Answer:
    """Ask for a consultation, perhaps in a slot."""
    wanted: dict[str, Any] = {"clinician": clinician.username, "medium": "audio"}
    return patient.post("/consultations", wanted | ({} if slot is None else {"slot": slot}))


def booked(patient: User, clinician: User, slot: int) -> str:
    """Book a slot and return the consultation."""
    answer = ask(patient, clinician, slot)
    assert answer.status == 201, answer
    return str(answer.json["id"])


def at_once(calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Make requests of several connections at the same moment."""
    ready = Barrier(len(calls), timeout=10)

    def make(call: Callable[[], Answer]) -> Answer:
        ready.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls))


def test_offer_and_take(clinic: Deployment) -> None:
    """Free slots are shown in order of time; one that is taken is a consultation's time and shown no longer."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    later, earlier = SOON + timedelta(hours=1), SOON
    second, first = offer(chen, later), offer(chen, earlier)
    shown = alice.get(f"/clinicians/{chen.username}/slots").json["items"]
    assert shown == [
        {"slot": first, "clinician": chen.username, "starts_at": earlier.isoformat(timespec="minutes")},
        {"slot": second, "clinician": chen.username, "starts_at": later.isoformat(timespec="minutes")},
    ]
    visit = ask(alice, chen, second).json
    assert (visit["status"], visit["starts_at"]) == ("booked", later.isoformat(timespec="minutes"))
    assert free(alice, chen) == [first]


def test_times_are_kept_in_utc(clinic: Deployment) -> None:
    """A time may come with any offset and is one time: offered twice it is known, without an offset it is refused."""
    chen = clinic.clinician("chen")
    made = chen.ok("/slots", {"starts_at": "2090-05-01T10:30:00+02:00"})
    assert made["starts_at"] == "2090-05-01T08:30+00:00"
    assert chen.post("/slots", {"starts_at": "2090-05-01T08:30:00Z"}).refusal == (409, "slot-known")
    assert chen.post("/slots", {"starts_at": "2090-05-01T08:30:00"}).refusal == (422, "invalid-request")
    dora = clinic.clinician("dora")
    assert dora.post("/slots", {"starts_at": "2090-05-01T08:30:00Z"}).status == 201


@pytest.mark.parametrize("at", ["9999-12-31T23:59:00-12:00", "0001-01-01T00:00:00+12:00"])
def test_times_beyond_the_calendar(clinic: Deployment, at: str) -> None:
    """A time that has no date in UTC is refused, like any other that is none."""
    assert clinic.clinician("chen").post("/slots", {"starts_at": at}).refusal == (422, "invalid-request")


def test_taken(clinic: Deployment) -> None:
    """A slot is taken once: whoever comes later, also its patient, is refused and has no consultation."""
    alice, bob, chen = clinic.patient("alice"), clinic.patient("bob"), clinic.clinician("chen")
    (slot,) = offers(chen, 1)
    visit = booked(alice, chen, slot)
    for late in (bob, alice):
        assert ask(late, chen, slot).refusal == (409, "slot-taken")
    assert bob.get("/consultations").json["items"] == []
    assert [item["id"] for item in chen.get("/consultations").json["items"]] == [visit]


def test_double_booking(clinic: Deployment) -> None:
    """Of patients who ask for one slot at the same moment exactly one has it."""
    chen = clinic.clinician("chen")
    patients = [clinic.patient("racer") for _ in range(4)]
    for slot in offers(chen, 5):
        answers = at_once([partial(ask, each, chen, slot) for each in patients])
        assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert len(chen.get("/consultations").json["items"]) == 5
    assert free(chen, chen) == []


@pytest.fixture
def replicas(options: list[str], new_database: Callable[[], str], tmp_path: Path) -> Iterator[Deployment]:
    """Return a clinic of two processes on one database."""
    database = new_database().replace(":memory:", str(tmp_path / "clinic.sqlite"))
    with running(*options, "--replicas", "2", "--database", database) as clinic:
        yield clinic


def test_double_booking_in_two_processes(replicas: Deployment) -> None:
    """Exactly one has a slot, and exactly one of joining and cancelling happens, when several processes are asked."""
    chen = replicas.clinician("chen")
    patients = [replicas.patient("racer") for _ in range(6)]
    asked_of = {patient.get("/health").headers["x-replica"] for patient in patients}
    assert asked_of <= {"1", "2"}
    for slot in offers(chen, 8):
        answers = at_once([partial(ask, each, chen, slot) for each in patients])
        assert sorted(answer.status for answer in answers) == [201, *[409] * 5]
        (visit,) = (answer.json["id"] for answer in answers if answer.status == 201)
        (patient,) = (each for each in patients if each.get(f"/consultations/{visit}").status == 200)
        joined, cancelled = at_once(
            [
                partial(chen.post, f"/consultations/{visit}/join"),
                partial(patient.post, f"/consultations/{visit}/cancel"),
            ]
        )
        status = chen.get(f"/consultations/{visit}").json["status"]
        assert status == ("cancelled" if cancelled.status == 200 else "live")
        assert (joined.json.get("status") == "live") == (status == "live")
        assert (slot in free(chen, chen)) == (status == "cancelled")


def test_unknown_slot(clinic: Deployment) -> None:
    """A slot that does not exist, or is another clinician's, is unknown."""
    alice, chen, dora = clinic.patient("alice"), clinic.clinician("chen"), clinic.clinician("dora")
    (hers,) = offers(dora, 1)
    for slot in (hers, 2**53):
        assert ask(alice, chen, slot).refusal == (404, "not-found")
    for slot in (0, -1, 2**53 + 1, 2**80):
        assert ask(alice, chen, slot).refusal == (422, "invalid-request")
    assert free(alice, dora) == [hers]


def test_past(clinic: Deployment) -> None:
    """A slot whose time has passed is not shown, and nobody books it or moves to it."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    past, (future,) = offer(chen, datetime.now(UTC) - timedelta(hours=1)), offers(chen, 1)
    assert free(alice, chen) == [future]
    assert ask(alice, chen, past).refusal == (409, "slot-past")
    visit = booked(alice, chen, future)
    assert alice.post(f"/consultations/{visit}/reschedule", {"slot": past}).refusal == (409, "slot-past")
    assert free(alice, chen) == []


def test_cancel(clinic: Deployment) -> None:
    """Cancelling frees the slot for somebody else; the consultation stays as cancelled and does nothing any more."""
    alice, bob = clinic.patient("alice", "video-upgrade"), clinic.patient("bob")
    chen = clinic.clinician("chen")
    (slot,) = offers(chen, 1)
    visit = booked(alice, chen, slot)
    assert alice.ok(f"/consultations/{visit}/cancel")["status"] == "cancelled"
    assert free(alice, chen) == [slot]
    booked(bob, chen, slot)
    for path in ("cancel", "reschedule"):
        assert alice.post(f"/consultations/{visit}/{path}", {"slot": slot}).refusal == (409, "not-booked")
    assert alice.post(f"/consultations/{visit}/join").refusal == (409, "consultation-cancelled")
    upload = {"medium": "audio", "content_type": "audio/webm"}
    for path, body in (("end", None), ("medium", {"medium": "video"}), ("uploads", upload)):
        assert alice.post(f"/consultations/{visit}/{path}", body).refusal == (409, "not-live")
    # Another's slot is not freed by who had it before.
    assert free(alice, chen) == []
    assert chen.get(f"/consultations/{visit}").json["status"] == "cancelled"


def test_reschedule(clinic: Deployment) -> None:
    """Moving takes the new slot and frees the old one; when the new one is taken everything stays."""
    alice, bob, chen = clinic.patient("alice"), clinic.patient("bob"), clinic.clinician("chen")
    first, second, third = offers(chen, 3)
    visit = booked(alice, chen, first)
    moved = alice.ok(f"/consultations/{visit}/reschedule", {"slot": second})
    assert moved["status"] == "booked"
    assert moved["starts_at"] == chen.get(f"/consultations/{visit}").json["starts_at"]
    assert free(alice, chen) == [first, third]
    booked(bob, chen, third)
    for taken in (third, second):
        assert alice.post(f"/consultations/{visit}/reschedule", {"slot": taken}).refusal == (409, "slot-taken")
    assert alice.post(f"/consultations/{visit}/reschedule", {"slot": 2**53}).refusal == (404, "not-found")
    assert alice.get(f"/consultations/{visit}").json["starts_at"] == moved["starts_at"]
    assert free(alice, chen) == [first]


def test_reschedule_from_now(clinic: Deployment) -> None:
    """A consultation that was booked for now can be moved to a slot, of its own clinician alone."""
    alice, chen, dora = clinic.patient("alice"), clinic.clinician("chen"), clinic.clinician("dora")
    (hers,), (his,) = offers(dora, 1), offers(chen, 1)
    visit = alice.book(chen)
    assert alice.post(f"/consultations/{visit}/reschedule", {"slot": hers}).refusal == (404, "not-found")
    assert alice.post(f"/consultations/{visit}/reschedule", {"slot": his}).status == 200
    assert free(alice, dora) == [hers]


def test_too_late_to_move(clinic: Deployment) -> None:
    """A consultation that is live or has ended is neither moved nor cancelled, and keeps its slot."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    first, second = offers(chen, 2)
    visit = booked(alice, chen, first)
    for step in ("join", "end"):
        alice.ok(f"/consultations/{visit}/{step}")
        assert alice.post(f"/consultations/{visit}/cancel").refusal == (409, "not-booked")
        assert alice.post(f"/consultations/{visit}/reschedule", {"slot": second}).refusal == (409, "not-booked")
    assert free(alice, chen) == [second]


def test_moving_is_the_patients(clinic: Deployment) -> None:
    """The clinician neither moves nor cancels, and to strangers there is no such consultation."""
    alice, bob, chen = clinic.patient("alice"), clinic.patient("bob"), clinic.clinician("chen")
    (slot,) = offers(chen, 1)
    visit = alice.book(chen)
    for user, refusal in ((chen, (403, "patients-only")), (bob, (404, "not-found"))):
        assert user.post(f"/consultations/{visit}/cancel").refusal == refusal
        assert user.post(f"/consultations/{visit}/reschedule", {"slot": slot}).refusal == refusal
    assert free(alice, chen) == [slot]


def test_another_region(clinic: Deployment) -> None:
    """A clinician of another region is not there: neither their slots are shown, nor can they be booked."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen", region="south")
    (slot,) = offers(chen, 1)
    assert alice.get(f"/clinicians/{chen.username}/slots").refusal == (404, "not-found")
    for wanted in (None, slot):
        assert ask(alice, chen, wanted).refusal == (404, "not-found")
    assert free(clinic.patient("south", region="south"), chen) == [slot]


def test_roles(clinic: Deployment) -> None:
    """Only clinicians offer slots, only patients book, and only clinicians are booked."""
    alice, bob, chen = clinic.patient("alice"), clinic.patient("bob"), clinic.clinician("chen")
    assert alice.post("/slots", {"starts_at": SOON.isoformat()}).refusal == (403, "wrong-role")
    assert ask(chen, chen).refusal == (403, "wrong-role")
    assert ask(alice, bob).refusal == (404, "not-found")
    assert ask(alice, alice).refusal == (404, "not-found")
    assert alice.get(f"/clinicians/{bob.username}/slots").refusal == (404, "not-found")


def test_my_consultations(clinic: Deployment) -> None:
    """Everybody's list has the consultations in which they have a part, the newest first, and no others."""
    alice, bob, chen = clinic.patient("alice"), clinic.patient("bob"), clinic.clinician("chen")
    first, his, last = alice.book(chen), bob.book(chen, "video"), alice.book(chen)
    for user, theirs in ((alice, [last, first]), (bob, [his]), (chen, [last, his, first])):
        items = user.get("/consultations").json["items"]
        assert [item["id"] for item in items] == theirs
        assert [user.get(f"/consultations/{visit}").json for visit in theirs] == items


def test_many_slots_at_once(clinic: Deployment) -> None:
    """Of one time that is offered from several connections at once there is one slot."""
    chen = clinic.clinician("chen")
    twins = [User(chen.username, Api(clinic.url, chen.api.token)) for _ in range(3)]
    clinic.users.extend(twins)
    wanted = {"starts_at": SOON.isoformat()}
    answers = at_once([partial(each.post, "/slots", wanted) for each in twins])
    assert sorted(answer.status for answer in answers) == [201, 409, 409]
    assert len(free(chen, chen)) == 1
