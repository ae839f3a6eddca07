"""Running the bench: every point of every operation in turn, and what seems slower once more in fresh processes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.bench.ladder import ladder_points
from harness.bench.session import Session
from harness.bench.worker_pool import Asked, Build, WorkerPool
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.measure.speed import Speed
from harness.record.events import TimingFinished

_CONFIRMING = 4
"""Fresh processes in which what seems slower is timed once more: few, since few things are asked."""


@dataclass(frozen=True)
class Running:
    """What a run of the bench is: who is asked what, by how many processes, and how long.

    limit, patience: see WorkerPool; seconds: see Session; on_item: hears the name of what is timed next, and of how many.
    """

    asked: Asked
    operations: Sequence[Operation]
    rivals: Mapping[str, Sequence[Implementation]]
    builds: Sequence[Build]
    processes: int
    limit: float
    patience: float
    seed: int
    seconds: float | None
    on_item: Callable[[str, int], None] = lambda name, total: None

    def run(self) -> list[TimingFinished]:
        """Measure everything, and time once more in fresh processes what seems slower.

        Raises HarnessError where no size of an operation can be timed, InfrastructureError where no worker can be started.
        """
        order = random.Random(self.seed)
        with self._pool(order, self.processes) as pool:
            session = Session(self.asked, self.builds, pool, self.seconds)
            self._measure(session)
            found = session.finished()
        if not any(each.speed == Speed.SLOWER for each in found):
            return found
        with self._pool(order, _CONFIRMING) as fresh:
            return session.confirmed(found, fresh)

    def _pool(self, order: random.Random, processes: int) -> WorkerPool:
        return WorkerPool(self.builds, processes, self.limit, self.patience, order)

    def _measure(self, session: Session) -> None:
        ladders = [
            (point, [each.name for each in self.rivals[operation.name]])
            for operation in self.operations
            for point in ladder_points(operation)
        ]
        total = sum(len(names) for _, names in ladders)
        for point, names in ladders:
            for name in names:
                self.on_item(f"{point.operation.name}/{name}[{point.name}]", total)
                session.measured(point, names)  # all of them, with the first
