"""The devices of one person: whoever is in a call takes another one for all the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, Page

from harness.drivers.browser import Session
from harness.drivers.refusal import is_refusal
from harness.errors import TargetError
from harness.targets.clinic.surfaces import NO_HEADERS

MAX_DEVICES = 8
SEEN_S, PATIENCE_S = 30.0, 27.0
"""How long the pages may take to do what was asked of them, even on an overloaded machine, and how long one sight is
waited for, which ends first because it says what was missing."""
HOME, ENTRANCE = "home", "entrance"

_TOKEN = "() => sessionStorage.getItem('clinic-token')"  # noqa: S105 - where the pages keep it
# False for the page that is there already: it has to be loaded anew.
_TURN_TO = """(address) => {
  if (document.querySelector("main").dataset.address === address) return false;
  location.hash = address;
  return true;
}"""
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
    """A browser session of a person, and what it is in use for.

    Nothing; `home`; a consultation, whose call it is in; or `entrance`, while nobody is signed in on it.
    """

    session: Session
    use: str = ENTRANCE

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
        async with self.session.doing(f"open {address}", SEEN_S):
            if not await self.page.evaluate(_TURN_TO, address):
                await self.page.reload()
            await self.page.locator(f'main[data-address="{address}"][data-state="ready"]').wait_for()
            error = self.page.locator("main > [data-testid=error]")
            if await error.count():
                raise await refusal(f"open {address}", error)

    async def ask(
        self, method: str, path: str, body: bytes | None = None, *, headers: Mapping[str, str] = NO_HEADERS
    ) -> bytes:
        """Ask the clinic in the page's own session; raises TargetError as `Session.fetch` does."""
        async with self.session.doing(f"{method} {path}"):
            token = await self.page.evaluate(_TOKEN)
        signed = {**headers, "Authorization": f"Bearer {token}"}
        return await self.session.fetch(method, path, body, headers=signed)

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
    is_definite = number is not None and is_refusal(number)
    return TargetError(f"{what}: {number or ''} {code or words}", definite=is_definite, status=number, code=code or "")


class Devices:
    """All devices of one person, made as they are needed and signed in by `sign_in`."""

    def __init__(self, make: Callable[[int], Awaitable[Session]], sign_in: Callable[[Device], Awaitable[None]]) -> None:
        self._make = make
        self._sign_in = sign_in
        self._all: list[Device] = []
        self._choosing = asyncio.Lock()

    @asynccontextmanager
    async def first(self) -> AsyncIterator[Device]:
        """Take up the first device; after the block somebody is signed in on it."""
        device = await self._add()
        yield device
        device.use = ""

    async def take(self, use: str) -> Device:
        """Return a device that is in no use, for this use; a new one where there is none."""
        async with self._choosing:
            device = await self._free()
            if device is None:
                device = await self._add()
                await self._sign_in(device)
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

    async def is_in(self, consultation: str) -> bool:
        """True when a device is in a consultation's call, and the call goes on."""
        device = self.of(consultation)
        return device is not None and not await self._is_let_go(device)

    @property
    def any(self) -> Device:
        """A device that somebody is signed in on, whatever it shows: enough to ask in its session.

        Raises TargetError before there is one.
        """
        for device in self._all:
            if device.use != ENTRANCE:
                return device
        raise TargetError("nobody is signed in yet", definite=False)

    @property
    def all(self) -> tuple[Device, ...]:
        """The devices, the first one first."""
        return tuple(self._all)

    async def _free(self) -> Device | None:
        for device in self._all:
            if not device.use or (device.use not in (HOME, ENTRANCE) and await self._is_let_go(device)):
                return device
        return None

    async def _is_let_go(self, device: Device) -> bool:
        """Let go of a device whose call was ended by somebody else; False while the call goes on."""
        if await _is_over(device):
            device.use = ""
        return not device.use

    async def _add(self) -> Device:
        """Take up another device, at the entrance; it is kept from now on, so that it is closed whatever follows."""
        if len(self._all) >= MAX_DEVICES:
            raise TargetError(f"a person has no more than {MAX_DEVICES} devices at a time", definite=False)
        device = Device(await self._make(len(self._all) + 1))
        self._all.append(device)
        device.page.set_default_timeout(1000 * PATIENCE_S)
        async with device.session.doing("take up a device"):
            await device.page.context.add_init_script(_KEEP_BLOBS)
        await device.session.visit("/")
        return device


async def _is_over(device: Device) -> bool:
    """True when the call that it is in use for, and shows by now, was ended by somebody else."""
    async with device.session.doing("look whether the call goes on"):
        ended = device.page.locator(f'[data-testid=call][data-state=ended][data-consultation-id="{device.use}"]')
        return bool(await ended.count())
