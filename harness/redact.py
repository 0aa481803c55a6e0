"""Takes passwords, tokens and cookies out of what is kept as evidence, and out of messages.

What is secret is told (`Secrets.add`) or known by the name beside it: a header, a cookie, a field of a form or of JSON,
an input for passwords. Each such value is then hidden wherever it stands, in whatever encoding.
"""

from __future__ import annotations

import base64
import html
import json
import re
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

REDACTED = "REDACTED"
MIN_TOLD, MIN_FOUND = 4, 6
"""A shorter value is hidden where its name stands, but not everywhere: it would be found in every other word."""

TRACE_LINES = (".trace", ".network")
TRACE_TEXTS = (".html", ".css", ".js", ".json", ".svg", ".txt", ".xml")
"""How the members of a Playwright trace end that can be cleaned; any other is sound or pictures of people."""

_SECRET_NAME = re.compile(
    r"(?:^|.*[-_.\s]|.*[a-z](?=[A-Z]))"
    r"(?i:authorization|cookies?|tokens?|jwt|password|passwd|passphrase|secret|signature|api[-_]?key|credentials?"
    r"|session[-_]?id|sid)"
)
_SCHEME = re.compile(r"(?i:bearer|basic|token|digest)\s+(\S+)")
_PAIR = re.compile(r"([\w.-]+)=([^&#;\"'\\\s<>]+)")
_OF_COOKIES = frozenset({"path", "domain", "expires", "max-age", "samesite", "priority"})
_MAX_DEPTH = 60


def is_secret_name(name: str) -> bool:
    """Return True when what stands beside this name (a header, a field) must not be kept."""
    return bool(_SECRET_NAME.fullmatch(name))


class Secrets:
    """Values that must not be kept; it grows as they are told or found."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, value: str) -> None:
        """Hide this value from now on; raise ValueError for one that is too short to be told from other words."""
        if len(value) < MIN_TOLD:
            raise ValueError(f"a secret of {len(value)} characters cannot be hidden: it needs {MIN_TOLD}")
        self._values.add(value)

    def mask(self, text: str) -> str:
        """Return a text in which the values known by now are hidden."""
        return self.mask_bytes(text.encode()).decode(errors="replace")

    def mask_bytes(self, data: bytes) -> bytes:
        """Return bytes in which the values known by now are hidden: plain, escaped, quoted or in base64."""
        written = {form for value in self._values for form in _forms(value)}
        for form in sorted(written, key=len, reverse=True):
            data = data.replace(form, REDACTED.encode())
        return data

    def scrub(self, node: Any, depth: int = 0) -> Any:
        """Return JSON data in which values with a secret's name are hidden, and remember those values."""
        if depth > _MAX_DEPTH:
            return REDACTED
        if isinstance(node, list):
            return [self.scrub(each, depth + 1) for each in node]
        if isinstance(node, str):
            return self._scrub_text(node, depth)
        if not isinstance(node, dict):
            return node
        name = node.get("name", node.get("k"))
        is_named = isinstance(name, str) and is_secret_name(name)
        if is_named or node.get("type") == "password":
            # A header or a field {name, value}, an argument {k, v}, an input's attributes in a snapshot.
            node = {key: self._hide(each) if key == "v" or "value" in key else each for key, each in node.items()}
        return {
            key: self._hide(each) if is_secret_name(key) else self.scrub(each, depth + 1) for key, each in node.items()
        }

    def _find(self, value: str) -> None:
        """Remember a value that was found beside a secret's name, if it can be told from other words."""
        if len(value) >= MIN_FOUND and not value.isdecimal():
            self._values.add(value)

    def _hide(self, node: Any) -> Any:
        """Return REDACTED in place of every text below, and remember what stood there."""
        if isinstance(node, str):
            self._find(node)
            scheme = _SCHEME.fullmatch(node.strip())
            if scheme:
                self._find(scheme[1])
            for name, value in _PAIR.findall(node):
                if name.lower() not in _OF_COOKIES:
                    self._find(value)
            return REDACTED if node else node
        if isinstance(node, list):
            return [self._hide(each) for each in node]
        if isinstance(node, dict):
            return {key: each if key == "name" else self._hide(each) for key, each in node.items()}
        return node

    def _scrub_text(self, text: str, depth: int) -> str:
        """Return a text that is itself JSON with its secrets hidden; of any other, only remember those of a query."""
        if text[:1] in ("{", "["):
            with suppress(ValueError):
                return json.dumps(self.scrub(json.loads(text), depth + 1), ensure_ascii=False)
        for name, value in _PAIR.findall(text):
            if is_secret_name(name):
                self._find(value)
                self._find(unquote_plus(value))
        return text


def _forms(value: str) -> set[bytes]:
    """Return how a value may be written: escaped for JSON once and twice, for HTML, for URLs, in base64."""
    once = json.dumps(value)[1:-1]
    texts = {value, once, json.dumps(once)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    texts |= {
        html.escape(value),
        html.escape(value, quote=False),
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
    }
    return {text.encode() for text in texts} | _base64_forms(value.encode())


def _base64_forms(data: bytes) -> set[bytes]:
    """Return the characters that `data` has in the base64 of a text in which it begins at any place."""
    forms = set()
    for before in range(3):
        first, last = -(-8 * before // 6), 8 * (before + len(data)) // 6
        coded = base64.b64encode(bytes(before) + data)[first:last]
        forms |= {coded, coded.replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in forms if len(form) >= MIN_TOLD}
