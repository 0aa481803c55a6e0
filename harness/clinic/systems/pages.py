"""The pages for people: one application of static files, served as they are from `pages/`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from fastapi import APIRouter, Request, Response

from harness.clinic.base.errors import not_found

FOLDER = Path(__file__).parent.parent / "pages"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
}
INDEX = "index.html"
MAX_AGE_S = 300
# Players and pictures are `blob:` addresses: their bytes were fetched with the user's token.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is served; `etag` is a strong entity tag (RFC 9110, 8.8.3)."""

    content: bytes
    media_type: str
    etag: str


def _file(content: bytes, suffix: str) -> File:
    return File(content, TYPES[suffix], f'"{hashlib.sha256(content).hexdigest()[:16]}"')


@cache
def _files() -> dict[str, File]:
    """Return every file by its name; nothing outside of this dictionary can be asked for."""
    return {each.name: _file(each.read_bytes(), each.suffix) for each in FOLDER.iterdir() if each.suffix in TYPES}


@cache
def _index(title: str) -> File:
    page = _files()[INDEX].content.decode().replace("{title}", escape(title))
    return _file(page.encode(), ".html")


def _answer(request: Request, file: File, caching: str) -> Response:
    headers = HEADERS | {"ETag": file.etag, "Cache-Control": caching}
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if file.etag in known:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


@router.get("/")
async def show_application(request: Request) -> Response:
    """Serve the application's one page under the title that the clinic was started with."""
    return _answer(request, _index(request.app.title), "no-cache")


@router.get("/pages/{file}")
async def show_file(file: str, request: Request) -> Response:
    """Serve one of the application's files; 404 for any other name."""
    found = _files().get(file)
    if found is None or file == INDEX:
        raise not_found("page")
    return _answer(request, found, f"public, max-age={MAX_AGE_S}")
