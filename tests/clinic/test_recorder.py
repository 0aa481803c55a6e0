"""The recorder: what was sent becomes recordings that appear late, with composites, thumbnails and transcripts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.media import reading
from harness.model import Medium

from .canaries import clip, people_in, people_on, read
from .flag_server import serving, snapshot
from .people import FINISHED_S, LOOK_S, Deployment, User

LAYOUTS = ("side-by-side", "picture-in-picture")
GARBAGE = b"this is no WebM"


@pytest.fixture(scope="module")
def shrinking(deploy: Callable[..., Deployment]) -> Iterator[Deployment]:
    """Return a clinic whose worker shrinks what it gets."""
    with serving(snapshot(for_all=("recorder-transcode",))) as flags:
        yield deploy("--unleash-url", flags.url)


def call(clinic: Deployment, *flags: str, medium: str = "video", colleagues: int = 0) -> tuple[str, list[User]]:
    """Let a patient with these flags and a clinician meet, and hand over to colleagues; return all in that order."""
    people = [clinic.patient("alice", *flags), clinic.clinician("chen")]
    visit = people[0].book(people[1], medium)
    for each in people:
        each.ok(f"/consultations/{visit}/join")
    for _ in range(colleagues):
        people.append(clinic.clinician("dora"))
        people[-2].ok(f"/consultations/{visit}/hand-over", {"clinician": people[-1].username})
        people[-1].ok(f"/consultations/{visit}/join")
    return visit, people


def ended(visit: str, by: User) -> list[dict[str, Any]]:
    """End a consultation and return its replays in this user's list, once all of them are finished."""
    by.ok(f"/consultations/{visit}/end")
    by.finished(visit)
    return [item for item in by.replays() if item["consultation"] == visit]


def whole(visit: str, by: User) -> dict[str, Any]:
    """End a consultation and return its one composite, as the list has it."""
    (composite,) = (item for item in ended(visit, by) if item["layout"])
    return composite


def media(user: User, replay: str) -> bytes:
    """Return a replay's bytes."""
    answer = user.get(f"/replays/{replay}/media")
    assert answer.status == 200, answer
    return answer.body


def test_not_before_it_is_ready(clinic: Deployment) -> None:
    """A recording is processing and then ready, and no list, search, count or address has it before."""
    visit, (alice, chen) = call(clinic, "side-by-side", "replay-search", "replay-index-v2")
    for number, user in enumerate((alice, chen), 1):
        user.record(visit, clip(number, "video"), "video")
    alice.ok(f"/consultations/{visit}/end")
    statuses: dict[str, str] = {}
    ends_at = time.monotonic() + FINISHED_S
    while len(statuses) < 3 or set(statuses.values()) != {"ready"}:
        assert time.monotonic() < ends_at, statuses
        found = {item["id"] for item in alice.get("/replays/search?q=chen").json["items"]}
        seen = alice.replay_ids() | found
        count = alice.get("/replays/count").json["count"]
        opened = {each for each in statuses if alice.get(f"/replays/{each}/media").status == 200}
        before, items = statuses, alice.get(f"/consultations/{visit}/recordings").json["items"]
        statuses = {item["id"]: item["status"] for item in items}
        ready = {each for each, status in statuses.items() if status == "ready"}
        assert set(statuses.values()) <= {"processing", "ready"}
        assert all(statuses[each] == "ready" for each, status in before.items() if status == "ready")
        assert seen <= ready
        assert opened <= ready
        assert count <= len(ready)
        time.sleep(LOOK_S)
    assert alice.replay_ids() == set(statuses)


