"""What is secret is told (`Secrets.add`) or found beside a name or by its shape, and then hidden wherever it stands."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

from harness.redact.names import is_harmless_header, is_plain, is_secret_name, is_unsure_name, looks_secret
from harness.redact.shapes import MAX_LEARNT, REDACTED, mask_shapes

MIN_TOLD, MIN_FOUND = 4, 6
"""A shorter value is hidden where its name stands, but not everywhere: it would be found in every other word."""
MAX_FOUND = 1_000
"""Values that were found in one text or trace, and are hidden wherever they stand."""
MIN_NUMBER = 1_000

_FIRST_SIGN, _SIGNS = 0xE000, 6_400
"""Unicode's private use: a letter each that stands in for what is harmless while the rest is masked."""
_SIGN = re.compile("[\ue000-\uf8ff]")
_SCHEME = re.compile(r"(?i:bearer|basic|token|digest)\s+(\S+)")
_PAIR = re.compile(r"([\w.-]{1,200})=([^&#;\"'\\\s<>]+)")
_OF_COOKIES = frozenset({"path", "domain", "expires", "max-age", "samesite", "priority"})
_PASSWORD = re.compile(r"(?i:.*(?:pass|passwd|password|passphrase|pwd))", re.DOTALL)
_MAX_DEPTH = 60


def plain(text: str, harmless: Sequence[str] = ()) -> str:
    """Return a text, such as an error's, without the secrets in it: known by their shape or by the name before them.

    What is `harmless`, such as `sms-otp=enforced` of a flag, is left as it stands.
    """
    secrets = Secrets()
    if not harmless:
        return secrets.mask(mask_shapes(text, secrets.find))
    put_by: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        sign = chr(_FIRST_SIGN + len(put_by) % _SIGNS)
        put_by[sign] = match[0]
        return sign

    known = re.compile("|".join(rf"(?<![\w-]){re.escape(each)}(?![\w-])" for each in harmless))
    signed = known.sub(stand_in, _SIGN.sub("", text), count=_SIGNS)
    masked = secrets.mask(mask_shapes(signed, secrets.find))
    return _SIGN.sub(lambda match: put_by.get(match[0], ""), masked)


