"""Takes secrets out of what a driver kept, once more: a report is shown to more people than a run's directory.

The harness's own browser driver redacts before it writes. A team's adapter may keep HAR files and Playwright traces as
they came, and those hold the tokens of every request.
"""

from __future__ import annotations

import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from typing import Any

from harness.redact import REDACTED, TRACE_LINES, TRACE_TEXTS, Secrets, is_secret_name

CREDENTIALS = re.compile(r"(?<=://)[^/@\s\"']+@")
"""User and password in an address."""
NAMED = re.compile(r"([\w.-]*\w)[\"']?\s*[:=]\s*[\"']?")
SCHEME = re.compile(r"(?i:\b(?:bearer|basic|digest)\s+)([^\s\"',;]+)")
FIRST_WORD = re.compile(r"[^\s\"',;&#]+")
MAX_UNPACKED_BYTES = 256 * 2**20
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


class NotRedactableError(ValueError):
    """The file is not what its name says, so that what is secret in it is not known."""


def har(data: bytes) -> bytes:
    """Return a HAR file without its secrets; raise NotRedactableError when it is not JSON."""
    secrets = Secrets()
    try:
        scrubbed = secrets.scrub(_without_media(json.loads(data)))
    except (ValueError, RecursionError) as error:
        raise NotRedactableError(f"not a HAR file: {error}") from error
    return secrets.mask_bytes(json.dumps(scrubbed, ensure_ascii=False).encode())


def trace(data: bytes) -> bytes:
    """Return a Playwright trace (a ZIP file of JSON lines and resources) without its secrets, sound and pictures.

    Raises NotRedactableError when it is no such file or would unpack to more than MAX_UNPACKED_BYTES.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            kept = [member for member in packed.infolist() if member.filename.endswith(TRACE_LINES + TRACE_TEXTS)]
            if sum(member.file_size for member in kept) > MAX_UNPACKED_BYTES:
                raise NotRedactableError("it unpacks to too much")
            members = {member.filename: packed.read(member) for member in kept}
    except NOT_UNPACKED as error:
        raise NotRedactableError(f"not a trace: {error}") from error
    secrets = Secrets()
    # A value may be learnt from the last member and stand in the first: first everything is looked at.
    scrubbed = {name: _scrubbed(name, body, secrets) for name, body in members.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in scrubbed.items():
            packed.writestr(name, secrets.mask_bytes(body))
    return buffer.getvalue()


def text(words: str) -> str:
    """Return a text without the user and password of any address in it."""
    return CREDENTIALS.sub("redacted@", words)


def plain(data: bytes) -> bytes:
    """Return a text without what stands after a secret's name: the rest of that line, and its values in any other."""
    secrets = Secrets()
    lines = [_plain_line(line, secrets) for line in data.decode(errors="replace").splitlines()]
    return secrets.mask_bytes(text("".join(f"{line}\n" for line in lines)).encode())


def _plain_line(line: str, secrets: Secrets) -> str:
    for found in SCHEME.finditer(line):
        secrets.scrub({"token": found[1]})
    named = next((found for found in NAMED.finditer(line) if is_secret_name(found[1])), None)
    if named is None:
        return str(secrets.scrub(line))
    rest = line[named.end() :]
    secrets.scrub(line[named.start() :])
    secrets.scrub({named[1]: rest})
    first = FIRST_WORD.match(rest)
    secrets.scrub({named[1]: first[0]} if first else {})
    return line[: named.end()] + REDACTED


def _without_media(node: Any) -> Any:
    """Return JSON data without the bodies of answers that are in base64, which are sound or pictures."""
    if isinstance(node, list):
        return [_without_media(each) for each in node]
    if not isinstance(node, dict):
        return node
    is_coded = node.get("encoding") == "base64"
    return {key: _without_media(each) for key, each in node.items() if not (is_coded and key == "text")}


def _scrubbed(name: str, body: bytes, secrets: Secrets) -> bytes:
    """Scrub what is JSON; the rest is only masked, when all secrets are known."""
    if name.endswith(TRACE_LINES):
        return b"".join(_scrubbed_line(line, secrets) for line in body.splitlines())
    try:
        return json.dumps(secrets.scrub(json.loads(body)), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return body


def _scrubbed_line(line: bytes, secrets: Secrets) -> bytes:
    """Return a line of a trace; one that cannot be read cannot be redacted either, and is left out."""
    try:
        return json.dumps(secrets.scrub(_without_media(json.loads(line))), ensure_ascii=False).encode() + b"\n"
    except (ValueError, RecursionError):
        return b""
