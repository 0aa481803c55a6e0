"""The clinic as a target that also measures or records; it runs inside the `harness run` that is measured.

`harness run --target benchmarks.target:metered` writes figures, `benchmarks.target:recorded` every request, to the
file that the environment variable BENCHMARK_FILE names, when the target is closed.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ParamSpec, TypeVar

from benchmarks import processor, recording
from harness.drivers.api import Exchange
from harness.drivers.base import Driver
from harness.model import Role
from harness.running import studio
from harness.targets.base import FlagSource, Target, TargetOptions
from harness.targets.clinic import ClinicDriver, ClinicTarget

FILE = "BENCHMARK_FILE"
CLINIC, FLAGS = "harness.clinic", "harness.flags.embedded"
ENGINE, MAIN = "engine", "MainThread"

P = ParamSpec("P")
T = TypeVar("T")


def metered(options: TargetOptions) -> Target:
    """Return the clinic; at its end the processor time of processes and threads is written."""
    return _Observed(options, _Meter())


def recorded(options: TargetOptions) -> Target:
    """Return the clinic; at its end every request and answer is written."""
    return _Observed(options, _Recorder())


class _Recorder:
    """Keeps every exchange."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []

    def start(self) -> None:
        self._exchanges.clear()

    def see(self, exchange: Exchange) -> None:
        self._exchanges.append(exchange)

    def write(self, path: Path) -> None:
        recording.write(path, self._exchanges)


class _Meter:
    """Keeps when the first request was sent and the last answered, and adds up the work of the media threads."""

    def __init__(self) -> None:
        self._first_s = self._last_s = 0.0
        self._media: dict[str, list[float]] = {}

    def start(self) -> None:
        for function, work in (("clip", "filming"), ("read", "reading")):
            vars(studio)[function] = self._timed(work, vars(studio)[function])

    def see(self, exchange: Exchange) -> None:
        self._first_s = self._first_s or exchange.began_s
        self._last_s = exchange.ended_s

    def write(self, path: Path) -> None:
        threads = {thread.name: thread.native_id or 0 for thread in threading.enumerate()}
        figures = {
            "requesting_s": self._last_s - self._first_s,
            "clinic_cpu_s": processor.process_s(processor.child(CLINIC)),
            "flags_cpu_s": processor.process_s(processor.child(FLAGS)),
            "parts_cpu_s": {
                "filming media": sum(self._media["filming"]),
                "reading media": sum(self._media["reading"]),
                "event loop": processor.thread_s(threads[ENGINE]),
                "main thread until here": processor.thread_s(threads[MAIN]),
            },
        }
        path.write_text(json.dumps(figures))

    def _timed(self, work: str, function: Callable[P, T]) -> Callable[P, T]:
        """Return the function with its thread's processor time added to a list: appending is safe in threads."""
        spent = self._media.setdefault(work, [])

        def timed(*arguments: P.args, **options: P.kwargs) -> T:
            began_s = time.thread_time()
            try:
                return function(*arguments, **options)
            finally:
                spent.append(time.thread_time() - began_s)

        return timed


class _Observed:
    """The clinic's own adapter under an observer, to whom actors are known by their account names."""

    name = "clinic"
    audience = ClinicTarget.audience
    drivers = ClinicTarget.drivers

    def __init__(self, options: TargetOptions, observer: _Meter | _Recorder) -> None:
        self._observer = observer
        self._clinic = ClinicTarget(options, observer=observer.see)

    @property
    def requests(self) -> int:
        return self._clinic.requests

    async def start(self, flags: FlagSource) -> None:
        self._observer.start()
        await self._clinic.start(flags)

    def driver(self, account: str, name: str, role: Role) -> Driver:
        return ClinicDriver(self._clinic.pool.session(account), account, name, role)

    def not_offered(self, combination: Mapping[str, str]) -> frozenset[str]:
        return self._clinic.not_offered(combination)

    async def is_alive(self) -> bool:
        return await self._clinic.is_alive()

    async def close(self) -> None:
        try:
            self._observer.write(Path(os.environ[FILE]))
        finally:
            await self._clinic.close()
