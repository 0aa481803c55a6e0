"""The clinic's SQLite database: one connection, used inline by the one thread that serves.

An endpoint does not await between reading and writing, so each request is a step of its own.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import ApiError

MAX_ROWS = 1_000_000
MAX_STORED_BYTES = 512 * 1024 * 1024

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    username TEXT UNIQUE NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    salt BLOB NOT NULL, password BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS accounts_by_role ON accounts (role);
CREATE TABLE IF NOT EXISTS sessions (token BLOB UNIQUE NOT NULL, username TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (username);
CREATE TABLE IF NOT EXISTS consultations (
    id TEXT UNIQUE NOT NULL, patient TEXT NOT NULL, clinician TEXT NOT NULL,
    booked_medium TEXT NOT NULL, medium TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'booked',
    patient_present INTEGER NOT NULL DEFAULT 0, clinician_present INTEGER NOT NULL DEFAULT 0,
    switched_to_video INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS consultations_by_patient ON consultations (patient);
CREATE INDEX IF NOT EXISTS consultations_by_clinician ON consultations (clinician);
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT UNIQUE NOT NULL, consultation TEXT NOT NULL, made_by TEXT NOT NULL,
    medium TEXT NOT NULL, content_type TEXT NOT NULL, recording TEXT);
CREATE INDEX IF NOT EXISTS uploads_by_consultation ON uploads (consultation);
CREATE TABLE IF NOT EXISTS chunks (
    upload TEXT NOT NULL, n INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (upload, n));
CREATE TABLE IF NOT EXISTS recordings (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, consultation TEXT NOT NULL,
    made_by TEXT NOT NULL, medium TEXT NOT NULL, content_type TEXT NOT NULL, size INTEGER NOT NULL,
    recorded_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS recordings_by_consultation ON recordings (consultation);
CREATE TABLE IF NOT EXISTS media (recording INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS replay_index (
    viewer TEXT NOT NULL, recording INTEGER NOT NULL, medium TEXT NOT NULL,
    PRIMARY KEY (viewer, recording)) WITHOUT ROWID;
"""


class Store:
    """The open database, and how many bytes of media it holds."""

    def __init__(self, path: str) -> None:
        """Open or create the database at `path` (`:memory:` for none); raises sqlite3.Error."""
        self.db = sqlite3.connect(path, timeout=0.5)
        # Exclusive: a second clinic on the same file would make this one's cache stale.
        self.db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.executescript(SCHEMA)
        self.stored_bytes: int = self.one(
            "SELECT (SELECT coalesce(sum(length(bytes)), 0) FROM media)"
            " + (SELECT coalesce(sum(length(bytes)), 0) FROM chunks)"
        )[0]

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, undone by any exception."""
        with self.db:
            yield self.db

    def find(self, query: str, *parameters: Any) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        row: tuple[Any, ...] | None = self.db.execute(query, parameters).fetchone()
        return row

    def one(self, query: str, *parameters: Any) -> tuple[Any, ...]:
        """Return the first row of a query that always has one."""
        row: tuple[Any, ...] = self.db.execute(query, parameters).fetchone()
        return row

    def all(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return every row."""
        return self.db.execute(query, parameters).fetchall()

    def require_room(self, table: str) -> None:
        """Refuse with 507 when the table is full."""
        if (self.one(f"SELECT max(rowid) FROM {table}")[0] or 0) >= MAX_ROWS:  # noqa: S608 - our own word
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
