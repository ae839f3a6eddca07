"""The controller: starts the workers, hands out the cells, hears what the workers say, and passes it on as events."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from time import perf_counter
from types import FrameType
from typing import Any

from harness.errors import HarnessError, InfrastructureError
from harness.execute.cluster import Cluster, task_of
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
    kept_finding,
    killed_from_outside,
    last_asked,
    note,
    noted,
    recycled,
)
from harness.execute.worker import CELLS, EVENT, PROBLEM, REFUSAL
from harness.fault import with_traceback
from harness.measure.verdict import Verdict
from harness.record.claim_outcomes import claim_outcomes
from harness.record.events import CellFinished, ClaimListed, Listener, RunFinished
from harness.record.runlog import decode
from harness.verify.cell_key import CellKey

_IDLE_DEATHS = 3
"""How many workers may die before they ask anything; after that, something is wrong with the place."""

_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""The variables from which libraries take the size of their pools of threads as they are loaded."""

_GIVING_WAY = {"OMP_WAIT_POLICY": "passive", "OPENBLAS_THREAD_TIMEOUT": "4"}
"""Threads that wait sleep, and do not take a processor from the worker beside: with two threads each, 3.5 times as fast."""


_LONGEST = 2**28
"""Bytes of a message, more than which no worker says."""


class _Garbled(Exception):
    """What came down a worker's line is nothing that a worker says."""


