"""Generations: the files in which an index may lie, history.sqlite, history-2.sqlite, …, and how it is asked.

An index is made from logs, so that nothing is lost with one. One that is damaged, or of another harness, is left as it
is, since another process may have it open, and a new one is made beside it. Where none can be kept on the disk, because
it is full or read-only or somebody does not let go of the index, the logs are read into one in memory.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from harness.errors import HarnessError
from harness.history.index import Index
from harness.history.schema import is_index, prepare

_PATIENCE = 5.0
"""Seconds to wait for another process that writes the index."""

_MOST = 9
"""Files that may lie side by side: whatever spoils them all is no accident."""

_PASSING = {
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM)
}
"""What says nothing against an index: others use it, or there is no room."""

Answer = TypeVar("Answer")


class _Unusable(Exception):
    """No index on the disk can be asked."""


class _Damaged(_Unusable):
    """One index can't be asked; another one might."""


def ask(first: Path, folders: Iterable[Path], question: Callable[[Index], Answer]) -> Answer:
    """What a question finds in the index of some folders of logs, of which `first` is the oldest file.

    The question is put again to another index where this one turns out to be damaged, which may be in the midst of it:
    numbers of runs and cells must not leave it, and what it does must bear to be done twice.
    """
    folders = list(folders)
    try:
        try:
            return _asked(_latest(first), folders, question)
        except _Damaged:
            return _asked(_following(first), folders, question)
    except _Unusable as failure:
        note = f"{failure}; all logs were read instead, which takes longer"
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as base:
        prepare(base)
        return question(_refreshed(base, folders, note))


def _asked(file: Path, folders: list[Path], question: Callable[[Index], Answer]) -> Answer:
    try:
        with closing(_opened(file)) as base:
            return question(_refreshed(base, folders))
    except (HarnessError, OSError, _Unusable):
        raise
    except sqlite3.Error as failure:
        code = getattr(failure, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # without what it adds in detail
        kind = _Unusable if code in _PASSING else _Damaged
        raise kind(f"the index {file} can't be used ({failure})") from failure
    except Exception as failure:
        # Of values that nobody wrote, or a fault of the harness: then the index in memory meets it too, and tells.
        raise _Unusable(f"the index {file} is damaged ({type(failure).__name__}): throw it away") from failure


def _opened(file: Path) -> sqlite3.Connection:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise _Unusable(f"the index {file} can't be written ({failure.strerror or failure})") from failure
    base = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)
    try:
        prepare(base)
    except sqlite3.Error:
        base.close()
        raise
    return base


def _refreshed(base: sqlite3.Connection, folders: list[Path], *notes: str) -> Index:
    index = Index(base, folders, list(notes))
    index.refresh()
    return index


def _latest(first: Path) -> Path:
    """The latest index of this harness, or a new one: those before it were given up."""
    return next((file for file in reversed(_there(first).values()) if _is_index(file)), None) or _following(first)


def _following(first: Path) -> Path:
    """The file after all that are there. Raises _Unusable where there are too many."""
    there = _there(first)
    if len(there) >= _MOST:
        raise _Unusable(f"none of the {len(there)} indexes beside {first} can be used: throw them away")
    number = max(there, default=0) + 1
    return first.with_stem(f"{first.stem}-{number}") if number > 1 else first


def _there(first: Path) -> dict[int, Path]:
    """The files that are there by their number, the oldest first."""
    named = re.compile(rf"{re.escape(first.stem)}(?:-(\d+))?{re.escape(first.suffix)}", re.ASCII)
    found = {int(match[1] or 1): file for file in first.parent.glob("*") if (match := named.fullmatch(file.name))}
    return dict(sorted(found.items()))


def _is_index(file: Path) -> bool:
    """Whether a file is an index of this harness, as far as can be seen without waiting; a link leads to nobody knows what."""
    if file.is_symlink():
        return False
    try:
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as base:
            return is_index(base)
    except sqlite3.Error as failure:
        return getattr(failure, "sqlite_errorcode", 0) & 0xFF in _PASSING
