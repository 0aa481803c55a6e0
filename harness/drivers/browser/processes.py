"""The processes of a browser, known by a mark in their environment and by their group, and ended by their ids.

Chromium's crash handlers leave its process group and its process tree; its renderers overwrite their environment. So
both are looked at. Where there is no /proc, as on macOS, none is found, and Playwright's own ending has to do.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MARK = "HARNESS_BROWSER_MARK"
END_S, LOOK_S = 2.0, 0.02

_PROC = Path("/proc")
_ENDED = "ZX"


@dataclass(frozen=True, slots=True)
class Family:
    """A browser's first process, which leads its group, the mark that it was given, and Playwright's driver.

    `leader` and `driver` are 0 where there is no /proc.
    """

    mark: str
    leader: int
    driver: int

    @classmethod
    def of(cls, mark: str) -> Family:
        """Return the family of a browser that was started with this mark by a child of this process."""
        ids = _marked(mark)
        for each in ids:
            parent = _stat(each)[1]
            if parent not in ids and _stat(parent)[1] == os.getpid():
                return cls(mark, each, parent)
        return cls(mark, 0, 0)

    def running(self) -> set[int]:
        """Return the ids of the browser's processes that have not ended, without the driver."""
        found = {each for each in _all() if self.leader and _stat(each)[2] == self.leader}
        return {each for each in found | _marked(self.mark) if _stat(each)[0] not in _ENDED}

    def has_driver(self) -> bool:
        """True while the driver is a child of this process and has not ended."""
        state, parent, _ = _stat(self.driver)
        return parent == os.getpid() and state not in _ENDED

    async def end(self) -> None:
        """Kill the driver, wait until no process of the browser runs, and kill those that outstay END_S."""
        if self.has_driver():
            _kill(self.driver)
        await self._until_ended()
        for each in await asyncio.to_thread(self.running):
            _kill(each)
        await self._until_ended()

    async def _until_ended(self) -> None:
        """Wait until no process of the browser runs, END_S at most."""
        ends_s = time.monotonic() + END_S
        while await asyncio.to_thread(self.running):
            if time.monotonic() > ends_s:
                return
            await asyncio.sleep(LOOK_S)


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _all() -> Iterator[int]:
    return (int(each.name) for each in _PROC.glob("[0-9]*"))


def _marked(mark: str) -> set[int]:
    wanted = f"{MARK}={mark}".encode()
    found = set()
    for each in _all():
        # Of somebody else's process, or of one that has just ended, there is nothing to read.
        with suppress(OSError):
            if wanted in (_PROC / str(each) / "environ").read_bytes().split(b"\0"):
                found.add(each)
    return found


def _stat(process: int) -> tuple[str, int, int]:
    """Return a process's state, parent and group (proc_pid_stat(5), fields 3 to 5); of none, that it has ended."""
    try:
        # The second field is a name in brackets, which may hold anything.
        fields = (_PROC / str(process) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[0], int(fields[1]), int(fields[2])
    except OSError:
        return "X", 0, 0
