"""The pool: several worker processes, which are asked in turn and never at once.

At each point every implementation is verified and made ready in every worker; then they are timed block by block, in an
order that is drawn anew in every round, so that whatever else the machine does meets all of them alike.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any

from harness.bench.extrapolation import Extrapolation
from harness.bench.ladder import LadderPoint
from harness.bench.protocol import PROTOCOL
from harness.errors import HarnessError, InfrastructureError
from harness.execute.scratch import scratch
from harness.measure.clock import waited_by
from harness.measure.verdict import Verdict

ROUNDS, _FEWEST_ROUNDS = 120, 2
"""Blocks of an implementation in each process: with so many, five processes show ten per cent; fewer of one whose single
call takes long."""

_SECONDS = 0.45
"""What the blocks of an implementation may take in a process, unless its fewest take longer."""

_OF_IMPLEMENTATIONS, _TIMES_BY_ITSELF = ("prepare", "block"), 10
"""The orders in which an implementation runs, and how many times as long others may take."""

_TRIES, _RECOVERY = 3, 0.2
"""How often a block is timed while the GPU is held back, and the seconds between."""


@dataclass(frozen=True)
class Build:
    """Whose code is timed: a name for it, the Python that runs it, and the folder from which it imports the harness."""

    name: str
    python: str = sys.executable
    folder: Path = Path(__file__).parents[2]


@dataclass
class Timing:
    """How long an implementation of a build took at a point: seconds per call, by process and block.

    clocks: of a GPU, in MHz, block by block; throttled: the blocks in which it was held back, and which were timed again.
    """

    build: str
    implementation: str
    blocks: list[list[float]]
    verdict: Verdict = Verdict.UNSUPPORTED
    reason: str = ""
    memory: int | None = None
    clocks: list[int] = field(default_factory=list)
    throttled: int = 0

    @property
    def is_timed(self) -> bool:
        """Whether there are blocks at all."""
        return any(self.blocks)


@dataclass(frozen=True)
class Asked:
    """What is timed: on which device, in which dtype, whether the cache is cold, and a file of candidates ("" for none)."""

    device: str = "cpu"
    dtype: str = "float32"
    cold: bool = False
    file: str = ""


class WorkerPool:
    """The workers of one build or two, as many of each. Use as a context manager.

    limit: the seconds after which a worker that does not answer is ended; patience: those of a call that is still timed.
    """

    def __init__(
        self, builds: Sequence[Build], processes: int, limit: float, patience: float, order: random.Random
    ) -> None:
        self._builds, self._limit, self._patience, self._order = builds, limit, patience, order
        self._workers = [{build.name: _Process(build, limit) for build in builds} for _ in range(processes)]
        self._expected = Extrapolation(patience)
        self._open = ExitStack()

    def __enter__(self) -> WorkerPool:
        with ExitStack() as opened:
            opened.enter_context(scratch())
            opened.callback(self._close)
            self._begin()
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _begin(self) -> None:
        """Start all workers and wait for them: while one is still importing, nothing can be timed."""
        for worker in self._every():
            worker.start()
        for worker in self._every():
            _check_orders(worker)

    def _close(self) -> None:
        for worker in self._every():
            worker.close()

    def limits(self, device: str, dtype: str) -> dict[str, float]:
        """What the machine can do at most, as any worker measures it: one may meet a moment in which the machine is slow."""
        told = [worker.ask(do="limits", device=device, dtype=dtype) for worker in self._every()]
        return {name: max(each[name] for each in told) for name in ("operations", "bytes", "cache")}

    def copying(self, device: str, size: int) -> float:
        """The bytes a second of a copy of so many bytes, which may lie in a cache."""
        return max(float(worker.ask(do="copying", device=device, size=size)["bytes"]) for worker in self._every())

    def measure(self, point: LadderPoint, implementations: Iterable[str], asked: Asked) -> list[Timing]:
        """Verify and time the implementations at a point, in every build."""
        names = [(build.name, name) for build in self._builds for name in implementations]
        timings = {each: Timing(*each, blocks=[]) for each in names}
        for workers in self._workers:
            rounds = {each: self._prepared(workers[each[0]], point, timings[each], asked) for each in names}
            for each in names:
                timings[each].blocks.append([])
            for build, name in self._turns(rounds):
                _time(workers[build], timings[build, name])
            for worker in workers.values():
                worker.ask(do="forget")
        for (_, name), timing in timings.items():
            if timing.is_timed:  # which says more than the one call before
                self._expected.update(point, name, min(min(block) for block in timing.blocks if block))
        return list(timings.values())

    def _turns(self, rounds: Mapping[tuple[str, str], int]) -> Iterator[tuple[str, str]]:
        """Who is timed next: everybody once a round, in an order of its own, as long as they have rounds left."""
        for turn in range(max(rounds.values(), default=0)):
            wanted = [each for each, most in rounds.items() if turn < most]
            yield from self._order.sample(wanted, len(wanted))

    def _prepared(self, worker: _Process, point: LadderPoint, timing: Timing, asked: Asked) -> int:
        """How many blocks there is time for; 0 where the implementation is not right, or too slow to be asked."""
        if self._is_too_slow(timing, point):
            return 0
        answer = worker.ask(
            do="prepare",
            operation=point.operation.name,
            implementation=timing.implementation,
            sizes=dict(point.sizes),
            options=dict(point.options),
            device=asked.device,
            dtype=asked.dtype,
            cold=asked.cold,
            file=asked.file,
            patience=self._patience,
        )
        found = Verdict(answer["verdict"])
        if found.severity >= timing.verdict.severity:  # the worst that any process saw
            timing.verdict, timing.reason = found, answer["reason"]
        if "once" not in answer:
            return 0
        self._expected.update(point, timing.implementation, answer["once"])
        if self._is_too_slow(timing, point):
            return 0
        timing.memory = answer["memory"]
        return max(_FEWEST_ROUNDS, min(ROUNDS, int(_SECONDS / answer["once"])))

    def _is_too_slow(self, timing: Timing, point: LadderPoint) -> bool:
        reason = self._expected.refusal(point, timing.implementation)
        if reason:
            timing.verdict, timing.reason = Verdict.UNSUPPORTED, reason
            timing.blocks = [[] for _ in timing.blocks]  # of processes that were just within patience
        return bool(reason)

    def _every(self) -> Iterator[_Process]:
        return (worker for workers in self._workers for worker in workers.values())


def _check_orders(worker: _Process) -> None:
    """Raise InfrastructureError where a worker does not start, HarnessError where it uses an incompatible."""
    build = worker.build
    try:
        told = worker.ask(do="begin")
    except InfrastructureError:
        raise InfrastructureError(
            f"the bench of {build.name} does not start with {build.python}, and says above why; install there what it lacks"
        ) from None
    if told.get("protocol") != PROTOCOL:
        raise HarnessError(
            f"the bench of {build.name} uses an incompatible bench protocol; name a revision with the same "
            "harness/bench/worker.py"
        )


def _time(worker: _Process, timing: Timing) -> None:
    """Time one block; where the GPU was held back, again after a pause, a few times."""
    for _ in range(_TRIES):
        answer = worker.ask(do="block", implementation=timing.implementation)
        if not answer.get("throttled"):
            break
        timing.throttled += 1
        sleep(_RECOVERY)
    if "seconds" in answer:
        timing.blocks[-1].append(answer["seconds"])
        timing.clocks += [answer["megahertz"]] if "megahertz" in answer else []


def _answers(running: subprocess.Popen[bytes], limit: float) -> bool:
    """Whether a process answers within so many seconds, without what it waits for a processor meanwhile."""
    assert running.stdout is not None
    began, waiting = monotonic(), waited_by(running.pid)
    while (left := limit + waited_by(running.pid) - waiting - (monotonic() - began)) > 0:
        if select.select([running.stdout.fileno()], [], [], left)[0]:
            return True
    return False


@dataclass
class _Process:
    """The parent's end of a worker; one that dies or hangs is replaced, and its order answered with why."""

    build: Build
    limit: float
    _running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def ask(self, **order: Any) -> dict[str, Any]:
        """A worker's answer. Raises InfrastructureError where no worker can be started."""
        running = self._running or self.start()
        assert running.stdin is not None and running.stdout is not None
        try:
            running.stdin.write(json.dumps(order).encode() + b"\n")
            running.stdin.flush()
            line = running.stdout.readline() if _answers(running, self._limit_of(order["do"])) else None
        except BrokenPipeError:
            line = b""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self.close()
        if order["do"] == "forget":
            return {}  # as it has
        if order["do"] not in _OF_IMPLEMENTATIONS:
            raise InfrastructureError(f"the bench's worker ended while it was told to {order['do']}; run it again")
        told = "crashed the interpreter" if line is not None else f"did not return within {self.limit:.0f} s"
        return {"verdict": Verdict.ERROR.value, "reason": f"{order['implementation']} {told}"}

    def _limit_of(self, order: str) -> float:
        """The seconds that an order may take: more where the worker imports and measures the machine by itself."""
        return self.limit if order in _OF_IMPLEMENTATIONS else _TIMES_BY_ITSELF * self.limit

    def start(self) -> subprocess.Popen[bytes]:
        """Start the process, which imports for a while before it answers."""
        paths = os.pathsep.join(filter(None, (str(self.build.folder), os.environ.get("PYTHONPATH"))))
        self._running = subprocess.Popen(
            [self.build.python, "-m", "harness.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self.build.folder,
            process_group=0,  # no session, since Linux shares processors among those, whoever else is busy
            env={**os.environ, "PYTHONPATH": paths},
        )
        return self._running

    def close(self) -> None:
        """End the process, and what it started in its group."""
        running, self._running = self._running, None
        if running is None:
            return
        running.kill()
        with suppress(ProcessLookupError, PermissionError, BrokenPipeError), running:  # it waits and closes the pipes
            os.killpg(running.pid, signal.SIGKILL)
