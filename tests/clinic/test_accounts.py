"""Accounts and membership, signing in and out, and each user's features."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .flag_server import FlagServer, serving, snapshot
from .nursery import running
from .people import ACCESS, Api, Deployment
from .staff import account, pharmacist, until

GLOBAL = ("recorder-transcode", "fast-sessions")

OFF = dict.fromkeys(
    (
        "video-upgrade",
        "video-downgrade",
        "replay-index-v2",
        "replay-search",
        "replay-detail-v2",
        "replay-cache",
        "edge-cache",
        "replay-paging",
        "replay-access",
        "carer-sharing",
        "composite-layout",
        "recorder-transcode",
        "fast-sessions",
    ),
    "off",
)
ALICE = {"username": "alice", "name": "Alice", "role": "patient", "password": "correct horse"}


def test_sign_in(clinic: Deployment) -> None:
    """The token that sign-in gives says who one is, with the membership that an account has unless it is given."""
    alice = clinic.patient("alice")
    assert alice.get("/me").json == {
        "username": alice.username,
        "name": "Alice",
        "role": "patient",
        "payer": "public:riverside",
        "member_number": alice.username,
        "region": "north",
        "pharmacy": None,
    }


def test_wrong_credentials(clinic: Deployment) -> None:
    """A wrong password and an unknown username get the same refusal."""
    alice = clinic.patient("alice")
    for username in (alice.username, "nobody-at-all"):
        answer = alice.post("/sign-in", {"username": username, "password": "wrong"})
        assert answer.refusal == (401, "wrong-credentials")


@pytest.mark.parametrize("token", ["", "forged"])
@pytest.mark.parametrize(
    "path",
    [
        *("/me", "/me/features", "/clinicians", "/clinicians/chen/slots", "/pharmacies", "/consultations"),
        *("/replays", "/replays/count", "/replays/search?q=a", "/replays/export", "/replays/rec-1"),
        *("/replays/rec-1/media", "/replays/rec-1/thumbnail", "/replays/rec-1/transcript", "/replays/rec-1/shares"),
    ],
)
def test_needs_sign_in(clinic: Deployment, path: str, token: str) -> None:
    """Nothing of anybody's is shown without a token that was given out."""
    api = Api(clinic.url, token)
    answer = api.call("GET", path)
    api.close()
    assert answer.refusal == (401, "not-signed-in")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_username_taken(clinic: Deployment) -> None:
    """Two accounts cannot have one username, and nobody takes the operator's."""
    alice = clinic.patient("alice")
    for username in (alice.username, "operator"):
        again = {"username": username, "name": "A", "role": "patient", "password": "other"}
        assert alice.post("/accounts", again).refusal == (409, "username-taken")


@pytest.mark.parametrize("username", ["", "a b", "a/b", "å", "x" * 201])
def test_username_rule(clinic: Deployment, username: str) -> None:
    """A username outside the rule is refused in the one shape of an error, which repeats no password."""
    alice = clinic.patient("alice")
    answer = alice.post("/accounts", {"username": username, "name": "A", "role": "patient", "password": "secret"})
    assert answer.refusal == (422, "invalid-request")
    assert b"secret" not in answer.body


