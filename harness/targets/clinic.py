"""The adapter of the reference clinic: its verbs as HTTP calls, and what it offers under which flags."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.clinic import flaws
from harness.drivers.api import ApiSession, Observer, Pool
from harness.drivers.base import Clip, Driver, Shown
from harness.drivers.choice import API, BROWSER
from harness.errors import TargetError, UsageError
from harness.flags.base import BY_USER_ID
from harness.model import OFF, Hands, Medium, Recording, Role
from harness.process import Service, ServiceDied
from harness.targets.base import FlagSource, TargetOptions
from harness.targets.clinic_others import others
from harness.targets.clinic_shared import MAX_PAGES, PASSWORD, finished_recordings, insurer, member_number
from harness.targets.described import Other

if TYPE_CHECKING:
    from harness.drivers.browser import Browser, Chromium

CHUNK_BYTES = 8 * 1024
REFRESH_S = 0.5
OPERATOR_PASSWORD = "CLINIC_OPERATOR_PASSWORD"  # noqa: S105 - the variable's name, as the clinic itself reads it


class ClinicTarget:
    """The clinic in a process of its own, or one that runs already at `options.url`.

    Raises UsageError for an unknown flaw, and for a flaw in a clinic that runs already.
    """

    audience = BY_USER_ID
    drivers: frozenset[Hands] = frozenset({API, BROWSER})

    def __init__(self, options: TargetOptions, *, observer: Observer | None = None) -> None:
        if options.url and options.flaws:
            raise UsageError(
                f"--flaw is for the clinic that the harness starts itself, not for the one at {options.url}"
            )
        for name in options.flaws:
            try:
                flaws.find(name)
            except flaws.UnknownFlawError as error:
                raise UsageError(f"--flaw {name}: {error}") from error
        self._options = options
        self._observer = observer
        self._operator = os.environ.get(OPERATOR_PASSWORD, "") if options.url else secrets.token_hex(16)
        self._service: Service | None = None
        self._pool: Pool | None = None
        self._browser = _found_browser() if BROWSER in options.hands.values() else None
        self._chromium: Chromium | None = None

    @property
    def name(self) -> str:
        """The clinic, and the browser in which its pages are used."""
        return f"clinic, in {self._browser.whose}" if self._browser else "clinic"

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return (self._pool.requests if self._pool else 0) + (self._chromium.requests if self._chromium else 0)

    @property
    def pool(self) -> Pool:
        """The connections to the clinic, once it is started."""
        if self._pool is None:
            raise RuntimeError("the clinic was not started")
        return self._pool

    @property
    def base_url(self) -> str:
        """The clinic's address, once it is started."""
        return self.pool.base_url

    @property
    def openapi(self) -> str:
        """Where the clinic describes its API."""
        return f"{self.base_url}/openapi.json"

    def observe(self, observer: Observer) -> None:
        """Show every exchange of its users' hands from now on."""
        self.pool.observer = observer

    async def others(self, cast: Sequence[str], account: Callable[[str], str]) -> Sequence[Other]:
        """Sign in pharmacists, a carer, and the operator where the password of that account is known."""
        return await others(self.pool, cast, account, PASSWORD, self._operator)

    async def start(self, flags: FlagSource) -> None:
        """Start the clinic's process, or reach the running one."""
        url = self._options.url
        if url is None:
            url = await self._launch(flags)
        self._pool = Pool(url, self._observer)
        if not await self.is_alive():
            raise UsageError(f"--target {url}: no clinic answers there (GET /health); start one with `harness serve`")

    def driver(self, account: str, name: str, role: Role) -> Driver:
        """Return hands for one fresh user of the clinic."""
        if self._options.hands[role] == BROWSER:
            return self._pages(account, name, role)
        return ClinicDriver(self.pool.session(name), account, name, role)

    def not_offered(self, combination: Mapping[str, str]) -> frozenset[str]:
        """Return what the clinic rightly refuses: by the kill switch, and by the medium's own flags."""
        needs = {
            "replays": "replay-access",
            "switch-to-video": "video-upgrade",
            "switch-to-audio": "video-downgrade",
        }
        return frozenset(feature for feature, flag in needs.items() if combination.get(flag, OFF) == OFF)

    async def is_alive(self) -> bool:
        """Return False when the process has ended or its health check fails."""
        if self._service and not self._service.is_alive():
            return False
        session = self.pool.session("health")
        try:
            answer = await session.json("GET", "/health")
        except TargetError:
            return False
        finally:
            await session.close()
        return bool(answer == {"status": "ok"})

    async def close(self) -> None:
        """Close the connections and end the clinic if it was started here."""
        async with AsyncExitStack() as last_first:
            if self._service:
                last_first.push_async_callback(asyncio.to_thread, self._service.stop)
            if self._pool:
                last_first.push_async_callback(self._pool.close)
            if self._chromium:
                last_first.push_async_callback(self._chromium.close)

    def _pages(self, account: str, name: str, role: Role) -> Driver:
        # Playwright takes a third of a second to import, and most runs have no use for it.
        from harness.drivers.browser import Chromium
        from harness.targets.pages import ClinicPages

        if self._chromium is None:
            self._chromium = Chromium(self.base_url, self._browser)
        return ClinicPages(self._chromium, account, name, role)

    async def _launch(self, flags: FlagSource) -> str:
        arguments = ["--port", "0", "--database", ":memory:", "--until-stdin-closes"]
        arguments += [
            "--unleash-url",
            flags.url,
            "--unleash-token",
            flags.token,
            "--refresh-s",
            str(REFRESH_S),
        ]
        arguments += ["--operator-password", self._operator]
        for flaw in self._options.flaws:
            arguments += ["--flaw", flaw]
        self._service = Service.spawn("clinic", "harness.clinic", arguments)
        try:
            await asyncio.to_thread(self._service.wait_until_listening)
        except ServiceDied as error:
            raise UsageError(str(error)) from error
        return self._service.url


def _found_browser() -> Browser:
    from harness.drivers.browser import find

    return find()


@dataclass(frozen=True, slots=True)
class _Badge:
    """What the list came with: its badge. The titles are the pages' own."""

    badge: int | None = None
    titles: Mapping[str, str] = field(default_factory=dict)


class ClinicDriver:
    """One user's hands on the clinic's HTTP API."""

    def __init__(self, session: ApiSession, account: str, name: str, role: Role) -> None:
        self._session = session
        self._account = account
        self._name = name
        self._role = role
        self._shown = _Badge()

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
        """Return the badge that was asked for with the last list."""
        return self._shown

    async def replays(self) -> Sequence[Recording]:
        """Return the whole list of Consultation Replays, page by page, and ask for the badge beside it."""
        found = await self._list()
        self._shown = _Badge((await self._session.json("GET", "/replays/count"))["count"])
        return found

    async def _list(self) -> Sequence[Recording]:
        found: dict[str, Recording] = {}
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            path = "/replays" if cursor is None else f"/replays?cursor={quote(cursor)}"
            page: dict[str, Any] = await self._session.json("GET", path)
            known = len(found)
            found |= {item["id"]: Recording(item["id"], item["consultation"], item["medium"]) for item in page["items"]}
            cursor = page["next"]
            if cursor is None:
                return list(found.values())
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
