"""A few processes that decode, each of which can be killed: what a target serves never harms the harness.

Media ends as a reading within a deadline, whatever it is. A process that was busy too long, that crashed or was
killed is replaced by a new one for the next piece of media, and the one that it held is `unreadable`.
"""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from dataclasses import asdict, dataclass, replace
from typing import IO

from harness.canary import DEFAULT_KEY
from harness.errors import HarnessError
from harness.media.decoder import DECODE, DISCARD, LENGTH_BYTES, configuration, framed
from harness.media.serving import from_json
from harness.media.sighting import Reading
from harness.media.tracks import DEFAULT_LIMITS, Limits

MAX_PROCESSES = 2
DEADLINE_S = 30.0
"""For one piece of media; a minute of 1280x720 costs a few seconds."""
START_S = 30.0
MEMORY_BYTES = 1536 * 2**20
"""Address space. A process takes 270 MB of it, and 650 MB for what costs most within the limits: eight channels."""
MAX_PIECES = 5000
"""A process that read so many is replaced, so that nothing that a library forgets to free adds up."""
MAX_REMEMBERED = 100_000
_MAX_ANSWER_BYTES = 64 * 2**20
_CHUNK_BYTES = 1024 * 1024
_LAST_WORDS_BYTES = 300


class DecoderFault(HarnessError):
    """A decoder process cannot be started, or the pool is closed: the harness's fault, not that of any media."""


class _Lost(Exception):
    """The process did not answer; the text says why."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a decoder process may have: address space in bytes, seconds for one piece of media, and how much of it."""

    memory_bytes: int = MEMORY_BYTES
    deadline_s: float = DEADLINE_S
    limits: Limits = DEFAULT_LIMITS


class Decoders:
    """Reads media in processes of their own, which start when they are needed. Its methods may be called by threads.

    What has the same coded packets as something read before is not decoded again.
    """

    def __init__(
        self,
        processes: int | None = None,
        *,
        confinement: Confinement | None = None,
        key: bytes = DEFAULT_KEY,
    ) -> None:
        count = processes or max(1, min(MAX_PROCESSES, os.cpu_count() or 1))
        self.processes = count
        """How many pieces of media are read at once at most."""
        self._confinement = confinement or Confinement()
        self._key = key
        self._idle: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)
        self._lock = threading.Lock()
        self._busy: set[_Process] = set()
        self._is_closed = False
        self._coded: OrderedDict[str, Reading] = OrderedDict()

    def __enter__(self) -> Decoders:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, data: bytes) -> Reading:
        """Return the reading of a piece of media; block until a process is free, and the deadline from then on.

        What the bytes hold never makes it raise. Raises DecoderFault when no process can be started, or after close.
        """
        if not data:
            return Reading("empty", note="no bytes")
        if len(data) > self._confinement.limits.max_bytes:
            return Reading("unreadable", note=f"{len(data)} bytes, more than {self._confinement.limits.max_bytes}")
        process = self._idle.get()
        try:
            process = self._ready(process)
            try:
                return self._ask(process, data)
            except _Lost as lost:
                process.kill()
                if self._is_closed:
                    raise DecoderFault("the decoders were closed") from None
                return Reading("unreadable", note=str(lost))
        finally:
            self._return(process)

    def close(self) -> None:
        """End all processes, also those that are busy; harmless when called again."""
        with self._lock:
            self._is_closed = True
            for process in self._busy:
                process.end()
        waiting = []
        while not self._idle.empty():
            waiting.append(self._idle.get_nowait())
        for each in waiting:
            if each is not None:
                each.kill()
            self._idle.put(None)

    def _ready(self, process: _Process | None) -> _Process:
        """Return a process that lives, the given one or a new one, and count it as busy."""
        if process is not None and (process.pieces >= MAX_PIECES or not process.is_alive()):
            process.kill()
            process = None
        if self._is_closed:
            raise DecoderFault("the decoders were closed")
        process = process or _Process.start(self._key, self._confinement)
        with self._lock:
            self._busy.add(process)
            if self._is_closed:
                process.end()
        return process

    def _return(self, process: _Process | None) -> None:
        with self._lock:
            if process is not None:
                self._busy.discard(process)
                if self._is_closed:
                    process.kill()
            self._idle.put(process if process is not None and process.is_alive() else None)

    def _ask(self, process: _Process, data: bytes) -> Reading:
        deadline = time.monotonic() + self._confinement.deadline_s
        process.pieces += 1
        try:
            process.send(data, deadline)
            coded = str(json.loads(process.receive(deadline))["coded"])
            with self._lock:
                known = self._coded.get(coded) if coded else None
            process.send(DISCARD if known else DECODE, deadline)
            if known:
                return replace(known, note="; ".join(filter(None, [known.note, "coded as what was read before"])))
            reading = from_json(process.receive(deadline))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _Lost(f"its decoder gave an answer that is none: {type(error).__name__}") from error
        except TimeoutError:
            raise _Lost(f"not read within {self._confinement.deadline_s:g} s") from None
        if coded:
            with self._lock:
                self._coded[coded] = reading
                if len(self._coded) > MAX_REMEMBERED:
                    self._coded.popitem(last=False)
        return reading


