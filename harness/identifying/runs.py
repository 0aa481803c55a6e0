"""Earlier runs: where they are stored, and what their ledgers say of a canary.

Thousands of ledgers are read for one question: each first line says of which run it is, and of the ledgers that may
hold a canary only the lines that matter are parsed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.canary import RUN_BITS, USER_BITS, Canary, pack
from harness.errors import UsageError, nearest
from harness.ledger import Action, Outcome
from harness.running.register import MAX_CAST
from harness.running.store import EVIDENCE, LEDGERS

DEFAULT_RUNS = Path("reports")
MAX_DEPTH = 5
MAX_FOLDERS = 20_000
"""Folders that are looked into for runs, and how deep: what is larger is named by the folders that matter."""
MAX_LEDGERS = 500_000
MAX_LEDGER_BYTES = 256 * 2**20
MAX_REMARKS = 20
RUN_NUMBERS = MAX_CAST >> USER_BITS
"""Numbers that one run may have, from its first on."""

_HEAD_BYTES = 8192
_RUN_NUMBER = re.compile(rb'"run":\s*(\d{1,7})\b')
_CANARY = re.compile(rb'"canary":\s*"(\d{20})"')
_PARSED = re.compile(rb'"action":\s*"(?:trial|enrol|book|emit|write)"')
_NOT_RUNS = frozenset({"node_modules", EVIDENCE, LEDGERS, "allure-results", "allure-report"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a canary was emitted: the run's directory and its first number, the trial, who, in which visit, as what.

    `consultation` and `account` are the target's and the harness's own names; what does not apply, or is not known, is
    empty. `acknowledged` is False where the target never said that it took what carries the canary.
    """

    directory: Path
    run: int
    trial: str
    scenario: str
    actor: str
    role: str
    account: str
    visit: str
    consultation: str
    what: str
    acknowledged: bool


