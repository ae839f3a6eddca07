"""A run on a cluster: groups of cells are tasks of Dask, each asked on its machine by a worker like those of a local run.

So a cell that crashes, hangs or exhausts memory costs itself a verdict there too, and Dask is left with what concerns whole
machines: which of them is free, and what becomes of a task whose machine is gone (it goes to another one).
"""

from __future__ import annotations

import logging
import os
import queue
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

from harness.errors import HarnessError, InfrastructureError
from harness.execute.pool import Pool
from harness.execute.queue import Queue
from harness.execute.selection import Selection
from harness.execute.shard import pieces
from harness.record.environment import code_here
from harness.record.events import CellFinished
from harness.record.runlog import decode, encode
from harness.verify.cell_key import CellKey

if TYPE_CHECKING:
    from distributed import Client, Future

_CONNECTING_SECONDS = 30.0

_ENDED = ("finished", "error", "cancelled")
"""What Dask says of a task that is over."""

_PAUSE = 1.0
"""Seconds after which it is looked whether a task or the scheduler has ended, while no cell is told."""

_TELLING_SECONDS = 0.2
"""Between two messages of a task: each takes a machine and the scheduler milliseconds, as long as a small cell."""

_IDLE_SECONDS = 30.0
"""Without a task, after which a machine lets go of its worker: whoever ran may have been killed."""

_ONE_TASK = threading.Lock()
"""A process of a cluster asks the cells of one task at a time, whatever number of threads it has."""


@dataclass(frozen=True)
class Task:
    """What a machine of the cluster is to ask: some cells of a selection, and the file of candidates by its content.

    run: the name of the run, which all its tasks have; the other fields are those of a Pool.
    """

    run: str
    selection: str
    keyword: str
    limit: float
    memory: int | None
    threads: int
    cells: tuple[str, ...] = ()
    file: str = ""
    content: bytes = b""


