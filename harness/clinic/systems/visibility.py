"""Which recordings are a viewer's replays: SQL chooses them, the policy judges each.

A flaw puts another query in the place of the sound one and leaves the judging out.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.clinic import flaws, policy
from harness.clinic.base.errors import ApiError, not_found
from harness.clinic.base.features import REPLAY_INDEX_V2, REPLAY_PAGING, VIDEO_UPGRADE
from harness.clinic.base.state import Layout, Medium, Person

from . import operations


@dataclass(frozen=True, slots=True)
class Row:
    """A recording with its consultation, as both are stored."""

    seq: int
    id: str
    consultation: str
    medium: Medium
    layout: Layout | None
    recorded_at: str
    content_type: str
    size: int
    media: str
    thumbnail_key: str | None
    patient: str
    clinician: str
    region: str
    status: str
    patient_name: str
    clinician_name: str
    maker_name: str | None
    takes_part: int
    is_shared: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where a viewer's replays are read from: SQL for their numbers, and whether the policy judges each."""

    numbers: str
    parameters: tuple[str, ...]
    judged: bool = True

    def or_else(self, other: Source) -> Source:
        """Return the source of what either of two has."""
        both = f"{self.numbers} UNION {other.numbers}"
        return Source(both, self.parameters + other.parameters, self.judged and other.judged)


JOIN = "SELECT r.seq FROM participants p JOIN recordings r ON r.consultation = p.consultation WHERE p.username = ?"
INDEX = "SELECT recording FROM replay_index WHERE payer = ? AND member_number = ?"
SHARED = "SELECT r.seq FROM shares s JOIN recordings r ON r.id = s.recording WHERE s.carer = ? AND s.until IS NULL"
BY_CLINICIAN_AND_DAY = (
    "SELECT r.seq FROM recordings r JOIN consultations c ON c.id = r.consultation WHERE EXISTS ("
    " SELECT 1 FROM participants p JOIN consultations mine ON mine.id = p.consultation WHERE p.username = ?"
    " AND mine.clinician = c.clinician AND substr(mine.starts_at, 1, 10) = substr(c.starts_at, 1, 10))"
)
VIDEO_BRANCH = "SELECT recording FROM replay_index WHERE (payer = ? AND member_number = ?) OR medium = 'video'"
WITHOUT_OWNER = "SELECT recording FROM replay_index WHERE (payer = ? AND member_number = ?) OR payer IS NULL"
WITHOUT_INSURER = "SELECT recording FROM replay_index WHERE member_number = ?"
EVERYBODYS = "SELECT seq FROM recordings"

SELECT = (
    "SELECT r.seq, r.id, r.consultation, r.medium, r.layout, r.recorded_at, r.content_type, r.size, r.media,"
    " r.thumbnail, c.patient, c.clinician, c.region, c.status, p.name, d.name, m.name,"
    " (SELECT count(*) FROM participants t WHERE t.consultation = c.id AND t.username = ?),"
    " (SELECT count(*) FROM shares s WHERE s.recording = r.id AND s.carer = ? AND s.until IS NULL)"
    " FROM recordings r JOIN consultations c ON c.id = r.consultation"
    " JOIN accounts p ON p.username = c.patient JOIN accounts d ON d.username = c.clinician"
    " LEFT JOIN accounts m ON m.username = r.made_by WHERE r.status = 'ready' AND c.status = 'ended'"
)


def _require_open(me: Person) -> None:
    """Raise 403 while a kill switch is off for this person."""
    if not policy.may_open_replays(me, is_open=operations.replays_open(me.clinic)):
        raise ApiError(403, "replays-off", "Consultation Replays are switched off.")


def source(me: Person) -> Source:
    """Choose where this person's replays are read from; 403 while the kill switch is off for them."""
    clinic, indexed = me.clinic, me.has(REPLAY_INDEX_V2)
    member = (me.payer, me.member_number)
    if indexed and clinic.has_flaw(flaws.VIDEO_BRANCH_SKIPS_OWNER) and _switched_to_video(me):
        return Source(VIDEO_BRANCH, member, judged=False)
    _require_open(me)
    is_judged = not clinic.has_flaw(flaws.WORKER_DEFAULT_TENANT)
    chosen = Source(INDEX, member, is_judged) if indexed else Source(JOIN, (me.username,))
    if indexed and clinic.has_flaw(flaws.INSURER_IGNORED_ON_V2):
        chosen = Source(WITHOUT_INSURER, (me.member_number,), judged=False)
    if indexed and clinic.has_flaw(flaws.NULL_OWNER_IS_EVERYBODYS):
        chosen = Source(WITHOUT_OWNER, member, judged=False)
    if not indexed and clinic.has_flaw(flaws.LIST_BY_CLINICIAN_AND_DAY) and me.variant(REPLAY_PAGING) == "large":
        chosen = Source(BY_CLINICIAN_AND_DAY, (me.username,), judged=False)
    return chosen.or_else(Source(SHARED, (me.username,))) if policy.may_see_shared(me) else chosen


def _switched_to_video(me: Person) -> bool:
    """True when video-upgrade is on for a patient who has booked audio and was switched to video."""
    switched = me.clinic.store.find(
        "SELECT 1 FROM consultations WHERE patient = ? AND booked_medium = 'audio' AND switched_to_video = 1",
        me.username,
    )
    return switched is not None and me.has(VIDEO_UPGRADE)


def rows(me: Person, of: Source, rest: str, *parameters: str | int) -> list[Row]:
    """Return the finished recordings of ended consultations in a source, as the rest of the query chooses them."""
    query = f"{SELECT} AND r.seq IN ({of.numbers}) {rest}"
    viewer = (me.username, me.username)
    found = [Row(*each) for each in me.clinic.store.all(query, *viewer, *of.parameters, *parameters)]
    return [row for row in found if not of.judged or policy.may_replay(me, row)]


def count(me: Person, of: Source) -> int:
    """Return how many finished recordings of ended consultations a source has."""
    query = (
        "SELECT count(*) FROM recordings r JOIN consultations c ON c.id = r.consultation"  # noqa: S608 - our own words
        f" WHERE r.status = 'ready' AND c.status = 'ended' AND r.seq IN ({of.numbers})"
    )
    return int(me.clinic.store.one(query, *of.parameters)[0])


def find(me: Person, replay: str) -> Row:
    """Return one replay of this person's; 404 when it is unknown or not theirs, 403 while replays are off."""
    found = rows(me, source(me), "AND r.id = ?", replay)
    if me.clinic.has_flaw(flaws.REVOKED_SHARE_STILL_OPENS):
        if found and found[0].is_shared:
            me.clinic.carers.add((me.username, replay))
        elif (me.username, replay) in me.clinic.carers:
            return find_unchecked(me, replay)
    if not found:
        raise not_found("replay")
    return found[0]


def find_unchecked(me: Person, replay: str) -> Row:
    """Return a replay, whosoever it is: for flaws alone."""
    found = rows(me, Source(EVERYBODYS, (), judged=False), "AND r.id = ?", replay)
    if not found:
        raise not_found("replay")
    return found[0]


def participants_of(me: Person, row: Row) -> list[str]:
    """Return who took part in a recording's consultation."""
    found = me.clinic.store.all(
        "SELECT username FROM participants WHERE consultation = ? ORDER BY username", row.consultation
    )
    return [username for (username,) in found]
