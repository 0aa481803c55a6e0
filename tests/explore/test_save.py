"""Saving: a name that is free, nothing that is there is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.explore.save import save
from harness.ledger import Ledger
from harness.running.directory import require_writable


def _text(name: str, path: Path) -> str:
    return f"{name} in {path.name}"


def test_a_new_file(tmp_path: Path) -> None:
    """The file has the stem's name and knows it, and the ledger lies beside it."""
    path = save(tmp_path, "leak", _text, Ledger())
    assert (path.name, path.read_text()) == ("leak.py", "leak in leak.py")
    assert (tmp_path / "leak.ledger.jsonl").exists()


def test_the_same_again(tmp_path: Path) -> None:
    """A file that says the same is left as it is."""
    assert save(tmp_path, "leak", _text, Ledger()) == save(tmp_path, "leak", _text, Ledger())
    assert len(list(tmp_path.glob("*.py"))) == 1


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Where another file has the name, a number is added, and the file is untouched."""
    (tmp_path / "leak.py").write_text("mine")
    path = save(tmp_path, "leak", _text, Ledger())
    assert (path.name, path.read_text()) == ("leak_2.py", "leak_2 in leak_2.py")
    assert (tmp_path / "leak.py").read_text() == "mine"


@pytest.mark.parametrize("place", ["file/below", "/proc"])
def test_a_place_that_cannot_be(tmp_path: Path, place: str) -> None:
    """A directory that cannot be made, or written into, is refused in one line and before anything runs."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=rf"--save .*{place}: "):
        require_writable(tmp_path / place, "--save")


def test_no_name_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are tried up to a limit, and nothing is overwritten."""
    monkeypatch.setattr("harness.explore.save.MAX_NAMES", 2)
    (tmp_path / "leak.py").write_text("mine")
    with pytest.raises(FileExistsError, match="1 files named leak are there already"):
        save(tmp_path, "leak", _text, Ledger())
    assert (tmp_path / "leak.py").read_text() == "mine"
