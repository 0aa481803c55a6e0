"""The reference clinic as a target: started or reached, its users' hands, what it offers under which flags."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from harness.clinic import flaws
from harness.drivers.api import Observer, Pool
from harness.drivers.base import Driver
from harness.drivers.choice import API, BROWSER
from harness.drivers.surfaces import Stranger
from harness.errors import TargetError, UsageError
from harness.flags.base import BY_USER_ID
from harness.model import OFF, Hands, Role
from harness.process import Service, ServiceDied
from harness.targets.base import FlagSource, TargetOptions
from harness.targets.clinic.api import ClinicDriver
from harness.targets.clinic.others import others
from harness.targets.clinic.shared import OPERATOR_PASSWORD, PASSWORD
from harness.targets.clinic.stranger import ClinicStranger
from harness.targets.described import Other

if TYPE_CHECKING:
    from harness.drivers.browser import Browser, Chromium

REFRESH_S = 0.5
NEEDS = {
    "replays": "replay-access",
    "search": "replay-search",
    "sharing": "carer-sharing",
    "switch-to-video": "video-upgrade",
    "switch-to-audio": "video-downgrade",
}
"""The flag that each feature needs."""


class ClinicTarget:
    """The clinic in a process of its own, or one that runs already at `options.url`.

    Raises UsageError for an unknown flaw, and for a flaw in a clinic that runs already.
    """

    audience = BY_USER_ID
    grace_s = 0.0
    policy = ""
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
        return ClinicDriver(self.pool.session(name), account, name, role, self._operator)

    def stranger(self) -> Stranger:
        """Return hands of somebody who is not signed in."""
        return ClinicStranger(self.pool.session("nobody"))

    def not_offered(self, combination: Mapping[str, str]) -> frozenset[str]:
        """Return what the clinic rightly refuses: by the kill switch, and by the flags of single features."""
        return frozenset(feature for feature, flag in NEEDS.items() if combination.get(flag, OFF) == OFF)

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
        from harness.targets.clinic.pages import ClinicPages

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