@dataclass
class Cluster:
    """The machines behind a scheduler, named by its address or its scheduler file, each of which asks with a pool like this."""

    address: str
    pool: Pool
    _client: Client = field(init=False)

    @contextmanager
    def connected(self) -> Iterator[Cluster]:
        """Within this, the machines can be asked.

        Raises HarnessError without the extra `cluster`, and where a machine has other code, another Python or another
        PyTorch; InfrastructureError where no scheduler answers.
        """
        try:
            from distributed import Client
        except ImportError:
            raise HarnessError("--cluster needs Dask; install tensor-harness[cluster]") from None
        for name in [each for each in logging.root.manager.loggerDict if each.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what it meets is told in a sentence
        named = {"scheduler_file": self.address} if Path(self.address).is_file() else {"address": self.address}
        try:
            client = Client(**named, timeout=_CONNECTING_SECONDS, set_as_default=False)
        except (OSError, ValueError) as failure:
            raise InfrastructureError(f"no scheduler answers at {self.address}: {failure}") from None
        with client:
            self._client = client
            with self._in_plain_words():
                _check_alike(client)
            yield self

    def cells(self) -> list[str]:
        """The names of the cells, as a machine finds them. Raises HarnessError where it refuses the selection."""
        with self._in_plain_words():
            self._client.run(warm_up, self._task, on_error="ignore")
            needed = _resources(self.pool.selection.devices)
            return list(self._client.submit(cells_there, self._task, pure=False, resources=needed).result())

    def ask(self, cells: Sequence[str]) -> Iterator[CellFinished]:
        """The answers of these cells, as they come; groups that took long earlier are begun first, in pieces.

        A cell over which Dask has lost as many machines as it allows is an error, and the rest of its group is asked by
        others. Raises InfrastructureError where the scheduler is gone.
        """
        told: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        with self._in_plain_words():
            self._client.subscribe_topic(self._task.run, lambda event: told.put(event[1]))
            try:
                yield from self._answers(cells, told)
            finally:
                with suppress(Exception):  # machines that are lost keep nothing
                    self._client.unsubscribe_topic(self._task.run)
                    self._client.run(let_go, self._task.run, on_error="ignore")

    def asked_last(self) -> set[str]:
        """Nobody knows over which cell each machine was last."""
        return set()

    def _answers(self, cells: Sequence[str], told: queue.SimpleQueue[list[str]]) -> Iterator[CellFinished]:
        waiting, answered = Queue(cells).waiting, set[str]()
        cut = pieces(waiting, self.pool.selection.durations, max(1, sum(self._client.nthreads().values())))
        running = {self._submitted(piece, place): piece for place, piece in enumerate(cut)}
        while running:
            # looked at once: others end while these are read, and one that has ended is asked anew where its machine is lost
            ended = {future: status for future in running if (status := future.status) in _ENDED}
            for event in (*_heard(told), *_returned(ended)):
                answered.add(event.key)
                yield event
            if self._client.status != "running":
                raise self._gone
            for future in ended:
                left = [cell for cell in running.pop(future) if cell not in answered]
                if left:
                    yield _lost(left[0], future)
                if left[1:]:
                    running[self._submitted(left[1:], 0)] = left[1:]

    @cached_property
    def _task(self) -> Task:
        """What every task of a run has: the selection without what lies on this machine alone."""
        selection, pool = self.pool.selection, self.pool
        file = Path(selection.candidates) if selection.candidates else None
        sent = replace(selection, candidates="", examples_folder="").to_json()
        made = Task(f"harness-{uuid4().hex}", sent, pool.keyword, pool.limit, pool.memory, pool.threads)
        return replace(made, file=file.name, content=file.read_bytes()) if file else made

    def _submitted(self, cells: Sequence[str], place: int) -> Future:
        devices = [key.device for key in map(CellKey.parse, cells) if key is not None]
        meant = replace(self._task, cells=tuple(cells))
        return self._client.submit(asked_there, meant, priority=-place, pure=False, resources=_resources(devices))

    @property
    def _gone(self) -> InfrastructureError:
        return InfrastructureError(f"the scheduler at {self.address} is gone")

    @contextmanager
    def _in_plain_words(self) -> Iterator[None]:
        """Raises InfrastructureError where the scheduler is gone, or all machines are."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError

        try:
            yield
        except (FutureCancelledError, CommClosedError):
            raise self._gone from None
        except KilledWorker:
            raise InfrastructureError(f"the machines of {self.address} end before they find any cell") from None


def _check_alike(client: Client) -> None:
    """Refuse machines that have other code."""
    here = code_here()
    for address, there in client.run(code_here).items():
        apart = [name for name in here if there.get(name) != here[name]]
        if apart:
            raise HarnessError(
                f"the cluster's worker {address} has {apart[0]} {there.get(apart[0])}, and here it is {here[apart[0]]}; "
                "install the same there"
            )


def _resources(devices: Iterable[str]) -> dict[str, float] | None:
    """One GPU for a task that needs any, so that one process has one."""
    return {"GPU": 1} if set(devices) - {"cpu"} else None


def _heard(told: queue.SimpleQueue[list[str]]) -> Iterator[CellFinished]:
    """What was told meanwhile; waits a little for the first."""
    with suppress(queue.Empty):
        yield from map(_event, told.get(timeout=_PAUSE))
        while True:
            yield from map(_event, told.get_nowait())


def _returned(ended: Mapping[Future, str]) -> Iterator[CellFinished]:
    """What tasks that have ended return: all that they told, some of which may still be under way."""
    from distributed import KilledWorker

    for future, status in ended.items():
        if status == "finished":
            with suppress(KilledWorker):  # the machine that has the result may be lost, and those that are asked anew
                yield from map(_event, future.result())


def _event(line: str) -> CellFinished:
    event = decode(line)
    if not isinstance(event, CellFinished):
        raise InfrastructureError(f"the cluster answers with {type(event).__name__} in place of a cell")
    return event


def _lost(cell: str, future: Future) -> CellFinished:
    """The error of a cell over which machines were lost. Raises what was refused there, or went wrong in the harness."""
    from distributed import KilledWorker

    failure = future.exception()
    key = CellKey.parse(cell)
    if not isinstance(failure, KilledWorker) or key is None:
        raise (
            failure if isinstance(failure, HarnessError) else InfrastructureError(f"the cluster lost {cell}: {failure}")
        )
    reason = "the machines of the cluster that asked it were lost, one after the other"
    return CellFinished.unanswered(key, reason=reason, kind="machines were lost")


# on the machines of the cluster


@dataclass
class _Kept:
    """The pool that a process of the cluster keeps between the tasks of a run, so that its workers have imported everything."""

    run: str
    pool: Pool
    opened: ExitStack
    uses: int = 0


_kept: list[_Kept] = []


def warm_up(task: Task) -> None:
    """Have this machine import what the cells of a run need, while another one finds them."""

    def opened() -> None:
        with _pool(task):
            pass

    threading.Thread(target=opened, daemon=True).start()


def asked_there(task: Task) -> list[str]:
    """Ask the cells of a task with a worker of this machine; answers are told as they come, and all are returned."""
    from distributed import get_worker

    lines: list[str] = []
    told, latest = 0, -_TELLING_SECONDS
    with _pool(task) as pool:
        for event in pool.ask(task.cells):
            lines.append(encode(event))
            if monotonic() >= latest + _TELLING_SECONDS:
                get_worker().log_event(task.run, lines[told:])
                told, latest = len(lines), monotonic()
    return lines


def cells_there(task: Task) -> list[str]:
    """The names of the cells that a worker of this machine finds."""
    with _pool(task) as pool:
        return pool.cells()


@contextmanager
def _pool(task: Task) -> Iterator[Pool]:
    """The pool that asks the cells of a run here. It is closed once there is no task for a while, and where anything goes wrong."""
    with _ONE_TASK:
        if not _kept or _kept[0].run != task.run:
            _close()
            _kept.append(_opened(task))
        kept = _kept[0]
        try:
            yield kept.pool
        except BaseException:
            _close()
            raise
        kept.uses += 1
        _close_later(_IDLE_SECONDS, kept, kept.uses)


def _opened(task: Task) -> _Kept:
    """A pool for the tasks of a run, with the file of candidates as it was sent.

    Dask has its own processes give back to the system what is freed; those that compute would take it anew all the time.
    """
    os.environ.pop("MALLOC_TRIM_THRESHOLD_", None)
    stack = ExitStack()
    with stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        file = Path(folder, task.file)
        if task.file:
            file.write_bytes(task.content)
        chosen = replace(Selection.from_json(task.selection), candidates=str(file) if task.file else "")
        pool = Pool(chosen, task.keyword, 1, task.limit, task.memory, task.threads)
        stack.enter_context(pool.opened())
        stack = stack.pop_all()
    return _Kept(task.run, pool, stack)


def _close() -> None:
    """Let go of the pool that is kept, if there is one."""
    while _kept:
        _kept.pop().opened.close()


def _close_later(seconds: float, kept: _Kept, uses: int | None = None) -> None:
    """Let go of a pool after some seconds, if it has not been used once more meanwhile (uses: how often it was until now)."""

    def close() -> None:
        with _ONE_TASK:
            if _kept == [kept] and uses in (None, kept.uses):
                _close()

    timer = threading.Timer(seconds, close)
    timer.daemon = True
    timer.start()


def let_go(run: str) -> None:
    """Let go of the pool of a run that is over; in a thread, as the one that hears of it has more to hear."""
    for kept in [each for each in _kept if each.run == run]:
        _close_later(0.0, kept)
