"""Where a report lies: a directory of ours, replaced as a whole, never somebody else's."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness.errors import UsageError

INDEX, VERDICT, FACTS = "index.html", "verdict.html", "report.json"
OURS = frozenset({INDEX, VERDICT, FACTS})
MADE_BY = "harness report"


def require_ours(to: Path) -> None:
    """Raise UsageError unless the directory is new, empty or holds an earlier report of ours and nothing else."""
    if to.is_symlink() or (to.exists() and not to.is_dir()):
        raise UsageError(f"--to {to}: it is not a directory")
    held = sorted(entry.name for entry in to.iterdir()) if to.exists() else []
    if not held:
        return
    foreign = [name for name in held if name not in OURS]
    if foreign or not _is_marked(to / FACTS):
        raise UsageError(f"--to {to}: it holds {(foreign or held)[0]}, which `harness report` did not write there")


def put(contents: Mapping[str, str], to: Path, facts: Mapping[str, object]) -> None:
    """Put the report in its place, whole or not at all; raise UsageError when that cannot be written."""
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}-") as draft:
            new = Path(draft, "new")
            new.mkdir()
            for name, text in contents.items():
                (new / name).write_text(text, encoding="utf-8")
            (new / FACTS).write_text(json.dumps({"made_by": MADE_BY, **facts}, indent=1) + "\n", encoding="utf-8")
            old = Path(draft, "old")
            if to.exists():
                to.rename(old)
            try:
                new.rename(to)
            except BaseException:
                if old.exists():
                    old.rename(to)
                raise
    except OSError as error:
        raise UsageError(f"--to {to}: {error.strerror}") from error


def _is_marked(facts: Path) -> bool:
    try:
        told = json.loads(facts.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and told.get("made_by") == MADE_BY
