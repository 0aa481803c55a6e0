"""Consultation Replays: what a user may watch again, as a list, in a search, in detail, and as bytes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from . import filing, flaws, operations, policy, recorder
from .errors import ApiError, answers, not_found
from .features import (
    EDGE_CACHE,
    REPLAY_ACCESS,
    REPLAY_CACHE,
    REPLAY_DETAIL_V2,
    REPLAY_INDEX_V2,
    REPLAY_PAGING,
    REPLAY_SEARCH,
    VIDEO_UPGRADE,
)
from .ranges import NO_STORE, partial
from .state import Layout, Me, Medium, Person

PAGE_SIZES = {"off": 20, "small": 2, "large": 50}
FIRST = 2**62
FRESH_S = 2
MAX_FOUND = 50

router = APIRouter(prefix="/replays", tags=["consultation replays"])


class Replay(BaseModel):
    """A recording that the viewer may watch again; a composite has a layout."""

    id: str
    consultation: str
    title: str
    medium: Medium
    recorded_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    layout: Layout | None


class ReplayDetail(Replay):
    """One replay: with whom the consultation was, how many bytes the recording has, and what goes with it."""

    with_: Annotated[str, Field(alias="with")]
    size: int
    thumbnail: bool
    transcript: bool = True


class ReplayPage(BaseModel):
    """A page of replays, newest first; `next` is the cursor of the next page, null on the last."""

    items: list[Replay]
    next: str | None
    total: int


class Found(BaseModel):
    """Replays that a search found, newest first: at most 50."""

    items: list[Replay]


class Count(BaseModel):
    """How many replays there are: the badge."""

    count: int


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
    takes_part: int
    is_shared: int

    def _title(self, viewer: str) -> str:
        other = self.clinician_name if viewer == self.patient else self.patient_name
        whole = ", whole" if self.layout else ""
        return f"{self.medium.capitalize()} consultation with {other}{whole}"

    def listed(self, viewer: str) -> Replay:
        """Return what the viewer's list says of it."""
        return Replay(
            id=self.id,
            consultation=self.consultation,
            title=self._title(viewer),
            medium=self.medium,
            recorded_at=self.recorded_at,
            layout=self.layout,
        )

    def detailed(self, viewer: str) -> ReplayDetail:
        """Return what its own page says of it."""
        other = self.clinician if viewer == self.patient else self.patient
        listed = self.listed(viewer).model_dump()
        more = {"with": other, "size": self.size, "thumbnail": self.thumbnail_key is not None}
        return ReplayDetail.model_validate(listed | more)


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
    " r.thumbnail, c.patient, c.clinician, c.region, c.status, p.name, d.name,"
    " (SELECT count(*) FROM participants t WHERE t.consultation = c.id AND t.username = ?),"
    " (SELECT count(*) FROM shares s WHERE s.recording = r.id AND s.carer = ? AND s.until IS NULL)"
    " FROM recordings r JOIN consultations c ON c.id = r.consultation"
    " JOIN accounts p ON p.username = c.patient JOIN accounts d ON d.username = c.clinician"
    " WHERE r.status = 'ready' AND c.status = 'ended'"
)


def require_open(me: Person) -> None:
    """Raise 403 while a kill switch is off for this person."""
    if not policy.may_open_replays(me, is_open=operations.replays_open(me.clinic)):
        raise ApiError(403, "replays-off", "Consultation Replays are switched off.")


def source(me: Person) -> Source:
    """Choose where this person's replays are read from; 403 while the kill switch is off for them."""
    clinic, indexed = me.clinic, me.has(REPLAY_INDEX_V2)
    member = (me.payer, me.member_number)
    if indexed and clinic.has_flaw(flaws.VIDEO_BRANCH_SKIPS_OWNER) and _switched_to_video(me):
        return Source(VIDEO_BRANCH, member, judged=False)
    require_open(me)
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


def _page(me: Person, of: Source, before: int, size: int) -> ReplayPage:
    """Return up to `size` replays that are older than the number `before`."""
    found = rows(me, of, "AND r.seq < ? ORDER BY r.seq DESC LIMIT ?", before, size + 1)
    shown = found[:size]
    return ReplayPage(
        items=[row.listed(me.username) for row in shown],
        next=_cursor_after(shown[-1]) if len(found) > size else None,
        total=count(me, of),
    )


def _cursor_after(row: Row) -> str:
    return base64.urlsafe_b64encode(row.seq.to_bytes(8)).decode().rstrip("=")


def _before(cursor: str) -> int:
    """Return the number that a cursor stands for; 422 for one that was never given out."""
    try:
        return min(int.from_bytes(base64.b64decode(cursor + "=", altchars=b"-_", validate=True)), FIRST)
    except (binascii.Error, ValueError) as error:
        raise ApiError(422, "bad-cursor", "The cursor is not one that the clinic gave out.") from error


def _presented(me: Person, surface: str, shown: Sequence[Replay]) -> None:
    operations.log_access(me.clinic, me.username, "presented", surface, [replay.id for replay in shown])


Cursor = Annotated[str | None, Query(max_length=11, description="`next` of the page before.")]


@router.get("", summary="List my replays", responses=answers(401, 403))
async def list_replays(me: Me, response: Response, cursor: Cursor = None) -> ReplayPage:
    """List the recordings of one's own ended consultations, a page at a time, newest first."""
    page = _list(me, _before(cursor) if cursor else FIRST)
    _presented(me, "replay-list", page.items)
    kept = f"private, max-age={FRESH_S}" if me.has(EDGE_CACHE) else NO_STORE
    response.headers["Cache-Control"] = kept
    return page


