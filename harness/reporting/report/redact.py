"""Takes secrets out of what a driver kept, once more: a report is shown to more people than a run's directory.

The harness's own browser driver redacts before it writes. A team's adapter may keep HAR files and Playwright traces as
they came, and those hold the tokens of every request.
"""

from __future__ import annotations

import io
import json
import re
import zipfile

from harness.redact import Secrets

CREDENTIALS = re.compile(r"(?<=://)[^/@\s\"']+@")
"""User and password in an address."""
LINES = (".trace", ".network")
MAX_UNPACKED_BYTES = 256 * 2**20


class NotRedactableError(ValueError):
    """The file is not what its name says, so that what is secret in it is not known."""


def har(data: bytes) -> bytes:
    """Return a HAR file without its secrets; raise NotRedactableError when it is not JSON."""
    secrets = Secrets()
    try:
        scrubbed = secrets.scrub(json.loads(data))
    except ValueError as error:
        raise NotRedactableError(f"not a HAR file: {error}") from error
    return secrets.mask_bytes(json.dumps(scrubbed, ensure_ascii=False).encode())


def trace(data: bytes) -> bytes:
    """Return a Playwright trace (a ZIP file of JSON lines and resources) without its secrets.

    Raises NotRedactableError when it is no such file or would unpack to more than MAX_UNPACKED_BYTES.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(member.file_size for member in packed.infolist()) > MAX_UNPACKED_BYTES:
                raise NotRedactableError("a trace that unpacks to too much")
            members = {name: packed.read(name) for name in packed.namelist()}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
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


def _scrubbed(name: str, body: bytes, secrets: Secrets) -> bytes:
    """Scrub what is JSON; the rest is only masked, when all secrets are known."""
    if name.endswith(LINES):
        return b"".join(_scrubbed_line(line, secrets) for line in body.splitlines())
    try:
        return json.dumps(secrets.scrub(json.loads(body)), ensure_ascii=False).encode()
    except ValueError:
        return body


def _scrubbed_line(line: bytes, secrets: Secrets) -> bytes:
    """Return a line of a trace; one that cannot be read cannot be redacted either, and is left out."""
    try:
        return json.dumps(secrets.scrub(json.loads(line)), ensure_ascii=False).encode() + b"\n"
    except ValueError:
        return b""
