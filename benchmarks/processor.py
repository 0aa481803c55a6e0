"""Processor time of processes and threads, as Linux counts it in /proc."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# proc_pid_stat(5), counted from the field after the name in brackets.
PARENT, USER, SYSTEM = 1, 11, 12


def process_s(pid: int) -> float:
    """Return the processor seconds that a process has used, user and system; raise OSError when it is gone."""
    return _seconds(PROC / str(pid) / "stat")


def thread_s(thread: int) -> float:
    """Return the processor seconds that a thread of this process has used; raise OSError when it is gone."""
    return _seconds(PROC / "self" / "task" / str(thread) / "stat")


def child(module: str) -> int:
    """Return the id of this process's child that runs a Python module; raise LookupError when there is none."""
    for directory in PROC.glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
            parent = int(_fields(directory / "stat")[PARENT])
        except OSError:  # it ended while we looked
            continue
        if parent == os.getpid() and module.encode() in words:
            return int(directory.name)
    raise LookupError(f"no child process runs {module}")


def _seconds(stat: Path) -> float:
    fields = _fields(stat)
    return (int(fields[USER]) + int(fields[SYSTEM])) / TICKS_PER_S


def _fields(stat: Path) -> list[str]:
    # The name in brackets may hold blanks and brackets of its own.
    return stat.read_text().rpartition(")")[2].split()