def test_one_member_of_a_number(clinic: Deployment) -> None:
    """A payer has one member of a number, another payer may have one of the same, and each keeps their own."""
    alice = clinic.patient("alice", payer="insurer:blue", region="south")
    number = alice.username
    again = ALICE | {"username": f"{number}-again", "payer": "insurer:blue", "member_number": number}
    assert alice.post("/accounts", again).refusal == (409, "member-known")
    assert alice.post("/sign-in", {"username": f"{number}-again", "password": "correct horse"}).status == 401
    bob = clinic.patient("bob", payer="insurer:red", member_number=number)
    shown = [each.get("/me").json for each in (alice, bob)]
    assert [(each["payer"], each["member_number"]) for each in shown] == [
        ("insurer:blue", number),
        ("insurer:red", number),
    ]
    assert [each["region"] for each in shown] == ["south", "north"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"payer": "riverside"},
        {"payer": "bank:riverside"},
        {"payer": "insurer:"},
        {"member_number": "1 2"},
        {"region": "North"},
        {"role": "king"},
        {"role": "pharmacist"},
        {"name": ""},
        {"name": "x" * 201},
        {"password": ""},
        {"password": "x" * 201},
    ],
    ids=str,
)
def test_refused_accounts(clinic: Deployment, wrong: dict[str, str]) -> None:
    """An account is refused whose membership, role or name is outside the rules, a pharmacist's without a pharmacy."""
    api = Api(clinic.url)
    assert api.call("POST", "/accounts", ALICE | {"username": "refused"} | wrong).refusal == (422, "invalid-request")
    api.close()


def test_nobody_becomes_operator(clinic: Deployment) -> None:
    """Whoever asks for an operator's account gets none."""
    api = Api(clinic.url)
    asked = ALICE | {"username": "a-new-operator", "role": "operator"}
    assert api.call("POST", "/accounts", asked).refusal == (403, "no-operators")
    assert api.call("POST", "/sign-in", {"username": "a-new-operator", "password": "correct horse"}).status == 401
    api.close()


def test_features(clinic: Deployment) -> None:
    """Each user has the variants that the flag server gives to their username, and all that nobody gave are off."""
    alice = clinic.user("alice", "video-upgrade", "video-downgrade", "paging-small", "picture-in-picture")
    bob = clinic.user("bob", ACCESS, "video-downgrade", "replay-cache", "replay-index-v2", "paging-large")
    assert alice.get("/me/features").json == OFF | {
        "video-upgrade": "on",
        "video-downgrade": "on",
        "replay-paging": "small",
        "composite-layout": "picture-in-picture",
    }
    assert bob.get("/me/features").json == OFF | {
        "replay-index-v2": "on",
        "replay-cache": "on",
        "replay-paging": "large",
        "replay-access": "on",
    }


@pytest.fixture
def changing(new_database: Callable[[], str]) -> Iterator[tuple[Deployment, FlagServer]]:
    """Return a clinic that started with both of its own flags on, and its flag server."""
    with serving(snapshot(for_all=GLOBAL)) as server:
        given = ["--unleash-url", server.url, "--unleash-token", "default:development.test", "--refresh-s", "0.05"]
        with running(*given, "--database", new_database()) as clinic:
            yield clinic, server


def test_the_clinics_own_flags(changing: tuple[Deployment, FlagServer]) -> None:
    """What is on for the whole clinic is told to everybody; a flag of the start stays as it was then."""
    clinic, server = changing
    people = [clinic.user("alice"), clinic.clinician("chen")]
    for user in people:
        assert {flag: user.get("/me/features").json[flag] for flag in GLOBAL} == dict.fromkeys(GLOBAL, "on")
    server.serve(snapshot())
    until(lambda: people[0].get("/me/features").json["recorder-transcode"] == "off")
    for user in people:
        assert user.get("/me/features").json["fast-sessions"] == "on"


def test_fast_sessions(changing: tuple[Deployment, FlagServer]) -> None:
    """With fast sessions everybody is who they are, a choice shows at once, and who has signed out is out."""
    clinic, _ = changing
    alice, bob = clinic.patient("alice"), clinic.patient("bob")
    pharmacist(clinic, "oak")
    for _ in range(2):
        assert [user.get("/me").json["username"] for user in (alice, bob)] == [alice.username, bob.username]
    assert alice.put("/me/pharmacy", {"pharmacy": "oak"}).status == 200
    assert [user.get("/me").json["pharmacy"] for user in (alice, bob)] == ["oak", None]
    assert alice.post("/sign-out").status == 204
    assert alice.get("/me").refusal == (401, "not-signed-in")
    assert bob.get("/me").status == 200


