"""Accounts and membership: who there is, who pays and where, signing in, and which features a user has."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, model_validator

from harness.clinic.base.errors import ApiError, answers, not_found
from harness.clinic.base.state import Clinic, Here, Me, Patient, Person, Role, token_digest
from harness.clinic.base.store import Store

# A demonstration's work factor (about 0.1 ms): sign-ins must not be what a test run waits for.
SCRYPT_N = 64
SCRYPT_R = 4
SESSIONS_EACH = 16
MAX_PASSWORD = 200
OPERATOR = "operator"
SHOWN = 200

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    seq {seq}, username TEXT UNIQUE NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, payer TEXT NOT NULL,
    member_number TEXT NOT NULL, region TEXT NOT NULL, pharmacy TEXT, salt {bytes} NOT NULL,
    password {bytes} NOT NULL, UNIQUE (payer, member_number));
CREATE INDEX IF NOT EXISTS accounts_by_role ON accounts (role, region);
CREATE TABLE IF NOT EXISTS sessions (seq {seq}, token {bytes} UNIQUE NOT NULL, username TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (username);
"""

Username = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~+-]{1,200}$", examples=["alice"])]
Password = Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD)]
Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Alice Archer"])]
Region = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$", examples=["north"])]
Pharmacy = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~+-]{1,200}$", examples=["green-cross"])]
Payer = Annotated[
    str,
    Field(pattern=r"^(public|insurer):[A-Za-z0-9._~+-]{1,200}$", description="A public practice or an insurer."),
]
MemberNumber = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~+-]{1,200}$")]

router = APIRouter(tags=["accounts"])


class Profile(BaseModel):
    """An account as others may see it."""

    username: Username
    name: Name
    role: Role


class OwnProfile(Profile):
    """An account as its owner sees it: with their membership, and the pharmacy that they chose or work at."""

    payer: Payer
    member_number: MemberNumber
    region: Region
    pharmacy: Pharmacy | None


class NewAccount(Profile):
    """An account to open; the member number is the username unless it is given, a pharmacist names a pharmacy."""

    role: Annotated[Role, Field(description="Anybody but an operator: theirs is made when the clinic starts.")]
    password: Password
    payer: Payer = "public:riverside"
    member_number: MemberNumber | None = None
    region: Region = "north"
    pharmacy: Pharmacy | None = None

    @model_validator(mode="after")
    def _agrees(self) -> NewAccount:
        if self.role == "pharmacist" and not self.pharmacy:
            raise ValueError("a pharmacist works at a pharmacy: name it")
        return self


class ChosenPharmacy(BaseModel):
    """The pharmacy that a patient's prescriptions go to."""

    pharmacy: Pharmacy


class Pharmacies(BaseModel):
    """Pharmacies in which somebody works."""

    items: list[Pharmacy]


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


def enrol(clinic: Clinic, new: NewAccount) -> None:
    """Store a new account; 409 when its username or its payer's member number is taken."""
    if clinic.store.find("SELECT 1 FROM accounts WHERE username = ?", new.username):
        raise ApiError(409, "username-taken", f"The username {new.username!r} is taken.")
    clinic.store.require_room("accounts")
    salt = secrets.token_bytes(16)
    with clinic.store.writing() as db:
        made = db.execute(
            "INSERT INTO accounts (username, name, role, payer, member_number, region, pharmacy, salt, password)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                new.username,
                new.name,
                new.role,
                new.payer,
                new.member_number or new.username,
                new.region,
                new.pharmacy,
                salt,
                _hash(new.password, salt),
            ),
        )
    if not made.rowcount:
        raise ApiError(409, "member-known", f"{new.payer} has a member of that number already.")


def set_operator(store: Store, password: str) -> None:
    """Open the one operator's account, or give it this password."""
    salt = secrets.token_bytes(16)
    member_number = f"{OPERATOR}-{secrets.token_hex(8)}"
    with store.writing() as db:
        db.execute(
            "INSERT INTO accounts (username, name, role, payer, member_number, region, pharmacy, salt, password)"
            " VALUES (?, 'Operator', 'operator', 'public:clinic', ?, 'north', NULL, ?, ?)"
            " ON CONFLICT (username) DO UPDATE SET salt = excluded.salt, password = excluded.password",
            (OPERATOR, member_number, salt, _hash(password, salt)),
        )


