"""The edge cache: what anybody may have is kept by its address, and nothing that is somebody's ever is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .canaries import clip
from .flag_server import FlagServer, serving, snapshot
from .nursery import running
from .people import ACCESS, Api, Deployment, User, held
from .staff import until

PAGE = "/pages/app.js"


@pytest.fixture
def anybody(clinic: Deployment) -> Iterator[Api]:
    """Return a connection of somebody who is not signed in."""
    api = Api(clinic.url)
    yield api
    api.close()


def test_public_files(anybody: Api, clinic: Deployment) -> None:
    """A public file is marked as such, and everybody is served the same one."""
    first = anybody.call("GET", PAGE)
    assert (first.status, first.headers["cache-control"]) == (200, "public, max-age=300")
    alice = clinic.patient("alice", "edge-cache")
    for answer in (anybody.call("GET", PAGE), alice.get(PAGE), alice.get(f"{PAGE}?again=1")):
        assert (answer.status, answer.body, answer.headers["etag"]) == (200, first.body, first.headers["etag"])
        assert answer.headers["content-type"] == first.headers["content-type"]


def test_served_from_the_edge(anybody: Api) -> None:
    """What the edge has kept it serves whole, also upon a condition that the application would answer by 304."""
    fresh = f"{PAGE}?nobody-has-asked-for-this"
    etag = anybody.call("GET", PAGE).headers["etag"]
    assert anybody.call("GET", fresh, headers={"If-None-Match": etag}).status == 304
    assert anybody.call("GET", fresh).status == 200
    assert anybody.call("GET", fresh, headers={"If-None-Match": etag}).status == 200


def test_other_methods(anybody: Api) -> None:
    """Only GET is answered from what is kept."""
    assert anybody.call("GET", PAGE).status == 200
    for method in ("POST", "PUT", "DELETE"):
        assert anybody.call(method, PAGE).refusal == (405, "method-not-allowed")


def test_refusals_are_not_kept(anybody: Api) -> None:
    """A page that is not there, and the index that may change, are asked for anew."""
    for path in ("/pages/nothing.js", "/pages/index.html"):
        for _ in range(2):
            assert anybody.call("GET", path).refusal == (404, "not-found")
    assert "public" not in anybody.call("GET", "/").headers["cache-control"]


@pytest.mark.parametrize("flags", [("edge-cache",), ("edge-cache", "replay-index-v2")], ids="+".join)
def test_private_answers_are_each_ones_own(clinic: Deployment, flags: tuple[str, ...]) -> None:
    """With the edge cache on, whoever asks for one address after another is answered for themselves."""
    alice, bob = clinic.patient("alice", *flags), clinic.patient("bob", *flags)
    chen = clinic.clinician("chen", *flags)
    _, hers = held(alice, chen, clip(1, "video"), "video")
    _, his = held(bob, chen, clip(2, "video"), "video")
    for path in ("/replays", "/replays?cursor=", "/replays/count", "/me", "/me/features", "/consultations", "/notices"):
        answers = [user.get(path) for user in (alice, bob, chen, alice)]
        assert {answer.status for answer in answers} == {200}
        assert answers[0].json == answers[3].json
        assert path == "/replays/count" or answers[0].json != answers[1].json or path == "/me/features"
        for answer in answers:
            assert "public" not in answer.headers.get("cache-control", "")
    for _ in range(2):
        assert [user.replay_ids() for user in (alice, bob, chen)] == [{hers}, {his}, {hers, his}]
        assert [user.get("/replays/count").json["count"] for user in (alice, bob, chen)] == [1, 1, 2]
    for address in ("", "/media", "/thumbnail", "/transcript"):
        statuses = [user.get(f"/replays/{hers}{address}").status for user in (alice, bob, chen)]
        assert statuses == [200, 404, 200]
    anybody = Api(clinic.url)
    for path in ("/replays", f"/replays/{hers}", f"/replays/{hers}/media", f"/replays/{hers}/thumbnail"):
        assert anybody.call("GET", path).refusal == (401, "not-signed-in")
    anybody.close()


def test_how_private_answers_are_marked(clinic: Deployment) -> None:
    """The list may be kept by its user's own browser for a moment where the flag is on; everything else by nobody."""
    alice, bob, chen = clinic.patient("alice", "edge-cache"), clinic.patient("bob"), clinic.clinician("chen")
    _, hers = held(alice, chen, clip(1, "video"), "video")
    assert alice.get("/replays").headers["cache-control"] == "private, max-age=2"
    assert bob.get("/replays").headers["cache-control"] == "private, no-store"
    for address in ("/media", "/thumbnail", "/transcript"):
        assert alice.get(f"/replays/{hers}{address}").headers["cache-control"] == "private, no-store"
    url = alice.ok(f"/replays/{hers}/link")["url"]
    assert alice.get(url).headers["cache-control"] == "private, no-store"


