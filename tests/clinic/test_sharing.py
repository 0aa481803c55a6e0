"""Sharing: signed links, carers, the export, and deleting a recording for everybody."""

from __future__ import annotations

import base64
import io
import itertools
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from .canaries import clip, people_on
from .nursery import running
from .people import ACCESS, Answer, Api, Deployment, User, held
from .staff import OPERATOR_PASSWORD, operator

SHARING = "carer-sharing"
READING: dict[str, tuple[str, ...]] = {"join": (), "index": ("replay-index-v2",)}
CACHED: dict[str, tuple[str, ...]] = {"cached": ("replay-cache",), "edge": ("edge-cache",), "uncached": ()}


@pytest.fixture
def own_clinic(options: list[str], new_database: Callable[[], str]) -> Iterator[Callable[[], Deployment]]:
    """Return a function that starts a clinic for one test, with an operator."""
    with ExitStack() as stack:
        given = [*options, "--operator-password", OPERATOR_PASSWORD]
        yield lambda: stack.enter_context(running(*given, "--database", new_database()))


def share(owner: User, recording: str, carer: User) -> Answer:
    """Ask to share a recording."""
    return owner.post(f"/replays/{recording}/shares", {"carer": carer.username})


def carers(owner: User, recording: str) -> list[str]:
    """Return with whom a recording is shared."""
    answer = owner.get(f"/replays/{recording}/shares")
    assert answer.status == 200, answer
    return list(answer.json["items"])


def link(user: User, recording: str) -> str:
    """Make a link and return its address."""
    return str(user.ok(f"/replays/{recording}/link")["url"])


def export(user: User) -> dict[str, bytes]:
    """Return the files of somebody's export."""
    answer = user.get("/replays/export")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["cache-control"] == "private, no-store"
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len(set(names))
        return {name: archive.read(name) for name in names}


ADDRESSES = ("", "/media", "/thumbnail", "/transcript")


def opens(user: User, recording: str) -> list[int]:
    """Return how each address of a recording answers somebody."""
    return [user.get(f"/replays/{recording}{address}").status for address in ADDRESSES]


def test_link(clinic: Deployment) -> None:
    """A link serves the recording to who made it, signed in, as often as they like, and says when it expires."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    _, hers = held(alice, chen, b"hers")
    for user in (alice, chen):
        made = user.ok(f"/replays/{hers}/link")
        assert made["url"].startswith("/links/")
        assert made["expires_at"].endswith("+00:00")
        for _ in range(2):
            answer = user.get(made["url"])
            assert (answer.status, answer.body) == (200, b"hers")
            assert answer.headers["cache-control"] == "private, no-store"
            assert answer.headers["content-type"] == "audio/webm"


def test_link_is_its_makers(clinic: Deployment) -> None:
    """To anybody else a link is unknown, to the other participant and a carer, too; unsigned-in it is refused."""
    alice, chen = clinic.patient("alice", SHARING), clinic.clinician("chen")
    bob, carer = clinic.patient("bob"), clinic.patient("carer", SHARING)
    _, hers = held(alice, chen, b"hers")
    assert share(alice, hers, carer).status == 204
    url = link(alice, hers)
    for user in (bob, chen, carer):
        assert user.get(url).refusal == (404, "not-found")
    for token in ("", "forged"):
        stranger = Api(clinic.url, token)
        assert stranger.call("GET", url).refusal == (401, "not-signed-in")
        stranger.close()
    assert alice.post("/sign-out").status == 204
    assert alice.get(url).refusal == (401, "not-signed-in")


def test_link_of_another_clinic(clinic: Deployment, own_clinic: Callable[[], Deployment]) -> None:
    """No clinic takes what another has signed."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    _, hers = held(alice, chen, b"hers")
    somebody = own_clinic().patient("somebody")
    assert somebody.get(link(alice, hers)).refusal == (404, "not-found")


def said(url: str) -> tuple[list[str], str]:
    """Return what a link says, and its signature."""
    words, _, signature = url.removeprefix("/links/").partition(".")
    return base64.urlsafe_b64decode(words + "==").decode().split(" "), signature


