"""Accounts: who there is, signing in, and which features a user has."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from . import features
from .errors import ApiError, answers
from .state import Here, Me, Role, token_digest

# A demonstration's work factor (about 0.1 ms): sign-ins must not be what a test run waits for.
SCRYPT_N = 64
SCRYPT_R = 4
SESSIONS_EACH = 16
CLINICIANS_SHOWN = 200

Username = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~+-]{1,200}$", examples=["alice"])]
Password = Annotated[str, Field(min_length=1, max_length=200)]

router = APIRouter(tags=["accounts"])


class Profile(BaseModel):
    """An account as others may see it."""

    username: Username
    name: Annotated[str, Field(min_length=1, max_length=200, examples=["Alice Archer"])]
    role: Role


class NewAccount(Profile):
    """An account to open."""

    password: Password


class Credentials(BaseModel):
    """What one signs in with."""

    username: Username
    password: Password


class Session(BaseModel):
    """A session's bearer token."""

    token: str


class Clinicians(BaseModel):
    """Clinicians, the newest accounts first."""

    items: list[Profile]


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=1)


@router.post("/accounts", status_code=201, summary="Open an account", responses=answers(409, 507))
async def open_account(new: NewAccount, clinic: Here) -> Profile:
    """Open an account for a patient or a clinician; usernames are unique."""
    if clinic.store.find("SELECT 1 FROM accounts WHERE username = ?", new.username):
        raise ApiError(409, "username-taken", f"The username {new.username!r} is taken.")
    clinic.store.require_room("accounts")
    salt = secrets.token_bytes(16)
    with clinic.store.writing() as db:
        db.execute(
            "INSERT INTO accounts VALUES (?, ?, ?, ?, ?)",
            (new.username, new.name, new.role, salt, _hash(new.password, salt)),
        )
    return Profile(username=new.username, name=new.name, role=new.role)


@router.post("/sign-in", summary="Sign in", responses=answers(401))
async def sign_in(given: Credentials, clinic: Here) -> Session:
    """Exchange username and password for a token; an account keeps its newest sessions only."""
    row = clinic.store.find("SELECT salt, password FROM accounts WHERE username = ?", given.username)
    salt, stored = row or (b"nobody", b"")
    if not secrets.compare_digest(_hash(given.password, salt), stored):
        raise ApiError(401, "wrong-credentials", "The username or the password is wrong.")
    token = secrets.token_urlsafe(24)
    with clinic.store.writing() as db:
        db.execute("INSERT INTO sessions VALUES (?, ?)", (token_digest(token), given.username))
        db.execute(
            "DELETE FROM sessions WHERE rowid IN"
            " (SELECT rowid FROM sessions WHERE username = ? ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
            (given.username, SESSIONS_EACH),
        )
    return Session(token=token)


@router.get("/me", summary="Show my profile", responses=answers(401))
async def show_my_profile(me: Me) -> Profile:
    """Tell the signed-in user who they are."""
    return Profile(username=me.username, name=me.name, role=me.role)


@router.get("/me/features", summary="Show my features", responses=answers(401))
async def show_my_features(me: Me) -> dict[str, str]:
    """Tell the app each flag's variant for this user, so that it knows which buttons to draw."""
    return {flag: me.variant(flag) for flag in features.NAMES}


@router.get("/clinicians", summary="List clinicians", responses=answers(401))
async def list_clinicians(me: Me) -> Clinicians:
    """List the clinicians who can be booked, the newest 200 accounts."""
    rows = me.clinic.store.all(
        "SELECT username, name, role FROM accounts WHERE role = 'clinician' ORDER BY rowid DESC LIMIT ?",
        CLINICIANS_SHOWN,
    )
    return Clinicians(items=[Profile(username=u, name=n, role=r) for u, n, r in rows])
