"""Accounts, signing in, and each user's features."""

from __future__ import annotations

import pytest

from .people import ACCESS, Api, Deployment


def test_sign_in(clinic: Deployment) -> None:
    """The token that sign-in gives says who one is."""
    alice = clinic.patient("alice")
    assert alice.get("/me").json == {"username": alice.username, "name": "Alice", "role": "patient"}


def test_wrong_credentials(clinic: Deployment) -> None:
    """A wrong password and an unknown username get the same refusal."""
    alice = clinic.patient("alice")
    for username in (alice.username, "nobody-at-all"):
        answer = alice.post("/sign-in", {"username": username, "password": "wrong"})
        assert answer.refusal == (401, "wrong-credentials")


@pytest.mark.parametrize("token", ["", "forged"])
@pytest.mark.parametrize("path", ["/me", "/me/features", "/clinicians", "/replays", "/replays/rec-1/media"])
def test_needs_sign_in(clinic: Deployment, path: str, token: str) -> None:
    """Nothing of anybody's is shown without a token that was given out."""
    api = Api(clinic.url, token)
    answer = api.call("GET", path)
    api.close()
    assert answer.refusal == (401, "not-signed-in")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_username_taken(clinic: Deployment) -> None:
    """Two accounts cannot have one username."""
    alice = clinic.patient("alice")
    again = {"username": alice.username, "name": "A", "role": "patient", "password": "other"}
    assert alice.post("/accounts", again).refusal == (409, "username-taken")


@pytest.mark.parametrize("username", ["", "a b", "a/b", "å", "x" * 201])
def test_username_rule(clinic: Deployment, username: str) -> None:
    """A username outside the rule is refused in the one shape of an error, which repeats no password."""
    alice = clinic.patient("alice")
    answer = alice.post("/accounts", {"username": username, "name": "A", "role": "patient", "password": "secret"})
    assert answer.refusal == (422, "invalid-request")
    assert b"secret" not in answer.body


def test_features(clinic: Deployment) -> None:
    """Each user has the variants that the flag server gives to their username."""
    alice = clinic.user("alice", "video-upgrade", "video-downgrade", "paging-small")
    bob = clinic.user("bob", ACCESS, "video-downgrade", "replay-cache", "replay-index-v2", "paging-large")
    assert alice.get("/me/features").json == {
        "video-upgrade": "on",
        "video-downgrade": "on",
        "replay-index-v2": "off",
        "replay-cache": "off",
        "replay-paging": "small",
        "replay-access": "off",
    }
    assert bob.get("/me/features").json == {
        "video-upgrade": "off",
        "video-downgrade": "off",
        "replay-index-v2": "on",
        "replay-cache": "on",
        "replay-paging": "large",
        "replay-access": "on",
    }


def test_clinicians(clinic: Deployment) -> None:
    """Clinicians can be found for booking, patients cannot."""
    alice, chen = clinic.patient("alice"), clinic.clinician("chen")
    items = alice.get("/clinicians").json["items"]
    assert items[0] == {"username": chen.username, "name": "Chen", "role": "clinician"}
    assert {item["role"] for item in items} == {"clinician"}


def test_many_sessions(clinic: Deployment) -> None:
    """An account keeps its sixteen newest sessions, and older tokens are refused."""
    alice = clinic.patient("alice")
    for _ in range(16):
        alice.ok("/sign-in", {"username": alice.username, "password": "correct horse"})
    assert alice.get("/me").refusal == (401, "not-signed-in")
