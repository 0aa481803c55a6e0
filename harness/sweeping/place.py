"""A sweep's directory: sweep.json, the story's ledger, what was learnt; and nothing of anybody else's.

DIR/sweep.json         what was shown
DIR/ledgers/ID.jsonl   the ledger of the story, written as it happens
DIR/facts.json         people and things, with which `harness.sweeping.check` judges other runs
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import UsageError
from harness.ledger import Ledger
from harness.running.directory import PART, held, write_whole
from harness.sweeping.facts import LEDGERS, Facts, as_json
from harness.sweeping.show import REPORT

FACTS = "facts.json"
OURS = frozenset({REPORT, REPORT + PART, FACTS, FACTS + PART, LEDGERS})


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
    with held(path, "sweep", require_ours):
        for name in OURS:
            entry = path / name
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
        (path / LEDGERS).mkdir()
        yield path


def ledger(path: Path, trial: str) -> Ledger:
    """Open the story's ledger."""
    return Ledger((path / LEDGERS / f"{trial}.jsonl").open("w", encoding="utf-8"))


def keep_facts(path: Path, facts: Facts) -> None:
    """Write what was learnt of people and things."""
    write_whole(path / FACTS, json.dumps(as_json(facts), indent=1) + "\n")
