"""Consultation Replays: what a user may watch again, as a list, in a search, in detail, and as bytes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from harness.clinic import flaws
from harness.clinic.base.errors import ApiError, answers, not_found
from harness.clinic.base.features import (
    EDGE_CACHE,
    REPLAY_ACCESS,
    REPLAY_CACHE,
    REPLAY_DETAIL_V2,
    REPLAY_PAGING,
    REPLAY_SEARCH,
)
from harness.clinic.base.state import Layout, Me, Medium, Person
from harness.clinic.web.ranges import NO_STORE, partial

from . import filing, operations, recorder
from .visibility import EVERYBODYS, JOIN, Row, Source, count, find, find_unchecked, participants_of, rows, source

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
    of: Annotated[str | None, Field(description="Who is seen and heard in it; null for a composite.")]


class ReplayDetail(Replay):
    """One replay: with whom the consultation was, how many bytes the recording has, and what goes with it."""

    with_: Annotated[str, Field(alias="with")]
    size: int
    thumbnail: bool
    transcript: bool = True
    participants: Annotated[list[str] | None, Field(description="Who took part; null in the old version.")] = None


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


def title(row: Row, viewer: str) -> str:
    """Return what a replay is called on a viewer's list."""
    other = row.clinician_name if viewer == row.patient else row.patient_name
    whole = ", whole" if row.layout else ""
    return f"{row.medium.capitalize()} consultation with {other}{whole}"


def listed(row: Row, viewer: str) -> Replay:
    """Return what the viewer's list says of it."""
    return Replay(
        id=row.id,
        consultation=row.consultation,
        title=title(row, viewer),
        medium=row.medium,
        recorded_at=row.recorded_at,
        layout=row.layout,
        of=row.maker_name,
    )


def detailed(row: Row, viewer: str, participants: list[str] | None) -> ReplayDetail:
    """Return what its own page says of it; the new version names everybody who took part."""
    other = row.clinician if viewer == row.patient else row.patient
    more = {"with": other, "size": row.size, "thumbnail": row.thumbnail_key is not None, "participants": participants}
    return ReplayDetail.model_validate(listed(row, viewer).model_dump() | more)


def _page(me: Person, of: Source, before: int, size: int) -> ReplayPage:
    """Return up to `size` replays that are older than the number `before`."""
    found = rows(me, of, "AND r.seq < ? ORDER BY r.seq DESC LIMIT ?", before, size + 1)
    shown = found[:size]
    return ReplayPage(
        items=[listed(row, me.username) for row in shown],
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


@router.get("", summary="List my replays", responses=answers(401, 403, 507))
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


@router.get("/count", summary="Count my replays", responses=answers(401, 403, 507))
async def count_replays(me: Me) -> Count:
    """Count one's replays, for the badge."""
    chosen = source(me)
    if me.clinic.has_flaw(flaws.BADGE_COUNTS_EVERYBODYS):
        chosen = Source(EVERYBODYS, (), judged=False)
    return Count(count=count(me, chosen))


@router.get("/search", summary="Search my replays", responses=answers(401, 403, 404, 507))
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
    items = [listed(row, me.username) for row in found]
    _presented(me, "search", items)
    return Found(items=items)


@router.get("/{replay}", summary="Show a replay", responses=answers(401, 403, 404, 507))
async def show_replay(replay: str, me: Me) -> ReplayDetail:
    """Show one replay of the signed-in user's."""
    is_new = me.has(REPLAY_DETAIL_V2)
    row = find_unchecked(me, replay) if is_new and me.clinic.has_flaw(flaws.DETAIL_V2_UNCHECKED) else find(me, replay)
    _presented(me, "replay-detail", [listed(row, me.username)])
    return detailed(row, me.username, participants_of(me, row) if is_new else None)


MEDIA = {
    content_type: {"schema": {"type": "string", "format": "binary"}} for content_type in ("video/webm", "audio/webm")
}


def _asked_for(me: Person, replay: str, flaw: str) -> Row:
    """Return a replay that is to be opened; `flaw` is the one that leaves this surface unchecked."""
    is_unchecked = me.clinic.has_flaw(flaw)
    if me.clinic.has_flaw(flaws.KILL_SWITCH_SPARES_BYTES) and not me.has(REPLAY_ACCESS):
        is_unchecked = is_unchecked or bool(rows(me, Source(JOIN, (me.username,)), "AND r.id = ?", replay))
    return find_unchecked(me, replay) if is_unchecked else find(me, replay)


def _opened(me: Person, surface: str, row: Row) -> None:
    operations.log_access(me.clinic, me.username, "opened", surface, [row.id])


@router.get(
    "/{replay}/media",
    summary="Play a replay",
    response_class=Response,
    responses={**answers(401, 403, 404, 416, 507), 200: {"description": "The recording.", "content": MEDIA}},
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
    responses={**answers(401, 403, 404, 507), 200: {"description": "A small picture.", "content": {"image/jpeg": {}}}},
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
    responses={**answers(401, 403, 404, 507), 200: {"description": "Who spoke when.", "content": {"text/plain": {}}}},
)
async def read_transcript(replay: str, me: Me) -> Response:
    """Serve a transcript as plain text: who spoke when, and what was captioned."""
    row = _asked_for(me, replay, flaws.TRANSCRIPT_OPEN)
    _opened(me, "transcript", row)
    text = recorder.transcript(me.clinic, row.seq)
    return Response(text, media_type="text/plain; charset=utf-8", headers={"Cache-Control": NO_STORE})
