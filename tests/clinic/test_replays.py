"""Consultation Replays of a sound clinic: whose, in which order, under which flags, from which address."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from .canaries import clip
from .people import ACCESS, Deployment, User, held
from .staff import OPERATOR_PASSWORD, operator

READING: dict[str, tuple[str, ...]] = {"join": (), "index": ("replay-index-v2",)}
CACHED: dict[str, tuple[str, ...]] = {
    "cached": ("replay-cache",),
    "edge": ("edge-cache",),
    "large": ("paging-large",),
    "plain": (),
}
SEARCHING = ("replay-search", "replay-index-v2")


@pytest.fixture(scope="module")
def operated(deploy: Callable[..., Deployment]) -> Deployment:
    """Return a sound clinic that has an operator."""
    return deploy("--operator-password", OPERATOR_PASSWORD)


def found(user: User, words: str) -> list[str]:
    """Return the ids of what somebody finds."""
    answer = user.get(f"/replays/search?q={quote(words)}")
    assert answer.status == 200, answer
    return [item["id"] for item in answer.json["items"]]


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
    alice.finished(live)

    assert alice.replay_ids() == {hers}
    assert bob.replay_ids() == {his}
    assert chen.replay_ids() == {hers, his}
    assert dora.replay_ids() == set()
    for user, other in ((alice, "Chen"), (chen, "Alice")):
        (item,) = [item for item in user.replays() if item["id"] == hers]
        assert (item["consultation"], item["medium"], item["layout"], item["of"]) == (visit, "video", None, "Alice")
        assert item["title"] == f"Video consultation with {other}"
        detail = user.get(f"/replays/{hers}").json
        with_whom = chen.username if user is alice else alice.username
        said = {"with": with_whom, "size": 4, "thumbnail": False, "transcript": True, "participants": None}
        assert detail == item | said
        assert user.get(f"/replays/{hers}/media").body == b"hers"
    for user, foreign in ((bob, hers), (alice, his), (dora, his), (alice, pending), (alice, "rec-unknown")):
        for address in ("", "/media", "/thumbnail", "/transcript"):
            assert user.get(f"/replays/{foreign}{address}").refusal == (404, "not-found")


def test_detail_v2(clinic: Deployment) -> None:
    """The new version of the detail page says what the old one does, and who took part, to the same people."""
    chen = clinic.clinician("chen", "replay-detail-v2")
    alice, bob = clinic.patient("alice"), clinic.patient("bob", "replay-detail-v2")
    _, hers = held(alice, chen, b"hers")
    titled = chen.get(f"/replays/{hers}").json
    assert titled["with"] == alice.username
    assert titled["participants"] == sorted([alice.username, chen.username])
    same = ("id", "consultation", "medium", "recorded_at", "size", "layout", "thumbnail", "transcript")
    assert [titled[each] for each in same] == [alice.get(f"/replays/{hers}").json[each] for each in same]
    assert bob.get(f"/replays/{hers}").refusal == (404, "not-found")


def shape(items: list[dict[str, Any]], made: dict[str, int]) -> list[tuple[Any, ...]]:
    """Return what a list says, each recording by when in its twin's life it was made."""
    return [(made[item["id"]], item["title"], item["medium"], item["layout"]) for item in items]


@pytest.mark.parametrize("seed", range(2))
def test_join_and_index_are_equal(clinic: Deployment, seed: int) -> None:
    """Whatever happened, old and new lists of any page size agree on everything for people of the same history."""
    variants = [(), *((f"paging-{size}",) for size in ("small", "large"))]
    everybody: list[tuple[str, ...]] = [(*path, *size) for path in ((), ("replay-index-v2",)) for size in variants]
    draw = random.Random(seed)  # noqa: S311 - a story, no secret
    kinds = [draw.choice(["audio", "video", "handed over", "cancelled", "live"]) for _ in range(7)]
    said = []
    for flags in everybody:
        alice, chen, dora = (
            clinic.user(name, ACCESS, *flags, role=role)
            for name, role in (("alice", "patient"), ("chen", "clinician"), ("dora", "clinician"))
        )
        made: dict[str, int] = {}
        for n, kind in enumerate(kinds):
            made[play(kind, alice, chen, dora)] = n
        said.append([histories(user, made) for user in (alice, chen, dora)])
    assert all(each == said[0] for each in said), kinds
    assert len(said[0][0]["list"]) == sum(kind in ("audio", "video", "handed over") for kind in kinds)


def play(kind: str, alice: User, chen: User, dora: User) -> str:
    """Let something happen between Alice and Chen, and perhaps Dora; return the recording, if there is one."""
    visit = alice.book(chen, "video" if kind == "video" else "audio")
    if kind == "cancelled":
        alice.ok(f"/consultations/{visit}/cancel")
        return ""
    for each in (alice, chen):
        each.ok(f"/consultations/{visit}/join")
    recording = alice.record(visit, kind.encode(), "video" if kind == "video" else "audio")
    if kind == "handed over":
        chen.ok(f"/consultations/{visit}/hand-over", {"clinician": dora.username})
    if kind != "live":
        alice.ok(f"/consultations/{visit}/end")
    alice.finished(visit)
    return recording