def test_not_before_the_end(clinic: Deployment) -> None:
    """What is ready is not replayed while the consultation goes on."""
    visit, (alice, chen) = call(clinic)
    recording = alice.record(visit, clip(1, "video"), "video")
    alice.finished(visit)
    for user in (alice, chen):
        assert user.replay_ids() == set()
        for path in ("", "/media", "/thumbnail", "/transcript"):
            assert user.get(f"/replays/{recording}{path}").refusal == (404, "not-found")
        assert user.post(f"/replays/{recording}/link").refusal == (404, "not-found")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_composite(clinic: Deployment, layout: str) -> None:
    """The composite of a consultation by video holds both participants, seen and heard, and nobody else."""
    visit, (alice, chen) = call(clinic, layout)
    other, (bob, _) = call(clinic, layout)
    bob.record(other, clip(9, "video"), "video")
    for number, user in enumerate((alice, chen), 1):
        user.record(visit, clip(number, "video"), "video")
    composite = whole(visit, alice)
    assert (composite["medium"], composite["layout"]) == ("video", layout)
    assert composite["title"] == "Video consultation with Chen, whole"
    for user in (alice, chen):
        found = read(media(user, composite["id"]))
        assert found.tracks == ("video", "audio")
        seen = {(each.canary.user, each.track) for each in found.canaries}
        assert seen == {(1, "video"), (1, "audio"), (2, "video"), (2, "audio")}
    detail = alice.get(f"/replays/{composite['id']}").json
    assert (detail["with"], detail["thumbnail"], detail["transcript"]) == (chen.username, True, True)
    assert detail["size"] == len(media(alice, composite["id"]))
    assert people_on(alice.get(f"/replays/{composite['id']}/thumbnail").body) <= {1, 2}
    assert bob.get(f"/replays/{composite['id']}/media").refusal == (404, "not-found")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_composite_of_sound(clinic: Deployment, layout: str) -> None:
    """The composite of a consultation by audio is sound, in which both are heard."""
    visit, (alice, chen) = call(clinic, layout, medium="audio")
    for number, user in enumerate((alice, chen), 1):
        user.record(visit, clip(number))
    composite = whole(visit, chen)
    assert (composite["medium"], composite["layout"]) == ("audio", layout)
    answer = chen.get(f"/replays/{composite['id']}/media")
    assert answer.headers["content-type"] == "audio/webm"
    assert read(answer.body).tracks == ("audio",)
    assert people_in(answer.body) == {1, 2}
    assert chen.get(f"/replays/{composite['id']}").json["thumbnail"] is False
    assert chen.get(f"/replays/{composite['id']}/thumbnail").refusal == (404, "not-found")


def test_composite_after_hand_over(clinic: Deployment) -> None:
    """The composite of a consultation that was handed over shows the patient and both clinicians, to all of them."""
    visit, people = call(clinic, "side-by-side", colleagues=1)
    for number, user in enumerate(people, 1):
        user.record(visit, clip(number, "video"), "video")
    composite = whole(visit, people[0])
    for user in people:
        seen = reading.read(media(user, composite["id"])).canaries
        assert {each.canary.user for each in seen if each.track == "video"} == {1, 2, 3}
        assert {each.canary.user for each in seen} == {1, 2, 3}


def test_composite_in_order(shrinking: Deployment) -> None:
    """What a participant sent in two pieces is one after the other in the composite, however long the first takes."""
    visit, (alice, chen) = call(shrinking, "side-by-side")
    chen.record(visit, clip(2))
    pieces = [clip(1, "video", duration_s=8.0), clip(3)]
    uploads = [alice.begin(visit, medium) for medium in ("video", "audio")]
    for upload, piece in zip(uploads, pieces, strict=True):
        alice.chunk(upload, 0, piece)
    for upload, piece in zip(uploads, pieces, strict=True):
        assert alice.complete(upload, [piece]).status == 201
    found = read(media(alice, whole(visit, alice)["id"]))
    assert {each.canary.user for each in found.canaries} == {1, 2, 3}
    first_s = {each.canary.user: each.first_s for each in found.canaries}
    assert first_s[1] + 7.0 < first_s[3]
    assert found.duration_s >= 8.9


