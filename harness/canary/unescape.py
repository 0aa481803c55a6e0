"""A text as it came, and as it reads when what it was wrapped in is taken off: JSON, HTML and URL escapes."""

from __future__ import annotations

import html
import re
from urllib.parse import unquote

MAX_WRAPPINGS = 2
"""As JSON in an attribute of HTML, or a URL in JSON."""

_JSON = re.compile(
    r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\(.)", re.DOTALL
)
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def readings(text: str) -> tuple[str, ...]:
    """Return the text, then with each wrapping taken off, twice at most, as long as that changes anything.

    One wrapping is JSON's escapes (RFC 8259, section 7), character references of HTML, and URL escapes (RFC 3986,
    section 2.1), each where it stands. Half a surrogate pair is left as such. Linear in the text.
    """
    found = [text]
    for _ in range(MAX_WRAPPINGS):
        text = _unwrapped(text)
        if text == found[-1]:
            break
        found.append(text)
    return tuple(found)


def _unwrapped(text: str) -> str:
    if "\\" in text:
        text = _JSON.sub(_character, text)
    if "&" in text:
        text = html.unescape(text)
    return unquote(text) if "%" in text else text


def _character(match: re.Match[str]) -> str:
    high, low, unit, short = match.groups()
    if high:
        return chr(0x10000 + (int(high, 16) - 0xD800 << 10) + int(low, 16) - 0xDC00)
    return chr(int(unit, 16)) if unit else _CONTROLS.get(short, short)