class _Process:
    """One decoder process and its pipes."""

    def __init__(self, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self._process = process
        self._log = log
        self.pieces = 0
        pipes = process.stdin, process.stdout
        if pipes[0] is None or pipes[1] is None:
            raise DecoderFault("a decoder without pipes")
        self._into, self._from = pipes[0].fileno(), pipes[1].fileno()
        os.set_blocking(self._into, False)
        os.set_blocking(self._from, False)

    @classmethod
    def start(cls, key: bytes, confinement: Confinement) -> _Process:
        """Start a process and return once it can read; raise DecoderFault when it does not come up."""
        log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        try:
            started = subprocess.Popen(
                [sys.executable, "-m", "harness.media.decoder"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                start_new_session=True,  # a terminal's Ctrl-C is for the harness alone
            )
        except OSError as error:
            log.close()
            raise DecoderFault(f"a decoder process cannot be started: {error}") from error
        process = cls(started, log)
        told = configuration(
            key=key.hex(),
            limits=asdict(confinement.limits),
            memory_bytes=confinement.memory_bytes,
            deadline_s=confinement.deadline_s,
        )
        deadline = time.monotonic() + START_S
        try:
            process.send(told, deadline)
            process.receive(deadline)
        except (_Lost, TimeoutError) as error:
            process.kill()
            raise DecoderFault(f"a decoder process did not start: {error or 'it said nothing'}") from error
        return process

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def send(self, body: bytes, deadline: float) -> None:
        """Write one message; raise TimeoutError, or _Lost when the process is gone."""
        rest = memoryview(framed(body))
        while rest:
            self._wait(self._into, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(self._into, rest[:_CHUNK_BYTES]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise _Lost(self._fate()) from None

    def receive(self, deadline: float) -> bytes:
        """Return one message; raise TimeoutError, or _Lost when the process is gone or says too much."""
        size = int.from_bytes(self._receive(LENGTH_BYTES, deadline), "big")
        if size > _MAX_ANSWER_BYTES:
            raise _Lost(f"its decoder answered with {size} bytes")
        return self._receive(size, deadline)

    def end(self) -> None:
        """Have the process end at once; a thread that waits for it comes to know, and cleans up."""
        self._process.kill()

    def kill(self) -> None:
        """End the process at once and clean up; harmless when it has ended."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._log.close()

    def _receive(self, size: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        while size:
            self._wait(self._from, select.POLLIN, deadline)
            try:
                part = os.read(self._from, min(size, _CHUNK_BYTES))
            except BlockingIOError:
                continue
            except OSError:
                part = b""
            if not part:
                raise _Lost(self._fate())
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        left_s = deadline - time.monotonic()
        poll = select.poll()
        poll.register(descriptor, event)
        if left_s <= 0 or not poll.poll(left_s * 1000):
            raise TimeoutError

    def _fate(self) -> str:
        """Say how the process ended."""
        self._process.kill()
        code = self._process.wait()
        if code < 0:
            return f"its decoder ended by {signal.Signals(-code).name}"
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - _LAST_WORDS_BYTES))
        words = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return f"its decoder ended with exit code {code}: {words[-1] if words else 'it said nothing'}"
