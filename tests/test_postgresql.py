"""What becomes of the tests where there is no PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HIDING = """
import pathlib
import tests.postgresql
tests.postgresql.DEBIAN = pathlib.Path("/nowhere")
"""
SAID = "PostgreSQL was NOT tested: PostgreSQL is not installed: apt install postgresql"


@pytest.mark.parametrize(("ci", "code", "outcome"), [("true", 1, "1 error"), ("", 0, "1 skipped")])
def test_missing(tmp_path: Path, ci: str, code: int, outcome: str) -> None:
    """Its tests fail in CI and are skipped elsewhere; either way the end of the output says what to install."""
    (tmp_path / "hiding.py").write_text(HIDING)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "hiding", "-k", "test_bytes"]
    ended = subprocess.run(
        [*command, "tests/clinic/test_store.py"],
        cwd=ROOT,
        env=os.environ | {"CI": ci, "PATH": str(tmp_path), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == code, ended.stdout
    assert SAID in ended.stdout
    assert outcome in ended.stdout
    assert "1 passed" in ended.stdout
