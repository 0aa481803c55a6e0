"""`harness report` from its arguments to its exit code, which says only whether a report was made."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from pathlib import Path

import pytest

from harness.cli import report as cli_report
from harness.cli.main import main
from harness.reporting.report import tool
from tests.allure_tool import needs_allure
from tests.reporting.stored import PLAN, clean, leaking, store


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report(*arguments: str) -> int:
    """Run the command and return its exit code."""
    before, sys.argv = sys.argv, ["harness", "report", *arguments]
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = before
    return int(ended.value.code or 0)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, which must refuse in one line, and return the line."""
    assert report(*arguments) == 4
    [line] = capsys.readouterr().err.splitlines()
    return line


@needs_allure
def test_a_report_is_made_of_a_run_that_leaks_and_the_exit_code_does_not_judge(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report lies where it was asked for and says what it says; the code is 0."""
    store(place / "reports" / "out", leaking)
    assert report() == 0
    said = capsys.readouterr().out
    assert "INVALID: do not ship" in said
    assert said.endswith("report: reports/out/allure-report/index.html\n")
    assert sorted(each.name for each in (place / "reports").iterdir()) == ["history.jsonl", "out"]
    assert sorted(each.name for each in (place / "reports/out/allure-report").iterdir()) == [
        "index.html",
        "report.json",
        "verdict.html",
    ]
    assert json.loads((place / "reports/out/allure-report/report.json").read_text())["verdict"] == "invalid"


@needs_allure
def test_history_is_kept_over_runs(place: Path) -> None:
    """A second run's report has the first's results beside its own, and the file has a line for each."""
    store(place / "out", leaking)
    assert report("out", "--to", "first", "--history", "h.jsonl") == 0
    shutil.rmtree(place / "out")
    store(place / "out", clean)
    control = place / "out" / "control.jsonl"
    control.write_text(control.read_text().replace('"run": 1', '"run": 2'))
    assert report("out", "--to", "second", "--history", "h.jsonl") == 0
    points = [json.loads(line) for line in (place / "h.jsonl").read_text().splitlines()]
    assert [point["name"] for point in points] == [
        "INVALID: do not ship",
        "VALID: nobody could see media that is not theirs",
    ]
    assert points[0]["testResults"].keys() == points[1]["testResults"].keys()
    assert len(points[0]["testResults"]) == len(PLAN.trials)


def test_no_run_is_said_with_the_nearest_name(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A slip in a directory's name, and a place where nothing ever ran."""
    store(place / "reports" / "out-leak", leaking)
    assert "reports/out-leek: no stored run is there; did you mean 'reports/out-leak'?" in refused(
        capsys, "reports/out-leek"
    )
    assert "nowhere/out: no stored run is there; `harness run` makes one" in refused(capsys, "nowhere/out")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda out: (out / "run.json").unlink(), "no stored run is there (run.json is missing)"),
        (lambda out: (out / "run.json").write_text("{"), "run.json: "),
        (lambda out: (out / "run.json").write_text('{"schema": 1}'), "not a whole run of schema 1"),
        (lambda out: (out / "run.json").write_text("[]"), "not a stored run of schema 1"),
        (lambda out: (out / "summary.json").write_text("[]"), "summary.json: not a run's summary"),
        (lambda out: (out / "ledgers" / "00000000.jsonl").write_text(""), "no cell of run.json is this trial's"),
        (lambda out: (out / "ledgers" / f"{PLAN.trials[1].id}.jsonl").write_text("{}\n"), ":1: not a ledger entry"),
        (lambda out: (out / "control.jsonl").write_text("no JSON\n"), "control.jsonl:1: not a ledger entry"),
    ],
    ids=["no plan", "half a plan", "an empty plan", "a list", "a summary", "a stray ledger", "a bad line", "control"],
)
def test_half_a_run_is_refused_in_a_line_that_names_the_file(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, spoil: object, said: str
) -> None:
    """Nothing is written of a run whose files cannot be read."""
    monkeypatch.setattr("harness.reporting.report.build.find", lambda: tool.Tool(Path("never run"), "3.18.0"))
    out = store(place / "out")
    assert callable(spoil)
    spoil(out)
    assert said in refused(capsys, "out")
    assert sorted(each.name for each in place.iterdir()) == ["out"]
    assert not (out / "allure-report").exists()


def test_a_file_is_no_run(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in place of a directory."""
    (place / "out").write_text("x")
    assert "out: it is not a run's directory" in refused(capsys, "out")


def test_a_place_of_somebody_else_is_refused_before_any_work(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither another's directory, nor the run's own, nor another's file is written over."""
    out = store(place / "out")
    (place / "mine").mkdir()
    (place / "mine" / "notes.txt").write_text("x")
    assert "--to mine: it holds notes.txt" in refused(capsys, "out", "--to", "mine")
    assert "--to out: it holds control.jsonl" in refused(capsys, "out", "--to", "out")
    assert "--history mine/notes.txt:1: not a line" in refused(capsys, "out", "--history", "mine/notes.txt")
    assert (out / "run.json").exists()


def test_a_missing_viewer_is_said_with_how_to_get_it(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Node the line says so, and a report that was made before stays."""
    store(place / "out")
    monkeypatch.setenv("PATH", str(place))
    assert "there is no `node` here: https://nodejs.org" in refused(capsys, "out")


def test_an_allure_that_fails_is_a_fault_and_leaves_the_last_report(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3 with Allure's last words; nothing is replaced and nothing is left over."""
    out = store(place / "out")
    failing = place / "allure"
    failing.write_text("#!/bin/sh\necho half > report; echo no space left >&2; exit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr("harness.reporting.report.build.find", lambda: tool.Tool(failing, "3.18.0"))
    assert report("out", "--history", "h.jsonl") == 3
    assert "allure ended with exit code 1: no space left" in capsys.readouterr().err
    assert not (out / "allure-report").exists()
    assert sorted(each.name for each in place.iterdir()) == ["allure", "out"]


def test_an_allure_that_writes_nothing_is_a_fault(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`allure generate` ends with 0 whatever happens: that there is a page is looked at."""
    store(place / "out")
    silent = place / "allure"
    silent.write_text("#!/bin/sh\nexit 0\n")
    silent.chmod(0o755)
    monkeypatch.setattr("harness.reporting.report.build.find", lambda: tool.Tool(silent, "3.18.0"))
    assert report("out") == 3
    assert "allure ended well and wrote no report" in capsys.readouterr().err


def test_sigterm_ends_it_as_ctrl_c_does(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is interrupted, so that nothing is left of it, and the exit code says so."""
    cleaned = []

    def killed(*_: object) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            cleaned.append(place)

    monkeypatch.setattr(cli_report, "make", killed)
    before = signal.getsignal(signal.SIGTERM)
    assert report(str(place)) == 2
    assert cleaned == [place]
    assert signal.getsignal(signal.SIGTERM) is before
