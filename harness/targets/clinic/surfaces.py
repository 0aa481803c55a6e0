"""Where the clinic's users meet media and data beside the replay list, each with the requests that look there."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

from harness.drivers.surfaces import Surface, View
from harness.errors import TargetError
from harness.model import Recording, Role
from harness.targets.clinic.shared import MAX_PAGES

MAX_WORDS_BYTES = 64 * 1024 * 1024
FIRST_BYTES = 1_024
"""How much of a recording is asked for as its first range: less than a second of sound."""
SEARCHED = ("audio", "video")
"""Words of which each replay has one: its medium is searched, too."""
NO_HEADERS: Mapping[str, str] = {}


class Ask(Protocol):
    """Sends a request and returns the answer's bytes; raises TargetError for anything but a success."""

    async def __call__(
        self, method: str, path: str, body: bytes | None = None, *, headers: Mapping[str, str] = NO_HEADERS
    ) -> bytes:
        """`path` is the clinic's, with its query."""


_Look = Callable[[Ask, str], Awaitable[View]]

_REPLAYS = frozenset({"replays"})
OF_A_RECORDING = (
    Surface("detail", about="recording", needs=_REPLAYS),
    Surface("thumbnail", "media", "recording", _REPLAYS),
    Surface("transcript", about="recording", needs=_REPLAYS),
    Surface("range", "media", "recording", _REPLAYS),
    Surface("make-link", about="recording", needs=_REPLAYS),
    Surface("link", "media", "link", _REPLAYS),
)
"""What there is of a recording, and the link to it: for whoever may see it, and to be tried by everybody else."""
_OF_REPLAYS = (
    Surface("search", "list", needs=_REPLAYS | {"search"}),
    Surface("export", "media", needs=_REPLAYS),
    *OF_A_RECORDING,
)
_TOLD = (Surface("inbox"), Surface("mail"))
_PATIENT = (*_OF_REPLAYS, Surface("prescriptions"), Surface("metrics"), *_TOLD)
_CLINICIAN = (
    *_OF_REPLAYS,
    Surface("portal-recordings", "list"),
    Surface("agenda"),
    Surface("prescriptions"),
    Surface("patient-metrics", about="person"),
    *_TOLD,
)
OF: Mapping[Role, Sequence[Surface]] = {
    "patient": _PATIENT,
    "carer": _PATIENT,
    "clinician": _CLINICIAN,
    "pharmacist": (Surface("prescriptions"), *_TOLD),
    "operator": (),
}
"""Each role's. The operator oversees: what they see of others is their work, and media are not among it."""


async def look(ask: Ask, surface: str, about: str = "") -> View:
    """Look at a surface, at the recording, the username or the link that it is asked about.

    Raises TargetError when the clinic refuses or is silent, KeyError for a surface that it does not have.
    """
    return await _LOOKS[surface](ask, about)


async def pages(ask: Ask, path: str) -> list[str]:
    """Return every page of a list as it came, from the first to the last.

    Raises TargetError, not definite, for a list that goes in circles, has no end or is too long to be held.
    """
    found: list[str] = []
    cursors: set[str] = set()
    size = 0
    cursor = ""
    for _ in range(MAX_PAGES):
        body = await ask("GET", f"{path}?cursor={quote(cursor, safe='')}" if cursor else path)
        size += len(body)
        if size > MAX_WORDS_BYTES:
            raise TargetError(f"GET {path}: more than {MAX_WORDS_BYTES} bytes of pages", definite=False)
        found.append(body.decode(errors="replace"))
        following = parsed(path, found[-1])["next"]
        if following is None:
            return found
        cursor = str(following)
        if cursor in cursors:
            raise TargetError(f"GET {path}: a page leads back to one that was read", definite=False)
        cursors.add(cursor)
    raise TargetError(f"GET {path}: no end after {MAX_PAGES} pages", definite=False)


def parsed(path: str, body: str) -> Any:
    """Return a body's JSON; raises TargetError, not definite, when it is broken."""
    try:
        return json.loads(body)
    except ValueError as error:
        raise TargetError(f"GET {path} answered with broken JSON: {error}", definite=False) from error


async def _search(ask: Ask, _: str) -> View:
    found: dict[str, Recording] = {}
    bodies = []
    for word in SEARCHED:
        path = f"/replays/search?q={word}"
        bodies.append((await ask("GET", path)).decode(errors="replace"))
        found |= {item.ref: item for item in _listed(path, bodies[-1])}
    return View(recordings=list(found.values()), text="\n".join(bodies))


async def _portal(ask: Ask, _: str) -> View:
    path = "/portal/recordings"
    bodies = await pages(ask, path)
    found = {item.ref: item for body in bodies for item in _listed(path, body)}
    return View(recordings=list(found.values()), text="\n".join(bodies))


def _listed(path: str, body: str) -> list[Recording]:
    return [Recording(item["id"], item["consultation"], item["medium"]) for item in parsed(path, body)["items"]]


def _words(path: str) -> _Look:
    async def words(ask: Ask, about: str) -> View:
        return View(text="\n".join(await pages(ask, path.format(quote(about, safe="")))))

    return words


def _page(path: str) -> _Look:
    async def page(ask: Ask, about: str) -> View:
        return View(text=(await ask("GET", path.format(quote(about, safe="")))).decode(errors="replace"))

    return page


def _file(path: str) -> _Look:
    async def file(ask: Ask, about: str) -> View:
        return View(media=await ask("GET", path.format(quote(about, safe=""))))

    return file


async def _ranges(ask: Ask, about: str) -> View:
    path = f"/replays/{quote(about, safe='')}/media"
    first = await _range(ask, path, f"bytes=0-{FIRST_BYTES - 1}")
    # Less is the end of it. Who knows of no ranges (RFC 9110, 14.2) sends the whole: more than that, or the same again.
    rest = await _range(ask, path, f"bytes={FIRST_BYTES}-") if len(first) == FIRST_BYTES else b""
    return View(media=first if rest == first else first + rest)


async def _range(ask: Ask, path: str, wanted: str) -> bytes:
    try:
        return await ask("GET", path, headers={"Range": wanted})
    except TargetError as error:
        if error.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return b""


async def _make_link(ask: Ask, about: str) -> View:
    path = f"/replays/{quote(about, safe='')}/link"
    text = (await ask("POST", path)).decode(errors="replace")
    return View(text=text, links=[str(parsed(path, text)["url"])])


async def _link(ask: Ask, about: str) -> View:
    # Anything but a path would lead somewhere else, with this user's token.
    if not about.startswith("/"):
        raise TargetError("the link is no path of the clinic's", definite=False)
    try:
        return View(media=await ask("GET", about))
    except TargetError as error:
        # Whoever has a link may be let in by it: it stands in no ledger and in no report.
        said = str(error).replace(about, "/links/...")
        raise TargetError(said, definite=error.definite, status=error.status, code=error.code) from None


_LOOKS: Mapping[str, _Look] = {
    "search": _search,
    "export": _file("/replays/export"),
    "detail": _page("/replays/{}"),
    "thumbnail": _file("/replays/{}/thumbnail"),
    "transcript": _page("/replays/{}/transcript"),
    "range": _ranges,
    "make-link": _make_link,
    "link": _link,
    "portal-recordings": _portal,
    "agenda": _words("/portal/agenda"),
    "prescriptions": _words("/prescriptions"),
    "metrics": _words("/metrics"),
    "patient-metrics": _words("/patients/{}/metrics"),
    "inbox": _words("/notices"),
    "mail": _words("/notices/mail"),
}
