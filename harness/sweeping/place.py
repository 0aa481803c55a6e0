"""A sweep's directory: sweep.json, the story's ledger, what was learnt; and nothing of anybody else's.

DIR/sweep.json         what was shown
DIR/ledgers/ID.jsonl   the ledger of the story, written as it happens
DIR/facts.json         people and things, with which `harness.sweeping.check` judges other runs
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import UsageError
from harness.ledger import Ledger
from harness.running.store import PART
from harness.sweeping.facts import LEDGERS, Facts, as_json
from harness.sweeping.show import REPORT

FACTS = "facts.json"
OURS = frozenset({REPORT, REPORT + PART, FACTS, LEDGERS})


def require_ours(path: Path) -> None:
    """Raise UsageError unless the directory is new, empty, or an earlier sweep's."""
    if path.exists() and not path.is_dir():
        raise UsageError(f"--out {path}: it is not a directory")
    for entry in sorted(path.iterdir()) if path.exists() else ():
        if entry.name not in OURS or entry.is_symlink():
            raise UsageError(
                f"--out {path}: it holds {entry.name}, which no sweep wrote; "
                "give an empty directory or an earlier sweep's"
            )


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Empty the directory of an earlier sweep and hold it for this one; raise UsageError when that may not be."""
    require_ours(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        directory = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise UsageError(f"--out {path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"--out {path}: another sweep is writing there; give another directory") from error
        for name in OURS:
            entry = path / name
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
        (path / LEDGERS).mkdir()
        yield path
    finally:
        os.close(directory)


def ledger(path: Path, trial: str) -> Ledger:
    """Open the story's ledger."""
    return Ledger((path / LEDGERS / f"{trial}.jsonl").open("w", encoding="utf-8"))


def keep_facts(path: Path, facts: Facts) -> None:
    """Write what was learnt of people and things."""
    (path / FACTS).write_text(json.dumps(as_json(facts), indent=1) + "\n", encoding="utf-8")
