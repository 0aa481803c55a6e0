"""Listening through the clinic's driver: one's own notices by both channels, and whatever is lost is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import pytest
from aiohttp import WSCloseCode, web

from harness.drivers.api import Pool
from harness.errors import TargetError
from harness.process import Service
from harness.targets.clinic import ClinicDriver, listening
from harness.targets.clinic.listening import EVENT_STREAM, LIVE_UPDATES

from .practices import Practice, practice, tell

BOTH = {LIVE_UPDATES, EVENT_STREAM}
SOON_S = 0.3


@dataclass(slots=True)
class Heard:
    """What was pushed to somebody."""

    messages: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, channel: str, text: str) -> None:
        """Keep a message."""
        self.messages.append((channel, text))

    def by(self, word: str) -> set[str]:
        """Return by which channels a word came."""
        return {channel for channel, text in self.messages if word in text}


@pytest.fixture(scope="module")
def clinic() -> Iterator[Service]:
    """Return a clinic without flaws."""
    with practice() as made:
        yield made


def test_ones_own_notices_come_by_both_channels(clinic: Service) -> None:
    """A clinician hears of a booking by both channels, and of nobody else's; afterwards nothing more comes."""

    async def story(people: Practice) -> None:
        chen, clinician = await people.person("chen", "clinician")
        dana, other = await people.person("dana", "clinician")
        _, alice = await people.person("alice", "patient")
        before = await alice.book(chen, "audio")
        heard, elsewhere = Heard(), Heard()
        await clinician.listen(heard)
        await other.listen(elsewhere)
        mine, theirs = await alice.book(chen, "audio"), await alice.book(dana, "audio")
        await clinician.hush()
        await other.hush()
        assert (heard.by(mine), heard.by(theirs), heard.by(before)) == (BOTH, set(), set())
        assert (elsewhere.by(theirs), elsewhere.by(mine)) == (BOTH, set())
        after = await alice.book(chen, "audio")
        await clinician.listen(again := Heard())
        await clinician.hush()
        assert heard.by(after) == again.by(after) == set()

    tell(clinic, story)


def test_what_is_pushed_to_everybody_is_heard() -> None:
    """In a clinic that pushes to everybody of the region another clinician hears of the booking, by both channels."""

    async def story(people: Practice) -> None:
        chen, _ = await people.person("chen", "clinician")
        dana, other = await people.person("dana", "clinician")
        _, alice = await people.person("alice", "patient")
        await other.listen(heard := Heard())
        theirs, own = await alice.book(chen, "audio"), await alice.book(dana, "audio")
        await other.hush()
        assert heard.by(theirs) == heard.by(own) == BOTH

    with practice("live-topic-unfiltered") as flawed:
        tell(flawed, story)


def test_a_clinic_that_dies_is_no_silence() -> None:
    """Whoever listened to a clinic that was killed in between is told so: nobody knows what they would have heard."""

    async def story(people: Practice) -> None:
        _, clinician = await people.person("chen", "clinician")
        await clinician.listen(Heard())
        mortal.process.kill()
        with pytest.raises(TargetError) as caught:
            await clinician.hush()
        assert not caught.value.definite

    with practice() as mortal:
        tell(mortal, story)


def test_listening_takes_a_session(clinic: Service) -> None:
    """Who is not signed in is refused the channels; an operator has none, and hushing without listening is no fault."""

    async def story(people: Practice) -> None:
        nobody = people.hands(people.account("nobody"), "patient")
        with pytest.raises(TargetError, match=rf"{LIVE_UPDATES}.*1008|{EVENT_STREAM}.*401"):
            await nobody.listen(Heard())
        await nobody.hush()
        _, olga = await people.person("olga", "operator")
        await olga.listen(Heard())
        await olga.hush()

    tell(clinic, story)


def test_a_crowd_listens_beside_its_requests(clinic: Service) -> None:
    """More people than a pool has connections for requests listen at once, and all of them can still ask."""

    async def story(people: Practice) -> None:
        crowd = [(await people.person(f"pat{number}", "patient"))[1] for number in range(40)]
        await asyncio.gather(*(each.listen(Heard()) for each in crowd))
        await asyncio.gather(*(each.features() for each in crowd))
        await asyncio.gather(*(each.hush() for each in crowd))

    tell(clinic, story)