def histories(user: User, made: dict[str, int]) -> dict[str, Any]:
    """Return all that the clinic says of somebody's replays, so that people of one history can be compared."""
    pages = list(user.pages())
    items = [item for page in pages for item in page["items"]]
    details = [user.get(f"/replays/{recording}") for recording in made]
    return {
        "list": shape(items, made),
        "totals": {page["total"] for page in pages},
        "count": user.get("/replays/count").json["count"],
        "details": [(detail.status, detail.json.get("size")) for detail in details],
        "media": [
            answer.body
            for answer in (user.get(f"/replays/{recording}/media") for recording in made)
            if answer.status == 200
        ],
    }


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize(("paging", "size"), [("paging-small", 2), ("paging-off", 20), ("paging-large", 50)])
def test_paging(clinic: Deployment, path: str, paging: str, size: int) -> None:
    """Pages of every size lead to the end, newest first, each recording once."""
    alice, chen = clinic.patient("alice", paging, *READING[path]), clinic.clinician("chen")
    visit = alice.book(chen)
    alice.ok(f"/consultations/{visit}/join")
    made = [alice.record(visit, b"%d" % n) for n in range(size + 1)]
    alice.ok(f"/consultations/{visit}/end")
    alice.finished(visit)
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


@pytest.mark.parametrize("cursor", ["x", "%20", "!!!!", "AAAAAAAAAAAAAAAA", "%C3%A5", "A", "AAAAA"])
def test_bad_cursor(clinic: Deployment, cursor: str) -> None:
    """A cursor that was never given out is refused."""
    alice = clinic.patient("alice")
    assert alice.get(f"/replays?cursor={cursor}").status == 422


@pytest.mark.parametrize("cursor", ["__________8", "f_________8", "gAAAAAAAAAA"])
def test_forged_cursor(clinic: Deployment, cursor: str) -> None:
    """A cursor that stands for more than there can be leads to nothing that is not one's own."""
    alice, bob, chen = clinic.patient("alice"), clinic.patient("bob"), clinic.clinician("chen")
    _, hers = held(alice, chen, b"hers")
    assert [item["id"] for item in alice.get(f"/replays?cursor={cursor}").json["items"]] == [hers]
    assert bob.get(f"/replays?cursor={cursor}").json["items"] == []


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize("cached", CACHED)
def test_lists_are_fresh(clinic: Deployment, path: str, cached: str) -> None:
    """However lists are kept, a new recording appears to both participants as soon as it is finished."""
    flags = (ACCESS, *CACHED[cached], *READING[path])
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
        alice.finished(visit)
        assert alice.replay_ids() == {hers}
        assert alice.get(f"/replays/{foreign}").refusal == (404, "not-found")


def test_search(clinic: Deployment) -> None:
    """Names, media and captions are searched whatever their case, the newest first, among one's own alone."""
    alice, bob = clinic.patient("alice", *SEARCHING), clinic.patient("bob", *SEARCHING)
    chen, dora = clinic.clinician("chen", *SEARCHING, name="Chen Chan"), clinic.clinician("dora")
    visit = alice.book(chen)
    alice.ok(f"/consultations/{visit}/join")
    captioned = alice.record(visit, b"x", caption="My KNEE hurts")
    alice.ok(f"/consultations/{visit}/end")
    alice.finished(visit)
    _, seen = held(alice, dora, b"video", "video")
    _, his = held(bob, chen, b"his")
    for words, expected in {
        "chen": [captioned],
        "CHEN CHAN": [captioned],
        "n c": [captioned],
        "dora": [seen],
        "Video": [seen],
        "audio": [captioned],
        "alice": [seen, captioned],
        "knee": [captioned],
        "knees": [],
        "bob": [],
    }.items():
        assert (words, found(alice, words)) == (words, expected)
    assert found(bob, "chen") == [his]
    assert found(bob, "knee") == []
    assert found(chen, "a") == [his, captioned]


@pytest.mark.parametrize("sign", ["%", "_", "!", "\\", "'", '"', "?", "%%", "!%", "50%", "a_b", "é", "ö", "日本"])
def test_search_signs(clinic: Deployment, sign: str) -> None:
    """Every sign stands for itself, in any script and case: it finds the caption that has it, and no other."""
    alice, chen = clinic.patient("alice", *SEARCHING), clinic.clinician("chen")
    visit = alice.book(chen)
    alice.ok(f"/consultations/{visit}/join")
    with_it = alice.record(visit, b"x", caption=f"so {sign.upper()} it is")
    alice.record(visit, b"y", caption="so axb it is, 50 of")
    alice.ok(f"/consultations/{visit}/end")
    alice.finished(visit)
    assert found(alice, sign.lower()) == [with_it]


