"""On which line of a TOML text a table or a key stands, since `tomllib` keeps the values only."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*""")
_DOTTED = rf"{_PART.pattern}(?:\.{_PART.pattern})*"
_HEADER = re.compile(rf"\s*(\[\[?)({_DOTTED})\]\]?\s*(?:#.*)?")
_KEY = re.compile(rf"({_DOTTED})=")


def index_lines(text: str) -> Mapping[tuple[str, ...], int]:
    """Return the line, from 1, of each table and key, by its path such as `("flags", "a", "kind")`.

    The n-th table of an array has the path `("exclusions", "n")`, n from 0. It reads line by line, so
    that the keys inside a table written on one line are not told apart: ask `line_of`, which falls back.
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    seen: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            table = _parts(header[2])
            if header[1] == "[[":
                seen[table] = seen.get(table, -1) + 1
                table = (*table, str(seen[table]))
            path = table
        elif key := _KEY.match(line):
            path = table + _parts(key[1])
        else:
            continue
        for end in range(1, len(path) + 1):
            lines.setdefault(path[:end], number)
    return lines


def line_of(lines: Mapping[tuple[str, ...], int], path: tuple[str, ...]) -> int:
    """Return the line of the path, or of the nearest table around it, or 0 when none of them is known."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple("".join(groups) for groups in _PART.findall(dotted))
