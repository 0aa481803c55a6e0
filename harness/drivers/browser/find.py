"""Which Chromium to drive: the one that is named, Playwright's own, or the system's."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import playwright

from harness.errors import UsageError

VARIABLE = "HARNESS_BROWSER"
INSTALL = "`playwright install chromium` or `apt install chromium`"
SYSTEM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
"""Names on the PATH, the one that needs least for a page first."""
PLAYWRIGHTS = (("chromium_headless_shell", "chromium-headless-shell"), ("chromium", "chromium"))
"""Folders of Playwright's registry and the names in its browsers.json, in the order in which it takes them itself."""
EXECUTABLES = ("chrome-headless-shell", "headless_shell", "chrome", "Chromium", "Google Chrome for Testing")
ANSWER_S = 20.0
NAME = "chrom"
"""Stands in what a browser of Chromium's family says of its version: many other programs tell a version too."""

_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class Browser:
    """A Chromium that can be started: its executable, its full version, and in words whose it is and where."""

    path: Path
    version: str
    whose: str


def find() -> Browser:
    """Return the browser to drive; HARNESS_BROWSER wins, then Playwright's own comes before the system's.

    Raises UsageError, in one line, when HARNESS_BROWSER names no browser or when there is none anywhere.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _named(Path(named))
    for path in _playwrights():
        version = _version(path)
        if version:
            return Browser(path, version, f"Playwright's own Chromium {_major(version)} at {path}")
    for name in SYSTEM:
        place = shutil.which(name)
        # A distribution may leave a script in a browser's place that only says where to get one.
        version = _version(Path(place)) if place else ""
        if place and version:
            whose = "Google's Chrome" if "chrome" in name else f"{_distribution()}'s Chromium"
            return Browser(Path(place), version, f"{whose} {_major(version)} at {place}")
    raise UsageError(f"there is no Chromium for the browser driver: {INSTALL}, or set {VARIABLE} to an executable")


def _named(path: Path) -> Browser:
    if not path.is_file():
        raise UsageError(f"{VARIABLE}={path}: there is no such file; {INSTALL}")
    if not os.access(path, os.X_OK):
        raise UsageError(f"{VARIABLE}={path}: it is not executable; name a Chromium, or {INSTALL}")
    version = _version(path)
    if not version:
        raise UsageError(f"{VARIABLE}={path}: it does not answer --version as a Chromium does; {INSTALL}")
    return Browser(path, version, f"the Chromium {_major(version)} that {VARIABLE} names, at {path}")


def _playwrights() -> Iterator[Path]:
    """Yield the installed executables of the revisions that this Playwright was made for."""
    package = Path(playwright.__file__).parent / "driver" / "package"
    known = json.loads((package / "browsers.json").read_text(encoding="utf-8"))["browsers"]
    revisions = {each["name"]: each["revision"] for each in known}
    for folder, name in PLAYWRIGHTS:
        installed = _registry(package) / f"{folder}-{revisions[name]}"
        for executable in EXECUTABLES:
            yield from (each for each in sorted(installed.rglob(executable)) if os.access(each, os.X_OK))


def _registry(package: Path) -> Path:
    """Return the folder into which `playwright install` puts browsers (playwright.dev/docs/browsers)."""
    chosen = os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "")
    if chosen == "0":
        return package / ".local-browsers"
    if chosen:
        return Path(chosen).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ms-playwright"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ms-playwright"


@lru_cache(maxsize=16)
def _version(path: Path) -> str:
    """Return what the executable says of its version, or an empty string when it says none."""
    try:
        asked = subprocess.Popen(  # noqa: S603 - the browser that is going to be started
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return ""
    try:
        told = asked.communicate(timeout=ANSWER_S)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        return ""
    finally:
        # It may be a script, whose child would go on, and hold the pipe open.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(asked.pid, signal.SIGKILL)
        asked.kill()
        asked.wait()
        if asked.stdout:
            asked.stdout.close()
    found = _VERSION.search(told)
    is_chromium = not asked.returncode and NAME in told.lower()
    return found[0] if found and is_chromium else ""


def _major(version: str) -> str:
    return version.partition(".")[0]


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("ID", "the system").capitalize()
    except OSError:
        return "the system"
