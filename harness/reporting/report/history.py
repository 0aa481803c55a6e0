"""What later reports compare with: one line of JSON a run, as Allure writes it, kept within bounds.

Allure itself appends to its history each time that it makes a report. Here a run has one line, however often it is
reported, and the file is replaced as a whole, after the report was made.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UsageError
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

        Raises UsageError when the file is something else: it would be overwritten.
        """
        run = fingerprint(directory)
        try:
            text = path.read_text(encoding="utf-8") if path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--history {path}: {error}") from error
        lines = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and _point(path, number, line).get(WHOSE) != run:
                lines.append(line)
        return cls(path, run, tuple(lines))

    def lend(self, copy: Path) -> None:
        """Write the history where Allure may read it and append to it."""
        copy.write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")

    def take_back(self, copy: Path) -> None:
        """Keep the line that Allure appended to its copy, and as many of the others as the bounds allow."""
        added = json.loads(copy.read_text(encoding="utf-8").splitlines()[-1])
        added[WHOSE] = self.run
        for result in added["testResults"].values():
            for key in NOT_KEPT:
                result.pop(key, None)
        kept: list[str] = []
        room = MAX_BYTES
        for line in [json.dumps(added, separators=(",", ":")), *reversed(self.lines)][:MAX_RUNS]:
            room -= len(line.encode()) + 1
            if room < 0:
                break
            kept.append(line)
        self._replace("".join(f"{line}\n" for line in reversed(kept)))

    def _replace(self, text: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(draft).chmod(0o644)
            Path(draft).replace(self.path)
        except OSError as error:
            raise UsageError(f"--history {self.path}: {error.strerror}") from error


def fingerprint(directory: Path) -> str:
    """Return what tells a stored run from every other: a digest of its plan and of its control's ledger."""
    digest = hashlib.blake2s(digest_size=8)
    for file in (directory / RUN, directory / CONTROL):
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()


def _point(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        point = json.loads(line)
    except ValueError as error:
        raise UsageError(f"--history {path}:{number}: not a line of a report's history ({error})") from error
    if not isinstance(point, dict) or not isinstance(point.get("testResults"), dict) or "uuid" not in point:
        raise UsageError(f"--history {path}:{number}: not a line of a report's history")
    return point
