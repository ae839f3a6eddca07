"""The controller: has everything selected asked, passes on what comes, and ends with what it has."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from types import FrameType

from harness.errors import HarnessError, InfrastructureError
from harness.execute.cluster import Cluster
from harness.execute.pool import Executor, Pool
from harness.execute.selection import Selection
from harness.fault import with_traceback
from harness.measure.verdict import Verdict
from harness.record.claim_outcomes import claim_outcomes
from harness.record.events import CellFinished, ClaimListed, Listener, RunFinished


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
    _ended_by: signal.Signals | None = None
    _telling: bool = False
    _outcomes: list[CellFinished] = field(default_factory=list)
    _unanswered: list[str] = field(default_factory=list)

    def run(self, jobs: int, keyword: str = "") -> RunFinished:
        """Ask everything selected, until it is answered, the budget is spent, or somebody presses Ctrl-C.

        `problems` says afterwards what kept cells from being asked through no fault of an implementation. Raises
        HarnessError where the selection itself can't be used.
        """
        began = perf_counter()
        self._outcomes = list(self.before)
        self._answered = {each.key for each in self.before}
        with ExitStack() as stack, self._interruptible():  # what is cleared up in the end is not interrupted
            try:
                self._ask_all(stack.enter_context(self._executor(jobs, keyword)))
            except KeyboardInterrupt:
                if self._ended_by is None:
                    raise
            except InfrastructureError as failure:
                self.problems.append(str(failure))
            except HarnessError:
                raise
            except Exception as failure:
                self.problems.append(f"a fault of the harness itself: {with_traceback(failure)}")
        if self.planned and len(self._answered) == self.planned:
            self._ended_by = None  # it came too late to matter
        return self._finished(perf_counter() - began)

    def _executor(self, jobs: int, keyword: str) -> AbstractContextManager[Executor]:
        pool = Pool(self.selection, keyword, jobs, self.limit, self.memory, self.threads)
        return Cluster(self.cluster, pool).connected() if self.cluster else pool.opened()

    def _ask_all(self, executor: Executor) -> None:
        """Have every cell answered that was not answered before."""
        try:
            cells = executor.cells()
            self.planned = len(cells)
            for event in executor.ask([cell for cell in cells if cell not in self._answered]):
                self._tell(event)
        finally:
            self._unanswered = sorted(executor.asked_last() - self._answered)

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
