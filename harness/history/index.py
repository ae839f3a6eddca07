"""The index: a database over the run logs, which are the truth; it is rebuilt from them at will."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.history.archive import logs_in
from harness.history.segment import segment
from harness.measure.verdict import Verdict
from harness.readable import unreadable
from harness.record.events import CellFinished, Event, ImplementationListed, RunFinished, RunStarted, Scope
from harness.record.runlog import decode, encode, read
from harness.record.triage import RootCause, causes
from harness.verify.cell_key import CellKey

_OF_VALUES = (sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
"""What SQLite says of values that it can't hold, and never of its file."""

_RUN = "runs.id, log, segment, complaint, started, finished, unavailable"
_POINT = "verdict, median, high, largest, allowance"
_KEY = "prop, operation, implementation, device, dtype"
_VERDICTS = list(Verdict)
_NUMBERS = {verdict.value: number for number, verdict in enumerate(_VERDICTS)}
_SILENT = {each.value for each in Verdict if each.severity <= Verdict.INCONCLUSIVE.severity}
_FAILING = ", ".join(str(number) for number, verdict in enumerate(_VERDICTS) if verdict.failing)
_ANSWERED = ", ".join(str(number) for number, verdict in enumerate(_VERDICTS) if verdict.value not in _SILENT)


@dataclass(frozen=True)
class Run:
    """A run as the index knows it.

    id: its number in the index; log: where it is written down; segment: runs with the same one may share a series;
    complaint: what of the log could not be read; finished: None where the log ends before the run did; unavailable: why
    implementations could not be asked, by `operation/implementation`.
    """

    id: int
    log: Path
    segment: str
    complaint: str
    started: RunStarted
    finished: RunFinished | None
    unavailable: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """The run's name, which begins with its time."""
        return self.started.run

    @property
    def is_over(self) -> bool:
        """Whether it came to its end, neither killed nor interrupted nor out of its budget."""
        return self.finished is not None and not self.finished.stopped

    @property
    def scope(self) -> Scope:
        """What it set out to ask."""
        return self.started.scope

    @property
    def revision(self) -> str | None:
        """The revision of the code that was verified: the candidates' own, or that of the harness with its catalogue."""
        found = self.started.environment.get("candidates revision" if self.started.candidates else "revision")
        return found if isinstance(found, str) else None

    @property
    def at(self) -> str:
        """The day and minute at which it began."""
        return self.started.when[:16].replace("T", " ")


@dataclass(frozen=True)
class Fault:
    """What findings of one run share: one root cause.

    verdict, known: theirs; sentence, diagnosis, counterexample: of the finding that shows it best (the id of its
    counterexample, empty for none); keys: the numbers of its cells, the shown one first.
    """

    operation: str
    implementation: str
    verdict: Verdict
    fault: str
    known: str
    sentence: str
    diagnosis: str
    counterexample: str
    keys: tuple[int, ...] = field(compare=False)


@dataclass(frozen=True)
class Point:
    """One cell in one run: its verdict, and errors in multiples of the noise floor, None where there were none."""

    run: Run
    verdict: Verdict
    median: float | None
    high: float | None
    largest: float | None
    allowance: float | None


