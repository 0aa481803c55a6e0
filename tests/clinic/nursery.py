"""Clinics that live for one test, each in a process of its own, forked from one that has imported the clinic."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from harness.process import LISTENING

from .people import Deployment

START_S, STOP_S, LOOK_S = 30.0, 3.0, 0.005
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["pytest", "harness.clinic.__main__"])


def _live(log: str, arguments: Sequence[str]) -> None:
    from harness.clinic import __main__
    from harness.clinic.process import serving

    output = os.open(log, os.O_WRONLY)
    for standard in (1, 2):
        os.dup2(output, standard)
    parent = multiprocessing.parent_process()
    if parent is not None:
        serving.end_when_closed(parent.sentinel)
    serving.leave(__main__.main(arguments))


@dataclass(frozen=True, slots=True)
class Newborn:
    """A clinic that has been told to start; `log` is what it says."""

    process: ForkServerProcess
    log: Path

    def url(self) -> str:
        """Wait until it answers, and return its address."""
        ends_at = time.monotonic() + START_S
        while time.monotonic() < ends_at and self.process.is_alive():
            found = LISTENING.search(self.log.read_text())
            if found:
                return found[1]
            time.sleep(LOOK_S)
        raise AssertionError(f"the clinic did not start: {self.log.read_text()}")


@contextmanager
def starting(*arguments: str) -> Iterator[Newborn]:
    """Start a clinic and go on at once; it ends with the block."""
    with tempfile.NamedTemporaryFile(prefix="clinic-", suffix=".log") as log:
        process = FORK.Process(target=_live, args=(log.name, arguments))
        process.start()
        try:
            yield Newborn(process, Path(log.name))
        finally:
            process.terminate()
            process.join(STOP_S)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()


@contextmanager
def running(*arguments: str) -> Iterator[Deployment]:
    """Start a clinic and wait until it answers; it ends with the block."""
    with starting(*arguments) as newborn:
        deployment = Deployment(newborn.url())
        try:
            yield deployment
        finally:
            deployment.close()
