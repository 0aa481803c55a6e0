"""Pages of a list that its `seq` orders, the newest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from harness.clinic.base.store import Row

PAGE = 50
NEWEST = 2**62

Cursor = Annotated[
    str, Query(pattern=r"^[0-9]{0,18}$", description="The `next` of the page before; empty for the first page.")
]


def before(cursor: str) -> int:
    """Return the number below which a page's rows are."""
    return int(cursor) if cursor else NEWEST


def cut(rows: list[Row]) -> tuple[list[Row], str | None]:
    """Cut up to PAGE + 1 rows, each with its seq first, to a page; return it and the cursor of the next page."""
    page = rows[:PAGE]
    return page, str(page[-1][0]) if len(rows) > PAGE else None
