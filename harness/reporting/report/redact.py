"""Takes secrets out of what a browser recorded: HAR files and Playwright traces hold the tokens of every request.

Where a secret is known by its name (a header, a cookie, a field), it is replaced; and wherever else the same text
stands in the same file, in a page's storage or in an answer's body, it is replaced there too.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

REDACTED = "redacted"
SECRET = re.compile(
    r"(?i)^(authorization|proxy-authorization|cookie|set-cookie|x-api-key|api[-_]?key|.*token|.*secret|pass(word|wd|phrase)?)$"
)
CREDENTIALS = re.compile(r"(?<=://)[^/@\s\"']+@")
"""User and password in an address."""
SHORTEST = 8
"""A shorter text may be a part of others by chance, and is replaced only where it is a whole string."""
MAX_UNPACKED_BYTES = 256 * 2**20
SCHEMES = re.compile(r"(?i)^(bearer|basic|digest|token)\s+")


class NotRedactableError(ValueError):
    """The file is not what its name says, so that what is secret in it is not known."""


def har(data: bytes) -> bytes:
    """Return a HAR file without its secrets; raise NotRedactableError when it is not JSON."""
    try:
        document = json.loads(data)
    except ValueError as error:
        raise NotRedactableError(f"not a HAR file: {error}") from error
    return _without(data, set(_secrets(document)))


def trace(data: bytes) -> bytes:
    """Return a Playwright trace (a ZIP file of JSON lines and resources) without its secrets.

    Raises NotRedactableError when it is no such file or would unpack to more than MAX_UNPACKED_BYTES.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(member.file_size for member in packed.infolist()) > MAX_UNPACKED_BYTES:
                raise NotRedactableError("a trace that unpacks to too much")
            members = [(member, packed.read(member)) for member in packed.infolist()]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise NotRedactableError(f"not a trace: {error}") from error
    secrets = {secret for _, body in members for document in _documents(body) for secret in _secrets(document)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for member, body in members:
            packed.writestr(member.filename, _without(body, secrets))
    return buffer.getvalue()


def text(words: str) -> str:
    """Return a text without the user and password of any address in it."""
    return CREDENTIALS.sub(f"{REDACTED}@", words)


def _documents(body: bytes) -> Iterator[Any]:
    """Yield what a file holds as JSON, whole or by lines; nothing when it is something else."""
    try:
        yield json.loads(body)
    except ValueError:
        for line in body.splitlines():
            if line.startswith((b"{", b"[")):
                try:
                    yield json.loads(line)
                except ValueError:
                    continue


def _secrets(value: Any) -> Iterator[str]:
    """Yield each secret of a document, as it is written in the file: escaped for JSON."""
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, dict):
            name, told = each.get("name"), each.get("value")
            if isinstance(name, str) and isinstance(told, str) and SECRET.match(name):
                yield from _forms(name, told)
            for key, below in each.items():
                if isinstance(below, str) and SECRET.match(key):
                    yield from _forms(key, below)
                else:
                    stack.append(below)
        elif isinstance(each, list):
            stack.extend(each)
        elif isinstance(each, str) and each.lstrip().startswith(("{", "[")):
            stack.extend(_documents(each.encode()))


def _forms(name: str, told: str) -> Iterator[str]:
    """Yield the secret as it stands there and, of a header, what is secret in it by itself."""
    bare = SCHEMES.sub("", told)
    yield bare
    if "cookie" in name.lower():
        yield from (pair.partition("=")[2].strip() for pair in told.split(";"))


def _without(body: bytes, secrets: set[str]) -> bytes:
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        escaped = json.dumps(secret)[1:-1]
        twice = json.dumps(escaped)[1:-1]
        for form in dict.fromkeys((secret, escaped, twice)):
            mark = "" if len(secret) >= SHORTEST else '"'
            body = body.replace(f"{mark}{form}{mark}".encode(), f"{mark}{REDACTED}{mark}".encode())
    return body