def test_two_people_on_one_connection(clinic: Deployment) -> None:
    """On one kept connection each request is its own token's."""
    alice, bob, chen = (clinic.user(name, ACCESS, "edge-cache") for name in ("alice", "bob", "chen"))
    clinician = clinic.clinician("dora")
    made = {user.username: held(user, clinician, user.username.encode())[1] for user in (alice, bob, chen)}
    shared = Api(clinic.url)
    for user in (alice, bob, chen, bob, alice):
        shared.token = user.api.token
        assert [item["id"] for item in shared.call("GET", "/replays").json["items"]] == [made[user.username]]
        assert shared.call("GET", "/me").json["username"] == user.username
    shared.token = ""
    assert shared.call("GET", "/replays").refusal == (401, "not-signed-in")
    shared.close()


@pytest.fixture
def changing(new_database: Callable[[], str]) -> Iterator[tuple[Deployment, FlagServer]]:
    """Return a clinic and its flag server, whose flags may be changed."""
    with serving(snapshot()) as server:
        given = ["--unleash-url", server.url, "--unleash-token", "default:development.test", "--refresh-s", "0.05"]
        with running(*given, "--database", new_database()) as clinic:
            yield clinic, server


def wait_for(user: User, variants: dict[str, str]) -> None:
    """Wait until these flags are in force for somebody."""
    until(lambda: variants.items() <= user.get("/me/features").json.items())


@pytest.mark.parametrize("kept", ["edge-cache", "replay-cache"])
def test_the_kill_switch_reaches_what_is_kept(changing: tuple[Deployment, FlagServer], kept: str) -> None:
    """Once replay access is flipped off a list that was kept is shown no more, and comes back when it is flipped on."""
    clinic, server = changing
    alice = clinic.patient("alice", kept)
    _, hers = held(alice, clinic.clinician("chen"), b"hers")
    assert alice.replay_ids() == {hers}
    server.serve(snapshot(for_nobody=("replay-access",)))
    wait_for(alice, {"replay-access": "off"})
    assert alice.get("/replays?cursor=").refusal == (403, "replays-off")
    server.serve(snapshot())
    wait_for(alice, {"replay-access": "on"})
    assert alice.replay_ids() == {hers}


def test_changed_flags_are_in_force_at_once(changing: tuple[Deployment, FlagServer]) -> None:
    """A flag that is flipped while lists are kept changes the next list, and back."""
    clinic, server = changing
    alice = clinic.patient("alice", "replay-cache", "paging-small", "replay-index-v2")
    chen = clinic.clinician("chen")
    made = [held(alice, chen, b"%d" % n)[1] for n in range(3)]
    for flipped, size in (((), 2), (("replay-paging",), 3), (("replay-index-v2",), 2), ((), 2)):
        server.serve(snapshot(for_nobody=flipped))
        wait_for(alice, {"replay-paging": "small", "replay-index-v2": "on"} | dict.fromkeys(flipped, "off"))
        assert [item["id"] for item in alice.get("/replays").json["items"]] == made[::-1][:size]