def test_two_calls_at_once(clinic: Deployment) -> None:
    """What a clinician shows in one of two calls stays in that call, however late it comes, and in its composite."""
    chen = clinic.clinician("chen")
    patients = [clinic.patient(name, "side-by-side") for name in ("alice", "bob")]
    visits = [patient.book(chen, "video") for patient in patients]
    for patient, visit in zip(patients, visits, strict=True):
        for each in (patient, chen):
            each.ok(f"/consultations/{visit}/join")
    late = chen.begin(visits[0], "video")
    patients[1].record(visits[1], clip(2, "video"), "video")
    patients[0].record(visits[0], clip(1, "video"), "video")
    to_alice, to_bob = clip(4, "video"), clip(3, "video")
    chen.chunk(late, 0, to_alice)
    assert chen.complete(late, [to_alice]).status == 201
    chen.record(visits[1], to_bob, "video")
    for patient, visit, people in zip(patients, visits, ({1, 4}, {2, 3}), strict=True):
        items = ended(visit, patient)
        assert len(items) == 3
        assert [people_in(media(patient, item["id"])) for item in items if item["layout"]] == [people]
        assert {n for item in items for n in people_in(media(patient, item["id"]))} == people


def test_who_decides_on_composites(clinic: Deployment) -> None:
    """There is a composite when the patient has a layout, whatever the clinician has, and two were recorded."""
    alice = clinic.patient("alice")
    chen = clinic.clinician("chen", "side-by-side")
    visit = alice.book(chen)
    alice.ok(f"/consultations/{visit}/join")
    made = {alice.record(visit, clip(1)), chen.record(visit, clip(2))}
    assert {item["id"] for item in ended(visit, alice)} == made
    visit, (bob, _) = call(clinic, "side-by-side")
    made = {bob.record(visit, clip(1)), bob.record(visit, clip(3))}
    assert {item["id"] for item in ended(visit, bob)} == made


def test_thumbnail(clinic: Deployment) -> None:
    """A recording by video has a thumbnail that shows whom it shows, one by audio has none."""
    visit, (alice, chen) = call(clinic)
    seen, heard = alice.record(visit, clip(5, "video"), "video"), chen.record(visit, clip(6))
    ended(visit, alice)
    for user in (alice, chen):
        picture = user.get(f"/replays/{seen}/thumbnail")
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.headers["cache-control"] == "private, no-store"
        assert people_on(picture.body) == {5}
        assert user.get(f"/replays/{heard}/thumbnail").refusal == (404, "not-found")
    thumbnails = [alice.get(f"/replays/{each}").json["thumbnail"] for each in (seen, heard)]
    assert thumbnails == [True, False]


def test_transcript(clinic: Deployment) -> None:
    """A transcript says who spoke when and what was captioned; the composite's has all that was recorded."""
    visit, (alice, chen) = call(clinic, "side-by-side")
    hers = alice.record(visit, clip(1, "video"), "video", caption="It hurts\nwhen I laugh.")
    his = chen.record(visit, clip(2), caption="Then do not laugh.")
    both = whole(visit, alice)["id"]
    texts = []
    for recording in (hers, his, both):
        answer = alice.get(f"/replays/{recording}/transcript")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.body == chen.get(f"/replays/{recording}/transcript").body
        texts.append([line.partition("  ")[2] for line in answer.body.decode().splitlines()])
    spoken = ["Alice, video, 1.0 s", "  It hurts", "  when I laugh."], ["Chen, audio, 1.0 s", "  Then do not laugh."]
    assert texts[:2] == [*spoken]
    assert [line for line in texts[2] if line in (*spoken[0], *spoken[1])] == [*spoken[0], *spoken[1]]


def test_what_cannot_be_read(clinic: Deployment) -> None:
    """What is no media is kept as it came, and the worker goes on with what is."""
    visit, (alice, chen) = call(clinic, "side-by-side")
    strange, hers = alice.record(visit, GARBAGE, "video"), alice.record(visit, clip(1, "video"), "video")
    empty, his = chen.record(visit, b""), chen.record(visit, clip(2))
    statuses = {item["id"]: item["status"] for item in alice.finished(visit)}
    assert statuses == dict.fromkeys((strange, hers, empty, his), "ready")
    alice.ok(f"/consultations/{visit}/end")
    assert (media(alice, strange), media(alice, empty)) == (GARBAGE, b"")
    assert (people_in(media(alice, hers)), people_in(media(alice, his))) == ({1}, {2})
    assert alice.get(f"/replays/{strange}/thumbnail").refusal == (404, "not-found")
    assert alice.get(f"/replays/{strange}/transcript").status == 200


