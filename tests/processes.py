"""Processes that a test waits for: until they have begun, and until they have ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

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


def once_begun(file: Path, work: Callable[..., Any]) -> Callable[..., Any]:
    """Return work on a process whose time begins when the process has written a line into a file."""

    def begun(process: object, *given: Any, **more: Any) -> Any:
        ends_s = time.monotonic() + GONE_S
        while not (file.exists() and file.read_text().endswith("\n")) and time.monotonic() < ends_s:
            time.sleep(LOOK_S)
        return work(process, *given, **more)

    return begun
