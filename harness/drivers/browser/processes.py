"""The processes of a browser, known by a mark in their environment, and ended by their ids.

Chromium's crash handlers leave its process group and its process tree, so that neither would find them. Where there is
no /proc, as on macOS, none is found, and Playwright's own ending has to do.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

MARK = "HARNESS_BROWSER_MARK"
END_S, LOOK_S = 2.0, 0.02

_PROC = Path("/proc")


def marked(mark: str) -> set[int]:
    """Return the ids of the running processes whose environment holds this mark."""
    wanted = f"{MARK}={mark}".encode()
    found = set()
    for entry in _PROC.glob("[0-9]*"):
        # Of somebody else's process, or of one that has just ended, there is nothing to read.
        with suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
    return found


def driver(mark: str) -> int | None:
    """Return the id of the child of this process that started those with the mark, which is Playwright's driver."""
    ids = marked(mark)
    for parent in {_parent(each) for each in ids} - ids:
        if parent and _parent(parent) == os.getpid():
            return parent
    return None


def kill_child(process: int) -> None:
    """Kill a child of this process by its id; harmless when it has ended."""
    if _parent(process) == os.getpid():
        os.kill(process, signal.SIGKILL)


async def end(mark: str) -> None:
    """Wait until no process with this mark runs; kill those that outstay END_S."""
    loop = asyncio.get_running_loop()
    for kill in (False, True):
        ends_s = loop.time() + END_S
        while left := await asyncio.to_thread(marked, mark):
            if kill:
                for each in left:
                    with suppress(ProcessLookupError):
                        os.kill(each, signal.SIGKILL)
            if loop.time() > ends_s:
                break
            await asyncio.sleep(LOOK_S)


def _parent(process: int) -> int:
    """Return the parent's id (proc_pid_stat(5), field 4), 0 when there is no such process."""
    try:
        # The second field is a name in brackets, which may hold anything.
        return int((_PROC / str(process) / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0
