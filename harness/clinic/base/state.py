"""What the systems share: the clinic as it runs, and the person who asks."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Literal, Protocol

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator, AwareDatetime

from harness.clinic import flaws

from .cache import AnswerCache
from .errors import ApiError
from .features import FAST_SESSIONS, Features
from .live import Listeners
from .store import Row, Store

Role = Literal["patient", "clinician", "pharmacist", "operator"]
Medium = Literal["audio", "video"]
Layout = Literal["side-by-side", "picture-in-picture"]

MAX_PROFILES = 10_000


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is beyond the calendar of UTC") from error


Time = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time that comes with its offset from UTC, and is in UTC from then on."""


class Rooms(Protocol):
    """The calls of this process, as the consultations' own routes need them."""

    async def segment(self, consultation: str, medium: Medium) -> None:
        """Begin new files: the medium was switched."""

    async def leave(self, consultation: str, username: str) -> None:
        """Let a participant go; what was recorded of them is finished when this returns."""

    async def end(self, consultation: str) -> None:
        """Let everybody go; all that was recorded is finished when this returns."""

    async def close(self) -> None:
        """End every call of this process."""


@dataclass(slots=True)
class Clinic:
    """One process of a deployment; `flaws` holds the names of those planted when it started."""

    store: Store
    features: Features
    flaws: frozenset[str] = frozenset()
    replay_cache: AnswerCache = field(default_factory=AnswerCache)
    profiles: dict[str, Person] = field(default_factory=dict)
    rooms: Rooms = field(init=False)
    """Set by the application that serves this clinic."""
    live: Listeners = field(default_factory=Listeners)
    work: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the recorder's worker has something to do."""

    # What only flaws remember, of a clinic that is played for a while: nothing sound reads it.
    current: Person | None = None
    switching: list[str] = field(default_factory=list)
    swapped: dict[str, str] = field(default_factory=dict)
    carers: set[tuple[str, str]] = field(default_factory=set)
    looked_at: dict[str, str] = field(default_factory=dict)
    last_thumbnail: bytes | None = None

    def has_flaw(self, name: str) -> bool:
        """True when this flaw was planted."""
        return name in self.flaws


@dataclass(frozen=True, slots=True)
class Person:
    """The signed-in user, as one request knows them; `payer` and `region` are tenants that data must not cross."""

    username: str
    name: str
    role: Role
    payer: str
    member_number: str
    region: str
    clinic: Clinic = field(repr=False, compare=False)

    def variant(self, flag: str) -> str:
        """Return this user's variant of a flag, asked now."""
        return self.clinic.features.variant(flag, self.username)

    def has(self, flag: str) -> bool:
        """True when the flag is not off for this user, asked now."""
        return self.variant(flag) != "off"


bearer = HTTPBearer(auto_error=False, description="The token that sign-in gave.")
COLUMNS = "username, name, role, payer, member_number, region"


def now() -> str:
    """Return the time as it is stored: RFC 3339, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def token_digest(token: str) -> bytes:
    """Return what is stored of a session's token."""
    return hashlib.sha256(token.encode()).digest()


def person_of_token(clinic: Clinic, token: str) -> Person | None:
    """Return whose session a token is; None for an unknown one."""
    if clinic.features.at_start(FAST_SESSIONS) == "off":
        found = clinic.store.find(
            f"SELECT {COLUMNS} FROM sessions JOIN accounts USING (username) WHERE token = ?",  # noqa: S608 - our own words
            token_digest(token),
        )
        return _person(clinic, found) if found else None
    session = clinic.store.find("SELECT username FROM sessions WHERE token = ?", token_digest(token))
    return _profile(clinic, session[0]) if session else None


def person(clinic: Clinic, username: str) -> Person | None:
    """Return somebody by their username; None when there is nobody of that name."""
    found = clinic.store.find(f"SELECT {COLUMNS} FROM accounts WHERE username = ?", username)  # noqa: S608 - our own words
    return _person(clinic, found) if found else None


def _person(clinic: Clinic, row: Row) -> Person:
    username, name, role, payer, member_number, region = row
    return Person(username, name, role, payer, member_number, region, clinic)


def _profile(clinic: Clinic, username: str) -> Person | None:
    """Return an account's profile from memory: what it holds never changes once the account is open."""
    known = clinic.profiles.get(username) or person(clinic, username)
    if known is not None:
        if len(clinic.profiles) >= MAX_PROFILES:
            clinic.profiles.clear()
        clinic.profiles[username] = known
    return known


async def clinic_of(request: Request) -> Clinic:
    """Return the clinic that serves this request."""
    clinic: Clinic = request.app.state.clinic
    return clinic


Here = Annotated[Clinic, Depends(clinic_of)]


async def signed_in(
    request: Request, clinic: Here, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Person:
    """Return who asks; raise 401 for a missing or unknown token."""
    found = credentials and person_of_token(clinic, credentials.credentials)
    if not found:
        raise ApiError(401, "not-signed-in", "Sign in, and send the token as a bearer.")
    is_fast = clinic.features.at_start(FAST_SESSIONS) != "off"
    if clinic.has_flaw(flaws.SHARED_CURRENT_USER) and is_fast and request.method == "GET":
        clinic.current = found
        await asyncio.sleep(0)
        return clinic.current
    return found


Me = Annotated[Person, Depends(signed_in)]


def require_role(*roles: Role) -> Callable[[Person], Awaitable[Person]]:
    """Return a dependency that refuses with 403 whoever has another role."""

    async def required(me: Me) -> Person:
        if me.role not in roles:
            raise ApiError(403, "wrong-role", f"This is for a {' or '.join(roles)}.")
        return me

    return required


Patient = Annotated[Person, Depends(require_role("patient"))]
Clinician = Annotated[Person, Depends(require_role("clinician"))]
Operator = Annotated[Person, Depends(require_role("operator"))]
