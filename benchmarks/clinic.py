"""`python -m benchmarks.clinic`: how soon the clinic answers, and how often, on SQLite and on PostgreSQL."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from benchmarks import processor
from benchmarks.load import Load, Order
from harness.process import Service
from tests import postgresql
from tests.clinic.flag_server import serving, snapshot
from tests.clinic.people import Deployment, User

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
VISITS, RECORDINGS_EACH = 5, 5
RECORDING = b"x" * 4096
LOAD_S = 120.0
EXIT_FAILED, EXIT_USAGE = 1, 4


@dataclass(frozen=True, slots=True)
class Measured:
    """One kind of request on one database; processor seconds are of the whole load, its first moment included."""

    database: str
    what: str
    load: Load
    clinic_cpu_s: float
    database_cpu_s: float

    @property
    def clinic_us(self) -> float:
        """Processor time of the clinic for a request, microseconds."""
        return self.clinic_cpu_s / self.load.sent * 1e6

    @property
    def database_us(self) -> float:
        """Processor time of the database's own processes for a request, microseconds."""
        return self.database_cpu_s / self.load.sent * 1e6


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database and the process that serves it, None for SQLite."""

    name: str
    address: str
    server: int | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 0, or 1 when there is no PostgreSQL or a load failed."""
    options = _options(arguments)
    try:
        with serving(snapshot()) as flags, ExitStack() as stack:
            given = ["--unleash-url", flags.url, "--unleash-token", "t", "--until-stdin-closes"]
            databases = [*stack.enter_context(_databases())]
            starts = {each.name: _start_s(given, each) for each in databases}
            rows = [row for each in databases for row in _measure(given, each, options.patients, options.seconds)]
    except (postgresql.MissingError, postgresql.DidNotStartError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_FAILED
    print(_table(starts, rows, options.patients, options.seconds))
    if options.json:
        told = {"schema": 1, "start_s": starts, "loads": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.clinic",
        description="Measure the clinic on SQLite and on PostgreSQL, each fresh: from its start to its first answer, "
        "and requests/s of the replay list and of booking, sent by one process over one connection for each patient.",
    )
    add = parser.add_argument
    add("--patients", type=int, choices=range(1, 257), default=40, metavar="N", help="1 to 256 (40)")
    add("--seconds", type=float, default=5.0, metavar="S", help="of each load (5)")
    add("--json", type=Path, metavar="FILE", help="write the figures there too")
    try:
        return parser.parse_args(arguments)
    except SystemExit as ending:
        raise SystemExit(EXIT_USAGE if ending.code else 0) from None


@contextmanager
def _databases() -> Iterator[list[Database]]:
    with tempfile.TemporaryDirectory(prefix="harness-benchmark-") as place, postgresql.running() as server:
        file = Database(SQLITE, str(Path(place) / "clinic.sqlite"), None)
        yield [file, Database(POSTGRESQL, server.new_database(), server.process.pid)]


def _start_s(given: Sequence[str], database: Database) -> float:
    """Return the median of three starts; the first makes the tables."""
    took_s = []
    for _ in range(3):
        began_s = time.monotonic()
        service = Service.start("clinic", "harness.clinic", [*given, "--database", database.address])
        try:
            clinic = Deployment(service.url)
            clinic.patient("first")
            took_s.append(time.monotonic() - began_s)
            clinic.close()
        finally:
            service.stop()
    return statistics.median(took_s)


def _measure(given: Sequence[str], database: Database, patients: int, seconds: float) -> Iterator[Measured]:
    service = Service.start("clinic", "harness.clinic", [*given, "--database", database.address])
    try:
        clinic = Deployment(service.url)
        print(f"{database.name}: {patients * VISITS * RECORDINGS_EACH:,} recordings", file=sys.stderr, flush=True)
        chen = clinic.clinician("chen")
        users = [clinic.patient("patient") for _ in range(patients)]
        for each in users:
            _consult(each, chen)
        tokens = tuple(each.api.token for each in users)
        clinic.close()
        _analyze(database)
        wanted = {"clinician": chen.username, "medium": "audio"}
        for what, order in (
            ("list my replays", Order(clinic.url, "GET", "/replays", None, 200, tokens, seconds)),
            ("book", Order(clinic.url, "POST", "/consultations", wanted, 201, tokens, seconds)),
        ):
            print(f"{database.name}: {what}", file=sys.stderr, flush=True)
            clinic_s, database_s = processor.process_s(service.process.pid), _server_s(database)
            load = _load(order)
            clinic_s = processor.process_s(service.process.pid) - clinic_s
            yield Measured(database.name, what, load, clinic_s, _server_s(database) - database_s)
    finally:
        service.stop()


def _consult(patient: User, clinician: User) -> None:
    """Hold consultations that are recorded, and wait until the recorder has finished."""
    for _ in range(VISITS):
        visit = patient.book(clinician)
        for each in (patient, clinician):
            each.ok(f"/consultations/{visit}/join")
        for _ in range(RECORDINGS_EACH):
            patient.record(visit, RECORDING)
        patient.ok(f"/consultations/{visit}/end")
    patient.finished(visit)


def _analyze(database: Database) -> None:
    """Let PostgreSQL know how its tables are filled, as its own housekeeping would within minutes."""
    if database.server is not None:
        with closing(psycopg.connect(database.address, autocommit=True)) as connection:
            connection.execute("ANALYZE")


def _load(order: Order) -> Load:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(order)),
        capture_output=True,
        text=True,
        timeout=LOAD_S,
        check=True,
    )
    return Load(**json.loads(done.stdout))


def _server_s(database: Database) -> float:
    """Return the processor time of a database server's processes, 0 for SQLite, whose work is the clinic's own."""
    if database.server is None:
        return 0.0
    children = Path(f"/proc/{database.server}/task/{database.server}/children").read_text().split()
    return sum(map(processor.process_s, [database.server, *map(int, children)]))


def _table(starts: dict[str, float], rows: Sequence[Measured], patients: int, seconds: float) -> str:
    """Return the figures as lines of text, with how they were measured."""
    recordings = patients * VISITS * RECORDINGS_EACH
    lines = [
        f"{os.cpu_count()} cores, no limit on any process. One clinic process on each database. {patients} connections",
        f"from one client process, {seconds:g} s a load. {recordings:,} recordings of {len(RECORDING):,} bytes.",
        "SQLite: a file, WAL, synchronous=NORMAL. PostgreSQL: on this machine, by TCP; no commit waits for the disk.",
        "",
    ]
    lines += [f"start to the first sign-in, {name}: {start_s:.2f} s (median of 3)" for name, start_s in starts.items()]
    lines += ["", f"{'':<30}{'requests/s':>12}{'median, ms':>12}{'99 %, ms':>10}{'clinic, us':>12}{'database, us':>14}"]
    lines += [
        f"{row.what + ', ' + row.database:<30}{row.load.requests_per_s:>12,.0f}{row.load.median_ms:>12.1f}"
        f"{row.load.slowest_ms:>10.1f}{row.clinic_us:>12,.0f}{row.database_us:>14,.0f}"
        for row in rows
    ]
    lines.append("")
    for what in dict.fromkeys(row.what for row in rows):
        rate = {row.database: row.load.requests_per_s for row in rows if row.what == what}
        lines.append(f"{what}: PostgreSQL / SQLite = {rate[POSTGRESQL] / rate[SQLITE]:.2f} requests/s")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