@dataclass
class Controller:
    """The process that asks; its workers do the computing.

    before: what was answered before and is not asked again; claims: what the run can settle; budget: seconds after which
    the run ends with what it has; limit: seconds after which a worker whose case does not return is stopped; memory: bytes
    that a worker may hold; threads: in which a worker computes; cluster: the scheduler of Dask whose machines ask, by its
    address or file (empty: workers of this machine).
    """

    selection: Selection
    budget: float | None = None
    limit: float = 60.0
    memory: int | None = None
    claims: Sequence[ClaimListed] = ()
    threads: int = 1
    listeners: Sequence[Listener] = ()
    before: Sequence[CellFinished] = ()
    cluster: str = ""
    planned: int = 0
    problems: list[str] = field(default_factory=list)
    _answered: set[str] = field(default_factory=set)
    _killed: dict[str, CellFinished] = field(default_factory=dict)
    _ended_by: signal.Signals | None = None
    _telling: bool = False
    _outcomes: list[CellFinished] = field(default_factory=list)
    _idle_deaths: int = 0
    _queue: Queue | None = None
    _cells: list[str] = field(default_factory=list)
    _workers: dict[str, Child] = field(default_factory=dict)
    _unanswered: list[str] = field(default_factory=list)

    def run(self, jobs: int, keyword: str = "") -> RunFinished:
        """Ask everything selected, until it is answered, the budget is spent, or somebody presses Ctrl-C.

        `problems` says afterwards what kept cells from being asked through no fault of an implementation. Raises
        HarnessError where the selection itself can't be used.
        """
        began = perf_counter()
        self._outcomes = list(self.before)
        self._answered = {each.key for each in self.before}
        fork_server(self._variables)  # before the folder, with which all goes that was started since
        with scratch() as self._scratch:
            with self._interruptible():
                try:
                    if self.cluster:
                        self._ask_on_cluster(Cluster(self.cluster), keyword)
                    else:
                        self._ask_all(partial(self._started, keyword), jobs)
                except KeyboardInterrupt:
                    if self._ended_by is None:
                        raise
                except InfrastructureError as failure:
                    self.problems.append(str(failure))
                except HarnessError:
                    raise
                except Exception as failure:
                    self.problems.append(f"a fault of the harness itself: {with_traceback(failure)}")
                finally:
                    self._end_workers()
            self._unanswered = self._asked_last()
        if self.planned and len(self._answered) == self.planned:
            self._ended_by = None  # it came too late to matter
        return self._finished(perf_counter() - began)

    def cells(self, keyword: str = "") -> list[str]:
        """The names of the cells, as a worker finds them. Raises HarnessError where the selection can't be used."""
        fork_server(self._variables)
        with scratch() as self._scratch:
            worker = self._started(keyword, "list")
            try:
                self._said("list", *_received(worker))
            except EOFError:
                words = crash_reason(self._scratch, "list", self.limit, worker.wait())
                raise InfrastructureError(f"a worker {words} before it found any cell") from None
            worker.end()
        return self._cells

    def _ask_on_cluster(self, cluster: Cluster, keyword: str) -> None:
        """Have the machines of a cluster ask everything."""
        task = task_of(self.selection, keyword, self.limit, self.memory, self.threads, self._scratch.name)
        with cluster.connected() as client:
            self._plan(cluster.cells(client, task))
            assert self._queue is not None
            for event in cluster.ask(client, self._queue.waiting, task, self.selection.durations):
                self._tell(event)

    @property
    def _variables(self) -> dict[str, str]:
        """Of the server: more threads than one want libraries that are loaded anew, which are told of them then."""
        return {} if self.threads == 1 else {**dict.fromkeys(_POOLS, str(self.threads)), **_GIVING_WAY}

    def _started(self, keyword: str, name: str) -> Child:
        """A worker that begins; its watchdog notes under its name what happens."""
        return fork_server(self._variables).fork(
            "harness.execute.worker:work",
            {**dict.fromkeys(_POOLS, str(self.threads)), "HYPOTHESIS_STORAGE_DIRECTORY": str(self._scratch)},
            selection=self.selection.to_json(),
            keyword=keyword,
            scratch=str(self._scratch),
            name=name,
            limit=self.limit,
            memory=self.memory,
            threads=self.threads,
        )

    def _ask_all(self, start: Callable[[str], Child], jobs: int) -> None:
        """Hand out cells and hear of them, with as many workers as there are cells for, until every one is answered."""
        names, alive = map("worker{}".format, count()), dict[str, Child]()
        while self._queue is None or not self._queue.is_done:
            try:
                while len(alive) < (1 if self._suspects else jobs) and (self._queue is None or self._queue.has_waiting):
                    name = next(names)
                    alive[name] = self._workers[name] = start(name)
                self._listen(alive)
            except ServerEnded:
                self._lose(alive)
            for name in [name for name, worker in alive.items() if worker.status is not None]:
                self._hear(name, alive[name])
                self._bury(name, alive.pop(name))

    def _listen(self, alive: Mapping[str, Child]) -> None:
        """Wait until a worker says something or ends, and hear it. Raises ServerEnded where the server is gone."""
        server = next(iter(alive.values())).server
        lines: dict[Any, str] = {worker.line: name for name, worker in alive.items() if not worker.line.closed}
        for ready in server.ready(lines):
            if ready is server.control:
                server.listen()
            else:
                self._hear(lines[ready], alive[lines[ready]])

    def _lose(self, alive: Mapping[str, Child]) -> None:
        """Take down that all workers are gone with their server, which one of them may have ended; of several, nobody knows which.

        So what they asked is asked once more, one after the other. Raises ServerEnded where there were none.
        """
        if not alive:
            raise ServerEnded
        for name, worker in alive.items():
            if worker.status is None:
                worker.status = -signal.SIGKILL
                note(self._scratch, name, ORPHANED)

    def _hear(self, name: str, worker: Child) -> None:
        """Take down everything that a worker has said; what nobody says was written there by what it asked."""
        try:
            while not worker.line.closed and worker.line.poll():
                self._said(name, *_received(worker))
                self._feed(name, worker)
        except _Garbled:
            note(self._scratch, name, GARBLED)
            worker.line.close()
            worker.end()
        except (EOFError, OSError):
            worker.line.close()

    def _feed(self, name: str, worker: Child) -> None:
        """Give a worker what it is to ask next, before it has nothing to do."""
        assert self._queue is not None
        wanted = self._queue.next(name)
        if wanted:
            with suppress(OSError):  # it has ended, and another one is given them
                worker.line.send_bytes(json.dumps(wanted).encode())

    def _said(self, name: str, what: bytes, told: str) -> None:
        """What a worker says. Raises HarnessError for a selection that can't be used, InfrastructureError for a fault."""
        if what == REFUSAL:
            raise HarnessError(told)
        if what == PROBLEM:
            raise InfrastructureError(told)
        try:
            if what == CELLS:
                self._plan([str(cell) for cell in json.loads(told)])
                return
            event = decode(told) if what == EVENT else None
        except (ValueError, TypeError, HarnessError) as failure:
            if isinstance(failure, InfrastructureError):
                raise
            raise _Garbled from None
        if self._queue is None or not isinstance(event, CellFinished) or not self._queue.has(name, event.key):
            raise _Garbled
        self._queue.answered(name, event.key)
        self._tell(answered_again(self._killed[event.key], event) if event.key in self._killed else event)

    def _plan(self, cells: list[str]) -> None:
        """Take down which cells there are. Raises InfrastructureError where they are not those that others found."""
        if self._queue is None:
            self._cells, self.planned = cells, len(cells)
            self._queue = Queue([cell for cell in cells if cell not in self._answered])
        elif cells != self._cells:
            odd = next(iter(set(cells) ^ set(self._cells)), "their order")
            raise InfrastructureError(
                f"two workers found different cells ({odd}); declarations must be the same on every import"
            )

    def _finished(self, seconds: float) -> RunFinished:
        finished = concluded(self._outcomes, () if self._ended_by else self.claims, seconds, self._stopped)
        if self._ended_by in (signal.SIGINT, signal.SIGTERM):
            return replace(finished, exit_code=128 + self._ended_by)
        return replace(finished, exit_code=3) if self.problems and not finished.exit_code else finished

    @property
    def _stopped(self) -> str:
        """Why the run ended before its cells did, if it did."""
        so_far = f"after {len(self._answered)} of {self.planned} cells" if self.planned else "before the first cell"
        if self._unanswered:
            so_far += f", while it asked {' and '.join(self._unanswered)}"
        if self._ended_by is signal.SIGALRM:
            return f"the time budget of {self.budget:.0f} s was spent {so_far}"
        if self._ended_by is not None:
            key = "Ctrl-C" if self._ended_by is signal.SIGINT else self._ended_by.name
            return f"interrupted ({key}) {so_far}"
        if self.problems:
            return f"{self.problems[0]}, {so_far}"
        return next((outcome.reason for outcome in self._outcomes if outcome.unjudged), "")

    def _tell(self, event: CellFinished) -> None:
        if event.key in self._answered:
            return
        self._answered.add(event.key)
        self._outcomes.append(event)
        self._telling = True
        try:
            for listener in self.listeners:
                listener(event)
        except OSError as failure:
            raise InfrastructureError(f"what was found can't be written: {failure.strerror or failure}") from None
        finally:
            self._telling = False
        if self._ended_by is not None:
            raise KeyboardInterrupt

    # signals: Ctrl-C, the end of the budget, and a polite kill end a run alike, with a report of what was asked

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            each: signal.signal(each, self._on_signal) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
        }
        signal.setitimer(signal.ITIMER_REAL, self.budget or 0.0)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            for each, handler in before.items():
                signal.signal(each, handler or signal.SIG_DFL)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        first, self._ended_by = self._ended_by is None, self._ended_by or signal.Signals(number)
        impatient = number == signal.SIGINT and not first
        if impatient or (first and not self._telling):  # never between two halves of a line of the log
            raise KeyboardInterrupt

    def _asked_last(self) -> list[str]:
        """The cells that some worker began and none finished."""
        begun = (last_asked(self._scratch, worker) for worker in self._workers)
        return sorted({cell.key for cell in begun if cell is not None and cell.key not in self._answered})

    def _end_workers(self) -> None:
        for worker in self._workers.values():
            if worker.status is None:  # the number of one that is gone may be another's by now
                worker.end()

    # a worker that has ended

    @property
    def _suspects(self) -> bool:
        """Whether cells have lost their worker for a reason that nobody knows, and wait to be asked once more."""
        return not self._killed.keys() <= self._answered

    def _bury(self, name: str, worker: Child) -> None:
        """Answer the cell over which a worker ended; the others that it had are asked by another one.

        Raises InfrastructureError where workers die before they ask anything: they would be replaced for ever.
        """
        worker.end()  # what it started takes memory and time from the next
        first_left = self._queue.first_left(name) if self._queue else None
        asked = self._asked_by(name, first_left)
        if asked is None:
            self._idle_deaths += 1
            if self._idle_deaths >= _IDLE_DEATHS:
                words = crash_reason(self._scratch, name, self.limit, worker.status)
                raise InfrastructureError(f"{self._idle_deaths} workers ended before they asked anything: {words}")
        if self._queue is not None:
            died = self._died(name, worker.status, first_left, asked)
            self._queue.lost(name, died is not None)
            if died is not None:
                self._tell(died)

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
            CrashCounts(self._scratch).add(f"{cell.operation}/{cell.implementation}", words)
            left, place = last_case(self._scratch / f"{name}.case"), doer(self._scratch, name, cell)
            died = crash_outcome(cell, words, left, self.selection.candidates, self.limit, place)
        if died.counterexample is not None:
            self.selection.store.keep(died.key, died.counterexample.case)
        return died


def concluded(
    outcomes: Collection[CellFinished], claims: Iterable[ClaimListed], seconds: float, stopped: str
) -> RunFinished:
    """How a run ends that has these outcomes.

    Its exit code is 1 where a property is falsified or a claim came out otherwise than expected, 3 where a cell could not
    be judged or nothing was asked, else 0.
    """
    asked = any(outcome.verdict != Verdict.UNSUPPORTED.value for outcome in outcomes)
    unjudged = any(outcome.unjudged for outcome in outcomes)
    as_expected = all(each.as_expected for each in claim_outcomes(claims, outcomes))
    code = 1 if any(outcome.fails for outcome in outcomes) or not as_expected else 3 if unjudged or not asked else 0
    tally = Counter(str(outcome.verdict) for outcome in outcomes if not outcome.claim)
    return RunFinished(dict(tally), seconds, code, stopped)


def _received(worker: Child) -> tuple[bytes, str]:
    """A message of a worker: what it is, and what it tells."""
    what, _, told = worker.line.recv_bytes(_LONGEST).partition(b" ")
    return what, told.decode("utf-8", "replace")
