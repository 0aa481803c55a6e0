"""Where the report is put: whole or not at all, and never over anybody else's files."""

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.reporting.report.place import put, require_ours

CONTENTS = {"index.html": "<html>", "verdict.html": "<html>"}


def test_a_report_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """The second report leaves nothing of the first, and no draft beside it."""
    to = tmp_path / "a" / "allure-report"
    put(CONTENTS, to, {"run": "1"})
    require_ours(to)
    put({"index.html": "new"}, to, {"run": "2"})
    assert sorted(each.name for each in to.iterdir()) == ["index.html", "report.json"]
    assert (to / "index.html").read_text() == "new"
    assert [each.name for each in to.parent.iterdir()] == ["allure-report"]
    assert to.stat().st_mode & 0o055 == 0o055


@pytest.mark.parametrize("names", [["notes.txt"], ["index.html"], ["index.html", "report.json"]])
def test_a_directory_of_somebody_else_is_refused(tmp_path: Path, names: list[str]) -> None:
    """Also when its files have our names: without our mark they are not ours."""
    for name in names:
        (tmp_path / name).write_text("{}")
    with pytest.raises(UsageError, match="did not write there"):
        require_ours(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(names)


def test_a_report_with_a_foreign_file_in_it_is_refused(tmp_path: Path) -> None:
    """What somebody has put beside our files is not lost."""
    to = tmp_path / "report"
    put(CONTENTS, to, {})
    (to / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        require_ours(to)


def test_a_file_in_the_place_is_refused(tmp_path: Path) -> None:
    """A file, or a link to somewhere else, is not written through."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        with pytest.raises(UsageError, match="not a directory"):
            require_ours(tmp_path / name)


def test_new_and_empty_directories_are_fine(tmp_path: Path) -> None:
    """Nothing is there that could be lost."""
    require_ours(tmp_path)
    require_ours(tmp_path / "new")


def test_what_cannot_be_written_is_said_in_a_line(tmp_path: Path) -> None:
    """A place below a file is the user's to mend."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="--to"):
        put(CONTENTS, tmp_path / "file" / "report", {})


def test_the_earlier_report_stays_when_the_new_one_cannot_be_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost when the last step fails."""
    to = tmp_path / "report"
    put({"index.html": "earlier"}, to, {})
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(UsageError, match="No space left"):
        put({"index.html": "new"}, to, {})
    assert (to / "index.html").read_text() == "earlier"
    assert [each.name for each in tmp_path.iterdir()] == ["report"]
