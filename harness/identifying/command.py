"""`harness identify` from files to an answer: all files are looked at, then the ledgers asked once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness.canary import Canary
from harness.errors import UsageError, nearest
from harness.identifying.looking import MAX_BYTES, Looked, decoders, look
from harness.identifying.runs import DEFAULT_RUNS, Found, look_up, stored_runs
from harness.media.decoders import Decoders

STANDARD_INPUT = "-"
MAX_BESIDE = 2000
"""Files beside one that is not there, among which the nearest name is sought."""


@dataclass(frozen=True, slots=True)
class Identified:
    """What was seen in each file, in the order in which they were named, and what the stored runs say of it."""

    files: tuple[Looked, ...]
    found: Found
    runs: tuple[Path, ...]

    @property
    def exit_code(self) -> int:
        """0 when all files were read and hold canaries of ours, else 1."""
        return 0 if all(each.is_identified for each in self.files) else 1


def identify(names: Sequence[str], roots: Sequence[Path] = ()) -> Identified:
    """Say whose canaries the files hold; `-` is standard input. Without roots, the runs below reports/ are asked.

    Raises UsageError for a file or a root that is not there.
    """
    for name in names:
        _require_file(name)
    if list(names).count(STANDARD_INPUT) > 1:
        raise UsageError("- is named twice: standard input can be read once")
    runs = stored_runs(roots or [each for each in (DEFAULT_RUNS,) if each.is_dir()])
    with decoders() as media, ThreadPoolExecutor(media.processes, "files") as threads:
        files = tuple(threads.map(lambda name: _look(name, media), names))
    canaries: dict[Canary, None] = {seen.canary: None for file in files for seen in file.seen}
    return Identified(files, look_up(canaries, runs), tuple(runs))


def _look(name: str, media: Decoders) -> Looked:
    try:
        if name == STANDARD_INPUT:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return Looked(name, "unreadable", note=error.strerror or str(error))
    if len(data) > MAX_BYTES:
        return Looked(name, "unreadable", note=f"more than {MAX_BYTES} bytes")
    return look(name, data, media)


def _require_file(name: str) -> None:
    path = Path(name)
    if name == STANDARD_INPUT or path.is_file():
        return
    if path.is_dir():
        raise UsageError(f"{name}: it is a directory; name the files in it")
    if path.exists():
        raise UsageError(f"{name}: it is not a file")
    beside: list[str] = []
    if path.parent.is_dir():
        for each in path.parent.iterdir():
            if len(beside) < MAX_BESIDE and each.is_file():
                beside.append(each.name)
    hint = nearest(path.name, sorted(beside))
    raise UsageError(f"{name}: no such file{hint}")
