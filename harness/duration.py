"""A time as people write it on the command line."""

from __future__ import annotations

import re

from harness.errors import UsageError

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
WRITTEN = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(ms|s|m|min|h)?")


def read_duration(option: str, text: str, least_s: float, most_s: float) -> float:
    """Return the seconds of `60s`, `5m`, `1.5 h` or `90`.

    Raises UsageError, in one line that names the option and a right form, for what is no time or out of bounds.
    """
    found = WRITTEN.fullmatch(text.strip())
    if not found:
        raise UsageError(f"{option} {text}: not a time; give one such as '{_meant(text)}'")
    duration_s = float(found[1]) * UNITS_S[found[2] or "s"]
    if duration_s < least_s:
        raise UsageError(f"{option} {text}: too short; give '{_written(least_s)}' or more, such as '60s'")
    if duration_s > most_s:
        raise UsageError(f"{option} {text}: too long; give at most '{_written(most_s)}'")
    return duration_s


def _meant(text: str) -> str:
    number = re.search(r"\d{1,4}", text)
    if number is None or not int(number[0]):
        return "60s"
    unit = re.search(r"[a-z]", text[number.end() :].lower())
    return f"{int(number[0])}{unit[0] if unit and unit[0] in UNITS_S else 's'}"


def _written(duration_s: float) -> str:
    unit = next((unit for unit in ("h", "m") if duration_s % UNITS_S[unit] == 0), "s")
    return f"{duration_s / UNITS_S[unit]:g}{unit}"
