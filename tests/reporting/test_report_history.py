"""The history: one line a run, within bounds, and nobody else's file."""

import json
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.reporting.report import history
from harness.reporting.report.history import History, fingerprint
from harness.reporting.report.tool import AllureFailedError
from tests.reporting.stored import leaking, store


def point(name: str, size: int = 1) -> str:
    """Return a line as Allure writes it."""
    results = {f"{name}-{n}": {"id": "x", "status": "passed", "trace": "long", "labels": []} for n in range(size)}
    return json.dumps({"uuid": name, "name": "VALID", "timestamp": 1, "testResults": results})


def report(out: Path, file: Path, name: str, size: int = 1) -> None:
    """Go through what a report does to the history, Allure's own part in one line."""
    earlier = History.read(file, out)
    copy = file.with_name("copy.jsonl")
    earlier.lend(copy)
    with copy.open("a") as appended:
        appended.write(point(name, size) + "\n")
    earlier.take_back(copy)


def names(file: Path) -> list[str]:
    """Return the runs of a history, oldest first."""
    return [json.loads(line)["uuid"] for line in file.read_text().splitlines()]


def test_a_run_has_one_line_however_often_it_is_reported(tmp_path: Path) -> None:
    """The second report of a run replaces its line; another run adds one."""
    first, second = store(tmp_path / "first"), store(tmp_path / "second", leaking)
    (second / "control.jsonl").write_text((second / "control.jsonl").read_text().replace('"run": 1', '"run": 2'))
    file = tmp_path / "reports" / "history.jsonl"
    file.parent.mkdir()
    for out, name in ((first, "a"), (second, "b"), (first, "c")):
        report(out, file, name)
    assert names(file) == ["b", "c"]
    assert sorted(each.name for each in file.parent.iterdir()) == ["copy.jsonl", "history.jsonl"]


def test_two_runs_of_one_plan_are_told_apart(tmp_path: Path) -> None:
    """The control's ledger differs from run to run, though the plan may not."""
    out = store(tmp_path / "out")
    before = fingerprint(out)
    (out / "control.jsonl").write_text((out / "control.jsonl").read_text().replace('"run": 1', '"run": 2'))
    assert fingerprint(out) != before


def test_the_history_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest runs are kept, by number and by size, and of each result what is compared."""
    out, file = store(tmp_path / "out"), tmp_path / "history.jsonl"
    file.write_text("".join(point(f"old-{n}") + "\n" for n in range(30)))
    report(out, file, "new")
    assert names(file) == [*(f"old-{n}" for n in range(30 - history.MAX_RUNS + 1, 30)), "new"]
    assert "trace" not in json.loads(file.read_text().splitlines()[-1])["testResults"]["new-0"]
    monkeypatch.setattr(history, "MAX_BYTES", 2 * len(point("old-29")) + 200)
    report(out, file, "newest")
    assert names(file)[-1] == "newest"
    assert file.stat().st_size <= history.MAX_BYTES


@pytest.mark.parametrize(
    "text", ["# A readme\n", '{"some": "JSON"}\n', point("a") + "\n" + '{"testResults": [], "uuid": 1}\n', "[]\n"]
)
def test_a_file_that_is_no_history_is_refused(tmp_path: Path, text: str) -> None:
    """It would be overwritten: the line is named and the file is left as it is."""
    file = tmp_path / "README.md"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"README\.md:\d: not a line of a report's history"):
        History.read(file, store(tmp_path / "out"))
    assert file.read_text() == text


def test_reports_that_are_made_at_once_lose_no_line(tmp_path: Path) -> None:
    """What another report has added since the history was read is kept."""
    first, second = store(tmp_path / "first"), store(tmp_path / "second", leaking)
    (second / "control.jsonl").write_text((second / "control.jsonl").read_text().replace('"run": 1', '"run": 2'))
    file = tmp_path / "history.jsonl"
    earlier, copy = History.read(file, first), tmp_path / "copy of the first"
    report(second, file, "b")
    copy.write_text(point("a") + "\n")
    earlier.take_back(copy)
    assert names(file) == ["b", "a"]


def test_a_line_may_hold_what_unicode_calls_the_end_of_one(tmp_path: Path) -> None:
    """Allure writes the words of a target as they are; only a line feed ends a line of JSON Lines."""
    file, out = tmp_path / "history.jsonl", store(tmp_path / "out")
    told = point("a").replace("VALID", "one\u2028two\u2029three\x85four")
    file.write_text(told + "\n", encoding="utf-8")
    copy = tmp_path / "copy.jsonl"
    earlier = History.read(file, out)
    earlier.lend(copy)
    with copy.open("a", encoding="utf-8") as lent:
        lent.write(told.replace('"a"', '"b"') + "\n")
    earlier.take_back(copy)
    kept = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    assert [json.loads(line)["uuid"] for line in kept] == ["a", "b"]


@pytest.mark.parametrize("appended", ["", "{}\n", "nothing like JSON\n"])
def test_an_allure_that_adds_no_line_has_failed(tmp_path: Path, appended: str) -> None:
    """It is said in a line, and the history stays as it was."""
    file, copy = tmp_path / "history.jsonl", tmp_path / "copy.jsonl"
    file.write_text(point("old") + "\n")
    earlier = History.read(file, store(tmp_path / "out"))
    earlier.lend(copy)
    with copy.open("a") as lent:
        lent.write(appended)
    with pytest.raises(AllureFailedError, match="added nothing to the history"):
        earlier.take_back(copy)
    assert names(file) == ["old"]


def test_a_history_that_is_a_directory_is_refused(tmp_path: Path) -> None:
    """It is said in a line."""
    with pytest.raises(UsageError, match="--history"):
        History.read(tmp_path, store(tmp_path / "out"))
