"""What a drill shows: exit code, sentence, table and drill.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.drilling import show
from harness.drilling.drill import Drill, Orders
from harness.drilling.sight import Report
from harness.running.outcome import ExitCode

from .reports import end, finding, flawed, sound, trial

DOCUMENTED = (Path(__file__).parents[2] / "docs" / "drill.md").read_text()
CLEAN = sound(trial(1), end("valid"))
DIRTY = sound(trial(1, finding()), end("invalid"))
SEEN = flawed(trial(1), trial(2, finding()), end("invalid"))
MISSED = flawed(trial(1), end("valid"))
UNKNOWN = flawed({"error": "no clinic answers"})


class Nobody:
    """Looks on and shows nothing."""

    def began(self, _exercise: object) -> None:
        """Show nothing."""

    def ended(self, _row: object) -> None:
        """Show nothing."""


def drilled(*reports: Report, interrupted: bool = False) -> Drill:
    """Return a drill that has ended with these reports."""
    exercises = [report.exercise for report in reports]
    drill = Drill(exercises, Orders(Path("f"), (), Path("o"), 2), Nobody(), interrupted)
    drill._reports.update({report.exercise.name: report for report in reports})
    return drill


@pytest.mark.parametrize(
    ("reports", "interrupted", "code", "sentence"),
    [
        ([CLEAN, SEEN], False, ExitCode.VALID, "1 of 1 seen; sound clinic clean"),
        ([CLEAN, MISSED], False, ExitCode.INVALID, "0 of 1 seen; sound clinic clean"),
        ([DIRTY, SEEN], False, ExitCode.INVALID, "1 of 1 seen; sound clinic not clean"),
        ([CLEAN, UNKNOWN], False, ExitCode.UNKNOWN, "0 of 1 seen; 1 no verdict; sound clinic clean"),
        ([DIRTY, UNKNOWN], False, ExitCode.INVALID, "0 of 1 seen; 1 no verdict; sound clinic not clean"),
        ([sound({"error": "x"}), SEEN], False, ExitCode.UNKNOWN, "1 of 1 seen; sound clinic no verdict"),
        ([CLEAN, SEEN], True, ExitCode.INTERRUPTED, "1 of 1 seen; sound clinic clean (interrupted)"),
        (
            [DIRTY, flawed(begun=False)],
            True,
            ExitCode.INTERRUPTED,
            "0 of 1 seen; 1 not run; sound clinic not clean (interrupted)",
        ),
    ],
)
def test_verdict(reports: list[Report], interrupted: bool, code: ExitCode, sentence: str) -> None:  # noqa: FBT001 - parametrized
    """It is 0 only when all is seen and clean; an instrument that does not see beats no verdict."""
    drill = drilled(*reports, interrupted=interrupted)
    assert (show.exit_code(drill), show.sentence(drill)) == (code, sentence)


def test_table() -> None:
    """A row stands in columns, and its note in the place of numbers that it does not have."""
    lines = show.table(drilled(CLEAN, SEEN).rows + drilled(MISSED).rows).splitlines()
    assert lines == [
        "flaw                    check            degree  trials  seconds",
        "sound clinic    clean                    1 trial under 1 combination in 9.0 s",
        "thumbnail-open  seen    reachable-media  opened       2      2.5",
        "thumbnail-open  missed  reachable-media  nothing was found; it needs: somebody looks",
    ]


def keys(value: Any) -> set[str]:
    """Return the names of all fields of a JSON value, but for those of combinations, which are flags."""
    if isinstance(value, list):
        return set().union(*map(keys, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    inner = (keys(each) for name, each in value.items() if name not in ("combination", "combinations"))
    return set(value).union(*inner)


def test_document(tmp_path: Path) -> None:
    """drill.json has one object for each flaw, and every field stands in docs/drill.md."""
    drill = drilled(CLEAN, SEEN)
    document = show.document(drill)
    assert [each for each in sorted(keys(document)) if f"`{each}`" not in DOCUMENTED.replace("[]`", "`")] == []
    assert (document["exit_code"], document["sound"]["outcome"], document["sound"]["directory"]) == (
        0,
        "clean",
        "sound",
    )
    (flaw,) = document["flaws"]
    assert (flaw["flaw"], flaw["named_check"], flaw["outcome"]) == ("thumbnail-open", "reachable-media", "seen")
    assert (flaw["trials"], flaw["seconds"], flaw["degree"], flaw["combination"]) == (2, 2.5, "opened", {"cache": "on"})
    show.write(drill, tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["drill.json"]
