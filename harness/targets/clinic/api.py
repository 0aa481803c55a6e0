"""The verbs of the clinic's users as calls of its HTTP API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from harness.drivers.api import ApiSession
from harness.drivers.base import Clip, Shown
from harness.errors import TargetError
from harness.model import Medium, Recording, Role
from harness.targets.clinic.shared import MAX_PAGES, PASSWORD, finished_recordings, insurer, member_number

CHUNK_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class _Shown:
    """What came with a list."""

    badge: int | None = None
    total: int | None = None
    titles: Mapping[str, str] = field(default_factory=dict)


class ClinicDriver:
    """One user's hands on the clinic's HTTP API."""

    def __init__(self, session: ApiSession, account: str, name: str, role: Role) -> None:
        self._session = session
        self._account = account
        self._name = name
        self._role = role
        self._shown: _Shown | TargetError = _Shown()

    @property
    def credentials(self) -> Mapping[str, str]:
        """The headers with which this user is signed in; empty before `enrol`."""
        return self._session.headers

    async def enrol(self) -> None:
        """Create the account and sign in. The patients of a trial have one member number, each of another insurer."""
        account = {"username": self._account, "password": PASSWORD}
        about = {"name": self._name.title(), "role": self._role}
        if self._role == "patient":
            about |= {"payer": insurer(self._name), "member_number": member_number(self._account)}
        await self._session.json("POST", "/accounts", account | about)
        self._session.authorize((await self._session.json("POST", "/sign-in", account))["token"])

    async def features(self) -> Mapping[str, str]:
        """Return the flags as the clinic evaluates them for this user."""
        return dict(await self._session.json("GET", "/me/features"))

    async def book(self, clinician: str, medium: Medium) -> str:
        """Book a consultation; return its id."""
        body = {"clinician": clinician, "medium": medium}
        return str((await self._session.json("POST", "/consultations", body))["id"])

    async def join(self, consultation: str) -> None:
        """Enter the call."""
        await self._session.json("POST", f"/consultations/{quote(consultation)}/join")

    async def switch(self, consultation: str, medium: Medium) -> None:
        """Change the call's medium."""
        await self._session.json("POST", f"/consultations/{quote(consultation)}/medium", {"medium": medium})

    async def send(self, consultation: str, medium: Medium, clip: Clip) -> None:
        """Upload a clip in chunks, with its hash."""
        body = {"medium": medium, "content_type": clip.content_type}
        upload = (await self._session.json("POST", f"/consultations/{quote(consultation)}/uploads", body))["id"]
        parts = [clip.data[at : at + CHUNK_BYTES] for at in range(0, len(clip.data), CHUNK_BYTES)]
        for number, part in enumerate(parts):
            await self._session.send("PUT", f"/uploads/{quote(upload)}/chunks/{number}", part)
        done = {"chunks": len(parts), "sha256": clip.sha256}
        await self._session.json("POST", f"/uploads/{quote(upload)}/complete", done)

    async def leave(self, consultation: str) -> None:
        """Leave the call."""
        await self._session.json("POST", f"/consultations/{quote(consultation)}/leave")

    async def end(self, consultation: str) -> None:
        """End the call for everybody."""
        await self._session.json("POST", f"/consultations/{quote(consultation)}/end")

    async def recordings(self, consultation: str) -> Sequence[Recording]:
        """Return what the clinic recorded in a consultation of one's own, once its worker has finished all of it."""
        return await finished_recordings(lambda path: self._session.json("GET", path), consultation)

    def shown(self) -> Shown:
        """Return the badge that was asked for with the last list, and what the list said of itself."""
        if isinstance(self._shown, TargetError):
            raise self._shown
        return self._shown

    async def replays(self) -> Sequence[Recording]:
        """Return the whole list of Consultation Replays, page by page, and ask for the badge beside it."""
        items, total = await self._list()
        titles = {item["id"]: str(item["title"]) for item in items}
        try:
            badge = (await self._session.json("GET", "/replays/count"))["count"]
            self._shown = _Shown(badge, total, titles)
        except TargetError as error:
            self._shown = error
        return [Recording(item["id"], item["consultation"], item["medium"]) for item in items]

    async def _list(self) -> tuple[Sequence[Mapping[str, Any]], int]:
        found: dict[str, Mapping[str, Any]] = {}
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            path = "/replays" if cursor is None else f"/replays?cursor={quote(cursor)}"
            page: dict[str, Any] = await self._session.json("GET", path)
            known = len(found)
            found |= {item["id"]: item for item in page["items"]}
            cursor = page["next"]
            if cursor is None:
                return list(found.values()), int(page["total"])
            if len(found) == known:
                raise TargetError("GET /replays: a page brought nothing new, and is not the last", definite=False)
        raise TargetError(f"GET /replays: no end after {MAX_PAGES} pages", definite=False)

    async def open(self, recording: str) -> bytes:
        """Return a replay's bytes, its detail asked for first as a person would; that refused, the bytes may not be."""
        try:
            await self._session.send("GET", f"/replays/{quote(recording)}")
        except TargetError as error:
            if not error.definite:
                raise
        return await self._session.send("GET", f"/replays/{quote(recording)}/media")

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()
