"""Cleans what a browser recorded, a Playwright trace or a HAR file: without secrets, media and this machine's paths."""

from __future__ import annotations

import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.redact.secrets import Secrets

LINES = (".trace", ".network")
TEXTS = (".html", ".css", ".js", ".json", ".svg", ".txt", ".xml")
"""How the members of a trace end that can be cleaned; any other is sound or pictures of people."""
MAX_TEXT = 400
"""Of what a function in the page was given or returned: longer texts are media or sound in base64."""
MAX_WORK_BYTES = 200 * 10**9
"""Looked at to mask one file, some 20 s: a thousand secrets in a trace of 128 MiB would take minutes."""
NOT_UNPACKED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the standard library raises for archives that are broken, encrypted, or packed in an unknown way."""

_ACTIONS = frozenset({"before", "after", "input", "log"})
_READABLE = re.compile(r"text/|application/(?:json|x-www-form-urlencoded)|.*\+json")
_INLINE = re.compile(rb"data:(?:image|video|audio|application/octet-stream)[^\"'()\\\s<>]*")


class NotRedactableError(ValueError):
    """What is secret in a file is not known: it is not what its name says, or too large to look at."""


def clean_trace(archive: bytes | Path, secrets: Secrets, max_bytes: int) -> dict[str, bytes]:
    """Return what may be kept of a Playwright trace, by the name of the member.

    Raises NotRedactableError when it is no such file, would unpack to more than `max_bytes`, or holds more secrets than
    can be looked for.
    """
    members = _members(io.BytesIO(archive) if isinstance(archive, bytes) else archive, max_bytes)
    # A value may be learnt from the last member and stand in the first: first everything is looked at.
    scrubbed = {name: _scrubbed(name, body, secrets) for name, body in members.items()}
    _limit(sum(map(len, scrubbed.values())), secrets)
    return {name: _whole(name, _masked(body, secrets)) for name, body in scrubbed.items()}


def clean_har(data: bytes, secrets: Secrets) -> bytes:
    """Return a HAR file without its secrets and media.

    Raises NotRedactableError when it is not JSON, or holds more secrets than can be looked for.
    """
    try:
        scrubbed = secrets.scrub(_without_media(json.loads(data)))
    except (ValueError, RecursionError) as error:
        raise NotRedactableError(f"not a HAR file: {error}") from error
    coded = json.dumps(scrubbed).encode()
    _limit(len(coded), secrets)
    return _masked(coded, secrets)


def packed(members: Mapping[str, bytes]) -> bytes:
    """Return a ZIP file of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return buffer.getvalue()


def _members(source: io.BytesIO | Path, max_bytes: int) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(source) as archive:
            kept = [member for member in archive.infolist() if member.filename.endswith(LINES + TEXTS)]
            if sum(member.file_size for member in kept) > max_bytes:
                raise NotRedactableError("it unpacks to too much")
            return {member.filename: archive.read(member) for member in kept}
    except NOT_UNPACKED as error:
        raise NotRedactableError(f"not a trace: {error}") from error


def _limit(size_bytes: int, secrets: Secrets) -> None:
    """Raise NotRedactableError where masking would leave some of the secrets, or take too long."""
    if secrets.is_full:
        raise NotRedactableError("it holds too many secrets")
    if secrets.work_bytes(size_bytes) > MAX_WORK_BYTES:
        raise NotRedactableError("it holds too many secrets for its size")


def _masked(data: bytes, secrets: Secrets) -> bytes:
    return secrets.mask_bytes(_INLINE.sub(b"data:,", data))


def _scrubbed(name: str, body: bytes, secrets: Secrets) -> bytes:
    if name.endswith(LINES):
        return b"".join(_scrubbed_line(line, secrets) for line in body.split(b"\n"))
    try:
        return json.dumps(secrets.scrub(json.loads(body))).encode()
    except (ValueError, RecursionError):
        text: str = secrets.scrub([body.decode(errors="replace")])[0]
        return text.encode(errors="replace")


def _scrubbed_line(line: bytes, secrets: Secrets) -> bytes:
    """Return a line of a trace; one that cannot be read cannot be redacted either, and is left out."""
    try:
        event = secrets.scrub(_without_media(json.loads(line)))
        if not isinstance(event, dict):
            return b""
        kept = _cut(event) if event.get("type") in _ACTIONS else event
        return json.dumps(kept).encode() + b"\n"
    except (ValueError, RecursionError):
        return b""


def _whole(name: str, body: bytes) -> bytes:
    """Return a member without the lines that masking has broken."""
    if not name.endswith(LINES):
        return body
    return b"".join(line + b"\n" for line in body.split(b"\n") if line and _is_json(line))


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _without_media(node: Any) -> Any:
    """Return JSON data without the bodies that are no text: in base64, or of a kind that is sound or pictures."""
    if isinstance(node, list):
        return [_without_media(each) for each in node]
    if not isinstance(node, dict):
        return node
    kind = node.get("mimeType")
    is_media = node.get("encoding") == "base64" or (isinstance(kind, str) and not _READABLE.match(kind))
    return {key: _without_media(each) for key, each in node.items() if not (is_media and key == "text")}


def _cut(node: Any) -> Any:
    if isinstance(node, str) and len(node) > MAX_TEXT:
        return f"({len(node)} characters were left out)"
    if isinstance(node, list):
        return [_cut(each) for each in node]
    if isinstance(node, dict):
        # A stack names files of this machine.
        return {key: _cut(each) for key, each in node.items() if key != "stack"}
    return node