def saying(words: list[str], signature: str) -> str:
    """Return a link that says something."""
    return f"/links/{base64.urlsafe_b64encode(' '.join(words).encode()).decode().rstrip('=')}.{signature}"


def forged(url: str, bob: User, his: str) -> Iterator[str]:
    """Yield links that the clinic has not made, from one that it has."""
    words, signature = said(url)
    expires, replay, viewer = words
    yield saying([str(int(expires) + 3600), replay, viewer], signature)
    yield saying(["9" * 30, replay, viewer], signature)
    yield saying([expires, his, viewer], signature)
    yield saying([expires, replay, bob.username], signature)
    yield saying([expires, replay], signature)
    for other in ("", "A" * len(signature), signature[:-1], signature + "A", signature.swapcase(), "%C3%A5", "."):
        yield saying(words, other)
    yield "/links/."
    yield "/links/x"
    yield f"/links/.{signature}"
    yield f"/links/{url.removeprefix('/links/').partition('.')[0]}"


def test_forged_links(clinic: Deployment) -> None:
    """What is changed in a link makes it unknown: another expiry, another recording, another viewer, no signature."""
    alice, bob, chen = clinic.patient("alice"), clinic.patient("bob"), clinic.clinician("chen")
    _, hers = held(alice, chen, b"hers")
    _, his = held(bob, chen, b"his")
    url = link(alice, hers)
    assert url == saying(*said(url))
    for each, user in itertools.product(forged(url, bob, his), (alice, bob)):
        assert (each, user.get(each).refusal) == (each, (404, "not-found"))
    expires, replay, viewer = said(url)[0]
    assert (replay, viewer) == (hers, alice.username)
    assert 0 < int(expires) - time.time() <= 300


def test_no_link_to_anothers(clinic: Deployment) -> None:
    """Nobody makes a link to a recording that is not theirs."""
    alice, bob, chen = clinic.patient("alice"), clinic.patient("bob"), clinic.clinician("chen")
    _, hers = held(alice, chen, b"hers")
    for recording in (hers, "rec-unknown"):
        assert bob.post(f"/replays/{recording}/link").refusal == (404, "not-found")


@pytest.mark.parametrize("cached", CACHED)
@pytest.mark.parametrize("path", READING)
def test_share_and_revoke(clinic: Deployment, path: str, cached: str) -> None:
    """A carer finds what is shared among their own, opens all of it, and nothing of it once it is revoked."""
    flags = (SHARING, "replay-search", *READING[path], *CACHED[cached])
    alice, carer = clinic.patient("alice", *flags), clinic.patient("carer", *flags)
    chen, bob = clinic.clinician("chen", *flags), clinic.patient("bob", *flags)
    _, hers = held(alice, chen, clip(5, "video"), "video")
    _, secret = held(alice, chen, b"not shared")
    _, own = held(carer, chen, b"own")
    assert carer.replay_ids() == {own}
    assert opens(carer, hers) == [404] * 4

    assert share(alice, hers, carer).status == 204
    assert carers(alice, hers) == [carer.username]
    assert carer.replay_ids() == {own, hers}
    assert carer.get("/replays/count").json == {"count": 2}
    assert {page["total"] for page in carer.pages()} == {2}
    assert opens(carer, hers) == [200] * 4
    assert carer.get(f"/replays/{hers}/media").body == clip(5, "video")
    assert people_on(carer.get(f"/replays/{hers}/thumbnail").body) == {5}
    (item,) = [item for item in carer.replays() if item["id"] == hers]
    assert item["title"] == "Video consultation with Alice"
    assert carer.get(f"/replays/{hers}").json["with"] == alice.username
    url = link(carer, hers)
    assert carer.get(url).body == clip(5, "video")
    assert (opens(carer, secret), opens(bob, hers)) == ([404] * 4, [404] * 4)
    assert (alice.replay_ids(), bob.replay_ids()) == ({hers, secret}, set())

    assert alice.delete(f"/replays/{hers}/shares/{carer.username}").status == 204
    assert carer.replay_ids() == {own}
    assert carer.get("/replays/count").json == {"count": 1}
    assert opens(carer, hers) == [404] * 4
    assert carer.get(url).refusal == (404, "not-found")
    assert carers(alice, hers) == []
    assert alice.replay_ids() == {hers, secret}


