"""The data layer, each rule on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from harness.clinic.base import store as stores
from harness.clinic.base.errors import ApiError
from harness.clinic.base.store import CannotOpenError, Store
from tests.ports import reserved

SCHEMA = """
CREATE TABLE IF NOT EXISTS media (key TEXT PRIMARY KEY, bytes {bytes} NOT NULL);
CREATE TABLE IF NOT EXISTS chunks (key TEXT PRIMARY KEY, bytes {bytes} NOT NULL);
CREATE TABLE IF NOT EXISTS slots (seq {seq}, id TEXT UNIQUE NOT NULL, holder TEXT, length_s REAL, taken BIGINT);
"""
WORKERS, TIMES = 8, 40
NEW_DATABASES = 100
INSERT = "INSERT INTO slots (id, holder, length_s, taken) VALUES (?, ?, ?, ?)"


@pytest.fixture
def address(new_database: Callable[[], str], tmp_path: Path) -> str:
    """Return an empty database that several can open."""
    made = new_database()
    return str(tmp_path / "clinic.sqlite") if made == ":memory:" else made


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    """Return an open store with a few tables."""
    with closing(Store(address, SCHEMA)) as opened:
        yield opened


def at_once(work: Callable[[Store], None], address: str) -> None:
    """Do the same in several threads, each with a store of its own; what one raises is raised."""
    raised: list[BaseException] = []
    together = threading.Barrier(WORKERS)

    def run() -> None:
        try:
            together.wait(10)
            with closing(Store(address, SCHEMA)) as mine:
                work(mine)
        except BaseException as error:  # noqa: BLE001 - it is raised where pytest sees it
            raised.append(error)

    threads = [threading.Thread(target=run) for _ in range(WORKERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    if raised:
        raise raised[0]


def test_values(store: Store) -> None:
    """What is stored comes back as it was and of the same type, numbered upwards."""
    with store.writing() as db:
        db.execute(INSERT, ("a", None, 1.5, 2**40))
        db.executemany(INSERT, [("b", "Zoë", None, None), ("c", "%s ? 'x'", 0.0, 0)])
    rows = store.all("SELECT id, holder, length_s, taken FROM slots ORDER BY seq")
    assert rows == [("a", None, 1.5, 2**40), ("b", "Zoë", None, None), ("c", "%s ? 'x'", 0.0, 0)]
    assert [type(each) for each in rows[0]] == [str, type(None), float, int]
    numbers = [seq for (seq,) in store.all("SELECT seq FROM slots ORDER BY id")]
    assert numbers == sorted(set(numbers))
    assert store.one("SELECT count(*), max(taken) FROM slots") == (3, 2**40)


def test_bytes(address: str, store: Store) -> None:
    """A blob comes back byte for byte, and whoever opens the store counts what is in it."""
    data = bytes(range(256)) * 4096
    with store.writing() as db:
        db.execute("INSERT INTO media (key, bytes) VALUES (?, ?)", ("m", data))
        db.execute("INSERT INTO chunks (key, bytes) VALUES (?, ?)", ("c", b"\x00\xff"))
    assert store.one("SELECT bytes FROM media WHERE key = ?", "m") == (data,)
    with closing(Store(address, SCHEMA)) as later:
        assert later.stored_bytes == len(data) + 2


def test_common_sql(store: Store) -> None:
    """What both speak works on both: RETURNING, ON CONFLICT to do nothing or to update, conditional updates."""
    first = store.db.execute(f"{INSERT} RETURNING seq, id", ("a", "x", None, None)).fetchone()
    assert first
    assert first[1] == "a"
    assert store.db.execute(f"{INSERT} ON CONFLICT DO NOTHING", ("a", "y", None, None)).rowcount == 0
    update = f"{INSERT} ON CONFLICT (id) DO UPDATE SET holder = excluded.holder RETURNING seq, holder"
    assert store.db.execute(update, ("a", "z", None, None)).fetchone() == (first[0], "z")
    take = "UPDATE slots SET holder = ? WHERE id = ? AND holder = ?"
    assert [store.db.execute(take, (new, "a", "z")).rowcount for new in ("p", "q")] == [1, 0]
    assert store.find("SELECT holder FROM slots WHERE id = ?", "b") is None


def test_transaction(address: str, store: Store) -> None:
    """An exception undoes the whole block, nobody else sees it before its end, and the store can be used again."""

    def write() -> None:
        with store.writing() as db, closing(Store(address, SCHEMA)) as other:
            db.execute(INSERT, ("a", None, None, None))
            assert store.one("SELECT count(*) FROM slots") == (1,)
            assert other.one("SELECT count(*) FROM slots") == (0,)
            db.execute(INSERT, ("a", None, None, None))

    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
        write()
    assert store.all("SELECT id FROM slots") == []
    with store.writing() as db:
        db.execute(INSERT, ("b", None, None, None))
    with closing(Store(address, SCHEMA)) as other:
        assert other.all("SELECT id FROM slots") == [("b",)]


def test_opened_at_once(tmp_path: Path) -> None:
    """All who open a new database at the same moment open it, however often that is tried."""
    for n in range(NEW_DATABASES):
        at_once(lambda mine: mine.require_room("slots"), str(tmp_path / f"{n}.sqlite"))


def test_one_winner(address: str) -> None:
    """Of several who open one database, make its tables and take the same slots, each slot has exactly one."""
    won: list[tuple[str, int]] = []

    def take(mine: Store) -> None:
        name = str(threading.get_ident())
        for n in range(TIMES):
            with mine.writing() as db:
                db.execute(f"{INSERT} ON CONFLICT DO NOTHING", (str(n), None, None, None))
            taken = mine.db.execute("UPDATE slots SET holder = ? WHERE id = ? AND holder IS NULL", (name, str(n)))
            if taken.rowcount:
                won.append((name, n))

    at_once(take, address)
    assert sorted(n for _, n in won) == list(range(TIMES))
    with closing(Store(address, SCHEMA)) as after:
        holders = after.all("SELECT holder, id FROM slots")
    assert {(holder, int(slot)) for holder, slot in holders} == set(won)


def test_no_lost_update(address: str, store: Store) -> None:
    """What several add to one number at once is all there."""
    store.db.execute(INSERT, ("a", None, None, 0))

    def add(mine: Store) -> None:
        for _ in range(TIMES):
            with mine.writing() as db:
                db.execute("UPDATE slots SET taken = taken + 1 WHERE id = ?", ("a",))

    at_once(add, address)
    assert store.one("SELECT taken FROM slots") == (WORKERS * TIMES,)


def test_room(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full table and a full store are refused with 507."""
    monkeypatch.setattr(stores, "MAX_ROWS", 1)
    monkeypatch.setattr(stores, "MAX_STORED_BYTES", 10)
    store.require_room("slots")
    store.require_bytes(10)
    store.db.execute(INSERT, ("a", None, None, None))
    with pytest.raises(ApiError, match="no more than 1 slots") as no_row:
        store.require_room("slots")
    with pytest.raises(ApiError, match="at most 10 bytes") as no_byte:
        store.require_bytes(11)
    assert (no_row.value.status, no_byte.value.status) == (507, 507)


def test_cannot_open(tmp_path: Path) -> None:
    """What is no database, or not there, is told in a sentence."""
    (tmp_path / "notes").write_text("not a database" * 1000)
    for path, why in ((tmp_path / "notes", "not a database"), (tmp_path / "no" / "such", "unable to open")):
        with pytest.raises(CannotOpenError, match=why):
            Store(str(path), SCHEMA)
    with reserved() as port, pytest.raises(CannotOpenError, match="Connection refused") as refused:
        Store(f"postgresql://clinic:hushhush@127.0.0.1:{port}/clinic", SCHEMA)
    assert "hushhush" not in str(refused.value)