@dataclass(slots=True)
class Server:
    """A server of one inbox and two channels, which pushes by some of them and ends some."""

    pushes: set[str] = field(default_factory=lambda: set(BOTH))
    ends: str = ""
    is_ready: bool = True
    late_s: float = 0.0
    _posted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [
            web.get("/notices", self.inbox),
            web.get("/notices/live", self.live),
            web.get("/notices/stream", self.stream),
        ]

    def post(self) -> None:
        """Put a notice into the inbox."""
        self._posted.set()

    async def inbox(self, _: web.Request) -> web.Response:
        """List it, once it is there."""
        return web.json_response({"items": [{"id": "notice-1"}] if self._posted.is_set() else [], "next": None})

    async def live(self, request: web.Request) -> web.WebSocketResponse:
        """Serve the WebSocket."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive_str()

        async def say(message: object) -> None:
            await socket.send_str(json.dumps(message))

        await self._talk(LIVE_UPDATES, say)
        if self.ends == LIVE_UPDATES:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
        await socket.receive()
        return socket

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Serve the events, and comments between them."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)

        async def say(message: object) -> None:
            await response.write(f": no news\n\ndata: {json.dumps(message)}\n\n".encode())

        await self._talk(EVENT_STREAM, say)
        if self.ends != EVENT_STREAM:
            await asyncio.sleep(60)
        return response

    async def _talk(self, channel: str, say: Callable[[object], Awaitable[None]]) -> None:
        if self.is_ready:
            await say({"type": "ready"})
        await self._posted.wait()
        await asyncio.sleep(self.late_s)
        if channel in self.pushes:
            await say({"id": "notice-1", "text": "Your call has ended."})


def against(server: Server, use: Callable[[ClinicDriver], Awaitable[None]]) -> None:
    """Let a patient's hands use such a server."""

    async def serve() -> None:
        application = web.Application()
        application.add_routes(server.routes)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        pool = Pool(f"http://{host}:{port}")
        driver = ClinicDriver(pool.session("alice"), "alice~+", "alice", "patient")
        try:
            async with asyncio.timeout(30):
                await use(driver)
        finally:
            await driver.close()
            await pool.close()
            await runner.cleanup()

    asyncio.run(serve())


@pytest.mark.parametrize("silent", sorted(BOTH))
def test_a_notice_that_is_not_pushed_is_told(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the inbox and comes by one channel only was lost by the other, which is named."""
    monkeypatch.setattr(listening, "COMES_S", SOON_S)
    server = Server(pushes=BOTH - {silent})

    async def use(driver: ClinicDriver) -> None:
        await driver.listen(heard := Heard())
        server.post()
        with pytest.raises(TargetError, match=f"{silent}: 1 of 1 notices did not come") as caught:
            await driver.hush()
        assert not caught.value.definite
        assert heard.by("ended") == BOTH - {silent}

    against(server, use)


@pytest.mark.parametrize("ends", sorted(BOTH))
def test_a_channel_that_breaks_is_told(ends: str) -> None:
    """A channel that the target ends in between is told as what it is, without waiting for what it owes."""
    server = Server(pushes=BOTH - {ends}, ends=ends)

    async def use(driver: ClinicDriver) -> None:
        await driver.listen(Heard())
        server.post()
        with pytest.raises(TargetError, match=f"{ends}: the target") as caught:
            await driver.hush()
        assert not caught.value.definite

    against(server, use)


def test_all_that_was_owed_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pushed a while after it was posted is waited for, and then there is nothing to be told."""
    monkeypatch.setattr(listening, "COMES_S", 30.0)
    server = Server(late_s=SOON_S)

    async def use(driver: ClinicDriver) -> None:
        await driver.listen(heard := Heard())
        server.post()
        await driver.hush()
        assert heard.by("ended") == BOTH

    against(server, use)


def test_a_channel_that_does_not_open_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never says that it is ready is waited for with a bound, and then no channel stays open."""
    monkeypatch.setattr(listening, "READY_S", SOON_S)

    async def use(driver: ClinicDriver) -> None:
        with pytest.raises(TargetError, match="not open within") as caught:
            await driver.listen(Heard())
        assert not caught.value.definite
        await driver.hush()

    against(Server(is_ready=False), use)