def test_shared_again(clinic: Deployment) -> None:
    """Sharing twice is sharing once, what was revoked can be shared anew, and revoking what is not is unknown."""
    alice, carer = clinic.patient("alice", SHARING), clinic.patient("carer", SHARING)
    _, hers = held(alice, clinic.clinician("chen"), b"hers")
    for _ in range(2):
        for _ in range(2):
            assert share(alice, hers, carer).status == 204
        assert carers(alice, hers) == [carer.username]
        assert [item["id"] for item in carer.replays()] == [hers]
        assert alice.delete(f"/replays/{hers}/shares/{carer.username}").status == 204
        assert alice.delete(f"/replays/{hers}/shares/{carer.username}").refusal == (404, "not-found")
        assert carer.replays() == []


@pytest.mark.parametrize("about", [{"payer": "insurer:blue"}, {"region": "south"}, {"role": "clinician"}], ids=str)
def test_who_is_no_carer(clinic: Deployment, about: dict[str, str]) -> None:
    """Nothing is shared across payers or regions, with who is no patient, with oneself or with nobody."""
    alice = clinic.patient("alice", SHARING)
    other = clinic.user("other", ACCESS, SHARING, **about)
    _, hers = held(alice, clinic.clinician("chen"), b"hers")
    for carer in (other.username, alice.username, "nobody"):
        assert alice.post(f"/replays/{hers}/shares", {"carer": carer}).refusal == (404, "not-found")
    assert carers(alice, hers) == []
    assert opens(other, hers) == [404] * 4


def test_both_need_the_flag(clinic: Deployment) -> None:
    """Sharing has to be offered to who shares and to who sees it; revoking and deleting are always possible."""
    alice, bob, chen = clinic.patient("alice", SHARING), clinic.patient("bob"), clinic.clinician("chen", SHARING)
    _, hers = held(alice, chen, b"hers")
    _, his = held(bob, chen, b"his")
    assert share(bob, his, alice).refusal == (404, "not-found")
    assert bob.get(f"/replays/{his}/shares").refusal == (404, "not-found")
    assert share(alice, hers, bob).status == 204
    assert bob.replay_ids() == {his}
    assert opens(bob, hers) == [404] * 4
    assert bob.delete(f"/replays/{his}/shares/{alice.username}").refusal == (404, "not-found")
    assert bob.delete(f"/replays/{his}").status == 204


def test_managing_is_the_patients(clinic: Deployment) -> None:
    """Clinician and carer neither share, see with whom it is shared, revoke, nor delete; strangers know of nothing."""
    alice, carer = clinic.patient("alice", SHARING), clinic.patient("carer", SHARING)
    chen, bob = clinic.clinician("chen", SHARING), clinic.patient("bob", SHARING)
    _, hers = held(alice, chen, b"hers")
    assert share(alice, hers, carer).status == 204
    for user, refusal in ((chen, (403, "patients-only")), (carer, (403, "patients-only")), (bob, (404, "not-found"))):
        assert share(user, hers, bob).refusal == refusal
        assert user.get(f"/replays/{hers}/shares").refusal == refusal
        assert user.delete(f"/replays/{hers}/shares/{carer.username}").refusal == refusal
        assert user.delete(f"/replays/{hers}").refusal == refusal
    assert carers(alice, hers) == [carer.username]
    assert chen.replay_ids() == {hers}


def test_too_many_carers(clinic: Deployment) -> None:
    """A recording is shared with twenty carers at most, and there is room again when one is revoked."""
    alice = clinic.patient("alice", SHARING)
    _, hers = held(alice, clinic.clinician("chen"), b"hers")
    everybody = [clinic.patient("carer", SHARING) for _ in range(21)]
    assert [share(alice, hers, carer).status for carer in everybody] == [204] * 20 + [409]
    assert alice.delete(f"/replays/{hers}/shares/{everybody[0].username}").status == 204
    assert share(alice, hers, everybody[20]).status == 204
    assert len(carers(alice, hers)) == 20


