"""A clinic with people in it, some of whom use its pages and some its API, for the tests of its hands."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from harness.canary import MODES, Canary
from harness.clinic.base.features import REPLAY_ACCESS
from harness.drivers.api import Pool
from harness.drivers.browser import Chromium, Session
from harness.drivers.choice import BROWSER
from harness.media.clips import Clip, clip
from harness.media.reading import read
from harness.model import Hands, Medium, Role, Wording
from harness.process import Service
from harness.targets.clinic import ClinicDriver
from harness.targets.clinic.pages import ClinicPages
from tests.clinic.flag_server import serving, snapshot
from tests.drivers.browsers import running_loop

LIMIT_S = 120.0
RUN = 7
NO_WEBRTC = "delete window.RTCPeerConnection;"

Result = TypeVar("Result")
Heard = tuple[str, Medium, Medium | Wording]
"""Whose canary, in which track, of a call by which medium."""


@dataclass(slots=True)
class Ward:
    """A running clinic, a browser for it, and the loop on which everybody in it acts."""

    url: str
    loop: asyncio.AbstractEventLoop
    chromium: Chromium
    pool: Pool
    sessions: list[Session] = field(default_factory=list)
    scripts: tuple[str, ...] = ()
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(2))
    _names: dict[int, str] = field(default_factory=dict)

    def run(self, story: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Play a story on the loop's thread; whatever becomes of it, its browser sessions are closed."""
        return asyncio.run_coroutine_threadsafe(self._played(story), self.loop).result(LIMIT_S)

    async def _played(self, story: Callable[[], Awaitable[Result]]) -> Result:
        try:
            return await story()
        finally:
            await asyncio.gather(*(session.close() for session in self.sessions))
            self.sessions.clear()

    async def session(self, actor: str) -> Session:
        """Return a browser session in which the ward's scripts run before any page's own."""
        made = await self.chromium.session(actor)
        self.sessions.append(made)
        for script in self.scripts:
            await made.page.context.add_init_script(script)
        return made

    async def person(self, name: str, role: Role, hands: Hands, *flags: str) -> Person:
        """Return somebody who has enrolled, with these flags on; replay access is on unless `no-replays` is given."""
        # Patients are heard in one slot and all others in the other, as in a run.
        number = 2 * next(self._numbers) + (role != "patient")
        on = "+".join([*flags, *([] if "no-replays" in flags else [REPLAY_ACCESS])])
        account = f"{name}-{number:x}-0~+{on}+"
        driver: ClinicDriver | ClinicPages
        if hands == BROWSER:
            driver = ClinicPages(self, account, name, role)
        else:
            driver = ClinicDriver(self.pool.session(name), account, name, role)
        await driver.enrol()
        self._names[number] = name
        return Person(name, account, number, driver)

    async def paths(self) -> set[str]:
        """Return by which paths the calls go that the pages are in."""
        calls = [session.page.get_by_test_id("call") for session in self.sessions]
        return {await call.get_attribute("data-path") or "" for call in calls}

    def heard(self, media: bytes) -> set[Heard]:
        """Return every canary in media, all of which must be readable."""
        reading = read(media)
        assert reading.outcome == "canaries", (reading.outcome, reading.note)
        return {(self._names[each.canary.user], each.track, MODES[each.canary.mode]) for each in reading.canaries}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with hands."""

    name: str
    account: str
    number: int
    driver: ClinicDriver | ClinicPages

    @property
    def pages(self) -> ClinicPages:
        """The hands of somebody who uses the pages."""
        assert isinstance(self.driver, ClinicPages)
        return self.driver

    def clip(self, medium: Medium, call: int = 0) -> Clip:
        """Return what this person emits in a call."""
        return clip(Canary(RUN, self.number, call, MODES.index(medium)), medium)

    async def send(self, visit: str, medium: Medium, call: int = 0) -> None:
        """Be seen and heard in a call."""
        await self.driver.send(visit, medium, self.clip(medium, call))


@contextmanager
def ward(*flaws: str) -> Iterator[Ward]:
    """Run a clinic with these flaws, and a loop for its people, for as long as the block lasts."""
    planted = [word for flaw in flaws for word in ("--flaw", flaw)]
    with serving(snapshot()) as flags, running_loop() as loop:
        source = ["--unleash-url", flags.url, "--unleash-token", "default:development.test", "--refresh-s", "10"]
        service = Service.start("clinic", "harness.clinic", [*source, "--until-stdin-closes", *planted])

        async def begin() -> Ward:
            return Ward(service.url, loop, Chromium(service.url), Pool(service.url))

        made = asyncio.run_coroutine_threadsafe(begin(), loop).result(LIMIT_S)
        try:
            yield made
        finally:
            made.run(made.chromium.close)
            made.run(made.pool.close)
            service.stop()


async def recorded(ward: Ward, person: Person, visit: str) -> Sequence[set[Heard]]:
    """Return what is in each recording of a visit, as its participant gets it when opening it; the oldest first."""
    recordings = await person.driver.recordings(visit)
    return [ward.heard(await person.driver.open(recording.ref)) for recording in recordings]
