"""Uploads in chunks: what becomes a recording, and what does not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from .people import Api, Deployment, User

MIB = 1024 * 1024


@pytest.fixture
def call(clinic: Deployment) -> tuple[User, User, str]:
    """Return a patient, a clinician and their live consultation by audio."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    visit = alice.book(chen)
    alice.ok(f"/consultations/{visit}/join")
    return alice, chen, visit


def test_bytes_come_back(call: tuple[User, User, str]) -> None:
    """Chunks sent in any order, one of them twice, come back whole with their content type."""
    alice, chen, visit = call
    upload = alice.begin(visit)
    sent = [bytes([n]) * MIB for n in range(3)]
    assert alice.chunk(upload, 0, b"a first attempt").status == 204
    for n in (2, 0, 1):
        assert alice.chunk(upload, n, sent[n]).status == 204
    recording = alice.complete(upload, sent).json["recording"]
    alice.ok(f"/consultations/{visit}/end")
    alice.finished(visit)
    for user in (alice, chen):
        answer = user.get(f"/replays/{recording}/media")
        assert answer.body == b"".join(sent)
        assert answer.headers["content-type"] == "audio/webm"
        assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("chunks", [[0], [0, 2], [1, 2], [0, 1, 2, 3]])
def test_chunks_differ(call: tuple[User, User, str], chunks: list[int]) -> None:
    """An upload that lacks a chunk, or has one too many, does not become a recording."""
    alice, _, visit = call
    upload = alice.begin(visit)
    for n in chunks:
        alice.chunk(upload, n, b"%d" % n)
    assert alice.complete(upload, [b"0", b"1", b"2"]).refusal == (409, "chunks-differ")
    assert alice.get(f"/consultations/{visit}/recordings").json["items"] == []


def test_hash_differs(call: tuple[User, User, str]) -> None:
    """An upload with another hash than was said does not become a recording, and can still be mended."""
    alice, _, visit = call
    upload = alice.begin(visit)
    alice.chunk(upload, 0, b"damaged")
    assert alice.complete(upload, [b"sound"]).refusal == (409, "hash-differs")
    alice.chunk(upload, 0, b"sound")
    assert alice.complete(upload, [b"sound"]).status == 201


def test_no_body_is_heard_without_end(clinic: Deployment) -> None:
    """A body beyond what any request needs is refused, signed in or not."""
    mallory = clinic.patient("mallory")
    assert mallory.post("/sign-in", {"username": "x" * 300_000, "password": "x"}).status == 413
    assert mallory.post("/sign-in", {"username": "x" * 200_000, "password": "x"}).status == 422


def test_too_large(call: tuple[User, User, str]) -> None:
    """A chunk above 1 MiB and a chunk beyond the 64th are refused."""
    alice, _, visit = call
    upload = alice.begin(visit)
    assert alice.chunk(upload, 0, b"x" * MIB).status == 204
    assert alice.chunk(upload, 0, b"x" * (MIB + 1)).refusal == (413, "chunk-too-large")
    assert alice.chunk(upload, 63, b"x").status == 204
    assert alice.chunk(upload, 64, b"x").refusal == (413, "too-many-chunks")
    assert alice.chunk(upload, 2**80, b"x").refusal == (413, "too-many-chunks")


def test_wrong_medium(call: tuple[User, User, str]) -> None:
    """Video is not recorded in a consultation by audio, nor under another medium's content type."""
    alice, _, visit = call
    video = {"medium": "video", "content_type": "video/webm"}
    assert alice.post(f"/consultations/{visit}/uploads", video).refusal == (409, "wrong-medium")
    mixed = {"medium": "audio", "content_type": "video/webm"}
    assert alice.post(f"/consultations/{visit}/uploads", mixed).refusal == (422, "invalid-request")
    codecs = {"medium": "audio", "content_type": "audio/webm;codecs=opus"}
    assert alice.post(f"/consultations/{visit}/uploads", codecs).status == 201


def test_uploaders_alone(call: tuple[User, User, str]) -> None:
    """Not even the other participant may continue an upload."""
    alice, chen, visit = call
    upload = alice.begin(visit)
    assert chen.chunk(upload, 0, b"x").refusal == (404, "not-found")
    assert chen.complete(upload, [b"x"]).refusal == (404, "not-found")


def test_over(call: tuple[User, User, str]) -> None:
    """A complete upload takes nothing more, and after the end none is completed."""
    alice, _, visit = call
    done, pending = alice.begin(visit), alice.begin(visit)
    alice.chunk(done, 0, b"x")
    alice.chunk(pending, 0, b"x")
    assert alice.complete(done, [b"x"]).status == 201
    assert alice.chunk(done, 1, b"x").refusal == (409, "upload-complete")
    assert alice.complete(done, [b"x"]).refusal == (409, "upload-complete")
    alice.ok(f"/consultations/{visit}/end")
    assert alice.chunk(pending, 1, b"y").refusal == (409, "not-live")
    assert alice.complete(pending, [b"x"]).refusal == (409, "not-live")
    assert len(alice.finished(visit)) == 1
    assert len(alice.replays()) == 1


def test_two_retries(clinic: Deployment, call: tuple[User, User, str]) -> None:
    """However often and from however many connections an upload is completed, it becomes one recording."""
    alice, _, visit = call
    twins = [User(alice.username, Api(clinic.url, alice.api.token)) for _ in range(3)]
    clinic.users.extend(twins)
    upload = alice.begin(visit)
    alice.chunk(upload, 0, b"said once")
    with ThreadPoolExecutor(len(twins)) as pool:
        answers = list(pool.map(lambda twin: twin.complete(upload, [b"said once"]), twins))
    assert sorted(answer.status for answer in answers) == [201, 409, 409]
    (made,) = (answer.json["recording"] for answer in answers if answer.status == 201)
    alice.ok(f"/consultations/{visit}/end")
    assert [item["id"] for item in alice.finished(visit)] == [made]
    assert alice.replay_ids() == {made}


@pytest.mark.parametrize(
    "wrong",
    [
        {"medium": "smell"},
        {"content_type": "audio/mpeg"},
        {"content_type": "audio/webm; charset=utf-8"},
        {"content_type": "audio/webm\r\nx: y"},
        {"caption": "x" * 2001},
    ],
    ids=str,
)
def test_refused_uploads(call: tuple[User, User, str], wrong: dict[str, str]) -> None:
    """An upload of another kind of file, or with more of a caption than is kept, does not begin."""
    alice, _, visit = call
    new = {"medium": "audio", "content_type": "audio/webm"} | wrong
    assert alice.post(f"/consultations/{visit}/uploads", new).refusal == (422, "invalid-request")


@pytest.mark.parametrize("said", [{"chunks": 0}, {"chunks": 65}, {"sha256": "0" * 63}, {"sha256": "x" * 64}], ids=str)
def test_refused_completions(call: tuple[User, User, str], said: dict[str, object]) -> None:
    """What cannot be said of an upload is refused before anything is looked at."""
    alice, _, visit = call
    upload = alice.begin(visit)
    answer = alice.post(f"/uploads/{upload}/complete", {"chunks": 1, "sha256": "0" * 64} | said)
    assert answer.refusal == (422, "invalid-request")
