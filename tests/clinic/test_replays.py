"""Consultation Replays of a sound clinic: whose, in which order, under which flags."""

from __future__ import annotations

import itertools

import pytest

from .people import ACCESS, Deployment, held

READING: dict[str, tuple[str, ...]] = {"join": (), "index": ("replay-index-v2",)}
CACHED: dict[str, tuple[str, ...]] = {"cached": ("replay-cache",), "uncached": ()}


@pytest.mark.parametrize("cached", CACHED)
@pytest.mark.parametrize("path", READING)
def test_own_and_only_own(clinic: Deployment, path: str, cached: str) -> None:
    """Participants see and play the recordings of their ended consultations, and nobody else does."""
    flags = (*READING[path], *CACHED[cached])
    alice, bob = clinic.patient("alice", *flags), clinic.patient("bob", *flags)
    chen, dora = clinic.clinician("chen", *flags), clinic.clinician("dora", *flags)
    visit, hers = held(alice, chen, b"hers", "video")
    _, his = held(bob, chen, b"his")
    live = alice.book(chen)
    alice.ok(f"/consultations/{live}/join")
    pending = alice.record(live, b"not ended")

    assert alice.replay_ids() == {hers}
    assert bob.replay_ids() == {his}
    assert chen.replay_ids() == {hers, his}
    assert dora.replay_ids() == set()
    for user, other in ((alice, "Chen"), (chen, "Alice")):
        (item,) = [item for item in user.replays() if item["id"] == hers]
        assert (item["consultation"], item["medium"]) == (visit, "video")
        assert item["title"] == f"Video consultation with {other}"
        detail = user.get(f"/replays/{hers}").json
        with_whom = chen.username if user is alice else alice.username
        assert detail == item | {"with": with_whom, "size": 4}
        assert user.get(f"/replays/{hers}/media").body == b"hers"
    for user, foreign in ((bob, hers), (alice, his), (dora, his), (alice, pending), (alice, "rec-unknown")):
        assert user.get(f"/replays/{foreign}").refusal == (404, "not-found")
        assert user.get(f"/replays/{foreign}/media").refusal == (404, "not-found")


def test_join_and_index_are_equal(clinic: Deployment) -> None:
    """The old join and the new index give two patients with the same history the same list."""
    chen = clinic.clinician("chen")
    old, new = clinic.patient("old"), clinic.patient("new", "replay-index-v2")
    for n in range(5):
        for patient in (old, new):
            held(patient, chen, b"%d" % n, "video" if n % 2 else "audio")
    shapes = [[(item["title"], item["medium"]) for item in user.replays()] for user in (old, new)]
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) == 5
    totals = [page["total"] for user in (old, new) for page in user.pages()]
    assert totals == [5, 5]


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize(("paging", "size"), [("paging-small", 2), ("paging-off", 20), ("paging-large", 50)])
def test_paging(clinic: Deployment, path: str, paging: str, size: int) -> None:
    """Pages of every size lead to the end, newest first, each recording once."""
    alice, chen = clinic.patient("alice", paging, *READING[path]), clinic.clinician("chen")
    visit = alice.book(chen)
    alice.ok(f"/consultations/{visit}/join")
    made = [alice.record(visit, b"%d" % n) for n in range(size + 1)]
    alice.ok(f"/consultations/{visit}/end")
    pages = list(alice.pages())
    assert [len(page["items"]) for page in pages] == ([2, 1] if size == 2 else [size, 1])
    assert {page["total"] for page in pages} == {len(made)}
    assert [item["id"] for page in pages for item in page["items"]] == made[::-1]


def test_cursor_is_stable(clinic: Deployment) -> None:
    """A recording that appears between two pages moves nothing."""
    alice, chen = clinic.patient("alice", "paging-small"), clinic.clinician("chen")
    made = [held(alice, chen, b"%d" % n)[1] for n in range(4)]
    first = alice.get("/replays").json
    held(alice, chen, b"between")
    second = alice.get(f"/replays?cursor={first['next']}").json
    assert [item["id"] for item in first["items"] + second["items"]] == made[::-1]
    assert (first["total"], second["total"], second["next"]) == (4, 5, None)


@pytest.mark.parametrize("cursor", ["x", "%20", "!!!!", "AAAAAAAAAAAAAAAA", "%C3%A5"])
def test_bad_cursor(clinic: Deployment, cursor: str) -> None:
    """A cursor that was never given out is refused."""
    alice = clinic.patient("alice")
    assert alice.get(f"/replays?cursor={cursor}").status == 422


@pytest.mark.parametrize("flags", [(), ("replay-index-v2",), ("replay-cache",), ("replay-index-v2", "replay-cache")])
def test_kill_switch(clinic: Deployment, flags: tuple[str, ...]) -> None:
    """With replay access off, the list, the detail and the bytes are refused, one's own included."""
    alice, chen = clinic.user("alice", "video-upgrade", *flags), clinic.clinician("chen")
    _, hers = held(alice, chen, b"hers", "video")
    for path in ("/replays", f"/replays/{hers}", f"/replays/{hers}/media", "/replays/rec-unknown"):
        assert alice.get(path).refusal == (403, "replays-off")
    assert chen.replay_ids() == {hers}


@pytest.mark.parametrize("path", READING)
def test_cache_is_fresh(clinic: Deployment, path: str) -> None:
    """With the cache on, a new recording appears to both participants as soon as its consultation ends."""
    flags = (ACCESS, "replay-cache", *READING[path])
    alice, chen = clinic.user("alice", *flags), clinic.user("chen", *flags, role="clinician")
    seen: set[str] = set()
    for n in range(3):
        assert alice.replay_ids() == chen.replay_ids() == seen
        seen.add(held(alice, chen, b"%d" % n)[1])
    assert alice.replay_ids() == chen.replay_ids() == seen


def test_nothing_leaks_without_a_flaw(clinic: Deployment) -> None:
    """Whatever the flags, a patient who switched to video sees their own video alone."""
    chen, bob = clinic.clinician("chen"), clinic.patient("bob")
    _, foreign = held(bob, chen, b"foreign", "video")
    for chosen in itertools.product((False, True), repeat=2):
        extra = itertools.compress(("replay-index-v2", "replay-cache"), chosen)
        alice = clinic.patient("alice", "video-upgrade", *extra)
        visit = alice.book(chen)
        alice.ok(f"/consultations/{visit}/join")
        alice.ok(f"/consultations/{visit}/medium", {"medium": "video"})
        hers = alice.record(visit, b"hers", "video")
        alice.ok(f"/consultations/{visit}/end")
        assert alice.replay_ids() == {hers}
        assert alice.get(f"/replays/{foreign}").refusal == (404, "not-found")
