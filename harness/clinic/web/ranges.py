"""Stored bytes as an answer: whole, or the one range that was asked for (RFC 9110, 14)."""

from __future__ import annotations

import re

from fastapi import Response

from harness.clinic.base.errors import ApiError, not_found
from harness.clinic.base.store import Store

NO_STORE = "private, no-store"
RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def partial(store: Store, key: str, content_type: str, asked: str | None) -> Response:
    """Return the bytes under a key: 206 for a range, 200 without or with one that is not understood.

    Raises 404 when they are gone, and 416 when the range begins behind their end.
    """
    found = store.find("SELECT bytes FROM media WHERE key = ?", key)
    if not found:
        raise not_found("recording")
    content = bytes(found[0])
    headers = {"Cache-Control": NO_STORE, "X-Content-Type-Options": "nosniff", "Accept-Ranges": "bytes"}
    wanted = RANGE.fullmatch(asked.strip()) if asked else None
    if not wanted or wanted[0] == "bytes=-":
        return Response(content, media_type=content_type, headers=headers)
    size = len(content)
    if wanted[1]:
        first, last = int(wanted[1]), min(int(wanted[2]) if wanted[2] else size - 1, size - 1)
    else:
        first, last = max(0, size - int(wanted[2])), size - 1
    if first > last:
        raise ApiError(416, "bad-range", f"The recording has {size:,} bytes.")
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Response(content[first : last + 1], 206, media_type=content_type, headers=headers)
