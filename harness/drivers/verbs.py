"""Verbs that a driver may have beyond the consultation itself: each has a role that does it.

Every method raises TargetError when the target refuses or is silent. A story that asks for a verb which its target's
hands lack is broken, and says so.
"""

from __future__ import annotations

from typing import Protocol


class Introduces(Protocol):
    """A driver whose user has a name that others read."""

    def introduce(self, name: str) -> None:
        """Say what the account is to be called, before `enrol`."""


class Shares(Protocol):
    """A patient's hands on who else sees their recordings."""

    async def share(self, recording: str, carer: str) -> None:
        """Share a recording with the carer who has this account."""

    async def revoke(self, recording: str, carer: str) -> None:
        """Take a share back."""


class CaresFor(Protocol):
    """A carer's hands: a carer may have to be told, before `enrol`, for whom they care."""

    def care_for(self, patient: str) -> None:
        """Take the name, as the story has it, of the patient for whom this user cares."""


class HandsOver(Protocol):
    """A clinician's hands on a consultation that goes on with another clinician."""

    async def hand_over(self, consultation: str, clinician: str) -> None:
        """Hand a live consultation over to the clinician who has this account."""


class Prescribes(Protocol):
    """A clinician's hands on prescriptions."""

    async def prescribe(self, consultation: str, medicine: str) -> None:
        """Prescribe in one's own consultation."""


class ChoosesPharmacy(Protocol):
    """A patient's hands on where their prescriptions go."""

    async def choose_pharmacy(self, pharmacist: str) -> None:
        """Choose the pharmacy at which the pharmacist who has this account works."""


class Measures(Protocol):
    """A patient's hands on what they measure at home."""

    async def measure(self, words: str) -> None:
        """Record a measurement; the words stand where the target keeps words of one."""


class SwitchesReplays(Protocol):
    """An operator's hands on the kill switch."""

    async def switch_replays(self, *, is_open: bool) -> None:
        """Open replay access for everybody, or close it."""


def takes_captions(driver: object) -> bool:
    """True for a driver whose `takes_captions` says that `send` hands a clip's caption to the target."""
    return bool(getattr(driver, "takes_captions", False))
