"""The decoder processes: they answer as the reader does, can be killed, and reach nothing beyond their pipes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from harness.media.decoder import SPARE_S, configuration, framed
from harness.media.decoders import MEMORY_BYTES, Confinement, DecoderFault, Decoders
from harness.media.reading import Reading, read
from harness.media.serving import as_json, from_json
from harness.media.tracks import Limits
from tests.media.encodes import FOREIGN, OURS, archive, encoded, picture

FILM = encoded("webm", "libvpx", "libopus", seconds=1.0)
PATIENCE_S = 60.0
"""Only keeps a test from hanging."""


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    """Return one process that may take a while."""
    with Decoders(1) as pool:
        yield pool


def wait_until(is_true: Callable[[], bool]) -> None:
    """Wait for something that happens elsewhere."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def idle_pid(decoders: Decoders) -> int:
    """Return the id of the process that waits for media."""
    (process,) = decoders._idle.queue
    assert process is not None
    return process._process.pid


def is_running(pid: int) -> bool:
    """True while a process has not ended; one that nobody has asked about has ended all the same."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def held(decoders: Decoders, data: bytes) -> tuple[int, Future[Reading]]:
    """Begin to read in a process that is stopped in the middle, and return its id and what will come of it."""
    decoders.read(FILM)
    pid = idle_pid(decoders)
    os.kill(pid, signal.SIGSTOP)
    reading = ThreadPoolExecutor(1).submit(decoders.read, data)
    wait_until(lambda: bool(decoders._busy))
    return pid, reading


@pytest.mark.parametrize(
    "data",
    [
        FILM,
        FILM[:-100],
        picture("mjpeg", FOREIGN),
        archive({"a.webm": FILM, "b.webp": picture("libwebp"), "\N{SNOWMAN}.bin": b"\xff\xfe"}),
        encoded("mp4", "libx264", "aac", seconds=1.0),
        b"nothing that plays",
        b"",
    ],
    ids=["film", "cut", "picture", "archive", "mp4", "noise", "none"],
)
def test_a_process_reads_what_the_reader_reads(decoders: Decoders, data: bytes) -> None:
    """Every field of a reading comes back as it was, also from within the confinement."""
    assert decoders.read(data) == read(data)


def test_a_reading_survives_json() -> None:
    """What goes over the pipe is the same afterwards, with its members and stretches; other JSON is refused."""
    reading = read(archive({"a.webm": FILM, "b.png": picture("png", FOREIGN)}))
    assert from_json(as_json(reading)) == reading
    for wrong in (b"[]", b"{}", b'{"outcome": "canaries"}', b"\xff"):
        with pytest.raises((ValueError, KeyError, TypeError)):
            from_json(wrong)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_process_that_dies_in_mid_read_is_replaced(decoders: Decoders, number: signal.Signals) -> None:
    """What it held is unreadable and says why; the next piece of media is read by another process."""
    pid, reading = held(decoders, FILM)
    os.kill(pid, number)
    os.kill(pid, signal.SIGCONT)
    told = reading.result(PATIENCE_S)
    assert (told.outcome, told.note) == ("unreadable", f"its decoder ended by {number.name}")
    assert decoders.read(picture("png")).outcome == "canaries"
    assert idle_pid(decoders) != pid


@pytest.mark.parametrize("size", [len(FILM), 8 * 2**20], ids=["small", "more than a pipe holds"])
def test_a_process_that_stops_is_killed_at_the_deadline(size: int) -> None:
    """Whether it stopped before or after the media was through the pipe, its caller waits no longer than told."""
    with Decoders(1, confinement=Confinement(deadline_s=1.0)) as decoders:
        pid, reading = held(decoders, FILM.ljust(size, b"\0"))
        told = reading.result(PATIENCE_S)
        assert (told.outcome, told.note) == ("unreadable", "not read within 1 s")
        assert not is_running(pid)
        assert decoders.read(picture("png")).outcome == "canaries"


def test_a_process_that_died_between_two_pieces_harms_neither(decoders: Decoders) -> None:
    """Nothing that it held is lost: the next piece is read by a new one."""
    decoders.read(FILM)
    pid = idle_pid(decoders)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_running(pid))
    assert decoders.read(picture("png")).outcome == "canaries"


def test_more_memory_than_allowed_is_unreadable() -> None:
    """Media that needs more address space than a process may have ends as a reading, and harms no other."""
    with Decoders(1, confinement=Confinement(memory_bytes=288 * 2**20)) as decoders:
        reading = decoders.read(b"RIFF" + bytes(60 * 2**20))
        assert reading.outcome == "unreadable"
        assert "emory" in reading.note
        assert decoders.read(picture("png")).outcome == "canaries"


def test_a_process_can_open_nothing(decoders: Decoders) -> None:
    """It may have no further descriptor, and by that neither file nor socket; it hears no Ctrl-C of a terminal."""
    decoders.read(FILM)
    pid = idle_pid(decoders)
    limits = Path(f"/proc/{pid}/limits").read_text()
    (files,) = (line for line in limits.splitlines() if line.startswith("Max open files"))
    (memory,) = (line for line in limits.splitlines() if line.startswith("Max address space"))
    assert files.split()[3:5] == ["0", "0"]
    assert memory.split()[3:5] == [str(MEMORY_BYTES)] * 2
    assert os.getsid(pid) == pid != os.getsid(0)


@pytest.mark.parametrize("what", ["socket.socket()", "open('/etc/hostname')", "subprocess.run(['true'])"])
def test_what_would_reach_out_fails(what: str) -> None:
    """Confined, neither a connection nor a file nor a child can be had."""
    code = f"import socket, subprocess\n{{}}\ntry:\n    {what}\nexcept OSError as error:\n    print(error.errno)"
    free, confined = (
        subprocess.run([sys.executable, "-c", code.format(line)], capture_output=True, text=True, check=True).stdout
        for line in ("", "from harness.media.decoder import confine; confine()")
    )
    assert (free, confined) == ("", "24\n")


def test_processes_end_with_the_harness() -> None:
    """A harness that is killed leaves none behind."""
    code = (
        "from harness.media.decoders import Decoders\n"
        "import time\n"
        "pool = Decoders(1)\n"
        "pool.read(b'nothing that plays')\n"
        "print(next(iter(pool._idle.queue))._process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        pid = int(harness.stdout.readline())
        assert is_running(pid)
        harness.kill()
    wait_until(lambda: not is_running(pid))


def test_an_orphan_that_is_busy_ends_by_itself() -> None:
    """It waits for a parent that will never answer, and its own alarm ends it."""
    told = configuration(key="00" * 16, limits=asdict(Limits()), memory_bytes=MEMORY_BYTES, deadline_s=0)
    with subprocess.Popen(
        [sys.executable, "-m", "harness.media.decoder"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as orphan:
        assert orphan.stdin is not None
        orphan.stdin.write(framed(told) + framed(FILM))
        orphan.stdin.flush()
        assert orphan.wait(PATIENCE_S + SPARE_S) == -signal.SIGALRM


def test_closing_ends_what_is_being_read(decoders: Decoders) -> None:
    """Whoever waits for a reading comes to know, no process is left, and nothing can be read afterwards."""
    pid, reading = held(decoders, FILM)
    decoders.close()
    with pytest.raises(DecoderFault, match="closed"):
        reading.result(PATIENCE_S)
    assert not is_running(pid)
    with pytest.raises(DecoderFault, match="closed"):
        decoders.read(FILM)
    decoders.close()


def test_a_process_that_cannot_start_is_the_harness_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """No media is called unreadable because the decoder is not there."""
    with Decoders(1) as decoders:
        monkeypatch.setattr(sys, "executable", "/bin/false")
        with pytest.raises(DecoderFault, match="did not start"):
            decoders.read(FILM)
        monkeypatch.undo()
        assert decoders.read(FILM).outcome == "canaries"


def test_no_more_processes_start_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many threads share two processes, which start when they are needed, and each has its own answer."""
    started: list[object] = []
    popen = subprocess.Popen

    def count(*arguments: object, **options: object) -> object:
        started.append(arguments)
        return popen(*arguments, **options)  # type: ignore[call-overload]  # passed on as they came

    monkeypatch.setattr(subprocess, "Popen", count)
    with Decoders(2) as decoders:
        assert not started
        media = [picture("png", each) for each in (OURS, FOREIGN)] * 10
        lock = threading.Lock()
        with ThreadPoolExecutor(8) as threads:
            readings = list(threads.map(decoders.read, media))
        with lock:
            found = [each.canaries[0].canary for each in readings]
    assert found == [OURS, FOREIGN] * 10
    assert 1 <= len(started) <= 2