def test_no_composite_of_what_cannot_be_read(clinic: Deployment) -> None:
    """A composite that cannot be made has failed, at once and for good, and is in nobody's list."""
    visit, (alice, chen) = call(clinic, "side-by-side")
    made = {alice.record(visit, GARBAGE, "video"), chen.record(visit, GARBAGE)}
    assert {item["id"] for item in ended(visit, alice)} == made
    items = alice.finished(visit)
    assert sorted(item["status"] for item in items) == ["failed", "ready", "ready"]
    (failed,) = (item["id"] for item in items if item["status"] == "failed")
    assert alice.get(f"/replays/{failed}").refusal == (404, "not-found")
    assert [told(user, visit) for user in (alice, chen)] == [1, 1]


def test_unfinished_uploads_are_dropped(clinic: Deployment) -> None:
    """What was not complete at the end becomes nothing, and is in no composite."""
    visit, (alice, chen) = call(clinic, "side-by-side")
    alice.record(visit, clip(1, "video"), "video")
    chen.record(visit, clip(2, "video"), "video")
    upload = alice.begin(visit, "video")
    assert alice.chunk(upload, 0, clip(3, "video")).status == 204
    composite = whole(visit, alice)
    assert len(alice.finished(visit)) == 3
    assert people_in(media(alice, composite["id"])) == {1, 2}
    assert alice.complete(upload, [clip(3, "video")]).refusal == (409, "not-live")


def told(user: User, visit: str) -> int:
    """Return how often somebody was told that a consultation can be replayed."""
    notices = user.get("/notices").json["items"]
    return [notice["kind"] for notice in notices if notice["consultation"] == visit].count("recordings-ready")


@pytest.mark.parametrize("is_fast", [False, True], ids=["ready-later", "ready-before-the-end"])
@pytest.mark.parametrize("layout", ["off", "side-by-side"])
def test_everybody_is_told(clinic: Deployment, layout: str, *, is_fast: bool) -> None:
    """When all recordings of an ended consultation are ready its participants are told once, whenever that is."""
    visit, people = call(clinic, layout, colleagues=1)
    for number, user in enumerate(people, 1):
        user.record(visit, clip(number))
    if is_fast:
        people[0].finished(visit)
    ended(visit, people[0])
    assert [told(user, visit) for user in people] == [1, 1, 1]


def test_nobody_is_told_of_nothing(clinic: Deployment) -> None:
    """When nothing was recorded nobody is told that there is something to replay."""
    visit, people = call(clinic, "side-by-side")
    assert ended(visit, people[0]) == []
    assert [told(user, visit) for user in people] == [0, 0]


@pytest.mark.parametrize("medium", ["audio", "video"])
def test_shrinking(shrinking: Deployment, medium: Medium) -> None:
    """With the worker's flag on recordings are made anew with the same content; without it they stay as they came."""
    visit, (alice, chen) = call(shrinking, "side-by-side", medium=medium)
    sent = clip(7, medium)
    hers, his = alice.record(visit, sent, medium), chen.record(visit, clip(8))
    composite = whole(visit, alice)["id"]
    assert alice.get("/me/features").json["recorder-transcode"] == "on"
    shrunk = media(alice, hers)
    assert shrunk != sent
    assert len(shrunk) == alice.get(f"/replays/{hers}").json["size"]
    assert read(shrunk).tracks == read(sent).tracks
    assert (people_in(shrunk), people_in(media(alice, his))) == ({7}, {8})
    assert people_in(media(alice, composite)) == {7, 8}
    strange = shrinking.patient("strange")
    visit = strange.book(chen)
    strange.ok(f"/consultations/{visit}/join")
    kept = strange.record(visit, GARBAGE)
    ended(visit, strange)
    assert media(strange, kept) == GARBAGE


@pytest.mark.parametrize("medium", ["audio", "video"])
def test_not_shrinking(clinic: Deployment, medium: Medium) -> None:
    """Without the worker's flag recordings are byte for byte what was sent."""
    visit, (alice, _) = call(clinic, medium=medium)
    sent = clip(7, medium)
    hers = alice.record(visit, sent, medium)
    ended(visit, alice)
    assert media(alice, hers) == sent
