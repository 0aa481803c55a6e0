"""One bounded HTTP request to a flag server, for code that runs in a thread of its own."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from harness.errors import FlagError

MAX_BODY_BYTES: Final = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Answer:
    """What the flag server answered: the status, the entity tag (empty when there is none) and the body."""

    status: int
    etag: str
    body: bytes


def get(url: str, token: str, *, timeout_s: float) -> Answer:
    """Send one GET with the client token and return the answer, whatever its status.

    `timeout_s` bounds each wait on the connection. Raises FlagError, in one sentence, when the server does
    not answer or the answer is larger than MAX_BODY_BYTES.
    """
    parts = urlsplit(url)
    scheme = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = scheme(parts.netloc, timeout=timeout_s)
        try:
            connection.request("GET", parts.path, headers={"Authorization": token})
            response = connection.getresponse()
            body = response.read(MAX_BODY_BYTES + 1)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as problem:
        raise FlagError(f"the flag server at {url} does not answer: {problem}") from problem
    if len(body) > MAX_BODY_BYTES:
        raise FlagError(f"the flag server at {url} answered with more than {MAX_BODY_BYTES} bytes")
    return Answer(response.status, response.headers.get("ETag", ""), body)
