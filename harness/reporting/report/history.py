"""What later reports compare with: one line of JSON a run, as Allure writes it, kept within bounds.

Allure itself appends to its history each time that it makes a report. Here a run has one line, however often it is
reported, and the file is replaced as a whole, after the report was made.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.reporting.report.tool import AllureFailedError
from harness.running.directory import PART, require_writable, write_whole
from harness.running.store import CONTROL, RUN

DEFAULT_HISTORY = Path("reports/history.jsonl")
MAX_RUNS = 20
MAX_BYTES = 16 * 2**20
WHOSE = "harness_run"
"""The key by which a line says which run it is of; Allure does not know it, and leaves it alone."""
NOT_KEPT = ("trace", "labels")
"""Of each result: Allure compares by status, and these are most of its size."""


@dataclass(frozen=True, slots=True)
class History:
    """The lines of earlier runs, oldest first, without any of the run that is reported."""

    path: Path
    run: str
    lines: tuple[str, ...]

    @classmethod
    def read(cls, path: Path, directory: Path) -> History:
        """Read a history for the report of the run in `directory`.

        Raises UsageError when the file is something else, which would be overwritten.
        """
        run = fingerprint(directory)
        return cls(path, run, _others(path, run))

    def lend(self, copy: Path) -> None:
        """Write the history where Allure may read it and append to it; raise UsageError when it could not be kept."""
        require_writable(self.path.parent, f"--history {self.path}: its directory")
        copy.write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")

    def take_back(self, copy: Path) -> None:
        """Keep the line that Allure appended to its copy, and as many of the others as the bounds allow.

        The others are read once more: another report may have been made meanwhile. Raises UsageError as `read` does,
        and AllureFailedError when Allure appended nothing that is a line of a history.
        """
        appended = _lines(copy.read_text(encoding="utf-8"))[len(self.lines) :]
        try:
            added = _point(copy, len(self.lines) + 1, "".join(appended[-1:]))
        except UsageError as error:
            raise AllureFailedError(f"allure ended well and added nothing to the history: {error}") from error
        added[WHOSE] = self.run
        for result in added["testResults"].values():
            for key in NOT_KEPT:
                result.pop(key, None)
        kept: list[str] = []
        room = MAX_BYTES
        for line in [json.dumps(added, separators=(",", ":")), *reversed(_others(self.path, self.run))][:MAX_RUNS]:
            room -= len(line.encode()) + 1
            if room < 0:
                break
            kept.append(line)
        self._replace("".join(f"{line}\n" for line in reversed(kept)))

    def _replace(self, text: str) -> None:
        try:
            write_whole(self.path, text, f".{os.getpid()}{PART}")
        except OSError as error:
            raise UsageError(f"--history {self.path}: {error.strerror}") from error


def fingerprint(directory: Path) -> str:
    """Return what tells a stored run from every other: a digest of its plan and of its control's ledger."""
    digest = hashlib.blake2s(digest_size=8)
    for file in (directory / RUN, directory / CONTROL):
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()


def _lines(text: str) -> list[str]:
    """Return the lines of JSON Lines: what Unicode calls a line's end may stand in the middle of one, in a text."""
    return text.removesuffix("\n").split("\n") if text else []


def _others(path: Path, run: str) -> tuple[str, ...]:
    """Return the lines of a history that are not of this run; raise UsageError for what is no history."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--history {path}: {error}") from error
    lines = enumerate(_lines(text), 1)
    return tuple(line for number, line in lines if line.strip() and _point(path, number, line).get(WHOSE) != run)


def _point(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        point = json.loads(line)
    except ValueError as error:
        raise UsageError(f"--history {path}:{number}: not a line of a report's history ({error})") from error
    if not isinstance(point, dict) or not isinstance(point.get("testResults"), dict) or "uuid" not in point:
        raise UsageError(f"--history {path}:{number}: not a line of a report's history")
    return point
