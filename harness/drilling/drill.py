"""The drill itself: one directory, several exercises at once, each a child process, ended cleanly by Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from harness.checks import NAMES
from harness.clinic.flaws import FLAWS
from harness.drilling.cheapest import SOUND, Exercise
from harness.drilling.sight import Outcome, Report, Row, row
from harness.errors import UsageError
from harness.flags.outage import DOWN
from harness.interruption import on_interrupt
from harness.reporting.text import AGAIN
from harness.running import store
from harness.running.directory import PART, held

DRILL = "drill.json"
RUN_S = 600.0
END_S = 12.0
"""How long an exercise may take to end by itself: more than its conductor waits for its engine."""
MAX_LINE_BYTES = 1 << 22
MAX_JOBS = 64


class Onlooker(Protocol):
    """Is shown how a drill goes."""

    def began(self, exercise: Exercise) -> None:
        """Learn that an exercise begins."""

    def ended(self, row: Row) -> None:
        """Take the row of an exercise that has ended."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a drill is told: the flag file, scenario files and folders, the directory, and how many at once."""

    flags: Path
    scenarios: tuple[Path, ...]
    out: Path
    jobs: int


@dataclass(slots=True)
class Drill:
    """Plays exercises. After `run`, or while it runs, `rows` has what is known of each."""

    exercises: Sequence[Exercise]
    orders: Orders
    onlooker: Onlooker
    interrupted: bool = False
    elapsed_s: float = 0.0
    _reports: dict[str, Report] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row for each exercise, in their order."""
        return tuple(row(self._reports.get(each.name, Report(each))) for each in self.exercises)

    def run(self) -> None:
        """Play all exercises, or those that there is time for until SIGINT or SIGTERM; return when all have ended."""
        began_s = time.monotonic()
        try:
            asyncio.run(self._run())
        finally:
            self.elapsed_s = time.monotonic() - began_s

    async def _run(self) -> None:
        stop = asyncio.Event()

        def interrupt() -> None:
            self.interrupted = True
            stop.set()

        waiting = iter(self.exercises)
        with on_interrupt(interrupt):
            async with asyncio.TaskGroup() as group:
                for _ in range(self.orders.jobs):
                    group.create_task(self._work(waiting, stop))

    async def _work(self, waiting: Iterator[Exercise], stop: asyncio.Event) -> None:
        for exercise in waiting:
            if stop.is_set():
                return
            report = self._reports[exercise.name] = Report(exercise)
            if exercise.combinations:
                self.onlooker.began(exercise)
                began_s = time.monotonic()
                await self._play(report, stop, at_once=1 if exercise.flaw else None)
                if _may_need_a_crowd(report) and not stop.is_set():
                    await self._play(report, stop, at_once=None)
                report.elapsed_s = time.monotonic() - began_s
            self.onlooker.ended(row(report))

    async def _play(self, report: Report, stop: asyncio.Event, *, at_once: int | None) -> None:
        report.begin_turn()
        with tempfile.TemporaryFile() as complaints:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "harness.drilling.exercise"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=complaints,
                limit=MAX_LINE_BYTES,
                # A terminal's Ctrl-C is the drill's to pass on.
                start_new_session=True,
            )
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("an exercise without pipes")
            listening = asyncio.create_task(listen(process.stdout, report))
            stopping = asyncio.create_task(stop.wait())
            try:
                process.stdin.write(self._task(report.exercise, at_once))
                both = [listening, stopping]
                done, _ = await asyncio.wait(both, timeout=RUN_S, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    report.error = f"it did not end within {RUN_S:g} s"
            finally:
                stopping.cancel()
                await _end(process, listening)
            if report.verdict is None and not self.interrupted:
                report.error = report.error or _last_words(complaints, process.returncode)

    def _task(self, exercise: Exercise, at_once: int | None) -> bytes:
        task = {
            "flags": str(self.orders.flags),
            "scenarios": [str(path) for path in self.orders.scenarios],
            "flaws": [exercise.flaw.name] if exercise.flaw else [],
            "flag_server": DOWN if exercise.is_down else None,
            "at_once": at_once,
            "sought": exercise.flaw.seen_by if exercise.flaw else "",
            "combinations": [dict(each) for each in exercise.combinations],
            "out": str(self.orders.out / exercise.name),
        }
        return json.dumps(task).encode() + b"\n"


def _may_need_a_crowd(report: Report) -> bool:
    """True for a flaw that its check did not see while several stories were told one after the other."""
    flaw = report.exercise.flaw
    return bool(flaw and flaw.seen_by in NAMES and len(report.trials) > 1 and row(report).outcome is not Outcome.SEEN)


async def listen(lines: AsyncIterable[bytes], report: Report) -> None:
    """Take what an exercise says until it says no more."""
    try:
        async for line in lines:
            report.take(json.loads(line))
    except ValueError as error:
        # Half a line of one that was killed, or one beyond MAX_LINE_BYTES: it costs this row alone.
        report.error = f"what it said cannot be read: {error}"


async def _end(process: asyncio.subprocess.Process, listening: asyncio.Task[None]) -> None:
    """Close what the exercise reads, wait for it to clean up and say its last, and kill it if it does not."""
    with suppress(OSError):
        if process.stdin:
            process.stdin.close()
    try:
        async with asyncio.timeout(END_S):
            await listening
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _last_words(complaints: IO[bytes], code: int | None) -> str:
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return f"the run ended with exit code {code}: {lines[-1] if lines else 'it said nothing'}"


def require_ours(path: Path) -> None:
    """Raise UsageError unless the directory is new, empty, or an earlier drill's: nothing of anybody else is lost."""
    if not path.exists():
        return
    if not path.is_dir():
        raise UsageError(f"--out {path}: it is not a directory")
    runs = {SOUND, *(flaw.name for flaw in FLAWS)}
    for entry in sorted(path.iterdir()):
        if entry.is_symlink():
            raise UsageError(f"--out {path}: {entry.name} is a link; give an empty directory or an earlier drill's")
        if entry.name.removesuffix(AGAIN) in runs:
            store.require_ours(entry)
        elif entry.name not in (DRILL, DRILL + PART):
            raise UsageError(
                f"--out {path}: it holds {entry.name}, which no drill wrote; "
                "give an empty directory or an earlier drill's"
            )


@contextmanager
def opened(path: Path) -> Iterator[None]:
    """Empty the directory of an earlier drill and hold it for this one; raise UsageError when that may not be."""
    with held(path, "drill", require_ours, _empty):
        yield


def _empty(path: Path) -> None:
    for entry in path.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
