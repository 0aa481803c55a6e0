"""What leaked in a real run is identified by the command that a person would type, long after the run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from .commands import HARNESS, Run, call, harness, rows


def test_the_evidence_of_a_leak_leads_back_to_its_owner(flawed: Run, tmp_path: Path) -> None:
    """Evidence that was carried elsewhere, of whatever name, is told with its actor and the target's own id."""
    leak = sorted((flawed.out / "evidence").glob("*/leak.webm"))[0]
    found = tmp_path / "found-in-a-cache"
    shutil.copy(leak, found)
    ended = harness("identify", "--json", str(found), "--runs", str(flawed.out))
    assert ended.code == 0, ended.complained
    [file] = json.loads(ended.said)["files"]
    assert file["canaries"]
    for canary in file["canaries"]:
        [origin] = canary["origins"]
        ledger = rows(flawed.out / "ledgers" / f"{origin['trial']}.jsonl")
        emitted = [row for row in ledger if row["action"] == "emit" and row["data"]["canary"] == canary["canary"]]
        assert {row["actor"] for row in emitted} == {origin["actor"]}
        booked = [row for row in ledger if row["action"] == "book" and row["outcome"] == "ok"]
        ids = {row["data"]["visit"]: row["data"]["consultation"] for row in booked}
        assert origin["consultation"] == ids[origin["visit"]]
        assert origin["account"]
        assert origin["acknowledged"]


def test_it_is_told_from_a_pipe(flawed: Run, tmp_path: Path) -> None:
    """Through a shell's pipe, and without the run's directory, the numbers are told."""
    leak = sorted((flawed.out / "evidence").glob("*/leak.webm"))[0]
    ended = call("sh", "-c", f"cat '{leak}' | {HARNESS} identify -", cwd=tmp_path)
    assert ended.code == 0, ended.complained
    assert ended.said.startswith("-: ")
    assert "no stored run has that number" in ended.said


def test_what_is_not_there_is_one_line(tmp_path: Path) -> None:
    """A misspelt name is refused with the nearest right one."""
    (tmp_path / "leak.webm").write_bytes(b"")
    ended = harness("identify", "leek.webm", cwd=tmp_path)
    assert (ended.code, ended.said) == (4, "")
    assert ended.complained == "error: leek.webm: no such file; did you mean 'leak.webm'?\n"
