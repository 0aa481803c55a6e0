"""The verbs of the clinic's users as calls of its HTTP API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from harness.drivers.api import ApiSession
from harness.drivers.base import Clip, Shown
from harness.drivers.surfaces import Hear, Surface, View
from harness.errors import TargetError
from harness.model import Medium, Recording, Role
from harness.targets.clinic import surfaces, verbs
from harness.targets.clinic.listening import Listening
from harness.targets.clinic.shared import (
    MAX_PAGES,
    OPERATOR,
    OPERATOR_PASSWORD,
    PASSWORD,
    finished_recordings,
    membership,
)

CHUNK_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class _Shown:
    """What came with a list."""

    badge: int | None = None
    total: int | None = None
    titles: Mapping[str, str] = field(default_factory=dict)


class ClinicDriver:
    """One user's hands on the clinic's HTTP API. To act as an operator takes that account's password."""

    takes_captions = True

    def __init__(self, session: ApiSession, account: str, name: str, role: Role, operator_password: str = "") -> None:
        self._session = session
        self._account = account
        self._name = name
        self._role = role
        self._operator_password = operator_password
        self._called = name.title()
        self._patient = ""
        self._listening: Listening | None = None
        self._shown: _Shown | TargetError = _Shown()

    @property
    def credentials(self) -> Mapping[str, str]:
        """The headers with which this user is signed in; empty before `enrol`."""
        return self._session.headers

    def introduce(self, name: str) -> None:
        """Take the name that others read, of 1 to 200 characters: the clinic refuses any other at `enrol`.

        An operator is called what the clinic calls them.
        """
        self._called = name

    def care_for(self, patient: str) -> None:
        """Take the insurer of the patient of this name, without which the clinic lets a carer see nothing."""
        self._patient = patient

    async def enrol(self) -> None:
        """Create the account and sign in; an operator signs in to the one that there is."""
        if self._role == "operator":
            await self._enrol_operator()
            return
        account = {"username": self._account, "password": PASSWORD}
        role = "patient" if self._role == "carer" else self._role
        about = {"name": self._called, "role": role} | membership(self._account, self._name, self._role, self._patient)
        await self._session.json("POST", "/accounts", account | about)
        await self._sign_in(account)

    async def _enrol_operator(self) -> None:
        if not self._operator_password:
            message = f"the password of the operator's account is not known; give it as {OPERATOR_PASSWORD}"
            raise TargetError(message, definite=True)
        await self._sign_in({"username": OPERATOR, "password": self._operator_password})

    async def _sign_in(self, account: Mapping[str, str]) -> None:
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
        """Upload a clip in chunks, with its hash and its caption."""
        body = {"medium": medium, "content_type": clip.content_type, "caption": clip.caption}
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

    def surfaces(self) -> Sequence[Surface]:
        """Return where somebody of this role meets media or data beside the replay list."""
        return surfaces.OF[self._role]

    async def look(self, surface: str, about: str = "") -> View:
        """Look at a surface, pages followed to the end."""
        return await surfaces.look(self._session.send, surface, about)

    async def listen(self, hear: Hear) -> None:
        """Listen to this user's notices by WebSocket and by server-sent events; an operator has none."""
        if self._listening:
            raise RuntimeError(f"{self._name} listens already")
        if self._role != "operator":
            listening = Listening(self._session, hear)
            await listening.begin()
            self._listening = listening

    async def hush(self) -> None:
        """Wait until what came into the inbox meanwhile has come by both channels, and stop listening."""
        listening, self._listening = self._listening, None
        if listening:
            await listening.end()

    async def share(self, recording: str, carer: str) -> None:
        """Share a recording with a carer."""
        await verbs.share(self._session.send, recording, carer)

    async def revoke(self, recording: str, carer: str) -> None:
        """Take a share back."""
        await verbs.revoke(self._session.send, recording, carer)

    async def hand_over(self, consultation: str, clinician: str) -> None:
        """Hand a live consultation over."""
        await verbs.hand_over(self._session.send, consultation, clinician)

    async def prescribe(self, consultation: str, medicine: str) -> None:
        """Prescribe a medicine, at most 200 characters."""
        await verbs.prescribe(self._session.send, consultation, medicine)

    async def choose_pharmacy(self, pharmacist: str) -> None:
        """Choose the pharmacy of a pharmacist who has enrolled."""
        await verbs.choose_pharmacy(self._session.send, pharmacist)

    async def measure(self, words: str) -> None:
        """Record a measurement with these words for its unit, at most 40 characters."""
        await verbs.measure(self._session.send, words)

    async def switch_replays(self, *, is_open: bool) -> None:
        """Throw the operator's switch."""
        await verbs.switch_replays(self._session.send, is_open=is_open)

    async def close(self) -> None:
        """Stop listening, and close the session."""
        if self._listening:
            await self._listening.close()
        if self._role == "operator" and self.credentials:
            # The one account keeps its 16 newest sessions, and who cannot sign out is no worse off than before.
            with suppress(TargetError):
                await self._session.send("POST", "/sign-out")
        await self._session.close()