class Index:
    """The index of some folders of logs, in a database that has its tables (see `schema`); `generations` opens it.

    refusals: which logs could not be read, and why, in a sentence each.
    """

    def __init__(self, base: sqlite3.Connection, folders: Iterable[Path], refusals: list[str]) -> None:
        self.folders = list(folders)
        self.refusals = refusals
        self._base = base

    def refresh(self) -> None:
        """Read the logs that are new or have grown, and forget those that are gone."""
        there = {str(log): log for folder in self.folders for log in logs_in(folder)}
        known = dict(self._base.execute("SELECT log, bytes FROM runs"))
        for log in known.keys() - there.keys():
            self._forget(log)
        for name, log in sorted(there.items()):
            try:
                size = _size(log)
                if known.get(name) != size:
                    self._read(log, size)
            except HarnessError as refusal:
                self.refusals.append(str(refusal))
                if name in known:
                    self._forget(name)

    def runs(self) -> list[Run]:
        """Every run, the latest first."""
        return [_run(*row) for row in self._base.execute(f"SELECT {_RUN} FROM runs ORDER BY at DESC, name DESC")]

    def faults(self, run: Run) -> list[Fault]:
        """The root causes of a run, in the order in which its own report has them."""
        cells: dict[int, list[int]] = {}
        for fault, key in self._base.execute("SELECT fault, key FROM cells WHERE run = ? AND fault", [run.id]):
            cells.setdefault(fault, []).append(key)
        columns = "operation, implementation, verdict, fault, known, sentence, diagnosis, counterexample, shown, id"
        rows = self._base.execute(f"SELECT {columns} FROM faults WHERE run = ? ORDER BY id", [run.id])
        return [
            Fault(of, by, Verdict(verdict), fault, known, told, why, shown_by, _first(shown, cells.get(number, [])))
            for of, by, verdict, fault, known, told, why, shown_by, shown, number in rows
        ]

    def verdicts(self, run: Run, among: Iterable[int]) -> dict[int, Verdict]:
        """The verdicts of some cells of a run, by the cell's number; those that it did not ask are left out."""
        found = self._base.execute(
            "SELECT cells.key, verdict FROM json_each(?) CROSS JOIN cells ON run = ? AND cells.key = value",
            [_listed(among), run.id],
        )
        return {key: _VERDICTS[verdict] for key, verdict in found}

    def verdicts_over_runs(self, numbers: Iterable[int]) -> dict[int, dict[int, Verdict]]:
        """The verdicts of some cells in every run that asked them, by the number of the cell, then of the run."""
        found: dict[int, dict[int, Verdict]] = {number: {} for number in numbers}
        rows = self._base.execute(
            "SELECT cells.key, run, verdict FROM json_each(?) CROSS JOIN cells ON cells.key = value", [_listed(found)]
        )
        for key, run, verdict in rows:
            found[key][run] = _VERDICTS[verdict]
        return found

    def verified(self, run: Run) -> set[tuple[str, str, str]]:
        """The operations, devices and dtypes in which a run has an answer about agreement."""
        found = self._base.execute(
            "SELECT DISTINCT operation, device, dtype FROM keys CROSS JOIN cells ON run = ? AND key = keys.id"
            f" WHERE prop = 'agreement' AND verdict IN ({_ANSWERED})",
            [run.id],
        )
        return set(found)

    def keys(self, numbers: Iterable[int]) -> dict[int, CellKey]:
        """The cells with some numbers."""
        rows = self._base.execute(
            f"SELECT keys.id, {_KEY} FROM json_each(?) CROSS JOIN keys ON keys.id = value", [_listed(numbers)]
        )
        return {number: CellKey(*key) for number, *key in rows}

    def every_key(self) -> list[CellKey]:
        """Every cell that any run asked."""
        return [CellKey(*row) for row in self._base.execute(f"SELECT {_KEY} FROM keys ORDER BY id")]

    def number(self, key: CellKey) -> int | None:
        """The number of a cell, None where no run asked it."""
        where = "prop = ? AND operation = ? AND implementation = ? AND device = ? AND dtype = ?"
        found = self._base.execute(f"SELECT id FROM keys WHERE {where}", [*map(_storable, key)]).fetchone()
        return found[0] if found else None

    def series(self, number: int, of: str = "") -> list[Point]:
        """A cell in every run that asked it, the earliest first; of one segment alone where it is named."""
        return self.every_series([number], of)[number]

    def every_series(self, numbers: Iterable[int], of: str = "") -> dict[int, list[Point]]:
        """Some cells in every run that asked them, by the cell's number, as `series` has them."""
        found: dict[int, list[Point]] = {number: [] for number in numbers}
        rows = self._base.execute(
            f"SELECT cells.key, {_RUN}, {_POINT} FROM json_each(?) CROSS JOIN cells ON cells.key = value"
            " JOIN runs ON runs.id = cells.run"
            " WHERE ? = '' OR segment = ? ORDER BY at, name",
            [_listed(found), of, of],
        )
        for number, *row in rows:
            found[number].append(_point(row))
        return found

    def agreement(
        self, operation: str, candidates: str = "", of: str = "", last: int = 30
    ) -> dict[CellKey, list[Point]]:
        """How far an operation's implementations were from the oracle: the points of its agreement cells, by cell.

        Those of the last runs that asked it, the earliest first; of the catalogue's runs or those of one file of
        candidates, and of one segment alone where it is named.
        """
        rows = self._base.execute(
            f"""
            WITH asked AS (SELECT id, {_KEY} FROM keys WHERE prop = 'agreement' AND operation = ?),
            recent AS (
                SELECT * FROM runs WHERE candidates = ? AND (? = '' OR segment = ?)
                AND EXISTS (SELECT 1 FROM asked CROSS JOIN cells ON run = runs.id AND key = asked.id)
                ORDER BY at DESC, name DESC LIMIT ?
            )
            SELECT {_KEY}, {_RUN.replace("runs.", "recent.")}, {_POINT}
            FROM recent CROSS JOIN asked CROSS JOIN cells ON run = recent.id AND key = asked.id ORDER BY at, name, asked.id
            """,
            [_storable(operation), _storable(candidates), of, of, last],
        )
        found: dict[CellKey, list[Point]] = {}
        for row in rows:
            found.setdefault(CellKey(*row[:5]), []).append(_point(row[5:]))
        return found

    def yields(self, last: int) -> list[tuple[CellKey, int, float]]:
        """What the cells of the last runs have found for their cases: in how many runs something, over how many cases.

        The cases are a float, whose sum can't overflow.
        """
        rows = self._base.execute(
            f"WITH recent AS (SELECT id FROM runs ORDER BY at DESC, name DESC LIMIT ?)"
            f" SELECT {_KEY}, SUM(verdict IN ({_FAILING})), TOTAL(cases) FROM recent CROSS JOIN cells ON run = recent.id"
            f" JOIN keys ON keys.id = cells.key GROUP BY cells.key",
            [last],
        )
        return [(CellKey(*row[:5]), row[5], row[6]) for row in rows]

    def grown(self, before: Run, after: Run, most: int) -> list[tuple[int, float, float, float | None]]:
        """The cells whose largest error grew most between two runs: number, then, now, and what is allowed now."""
        rows = self._base.execute(
            "SELECT b.key, a.largest, b.largest, b.allowance FROM cells b JOIN cells a ON a.run = ? AND a.key = b.key"
            " WHERE b.run = ? AND a.largest > 0 AND b.largest > a.largest ORDER BY b.largest / a.largest DESC LIMIT ?",
            [before.id, after.id, most],
        )
        return list(rows)

    def unanswered(self, before: Run, after: Run) -> list[tuple[CellKey, str | None]]:
        """The cells that one run answered and another did not, and the reason if the other gave any."""
        rows = self._base.execute(
            f"SELECT {_KEY}, b.reason FROM cells a LEFT JOIN cells b ON b.run = ? AND b.key = a.key"
            f" JOIN keys ON keys.id = a.key WHERE a.run = ? AND a.verdict IN ({_ANSWERED})"
            f" AND (b.key IS NULL OR b.verdict NOT IN ({_ANSWERED}))",
            [after.id, before.id],
        )
        return [(CellKey(*row[:5]), row[5]) for row in rows]

    def _read(self, log: Path, size: int) -> None:
        """Put down what a log says. Raises HarnessError where it can't be read, or not put down."""
        found = read(log)
        if not found.events:
            return  # a run that has only just begun
        try:
            with self._base, closing(self._base.cursor()) as cursor:
                cursor.execute("BEGIN IMMEDIATE")
                self._forget(str(log))
                _insert(cursor, log, size, found.events, found.complaint)
            self.refusals += filter(None, [found.complaint])
        except HarnessError:
            raise
        except Exception as failure:
            if isinstance(failure, sqlite3.Error) and not isinstance(failure, _OF_VALUES):
                raise
            told = f"{type(failure).__name__}: {failure}"
            raise HarnessError(
                f"run log {log} can't be taken into the history ({told}); take it out of this folder"
            ) from None

    def _forget(self, log: str) -> None:
        for (run,) in self._base.execute("SELECT id FROM runs WHERE log = ?", [log]).fetchall():
            for table, column in (("cells", "run"), ("faults", "run"), ("runs", "id")):
                self._base.execute(f"DELETE FROM {table} WHERE {column} = ?", [run])


