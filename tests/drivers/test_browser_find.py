"""Which Chromium is found, and what is said where there is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import playwright
import pytest

from harness.drivers.browser import find
from harness.errors import UsageError
from tests.chromium import needs_chromium

BROWSERS = Path(playwright.__file__).parent / "driver" / "package" / "browsers.json"


@pytest.fixture(autouse=True)
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be no browser of Playwright's, and none that is named."""
    monkeypatch.delenv("HARNESS_BROWSER", raising=False)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "registry"))


@pytest.fixture
def real() -> Path:
    """Return the machine's Chromium."""
    return find().path


def installed(tmp_path: Path, real: Path, folder: str, executable: str) -> Path:
    """Put the machine's Chromium where Playwright would have installed its own, and return that place."""
    known = json.loads(BROWSERS.read_text())["browsers"]
    revision = next(each["revision"] for each in known if each["name"] == folder.replace("_", "-"))
    place = tmp_path / "registry" / f"{folder}-{revision}" / "chrome-linux64" / executable
    place.parent.mkdir(parents=True)
    place.write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    place.chmod(0o755)
    return place


@needs_chromium
def test_systems(real: Path) -> None:
    """The system's Chromium is found on the PATH, and it is said whose it is, of which version and where."""
    found = find()
    major = found.version.partition(".")[0]
    assert found.path == real
    assert int(major) >= 100
    assert f" {major} at {real}" in found.whose


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
def test_only_says_where(tmp_path: Path, real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script in a browser's place that only says where to get one is passed over."""
    (tmp_path / "chromium").write_text("#!/bin/sh\necho 'snap install chromium'\nexit 1\n")
    (tmp_path / "google-chrome").symlink_to(real)
    (tmp_path / "chromium").chmod(0o755)
    env = shutil.which("env")
    assert env
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(env).parent}")
    for name in ("chromium", "chromium-headless-shell"):
        if (Path(env).parent / name).exists() and name != "chromium":
            pytest.skip(f"{name} stands beside env")
    assert find().path == tmp_path / "google-chrome"


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
    (tmp_path / "other").write_text("#!/bin/sh\necho hello\n")
    (tmp_path / "other").chmod(0o755)
    if named:
        monkeypatch.setenv("HARNESS_BROWSER", str(tmp_path / named))
    with pytest.raises(UsageError, match=said) as raised:
        find()
    line = str(raised.value)
    assert "\n" not in line
    assert "apt install chromium" in line
    assert "playwright install chromium" in line
    assert (named or "HARNESS_BROWSER") in line
