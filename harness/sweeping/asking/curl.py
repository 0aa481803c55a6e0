"""Says how a request reads as a curl command that a shell takes, with nothing in it that lets its reader in."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode, urlsplit

import requests

from harness.model import printable
from harness.sweeping.describing.templates import path_matches
from harness.sweeping.judging.facts import LINK, Facts
from harness.sweeping.wire.secret import is_secret

MAX_SHOWN = 2_000
SECRETS = frozenset({"authorization", "cookie", "proxy-authorization"})
OWN_HEADERS = frozenset(
    {"user-agent", "accept", "accept-encoding", "connection", "content-length", "x-schemathesis-testcaseid"}
)
FORM = "application/x-www-form-urlencoded"
LEFT_OUT = "--data-binary @FILE"
WHY_LEFT_OUT = "# FILE is the body: neither JSON nor a form, so that what is secret in it is not known"
_VARIABLE = re.compile(r"(\$(?:TOKEN_OF|LINK_OF)_[A-Z0-9_]+|\$SECRET\b)")


def as_curl(
    request: requests.PreparedRequest,
    viewer: str,
    facts: Facts,
    secrets: Collection[str] = frozenset(),
    template: str = "",
) -> str:
    """Return a request as a curl command, with every credential as a variable to be set.

    `secrets` names headers, in lower case, that are credentials besides those that always are; `template` is that of
    the operation's path, which says what in it is a secret.
    """
    parts = ["curl", "--include"]
    if (request.method or "GET") != "GET":
        parts += ["--request", shlex.quote(str(request.method))]
    parts.append(_quoted(_without_links(_address(request.url or "", template), facts)))
    for name, value in request.headers.items():
        if name.lower() in OWN_HEADERS:
            continue
        shown = str(value)
        if name.lower() in SECRETS or name.lower() in secrets or is_secret(name):
            scheme = shown.partition(" ")[0] if " " in shown else ""
            shown = f"{scheme} $TOKEN_OF_{_variable(viewer)}".strip()
        parts.append(f"--header {_quoted(_without_links(f'{name}: {shown}', facts))}")
    if isinstance(request.body, bytes | str) and request.body:
        body = _body(request.body, str(request.headers.get("Content-Type", "")))
        if body is None:
            parts += [LEFT_OUT, WHY_LEFT_OUT]
        else:
            parts.append(f"--data-binary {_quoted(_without_links(body, facts)[:MAX_SHOWN])}")
    return printable(" ".join(parts))


def _address(url: str, template: str) -> str:
    """Return an address without whoever is named before its host, the values of secret parameters as variables."""
    parts = urlsplit(url)
    query = "&".join(_pair(pair) for pair in parts.query.split("&"))
    path = _path(parts.path, template)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], path=path, query=query).geturl()


def _path(path: str, template: str) -> str:
    """Return a path with a variable for each segment that a secret's parameter is in; a prefix may stand before it."""
    segments, named = path.split("/"), template.split("/")[1:]
    secret = [any(is_secret(name) for name in re.findall(r"\{([^{}]+)\}", part)) for part in named]
    if not any(secret):
        return path
    before = len(segments) - len(named)
    if path_matches(template, "/".join(["", *segments[max(before, 0) :]])) is None:
        # A page's address may be any: where in it the secret stands is not known.
        return "/".join(part if not part or part in named else "$SECRET" for part in segments)
    return "/".join(
        [
            *segments[:before],
            *("$SECRET" if is_so else part for part, is_so in zip(segments[before:], secret, strict=True)),
        ]
    )


def _pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}=$SECRET" if equals and is_secret(unquote_plus(name)) else pair


def _body(body: bytes | str, content_type: str) -> str | None:
    """Return a body with its secrets as variables; None when it cannot be told what in it is one."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    if content_type.partition(";")[0].strip().lower() == FORM:
        pairs = parse_qsl(text, keep_blank_values=True)
        return "&".join(
            f"{urlencode({name: ''}, errors='backslashreplace')}{_value(name, value)}" for name, value in pairs
        )
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return json.dumps(_redacted(document), ensure_ascii=False)


def _value(name: str, value: str) -> str:
    return "$SECRET" if is_secret(name) else quote(value, safe="", errors="backslashreplace")


def _redacted(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: "$SECRET" if is_secret(str(key)) else _redacted(value) for key, value in node.items()}
    return [_redacted(each) for each in node] if isinstance(node, list) else node


def _without_links(text: str, facts: Facts) -> str:
    """Return a text with each link in it as a variable: whoever reads it must not be let in by it."""
    for thing in list(facts.things.values()):
        if thing.kind == LINK:
            for form in {thing.value, quote(thing.value, safe="", errors="backslashreplace")}:
                text = text.replace(form, f"$LINK_OF_{_variable(facts.called(thing.owner))}")
    return text


def _quoted(text: str) -> str:
    """Quote for a shell, leaving our variables to be put in by it."""
    if not _VARIABLE.search(text):
        return shlex.quote(text)
    escaped = (
        re.sub(r'([\\"`$])', r"\\\1", part) if not _VARIABLE.fullmatch(part) else part for part in _VARIABLE.split(text)
    )
    return f'"{"".join(escaped)}"'


def _variable(name: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "NOBODY"
