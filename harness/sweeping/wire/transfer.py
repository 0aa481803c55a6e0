"""What comes over a connection: a body bounded in time and size, decoded, or with a word on why it is not.

The body is taken as it was sent and decoded here: HTTP clients pass over in silence an encoding that they do not know,
and one that breaks off.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from urllib3.exceptions import HTTPError

from harness.sweeping.wire.secret import is_secret

MAX_BYTES = 64 * 2**20
READ_BYTES = 2**16
DECODED = ("gzip", "deflate")
"""The content encodings that are asked for, since they can be decoded."""
_WINDOWS: Mapping[str, tuple[int, ...]] = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""zlib's name for each encoding; some servers send deflate without the header that it should have."""
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Body:
    """What came. `undecoded` says why it is not, or not wholly, what was meant to be shown."""

    data: bytes
    is_cut: bool = False
    undecoded: str = ""


def body_of(response: requests.Response, deadline_s: float, max_bytes: int = MAX_BYTES) -> Body:
    """Return the body, or what came of it within the deadline and `max_bytes`.

    What came before a connection broke was shown to its viewer as well as a whole answer.
    """
    raw, is_cut = _raw(response, deadline_s, max_bytes)
    return decoded(raw, response.headers, is_cut=is_cut, max_bytes=max_bytes)


def _raw(response: requests.Response, deadline_s: float, max_bytes: int) -> tuple[bytes, bool]:
    end_s = time.monotonic() + deadline_s
    body = bytearray()
    try:
        # `iter_content` gathers whole parts, and loses the last one when the connection breaks.
        while part := response.raw.read1(READ_BYTES, decode_content=False):
            body += part
            if len(body) > max_bytes or time.monotonic() > end_s:
                return bytes(body[:max_bytes]), True
    except (HTTPError, OSError):
        return bytes(body), True
    return bytes(body), False


def decoded(raw: bytes, headers: Mapping[str, str], *, is_cut: bool = False, max_bytes: int = MAX_BYTES) -> Body:
    """Undo what the headers say that was done to a body, as far as that is possible."""
    for name in _named(headers, "transfer-encoding"):
        if name not in ("chunked", "identity") and raw:
            return Body(raw, is_cut, f"Transfer-Encoding {name} cannot be undone")
    for name in reversed(list(_named(headers, "content-encoding"))):
        if not raw or name == "identity":
            continue
        if name not in _WINDOWS:
            return Body(raw, is_cut, f"Content-Encoding {name} cannot be decoded")
        raw, why, is_too_long = _inflated(raw, name, max_bytes)
        is_cut |= is_too_long
        if why and not is_cut:
            return Body(raw, is_cut, f"Content-Encoding {name}: {why}")
    return Body(raw, is_cut)


def _named(headers: Mapping[str, str], header: str) -> Iterator[str]:
    """Yield the tokens of a header, in lower case."""
    for name, value in headers.items():
        if name.lower() == header:
            yield from (token.strip().lower() for token in value.split(",") if token.strip())


def _inflated(raw: bytes, name: str, max_bytes: int) -> tuple[bytes, str, bool]:
    """Return what a compressed body holds, why it does not hold more, and whether it held too much."""
    best: tuple[bytes, str, bool] = b"", "it is broken", False
    for window in _WINDOWS[name]:
        out, why, is_too_long = _members(raw, window, max_bytes)
        if not why or len(out) > len(best[0]):
            best = out, why, is_too_long
        if not why:
            break
    return best


def _members(raw: bytes, window: int, max_bytes: int) -> tuple[bytes, str, bool]:
    """Inflate one compressed stream after the other, as far as they go."""
    out = bytearray()
    while raw:
        stream = zlib.decompressobj(window)
        for at in range(0, len(raw), READ_BYTES):
            try:
                out += stream.decompress(raw[at : at + READ_BYTES], max_bytes + 1 - len(out))
            except zlib.error as error:
                return bytes(out), f"it is broken ({error})", False
            if len(out) > max_bytes:
                return bytes(out[:max_bytes]), "", True
            if stream.eof:
                break
        if not stream.eof:
            return bytes(out), "it breaks off", False
        raw = (stream.unused_data + raw[at + READ_BYTES :]).lstrip(b"\x00")
        if raw and window != _WINDOWS["gzip"][0]:
            return bytes(out), "something follows it", False
    return bytes(out), "", False


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address; raise ValueError for one with no valid port."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or PORTS.get(scheme)


def shown(address: str) -> str:
    """Return an address, or a path, as it may be written down: without a password or a token that lets anybody in."""
    if not address.startswith(("http://", "https://")):
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        # Nobody can tell what in it is what: all that may be a password or a token is left out.
        scheme, _, rest = address.partition("?")[0].partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if any(is_secret(name) for name, _ in pairs):
        pairs = [(name, "SECRET" if is_secret(name) else value) for name, value in pairs]
        parts = parts._replace(query=urlencode(pairs))
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def innermost(error: BaseException) -> str:
    """Return what is at the bottom of an error of requests, which is wrapped three times; no address is in it."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return " ".join(str(error).split())[:200] or type(error).__name__
