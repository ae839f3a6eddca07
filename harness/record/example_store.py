"""ExampleStore: what earlier runs found, tried before anything else.

Hypothesis' own example database keeps it: for each cell the falsifying cases, as they were recorded. A file of
counterexamples that people keep is tried as well, and never changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hypothesis.database import DirectoryBasedExampleDatabase

from harness.errors import HarnessError
from harness.generate.case import Case
from harness.record.reading import Unreadable, parsed
from harness.record.saved_counterexamples import SavedCounterexample
from harness.verify.cell import Cell


@dataclass(frozen=True)
class SeedCases:
    """What there is to try first in a cell.

    cases: in their order; stored: the database's entry by the place of its case; outdated: why cases can't be asked any
    more.
    """

    cases: tuple[Case, ...] = ()
    stored: dict[int, bytes] = field(default_factory=dict)
    outdated: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExampleStore:
    """The falsifying cases of earlier runs, from a folder (empty: none) and from what people keep."""

    folder: str = ""
    kept: tuple[SavedCounterexample, ...] = ()

    def of(self, cell: Cell) -> SeedCases:
        """The cases to try first. What the database holds and the declaration admits no more is told once and forgotten."""
        cases, outdated = [], []
        for each in self._by_cell.get(cell.key, ()):
            try:
                cases.append(rebuilt(each.case, cell))
            except HarnessError as refusal:
                outdated.append(f"counterexample {each.id} can't be tried: {refusal}")
        stored = {}
        for entry, record in self._stored(cell):
            try:
                case = rebuilt(record, cell)
            except HarnessError as refusal:
                outdated.append(f"a counterexample of an earlier run is forgotten: {refusal}")
                self._forget(cell, entry)
            else:
                stored[len(cases)] = entry
                cases.append(case)
        return SeedCases(tuple(cases), stored, tuple(outdated))

    def update(self, cell: Cell, seeds: SeedCases, tried: int, falsifying: dict[str, Any] | None) -> None:
        """Keep the record that falsifies the cell; forget the stored ones that were tried and are not this one."""
        kept = _encoded(falsifying) if falsifying is not None else b""
        for place, entry in seeds.stored.items():
            if place < tried and entry != kept:
                self._forget(cell, entry)
        if falsifying is not None:
            self.keep(cell.key, falsifying)

    def keep(self, key: str, record: dict[str, Any]) -> None:
        """Put down a case that falsifies the cell of this key."""
        if self._database is not None:
            self._database.save(key.encode(), _encoded(record))

    def _forget(self, cell: Cell, entry: bytes) -> None:
        if self._database is not None:
            self._database.delete(cell.key.encode(), entry)

    def _stored(self, cell: Cell) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """The entries of the database that are records of this operation; others were written by another version, or damaged."""
        for entry in sorted(self._database.fetch(cell.key.encode())) if self._database is not None else ():
            with suppress(Unreadable):
                record = parsed(entry)
                if isinstance(record, dict) and record.get("operation") == cell.operation.name:
                    yield entry, record

    @cached_property
    def _by_cell(self) -> dict[str, list[SavedCounterexample]]:
        return _grouped(self.kept)

    @cached_property
    def _database(self) -> DirectoryBasedExampleDatabase | None:
        return DirectoryBasedExampleDatabase(self.folder) if self.folder else None


NONE = ExampleStore()


def rebuilt(record: dict[str, Any], cell: Cell) -> Case:
    """The recorded case as this cell can be asked about it. Raises HarnessError where it does not fit (any more)."""
    operation = cell.operation
    case = Case.rebuild(record, {operation.name: operation})
    if (case.device, case.dtype) != (cell.device, cell.dtype):
        raise HarnessError(f"case of {operation.name} was recorded in {case.dtype} on {case.device}")
    try:
        case.tensors  # noqa: B018 - made here, where a record that makes no sense costs nothing but itself
    except Exception as failure:
        raise HarnessError(f"case of {operation.name} can't be made: {type(failure).__name__}: {failure}") from None
    return case


def _encoded(record: dict[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True).encode()


def _grouped(entries: Iterable[SavedCounterexample]) -> dict[str, list[SavedCounterexample]]:
    groups: dict[str, list[SavedCounterexample]] = {}
    for each in entries:
        groups.setdefault(each.key, []).append(each)
    return groups
