"""Where an OpenAPI document comes from: a file or an address, JSON or YAML; what is in the way is told in one line."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from schemathesis.core.deserialization import deserialize_yaml
from urllib3.exceptions import HTTPError

from harness.errors import UsageError, nearest
from harness.model import printable
from harness.redact import plain
from harness.sweeping.wire.transfer import DECODED, Body, body_of, innermost, origin, shown

MAX_BYTES = 16 * 2**20
FETCH_S = 10.0
LEAST_S = 0.1
MAX_REDIRECTS = 3


def parsed(source: str, place: str) -> Any:
    """Return what stands at a path or an address; raise UsageError, which begins with `place` and it."""
    text = _fetched(source, place) if source.startswith(("http://", "https://")) else _file(source, place)
    return _parsed(text, source, place)


def _file(source: str, place: str) -> str:
    path = Path(source)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{place} {source}: more than {MAX_BYTES:,} bytes")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        known = [str(each) for each in path.parent.glob("*") if each.is_file()] if path.parent.is_dir() else []
        raise UsageError(f"{place} {source}: no such file{nearest(source, known)}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{place} {source}: {getattr(error, 'strerror', None) or error}") from error


def _fetched(source: str, place: str) -> str:
    try:
        body = _answer(source, place)
    except (requests.RequestException, HTTPError, ValueError, OSError) as error:
        raise UsageError(f"{place} {shown(source)}: nothing answers there ({innermost(error)})") from error
    if body.undecoded:
        raise UsageError(f"{place} {shown(source)}: {body.undecoded}")
    if len(body.data) > MAX_BYTES:
        raise UsageError(f"{place} {shown(source)}: more than {MAX_BYTES:,} bytes")
    if body.is_cut:
        raise UsageError(f"{place} {shown(source)}: it broke off, or was not over after {FETCH_S:g} s")
    return body.data.decode(errors="replace")


def _answer(source: str, place: str) -> Body:
    """Return what stands at an address, without what the machine knows of proxies and passwords."""
    end_s, url = time.monotonic() + FETCH_S, source
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Accept-Encoding"] = ", ".join(DECODED)
        for _ in range(MAX_REDIRECTS + 1):
            left_s = max(end_s - time.monotonic(), LEAST_S)
            with session.get(url, timeout=left_s, stream=True, allow_redirects=False) as answer:
                if not answer.is_redirect:
                    if answer.status_code != 200:
                        told = f"{answer.status_code} {answer.reason}"
                        raise UsageError(f"{place} {shown(source)}: no OpenAPI document there: {told}")
                    return body_of(answer, left_s, MAX_BYTES + 1)
                url = urljoin(url, answer.headers["location"])
            if origin(url) != origin(source):
                raise UsageError(f"{place} {shown(source)}: it redirects to another origin, {shown(url)}: name that")
    raise UsageError(f"{place} {shown(source)}: more than {MAX_REDIRECTS} redirects")


def _parsed(text: str, source: str, place: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise UsageError(f"{place} {shown(source)}: nested too deeply") from error
    except ValueError as error:
        if text.lstrip()[:1] in ("{", "[") or urlsplit(source).path.endswith(".json"):
            raise UsageError(f"{place} {shown(source)}: broken JSON ({error})") from error
    try:
        return deserialize_yaml(text)
    except Exception as error:
        # The YAML reader's own errors, of a library that is not ours to name.
        raise UsageError(f"{place} {shown(source)}: neither JSON nor YAML ({first_line(error)})") from error


def first_line(error: Exception, clean: Callable[[str], str] = str) -> str:
    """Return an error's message on one line, cleaned before it is cut; its class where it has none."""
    lines = " ".join(clean(str(error)).split())
    return lines[:300] or type(error).__name__


def in_one_line(error: Exception) -> str:
    """Return what went wrong on one line, by its class and without a secret."""
    return f"{type(error).__name__}: {printable(first_line(error, plain))}"