def _insert(cursor: sqlite3.Cursor, log: Path, size: int, events: list[Event], complaint: str) -> None:
    started = _beginning(log, events, complaint)
    finished = next((event for event in events if isinstance(event, RunFinished)), None)
    outcomes = [event for event in events if isinstance(event, CellFinished) and not event.claim]
    listed = [event for event in events if isinstance(event, ImplementationListed)]
    unavailable = {f"{each.operation}/{each.implementation}": each.unavailable for each in listed if each.unavailable}
    cursor.execute(
        "INSERT INTO runs (name, log, bytes, at, segment, candidates, complaint, started, finished, unavailable)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *(started.run, str(log), size, started.when, segment(started.environment), _storable(started.candidates)),
            complaint,
            *(_storable(encode(each)) if each else None for each in (started, finished)),
            json.dumps(unavailable),
        ],
    )
    run = cursor.lastrowid
    _run(
        *cursor.execute(f"SELECT {_RUN} FROM runs WHERE id = ?", [run]).fetchone()
    )  # what can't be read back is refused
    numbers = _numbers(cursor, outcomes)
    faults = {
        _key(cell): fault
        for cause in causes(outcomes)
        for fault in [_fault(cursor, run, cause, numbers)]
        for cell in cause.cells
    }
    rows = {numbers[key]: _figures(cell, faults.get(key)) for cell in outcomes for key in [_key(cell)]}
    cursor.executemany(
        "INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", ((run, key, *rows[key]) for key in sorted(rows))
    )


