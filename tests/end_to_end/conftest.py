"""One sound and one flawed full run for all tests, a small flag catalogue, and a place to write scenarios."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .commands import FLAW, SMALL, Run, run

IMPORTS = "import asyncio\n\nfrom harness import Clinician, Patient, scenario\n\n\n"


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a full run on the sound clinic."""
    return run(tmp_path_factory.mktemp("sound") / "out")


@pytest.fixture(scope="session")
def flawed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a full run on the clinic with the flaw planted."""
    return run(tmp_path_factory.mktemp("flawed") / "out", "--flaw", FLAW)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a catalogue of three of the clinic's flags: eight combinations."""
    file = tmp_path / "small.toml"
    file.write_text(SMALL)
    return file


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return the place of a run that does not exist yet."""
    return tmp_path / "out"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a scenario file and returns its path."""

    def write(body: str, name: str = "story.py", imports: str = IMPORTS) -> Path:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(imports + body)
        return file

    return write
