"""Running the bench: every rung of every operation in turn, and what seems slower once more in fresh processes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.bench.ladder import rungs
from harness.bench.session import Session
from harness.bench.team import Asked, Crew, Team
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.measure.speed import Speed
from harness.record.events import TimingFinished

_CONFIRMING = 4
"""Fresh processes in which what seems slower is timed once more: few, since few things are asked."""


@dataclass(frozen=True)
class Running:
    """What a run of the bench is: who is asked what, by how many processes, and how long.

    limit, patience: see Team; seconds: see Session; on_item: hears the name of what is timed next, and of how many.
    """

    asked: Asked
    operations: Sequence[Operation]
    rivals: Mapping[str, Sequence[Implementation]]
    crews: Sequence[Crew]
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
        with self._team(order, self.processes) as team:
            session = Session(self.asked, self.crews, team, self.seconds)
            self._measure(session)
            found = session.finished()
        if not any(each.speed == Speed.SLOWER for each in found):
            return found
        with self._team(order, _CONFIRMING) as fresh:
            return session.confirmed(found, fresh)

    def _team(self, order: random.Random, processes: int) -> Team:
        return Team(self.crews, processes, self.limit, self.patience, order)

    def _measure(self, session: Session) -> None:
        ladders = [
            (rung, [each.name for each in self.rivals[operation.name]])
            for operation in self.operations
            for rung in rungs(operation)
        ]
        total = sum(len(names) for _, names in ladders)
        for rung, names in ladders:
            for name in names:
                self.on_item(f"{rung.operation.name}/{name}[{rung.name}]", total)
                session.measured(rung, names)  # all of them, with the first
