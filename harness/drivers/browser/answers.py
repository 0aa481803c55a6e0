"""What a target answered to a page: to a request that the page made by itself, or to one that it was told to make."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Request

from harness.drivers.refusal import refused
from harness.errors import TargetError

MAX_BODY_BYTES = 64 * 1024 * 1024

FETCH = """async ({ method, path, headers, body, limit }) => {
  const sent = body === null ? undefined : Uint8Array.from(atob(body), (each) => each.charCodeAt(0));
  let response;
  try {
    response = await fetch(path, { method, headers, body: sent });
  } catch (failure) {
    return { status: 0, why: failure.message };
  }
  if (Number(response.headers.get("Content-Length")) > limit) return { status: 0, why: `more than ${limit} bytes` };
  const blob = await response.blob();
  if (blob.size > limit) return { status: 0, why: `more than ${limit} bytes` };
  const read = new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
  return { status: response.status, data: (await read).split(",")[1] ?? "" };
}"""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: what was asked for, the status and the body.

    `is_kept` is False when the browser has no body: of an answer without one, or of one that the page did not read.
    """

    method: str
    path: str
    status: int
    body: bytes
    is_kept: bool = True

    def json(self) -> Any:
        """Return the body's JSON, None for an empty body; raise TargetError when it is broken or was not kept."""
        if not self.is_kept:
            raise TargetError(f"{self.method} {self.path}: the browser has kept no body", definite=False)
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise TargetError(
                f"{self.method} {self.path} answered with broken JSON: {error}", definite=False
            ) from error


async def awaited(
    page: Page, method: str, path: str | re.Pattern[str], act: Callable[[], Awaitable[object]], *, actor: str
) -> Answer:
    """Do `act`, and return the answer to the first request of this method and path that the page makes then.

    `path` is without the query: a text that equals it, or an expression that matches all of it. Raises
    TargetError as `judged` does, and Playwright's errors; it waits without a limit of its own.
    """
    made: asyncio.Future[Request] = asyncio.get_running_loop().create_future()

    def look(request: Request) -> None:
        at = urlsplit(request.url).path
        fits = at == path if isinstance(path, str) else bool(path.fullmatch(at))
        if fits and request.method == method and not made.done():
            made.set_result(request)

    page.on("request", look)
    try:
        await act()
        request = await made
    finally:
        page.remove_listener("request", look)
    at = urlsplit(request.url).path
    response = await request.response()
    if response is None:
        raise TargetError(f"{actor}, {method} {at}: {request.failure or 'no answer'}", definite=False)
    try:
        answer = Answer(method, at, response.status, await response.body())
    except PlaywrightError:
        answer = Answer(method, at, response.status, b"", is_kept=False)
    return judged(answer, actor)


async def fetched(
    page: Page, method: str, path: str, body: bytes | None, headers: Mapping[str, str], *, actor: str
) -> Answer:
    """Let the page fetch a path of its own origin, with what its session sends along; raises as `judged` does."""
    sent = None if body is None else base64.b64encode(body).decode()
    asked = {"method": method, "path": path, "headers": dict(headers), "body": sent, "limit": MAX_BODY_BYTES}
    found = await page.evaluate(FETCH, asked)
    if not found["status"]:
        raise TargetError(f"{actor}, {method} {path}: {found['why']}", definite=False)
    return judged(Answer(method, path, int(found["status"]), base64.b64decode(found["data"])), actor)


def judged(answer: Answer, actor: str) -> Answer:
    """Return a success; raise the TargetError of anything else, definite for a refusal."""
    if 200 <= answer.status < 300:
        return answer
    raise refused(f"{actor}, {answer.method} {answer.path}", answer.status, answer.body)
