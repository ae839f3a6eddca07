"""Running the bench: pytest over the plugin's items, quietly unless its own output was asked for."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.bench.playback import TIMER
from harness.bench.plugin import Bench
from harness.bench.session import Session
from harness.bench.team import Asked, Crew, Team
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.errors import HarnessError, InfrastructureError
from harness.measure.speed import Speed
from harness.record.events import TimingFinished

_HERE = Path(__file__).parent

_CONFIRMING = 4
"""Fresh processes in which what seems slower is timed once more: few, since few things are asked."""


@dataclass(frozen=True)
class Running:
    """What a run of the bench is: who is asked what, by how many processes, how long, and how pytest-benchmark keeps it.

    options: pytest-benchmark's own, as on its command line; storage: the folder of its files; on_item: hears the name of
    what is timed next, and of how many.
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
    storage: Path
    options: Sequence[str] = ()
    on_item: Callable[[str, int], None] = lambda name, total: None

    def run(self) -> list[TimingFinished]:
        """Measure everything, and time once more in fresh processes what seems slower.

        Raises HarnessError where pytest refuses its options, InfrastructureError where it fails.
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
        bench = Bench(session, self.operations, self.rivals, self.on_item)
        told = io.StringIO()
        with nullcontext() if self.options else redirect_stdout(told):
            code = pytest.main(self._arguments(), plugins=[bench])
        if code == pytest.ExitCode.USAGE_ERROR:
            raise HarnessError(f"pytest-benchmark refuses {' '.join(self.options)}; see pytest --help")
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            raise InfrastructureError(f"pytest ended with {code!r} and said: {told.getvalue()[-500:]}")

    def _arguments(self) -> list[str]:
        return [
            str(_HERE / "speed.py"),
            *("-c", str(_HERE.parent / "engine" / "pytest.ini"), "--rootdir", str(_HERE), "--noconftest"),
            *("-p", "benchmark", "-p", "no:cacheprovider", "-p", "no:xdist"),
            *("--tb=no", "-q", "-rN", "--disable-warnings"),
            *("--import-mode=importlib", "--benchmark-enable", f"--benchmark-timer={TIMER}"),
            f"--benchmark-storage=file://{self.storage.resolve()}",
            *(self.options or ["--benchmark-quiet"]),
        ]
