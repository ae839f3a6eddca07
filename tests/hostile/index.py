"""The index: a file that is thrown away at will, so whatever lies in its place, the logs are read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

from harness.history.history import History
from tests.hostile.row import Maker, Place, Row, file, folder, link, pipe

INDEX = "reports/history.sqlite"
_ASKED = (("history",), ("report",), ("compare", "20261101", "--json"), ("issues",))


def tables(*statements: str) -> Maker:
    """Makes a database."""

    def made(place: Place) -> None:
        with closing(sqlite3.connect(place.work / INDEX)) as base:
            for each in statements:
                base.execute(each)
            base.commit()

    return made


def spoilt(spoil: Callable[[bytes], bytes]) -> Maker:
    """Spoils an index that a command has made."""

    def made(place: Place) -> None:
        assert History.ask(place.reports, lambda history: history.runs)
        tables(f"UPDATE runs SET log = replace(log, '{place.work}/', '')")(place)  # as from the folder of the command
        index = place.work / INDEX
        index.write_bytes(spoil(index.read_bytes()))

    return made


def edited(statement: str) -> Maker:
    """Changes rows of an index that a command has made."""

    def made(place: Place) -> None:
        spoilt(lambda found: found)(place)
        tables(statement)(place)

    return made


_MADE: dict[str, Maker] = {
    "garbage": file(INDEX, b"hello" * 1000),
    "nothing": file(INDEX, b""),
    "the head alone": file(INDEX, b"SQLite format 3\0"),
    "random bytes behind its head": file(INDEX, b"SQLite format 3\0" + bytes(range(256)) * 64),
    "half of it": spoilt(lambda found: found[: len(found) // 2]),
    "damaged pages": spoilt(lambda found: found[:4096] + b"\xff" * (len(found) - 4096)),
    "a damaged first page": spoilt(lambda found: found[:100] + b"\xff" * 1000 + found[1100:]),
    "a future version": tables("PRAGMA user_version = 99"),
    "odd tables": tables("CREATE TABLE runs (a)", "PRAGMA user_version = 4"),
    "odd names": tables('CREATE TABLE "a; DROP TABLE b" (a)', 'CREATE TABLE "select" (a)', "PRAGMA user_version = 3"),
    "views for tables": tables("CREATE VIEW runs AS SELECT 1 AS id", "PRAGMA user_version = 3"),
    "tables of its own": tables("CREATE TABLE a (b INTEGER PRIMARY KEY AUTOINCREMENT)", "INSERT INTO a VALUES (1)"),
}

_EDITED: dict[str, Maker] = {
    "runs that are no JSON": edited("UPDATE runs SET started = 'x'"),
    "runs of another type": edited("UPDATE runs SET started = x'ff', segment = 7"),
    "runs that are null": edited("UPDATE runs SET unavailable = NULL, complaint = NULL"),
    "unknown verdicts": edited("UPDATE cells SET verdict = 99"),
    "unknown faults": edited("UPDATE faults SET verdict = 'splendid'"),
    "another place's logs": edited("UPDATE runs SET log = '/etc/passwd' WHERE id = 1"),
}
"""Whole, but with rows that nobody here wrote: made anew, or refused by its name."""


def _rows() -> Iterator[Row]:
    for name, make in _MADE.items():
        for words in _ASKED[:2] if "of" in name else _ASKED[::2]:
            yield Row(f"an index with {name}: {words[0]}", words, (0,), "2026", make)
    for name, make in _EDITED.items():
        for words in _ASKED[::2]:
            yield Row(f"an index with {name}: {words[0]}", words, (0, 3), "history.sqlite|2026", make)
    for words in _ASKED:
        yield Row(f"a folder for the index: {words[0]}", words, (0, 3), "history.sqlite|2026|to open", folder(INDEX))
    yield Row("a pipe for the index", ("history",), (0, 3), "history.sqlite|2026", pipe(INDEX))
    yield Row(
        "a link for the index", ("history",), (0, 3), "history.sqlite|2026", link(INDEX, "../../outside/keep.txt")
    )
    yield Row(
        "a link to nothing for the index",
        ("history",),
        (0, 3),
        "history.sqlite|2026",
        link(INDEX, "../../outside/new.sqlite"),
    )


ROWS = [*_rows()]
