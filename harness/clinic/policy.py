"""Who may do and see what: the whole of it, each rule a function that is True when it is allowed."""

from __future__ import annotations

from typing import Protocol

from . import features
from .state import Person

OFFERS = {"video": features.VIDEO_UPGRADE, "audio": features.VIDEO_DOWNGRADE}


class Meeting(Protocol):
    """What a rule needs to know of a consultation."""

    @property
    def patient(self) -> str:
        """The patient's username."""

    @property
    def clinician(self) -> str:
        """The clinician's username."""

    @property
    def status(self) -> str:
        """`booked`, `live` or `ended`."""


def may_book(person: Person) -> bool:
    """Only patients book."""
    return person.role == "patient"


def may_see_consultation(person: Person, meeting: Meeting) -> bool:
    """A consultation exists for its patient and its clinician, and for nobody else."""
    return person.username in (meeting.patient, meeting.clinician)


def may_switch(person: Person, medium: str) -> bool:
    """Each direction of the switch is offered by a flag of its own, to the one who asks."""
    return person.has(OFFERS[medium])


def may_upload(person: Person, meeting: Meeting) -> bool:
    """A participant records while the consultation is live."""
    return may_see_consultation(person, meeting) and meeting.status == "live"


def may_continue_upload(person: Person, made_by: str) -> bool:
    """An upload is its maker's alone."""
    return person.username == made_by


def may_open_replays(person: Person) -> bool:
    """The kill switch: while it is off for somebody, they replay nothing, their own included."""
    return person.has(features.REPLAY_ACCESS)


def may_replay(person: Person, meeting: Meeting) -> bool:
    """Recordings of an ended consultation are replayed by its participants."""
    return may_see_consultation(person, meeting) and meeting.status == "ended"
