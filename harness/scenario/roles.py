"""Who can be in a cast, and what only they do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from harness.drivers.verbs import ChoosesPharmacy, HandsOver, Measures, Prescribes, Shares, SwitchesReplays
from harness.errors import TargetError, UsageError
from harness.ledger import Action
from harness.model import Medium, Recording, Role
from harness.scenario.actor import Actor
from harness.scenario.visit import CALLS_PER_TRIAL, Visit


class Pharmacist(Actor):
    """A pharmacist, at a pharmacy of their own, who sees the prescriptions that are sent there."""


class Carer(Actor):
    """Somebody who cares for the first patient of the cast, and sees of their recordings what is shared with them."""


class Clinician(Actor):
    """A clinician, who is booked by patients and takes part in their consultations."""

    async def prescribe(self, visit: Visit) -> None:
        """Prescribe in a visit; the prescription goes to the pharmacy that its patient has chosen."""
        hands = cast("Prescribes", self.able_to("prescribe"))
        to = [visit.patient.pharmacist] if isinstance(visit.patient, Patient) and visit.patient.pharmacist else []
        with self.writing("prescription", visit.call, visit=visit.name, to=to) as word:
            await hands.prescribe(visit.consultation, f"Placebo {word}")

    async def hand_over(self, visit: Visit, to: Clinician) -> None:
        """Hand a live call over to another clinician, who may join it from now on; both keep a part in it."""
        hands = cast("HandsOver", self.able_to("hand_over"))
        with self.recorded(Action.HAND_OVER, visit=visit.name, clinician=to.name):
            await hands.hand_over(visit.consultation, to.account)


@dataclass(slots=True, eq=False)
class Patient(Actor):
    """A patient, who books consultations and finds their recordings under Consultation Replays."""

    pharmacist: str = ""

    async def book(self, clinician: Clinician, *, medium: Medium) -> Visit:
        """Book a consultation with the clinician."""
        visits = self.stage.visits
        if len(visits) >= CALLS_PER_TRIAL:
            raise UsageError(f"{self.name} books visit {len(visits) + 1}: a scenario has at most {CALLS_PER_TRIAL}")
        visit = Visit(f"visit-{len(visits) + 1}", len(visits), medium, self.stage, self)
        visits.append(visit)
        data = {"visit": visit.name, "clinician": clinician.name, "medium": medium}
        with self.recorded(Action.BOOK, **data) as result:
            visit.consultation = await self.driver.book(clinician.account, medium)
            result.data["consultation"] = visit.consultation
            self.stage.registry.learn(visit.consultation, self.stage.trial, visit.name)
        return visit

    async def share(self, recording: Recording, carer: Carer) -> bool:
        """Share a recording of one's own with a carer; False when the target definitely refused.

        Whether the refusal was right under the trial's flags is the oracle's to say.
        """
        hands = cast("Shares", self.able_to("share"))
        try:
            with self.recorded(Action.SHARE, **self._shared(recording, carer)):
                await hands.share(recording.ref, carer.account)
        except TargetError as error:
            if not error.definite:
                raise
            return False
        return True

    async def revoke(self, recording: Recording, carer: Carer) -> None:
        """Take a share back: from now on the carer may no longer see the recording."""
        hands = cast("Shares", self.able_to("revoke"))
        with self.recorded(Action.REVOKE, **self._shared(recording, carer)):
            await hands.revoke(recording.ref, carer.account)

    async def choose_pharmacy(self, pharmacist: Pharmacist) -> None:
        """Choose the pharmacy to which one's prescriptions go from now on."""
        hands = cast("ChoosesPharmacy", self.able_to("choose_pharmacy"))
        with self.recorded(Action.CHOOSE, pharmacist=pharmacist.name):
            await hands.choose_pharmacy(pharmacist.account)
        self.pharmacist = pharmacist.name

    async def measure(self) -> None:
        """Record something that was measured at home."""
        hands = cast("Measures", self.able_to("measure"))
        with self.writing("metric") as word:
            await hands.measure(word)

    def _shared(self, recording: Recording, carer: Carer) -> dict[str, str]:
        """Return what a share is about; the visit is empty for a recording that is of none of the story."""
        visit = next((each.name for each in self.stage.visits if each.consultation == recording.consultation), "")
        return {"visit": visit, "recording": recording.ref, "carer": carer.name}


class Operator(Actor):
    """The target's operator, who can close replay access for everybody: such a story is played alone."""

    async def enrol(self) -> None:
        """Sign in, and see to it that replay access is open."""
        with self.recorded(Action.ENROL, account=self.account, number=self.number):
            await self.driver.enrol()
        await self._switch_replays(is_open=True)

    @asynccontextmanager
    async def replays_closed(self) -> AsyncIterator[None]:
        """Close replay access for everybody while the block runs."""
        await self._switch_replays(is_open=False)
        try:
            yield
        finally:
            await self._switch_replays(is_open=True)

    async def _switch_replays(self, *, is_open: bool) -> None:
        hands = cast("SwitchesReplays", self.able_to("switch_replays"))
        with self.recorded(Action.ACCESS, open=is_open):
            await hands.switch_replays(is_open=is_open)


ROLES: Mapping[type[Actor], Role] = {
    Patient: "patient",
    Clinician: "clinician",
    Carer: "carer",
    Pharmacist: "pharmacist",
    Operator: "operator",
}
