"""The pool: workers of this machine, which are started, given cells, heard, and replaced where they end."""

from __future__ import annotations

import json
import signal
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from harness.errors import HarnessError, InfrastructureError
from harness.execute.fork_server import Child, ServerEnded, fork_server
from harness.execute.last_case import last_case
from harness.execute.queue import Queue
from harness.execute.scratch import scratch
from harness.execute.selection import Selection
from harness.execute.watchdog import (
    GARBLED,
    ORPHANED,
    CrashCounts,
    answered_again,
    crash_outcome,
    crash_reason,
    doer,
    has_lost_its_device,
    kept_finding,
    killed_from_outside,
    last_asked,
    note,
    noted,
    recycled,
)
from harness.execute.worker import CELLS, EVENT, PROBLEM, REFUSAL
from harness.record.events import CellFinished
from harness.record.runlog import decode
from harness.verify.cell_key import CellKey

_IDLE_DEATHS = 3
"""How many workers may die one after the other before they ask anything; after that, something is wrong with the place."""

_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""The variables from which libraries take the size of their pools of threads as they are loaded."""

_GIVING_WAY = {"OMP_WAIT_POLICY": "passive", "OPENBLAS_THREAD_TIMEOUT": "4"}
"""Threads that wait sleep, and do not take a processor from the worker beside: with two threads each, 3.5 times as fast."""

_LONGEST = 2**28
"""Bytes of a message, more than which no worker says."""


class Executor(Protocol):
    """Who answers cells: workers of this machine, or those of a cluster."""

    def cells(self) -> list[str]:
        """The names of all cells that are selected. Raises HarnessError where the selection can't be used."""

    def ask(self, cells: Sequence[str]) -> Iterator[CellFinished]:
        """The answers of these cells, each once, as they come. Raises InfrastructureError where nobody is left to ask."""

    def asked_last(self) -> set[str]:
        """The cells over which each worker was last."""


class _Garbled(Exception):
    """What came down a worker's line is nothing that a worker says."""