def test_clinicians(clinic: Deployment) -> None:
    """Clinicians of one's own region can be found for booking, others and patients cannot."""
    region = "clinicians-region"
    alice, chen = clinic.patient("alice", region=region), clinic.clinician("chen", region=region)
    clinic.clinician("far", region="elsewhere")
    items = alice.get("/clinicians").json["items"]
    assert items == [{"username": chen.username, "name": "Chen", "role": "clinician"}]
    assert chen.get("/clinicians").json["items"] == items


def test_pharmacies(clinic: Deployment) -> None:
    """The pharmacies of one's region are those in which somebody works there, each once and in order."""
    region = "pharmacies-region"
    alice = clinic.patient("alice", region=region, pharmacy="nobody-works-here")
    for pharmacy in ("rose", "lily", "rose"):
        pharmacist(clinic, pharmacy, region=region)
    pharmacist(clinic, "far-off", region="elsewhere")
    assert alice.get("/pharmacies").json == {"items": ["lily", "rose"]}


def test_choosing_a_pharmacy(clinic: Deployment) -> None:
    """A patient chooses among pharmacies in which somebody works, and may choose again."""
    region = "choosing-region"
    alice, bob = clinic.patient("alice", region=region), clinic.patient("bob", region=region)
    for pharmacy in ("oak", "elm"):
        pharmacist(clinic, pharmacy, region=region)
    for pharmacy in ("oak", "elm"):
        assert alice.put("/me/pharmacy", {"pharmacy": pharmacy}).json["pharmacy"] == pharmacy
        assert alice.get("/me").json["pharmacy"] == pharmacy
    assert bob.get("/me").json["pharmacy"] is None
    assert alice.put("/me/pharmacy", {"pharmacy": "unknown"}).refusal == (404, "not-found")
    assert alice.get("/me").json["pharmacy"] == "elm"


def test_a_pharmacy_of_another_region_is_not_chosen(clinic: Deployment) -> None:
    """No prescription is to leave the region: a pharmacy elsewhere is as good as unknown."""
    pharmacist(clinic, "beyond-the-river", region="elsewhere")
    alice = clinic.patient("alice")
    assert alice.put("/me/pharmacy", {"pharmacy": "beyond-the-river"}).refusal == (404, "not-found")


@pytest.mark.parametrize("role", ["clinician", "pharmacist"])
def test_only_patients_choose_a_pharmacy(clinic: Deployment, role: str) -> None:
    """Who works at a pharmacy or as a clinician chooses none."""
    user = account(clinic, "somebody", role, pharmacy="green-cross")
    pharmacist(clinic, "green-cross")
    assert user.put("/me/pharmacy", {"pharmacy": "green-cross"}).refusal == (403, "wrong-role")


def test_sign_out(clinic: Deployment) -> None:
    """Signing out ends this session at once and for good, and leaves the account's others alone."""
    alice = clinic.patient("alice")
    other = Api(clinic.url, alice.ok("/sign-in", {"username": alice.username, "password": "correct horse"})["token"])
    assert alice.post("/sign-out").status == 204
    for _ in range(2):
        assert alice.get("/me").refusal == (401, "not-signed-in")
    assert alice.post("/sign-out").refusal == (401, "not-signed-in")
    assert other.call("GET", "/me").json["username"] == alice.username
    other.close()


def test_many_sessions(clinic: Deployment) -> None:
    """An account keeps its sixteen newest sessions, and older tokens are refused."""
    alice = clinic.patient("alice")
    credentials = {"username": alice.username, "password": "correct horse"}
    tokens = [alice.ok("/sign-in", credentials)["token"] for _ in range(15)]
    assert alice.get("/me").status == 200
    tokens.append(alice.ok("/sign-in", credentials)["token"])
    assert alice.get("/me").refusal == (401, "not-signed-in")
    alice.api.token = tokens[0]
    assert alice.get("/me").status == 200