@dataclass(slots=True)
class Found:
    """What the ledgers say: the origins by canary, in which directories each run number is, and what was left out."""

    origins: dict[Canary, list[Origin]] = field(default_factory=dict)
    directories: dict[int, list[Path]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def stored_runs(roots: Collection[Path]) -> list[Path]:
    """Return every directory with ledgers of a run, at the roots or below them, in order.

    Raises UsageError for a root that is no directory, or when there are more folders than are looked into.
    """
    found: dict[Path, None] = {}
    folders = 0
    for root in roots:
        if not root.is_dir():
            raise UsageError(f"--runs {root}: {_why_not(root)}")
        for place, below, _files in os.walk(root):
            folders += 1
            if folders > MAX_FOLDERS:
                raise UsageError(f"--runs {root}: more than {MAX_FOLDERS:,} folders; name those that hold the runs")
            if LEDGERS in below:
                found[Path(place)] = None
            depth = len(Path(place).relative_to(root).parts)
            below[:] = sorted(n for n in below if n not in _NOT_RUNS and not n.startswith(".")) * (depth < MAX_DEPTH)
    return list(found)


def look_up(canaries: Iterable[Canary], directories: Iterable[Path]) -> Found:
    """Return what the ledgers in the directories say of the canaries; raises UsageError when there are too many."""
    wanted = {f"{pack(canary):020d}".encode(): canary for canary in canaries}
    found = Found()
    if not wanted:
        return found
    count = 0
    for directory in directories:
        for ledger in _ledgers(directory):
            count += 1
            if count > MAX_LEDGERS:
                raise UsageError(f"more than {MAX_LEDGERS:,} ledgers; name the runs that matter with --runs")
            try:
                _read(ledger, directory, wanted, found)
            except OSError as error:
                _remark(found, f"{ledger}: {error.strerror}")
    return found


def _ledgers(directory: Path) -> Iterator[Path]:
    yield from sorted((directory / LEDGERS).glob("*.jsonl"))
    yield from sorted(directory.glob("control*.jsonl"))


def _read(ledger: Path, directory: Path, wanted: Mapping[bytes, Canary], found: Found) -> None:
    """Add what one ledger says."""
    with ledger.open("rb") as file:
        # Without a number in its beginning, as where the first line is longer, all of it is searched.
        number = _RUN_NUMBER.search(file.read(_HEAD_BYTES))
        if number and not _belongs(int(number[1]), wanted.values(), directory, found):
            return
        file.seek(0)
        data = file.read(MAX_LEDGER_BYTES + 1)
    if len(data) > MAX_LEDGER_BYTES:
        _remark(found, f"{ledger}: more than {MAX_LEDGER_BYTES} bytes, not read")
        return
    here = {value for value in _CANARY.findall(data) if value in wanted}
    if here:
        rows = list(_rows(data, ledger, found))
        for origin, canary in _origins(rows, directory, {value.decode(): wanted[value] for value in here}):
            found.origins.setdefault(canary, []).append(origin)


def _belongs(run: int, canaries: Iterable[Canary], directory: Path, found: Found) -> bool:
    """True when one of the canaries has a number of the run that begins with this one; those are noted down."""
    numbers = {each.run for each in canaries if (each.run - run) % (1 << RUN_BITS) < RUN_NUMBERS}
    for number in numbers:
        places = found.directories.setdefault(number, [])
        if directory not in places:
            places.append(directory)
    return bool(numbers)


def _rows(data: bytes, ledger: Path, found: Found) -> Iterator[dict[str, Any]]:
    """Yield the entries that say whose a canary is; a last line that was cut off is left out."""
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if not _PARSED.search(line):
            continue
        try:
            row = json.loads(line)
            if not isinstance(row["data"], dict):
                raise TypeError("its data are no object")
        except (ValueError, KeyError, TypeError) as error:
            if number < len(lines):
                _remark(found, f"{ledger}:{number}: not a ledger entry ({error}), left out")
            continue
        yield row


def _origins(
    rows: list[dict[str, Any]], directory: Path, wanted: Mapping[str, Canary]
) -> Iterator[tuple[Origin, Canary]]:
    """Yield the origin of each canary that these entries of one ledger emit or write."""
    trial: dict[str, Any] = {}
    accounts: dict[str, str] = {}
    consultations: dict[str, str] = {}
    emitted: dict[str, dict[str, Any]] = {}
    acknowledged: set[str] = set()
    for row in rows:
        action, data = row.get("action"), row["data"]
        if action == Action.TRIAL:
            trial = data
        elif action == Action.ENROL:
            accounts[str(row.get("actor", ""))] = str(data.get("account", ""))
        elif action == Action.BOOK and data.get("consultation"):
            consultations[str(data.get("visit", ""))] = str(data["consultation"])
        elif action in (Action.EMIT, Action.WRITE) and data.get("canary") in wanted:
            emitted.setdefault(data["canary"], row)
            if row.get("outcome") == Outcome.OK:
                acknowledged.add(data["canary"])
    cast = trial.get("cast")
    for value, row in emitted.items():
        actor, visit = str(row.get("actor", "")), str(row["data"].get("visit", ""))
        origin = Origin(
            directory=directory,
            run=trial["run"] if isinstance(trial.get("run"), int) else wanted[value].run,
            trial=str(trial.get("trial", "")),
            scenario=str(trial.get("scenario", "")),
            actor=actor,
            role=str(cast.get(actor, "")) if isinstance(cast, dict) else "",
            account=accounts.get(actor, ""),
            visit=visit,
            consultation=consultations.get(visit, ""),
            what=str(row["data"].get("medium") or row["data"].get("what") or ""),
            acknowledged=value in acknowledged,
        )
        yield origin, wanted[value]


def _why_not(root: Path) -> str:
    """Say why a root is none, with the nearest directory that holds a run or runs."""
    what = "it is not a directory" if root.exists() else "no such directory"
    beside = [str(each) for each in sorted(root.parent.iterdir()) if each.is_dir()] if root.parent.is_dir() else []
    return what + nearest(str(root), beside)


def _remark(found: Found, remark: str) -> None:
    if len(found.remarks) < MAX_REMARKS:
        found.remarks.append(remark)
    elif len(found.remarks) == MAX_REMARKS:
        found.remarks.append("and more")
