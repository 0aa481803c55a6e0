"""The clinic's deployment: `python -m harness.clinic --help`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from . import flaws
from .app import SCHEMA, TITLE
from .base.store import POSTGRESQL, CannotOpenError, Store
from .process import replicas
from .process.serving import (
    NotStartedError,
    Place,
    Settings,
    end_when_closed,
    ignore_signals,
    leave,
    obey_signals,
    serve,
)
from .systems import accounts

MEMORY = ":memory:"
OPERATOR_PASSWORD = "CLINIC_OPERATOR_PASSWORD"  # noqa: S105 - the variable's name
EXIT_FAILED, EXIT_USAGE = 1, 4

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


def _replicas(text: str) -> int:
    count = int(text)
    if not 1 <= count <= replicas.MAX_REPLICAS:
        raise argparse.ArgumentTypeError(f"give 1 to {replicas.MAX_REPLICAS}")
    return count


def _database(text: str) -> str:
    if "://" in text and not text.startswith(POSTGRESQL):
        raise argparse.ArgumentTypeError("give a file for SQLite, or an address that begins with postgresql://")
    return text


def _password(text: str) -> str:
    if not 1 <= len(text) <= accounts.MAX_PASSWORD:
        raise argparse.ArgumentTypeError(f"a password has 1 to {accounts.MAX_PASSWORD} characters")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m harness.clinic",
        description="The reference telehealth clinic, on 127.0.0.1. It prints `clinic listening on URL` when "
        "it answers. Everything in it is made up; keep real people out of it.",
        epilog="`harness flaws` tells of every flaw. Exit codes: 0 told to end, 1 a process of it failed, 4 it cannot "
        "start as it was asked to.",
    )
    add = parser.add_argument
    add("--port", type=_port, default=0, help="port to listen on; 0, the default, takes any free one")
    add(
        "--database",
        type=_database,
        default=MEMORY,
        metavar="DATABASE",
        help="a file for SQLite, postgresql://USER@HOST:PORT/NAME (its password as PGPASSWORD in the environment), or "
        ":memory:, the default, which keeps nothing",
    )
    add(
        "--replicas",
        type=_replicas,
        default=1,
        metavar="N",
        help=f"1 to {replicas.MAX_REPLICAS} processes on this address and database (1); answers then say in X-Replica "
        "which one they are of",
    )
    add("--unleash-url", type=_url, required=True, metavar="URL", help="Unleash API, as http://HOST:PORT/api")
    add("--unleash-token", required=True, metavar="TOKEN", help="backend token for that API")
    add("--refresh-s", type=_seconds, default=0.2, metavar="S", help="seconds between polls of the flags (0.2)")
    add("--flaw", action="append", default=[], metavar="NAME", help="plant this leak; repeatable")
    add(
        "--operator-password",
        type=_password,
        default=os.environ.get(OPERATOR_PASSWORD) or None,
        metavar="PW",
        help=f"open the account `operator`; better as {OPERATOR_PASSWORD} in the environment, where no list of "
        "processes shows it; without it there is none",
    )
    add("--title", default=TITLE, help="what the clinic calls itself")
    add("--until-stdin-closes", action="store_true", help="end when standard input reaches its end")
    return parser


def _named(names: Sequence[str]) -> frozenset[str]:
    try:
        return frozenset(flaws.find(name).name for name in names)
    except flaws.UnknownFlawError as error:
        raise _CannotStartError(str(error)) from error


def _serve_at(settings: Settings) -> Callable[[Place, Callable[[], None]], int]:
    """Return what one process of the deployment does, its faults told in a line."""

    def run(place: Place, announce: Callable[[], None]) -> int:
        try:
            serve(settings, place, announce)
        except CannotOpenError as error:
            return _complain(error, EXIT_USAGE)
        except NotStartedError as error:
            return _complain(error, EXIT_FAILED)
        return 0

    return run


def _complain(error: Exception, code: int) -> int:
    print(f"clinic: {error}", file=sys.stderr, flush=True)
    return code


def _deploy(settings: Settings, port: int, count: int) -> int:
    run = _serve_at(settings)
    if count == 1:
        (listener,) = replicas.listen(port)
        return run(Place((listener,)), lambda: print(f"clinic listening on {replicas.url(listener)}", flush=True))
    # The tables are made before any replica looks for them, and a database that cannot be opened is told of once.
    Store(settings.database, SCHEMA).close()
    replicas.serve(count, port, run)
    return 0


def _settings(options: argparse.Namespace, stack: ExitStack) -> Settings:
    database = options.database
    if options.replicas > 1 and database == MEMORY:
        # Memory is one process's own: several get a file that goes when they go.
        directory = tempfile.TemporaryDirectory(prefix="clinic-", ignore_cleanup_errors=True)
        database = str(Path(stack.enter_context(directory)) / "clinic.sqlite")
    return Settings(
        database=database,
        unleash_url=options.unleash_url,
        unleash_token=options.unleash_token,
        refresh_s=options.refresh_s,
        flaws=_named(options.flaw),
        title=options.title,
        operator_password=options.operator_password,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the clinic until it is told to end; return the exit code that --help tells of."""
    logging.basicConfig(level=logging.INFO, format="clinic: %(message)s")
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as stopped:
        return EXIT_USAGE if stopped.code else 0
    obey_signals()
    with ExitStack() as stack:
        try:
            settings = _settings(options, stack)
            for name in sorted(settings.flaws):
                log.warning("flaw planted: %s", name)
            if options.until_stdin_closes:
                end_when_closed(0)
            code = _deploy(settings, options.port, options.replicas)
        except (_CannotStartError, replicas.CannotListenError, CannotOpenError) as error:
            code = _complain(error, EXIT_USAGE)
        except replicas.ReplicaDiedError as error:
            code = _complain(error, EXIT_FAILED)
        except SystemExit:
            log.debug("told to end")
            code = 0
        ignore_signals()
    return code


if __name__ == "__main__":
    leave(main())
