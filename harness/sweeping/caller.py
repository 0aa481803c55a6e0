"""Sends cases over HTTP as somebody, bounded in time and size, and says how a case reads as a curl command."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import requests
from urllib3.exceptions import HTTPError

from harness.sweeping.cases import Call
from harness.sweeping.facts import LINK, Facts
from harness.sweeping.judging import Request
from harness.sweeping.references import is_secret
from harness.sweeping.seeing import Answer
from harness.sweeping.source import innermost

CONNECT_S = 3.0
ANSWER_S = 20.0
STREAM_S = 0.4
"""How long an endless answer is listened to."""
MAX_BYTES = 64 * 2**20
READ_BYTES = 2**16
MAX_SHOWN = 2_000
SECRETS = frozenset({"authorization", "cookie", "proxy-authorization"})
OWN_HEADERS = frozenset(
    {"user-agent", "accept", "accept-encoding", "connection", "content-length", "x-schemathesis-testcaseid"}
)


class UnsendableError(Exception):
    """A generated case that no HTTP client can send."""


class NoAnswerError(Exception):
    """The target did not answer; the message says how."""


class Caller:
    """One session each for everybody who asks; no cookie, proxy or netrc of the machine comes in."""

    def __init__(self, base_url: str, credentials: Mapping[str, Mapping[str, str]]) -> None:
        self._base_url = base_url.rstrip("/")
        self._credentials = credentials
        self.secrets = {name.lower() for headers in credentials.values() for name in headers} | SECRETS
        """The names of headers, in lower case, that must never be written down."""
        self._sessions: dict[str | None, requests.Session] = {}
        self.sent = 0

    def close(self) -> None:
        """Let go of all connections."""
        for session in self._sessions.values():
            session.close()

    def send(self, call: Call, viewer: str | None) -> tuple[Request, Answer, requests.PreparedRequest]:
        """Send a call as somebody, or as nobody; raise UnsendableError or NoAnswerError."""
        session = self._session(viewer)
        try:
            kwargs = call.case.as_transport_kwargs(base_url=self._base_url)
            headers = {name: value for name, value in kwargs.pop("headers").items() if name.lower() not in self.secrets}
            headers |= self._credentials.get(viewer or "", {})
            request = session.prepare_request(requests.Request(**kwargs, headers=headers))
        except (requests.RequestException, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UnsendableError(str(error)) from error
        self.sent += 1
        is_stream = call.operation.is_stream
        try:
            with session.send(
                request,
                stream=True,
                allow_redirects=False,
                timeout=(CONNECT_S, STREAM_S if is_stream else ANSWER_S),
            ) as response:
                body, is_cut = _body(response, STREAM_S if is_stream else ANSWER_S)
                headers = dict(response.headers)
                answer = Answer(response.status_code, response.reason or "", headers, body, is_cut)
        except (requests.RequestException, UnicodeError) as error:
            # Some servers close a connection in the face of what they cannot parse: that is an answer of a kind.
            raise NoAnswerError(f"{type(error).__name__}: {innermost(error)}") from error
        return as_request(call.operation.label, request), answer, request

    def _session(self, viewer: str | None) -> requests.Session:
        if viewer not in self._sessions:
            session = requests.Session()
            session.trust_env = False
            self._sessions[viewer] = session
        self._sessions[viewer].cookies.clear()
        return self._sessions[viewer]


def as_request(operation: str, request: requests.PreparedRequest) -> Request:
    """Return what the judgement needs to know of a request: its words, credentials left out."""
    body = request.body.decode(errors="replace") if isinstance(request.body, bytes) else str(request.body or "")
    headers = [str(value) for name, value in request.headers.items() if name.lower() not in ("authorization", "cookie")]
    parts = urlsplit(request.url or "")
    with suppress(ValueError):
        body = json.dumps(json.loads(body), ensure_ascii=False)
    return Request(
        operation, request.method or "", parts.path, (unquote(parts.path), unquote(parts.query), body, *headers)
    )


def as_curl(
    request: requests.PreparedRequest, viewer: str, facts: Facts, secrets: Collection[str] = frozenset()
) -> str:
    """Return a request as a curl command that a shell takes, with every credential as a variable to be set.

    `secrets` names headers, in lower case, that are credentials besides those that always are.
    """
    parts = ["curl", "--include"]
    if (request.method or "GET") != "GET":
        parts += ["--request", shlex.quote(str(request.method))]
    parts.append(_quoted(_without_links(request.url or "", facts)))
    for name, value in request.headers.items():
        if name.lower() in OWN_HEADERS:
            continue
        shown = str(value)
        if name.lower() in SECRETS or name.lower() in secrets or is_secret(name):
            scheme = shown.partition(" ")[0] if " " in shown else ""
            shown = f"{scheme} $TOKEN_OF_{_variable(viewer)}".strip()
        parts.append(f"--header {_quoted(_without_links(f'{name}: {shown}', facts))}")
    if isinstance(request.body, bytes | str) and request.body:
        parts.append(f"--data-binary {_quoted(_without_links(_body_shown(request.body), facts)[:MAX_SHOWN])}")
    return " ".join(parts)


def _without_links(text: str, facts: Facts) -> str:
    """Return a text with each link in it as a variable: whoever reads it must not be let in by it."""
    for thing in list(facts.things.values()):
        if thing.kind == LINK:
            for form in {thing.value, quote(thing.value, safe="")}:
                text = text.replace(form, f"$LINK_OF_{_variable(facts.called(thing.owner))}")
    return text


def _body_shown(body: bytes | str) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    try:
        document = json.loads(text)
    except ValueError:
        return text
    return json.dumps(_redacted(document), ensure_ascii=False)


def _redacted(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: "$SECRET" if is_secret(str(key)) else _redacted(value) for key, value in node.items()}
    return [_redacted(each) for each in node] if isinstance(node, list) else node


def _quoted(text: str) -> str:
    """Quote for a shell, leaving our variables to be put in by it."""
    variable = re.compile(r"(\$(?:TOKEN_OF|LINK_OF)_[A-Z0-9_]+|\$SECRET\b)")
    if not variable.search(text):
        return shlex.quote(text)
    escaped = (
        re.sub(r'([\\"`$])', r"\\\1", part) if not variable.fullmatch(part) else part for part in variable.split(text)
    )
    return f'"{"".join(escaped)}"'


def _variable(name: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "NOBODY"


def _body(response: requests.Response, deadline_s: float) -> tuple[bytes, bool]:
    """Return the body, or what came of it within the deadline and MAX_BYTES, and whether it was cut short.

    What came before a connection broke was shown to its viewer as well as a whole answer.
    """
    end_s = time.monotonic() + deadline_s
    body = bytearray()
    try:
        # `iter_content` gathers whole parts, and loses the last one when the connection breaks.
        while part := response.raw.read1(READ_BYTES, decode_content=True):
            body += part
            if len(body) > MAX_BYTES or time.monotonic() > end_s:
                return bytes(body[:MAX_BYTES]), True
    except HTTPError:
        return bytes(body), True
    return bytes(body), False