def _beginning(log: Path, events: list[Event], complaint: str) -> RunStarted:
    """How a run began. Raises HarnessError where that is not told, with the complaint about the log if there is one."""
    started = next((event for event in events if isinstance(event, RunStarted)), None)
    if started is None:
        told = complaint or f"run log {log} does not say how the run began"
        raise HarnessError(f"{told}; take it out of this folder")
    return started


def _size(log: Path) -> int:
    """The bytes of a log. Raises HarnessError where it is no file that can be read."""
    if reason := unreadable(log):
        raise HarnessError(f"run log {log} can't be read: {reason}; take it away")
    return log.stat().st_size


def _key(cell: CellFinished) -> CellKey:
    return CellKey(*map(_storable, cell.cell))


def _numbers(cursor: sqlite3.Cursor, outcomes: list[CellFinished]) -> dict[CellKey, int]:
    """The number of every cell; new ones are given."""
    numbers = _known_numbers(cursor)
    new = {key for cell in outcomes for key in [_key(cell)] if key not in numbers}
    if not new:
        return numbers
    cursor.executemany(f"INSERT INTO keys ({_KEY}) VALUES (?, ?, ?, ?, ?)", sorted(new))
    return _known_numbers(cursor)


def _known_numbers(cursor: sqlite3.Cursor) -> dict[CellKey, int]:
    return {CellKey(*key): number for number, *key in cursor.execute(f"SELECT id, {_KEY} FROM keys")}


def _fault(cursor: sqlite3.Cursor, run: int | None, cause: RootCause, numbers: dict[CellKey, int]) -> int | None:
    told = [cause.verdict.value, cause.fault, cause.known, cause.sentence, str(cause.diagnosis or "")]
    cursor.execute(
        "INSERT INTO faults (run, operation, implementation, verdict, fault, known, sentence, diagnosis, counterexample,"
        " shown) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [run, *map(_storable, (*cause.key, *told)), cause.shown.id, numbers[_key(cause.shown)]],
    )
    return cursor.lastrowid


def _figures(cell: CellFinished, fault: int | None) -> tuple[Any, ...]:
    """A cell's columns: why it gave no answer is told there, findings by their fault."""
    scores = (cell.score_median, cell.score_high, cell.score_max, cell.allowance)
    return (
        _NUMBERS[cell.verdict],
        *scores,
        sum(cell.tally.values()),
        fault,
        _storable(cell.reason) if cell.verdict in _SILENT else None,
    )


def _storable(text: str) -> str:
    """What SQLite can hold: halves of surrogate pairs, which hostile text may have, are spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _listed(numbers: Iterable[int]) -> str:
    """Numbers as one parameter of a query, for json_each; CROSS JOIN makes them its outer loop, as they are few."""
    return json.dumps(list(numbers))


def _point(row: Sequence[Any]) -> Point:
    *run, verdict, median, high, largest, allowance = row
    return Point(_run(*run), _VERDICTS[verdict], median, high, largest, allowance)


@lru_cache(maxsize=4096)
def _run(number: int, log: str, of: str, complaint: str, started: str, finished: str | None, unavailable: str) -> Run:
    """The run of a row. Raises ValueError where its events are none."""
    try:
        begun, ended = decode(started), decode(finished) if finished else None
    except HarnessError as failure:
        raise ValueError(str(failure)) from None
    if not (isinstance(begun, RunStarted) and isinstance(ended, RunFinished | None)):
        raise ValueError("these are other events")
    return Run(number, Path(log), of, complaint, begun, ended, json.loads(unavailable))


def _first(shown: int, keys: list[int]) -> tuple[int, ...]:
    return (shown, *(key for key in keys if key != shown))
