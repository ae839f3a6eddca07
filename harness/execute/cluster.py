"""A run on a cluster: groups of cells are tasks of Dask, each asked on its machine by a worker like those of a local run.

So a cell that crashes, hangs or exhausts memory costs itself a verdict there too, and Dask is left with what concerns whole
machines: which of them is free, and what becomes of a task whose machine is gone (it goes to another one).
"""

from __future__ import annotations

import logging
import queue
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, InfrastructureError
from harness.execute.selection import Selection
from harness.execute.shard import pieces
from harness.record.environment import code_here
from harness.record.events import CellFinished
from harness.record.runlog import decode, encode
from harness.verify.cell_key import CellKey

if TYPE_CHECKING:
    from distributed import Client, Future

    from harness.execute.controller import Controller

_CONNECTING_SECONDS = 30.0
_PAUSE = 1.0
"""Seconds after which it is looked whether a task or the scheduler has ended, while no cell is told."""

_ONE_GROUP = threading.Lock()
"""A process of a cluster asks one group at a time, whatever number of threads it has."""


@dataclass(frozen=True)
class Task:
    """What a machine of the cluster is to ask: some cells of a selection, and the file of candidates by its content."""

    selection: str
    keyword: str
    cells: tuple[str, ...]
    limit: float
    memory: int | None
    threads: int
    topic: str
    devices: tuple[str, ...] = ()
    file: str = ""
    content: bytes = b""


@dataclass
class Cluster:
    """The machines behind a scheduler, named by its address or its scheduler file.

    Raises HarnessError without the extra `cluster`, and where a machine has other code, another Python or another PyTorch.
    """

    address: str

    @contextmanager
    def connected(self) -> Iterator[Client]:
        """A client, once every machine is known to have the code that is here.

        Whatever is asked of it raises InfrastructureError where the scheduler is gone, or all machines are.
        """
        try:
            from distributed import Client, KilledWorker
            from distributed.client import FutureCancelledError
            from distributed.comm import CommClosedError
        except ImportError:
            raise HarnessError("--cluster needs Dask; install tensor-harness[cluster]") from None
        for name in [each for each in logging.root.manager.loggerDict if each.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what it meets is told in a sentence
        named = {"scheduler_file": self.address} if Path(self.address).is_file() else {"address": self.address}
        try:
            client = Client(**named, timeout=_CONNECTING_SECONDS, set_as_default=False)
        except (OSError, ValueError) as failure:
            raise InfrastructureError(f"no scheduler answers at {self.address}: {failure}") from None
        try:
            with client:
                _check_alike(client)
                yield client
        except (FutureCancelledError, CommClosedError):
            raise InfrastructureError(f"the scheduler at {self.address} is gone") from None
        except KilledWorker:
            raise InfrastructureError(f"the machines of {self.address} end before they find any cell") from None

    def cells(self, client: Client, task: Task) -> list[str]:
        """The names of the cells that a machine of the cluster finds. Raises HarnessError where it refuses the selection."""
        return list(client.submit(cells_there, task, pure=False, resources=_resources(task.devices)).result())

    def ask(
        self, client: Client, groups: Iterable[Sequence[str]], task: Task, seconds: Mapping[str, float]
    ) -> Iterator[CellFinished]:
        """The answers of all cells, as they come; groups that are long (seconds: by their names) are begun first, in pieces.

        A cell over which Dask has lost as many machines as it allows is an error, and the rest of its group is asked by
        others. Raises InfrastructureError where the scheduler is gone.
        """
        told: queue.SimpleQueue[str] = queue.SimpleQueue()
        client.subscribe_topic(task.topic, lambda event: told.put(event[1]))
        answered: set[str] = set()
        cut = pieces(groups, seconds, max(1, sum(client.nthreads().values())))
        running = {_submitted(client, task, piece, place): piece for place, piece in enumerate(cut)}
        try:
            while running:
                for event in (*_heard(told), *_returned(running)):
                    answered.add(event.key)
                    yield event
                if client.status != "running":
                    raise InfrastructureError(f"the scheduler at {self.address} is gone")
                for future in [each for each in running if each.done()]:
                    left = [cell for cell in running.pop(future) if cell not in answered]
                    if left:
                        yield _lost(left[0], future)
                    if left[1:]:
                        running[_submitted(client, task, left[1:], 0)] = left[1:]
        finally:
            client.unsubscribe_topic(task.topic)


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


def _submitted(client: Client, task: Task, cells: Sequence[str], place: int) -> Future:
    devices = [key.device for key in map(CellKey.parse, cells) if key is not None]
    meant = replace(task, cells=tuple(cells))
    return client.submit(asked_there, meant, priority=-place, pure=False, resources=_resources(devices))


def _resources(devices: Iterable[str]) -> dict[str, float] | None:
    """One GPU for a task that needs any, so that one process has one."""
    return {"GPU": 1} if set(devices) - {"cpu"} else None


def _heard(told: queue.SimpleQueue[str]) -> Iterator[CellFinished]:
    """What was told meanwhile; waits a little for the first."""
    with suppress(queue.Empty):
        yield _event(told.get(timeout=_PAUSE))
        while True:
            yield _event(told.get_nowait())


def _returned(running: Mapping[Future, Sequence[str]]) -> Iterator[CellFinished]:
    """What tasks that have ended return: all that they told, some of which may still be under way."""
    for future in running:
        if future.status == "finished":
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


def asked_there(task: Task) -> list[str]:
    """Ask the cells of a task with a worker of this machine; each answer is told as it comes, and all are returned."""
    from distributed import get_worker

    lines: list[str] = []

    def tell(tell_all: Callable[[str, Any], None], event: Any) -> None:
        lines.append(encode(event))
        tell_all(task.topic, lines[-1])

    with _ONE_GROUP, _controller(task) as controller:
        controller.listeners = [partial(tell, get_worker().log_event)]
        controller.run(1, task.keyword)
    if controller.problems:
        raise InfrastructureError(controller.problems[0])
    return lines


def cells_there(task: Task) -> list[str]:
    """The names of the cells that a worker of this machine finds."""
    with _ONE_GROUP, _controller(task) as controller:
        return controller.cells(task.keyword)


@contextmanager
def _controller(task: Task) -> Iterator[Controller]:
    """Who asks a task here, with the file of candidates as it was sent."""
    from harness.execute.controller import Controller

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, task.file)
        if task.file:
            file.write_bytes(task.content)
        chosen = replace(
            Selection.from_json(task.selection), candidates=str(file) if task.file else "", keys=task.cells
        )
        yield Controller(chosen, None, task.limit, task.memory, threads=task.threads)


def task_of(selection: Selection, keyword: str, limit: float, memory: int | None, threads: int, topic: str) -> Task:
    """What every task of a run has: the selection without what lies on this machine alone."""
    file = Path(selection.candidates) if selection.candidates else None
    sent = replace(selection, candidates="", examples_folder="")
    content = file.read_bytes() if file else b""
    name = file.name if file else ""
    return Task(sent.to_json(), keyword, (), limit, memory, threads, topic, selection.devices, name, content)
