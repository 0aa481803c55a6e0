"""Consultation Replays: what a user may watch again, as a list, in detail, and as bytes."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from . import flaws, policy
from .errors import ApiError, answers, not_found
from .features import REPLAY_CACHE, REPLAY_INDEX_V2, REPLAY_PAGING, VIDEO_UPGRADE
from .state import Me, Medium, Person

PAGE_SIZES = {"off": 20, "small": 2, "large": 50}
FIRST = 2**62

router = APIRouter(prefix="/replays", tags=["consultation replays"])


class Replay(BaseModel):
    """A recording that the viewer may watch again."""

    id: str
    consultation: str
    title: str
    medium: Medium
    recorded_at: Annotated[str, Field(description="RFC 3339, UTC.")]


class ReplayDetail(Replay):
    """One replay: with whom the consultation was, and how many bytes the recording has."""

    with_: Annotated[str, Field(alias="with")]
    size: int


class ReplayPage(BaseModel):
    """A page of replays, newest first; `next` is the cursor of the next page, null on the last."""

    items: list[Replay]
    next: str | None
    total: int


@dataclass(frozen=True, slots=True)
class Row:
    """A recording with its consultation, as both are stored."""

    seq: int
    id: str
    consultation: str
    medium: Medium
    recorded_at: str
    content_type: str
    size: int
    patient: str
    clinician: str
    status: str
    patient_name: str
    clinician_name: str

    def _title(self, viewer: str) -> str:
        other = self.clinician_name if viewer == self.patient else self.patient_name
        return f"{self.medium.capitalize()} consultation with {other}"

    def listed(self, viewer: str) -> Replay:
        """Return what the viewer's list says of it."""
        return Replay(
            id=self.id,
            consultation=self.consultation,
            title=self._title(viewer),
            medium=self.medium,
            recorded_at=self.recorded_at,
        )

    def detailed(self, viewer: str) -> ReplayDetail:
        """Return what its own page says of it."""
        other = self.clinician if viewer == self.patient else self.patient
        listed = self.listed(viewer).model_dump()
        return ReplayDetail.model_validate(listed | {"with": other, "size": self.size})


@dataclass(frozen=True, slots=True)
class Source:
    """Where a viewer's replays are read from: SQL for their numbers, and whether the policy judges each."""

    numbers: str
    judged: bool = True


JOIN = Source(
    "SELECT r.seq FROM recordings r JOIN consultations c ON c.id = r.consultation"
    " WHERE c.status = 'ended' AND (c.patient = :viewer OR c.clinician = :viewer)"
)
INDEX = Source("SELECT recording FROM replay_index WHERE viewer = :viewer")
VIDEO_BRANCH = Source(
    "SELECT DISTINCT recording FROM replay_index WHERE viewer = :viewer OR medium = 'video'", judged=False
)

SELECT = (
    "SELECT r.seq, r.id, r.consultation, r.medium, r.recorded_at, r.content_type, r.size,"
    " c.patient, c.clinician, c.status, p.name, d.name"
    " FROM recordings r JOIN consultations c ON c.id = r.consultation"
    " JOIN accounts p ON p.username = c.patient JOIN accounts d ON d.username = c.clinician"
)


def _source(me: Person) -> Source:
    """Choose where this person's replays are read from; 403 while the kill switch is off for them."""
    indexed = me.has(REPLAY_INDEX_V2)
    if indexed and flaws.VIDEO_BRANCH_SKIPS_OWNER in me.clinic.flaws and _switched_to_video(me):
        return VIDEO_BRANCH
    if not policy.may_open_replays(me):
        raise ApiError(403, "replays-off", "Consultation Replays are switched off.")
    return INDEX if indexed else JOIN


def _switched_to_video(me: Person) -> bool:
    """True when video-upgrade is on for a patient who has booked audio and was switched to video."""
    switched = me.clinic.store.find(
        "SELECT 1 FROM consultations WHERE patient = ? AND booked_medium = 'audio' AND switched_to_video",
        me.username,
    )
    return switched is not None and me.has(VIDEO_UPGRADE)


def _rows(me: Person, source: Source, rest: str, **parameters: str | int) -> list[Row]:
    query = f"{SELECT} WHERE r.seq IN ({source.numbers}) AND {rest}"
    rows = [Row(*each) for each in me.clinic.store.db.execute(query, {"viewer": me.username} | parameters)]
    return [row for row in rows if not source.judged or policy.may_replay(me, row)]


def _page(me: Person, source: Source, before: int, size: int) -> ReplayPage:
    """Return up to `size` replays that are older than the number `before`."""
    rest = "r.seq < :before ORDER BY r.seq DESC LIMIT :limit"
    rows = _rows(me, source, rest, before=before, limit=size + 1)
    count = f"SELECT count(*) FROM ({source.numbers})"  # noqa: S608 - our own words
    (total,) = me.clinic.store.db.execute(count, {"viewer": me.username}).fetchone()
    shown = rows[:size]
    return ReplayPage(
        items=[row.listed(me.username) for row in shown],
        next=_cursor_after(shown[-1]) if len(rows) > size else None,
        total=total,
    )


def _cursor_after(row: Row) -> str:
    return base64.urlsafe_b64encode(row.seq.to_bytes(8)).decode().rstrip("=")


def _before(cursor: str) -> int:
    """Return the number that a cursor stands for; 422 for one that was never given out."""
    try:
        return min(int.from_bytes(base64.b64decode(cursor + "=", altchars=b"-_", validate=True)), FIRST)
    except (binascii.Error, ValueError) as error:
        raise ApiError(422, "bad-cursor", "The cursor is not one that the clinic gave out.") from error


Cursor = Annotated[str | None, Query(max_length=11, description="`next` of the page before.")]


@router.get("", summary="List my replays", responses=answers(401, 403))
async def list_replays(me: Me, cursor: Cursor = None) -> ReplayPage:
    """List the recordings of one's own ended consultations, a page at a time, newest first."""
    source = _source(me)
    before = _before(cursor) if cursor else FIRST
    cached = source.judged and me.has(REPLAY_CACHE)
    size = PAGE_SIZES.get(me.variant(REPLAY_PAGING), PAGE_SIZES["off"])
    if not cached:
        return _page(me, source, before, size)
    return me.clinic.replay_cache.get(me.username, (source, before, size), lambda: _page(me, source, before, size))


def _find(me: Person, replay: str) -> Row:
    rows = _rows(me, _source(me), "r.id = :id", id=replay)
    if not rows:
        raise not_found("replay")
    return rows[0]


@router.get("/{replay}", summary="Show a replay", responses=answers(401, 403, 404))
async def show_replay(replay: str, me: Me) -> ReplayDetail:
    """Show one replay of the signed-in user's."""
    return _find(me, replay).detailed(me.username)


MEDIA = {
    content_type: {"schema": {"type": "string", "format": "binary"}} for content_type in ("video/webm", "audio/webm")
}


@router.get(
    "/{replay}/media",
    summary="Play a replay",
    response_class=Response,
    responses={**answers(401, 403, 404), 200: {"description": "The recording.", "content": MEDIA}},
)
async def play_replay(replay: str, me: Me) -> Response:
    """Serve a replay's bytes with the content type that they were uploaded with."""
    row = _find(me, replay)
    (content,) = me.clinic.store.one("SELECT bytes FROM media WHERE recording = ?", row.seq)
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=row.content_type, headers=headers)
