"""The bench as a pytest plugin: one item for every implementation at every rung, and pytest-benchmark's fixture in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from harness.bench.ladder import Rung, rungs
from harness.bench.playback import play
from harness.bench.session import Session
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.measure.verdict import Verdict


@dataclass
class Bench:
    """What a run of the bench hands to pytest: the session, and whom it times where."""

    session: Session
    operations: Sequence[Operation]
    rivals: Mapping[str, Sequence[Implementation]]
    on_item: Callable[[str, int], None] = lambda name, total: None
    _total: int = 0

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Ask every implementation at every rung."""
        if "rung" in metafunc.fixturenames:
            places = [
                (rung, made) for each in self.operations for rung in rungs(each) for made in self.rivals[each.name]
            ]
            names = [f"{rung.operation.name}/{made.name}[{rung.name}]" for rung, made in places]
            self._total = len(places)
            metafunc.parametrize(("rung", "implementation"), places, ids=names)

    @pytest.fixture
    def bench(self) -> Bench:
        """What the one test asks."""
        return self

    @pytest.hookimpl
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Say what comes next."""
        self.on_item(nodeid.partition("[")[2].removesuffix("]"), self._total)

    def time(self, benchmark: Any, rung: Rung, implementation: Implementation) -> None:
        """Measure, and let pytest-benchmark see it; skip what is not timed, fail what is not right."""
        names = [each.name for each in self.rivals[rung.operation.name]]
        measured = self.session.measured(rung, names)
        mine = [each for each in measured.timings if each.implementation == implementation.name]
        if not mine:
            pytest.skip("the budget is spent")
        found = mine[-1]
        if not found.is_timed:
            (pytest.fail if Verdict(found.verdict).failing else pytest.skip)(found.reason or found.verdict.value)
        benchmark.group = f"{rung.operation.name} {rung.name}"
        benchmark.extra_info.update(verdict=found.verdict.value, memory=found.memory, processes=len(found.blocks))
        play(benchmark, [seconds for block in found.blocks for seconds in block])
