"""Those who work in and for the clinic under test, and patience with what it does by and by."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import TypeVar

from .people import Api, Deployment, User, held

OPERATOR_PASSWORD = "only for this test"  # noqa: S105 - of an account that lives as long as the test
WAIT_S = 20.0
_numbers = itertools.count(1)

Found = TypeVar("Found")


def account(clinic: Deployment, name: str, role: str, **more: str) -> User:
    """Open an account with further details, and sign in; its replay access is on."""
    username = f"{name}{next(_numbers)}~staff+replay-access+"
    api = Api(clinic.url)
    secret = {"username": username, "password": "correct horse"}
    made = api.call("POST", "/accounts", secret | {"name": name.title(), "role": role} | more)
    assert made.status == 201, made
    return _signed_in(clinic, api, secret)


def pharmacist(clinic: Deployment, pharmacy: str, **more: str) -> User:
    """Open the account of somebody who works at a pharmacy."""
    return account(clinic, "paula", "pharmacist", pharmacy=pharmacy, **more)


def operator(clinic: Deployment) -> User:
    """Sign in as the operator of a clinic that was started with OPERATOR_PASSWORD."""
    return _signed_in(clinic, Api(clinic.url), {"username": "operator", "password": OPERATOR_PASSWORD})


def _signed_in(clinic: Deployment, api: Api, secret: dict[str, str]) -> User:
    api.token = api.call("POST", "/sign-in", secret).json["token"]
    clinic.users.append(User(secret["username"], api))
    return clinic.users[-1]


def until(look: Callable[[], Found]) -> Found:
    """Look again and again until something is there, and return it."""
    ends_at = time.monotonic() + WAIT_S
    while time.monotonic() < ends_at:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"nothing was there within {WAIT_S:g} s")


def live(patient: User, clinician: User) -> str:
    """Book a consultation and let both join it; return its id."""
    visit = patient.book(clinician)
    for each in (patient, clinician):
        each.ok(f"/consultations/{visit}/join")
    return visit


def replayable(patient: User, clinician: User, data: bytes, medium: str = "audio") -> str:
    """Hold a consultation that is recorded; return the recording once it can be replayed."""
    _, recording = held(patient, clinician, data, medium)
    until(lambda: patient.get(f"/replays/{recording}").status == 200)
    return recording
