"""What the systems share: the clinic as it runs, and the person who asks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Literal

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from .cache import AnswerCache
from .errors import ApiError
from .features import Features
from .store import Store

Role = Literal["patient", "clinician"]
Medium = Literal["audio", "video"]


@dataclass(frozen=True, slots=True)
class Clinic:
    """One running deployment; `flaws` holds the names of those planted when the process started."""

    store: Store
    features: Features
    flaws: frozenset[str] = frozenset()
    replay_cache: AnswerCache = field(default_factory=AnswerCache)


@dataclass(frozen=True, slots=True)
class Person:
    """The signed-in user, as one request knows them."""

    username: str
    name: str
    role: Role
    clinic: Clinic

    def variant(self, flag: str) -> str:
        """Return this user's variant of a flag, asked now."""
        return self.clinic.features.variant(flag, self.username)

    def has(self, flag: str) -> bool:
        """True when the flag is not off for this user, asked now."""
        return self.variant(flag) != "off"


bearer = HTTPBearer(auto_error=False, description="The token that sign-in gave.")


def token_digest(token: str) -> bytes:
    """Return what is stored of a session's token."""
    return hashlib.sha256(token.encode()).digest()


async def clinic_of(request: Request) -> Clinic:
    """Return the clinic that serves this request."""
    clinic: Clinic = request.app.state.clinic
    return clinic


Here = Annotated[Clinic, Depends(clinic_of)]


async def signed_in(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Person:
    """Return who asks; raise 401 for a missing or unknown token."""
    clinic: Clinic = request.app.state.clinic
    row = credentials and clinic.store.find(
        "SELECT username, name, role FROM sessions JOIN accounts USING (username) WHERE token = ?",
        token_digest(credentials.credentials),
    )
    if not row:
        raise ApiError(401, "not-signed-in", "Sign in, and send the token as a bearer.")
    username, name, role = row
    return Person(username, name, role, clinic)


Me = Annotated[Person, Depends(signed_in)]