@dataclass
class Pool:
    """Workers of this machine, kept until the pool is closed.

    keyword: an expression of `-k` that narrows the selection; jobs: how many workers at once; limit: seconds after which a
    worker whose case does not return is stopped; memory: bytes that a worker may hold; threads: in which it computes;
    work: what a worker does (`module:function`), with the parameters of `worker.work` and those that are in `orders`.
    """

    selection: Selection
    keyword: str = ""
    jobs: int = 1
    limit: float = 60.0
    memory: int | None = None
    threads: int = 1
    work: str = "harness.execute.worker:work"
    orders: Mapping[str, Any] = field(default_factory=dict)
    _scratch: Path = field(init=False)
    _queue: Queue = field(default_factory=lambda: Queue(()), init=False)
    _cells: list[str] | None = field(default=None, init=False)
    _alive: dict[str, Child] = field(default_factory=dict, init=False)
    _names: Iterator[str] = field(default_factory=lambda: map("worker{}".format, count()), init=False)
    _used: list[str] = field(default_factory=list, init=False)
    _killed: dict[str, CellFinished] = field(default_factory=dict, init=False)
    _answers: deque[CellFinished] = field(default_factory=deque, init=False)
    _idle_deaths: int = field(default=0, init=False)

    @contextmanager
    def opened(self) -> Iterator[Pool]:
        """Within this, workers are started as they are needed; after it, none of them is left, nor what they have started."""
        fork_server(self._variables)  # before the folder, with which all goes that was started since
        with scratch() as self._scratch:
            try:
                yield self
            finally:
                for worker in self._alive.values():
                    if worker.status is None:  # the number of one that is gone may be another's by now
                        worker.end()

    def cells(self) -> list[str]:
        """The names of the cells, as the workers find them. Raises HarnessError where the selection can't be used."""
        while self._cells is None:
            self._go_on()
        return self._cells

    def ask(self, cells: Sequence[str]) -> Iterator[CellFinished]:
        """The answers of these cells, each once, as they come, with as many workers as there are groups of cells for.

        Raises InfrastructureError where workers end before they ask anything.
        """
        self._queue = Queue(cells)
        for name in self._alive:
            self._feed(name)
        while not self._queue.is_done:
            self._go_on()
            while self._answers:
                yield self._answers.popleft()

    def asked_last(self) -> set[str]:
        """The cells over which each worker was last."""
        return {cell.key for cell in (last_asked(self._scratch, name) for name in self._used) if cell is not None}

    @property
    def _variables(self) -> dict[str, str]:
        """Of the server: more threads than one want libraries that are loaded anew, which are told of them then."""
        return {} if self.threads == 1 else {**dict.fromkeys(_POOLS, str(self.threads)), **_GIVING_WAY}

    def _start(self) -> None:
        """Start a worker; its watchdog notes under its name what happens."""
        name = next(self._names)
        self._alive[name] = fork_server(self._variables).fork(
            self.work,
            {**dict.fromkeys(_POOLS, str(self.threads)), "HYPOTHESIS_STORAGE_DIRECTORY": str(self._scratch)},
            selection=self.selection.to_json(),
            keyword=self.keyword,
            scratch=str(self._scratch),
            name=name,
            limit=self.limit,
            memory=self.memory,
            threads=self.threads,
            **self.orders,
        )
        self._used.append(name)

    def _go_on(self) -> None:
        """Have as many workers as are of use, wait until one says something or ends, and take down what it says."""
        try:
            while len(self._alive) < (1 if self._killed else self.jobs) and self._has_work:
                self._start()
            self._listen()
        except ServerEnded:
            self._lose_all()
        for name in [name for name, worker in self._alive.items() if worker.status is not None]:
            self._hear(name)
            self._bury(name)

    @property
    def _has_work(self) -> bool:
        return self._cells is None or self._queue.has_waiting

    def _listen(self) -> None:
        """Wait until a worker says something or ends, and hear it. Raises ServerEnded where the server is gone."""
        server = next(iter(self._alive.values())).server
        lines: dict[Any, str] = {worker.line: name for name, worker in self._alive.items() if not worker.line.closed}
        for ready in server.ready(lines):
            if ready is server.control:
                server.listen()
            else:
                self._hear(lines[ready])

    def _lose_all(self) -> None:
        """Take down that all workers are gone with their server, which one of them may have ended; of several, nobody knows which.

        So what they asked is asked once more, one after the other. Raises ServerEnded where there were none.
        """
        if not self._alive:
            raise ServerEnded
        for name, worker in self._alive.items():
            if worker.status is None:
                worker.status = -signal.SIGKILL
                note(self._scratch, name, ORPHANED)

    # what a worker says

    def _hear(self, name: str) -> None:
        """Take down everything that a worker has said; what nobody says was written there by what it asked."""
        worker = self._alive[name]
        try:
            while not worker.line.closed and worker.line.poll():
                self._said(name, *_received(worker))
                self._feed(name)
        except _Garbled:
            note(self._scratch, name, GARBLED)
            worker.line.close()
            worker.end()
        except (EOFError, OSError):
            worker.line.close()

    def _feed(self, name: str) -> None:
        """Give a worker what it is to ask next, before it has nothing to do."""
        wanted = self._queue.next(name)
        if wanted:
            with suppress(OSError):  # it has ended, and another one is given them
                self._alive[name].line.send_bytes(json.dumps(wanted).encode())

    def _said(self, name: str, what: bytes, told: str) -> None:
        """What a worker says. Raises HarnessError for a selection that can't be used, InfrastructureError for a fault."""
        if what == REFUSAL:
            raise HarnessError(told)
        if what == PROBLEM:
            raise InfrastructureError(told)
        try:
            if what == CELLS:
                self._found([str(cell) for cell in json.loads(told)])
                return
            event = decode(told) if what == EVENT else None
        except (ValueError, TypeError, HarnessError) as failure:
            if isinstance(failure, InfrastructureError):
                raise
            raise _Garbled from None
        if not isinstance(event, CellFinished) or not self._queue.has(name, event.key):
            raise _Garbled
        self._queue.answered(name, event.key)
        killed = self._killed.pop(event.key, None)
        self._answers.append(answered_again(killed, event) if killed else event)
        self._idle_deaths = 0

    def _found(self, cells: list[str]) -> None:
        """Take down which cells there are. Raises InfrastructureError where they are not those that others found."""
        if self._cells is None:
            self._cells = cells
        elif cells != self._cells:
            odd = next(iter(set(cells) ^ set(self._cells)), "their order")
            raise InfrastructureError(
                f"two workers found different cells ({odd}); declarations must be the same on every import"
            )

    # a worker that has ended

    def _bury(self, name: str) -> None:
        """Answer the cell over which a worker ended; the others that it had are asked by another one.

        Raises InfrastructureError where workers die before they ask anything: they would be replaced for ever.
        """
        worker = self._alive.pop(name)
        worker.end()  # what it started takes memory and time from the next
        first_left = self._queue.first_left(name)
        asked = self._asked_by(name, first_left)
        if asked is None:
            self._idle_deaths += 1
            if self._idle_deaths >= _IDLE_DEATHS:
                words = crash_reason(self._scratch, name, self.limit, worker.status)
                raise InfrastructureError(f"{self._idle_deaths} workers ended before they asked anything: {words}")
        died = self._died(name, worker.status, first_left, asked)
        self._queue.lost(name, died is not None)
        if died is not None:
            self._killed.pop(died.key, None)
            self._answers.append(died)

    def _asked_by(self, name: str, first_left: str | None) -> CellFinished | None:
        """The cell over which a worker ended, as an error that lacks its reason; what was asked may have written over its notes."""
        key = CellKey.parse(first_left) if first_left and noted(self._scratch, name, GARBLED) else None
        if key is None:
            return last_asked(self._scratch, name)
        return CellFinished.unanswered(key, place=f"{key.operation}/{key.implementation}")

    def _died(
        self, name: str, status: int | None, first_left: str | None, cell: CellFinished | None
    ) -> CellFinished | None:
        """The answer that a worker's end is for the cell before it, which becomes an error; None where none is to blame.

        Where the worker was killed from outside, it may be the system's doing, who chooses by its own lights where memory
        runs out: such a cell is asked once more.
        """
        if cell is None or recycled(self._scratch, name) or cell.key != first_left:
            return None
        words = crash_reason(self._scratch, name, self.limit, status)
        died = kept_finding(self._scratch, name, cell, status)
        if died is None and cell.key not in self._killed and killed_from_outside(self._scratch, name, status):
            self._killed[cell.key] = replace(cell, reason=words)
            return None
        if died is None:
            if not has_lost_its_device(self._scratch, name):
                CrashCounts(self._scratch).add(f"{cell.operation}/{cell.implementation}", words)
            left, place = last_case(self._scratch / f"{name}.case"), doer(self._scratch, name, cell)
            died = crash_outcome(cell, words, left, self.selection.candidates, self.limit, place)
        if died.counterexample is not None:
            self.selection.store.keep(died.key, died.counterexample.case)
        return died


def _received(worker: Child) -> tuple[bytes, str]:
    """A message of a worker: what it is, and what it tells."""
    what, _, told = worker.line.recv_bytes(_LONGEST).partition(b" ")
    return what, told.decode("utf-8", "replace")
