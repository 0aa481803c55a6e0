"""Child processes that the harness starts, watches and ends by their own id."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError

LISTENING = re.compile(r"listening on (http://[\d.]+:\d+)")
START_S = 20.0
STOP_S = 1.5
TAIL_LINES = 12


class ServiceDied(HarnessError):
    """A process that should be serving has ended, or never came up; the message carries its last words."""


@dataclass(slots=True)
class Service:
    """One Python module that runs as a server in a process of its own.

    The contract with the child: it prints `... listening on http://127.0.0.1:PORT` when it is ready, and
    it ends when its standard input closes, so that nothing survives a harness that was killed.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    @classmethod
    def start(cls, name: str, module: str, arguments: Sequence[str]) -> Service:
        """Start `python -m module arguments` and return once it listens; raise ServiceDied otherwise."""
        service = cls.spawn(name, module, arguments)
        try:
            service.wait_until_listening()
        except BaseException:
            service.stop()
            raise
        return service

    @classmethod
    def spawn(cls, name: str, module: str, arguments: Sequence[str]) -> Service:
        """Start the process and return at once, so that whoever is interrupted while it comes up can end it."""
        handle, log = tempfile.mkstemp(prefix=f"harness-{name}-", suffix=".log")
        with os.fdopen(handle, "wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter with our own module
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(name, process, Path(log))

    def wait_until_listening(self) -> None:
        """Learn the service's URL; raise ServiceDied when it ends or has not said it within START_S."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = LISTENING.search(self.log.read_text(errors="replace"))
            if found:
                self.url = found[1]
                return
            if self.process.poll() is not None:
                raise ServiceDied(f"{self.name} did not start: {self.last_words().removeprefix(f'{self.name}: ')}")
            time.sleep(0.02)
        raise ServiceDied(f"{self.name} did not listen within {START_S:g} s: {self.last_words()}")

    def is_alive(self) -> bool:
        """True while the process has not ended."""
        return self.process.poll() is None

    def last_words(self) -> str:
        """The end of what the process printed."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return "\n".join(lines[-TAIL_LINES:]) or "it said nothing"

    def stop(self) -> None:
        """End the process, politely first, and forget its log; harmless when it has ended already."""
        if self.process.stdin:
            self.process.stdin.close()
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.unlink(missing_ok=True)