def pharmacy_of(clinic: Clinic, username: str) -> str | None:
    """Return the pharmacy that a patient chose or a pharmacist works at."""
    found = clinic.store.find("SELECT pharmacy FROM accounts WHERE username = ?", username)
    return found[0] if found else None


def _own(me: Person) -> OwnProfile:
    return OwnProfile(
        username=me.username,
        name=me.name,
        role=me.role,
        payer=me.payer,
        member_number=me.member_number,
        region=me.region,
        pharmacy=pharmacy_of(me.clinic, me.username),
    )


@router.post("/accounts", status_code=201, summary="Open an account", responses=answers(403, 409, 507))
async def open_account(new: NewAccount, clinic: Here) -> Profile:
    """Open an account for a patient, a clinician or a pharmacist; usernames are unique."""
    if new.role == "operator":
        raise ApiError(403, "no-operators", "The operator's account is made when the clinic starts.")
    if new.username == OPERATOR:
        raise ApiError(409, "username-taken", f"The username {OPERATOR!r} is kept for the operator.")
    enrol(clinic, new)
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
        db.execute("INSERT INTO sessions (token, username) VALUES (?, ?)", (token_digest(token), given.username))
        db.execute(
            "DELETE FROM sessions WHERE username = ? AND seq NOT IN"
            " (SELECT seq FROM sessions WHERE username = ? ORDER BY seq DESC LIMIT ?)",
            (given.username, given.username, SESSIONS_EACH),
        )
    return Session(token=token)


@router.post("/sign-out", status_code=204, summary="Sign out", responses=answers(401))
async def sign_out(me: Me, request: Request) -> None:
    """End this session; the account's others go on."""
    token = request.headers["authorization"].partition(" ")[2].strip()
    with me.clinic.store.writing() as db:
        db.execute("DELETE FROM sessions WHERE token = ?", (token_digest(token),))


@router.get("/me", summary="Show my profile", responses=answers(401))
async def show_my_profile(me: Me) -> OwnProfile:
    """Tell the signed-in user who they are."""
    return _own(me)


@router.get("/me/features", summary="Show my features", responses=answers(401))
async def show_my_features(me: Me) -> dict[str, str]:
    """Tell the app each flag's variant as it is in force for this user, so that it knows which buttons to draw."""
    return me.clinic.features.seen_by(me.username)


@router.put("/me/pharmacy", summary="Choose my pharmacy", responses=answers(401, 403, 404))
async def choose_pharmacy(chosen: ChosenPharmacy, me: Patient) -> OwnProfile:
    """Choose where prescriptions go from now on: a pharmacy of one's region in which somebody works."""
    store = me.clinic.store
    works_there = "SELECT 1 FROM accounts WHERE role = 'pharmacist' AND pharmacy = ? AND region = ?"
    if not store.find(works_there, chosen.pharmacy, me.region):
        raise not_found("pharmacy")
    with store.writing() as db:
        db.execute("UPDATE accounts SET pharmacy = ? WHERE username = ?", (chosen.pharmacy, me.username))
    return _own(me)


@router.get("/pharmacies", summary="List pharmacies", responses=answers(401))
async def list_pharmacies(me: Me) -> Pharmacies:
    """List the pharmacies of one's region."""
    rows = me.clinic.store.all(
        "SELECT DISTINCT pharmacy FROM accounts WHERE role = 'pharmacist' AND region = ? ORDER BY pharmacy LIMIT ?",
        me.region,
        SHOWN,
    )
    return Pharmacies(items=[pharmacy for (pharmacy,) in rows])


@router.get("/clinicians", summary="List clinicians", responses=answers(401))
async def list_clinicians(me: Me) -> Clinicians:
    """List the clinicians of one's region, who can be booked: the newest 200 accounts."""
    rows = me.clinic.store.all(
        "SELECT username, name, role FROM accounts WHERE role = 'clinician' AND region = ? ORDER BY seq DESC LIMIT ?",
        me.region,
        SHOWN,
    )
    return Clinicians(items=[Profile(username=u, name=n, role=r) for u, n, r in rows])
