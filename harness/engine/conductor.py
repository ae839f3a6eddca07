"""The conductor: starts pytest with its workers, hears what they report, and passes it on as events."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from harness.engine.plugin import events_of
from harness.engine.selection import Selection
from harness.engine.watchdog import last_words
from harness.errors import InfrastructureError
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished, Event, Listener, RunFinished
from harness.verify.battery import property_files

_NODE = re.compile(r"(?P<prop>\w+)\[(?P<operation>\w+)/(?P<implementation>.+)-(?P<device>cpu|cuda)-(?P<dtype>\w+)\]")


@dataclass
class Conductor:
    """A pytest plugin of the process that asks; its workers do the computing.

    limit: seconds after which a worker that does not return is stopped; memory: bytes that a worker may take.
    """

    selection: Selection
    listeners: Sequence[Listener]
    budget: float | None = None
    limit: float = 60.0
    memory: int | None = None
    tally: Counter[str] = field(default_factory=Counter)
    planned: int = 0
    stopped: str = ""
    problems: list[str] = field(default_factory=list)

    def conduct(self, jobs: int, keyword: str = "", paths: Iterable[Path] = ()) -> RunFinished:
        """Ask everything selected. Raises InfrastructureError where pytest itself could not do its work."""
        began = perf_counter()
        with tempfile.TemporaryDirectory(prefix="harness-") as scratch:
            self._scratch = Path(scratch)
            self._began = began
            code = pytest.main(self._arguments(jobs, keyword, paths), plugins=[self])
        if self.problems:
            raise InfrastructureError(self.problems[0])
        if code not in (
            pytest.ExitCode.OK,
            pytest.ExitCode.TESTS_FAILED,
            pytest.ExitCode.NO_TESTS_COLLECTED,
            pytest.ExitCode.INTERRUPTED,
        ):
            raise InfrastructureError(
                f"pytest ended with {pytest.ExitCode(code).name}; nothing can be said of what was asked"
            )
        return self._finished(perf_counter() - began)

    def _arguments(self, jobs: int, keyword: str, paths: Iterable[Path]) -> list[str]:
        ini = Path(__file__).with_name("pytest.ini")
        files = [str(path) for path in paths or property_files()]
        return [
            *files,
            *("-c", str(ini), "--rootdir", str(Path(files[0]).parent), "--import-mode=importlib"),
            *("-p", "harness.engine.plugin"),
            *(
                "-p",
                "no:cacheprovider",
                "-p",
                "no:faulthandler",
                "-p",
                "no:terminal",
                "-p",
                "no:hypothesispytest",
                "-p",
                "no:benchmark",
            ),
            *("-n", str(jobs), "--dist", "loadgroup", "--max-worker-restart", "100000"),
            *(["-k", keyword] if keyword else []),
            *("--harness-selection", self.selection.to_json()),
        ]

    def _finished(self, seconds: float) -> RunFinished:
        failing = sum(self.tally[verdict.value] for verdict in Verdict if verdict.failing)
        asked = sum(self.tally.values()) - self.tally[Verdict.UNSUPPORTED.value]
        code = 1 if failing else 0 if asked else 3
        return RunFinished(dict(self.tally), seconds, code, self.stopped)

    def _tell(self, event: Event) -> None:
        if isinstance(event, CellFinished):
            self.tally[event.verdict] += 1
        for listener in self.listeners:
            listener(event)

    # pytest's and xdist's hooks

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["harness_scratch"] = str(self._scratch)
        node.workerinput["harness_limit"] = self.limit
        node.workerinput["harness_memory"] = self.memory

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        self.planned = len(ids)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.problems.append(f"{report.nodeid} can't be collected: {_last_line(report)}")

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self.budget is not None and perf_counter() - self._began > self.budget:
            self.stopped = self._session.shouldstop = f"the time budget of {self.budget:.0f} s was spent"
        for event in events_of(report):
            self._tell(event)
        if report.when == "???":
            self._tell(self._crashed(report))
        elif report.failed and not events_of(report):
            self.problems.append(f"{report.nodeid}: {_last_line(report)}")

    def _crashed(self, report: pytest.TestReport) -> CellFinished:
        """A worker died while it was asking: its cell is an error, and nothing else is touched."""
        match = _NODE.search(report.nodeid)
        if match is None:
            raise InfrastructureError(f"a worker died in {report.nodeid}, which is no cell")
        worker = report.node.gateway.id  # type: ignore[attr-defined]
        words = last_words(self._scratch, worker, self.limit)
        return CellFinished(
            match["prop"],
            match["operation"],
            match["implementation"],
            "",
            match["device"],
            match["dtype"],
            Verdict.ERROR.value,
            reason=f"{match['implementation']}: {words}",
            kind=words.split(":")[0],
        )


def _last_line(report: Any) -> str:
    lines = [line for line in str(report.longrepr).splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