def _list(me: Person, before: int) -> ReplayPage:
    clinic = me.clinic
    if clinic.has_flaw(flaws.CACHE_KEY_WITHOUT_FLAGS) and me.has(REPLAY_CACHE):
        key: tuple[Any, ...] = (me.username, filing.version(clinic, me.username), before)
        return clinic.replay_cache.get(key, lambda: _page(me, source(me), before, PAGE_SIZES["off"]))
    chosen = source(me)
    size = PAGE_SIZES.get(me.variant(REPLAY_PAGING), PAGE_SIZES["off"])
    if not me.has(REPLAY_CACHE):
        return _page(me, chosen, before, size)
    key = (me.username, filing.version(clinic, me.username), chosen, before, size)
    if clinic.has_flaw(flaws.CACHE_KEY_WITHOUT_USER):
        key = (chosen.numbers, before, size)
    return clinic.replay_cache.get(key, lambda: _page(me, chosen, before, size))


@router.get("/count", summary="Count my replays", responses=answers(401, 403))
async def count_replays(me: Me) -> Count:
    """Count one's replays, for the badge."""
    return Count(count=count(me, source(me)))


@router.get("/search", summary="Search my replays", responses=answers(401, 403, 404))
async def search_replays(me: Me, q: Annotated[str, Query(min_length=1, max_length=100)]) -> Found:
    """Search the titles, names and captions of one's own replays, where search is offered."""
    if not me.has(REPLAY_SEARCH):
        raise not_found("search")
    chosen = source(me)
    if me.clinic.has_flaw(flaws.SEARCH_SKIPS_OWNER):
        chosen = Source(EVERYBODYS, (), judged=False)
    wanted = f"%{q.lower().replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
    like = " OR ".join(f"lower({what}) LIKE ? ESCAPE '!'" for what in ("p.name", "d.name", "r.medium", "r.caption"))
    found = rows(me, chosen, f"AND ({like}) ORDER BY r.seq DESC LIMIT ?", *(wanted,) * 4, MAX_FOUND)
    items = [row.listed(me.username) for row in found]
    _presented(me, "search", items)
    return Found(items=items)


@router.get("/{replay}", summary="Show a replay", responses=answers(401, 403, 404))
async def show_replay(replay: str, me: Me) -> ReplayDetail:
    """Show one replay of the signed-in user's."""
    is_unchecked = me.clinic.has_flaw(flaws.DETAIL_V2_UNCHECKED) and me.has(REPLAY_DETAIL_V2)
    row = find_unchecked(me, replay) if is_unchecked else find(me, replay)
    _presented(me, "replay-detail", [row.listed(me.username)])
    return row.detailed(me.username)


MEDIA = {
    content_type: {"schema": {"type": "string", "format": "binary"}} for content_type in ("video/webm", "audio/webm")
}


def _asked_for(me: Person, replay: str, flaw: str) -> Row:
    """Return a replay that is to be opened; `flaw` is the one that leaves this surface unchecked."""
    is_unchecked = me.clinic.has_flaw(flaw)
    if me.clinic.has_flaw(flaws.KILL_SWITCH_SPARES_BYTES) and not me.has(REPLAY_ACCESS):
        is_unchecked = bool(rows(me, Source(JOIN, (me.username,)), "AND r.id = ?", replay))
    return find_unchecked(me, replay) if is_unchecked else find(me, replay)


def _opened(me: Person, surface: str, row: Row) -> None:
    operations.log_access(me.clinic, me.username, "opened", surface, [row.id])


@router.get(
    "/{replay}/media",
    summary="Play a replay",
    response_class=Response,
    responses={**answers(401, 403, 404, 416), 200: {"description": "The recording.", "content": MEDIA}},
)
async def play_replay(replay: str, me: Me, range_: Annotated[str | None, Header(alias="Range")] = None) -> Response:
    """Serve a replay's bytes, or one range of them (RFC 9110, 14.2), with the content type that they have."""
    row = _asked_for(me, replay, flaws.BYTES_OPEN)
    _opened(me, "replay-media", row)
    return partial(me.clinic.store, row.media, row.content_type, range_)


@router.get(
    "/{replay}/thumbnail",
    summary="Show a replay's thumbnail",
    response_class=Response,
    responses={**answers(401, 403, 404), 200: {"description": "A small picture.", "content": {"image/jpeg": {}}}},
)
async def show_thumbnail(replay: str, me: Me) -> Response:
    """Serve the thumbnail of a recording by video."""
    row = _asked_for(me, replay, flaws.THUMBNAIL_OPEN)
    if row.thumbnail_key is None:
        raise not_found("thumbnail")
    _opened(me, "thumbnail", row)
    return partial(me.clinic.store, row.thumbnail_key, "image/jpeg", None)


@router.get(
    "/{replay}/transcript",
    summary="Read a replay's transcript",
    response_class=Response,
    responses={**answers(401, 403, 404), 200: {"description": "Who spoke when.", "content": {"text/plain": {}}}},
)
async def read_transcript(replay: str, me: Me) -> Response:
    """Serve a transcript as plain text: who spoke when, and what was captioned."""
    row = _asked_for(me, replay, flaws.TRANSCRIPT_OPEN)
    _opened(me, "transcript", row)
    text = recorder.transcript(me.clinic, row.seq)
    return Response(text, media_type="text/plain; charset=utf-8", headers={"Cache-Control": NO_STORE})
