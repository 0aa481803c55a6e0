"""A fault of the harness has an exit code of its own: none of its errors may end as the 1 that accuses the target."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.cli import run as cli_run
from harness.cli.main import main
from harness.pytest_plugin import SESSION, pytest_sessionfinish
from harness.running.outcome import ExitCode
from harness.running.settings import Settings
from harness.session import Session
from tests.running.runs import plan


def fail(*_: object, **__: object) -> None:
    """Be out of disk."""
    raise OSError("No space left on device")


def test_an_error_that_nobody_foresaw_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line ends with 3 and shows where it happened."""
    monkeypatch.setattr(cli_run, "recheck", fail)
    monkeypatch.setattr(sys, "argv", ["harness", "check", "anywhere"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == ExitCode.FAULT
    assert "OSError: No space left on device" in capsys.readouterr().err


def interrupt(*_: object) -> None:
    """Be interrupted."""
    raise KeyboardInterrupt


def test_ctrl_c_is_an_interruption_in_any_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line ends with 2, and not with a code of its library's own."""
    monkeypatch.setattr(cli_run, "recheck", interrupt)
    monkeypatch.setattr(sys, "argv", ["harness", "check", "anywhere"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == ExitCode.INTERRUPTED


def test_an_outcome_that_cannot_be_written_is_a_fault(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A run whose summary is not on disk ends with 3, under pytest too."""
    run = Session(Settings(out=tmp_path))
    run.plan = plan()
    monkeypatch.setattr(run, "conclude", fail)
    shown: list[str] = []
    monkeypatch.setattr(request.config, "notify_exception", lambda error: shown.append(str(error.value)))
    monkeypatch.setitem(request.config.stash._storage, SESSION, run)
    monkeypatch.setattr(request.session, "exitstatus", ExitCode.VALID)
    for _ in pytest_sessionfinish(request.session, ExitCode.VALID):
        request.session.exitstatus = ExitCode.VALID  # as another plugin might
    assert request.session.exitstatus == ExitCode.FAULT
    assert shown == ["No space left on device"]
