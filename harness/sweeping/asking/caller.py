"""Sends cases over HTTP as somebody, bounded in time and size, to the target and nobody else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import unquote, urljoin, urlsplit

import requests

from harness.sweeping.asking.cases import Call
from harness.sweeping.asking.curl import SECRETS
from harness.sweeping.describing.document import Operation
from harness.sweeping.judging.judge import Request
from harness.sweeping.judging.seeing import Answer
from harness.sweeping.wire.transfer import DECODED, body_of, innermost, origin

CONNECT_S = 3.0
ANSWER_S = 20.0
STREAM_S = 0.4
"""How long an endless answer is listened to."""
SEE_OTHER = 303


class UnsendableError(Exception):
    """A generated case that no HTTP client can send."""


class UnfollowedError(Exception):
    """A redirect that is not followed; the message says why."""


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
            headers = self._headers(kwargs.pop("headers"), viewer)
            request = session.prepare_request(requests.Request(**kwargs, headers=headers))
            is_elsewhere = origin(request.url or "") != origin(self._base_url)
        except (requests.RequestException, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UnsendableError(str(error)) from error
        if is_elsewhere:
            raise UnsendableError("a path that leads to another origin")
        return as_request(call.operation.label, request), self._sent(request, viewer, call.operation), request

    def follow(
        self, sent: requests.PreparedRequest, answer: Answer, viewer: str | None, operation: Operation
    ) -> tuple[Answer, requests.PreparedRequest]:
        """Ask for what an answer redirects to, as the same viewer; raise UnfollowedError or NoAnswerError.

        Only a read is followed, or what is to be read after a change (303), and never to another origin.
        """
        if sent.method != "GET" and answer.status != SEE_OTHER:
            raise UnfollowedError("a change was redirected")
        return self.fetch(answer.header("location"), sent, viewer, operation)

    def fetch(
        self, address: str, sent: requests.PreparedRequest, viewer: str | None, operation: Operation
    ) -> tuple[Answer, requests.PreparedRequest]:
        """Read an address that an answer named, as the same viewer; raise UnfollowedError or NoAnswerError."""
        try:
            url = urljoin(sent.url or "", address)
            if not address or origin(url) != origin(self._base_url):
                raise UnfollowedError("it leads nowhere" if not address else "it leads to another origin")
            request = requests.Request("GET", url, headers=self._headers({}, viewer)).prepare()
        except (requests.RequestException, ValueError) as error:
            raise UnfollowedError("it leads to no address") from error
        return self._sent(request, viewer, operation), request

    def _headers(self, headers: Mapping[str, str], viewer: str | None) -> dict[str, str]:
        """Return headers of a case with the viewer's in place of any credential, and what can be decoded."""
        left_out = self.secrets | {"accept-encoding"}
        kept = {name: value for name, value in headers.items() if name.lower() not in left_out}
        return {**kept, "Accept-Encoding": ", ".join(DECODED), **self._credentials.get(viewer or "", {})}

    def _sent(self, request: requests.PreparedRequest, viewer: str | None, operation: Operation) -> Answer:
        self.sent += 1
        answer_s = STREAM_S if operation.is_stream else ANSWER_S
        try:
            with self._session(viewer).send(
                request, stream=True, allow_redirects=False, timeout=(CONNECT_S, answer_s)
            ) as response:
                body = body_of(response, answer_s)
                return Answer(
                    response.status_code,
                    response.reason or "",
                    dict(response.headers),
                    body.data,
                    body.is_cut,
                    body.undecoded,
                )
        except (requests.RequestException, UnicodeError) as error:
            # Some servers close a connection in the face of what they cannot parse: that is an answer of a kind.
            raise NoAnswerError(f"{type(error).__name__}: {innermost(error)}") from error

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
