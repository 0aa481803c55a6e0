"""Who was affected: what the access log tells of recordings that somebody met without a right to them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from harness.clinic.base.state import Clinic
from harness.clinic.base.store import Row

EXAMINED = 20_000
MAX_AFFECTED = 1_000

RECORDINGS = "(SELECT id, consultation FROM recordings UNION ALL SELECT id, consultation FROM deleted_recordings) r"


Degree = Literal["presented", "opened"]


class Affected(BaseModel):
    """That somebody met a recording of the owner's without a right to it: to which degree, since when, how often."""

    viewer: str
    recording: str
    owner: Annotated[str | None, Field(description="The patient of its consultation.")]
    degree: Degree
    first_at: str
    times: int


@dataclass(slots=True)
class _Met:
    """What one viewer had of one recording."""

    first_at: str
    degree: Degree = "presented"
    times: int = 0

    def add(self, degree: Degree) -> None:
        self.times += 1
        if degree == "opened":
            self.degree = degree


def judge(clinic: Clinic, after: int) -> tuple[list[Affected], int | None]:
    """Read a stretch of the log after an entry: who met what without a right to it, and where more is to be read."""
    log = clinic.store.all(
        "SELECT seq, viewer, act, recordings, at FROM access_log WHERE seq > ? AND act IN ('presented', 'opened')"
        " ORDER BY seq LIMIT ?",
        after,
        EXAMINED,
    )
    met: dict[tuple[str, str], _Met] = {}
    foreign = _foreign(clinic)
    read_to, is_cut = 0, len(log) == EXAMINED
    for read_to, viewer, act, recordings, at in log:  # noqa: B007 - needed after the loop
        for recording in foreign(viewer, recordings, at):
            met.setdefault((viewer, recording), _Met(at)).add(act)
        if len(met) >= MAX_AFFECTED:
            is_cut = True
            break
    items = [
        Affected(
            viewer=viewer,
            recording=recording,
            owner=_owner(clinic, recording),
            degree=each.degree,
            first_at=each.first_at,
            times=each.times,
        )
        for (viewer, recording), each in met.items()
    ]
    return items, read_to if is_cut else None


def _foreign(clinic: Clinic) -> Callable[[str, str, str], Collection[str]]:
    """Return what tells which recordings of one entry of the log its viewer had no right to at that time."""

    @functools.cache
    def entitled(viewer: str) -> set[str]:
        rows = clinic.store.all(
            f"SELECT r.id FROM {RECORDINGS} JOIN participants p ON p.consultation = r.consultation"  # noqa: S608 - our own words
            " WHERE p.username = ?",
            viewer,
        )
        return {recording for (recording,) in rows}

    @functools.cache
    def shares(viewer: str) -> list[Row]:
        return clinic.store.all("SELECT recording, since, until FROM shares WHERE carer = ?", viewer)

    # Somebody who looks at the same list again and again is judged once.
    @functools.cache
    def without_part(viewer: str, recordings: str) -> list[str]:
        return [recording for recording in json.loads(recordings) if recording not in entitled(viewer)]

    def foreign(viewer: str, recordings: str, at: str) -> list[str]:
        return [
            each
            for each in without_part(viewer, recordings)
            if not any(each == shared and since <= at <= (until or at) for shared, since, until in shares(viewer))
        ]

    return foreign


def _owner(clinic: Clinic, recording: str) -> str | None:
    found = clinic.store.find(
        f"SELECT c.patient FROM {RECORDINGS} JOIN consultations c ON c.id = r.consultation WHERE r.id = ?",  # noqa: S608 - our own words
        recording,
    )
    return found[0] if found else None
