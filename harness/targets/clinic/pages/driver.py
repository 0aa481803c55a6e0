"""One user's hands on the clinic's pages: a browser that does what a person does, and sees what a person sees."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from harness.drivers.base import Clip
from harness.drivers.browser import Session
from harness.drivers.surfaces import Surface, View
from harness.errors import TargetError
from harness.model import Medium, Recording, Role
from harness.targets.clinic import surfaces, verbs
from harness.targets.clinic.pages import call, entrance, replays
from harness.targets.clinic.pages.devices import Device, Devices
from harness.targets.clinic.pages.shown import Shown, contradictions
from harness.targets.clinic.shared import PASSWORD, finished_recordings, insurer, member_number


class Browser(Protocol):
    """Gives people their sessions in a browser, for example `harness.drivers.browser.Chromium`."""

    async def session(self, actor: str) -> Session:
        """Return a fresh session, with a page that has not loaded anything yet."""


class ClinicPages:
    """A driver of the clinic by its pages. It means the same as `ClinicDriver`, and is made of clicks.

    A page is in one call at most, so whoever holds several calls at once holds them on several devices: sessions of
    the browser, each signed in by the form. What the pages refuse, in words or by not offering it, is a definite
    TargetError; a page that does not come to show what it should within its time is not. For what the pages have no
    button, and for what they show of it in part only, requests are made in the page's own session.
    """

    def __init__(self, browser: Browser, account: str, name: str, role: Role) -> None:
        self._browser = browser
        self._account = account
        self._name = name
        self._role = role
        self._called = name.title()
        self._devices = Devices(self._session, lambda device: entrance.sign_in(device, account, PASSWORD))
        self._left: set[str] = set()
        self._listed: set[str] = set()
        self._shown = Shown()
        self._unanswered: TargetError | None = None

    def shown(self) -> Shown:
        """Return what this user was shown last; raises TargetError where the badge had no answer."""
        if self._unanswered:
            raise self._unanswered
        return self._shown

    def introduce(self, name: str) -> None:
        """Take the name that others read, of 1 to 200 characters."""
        self._called = name

    async def enrol(self) -> None:
        """Open an account at the entrance, which also signs in. A trial's patients have one member number."""
        payer = insurer(self._name).partition(":")[2] if self._role == "patient" else ""
        person = entrance.Person(self._account, PASSWORD, self._called, self._role, payer, member_number(self._account))
        async with self._devices.first() as device:
            await entrance.open_account(device, person)

    async def features(self) -> Mapping[str, str]:
        """Return the flags as the clinic evaluates them for this user, asked in the page's session."""
        return dict(await self._devices.any.json("/me/features"))

    async def book(self, clinician: str, medium: Medium) -> str:
        """Book a consultation for now on the page of one's consultations; return its id."""
        async with self._devices.at_home() as device:
            return await entrance.book(device, clinician, medium)

    async def join(self, consultation: str) -> None:
        """Open the call and join it; being in it already is no fault."""
        if await self._devices.is_in(consultation):
            return
        device = await self._devices.take(consultation)
        try:
            await call.join(device, consultation)
        except BaseException:
            device.use = ""
            raise
        self._left.discard(consultation)

    async def switch(self, consultation: str, medium: Medium) -> None:
        """Press the button that changes the call's medium."""
        await call.switch(self._in_call(consultation, f"switch to {medium}"), medium)

    async def send(self, consultation: str, medium: Medium, clip: Clip) -> None:
        """Show the clip's canary to camera and microphone until it was sent; nothing is emitted before and after."""
        await call.send(self._in_call(consultation, f"send {medium}"), medium, clip.live())

    async def leave(self, consultation: str) -> None:
        """Leave the call; who has left may leave again."""
        if consultation in self._left:
            return
        device = self._in_call(consultation, "leave the call")
        await call.leave(device)
        self._left.add(consultation)
        device.use = ""

    async def end(self, consultation: str) -> None:
        """End the call for everybody."""
        device = self._in_call(consultation, "end the call")
        await call.end(device)
        device.use = ""

    async def recordings(self, consultation: str) -> Sequence[Recording]:
        """Return what the clinic recorded in a consultation of one's own, once its worker has finished all of it."""
        return await finished_recordings(self._devices.any.json, consultation)

    async def replays(self) -> Sequence[Recording]:
        """Return what the page of Consultation Replays lists, to its end.

        Raises TargetError, not definite, where it contradicts itself or a replay's own page that was opened before:
        of two words for one thing nobody can say which is true. A list with something new is returned all the same,
        for what is new may be worse than a contradiction.
        """
        async with self._devices.at_home() as device:
            entries, total = await replays.read_list(device)
            badge, self._unanswered = None, None
            try:
                badge = await replays.badge_of(device)
            except TargetError as error:  # the list itself stands all the same
                self._unanswered = error
        self._shown = replace(self._shown, badge=badge, total=total, entries=tuple(entries))
        listed = {entry.recording: entry.as_recording for entry in entries}
        found = contradictions(self._shown)
        if found and listed.keys() <= self._listed:
            raise TargetError(f"the replay list: {found[0]}", definite=False)
        self._listed |= listed.keys()
        return list(listed.values())

    async def open(self, recording: str) -> bytes:
        """Play a replay on its own page and return what the player plays; where that is refused, its bytes alone."""
        async with self._devices.at_home() as device:
            try:
                page, data = await replays.play(device, recording)
            except TargetError as error:
                if not error.definite:
                    raise
                return await replays.media_of(device, recording)
        self._shown = replace(self._shown, pages={**self._shown.pages, recording: page})
        return data

    def surfaces(self) -> Sequence[Surface]:
        """Return where somebody of this role meets media or data beside the replay list."""
        return surfaces.OF[self._role]

    async def look(self, surface: str, about: str = "") -> View:
        """Look at a surface in the page's session, pages of lists followed to the end."""
        return await surfaces.look(self._devices.any.ask, surface, about)

    async def share(self, recording: str, carer: str) -> None:
        """Share a recording with a carer."""
        await verbs.share(self._devices.any.ask, recording, carer)

    async def revoke(self, recording: str, carer: str) -> None:
        """Take a share back."""
        await verbs.revoke(self._devices.any.ask, recording, carer)

    async def hand_over(self, consultation: str, clinician: str) -> None:
        """Hand a live consultation over."""
        await verbs.hand_over(self._devices.any.ask, consultation, clinician)

    async def prescribe(self, consultation: str, medicine: str) -> None:
        """Prescribe a medicine, at most 200 characters."""
        await verbs.prescribe(self._devices.any.ask, consultation, medicine)

    async def choose_pharmacy(self, pharmacist: str) -> None:
        """Choose the pharmacy of a pharmacist who has enrolled."""
        await verbs.choose_pharmacy(self._devices.any.ask, pharmacist)

    async def measure(self, words: str) -> None:
        """Record a measurement with these words for its unit, at most 40 characters."""
        await verbs.measure(self._devices.any.ask, words)

    async def keep_evidence(self, directory: Path, foreign: Collection[str]) -> None:
        """Write what each device shows and did into the directory; last the replay list, if it has what is foreign."""
        for device in self._devices.all:
            await device.session.keep_evidence(directory)
        if foreign:
            with suppress(TargetError):  # a page that is gone shows nothing more, and has been kept as it was
                async with self._devices.at_home() as device:
                    entries, _ = await replays.read_list(device)
                    if any(entry.recording in foreign for entry in entries):
                        await replays.mark(device, foreign)
                        await device.session.picture(directory / f"{self._name}.replays.png")

    async def close(self) -> None:
        """Put all devices away."""
        for device in self._devices.all:
            await device.session.close()

    async def _session(self, number: int) -> Session:
        session = await self._browser.session(self._name if number == 1 else f"{self._name}.{number}")
        session.hide(PASSWORD)
        return session

    def _in_call(self, consultation: str, what: str) -> Device:
        device = self._devices.of(consultation)
        if device is None:
            raise call.not_in_the_call(what)
        return device
