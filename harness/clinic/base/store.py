"""The clinic's data: SQLite or PostgreSQL through one lean layer, used inline by the one thread that serves.

An endpoint does not await between reading and writing, so in one process each request is a step of its own;
several processes on one database rely on transactions and on conditional updates. SQL is what both speak: `?` for
parameters, `ON CONFLICT`, `RETURNING`; in a schema `{seq}` is an automatic number and `{bytes}` a blob.
"""

from __future__ import annotations

import functools
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg

from .errors import ApiError

MAX_ROWS = 1_000_000
MAX_STORED_BYTES = 512 * 1024 * 1024
CONNECT_S = 5
BUSY_S = 5.0
BUSY_PAUSE_S = 0.005
POSTGRESQL = ("postgresql://", "postgres://")
SESSION = "SET statement_timeout = '10s'; SET lock_timeout = '5s'; SET synchronous_commit = off"
"""As SQLite's WAL with `synchronous = NORMAL`: no commit waits for the disk; only the machine's fall can lose one."""
SCHEMA_LOCK = 7_202_006
"""Held while the tables are made: PostgreSQL's `IF NOT EXISTS` is no protection against another process's."""

Row = tuple[Any, ...]


class CannotOpenError(Exception):
    """The database cannot be opened; the message says why."""


class Cursor(Protocol):
    """The answer to a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Row | None:
        """Return the next row, or None."""

    def fetchall(self) -> list[Row]:
        """Return all rows that are left."""


class Database(Protocol):
    """One connection, each statement on its own unless inside `transaction`."""

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Run one statement."""

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each of the rows."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit at the end of the block; an exception undoes all of it."""

    def create(self, schema: str) -> None:
        """Make the tables that are not there yet."""

    def close(self) -> None:
        """Close the connection."""


class _SQLite:
    def __init__(self, path: str) -> None:
        try:
            self._connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            self._write_ahead()
            self._connection.execute("PRAGMA synchronous = NORMAL")
            # SQLite's own knows the letters of ASCII alone.
            self._connection.create_function("lower", 1, str.lower, deterministic=True)
        except sqlite3.Error as error:
            raise CannotOpenError(f"cannot open the database {path!r}: {error}") from error

    def _write_ahead(self) -> None:
        """Change a new database to WAL, for which SQLite does not wait when another process does it just now."""
        until_s = time.monotonic() + BUSY_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                    raise
                time.sleep(BUSY_PAUSE_S)
            else:
                return

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        return self._connection.execute(statement, parameters)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(statement, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def create(self, schema: str) -> None:
        self._connection.executescript(schema.format(seq="INTEGER PRIMARY KEY AUTOINCREMENT", bytes="BLOB"))

    def close(self) -> None:
        self._connection.close()


class _PostgreSQL:
    def __init__(self, url: str) -> None:
        self._url = url
        try:
            self._connection = self._connected()
        except psycopg.Error as error:
            # The URL may hold a password: only the server's own words are passed on.
            raise CannotOpenError(f"cannot open the PostgreSQL database: {str(error).strip()}") from error

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        return self._open().execute(_for_psycopg(statement), parameters, binary=True)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._open().cursor() as cursor:
            cursor.executemany(_for_psycopg(statement), rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._open().transaction():
            yield

    def create(self, schema: str) -> None:
        with self._connection.transaction():
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
            made = schema.format(seq="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", bytes="BYTEA")
            self._connection.execute(made.encode(), prepare=False)

    def close(self) -> None:
        self._connection.close()

    def _connected(self) -> psycopg.Connection[Row]:
        connection = psycopg.connect(self._url, autocommit=True, connect_timeout=CONNECT_S, prepare_threshold=0)
        connection.execute(SESSION.encode(), prepare=False)
        return connection

    def _open(self) -> psycopg.Connection[Row]:
        """Return the connection, a new one when the server had closed it; raise psycopg's error while it is away."""
        if self._connection.closed:
            self._connection = self._connected()
        return self._connection


@functools.lru_cache(maxsize=1024)
def _for_psycopg(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()


class Store:
    """The open database, and about how many bytes of media are in it: what this process found, stored and deleted."""

    def __init__(self, url: str, schema: str) -> None:
        """Open or create the database: a file, `:memory:` for none, or `postgresql://...`; raise CannotOpenError."""
        self.db: Database = _PostgreSQL(url) if url.startswith(POSTGRESQL) else _SQLite(url)
        try:
            self.db.create(schema)
        except (sqlite3.Error, psycopg.Error) as error:
            self.db.close()
            raise CannotOpenError(f"cannot make the clinic's tables: {str(error).strip()}") from error
        self.stored_bytes = int(
            self.one(
                "SELECT (SELECT coalesce(sum(length(bytes)), 0) FROM media)"
                " + (SELECT coalesce(sum(length(bytes)), 0) FROM chunks)"
            )[0]
        )

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """One transaction: committed at the end, undone by any exception."""
        with self.db.transaction():
            yield self.db

    def find(self, query: str, *parameters: Any) -> Row | None:
        """Return the first row, or None."""
        return self.db.execute(query, parameters).fetchone()

    def one(self, query: str, *parameters: Any) -> Row:
        """Return the first row of a query that always has one."""
        row = self.find(query, *parameters)
        if row is None:
            raise LookupError(f"no row for {query}")
        return row

    def all(self, query: str, *parameters: Any) -> list[Row]:
        """Return every row."""
        return self.db.execute(query, parameters).fetchall()

    def is_full(self, table: str) -> bool:
        """Return True when the table has as many rows as it may."""
        return (self.one(f"SELECT max(seq) FROM {table}")[0] or 0) >= MAX_ROWS  # noqa: S608 - our own word

    def require_room(self, table: str) -> None:
        """Refuse with 507 when the table is full."""
        if self.is_full(table):
            raise ApiError(507, "clinic-full", f"The clinic holds no more than {MAX_ROWS:,} {table}.")

    def require_bytes(self, more: int) -> None:
        """Refuse with 507 when `more` bytes of media would exceed the store's limit."""
        if self.stored_bytes + more > MAX_STORED_BYTES:
            raise ApiError(507, "storage-full", f"The clinic stores at most {MAX_STORED_BYTES:,} bytes of media.")

    def close(self) -> None:
        """Close the database."""
        self.db.close()


def new_id(kind: str) -> str:
    """Return an identifier that nobody can guess: `kind` and 64 random bits."""
    return f"{kind}-{secrets.token_hex(8)}"
