"""The controller: starts pytest with its workers, hears what they report, and passes it on as events."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import Any

import pytest

from harness.engine.last_case import last_case
from harness.engine.plugin import events_of
from harness.engine.scheduling import OnceEach
from harness.engine.scratch import scratch
from harness.engine.selection import NO_EXPRESSION, Selection
from harness.engine.watchdog import (
    CrashCounts,
    answered_again,
    crash_outcome,
    crash_reason,
    doer,
    kept_finding,
    killed_from_outside,
    last_asked,
    recycled,
)
from harness.errors import HarnessError, InfrastructureError
from harness.fault import with_traceback
from harness.measure.verdict import Verdict
from harness.record.claim_outcomes import claim_outcomes
from harness.record.events import CellFinished, ClaimListed, Listener, RunFinished

_IDLE_DEATHS = 3
"""How many workers may die before they ask anything; after that, something is wrong with the place."""

_PARTING_SECONDS = 60.0
"""How long a worker that hung up may take to end, on a machine as busy as may be, before nobody knows what of."""

_PLAIN = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": None, "PYTEST_PLUGINS": None}
"""No plugin and no option of the user's own pytest reaches a run."""

_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""The variables from which libraries take the size of their pools of threads."""

_GIVING_WAY = {"OMP_WAIT_POLICY": "passive", "OPENBLAS_THREAD_TIMEOUT": "4"}
"""Threads that wait sleep, and do not take a processor from the worker beside: with two threads each, 3.5 times as fast."""

_NEEDLESS = (
    *("cacheprovider", "faulthandler", "terminal", "warnings"),
    *("threadexception", "unraisableexception", "logging", "junitxml", "benchmark"),
)


@dataclass
class Controller:
    """A pytest plugin of the process that asks; its workers do the computing.

    claims: what the run can settle; budget: seconds after which the run ends with what it has; limit: seconds after
    which a worker whose case does not return is stopped; memory: bytes that a worker may hold; threads: in which a
    worker computes.
    """

    selection: Selection
    listeners: Sequence[Listener]
    budget: float | None = None
    limit: float = 60.0
    memory: int | None = None
    claims: Sequence[ClaimListed] = ()
    threads: int = 1
    planned: int = 0
    problems: list[str] = field(default_factory=list)
    _answered: set[str] = field(default_factory=set)
    _dying: dict[str, CellFinished] = field(default_factory=dict)
    _killed: dict[str, CellFinished] = field(default_factory=dict)
    _ended_by: signal.Signals | None = None
    _telling: bool = False
    _outcomes: list[CellFinished] = field(default_factory=list)
    _idle_deaths: int = 0
    _workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _refusal: HarnessError | None = None
    _unanswered: list[str] = field(default_factory=list)

    def run(self, jobs: int, keyword: str = "") -> RunFinished:
        """Ask everything selected, until it is answered, the budget is spent, or somebody presses Ctrl-C.

        `problems` says afterwards what kept cells from being asked through no fault of an implementation. Raises
        HarnessError where the selection itself can't be used.
        """
        began = perf_counter()
        with scratch() as self._scratch:
            with self._interruptible(), _quietly(self._scratch, self.threads), redirect_stdout(io.StringIO()):
                try:
                    code = pytest.main(self._arguments(jobs, keyword), plugins=[self])
                    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR) and not self.problems:
                        noise = (self._scratch / "noise").read_text(errors="replace").strip()
                        self.problems.append(f"pytest could not start: {noise.rpartition(chr(10))[2]}")
                except KeyboardInterrupt:
                    if self._ended_by is None:
                        raise
                finally:
                    self._end_workers()
            self._unanswered = self._asked_last()
        if self.planned and len(self._answered) == self.planned:
            self._ended_by = None  # it came too late to matter
        if self._refusal is not None:
            raise self._refusal
        return self._finished(perf_counter() - began)

    def _arguments(self, jobs: int, keyword: str) -> list[str]:
        ini = Path(__file__).with_name("pytest.ini")
        return [
            *(
                "-c",
                str(ini),
                "--rootdir",
                str(ini.parent),
                "--noconftest",
                "--basetemp",
                str(self._scratch / "pytest"),
            ),
            *("-p", "xdist.plugin", "-p", "harness.engine.plugin", "--capture=no"),
            *(word for name in _NEEDLESS for word in ("-p", f"no:{name}")),
            *("-n", str(jobs), "--dist", "load", "--max-worker-restart", "1000000"),
            *(["-k", keyword] if keyword else []),
            *("--harness-selection", self.selection.to_json()),
        ]

    def _finished(self, seconds: float) -> RunFinished:
        asked = any(outcome.verdict != Verdict.UNSUPPORTED.value for outcome in self._outcomes)
        if self._ended_by in (signal.SIGINT, signal.SIGTERM):
            code = 128 + self._ended_by
        elif any(outcome.fails for outcome in self._outcomes) or self._contradicted():
            code = 1
        else:
            unjudged = any(outcome.unjudged for outcome in self._outcomes)
            code = 3 if self.problems or unjudged or not asked else 0
        tally = Counter(str(outcome.verdict) for outcome in self._outcomes if not outcome.claim)
        return RunFinished(dict(tally), seconds, code, self._stopped)

    def _contradicted(self) -> bool:
        """Whether a claim came out otherwise than expected, in a run that came to its end."""
        return self._ended_by is None and not all(
            each.as_expected for each in claim_outcomes(self.claims, self._outcomes)
        )

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
        for process in self._workers.values():
            if process.poll() is None:  # the number of one that is gone may be another's by now
                process.kill()
                _end_group(process)

    # pytest's and xdist's hooks

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config) -> OnceEach:
        """Have every cell answered once, also where its worker dies."""
        return OnceEach(len(config.getvalue("tx")), self._is_culprit)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where its watchdog notes what happens, and what it may take."""
        self._workers[node.gateway.id] = node.gateway._io.popen
        node.workerinput["harness_scratch"] = str(self._scratch)
        node.workerinput["harness_limit"] = self.limit
        node.workerinput["harness_memory"] = self.memory
        node.workerinput["harness_threads"] = self.threads

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Take down how many cells there are."""
        self.planned = len(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """Give up where workers refuse their orders or die before they ask anything; they would be replaced for ever.

        Raises HarnessError for a keyword expression that pytest can't read, InfrastructureError for dying workers.
        """
        if error is None and node.workeroutput["exitstatus"] == pytest.ExitCode.USAGE_ERROR:
            raise HarnessError(NO_EXPRESSION)
        if error is not None and last_asked(self._scratch, node.gateway.id) is None:
            self._idle_deaths += 1
            if self._idle_deaths >= _IDLE_DEATHS:
                words = self._crash_reason(node.gateway.id)
                raise InfrastructureError(f"{self._idle_deaths} workers ended before they asked anything: {words}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Give up where a module can't be imported. Raises InfrastructureError."""
        if report.failed:
            raise InfrastructureError(f"the cells can't be collected: {_last_line(report)}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Pass on what a worker found, or that it died."""
        for event in events_of(report):
            self._tell(answered_again(self._killed[event.key], event) if event.key in self._killed else event)
        if report.nodeid in self._dying:
            self._tell(self._dying.pop(report.nodeid))
        elif report.failed and not events_of(report):
            self.problems.append(f"{report.nodeid}: {_last_line(report)}")

    def pytest_keyboard_interrupt(self) -> None:
        """End what still runs, so that nobody waits for it."""
        self._end_workers()

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Keep pytest's own account from the terminal; the run says in a sentence what happened."""
        failure = excinfo.value
        if isinstance(failure, HarnessError):
            self._refusal = None if isinstance(failure, InfrastructureError) else failure
            self.problems.append(str(failure))
        else:
            self.problems.append(f"a fault of the harness itself: {with_traceback(failure)}")
        self._end_workers()
        return True

    def _crash_reason(self, worker: str) -> str:
        process = self._workers[worker]
        try:
            status = process.wait(timeout=_PARTING_SECONDS)
        except subprocess.TimeoutExpired:
            status = None
        _end_group(process)
        return crash_reason(self._scratch, worker, self.limit, status)

    def _is_culprit(self, node: Any, nodeid: str) -> bool:
        """A worker died with this cell before it: the cell becomes an error, and nothing else is touched.

        But where the worker was killed from outside, it may be the system's doing, who chooses by its own lights where
        memory runs out: such a cell is asked once more.
        """
        worker = node.gateway.id
        cell = last_asked(self._scratch, worker)
        if cell is None or recycled(self._scratch, worker) or not nodeid.endswith(f"::{cell.key}"):
            return False
        words = self._crash_reason(worker)
        status = self._workers[worker].returncode
        died = kept_finding(self._scratch, worker, cell, status)
        if died is None and cell.key not in self._killed and killed_from_outside(self._scratch, worker, status):
            self._killed[cell.key] = cell
            return False
        if died is None:
            CrashCounts(self._scratch).add(f"{cell.operation}/{cell.implementation}", words)
            left = last_case(self._scratch / f"{worker}.case")
            died = crash_outcome(
                cell, words, left, self.selection.candidates, self.limit, doer(self._scratch, worker, cell)
            )
        self._dying[nodeid] = died
        if died.counterexample is not None:
            self.selection.store.keep(died.key, died.counterexample.case)
        return True


def _end_group(worker: subprocess.Popen[bytes]) -> None:
    """End what a worker started, as far as it stayed in the worker's group: it takes memory and time from the next."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.pid, signal.SIGKILL)


@contextmanager
def _quietly(folder: Path, threads: int) -> Iterator[None]:
    """Standard error into a file, pytest's variables away and so many threads, for this process and all it starts."""
    meant = {**_PLAIN, **dict.fromkeys(_POOLS, str(threads)), **_GIVING_WAY}
    before = {name: os.environ.get(name) for name in meant}
    terminal = os.dup(2)
    _assign({**meant, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder)})
    with (folder / "noise").open("ab") as noise:
        os.dup2(noise.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            _assign({"HYPOTHESIS_STORAGE_DIRECTORY": None, **before})


def _assign(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _last_line(report: Any) -> str:
    lines = [line.removeprefix("E").strip() for line in str(report.longrepr).splitlines() if line.strip()]
    return re.sub(r"^harness\.errors\.\w+: ", "", lines[-1]) if lines else "no reason given"