def test_search_refused(clinic: Deployment) -> None:
    """Where search is not offered there is none, and an empty search or a very long one is refused."""
    alice, bob = clinic.patient("alice", *SEARCHING), clinic.patient("bob")
    assert bob.get("/replays/search?q=a").refusal == (404, "not-found")
    for words in ("", "x" * 101):
        assert alice.get(f"/replays/search?q={words}").refusal == (422, "invalid-request")
    assert alice.get("/replays/search").refusal == (422, "invalid-request")


CONTENT = bytes(range(100))


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=90-", 90, 99),
        ("bytes=-5", 95, 99),
        ("bytes=-500", 0, 99),
        ("bytes=99-5000", 99, 99),
        (" bytes=0-9 ", 0, 9),
    ],
)
def test_ranges(clinic: Deployment, asked: str, first: int, last: int) -> None:
    """A range of a recording is served with its place in the whole."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    _, hers = held(alice, chen, CONTENT)
    answer = alice.api.call("GET", f"/replays/{hers}/media", headers={"Range": asked})
    assert (answer.status, answer.body) == (206, CONTENT[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/100"
    assert answer.headers["content-length"] == str(last - first + 1)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0", f"bytes={10**14}-"])
def test_ranges_beyond(clinic: Deployment, asked: str) -> None:
    """A range that begins behind the end is refused."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    _, hers = held(alice, chen, CONTENT)
    answer = alice.api.call("GET", f"/replays/{hers}/media", headers={"Range": asked})
    assert answer.refusal == (416, "bad-range")


@pytest.mark.parametrize("asked", ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "x"])
def test_ranges_that_are_none(clinic: Deployment, asked: str) -> None:
    """What is no range, or several, gets the whole."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    _, hers = held(alice, chen, CONTENT)
    answer = alice.api.call("GET", f"/replays/{hers}/media", headers={"Range": asked})
    assert (answer.status, answer.body) == (200, CONTENT)
    assert "content-range" not in answer.headers


def test_no_range_of_anothers(clinic: Deployment) -> None:
    """Not even one byte of another's recording is served, and its size is not told."""
    alice, bob, chen = clinic.patient("alice"), clinic.patient("bob"), clinic.clinician("chen")
    _, hers = held(alice, chen, CONTENT)
    for asked in ("bytes=0-0", "bytes=100-"):
        answer = bob.api.call("GET", f"/replays/{hers}/media", headers={"Range": asked})
        assert answer.refusal == (404, "not-found")


def everything(recording: str, carer: User) -> list[tuple[str, str, Any]]:
    """Return every request that shows, opens or passes on one's replays."""
    reading = ["", "/count", "/search?q=a", "/export"]
    reading += [f"/{recording}{address}" for address in ("", "/media", "/thumbnail", "/transcript", "/shares")]
    reading += ["/rec-unknown", "/rec-unknown/media"]
    return [
        *(("GET", f"/replays{path}", None) for path in reading),
        ("POST", f"/replays/{recording}/link", None),
        ("POST", f"/replays/{recording}/shares", {"carer": carer.username}),
        ("DELETE", f"/replays/{recording}/shares/{carer.username}", None),
        ("DELETE", f"/replays/{recording}", None),
    ]


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize("cached", CACHED)
def test_kill_switch(clinic: Deployment, path: str, cached: str) -> None:
    """With replay access off everything about replays is refused, one's own included, and stays for others."""
    offered = ("replay-search", "replay-index-v2", "carer-sharing", "replay-detail-v2", *READING[path], *CACHED[cached])
    alice, chen = clinic.user("alice", "video-upgrade", *offered), clinic.clinician("chen")
    carer = clinic.patient("carer", "carer-sharing")
    _, hers = held(alice, chen, b"hers", "video")
    for method, address, body in everything(hers, carer):
        assert (address, alice.api.call(method, address, body).refusal) == (address, (403, "replays-off"))
    assert chen.replay_ids() == {hers}


def test_operators_switch(operated: Deployment) -> None:
    """The operator closes replays to everybody at once, whatever was kept, made or shared before, and opens them."""
    offered = ("replay-search", "replay-index-v2", "carer-sharing", "replay-cache")
    alice, carer = operated.patient("alice", *offered), operated.patient("carer", *offered)
    chen, boss = operated.clinician("chen", *offered), operator(operated)
    _, hers = held(alice, chen, clip(1, "video"), "video")
    assert alice.post(f"/replays/{hers}/shares", {"carer": carer.username}).status == 204
    people = (alice, carer, chen)
    links = [user.ok(f"/replays/{hers}/link")["url"] for user in people]
    assert [user.replay_ids() for user in people] == [{hers}] * 3
    assert boss.ok("/operations/replay-access", {"open": False}) == {"open": False}
    for user, link in zip(people, links, strict=True):
        for method, address, body in [*everything(hers, carer), ("GET", link, None)]:
            assert (address, user.api.call(method, address, body).refusal) == (address, (403, "replays-off"))
    assert boss.ok("/operations/replay-access", {"open": True}) == {"open": True}
    assert [user.replay_ids() for user in people] == [{hers}] * 3
    assert [user.get(link).body for user, link in zip(people, links, strict=True)] == [clip(1, "video")] * 3
