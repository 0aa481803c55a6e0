"""Several processes that serve one address from one database: started, watched and ended together."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import NoReturn

from .serving import Place, end_when_closed, ignore_signals, leave

HOST = "127.0.0.1"
BACKLOG = 2048
MAX_REPLICAS = 16
START_S = 30.0
STOP_S = 1.2
LOOK_S = 0.1

EXIT_FAILED = 1
FORK = multiprocessing.get_context("fork")


class CannotListenError(Exception):
    """The address cannot be had; the message says why and what to do."""


class ReplicaDiedError(Exception):
    """A replica ended though nobody told it to, or never answered; the message says which and how."""


def listen(port: int, count: int = 1) -> tuple[socket.socket, ...]:
    """Return `count` sockets that share one address: the kernel spreads its connections evenly over them.

    Raises CannotListenError, also when another clinic of several processes has the address.
    """
    listeners: list[socket.socket] = []
    try:
        for _ in range(count):
            each = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # The first alone claims the address: it is bound before it lets the others in.
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(bool(listeners)))
            listeners.append(each)
            each.bind((HOST, port))
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(count > 1))
            port = each.getsockname()[1]
        for each in listeners:
            each.listen(BACKLOG)
    except OSError as error:
        close(listeners)
        raise CannotListenError(
            f"cannot listen on {HOST}:{port}: {error.strerror}; choose another port, or 0 for any free one"
        ) from error
    return tuple(listeners)


def url(listener: socket.socket) -> str:
    """Return the address of a listening socket."""
    host, port = listener.getsockname()
    return f"http://{host}:{port}"


def close(listeners: Sequence[socket.socket]) -> None:
    """Close sockets."""
    for each in listeners:
        each.close()


@dataclass(frozen=True, slots=True)
class _Replica:
    """One child process; `answers` can be read once it serves, and is at its end when it never will."""

    number: int
    process: BaseProcess
    answers: connection.Connection

    def fate(self) -> str:
        """Say how it ended."""
        code = self.process.exitcode or 0
        how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        return f"replica {self.number} (process {self.process.pid}) ended by itself: {how}; the others end with it"


def serve(count: int, port: int, run: Callable[[Place, Callable[[], None]], int]) -> None:
    """Fork `count` processes that `run` at places of one address, until this one is told to end (SystemExit).

    `run` calls the function that it is given once it answers, and returns an exit code. Raises CannotListenError,
    and ReplicaDiedError when one ends by itself; whatever happens, none outlives this call or this process.
    """
    public = listen(port, count)
    private = [listen(0)[0] for _ in range(count)]
    secret = secrets.token_urlsafe(32)
    alive, held = os.pipe()
    replicas: list[_Replica] = []
    try:
        for number, (shared, own) in enumerate(zip(public, private, strict=True), 1):
            place = Place((shared, own), number, url(own), secret)
            replicas.append(_start(place, run, alive, held, others=[*public, *private]))
        address = url(public[0])
        close([*public, *private])
        _wait_until_all_answer(replicas)
        print(f"clinic listening on {address}", flush=True)
        _wait_until_one_died(replicas)
    finally:
        ignore_signals()
        _end(replicas)
        os.close(held)


def _start(
    place: Place,
    run: Callable[[Place, Callable[[], None]], int],
    alive: int,
    held: int,
    *,
    others: Sequence[socket.socket],
) -> _Replica:
    answers, said = FORK.Pipe(duplex=False)

    def live() -> None:
        # Only the parent may hold the pipe by whose end its death is known.
        os.close(held)
        close([each for each in others if each not in place.listeners])
        end_when_closed(alive)
        code = EXIT_FAILED
        try:
            code = run(place, lambda: said.send(place.number))
        except SystemExit:
            code = 0
        finally:
            leave(code)

    process = FORK.Process(target=live, name=f"replica {place.number}", daemon=True)
    process.start()
    said.close()
    return _Replica(place.number or 0, process, answers)


def _wait_until_all_answer(replicas: Sequence[_Replica]) -> None:
    waiting: dict[object, _Replica] = {each.answers: each for each in replicas}
    deadline = time.monotonic() + START_S
    while waiting:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise ReplicaDiedError(f"not all replicas answered within {START_S:g} s")
        for each in connection.wait([each.answers for each in waiting.values()], min(left_s, LOOK_S)):
            replica = waiting.pop(each)
            try:
                replica.answers.recv()
            except EOFError:
                _wait_until_one_died([replica])


def _wait_until_one_died(replicas: Sequence[_Replica]) -> NoReturn:
    """Raise ReplicaDiedError when the first ends."""
    while True:
        # A signal that comes just before the waiting begins is not seen before it ends.
        connection.wait([each.process.sentinel for each in replicas], LOOK_S)
        for each in replicas:
            if each.process.exitcode is not None:
                raise ReplicaDiedError(each.fate())


def _end(replicas: Sequence[_Replica]) -> None:
    """End every replica by its own id, politely first."""
    for each in replicas:
        each.process.terminate()
    deadline = time.monotonic() + STOP_S
    for each in replicas:
        each.process.join(max(0.0, deadline - time.monotonic()))
        if each.process.exitcode is None:
            each.process.kill()
            each.process.join()