class Secrets:
    """Values that must not be kept; it grows as they are told or found."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._forms: list[bytes] = []
        self._is_full = False

    @property
    def is_full(self) -> bool:
        """True when more was found than is remembered, so that masking may leave some of it."""
        return self._is_full

    def add(self, value: str) -> None:
        """Hide this value from now on; raise ValueError for one that is too short to be told from other words."""
        if len(value) < MIN_TOLD:
            raise ValueError(f"a secret of {len(value)} characters cannot be hidden: it needs {MIN_TOLD}")
        self._remember(value)

    def find(self, value: str) -> None:
        """Hide a value that was found, if it can be told from other words."""
        if not MIN_FOUND <= len(value) <= MAX_LEARNT or value.isdecimal() or value == REDACTED:
            return
        if len(self._values) >= MAX_FOUND and value not in self._values:
            self._is_full = True
            return
        self._remember(value)
        if "%" in value or "+" in value:
            self._remember(unquote_plus(value))

    def mask(self, text: str) -> str:
        """Return a text in which the values known by now are hidden."""
        return self.mask_bytes(text.encode(errors="surrogatepass")).decode(errors="replace")

    def mask_bytes(self, data: bytes) -> bytes:
        """Return bytes in which the values known by now are hidden: plain, escaped, quoted or in base64."""
        for form in self._written():
            data = data.replace(form, REDACTED.encode())
        return data

    def work_bytes(self, size_bytes: int) -> int:
        """Return how many bytes are looked at to mask that many: all of them for each form of each value."""
        return size_bytes * len(self._written())

    def scrub(self, node: Any, depth: int = 0) -> Any:
        """Return JSON data in which secrets are hidden, known by name or shape, and remember those values."""
        if depth > _MAX_DEPTH:
            return REDACTED
        if isinstance(node, list):
            return [self.scrub(each, depth + 1) for each in node]
        if isinstance(node, str):
            return self._scrub_text(node, depth)
        if not isinstance(node, dict):
            return node
        name = node.get("name", node.get("k"))
        is_password = node.get("type") == "password"
        if isinstance(name, str) or is_password:
            # A header or a field {name, value}, an argument {k, v}, an input's attributes in a snapshot.
            beside = "password" if is_password else str(name)
            node = {key: self._beside(beside, each) if _is_value(key) else each for key, each in node.items()}
        return {key: self._member(key, each, depth) for key, each in node.items()}

    def _member(self, key: str, value: Any, depth: int) -> Any:
        if is_secret_name(key):
            return self._hide(value, is_password=bool(_PASSWORD.fullmatch(key)))
        if key.lower().endswith("headers"):
            value = self._headers(value)
        return self.scrub(self._beside(key, value), depth + 1)

    def _beside(self, name: str, value: Any) -> Any:
        """Return what stands beside a name: hidden if the name says so, or the name and the look of it."""
        is_hidden = is_secret_name(name) or (is_unsure_name(name) and isinstance(value, str) and looks_secret(value))
        return self._hide(value, is_password=bool(_PASSWORD.fullmatch(name))) if is_hidden else value

    def _headers(self, node: Any) -> Any:
        """Return headers without the values of those that are not known to be harmless."""
        if isinstance(node, list):
            return [
                {**each, "value": self._header(each["name"], each["value"])}
                if isinstance(each, dict) and isinstance(each.get("name"), str) and "value" in each
                else each
                for each in node
            ]
        if isinstance(node, dict):
            return {name: self._header(name, value) for name, value in node.items()}
        return node

    def _header(self, name: str, value: Any) -> Any:
        if is_harmless_header(name) or is_secret_name(name) or not isinstance(value, str):
            return self._beside(name, value)
        return REDACTED if value else value

    def _written(self) -> list[bytes]:
        """Return all forms of the values known by now, the longest first."""
        if not self._forms:
            forms = {form for value in self._values for form in _forms(value)}
            self._forms = sorted(forms, key=len, reverse=True)
        return self._forms

    def _remember(self, value: str) -> None:
        if value not in self._values:
            self._values.add(value)
            self._forms = []

    def _hide(self, node: Any, *, is_password: bool) -> Any:
        """Return REDACTED in place of every text below, and remember what stood there."""
        if isinstance(node, str):
            self._learn(node, is_password=is_password)
            return REDACTED if node else node
        if isinstance(node, list):
            return [self._hide(each, is_password=is_password) for each in node]
        if isinstance(node, dict):
            return {
                key: each if key == "name" else self._hide(each, is_password=is_password) for key, each in node.items()
            }
        is_number = isinstance(node, int | float) and not isinstance(node, bool)
        return REDACTED if is_number and node >= MIN_NUMBER else node

    def _learn(self, value: str, *, is_password: bool) -> None:
        """Remember what stood beside a secret's name; of plain words only passwords, for they are everywhere."""
        if is_password or not is_plain(value):
            self.find(value)
        scheme = _SCHEME.fullmatch(value.strip())
        if scheme:
            self.find(scheme[1])
        for name, part in _PAIR.findall(value):
            if name.lower() not in _OF_COOKIES and not is_plain(part):
                self.find(part)

    def _scrub_text(self, text: str, depth: int) -> str:
        """Return a text without its secrets; one that is itself JSON is looked at as such."""
        if text[:1] in ("{", "["):
            with suppress(ValueError, RecursionError):
                return json.dumps(self.scrub(json.loads(text), depth + 1), ensure_ascii=False)
        return mask_shapes(text, self.find)


def _is_value(key: str) -> bool:
    return key == "v" or "value" in key


def _forms(value: str) -> set[bytes]:
    """Return how a value may be written: escaped for JSON once and twice, for HTML, for URLs, in base64."""
    once = json.dumps(value)[1:-1]
    texts = {value, once, json.dumps(once)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    texts |= {
        html.escape(value),
        html.escape(value, quote=False),
        quote(value, errors="replace"),
        quote(value, safe="", errors="replace"),
        quote_plus(value, errors="replace"),
    }
    data = value.encode(errors="surrogatepass")
    return {text.encode(errors="surrogatepass") for text in texts} | _base64_forms(data)


def _base64_forms(data: bytes) -> set[bytes]:
    """Return the characters that `data` has in the base64 of a text in which it begins at any place."""
    forms = set()
    for before in range(3):
        first, last = -(-8 * before // 6), 8 * (before + len(data)) // 6
        coded = base64.b64encode(bytes(before) + data)[first:last]
        forms |= {coded, coded.replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in forms if len(form) >= MIN_TOLD}
