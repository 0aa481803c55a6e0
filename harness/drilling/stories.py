"""Finds scenarios without pytest: the files are imported, and what they define is taken."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from harness.errors import UsageError, nearest
from harness.scenario import Scenario
from harness.scenario_files import fault_in, holds_scenarios, scenarios_of


def scenarios_in(paths: Iterable[Path]) -> dict[str, Scenario]:
    """Return the scenarios of files and folders by name, in the order of the files' names.

    Raises UsageError for a path that does not exist, a file that cannot be imported, a name that is there twice,
    and when there is no scenario at all.
    """
    asked = tuple(paths)
    found: dict[str, Scenario] = {}
    for file in dict.fromkeys(file.absolute() for path in asked for file in _files(path)):
        for scenario in _defined_in(file):
            twin = found.setdefault(scenario.name, scenario)
            if twin is not scenario:
                raise UsageError(f"{scenario.place}: scenario '{scenario.name}' is there twice; first at {twin.place}")
    if not found:
        raise UsageError(f"{', '.join(map(str, asked))}: no scenario is there")
    return found


def _files(path: Path) -> list[Path]:
    """Return the scenario files that a path stands for."""
    if not path.exists():
        known = [str(each) for each in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UsageError(f"{path}: no such scenario file or folder{nearest(str(path), known)}")
    return [file for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path]) if holds_scenarios(file)]


def _defined_in(file: Path) -> list[Scenario]:
    spec = importlib.util.spec_from_file_location(f"drilled.{file.stem}", file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file}: it cannot be imported")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except UsageError:
        raise
    except Exception as error:  # foreign code: what it raises is its author's to mend
        raise fault_in(file, error) from error
    return scenarios_of(file, vars(module))
