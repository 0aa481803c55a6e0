"""Who may do and see what, beyond a role: SQL narrows, these judge, each a function that is True when it is allowed.

A patient's payer (a public practice or a private insurer) and the region are tenants: no rule lets data cross them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from . import flaws
from .base import features
from .base.state import Person

OFFERS = {"video": features.VIDEO_UPGRADE, "audio": features.VIDEO_DOWNGRADE}


class Meeting(Protocol):
    """What a rule needs to know of a consultation."""

    @property
    def patient(self) -> str:
        """The patient's username."""

    @property
    def clinician(self) -> str:
        """The username of the clinician who has it now."""

    @property
    def region(self) -> str:
        """The region that it belongs to."""

    @property
    def participants(self) -> Collection[str]:
        """The usernames of all who have or had a part in it."""

    @property
    def present(self) -> Collection[str]:
        """The usernames of those who are in the call."""

    @property
    def status(self) -> str:
        """`booked`, `live`, `ended` or `cancelled`."""


class Replay(Protocol):
    """What a rule needs to know of a recording and of the person who asks for it."""

    @property
    def patient(self) -> str:
        """The patient of its consultation."""

    @property
    def region(self) -> str:
        """The region of its consultation."""

    @property
    def status(self) -> str:
        """The status of its consultation."""

    @property
    def takes_part(self) -> int:
        """Not 0 when who asks has or had a part in its consultation."""

    @property
    def is_shared(self) -> int:
        """Not 0 while it is shared with who asks."""


class Prescribed(Protocol):
    """What a rule needs to know of a prescription."""

    @property
    def patient(self) -> str:
        """The patient's username."""

    @property
    def clinician(self) -> str:
        """The username of the clinician who issued it."""

    @property
    def pharmacy(self) -> str:
        """The pharmacy that it went to."""

    @property
    def region(self) -> str:
        """The region of its consultation."""


def may_book(person: Person, clinician: Person) -> bool:
    """Only patients book, and only clinicians of their own region."""
    return person.role == "patient" and clinician.role == "clinician" and clinician.region == person.region


def may_see_consultation(person: Person, meeting: Meeting) -> bool:
    """A consultation exists for those who have or had a part in it, and for nobody else."""
    return person.username in meeting.participants and person.region == meeting.region


def may_move(person: Person, meeting: Meeting) -> bool:
    """Its patient cancels and reschedules a consultation that has not begun."""
    return person.username == meeting.patient and meeting.status == "booked"


def may_conduct(person: Person, meeting: Meeting) -> bool:
    """The patient and the clinician who has it now hold the call; one who has handed it over does not come back."""
    return person.username in (meeting.patient, meeting.clinician)


def may_switch(person: Person, medium: str) -> bool:
    """Each direction of the switch is offered by a flag of its own, to the one who asks."""
    return person.has(OFFERS[medium])


def may_hand_over(person: Person, meeting: Meeting, to: Person) -> bool:
    """The clinician of a live consultation hands it over to another one of the region."""
    is_theirs = person.username == meeting.clinician and meeting.status == "live"
    return is_theirs and to.role == "clinician" and to.region == meeting.region and to.username != person.username


def may_upload(person: Person, meeting: Meeting) -> bool:
    """A participant is recorded while the consultation is live."""
    return may_see_consultation(person, meeting) and meeting.status == "live"


def may_continue_upload(person: Person, made_by: str) -> bool:
    """An upload is its maker's alone."""
    return person.username == made_by


def may_call(person: Person, meeting: Meeting) -> bool:
    """Who is present in a live consultation sends and receives media."""
    return may_upload(person, meeting) and person.username in meeting.present


def may_open_replays(person: Person, *, is_open: bool) -> bool:
    """Two kill switches: the operator's for all, and the flag's; while one is off nobody replays even their own."""
    if person.clinic.has_flaw(flaws.OPEN_WHILE_FLAGS_ARE_DOWN) and not person.clinic.features.is_known:
        return is_open
    return is_open and person.has(features.REPLAY_ACCESS)


def may_replay(person: Person, replay: Replay) -> bool:
    """Recordings of an ended consultation are replayed by its participants, and by carers while they are shared."""
    is_own = bool(replay.takes_part) and replay.region == person.region
    return replay.status == "ended" and (is_own or (bool(replay.is_shared) and may_see_shared(person)))


def may_manage_replay(person: Person, replay: Replay) -> bool:
    """The patient of the consultation shares its recordings, and deletes them."""
    return person.username == replay.patient


def may_share(person: Person) -> bool:
    """Sharing with carers is offered by a flag, to the one who shares."""
    return person.has(features.CARER_SHARING)


def may_care(carer: Person, owner: Person) -> bool:
    """A carer is another patient of the same payer and region."""
    same_tenant = (carer.payer, carer.region) == (owner.payer, owner.region)
    return carer.role == "patient" and carer.username != owner.username and same_tenant


def may_see_shared(carer: Person) -> bool:
    """What was shared with a carer is there for them while sharing is offered to them, too."""
    return carer.has(features.CARER_SHARING)


def may_prescribe(person: Person, meeting: Meeting) -> bool:
    """The clinician prescribes in their own consultation, once it has begun."""
    return person.username == meeting.clinician and meeting.status in ("live", "ended")


def may_see_prescription(person: Person, paper: Prescribed, works_at: str | None) -> bool:
    """A prescription is seen by its patient, by who issued it, and by the pharmacists of the pharmacy it went to."""
    is_there = person.role == "pharmacist" and works_at == paper.pharmacy
    return person.region == paper.region and (person.username in (paper.patient, paper.clinician) or is_there)


def may_see_metrics(person: Person, patient: str, *, has_consulted: bool) -> bool:
    """Health metrics are seen by their patient and by clinicians who have consulted with the patient."""
    return person.username == patient or (person.role == "clinician" and has_consulted)


def may_receive(username: str, recipient: str) -> bool:
    """A notice is its recipient's alone, in the inbox, by mail and live."""
    return username == recipient
