"""Finding and running `allure`: what is missing is said with how to get it, and nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.reporting.report import tool
from harness.reporting.report.tool import AllureFailedError, Tool, find
from tests.processes import left, once_begun


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory that is all of the PATH, with no checkout and no reports/ beside it."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", str(place))
    monkeypatch.setattr(tool, "CHECKOUT", tmp_path / "no checkout")
    monkeypatch.chdir(tmp_path)
    return place


def program(file: Path, body: str) -> Path:
    """Write a program."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return file


def test_no_node_is_said_with_how_to_get_it(path: Path) -> None:
    """Without Node there is no report; the sentence says where Node and Allure come from."""
    program(path / "allure", "echo 3.18.0")
    with pytest.raises(UsageError, match=r"no `node` here: https://nodejs\.org.*npm ci --prefix reports"):
        find()


@pytest.mark.parametrize("version", ["v18.18.2", "v12.22.9", "nothing like a version"])
def test_an_old_node_is_said(path: Path, version: str) -> None:
    """A Node with which Allure was not seen to work, as older distributions have it."""
    program(path / "node", f"echo {version}")
    with pytest.raises(UsageError, match=rf"needs Node 18\.19 or newer, and .*node is {version}"):
        find()


def test_no_allure_is_said_with_how_to_get_it(path: Path) -> None:
    """Both ways of getting it stand in the sentence."""
    program(path / "node", "echo v18.20.4")
    with pytest.raises(UsageError, match=r"`npm ci --prefix reports`.*`npm install --global allure@3\.18\.0`"):
        find()


@pytest.mark.parametrize("version", ["2.35.1", "3.17.0", "4.0.0", "what?"])
def test_another_allure_is_refused(path: Path, version: str) -> None:
    """The page of another version is not known, that of the Java Allure 2 least of all."""
    program(path / "node", "echo v22.1.0")
    program(path / "allure", f"echo {version}")
    with pytest.raises(UsageError, match=rf"is Allure {version.replace('?', '.')}, and the report needs 3\.18"):
        find()


def test_the_one_beside_the_checkout_comes_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is pinned by a lock; the PATH's is taken when there is none."""
    program(path / "node", "echo v22.1.0")
    elsewhere = program(path / "allure", "echo 3.18.2")
    assert find() == Tool(elsewhere, "3.18.2")
    reports = path.parent / "checkout" / "reports"
    beside = program(reports / "node_modules/.bin/allure", "echo 3.18.0")
    (beside.parent / "package.json").write_text('{"version": "3.18.1"}')
    monkeypatch.setattr(tool, "CHECKOUT", reports)
    assert find() == Tool(beside, "3.18.1")


def test_a_program_that_cannot_be_run_is_said(path: Path) -> None:
    """A `node` that is no program is the user's to mend."""
    (path / "node").write_bytes(b"\x7fELF")
    (path / "node").chmod(0o755)
    with pytest.raises(UsageError, match="cannot be run"):
        find()


def test_when_allure_fails_its_last_lines_are_told(tmp_path: Path) -> None:
    """Exit code and the end of what it said, without the codes for colours."""
    failing = program(tmp_path / "allure", r"seq 100; printf '\033[31mno space left\033[0m\n' >&2; exit 7")
    with pytest.raises(AllureFailedError, match=r"(?s)exit code 7: 90\n.*100\nno space left$"):
        Tool(failing, "3.18.0").generate(tmp_path / "c", tmp_path / "r", tmp_path)


def test_an_allure_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the deadline it is ended with all that it started, though it does not listen to SIGTERM."""
    monkeypatch.setattr(tool, "RUN_S", 0.3)
    monkeypatch.setattr(tool, "STOP_S", 0.2)
    monkeypatch.setattr(subprocess.Popen, "wait", once_begun(tmp_path / "pid", subprocess.Popen.wait))
    deaf = program(tmp_path / "allure", f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 0.1; done")
    with pytest.raises(AllureFailedError, match=r"did not end within 0\.3 s"):
        Tool(deaf, "3.18.0").generate(tmp_path / "c", tmp_path / "r", tmp_path)
    assert left([int((tmp_path / "pid").read_text())]) == []


def test_allure_is_told_nothing_that_sends_results_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables by which Allure uploads or writes elsewhere do not reach it; the arguments are only to generate."""
    monkeypatch.setenv("ALLURE_TOKEN", "x")
    monkeypatch.setenv("ALLURE_SERVICE_ACCESS_TOKEN", "x")
    spy = program(tmp_path / "allure", 'env > seen; echo "$@" > asked')
    Tool(spy, "3.18.0").generate(tmp_path / "c", tmp_path / "r", tmp_path)
    assert "ALLURE_" not in (tmp_path / "seen").read_text()
    assert (tmp_path / "asked").read_text().split()[0] == "generate"


def until_written(file: Path, process: subprocess.Popen[bytes]) -> int:
    """Return the process id that a program wrote into a file."""
    deadline = time.monotonic() + 60
    while not file.exists() or not file.read_text().strip():
        assert process.poll() is None, "it ended before Allure began"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(file.read_text())


SLOW = "sleep 60 & echo $! > {0}/child; echo $$ > {0}/pid; wait"
DEAF = "trap '' TERM; (trap '' TERM; while :; do sleep 0.1; done) & echo $! > {0}/child; echo $$ > {0}/pid; wait"


@pytest.mark.parametrize(
    ("how", "body"),
    [
        ([signal.SIGINT], SLOW),
        ([signal.SIGTERM], SLOW),
        ([signal.SIGTERM, signal.SIGTERM], DEAF),
        ([signal.SIGINT, signal.SIGTERM], DEAF),
    ],
    ids=["ctrl-c", "sigterm", "sigterm twice", "both"],
)
def test_an_interruption_ends_allure_too(tmp_path: Path, how: list[signal.Signals], body: str) -> None:
    """`harness report` that is interrupted ends with 2; Allure, what it started and half a report are gone.

    It may be interrupted again while it ends an Allure that does not listen.
    """
    checkout = tmp_path / "reports" / "node_modules" / ".bin"
    program(checkout / "allure", f"case $1 in --version) echo 3.18.0;; *) {body.format(tmp_path)};; esac")
    program(tmp_path / "bin" / "node", "echo v22.1.0")
    code = (
        "import sys; from pathlib import Path; from tests.reporting.stored import store;"
        "from harness.reporting.report import tool; from harness.cli.main import main;"
        f"tool.CHECKOUT = Path('{tmp_path}/reports'); tool.STOP_S = 1.0; out = store(Path('{tmp_path}/out'));"
        f"sys.argv = ['harness', 'report', str(out), '--history', '{tmp_path}/history.jsonl']; main()"
    )
    root = Path(__file__).parents[2]
    environment = os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=root, env=environment, stdout=subprocess.DEVNULL)
    started: list[int] = []
    try:
        started += [until_written(tmp_path / name, process) for name in ("pid", "child")]
        for each in how:
            process.send_signal(each)
            time.sleep(0.5)  # by then it waits for Allure to end
        assert process.wait(30) == 2
        outstaying = left(started)
    finally:
        for pid in started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.kill()
        process.wait()
    assert outstaying == []
    assert not (tmp_path / "out" / "allure-report").exists()
    assert not (tmp_path / "history.jsonl").exists()
