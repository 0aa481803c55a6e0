"""A sweep's directory: sweep.json, the story's ledger, what was learnt; and nothing of anybody else's.

DIR/sweep.json         what was shown
DIR/ledgers/ID.jsonl   the ledger of the story, written as it happens
DIR/facts.json         people and things, with which `harness.sweeping.check` judges other runs
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import ledger as ledgers
from harness.errors import UsageError
from harness.ledger import Ledger
from harness.running.directory import PART, held, write_whole
from harness.sweeping.judging.facts import ACCOUNT, LINK, NAME, Facts, Person, Thing
from harness.sweeping.show import REPORT

FACTS = "facts.json"
LEDGERS = "ledgers"
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
    with held(path, "sweep", require_ours, _empty):
        yield path


def _empty(path: Path) -> None:
    for name in OURS:
        entry = path / name
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    (path / LEDGERS).mkdir()


def ledger(path: Path, trial: str) -> Ledger:
    """Open the story's ledger."""
    return Ledger((path / LEDGERS / f"{trial}.jsonl").open("w", encoding="utf-8"))


def keep_facts(path: Path, facts: Facts) -> None:
    """Write what was learnt of people and things."""
    write_whole(path / FACTS, json.dumps(as_json(facts), indent=1) + "\n")


def load(directory: Path) -> Facts:
    """Read the facts of a stored run: the ledgers of `harness run`, or of `harness sweep` with what it learnt.

    Raises UsageError when no ledger lies there, or one cannot be read.
    """
    files = sorted((directory / LEDGERS).glob("*.jsonl")) if directory.is_dir() else []
    if not files:
        raise UsageError(f"{directory}: no ledger is there ({LEDGERS}/*.jsonl); name a stored run of the harness")
    facts = Facts()
    extra = directory / FACTS
    if extra.exists():
        try:
            restore(facts, json.loads(extra.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{extra}: not what a sweep writes ({type(error).__name__}: {error})") from error
    for file in files:
        facts.learn(ledgers.read(file))
    return facts


def as_json(facts: Facts) -> dict[str, Any]:
    """Return people and things beyond what the ledgers say, for `load`; it holds no credential and no media."""
    return {
        "people": [
            {
                "account": each.account,
                "name": each.name,
                "role": each.role,
                "also": sorted(each.also),
                "is_public": each.is_public,
                "oversees": each.oversees,
            }
            for each in facts.people.values()
        ],
        "things": [
            {
                "value": each.value,
                "kind": each.kind,
                "owner": each.owner,
                "parties": sorted(each.parties),
                "knowers": sorted(each.knowers),
                "within": each.within,
            }
            for each in facts.things.values()
            if each.kind not in (ACCOUNT, NAME, LINK)
        ],
        "met": facts.acquainted(),
        "public_kinds": sorted(facts.public_kinds),
        "files": facts.files,
    }


def restore(facts: Facts, stored: Mapping[str, Any]) -> None:
    """Add what `as_json` made; that of an earlier version has no public kinds and no files."""
    facts.public_kinds |= frozenset(stored.get("public_kinds", ()))
    facts.files.update(stored.get("files", {}))
    for row in stored["people"]:
        facts.add_person(Person(**{**row, "also": frozenset(row["also"])}))
    for row in stored["things"]:
        thing = Thing(**{**row, "parties": set(row["parties"]), "knowers": set(row["knowers"])})
        facts.keep(thing)
    for one, other in stored["met"]:
        facts.meet(one, other)
