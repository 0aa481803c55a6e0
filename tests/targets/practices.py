"""A clinic whose people all use its API, for the tests of what its hands do beside the call."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from harness.canary import MODES, Canary
from harness.drivers.api import Pool
from harness.media.clips import Clip, clip
from harness.model import Medium, Role
from harness.process import Service
from harness.targets.clinic import ClinicDriver
from harness.targets.clinic.stranger import ClinicStranger
from tests.clinic.flag_server import serving, snapshot

RUN = 7
PASSWORD = "of this test's operator"  # noqa: S105 - of an account that lives as long as the test
REPLAYS = ("replay-access", "replay-index-v2", "replay-search")
_numbers = itertools.count(2)


@dataclass(slots=True)
class Practice:
    """A running clinic, and everybody who has come to it in one story."""

    url: str
    pool: Pool
    people: list[ClinicDriver | ClinicStranger] = field(default_factory=list)
    _trial: int = field(default_factory=lambda: next(_numbers))

    def account(self, name: str, *flags: str) -> str:
        """Return an account's name, as a trial would give it."""
        return f"{name}-{self._trial:x}-0-{next(_numbers):x}~" + "".join(f"+{flag}+" for flag in flags)

    def hands(self, account: str, role: Role, password: str = PASSWORD) -> ClinicDriver:
        """Return the hands of somebody who has not enrolled."""
        name = account.partition("-")[0]
        self.people.append(made := ClinicDriver(self.pool.session(name), account, name, role, password))
        return made

    async def person(self, name: str, role: Role, *flags: str) -> tuple[str, ClinicDriver]:
        """Return the account and the hands of somebody who has enrolled; replays and their search are on for them."""
        account = self.account(name, *(flags or REPLAYS))
        hands = self.hands(account, role)
        await hands.enrol()
        return account, hands

    def stranger(self) -> ClinicStranger:
        """Return the hands of somebody who does not sign in."""
        self.people.append(made := ClinicStranger(self.pool.session("nobody")))
        return made


@contextmanager
def practice(*flaws: str) -> Iterator[Service]:
    """Run a clinic with these flaws for as long as the block lasts."""
    planted = [word for flaw in flaws for word in ("--flaw", flaw)]
    with serving(snapshot()) as flags:
        source = ["--unleash-url", flags.url, "--unleash-token", "default:development.test", "--refresh-s", "10"]
        options = [*source, "--until-stdin-closes", "--operator-password", PASSWORD, *planted]
        service = Service.start("clinic", "harness.clinic", options)
        try:
            yield service
        finally:
            service.stop()


def tell(service: Service, story: Callable[[Practice], Awaitable[None]]) -> None:
    """Tell a story in a clinic; whatever becomes of it, its people close their connections."""

    async def told() -> None:
        made = Practice(service.url, Pool(service.url))
        try:
            async with asyncio.timeout(60):
                await story(made)
        finally:
            await asyncio.gather(*(each.close() for each in made.people))
            await made.pool.close()

    asyncio.run(told())


def filmed(number: int, medium: Medium, caption: str = "") -> Clip:
    """Return a clip with this number's canary, and a caption."""
    return replace(clip(Canary(RUN, number, 0, MODES.index(medium)), medium), caption=caption)


async def held(
    patient: ClinicDriver, clinician: ClinicDriver, with_: str, number: int, *, medium: Medium = "video", said: str = ""
) -> tuple[str, str]:
    """Hold a consultation with the clinician of that account; return it, and the patient's finished recording."""
    visit = await patient.book(with_, medium)
    for each in (patient, clinician):
        await each.join(visit)
    await patient.send(visit, medium, filmed(number, medium, said))
    await patient.end(visit)
    (recording,) = await patient.recordings(visit)
    return visit, recording.ref
