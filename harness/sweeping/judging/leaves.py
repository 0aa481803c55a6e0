"""What JSON holds, each string, number and key with its place; also JSON that is a part of another text.

A plain number is a reference only where the place that it stands in names its kind: so no such place may be lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

MAX_DEPTH = 40
KEY = "key"
"""How the place of a key ends."""
COUNTED = "key of a list or number"
"""How the place of a key ends under which things are gathered or counted: it may be a year."""
MAX_EXACT = 2**53
"""From here on a float may stand for several whole numbers."""
MAX_BEFORE = 200
"""How long what stands before JSON may be: the call that takes it, or what keeps it from being run."""
_BEFORE = re.compile(rf"(?:[^{{\[]{{0,{MAX_BEFORE}}}?[(';,=]\s{{0,9}})?(?=[{{\[])")
_LINE = re.compile(r"\r\n|\n|\r")
_FIELD = "data:"

Leaf = tuple[str, str | None]


def parsed(text: str) -> Any:
    """Return a text's JSON, no key that stands twice left out; raise ValueError or RecursionError."""
    return json.loads(text, object_pairs_hook=_whole)


def leaves(node: Any, place: str = "$", depth: int = 0) -> Iterator[Leaf]:
    """Yield every string and number of a JSON document with its place, and every key of an object.

    JSON within a string stands where the string does. What lies deeper than MAX_DEPTH is None, in the place where it
    begins.
    """
    if depth > MAX_DEPTH:
        yield place, None
        return
    if isinstance(node, Mapping | _Pairs):
        for key, value in node.items() if isinstance(node, Mapping) else node:
            is_counted = isinstance(value, int | float | list) and not isinstance(value, bool)
            yield f"{place} {COUNTED if is_counted else KEY}", str(key)
            yield from leaves(value, f"{place}.{key}", depth + 1)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, f"{place}[{index}]", depth + 1)
    elif isinstance(node, str):
        yield place, node
        yield from _parsed(node, place, depth + 1)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield place, number(node)


def number(value: float) -> str:
    """Return a number as references are written: one that is whole without a fraction."""
    is_whole = isinstance(value, float) and abs(value) < MAX_EXACT and value.is_integer()
    return str(int(value) if is_whole else value)


def leaves_within(text: str) -> Iterator[Leaf]:
    """Yield what JSON holds that is a part of a text.

    That is lines of JSON, server-sent events, and what a text begins with, also behind a call (JSONP) or a guard.
    """
    text = text.strip()
    before = _BEFORE.match(text)
    if before:
        try:
            document, _ = _DECODER.raw_decode(text, before.end())
        except RecursionError:
            yield "$", None
        except ValueError:
            pass
        else:
            yield from leaves(document)
    event: list[str] = []
    for line in (*_LINE.split(text), ""):
        if line.startswith(_FIELD):
            event.append(line.removeprefix(_FIELD))
            continue
        if event and not line.strip():
            whole = list(_parsed("\n".join(event), "$"))
            yield from whole or (leaf for each in event for leaf in _parsed(each, "$"))
            event = []
        yield from _parsed(line.lstrip("\x1e"), "$")


def _parsed(text: str, place: str, depth: int = 0) -> Iterator[Leaf]:
    """Yield what a text holds that is JSON as a whole, an object or a list."""
    if text.lstrip()[:1] not in ("{", "["):
        return
    try:
        document = parsed(text)
    except RecursionError:
        yield place, None
    except ValueError:
        return
    else:
        yield from leaves(document, place, depth)


class _Pairs(tuple[tuple[str, Any], ...]):
    """An object in which a key stands more than once: whoever is shown the text is shown all of them."""

    __slots__ = ()


def _whole(pairs: list[tuple[str, Any]]) -> Mapping[str, Any] | _Pairs:
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else _Pairs(pairs)


_DECODER = json.JSONDecoder(object_pairs_hook=_whole)
