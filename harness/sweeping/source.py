"""Where an OpenAPI document comes from: a file or an address, JSON or YAML; what is in the way is told in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from schemathesis.core.deserialization import deserialize_yaml

from harness.errors import UsageError, nearest
from harness.sweeping.transfer import innermost

MAX_BYTES = 16 * 2**20
FETCH_S = 10.0


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
        with requests.get(source, timeout=FETCH_S, stream=True) as answer:
            if answer.status_code != 200:
                raise UsageError(f"{place} {source}: no OpenAPI document there: {answer.status_code} {answer.reason}")
            data = answer.raw.read(MAX_BYTES + 1, decode_content=True)
    except (requests.RequestException, ValueError) as error:
        raise UsageError(f"{place} {source}: nothing answers there ({innermost(error)})") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{place} {source}: more than {MAX_BYTES:,} bytes")
    return str(data.decode(errors="replace"))


def _parsed(text: str, source: str, place: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise UsageError(f"{place} {source}: nested too deeply") from error
    except ValueError as error:
        if text.lstrip()[:1] in ("{", "[") or urlsplit(source).path.endswith(".json"):
            raise UsageError(f"{place} {source}: broken JSON ({error})") from error
    try:
        return deserialize_yaml(text)
    except Exception as error:
        # The YAML reader's own errors, of a library that is not ours to name.
        raise UsageError(f"{place} {source}: neither JSON nor YAML ({first_line(error)})") from error


def first_line(error: Exception) -> str:
    """Return an error's message on one line, its class where it has none."""
    lines = " ".join(str(error).split())
    return lines[:300] or type(error).__name__