@pytest.mark.parametrize("cached", CACHED)
@pytest.mark.parametrize("path", READING)
def test_delete(clinic: Deployment, path: str, cached: str) -> None:
    """What its patient deletes is gone for everybody at every address, and nothing else is."""
    flags = (SHARING, *READING[path], *CACHED[cached])
    alice, carer, chen = (
        clinic.patient("alice", *flags),
        clinic.patient("carer", *flags),
        clinic.clinician("chen", *flags),
    )
    visit, hers = held(alice, chen, clip(5, "video"), "video")
    _, kept = held(alice, chen, b"kept")
    for recording in (hers, kept):
        assert share(alice, recording, carer).status == 204
    people = (alice, carer, chen)
    links = [link(user, hers) for user in people]
    assert [user.replay_ids() for user in people] == [{hers, kept}] * 3
    assert alice.delete(f"/replays/{hers}").status == 204
    for user, url in zip(people, links, strict=True):
        assert user.replay_ids() == {kept}
        assert user.get("/replays/count").json == {"count": 1}
        assert opens(user, hers) == [404] * 4
        assert user.get(url).refusal == (404, "not-found")
        assert set(export(user)) == {"replays.txt", f"{kept}.webm"}
    assert alice.delete(f"/replays/{hers}").refusal == (404, "not-found")
    assert alice.get(f"/consultations/{visit}/recordings").json["items"] == []


def test_deleted_stays_known_to_the_operator(own_clinic: Callable[[], Deployment]) -> None:
    """Nobody who rightly met a recording is counted as affected because it was deleted later."""
    clinic = own_clinic()
    alice, chen, boss = clinic.patient("alice"), clinic.clinician("chen"), operator(clinic)
    _, hers = held(alice, chen, b"hers")
    for user in (alice, chen):
        assert user.get(f"/replays/{hers}/media").body == b"hers"
    assert alice.delete(f"/replays/{hers}").status == 204
    assert boss.get("/operations/affected").json["items"] == []
    log = boss.get(f"/operations/access-log?recording={hers}").json["items"]
    assert {entry["viewer"] for entry in log} == {alice.username, chen.username}


@pytest.mark.parametrize("path", READING)
def test_export(clinic: Deployment, path: str) -> None:
    """An export holds one's own replays, byte for byte and each by its id, with a list of titles, and nothing else."""
    alice, bob = clinic.patient("alice", *READING[path]), clinic.patient("bob", *READING[path])
    chen = clinic.clinician("chen", *READING[path])
    made = {held(alice, chen, b"%d hers" % n, medium)[1]: b"%d hers" % n for n, medium in enumerate(("audio", "video"))}
    _, his = held(bob, chen, b"his")
    live = alice.book(chen)
    alice.ok(f"/consultations/{live}/join")
    alice.record(live, b"not ended")
    alice.finished(live)
    files = export(alice)
    titles = files.pop("replays.txt").decode()
    assert files == {f"{recording}.webm": data for recording, data in made.items()}
    lines = [f"{item['id']}.webm  {item['recorded_at']}  {item['title']}" for item in alice.replays()]
    assert titles.splitlines() == lines
    assert set(export(bob)) == {"replays.txt", f"{his}.webm"}
    assert set(export(chen)) == {"replays.txt", f"{his}.webm", *files}
    assert export(clinic.patient("carol")) == {"replays.txt": b""}


def test_revoking_what_is_not_shared(clinic: Deployment) -> None:
    """Who is no carer cannot be revoked, and nothing is remembered of the attempt."""
    alice, chen = clinic.patient("alice", SHARING), clinic.clinician("chen")
    _, hers = held(alice, chen, b"hers")
    assert alice.delete(f"/replays/{hers}/shares/nobody").refusal == (404, "not-found")
