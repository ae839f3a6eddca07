"""A worker: a process that finds the cells of a selection, says which there are, and answers those that it is told to."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from harness.errors import HarnessError
from harness.execute.outcome import outcome, replayed, without_asking
from harness.execute.selection import Selection
from harness.execute.shard import group_of
from harness.execute.watchdog import Watchdog
from harness.fault import with_traceback
from harness.generate.memory import forget
from harness.measure.verdict import Verdict
from harness.originals import Originals, installed
from harness.record.events import UNJUDGED, CellFinished
from harness.record.runlog import encode
from harness.verify.cell import Cell

CELLS, EVENT, REFUSAL, PROBLEM = b"cells", b"event", b"refusal", b"problem"
"""What a worker says, as the first word of each message: the names of its cells; an answer; why it can't begin; a fault."""

_COLLECTING_SECONDS = 300.0


def work(
    line: Connection,
    selection: str,
    keyword: str,
    scratch: str,
    name: str,
    limit: float,
    memory: int | None,
    threads: int,
) -> None:
    """Say which cells of a selection there are, and answer those whose names come down the line."""
    compute_in(threads)
    watchdog, asked = Watchdog(Path(scratch), name, limit, memory), Selection.from_json(selection)
    try:
        with watchdog.within(_COLLECTING_SECONDS):
            cells = {cell.key: cell for cell in asked.in_order(keyword)}
    except HarnessError as refusal:
        return say(line, REFUSAL, str(refusal))
    except Exception as failure:
        return say(line, PROBLEM, f"the cells can't be collected: {with_traceback(failure)}")
    return answer_all(line, cells, asked, watchdog)


def compute_in(threads: int) -> None:
    """Have every library compute in so many threads."""
    torch.set_num_threads(threads)
    threadpool_limits(threads)


def answer_all(line: Connection, cells: Mapping[str, Cell], selection: Selection, watchdog: Watchdog) -> None:
    """Say which cells there are, and answer those whose names come down the line, until nothing does any more."""
    worker = Worker(selection, watchdog, selection.shares(cells))
    say(line, CELLS, json.dumps([*cells]))
    while wanted := json.loads(line.recv_bytes()):
        for key in wanted:
            say(line, EVENT, encode(worker.answer(cells[key])))


def say(line: Connection, what: bytes, told: str) -> None:
    """Say something to the pool."""
    line.send_bytes(what + b" " + told.encode("utf-8", "surrogatepass"))


class Worker:
    """Answers cells, and goes on whatever they do to the process."""

    def __init__(self, selection: Selection, watchdog: Watchdog, shares: dict[str, float]) -> None:
        self._selection, self._watchdog, self._shares = selection, watchdog, shares
        self._originals = Originals(installed if selection.candidates else lambda module: False)
        self._group = ""

    def answer(self, cell: Cell) -> CellFinished:
        """The outcome of a cell, asked unless its implementation has ended too many workers."""
        self._turn_to(group_of(cell))
        return self._watchdog.verdict_without_asking(cell) or self._watched(cell)

    def _turn_to(self, group: str) -> None:
        """Go on with a group of cells: what another shared is asked for no more."""
        if group != self._group:
            self._group = group
            forget()
            self._watchdog.retire_if_much_is_kept()

    def _watched(self, cell: Cell) -> CellFinished:
        changed: list[str] = []
        try:
            with self._watchdog.over(cell):
                try:
                    found = asked(cell, self._selection, self._shares[cell.key])
                finally:  # before anything else is called, which may be what was changed
                    changed = self._originals.put_back()
        except BaseException as failure:
            if not changed and not isinstance(failure, Exception):
                raise
            found = _unanswered(cell, failure, changed)
        if changed:
            self._watchdog.spoilt_by(cell)
        return dataclasses.replace(found, changed=changed)


def asked(cell: Cell, selection: Selection, share: float) -> CellFinished:
    """The outcome of a cell, in at most its share of the time."""
    try:
        if selection.replaying:
            return replayed(cell, selection.records[cell.key])
        seconds = min(selection.cell_seconds, share)
        return outcome(cell, selection.examples, selection.seed, seconds, selection.store, share)
    except HarnessError as refusal:
        return without_asking(cell, Verdict.ERROR, str(refusal))


def _unanswered(cell: Cell, failure: BaseException, changed: Iterable[str]) -> CellFinished:
    """Why there is no verdict: the implementation's doing, or the property's, which says so."""
    place, prop = cell.implementation.place, cell.prop.name
    verdict, kind = Verdict.UNSUPPORTED, UNJUDGED
    if isinstance(failure, MemoryError):  # where the implementation itself runs out of it, that is told as its own
        reason = f"{prop} ran out of memory before it could judge what it gave; fewer workers (--jobs) have more each"
    elif changed:
        reason = f"it changed {', '.join(changed)}, so that what it gave could not be judged"
        verdict, kind = Verdict.ERROR, "changed modules"
    else:
        reason = f"{prop} could not judge what it gave: {with_traceback(failure)}"
    return dataclasses.replace(without_asking(cell, verdict, f"{place}: {reason}"), kind=kind)
