"""Templates of paths, such as `/visits/{visit}`: whether a path is of one, and with which parameters."""

from __future__ import annotations

import re
from functools import lru_cache

MAX_PATH = 8_000
"""Longer is no path that a server takes: it may be a text of any length with slashes in it."""
_PARAMETER = re.compile(r"\{([^{}]+)\}")


def path_matches(template: str, path: str) -> dict[str, str] | None:
    """Return the parameters with which a template becomes a path, or None when it does not; the whole path counts."""
    parts = _parts(template)
    if len(path) > MAX_PATH or path.count("/") != len(parts) - 1:
        return None
    given: dict[str, str] = {}
    for (fixed, names), segment in zip(parts, path.split("/"), strict=True):
        if not names:
            if segment != fixed[0]:
                return None
            continue
        values = _between(fixed, segment)
        if values is None:
            return None
        given.update(zip(names, values, strict=True))
    return given


@lru_cache(maxsize=4_096)
def _parts(template: str) -> tuple[tuple[list[str], list[str]], ...]:
    """Return what is fixed and what is named in each segment, in turn, beginning and ending with what is fixed."""
    split = [_PARAMETER.split(segment) for segment in template.split("/")]
    return tuple((each[::2], each[1::2]) for each in split)


def _between(fixed: list[str], segment: str) -> list[str] | None:
    """Return what stands between the fixed texts of a segment, at least one letter each; each is sought once."""
    first, *others, last = fixed
    if not segment.startswith(first):
        return None
    at, values = len(first), []
    for text in others:
        end = segment.find(text, at + 1)
        if end < 0:
            return None
        values.append(segment[at:end])
        at = end + len(text)
    end = len(segment) - len(last)
    return [*values, segment[at:end]] if end > at and segment.endswith(last) else None
