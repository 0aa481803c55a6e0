"""Which Chromium is found, and what is said where there is none."""

from __future__ import annotations

import json
import os
import subprocess
from importlib import import_module
from pathlib import Path

import playwright
import pytest

from harness.drivers.browser import find
from harness.errors import UsageError
from tests.chromium import needs_chromium
from tests.processes import left, once_begun

BROWSERS = Path(playwright.__file__).parent / "driver" / "package" / "browsers.json"


@pytest.fixture(scope="module")
def real() -> Path:
    """Return the machine's Chromium, found before anything is hidden."""
    return find().path


@pytest.fixture(autouse=True)
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be no browser of Playwright's and none that is named, and a folder before all others on the PATH."""
    monkeypatch.delenv("HARNESS_BROWSER", raising=False)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "registry"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def program(path: Path, command: str) -> Path:
    """Write an executable that runs a shell command, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
    return path


def installed(tmp_path: Path, real: Path, folder: str, executable: str) -> Path:
    """Put the machine's Chromium where Playwright would have installed its own, and return that place."""
    known = json.loads(BROWSERS.read_text())["browsers"]
    revision = next(each["revision"] for each in known if each["name"] == folder.replace("_", "-"))
    place = tmp_path / "registry" / f"{folder}-{revision}" / "chrome-linux64" / executable
    return program(place, f'exec {real} "$@"')


@needs_chromium
def test_systems(tmp_path: Path, real: Path) -> None:
    """The system's Chromium is found on the PATH, and it is said of which version it is and where."""
    there = program(tmp_path / "chromium-headless-shell", f'exec {real} "$@"')
    found = find()
    major = found.version.partition(".")[0]
    assert found.path == there
    assert int(major) >= 100
    assert found.whose.endswith(f"'s Chromium {major} at {there}")


@needs_chromium
def test_playwrights(tmp_path: Path, real: Path) -> None:
    """Playwright's own comes before the system's, of its own the one that is made to have no window."""
    full = installed(tmp_path, real, "chromium", "chrome")
    assert find().path == full
    shell = installed(tmp_path, real, "chromium_headless_shell", "chrome-headless-shell")
    found = find()
    assert found.path == shell
    assert found.whose.startswith("Playwright's own Chromium ")


@needs_chromium
def test_named(tmp_path: Path, real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser that HARNESS_BROWSER names wins over all others."""
    installed(tmp_path, real, "chromium", "chrome")
    monkeypatch.setenv("HARNESS_BROWSER", str(real))
    found = find()
    assert found.path == real
    assert "HARNESS_BROWSER" in found.whose


@needs_chromium
def test_only_says_where(tmp_path: Path, real: Path) -> None:
    """A script in a browser's place that only says where to get one is passed over."""
    program(tmp_path / "chromium-headless-shell", "echo 'snap install chromium'; exit 1")
    there = program(tmp_path / "chromium", f'exec {real} "$@"')
    assert find().path == there


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (None, "there is no Chromium for the browser driver"),
        ("missing", "there is no such file"),
        ("text", "it is not executable"),
        ("other", "it does not answer --version as a Chromium does"),
    ],
)
def test_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None, said: str) -> None:
    """No browser, or one that is none, is a mistake said in one line with both ways to get one."""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    (tmp_path / "text").write_text("hello")
    program(tmp_path / "other", "echo hello")
    if named:
        monkeypatch.setenv("HARNESS_BROWSER", str(tmp_path / named))
    with pytest.raises(UsageError, match=said) as raised:
        find()
    line = str(raised.value)
    assert "\n" not in line
    assert "apt install chromium" in line
    assert "playwright install chromium" in line
    assert (named or "HARNESS_BROWSER") in line


def test_one_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script in a browser's place that hangs is given up, and neither it nor its child goes on."""
    monkeypatch.setattr(import_module("harness.drivers.browser.find"), "ANSWER_S", 0.5)
    hanging = program(tmp_path / "hanging", f"trap '' TERM; sleep 86400 & echo $! > {tmp_path}/child; wait")
    monkeypatch.setenv("HARNESS_BROWSER", str(hanging))
    communicate = once_begun(tmp_path / "child", subprocess.Popen.communicate)
    monkeypatch.setattr(subprocess.Popen, "communicate", communicate)
    with pytest.raises(UsageError, match="does not answer --version"):
        find()
    assert left([int((tmp_path / "child").read_text())]) == []
