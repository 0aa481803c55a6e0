"""The clinic's process: `python -m harness.clinic --help`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

import uvicorn

from . import flaws
from .app import TITLE, build_app
from .features import Features
from .state import Clinic
from .store import Store

HOST = "127.0.0.1"
FLAGS_S = 5.0
KEEP_ALIVE_S = 75
BACKLOG = 2048
EXIT_USAGE = 4

log = logging.getLogger("clinic")


class _CannotStartError(Exception):
    """Something that was given on the command line cannot be; the message says what."""


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not an http(s) URL")
    return text


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.01 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("give 0.01 to 3600 seconds")
    return seconds


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("give 0 to 65535")
    return port


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m harness.clinic",
        description="The reference telehealth clinic, on 127.0.0.1. It prints `clinic listening on URL` when "
        "it is ready. Everything in it is made up; keep real people out of it.",
        epilog="Flaws: " + "; ".join(f"{flaw.name} ({flaw.modelled_on})" for flaw in flaws.FLAWS),
    )
    add = parser.add_argument
    add("--port", type=_port, default=0, help="port to listen on; 0, the default, takes any free one")
    add("--database", default=":memory:", metavar="FILE", help="SQLite file; default :memory: keeps nothing")
    add("--unleash-url", type=_url, required=True, metavar="URL", help="Unleash API, as http://HOST:PORT/api")
    add("--unleash-token", required=True, metavar="TOKEN", help="backend token for that API")
    add(
        "--refresh-s",
        type=_seconds,
        default=0.2,
        metavar="S",
        help="seconds between polls of the flags (0.2)",
    )
    add("--flaw", action="append", default=[], metavar="NAME", help="plant this leak; repeatable")
    add("--title", default=TITLE, help="what the clinic calls itself")
    add("--until-stdin-closes", action="store_true", help="end when standard input reaches its end")
    return parser


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _CannotStartError(
            f"cannot listen on {HOST}:{port}: {error.strerror}; choose another port, or 0 for any free one"
        ) from error
    return listener


def _open(path: str) -> Store:
    try:
        return Store(path)
    except sqlite3.Error as error:
        raise _CannotStartError(f"cannot open the database {path!r}: {error}") from error


def _named(names: Sequence[str]) -> frozenset[str]:
    try:
        return frozenset(flaws.find(name).name for name in names)
    except flaws.UnknownFlawError as error:
        raise _CannotStartError(str(error)) from error


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _end_with_stdin() -> None:
    def watch() -> None:
        while os.read(0, 65536):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="stdin", daemon=True).start()


def _wait_for_flags(features: Features) -> None:
    started = time.monotonic()
    if features.wait(FLAGS_S):
        log.info("flags came after %.2f s", time.monotonic() - started)
    else:
        log.warning("no flags after %g s: starting with every flag off", FLAGS_S)


def _serve(clinic: Clinic, listener: socket.socket, title: str) -> None:
    for name in sorted(clinic.flaws):
        log.warning("flaw planted: %s", name)
    clinic.features.start()
    _wait_for_flags(clinic.features)
    server = uvicorn.Server(
        uvicorn.Config(
            build_app(clinic, title),
            log_level="critical",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            # At the end nobody is waited for: connections of idle clients may stay open for minutes.
            timeout_graceful_shutdown=0,
        )
    )
    print(f"clinic listening on http://{HOST}:{listener.getsockname()[1]}", flush=True)
    server.run(sockets=[listener])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the clinic until it is told to end; return 0, or 4 when it cannot start as it was asked to."""
    logging.basicConfig(level=logging.INFO, format="clinic: %(message)s")
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as stopped:
        return EXIT_USAGE if stopped.code else 0
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _leave)
    try:
        planted = _named(options.flaw)
        listener = _listen(options.port)
        store = _open(options.database)
    except _CannotStartError as error:
        print(f"clinic: {error}", file=sys.stderr)
        return EXIT_USAGE
    features = Features(options.unleash_url, options.unleash_token, options.refresh_s)
    if options.until_stdin_closes:
        _end_with_stdin()
    try:
        _serve(Clinic(store, features, planted), listener, options.title)
    except SystemExit:
        log.debug("told to end")
    finally:
        # Being told twice must not cut the cleaning short.
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        store.close()
        at_rest = features.stop()
    if not at_rest:
        # The SDK's threads are not daemons: a flag server that hangs would hold them for seconds.
        os._exit(0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
