"""Reading a scenario file: which files are some, which scenarios one defines, and what is wrong with one, in a line."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from pathlib import Path

from harness.errors import UsageError
from harness.scenario import DEFINED, Scenario

IMPORTS_HARNESS = re.compile(r"^\s*(from|import) harness\b", re.MULTILINE)


def holds_scenarios(path: Path) -> bool:
    """Return True for a Python file that speaks of scenarios; test files are pytest's own."""
    if path.suffix != ".py" or path.name.startswith("test_") or path.name == "conftest.py":
        return False
    source = path.read_text(encoding="utf-8", errors="replace")
    return "scenario" in source and IMPORTS_HARNESS.search(source) is not None


def scenarios_of(path: Path, names: Mapping[str, object]) -> list[Scenario]:
    """Return the scenarios that a file defines among its module's names; those it imports are another file's.

    Raises UsageError when it defines a scenario that would not be played, and nobody would miss.
    """
    found = [each for each in names.values() if isinstance(each, Scenario) and each.path == path]
    for scenario in DEFINED:
        if scenario.path != path or scenario in found:
            continue
        twin = next((each for each in found if each.name == scenario.name), None)
        if twin:
            raise UsageError(f"{twin.place}: scenario '{twin.name}' is there twice; first at line {scenario.line}")
        raise UsageError(f"{scenario.place}: scenario '{scenario.name}' must stand at the top level of its file")
    return found


def fault_in(path: Path, error: BaseException) -> UsageError:
    """Return what a scenario file raised while it was imported, with file and line."""
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return UsageError(f"{_place(path, error)}: {type(error).__name__}: {said}")


def _place(path: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)
