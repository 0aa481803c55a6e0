"""The devices of one person: whoever is in a call takes another one for all the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, Page

from harness.drivers.api import NOT_A_REFUSAL
from harness.drivers.browser import Session
from harness.errors import TargetError

MAX_DEVICES = 8
SEEN_S = 30.0
"""How long the pages may take to show what was asked of them; an overloaded machine needs it."""
HOME = "home"

_TOKEN = "() => sessionStorage.getItem('clinic-token')"  # noqa: S105 - where the pages keep it
# The player gets an object URL, which the pages' policy lets nobody fetch: the blob behind it is kept beside it.
_KEEP_BLOBS = """(() => {
  const made = new Map();
  const make = URL.createObjectURL.bind(URL);
  const drop = URL.revokeObjectURL.bind(URL);
  URL.createObjectURL = (what) => {
    const url = make(what);
    made.set(url, what);
    return url;
  };
  URL.revokeObjectURL = (url) => {
    made.delete(url);
    drop(url);
  };
  Object.defineProperty(window, "blobBehind", { value: (url) => made.get(url) });
})();"""


@dataclass(slots=True, eq=False)
class Device:
    """A browser session of a person, and what it is in use for: nothing, `home`, or a consultation's call."""

    session: Session
    use: str = ""

    @property
    def page(self) -> Page:
        """The one page that it shows."""
        return self.session.page

    @property
    def call(self) -> Locator:
        """The call that the page shows."""
        return self.page.get_by_test_id("call")

    async def go(self, address: str) -> None:
        """Show a page of the clinic's, drawn anew; raise TargetError where it says that it cannot be shown."""
        main = self.page.locator("main")
        async with self.session.doing(f"open {address}", SEEN_S):
            if await main.get_attribute("data-address") == address:
                await self.page.reload()
            else:
                await self.page.evaluate("(address) => { location.hash = address; }", address)
            await self.page.locator(f'main[data-address="{address}"][data-state="ready"]').wait_for()
            error = self.page.locator("main > [data-testid=error]")
            if await error.count():
                raise await refusal(f"open {address}", error)

    async def ask(self, method: str, path: str) -> bytes:
        """Ask the clinic in the page's own session; raises TargetError as `Session.fetch` does."""
        async with self.session.doing(f"{method} {path}"):
            token = await self.page.evaluate(_TOKEN)
        return await self.session.fetch(method, path, headers={"Authorization": f"Bearer {token}"})

    async def json(self, path: str) -> Any:
        """GET a path's JSON in the page's own session."""
        answer = await self.ask("GET", path)
        try:
            return json.loads(answer)
        except ValueError as error:
            raise TargetError(f"GET {path} answered with broken JSON: {error}", definite=False) from error

    async def press(self, what: str, button: Locator, seen: Locator) -> None:
        """Press a button and wait for what is to be seen then; raise TargetError when an error stands there instead."""
        async with self.session.doing(what, SEEN_S):
            await button.click()
            error = button.locator("xpath=following-sibling::*[1][@data-testid='error']")
            await seen.or_(error).first.wait_for(state="attached")
            if await error.count():
                raise await refusal(what, error)


async def refusal(what: str, error: Locator) -> TargetError:
    """Return the error that a page shows, with the clinic's own status and code where it told them.

    It is definite by the same rule as an API session's: a failure that has no status is none of the clinic's.
    """
    words = await error.first.inner_text()
    status, code = [await error.first.get_attribute(name) for name in ("data-status", "data-code")]
    number = int(status) if status else None
    is_definite = number is not None and 400 <= number < 500 and number not in NOT_A_REFUSAL
    return TargetError(f"{what}: {number or ''} {code or words}", definite=is_definite, status=number, code=code or "")


class Devices:
    """All devices of one person, made as they are needed and signed in by `sign_in`."""

    def __init__(self, make: Callable[[int], Awaitable[Session]], sign_in: Callable[[Device], Awaitable[None]]) -> None:
        self._make = make
        self._sign_in = sign_in
        self._all: list[Device] = []
        self._choosing = asyncio.Lock()

    async def begin(self) -> Device:
        """Take up the first device, which nobody is signed in on."""
        if not self._all:
            session = await self._make(len(self._all) + 1)
            self._all.append(Device(session))
            await session.page.context.add_init_script(_KEEP_BLOBS)
            await session.visit("/")
        return self._all[0]

    async def take(self, use: str) -> Device:
        """Return a device that is in no use, for this use; a new one where there is none."""
        async with self._choosing:
            device = await self._free() or await self._another()
            device.use = use
            return device

    @asynccontextmanager
    async def at_home(self) -> AsyncIterator[Device]:
        """Take a device that is in no call for as long as the block lasts."""
        device = await self.take(HOME)
        try:
            yield device
        finally:
            device.use = ""

    def of(self, consultation: str) -> Device | None:
        """Return the device on which a consultation's call is held."""
        return next((device for device in self._all if device.use == consultation), None)

    @property
    def all(self) -> tuple[Device, ...]:
        """The devices, the first one first."""
        return tuple(self._all)

    async def _free(self) -> Device | None:
        for device in self._all:
            if device.use and device.use != HOME and await _is_over(device):
                device.use = ""
        return next((device for device in self._all if not device.use), None)

    async def _another(self) -> Device:
        if len(self._all) >= MAX_DEVICES:
            raise TargetError(f"a person has no more than {MAX_DEVICES} devices at a time", definite=False)
        session = await self._make(len(self._all) + 1)
        device = Device(session)
        await session.page.context.add_init_script(_KEEP_BLOBS)
        await session.visit("/")
        await self._sign_in(device)
        self._all.append(device)
        return device


async def _is_over(device: Device) -> bool:
    """True when the call was ended by somebody else."""
    async with device.session.doing("look whether the call goes on"):
        return await device.call.get_attribute("data-state") == "ended"
