"""The patterns of a document, tried in time that is linear in what they are tried on: it may be anybody's document."""

from __future__ import annotations

from functools import lru_cache

import jsonschema_rs

MAX_PATTERN = 2_000
MAX_TEXT = 2_000
"""A longer text, or a longer pattern, is not tried: it fits."""
Validator = jsonschema_rs.Draft202012Validator


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> Validator | None:
    try:
        return Validator({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions())
    except (jsonschema_rs.ValidationError, ValueError):
        return None


def matches(pattern: str, text: str) -> bool:
    """Return whether a pattern is found in a text; true for one that cannot be tried in linear time, as look-aheads."""
    if len(pattern) > MAX_PATTERN or len(text) > MAX_TEXT:
        return True
    validator = _compiled(pattern)
    return validator is None or bool(validator.is_valid(text))
