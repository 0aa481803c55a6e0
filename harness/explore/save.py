"""Writes a leak down: a scenario file under a name that is free, and the ledger of the trial beside it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from harness.ledger import Ledger

MAX_NAMES = 1_000


def save(directory: Path, stem: str, text: Callable[[str, Path], str], ledger: Ledger) -> Path:
    """Write `text(name, path)` into the directory, with the ledger beside it; return the file's path.

    The name is the stem, or, where a file of that name has another content, the stem with the first number that is
    free: nothing that is there is lost. Raises OSError.
    """
    for number in range(1, MAX_NAMES):
        name = stem if number == 1 else f"{stem}_{number}"
        path = directory / f"{name}.py"
        content = text(name, path)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(content)
        except FileExistsError:
            if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == content:
                return path
            continue
        lines = "".join(entry.as_json() + "\n" for entry in ledger)
        path.with_suffix(".ledger.jsonl").write_text(lines, encoding="utf-8")
        return path
    raise FileExistsError(errno.EEXIST, f"{MAX_NAMES - 1} files named {stem} are there already")
