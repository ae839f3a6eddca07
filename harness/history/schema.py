"""The schema: the tables of an index, by which a database is known for one."""

from __future__ import annotations

import sqlite3
from contextlib import closing

_VERSION = 5
"""Counts up when the tables stay and what is meant by them does not."""

_STATEMENTS = [
    """CREATE TABLE runs (
    id INTEGER PRIMARY KEY, name TEXT, log TEXT UNIQUE, bytes INTEGER, at TEXT, segment TEXT, candidates TEXT,
    complaint TEXT, started TEXT, finished TEXT, unavailable TEXT
)""",
    """CREATE TABLE keys (
    id INTEGER PRIMARY KEY, prop TEXT, operation TEXT, implementation TEXT, device TEXT, dtype TEXT,
    UNIQUE (prop, operation, implementation, device, dtype)
)""",
    """CREATE TABLE faults (
    id INTEGER PRIMARY KEY, run INTEGER, operation TEXT, implementation TEXT, verdict TEXT, fault TEXT, known TEXT,
    sentence TEXT, diagnosis TEXT, counterexample TEXT, shown INTEGER
)""",
    "CREATE INDEX faults_by_run ON faults (run)",
    """CREATE TABLE cells (
    run INTEGER, key INTEGER, verdict INTEGER, median REAL, high REAL, largest REAL, allowance REAL, cases INTEGER,
    fault INTEGER, reason TEXT,
    PRIMARY KEY (run, key)
) WITHOUT ROWID""",
    "CREATE INDEX cells_by_key ON cells (key, verdict)",
]
_EMPTY: tuple[int, list[str]] = (0, [])
_OURS = (_VERSION, sorted(_STATEMENTS))


def is_index(base: sqlite3.Connection) -> bool:
    """Whether a database has the tables of an index, or may have them since it has none."""
    return _made(base) in (_EMPTY, _OURS)


def prepare(base: sqlite3.Connection) -> None:
    """Give an empty database the tables of an index. Raises sqlite3.DatabaseError where there are others in it."""
    base.execute("PRAGMA synchronous = NORMAL")  # what a power cut takes is read from the logs again
    base.execute("PRAGMA cache_size = -65536")
    if _made(base) == _EMPTY:
        base.execute("PRAGMA journal_mode = WAL")
        with base, closing(base.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            if _told(cursor) == _EMPTY:  # else another process was faster
                for statement in _STATEMENTS:
                    cursor.execute(statement)
                cursor.execute(f"PRAGMA user_version = {_VERSION}")
    if _made(base) != _OURS:
        raise sqlite3.DatabaseError("its tables are not those of an index")


def _made(base: sqlite3.Connection) -> tuple[int, list[str]]:
    """The version of a database and how its tables were made, as they were at one time."""
    with base, closing(base.cursor()) as cursor:
        cursor.execute("BEGIN")
        return _told(cursor)


def _told(cursor: sqlite3.Cursor) -> tuple[int, list[str]]:
    (version,) = cursor.execute("PRAGMA user_version").fetchone()
    return version, sorted(sql for (sql,) in cursor.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
