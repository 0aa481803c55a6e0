"""The browser's processes: one browser for all actors, and nothing of it left, however the harness ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.drivers.browser import Chromium, launch
from harness.drivers.browser.processes import Family
from harness.errors import HarnessError, TargetError
from tests.chromium import needs_chromium
from tests.processes import is_running

from .browsers import Hands

pytestmark = needs_chromium

ROOT = Path(__file__).parents[2]
GONE_S = 60.0
"""More than a harness takes that ends its browser politely, in launch.STOP_S, and then by force."""
HARNESS = """
import asyncio, sys, uvloop
from harness.drivers.browser import Chromium, launch
launch.STOP_S = float(sys.argv[1])
async def main():
    chromium = Chromium("http://127.0.0.1:9")
    try:
        await chromium.session("alice")
        running = await chromium._running()
        print(running.family.mark, running.family.leader, running.family.driver, flush=True)
        await asyncio.sleep(600)
    finally:
        await chromium.close()
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
"""


def left(family: Family) -> set[int]:
    """Wait until a browser and its driver have ended, and return those that outstay GONE_S."""
    ends_s = time.monotonic() + GONE_S
    while found := family.running() | ({family.driver} if is_running(family.driver) else set()):
        if time.monotonic() > ends_s:
            return found
        time.sleep(0.02)
    return set()


def folders(directory: Path) -> list[str]:
    """Return the names of all that browsers have in the directory for temporary files."""
    return [each.name for each in directory.iterdir()]


def files(directory: Path) -> list[Path]:
    """Return the files that browsers have there, in whatever folders."""
    return [each for each in directory.rglob("*") if each.is_file()]


@contextmanager
def harness(directory: Path, stop_s: float = launch.STOP_S) -> Iterator[tuple[subprocess.Popen[str], Family]]:
    """Run a harness with a browser in a process group of its own; yield it and the browser's processes.

    Temporary files are made in the directory.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(stop_s)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(directory)},
        start_new_session=True,
    )
    assert process.stdout
    try:
        mark, leader, driver = process.stdout.readline().split()
        family = Family(mark, int(leader), int(driver))
        assert len(family.running()) > 4
        assert is_running(family.driver)
        assert files(directory)
        yield process, family
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_one_for_all(hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Actors who come at once share one browser, which ends with its processes and files, and is not started anew."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def story() -> None:
        chromium = Chromium(hands.site.url)
        sessions = await asyncio.gather(*(chromium.session(name) for name in ("alice", "bob", "carol")))
        family = (await chromium._running()).family
        assert chromium._launches == 1
        assert len(family.running()) > 4
        assert family.has_driver()
        assert files(tmp_path)
        await chromium.close()
        assert family.running() == set()
        assert not family.has_driver()
        assert folders(tmp_path) == []
        with pytest.raises(TargetError, match="alice, load /: "):
            await sessions[0].visit("/")
        with pytest.raises(HarnessError, match="is closed"):
            await chromium.session("dave")
        await chromium.close()

    hands.run(story())


def test_cancelled(hands: Hands) -> None:
    """A launch whose actor is cancelled leaves no browser behind."""

    async def story() -> None:
        chromium = Chromium(hands.site.url)
        coming = asyncio.ensure_future(chromium.session("alice"))
        await asyncio.wait([coming], timeout=0.05)
        launching = chromium._launching
        assert launching
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await chromium.close()
        family = launching.result().family
        assert family.leader
        assert left(family) == set()

    hands.run(story())


@pytest.mark.parametrize("end", ["Ctrl-C", "SIGKILL"])
def test_harness_ends(end: str, tmp_path: Path) -> None:
    """No process and no file is left of the browser when the harness is interrupted at a terminal, or killed."""
    with harness(tmp_path) as (process, family):
        if end == "Ctrl-C":
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.kill()
        assert left(family) == set()
        # Interrupted, it removes what the browser wrote when the browser has ended.
        process.wait(GONE_S)
    assert files(tmp_path) == []


def test_driver_hangs(tmp_path: Path) -> None:
    """A driver that does not answer any more is ended with the browser, by their ids, and so is what it wrote."""
    with harness(tmp_path, stop_s=1.0) as (process, family):
        os.kill(family.driver, signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        try:
            assert left(family) == set()
        finally:
            if is_running(family.driver):
                os.kill(family.driver, signal.SIGKILL)
        process.wait(GONE_S)
    assert folders(tmp_path) == []
