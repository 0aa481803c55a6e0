"""Processes that a test waits for: whether they still run, and which outstay their time."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

GONE_S, LOOK_S = 60.0, 0.02


def is_running(process: int) -> bool:
    """True while a process has not ended; one that nobody has collected yet has ended, too."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        # The second when it ends after the file was opened and before it is read.
        return False


def left(processes: Iterable[int], within_s: float = GONE_S) -> list[int]:
    """Wait until all have ended, and return those that have not within that time: who is killed ends a little later."""
    ends_s = time.monotonic() + within_s
    while found := [each for each in processes if is_running(each)]:
        if time.monotonic() > ends_s:
            return found
        time.sleep(LOOK_S)
    return []
