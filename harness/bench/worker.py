"""A worker of the bench: a process that verifies and times what it is told to, one order a line.

`python -m harness.bench.worker` reads orders as JSON from its standard input and answers each on its standard output. What
the implementations print goes nowhere. One worker computes at a time; the process is the unit of replication, since what
differs between processes (addresses, caches, hash seeds) is what a longer measurement in one of them never shows.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

from harness.bench.clock_sample import Clock
from harness.bench.copies import silence_copies
from harness.bench.ladder import LadderPoint
from harness.bench.protocol import PROTOCOL
from harness.bench.roofline import bytes_per_second, copied_per_second, last_level_cache, operations_per_second
from harness.bench.stopwatch import Block, stopwatch
from harness.bench.verification import verified
from harness.candidates import candidates
from harness.catalogue import catalogue
from harness.declare.devices import device_named
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.fault import fault
from harness.measure.verdict import Verdict

_HIGH_WATER, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Worker:
    """What is ready to be timed: by implementation a block of its calls."""

    def __init__(self) -> None:
        self._ready: dict[str, Block] = {}
        self._clock: Clock | None = None

    def prepare(
        self,
        operation: str,
        implementation: str,
        sizes: dict[str, int],
        options: dict[str, Any],
        device: str,
        dtype: str,
        cold: bool,
        file: str,
        patience: float,
    ) -> dict[str, Any]:
        """Verify an implementation at a point, and make it ready where it is right."""
        of, made = _found(operation, implementation, file)
        point = LadderPoint(of, sizes, options, ())
        judged = verified(point, made, device, dtype)
        answer: dict[str, Any] = {"verdict": judged.verdict.value, "reason": judged.reason}
        if not judged.is_timed:
            return answer
        call = point.case(device, dtype).call()
        run, watch = made.bound(call.arguments, call.options, sizes=call.sizes), stopwatch(device, cold)
        self._precision = call.precision
        self._clock = None if device_named(device).is_cpu else self._clock or Clock(device)
        with self._precision.computing():
            once = watch.seconds(run, 1)
            if once > patience:
                return {**answer, "once": once}
            memory, block = _peak(run, device), Block(watch, run)
            once = min(once, block.seconds())
        self._ready[implementation] = block
        return {**answer, "memory": memory, "once": once}

    def forget(self) -> dict[str, Any]:
        """Let go of the point's tensors."""
        self._ready.clear()
        return {}

    def block(self, implementation: str) -> dict[str, Any]:
        """The seconds of one call, over one block."""
        with self._precision.computing():
            took = self._ready[implementation].seconds()
        pace = self._clock.pace() if self._clock else None
        told = {"megahertz": pace.megahertz, "throttled": pace.is_throttled} if pace else {}
        return {"seconds": float(f"{took:.4g}"), **told}  # finer than any clock repeats, and short

    def begin(self) -> dict[str, Any]:
        """Say that everything is imported, and which orders are understood."""
        return {"protocol": PROTOCOL}

    def limits(self, device: str, dtype: str) -> dict[str, Any]:
        """What this machine can do at most, each second; and the bytes that its largest cache holds."""
        return {
            "operations": operations_per_second(device, dtype),
            "bytes": bytes_per_second(device),
            "cache": last_level_cache(device),
        }

    def copying(self, device: str, size: int) -> dict[str, Any]:
        """How many bytes a second a copy of so many bytes moves."""
        return {"bytes": copied_per_second(device, size)}


def _found(operation: str, implementation: str, file: str) -> tuple[Operation, Implementation]:
    brought = candidates(Path(file)) if file else None
    known = {each.name: each for each in brought.operations} if brought else catalogue()
    return known[operation], known[operation].find(implementation)


def _peak(run: Callable[[], Any], device: str) -> int | None:
    """The bytes that a call takes beyond what was there before; None where the system does not tell."""
    there = device_named(device)
    if not there.is_cpu:
        return there.peak(run)
    try:
        _CLEAR.write_text("5")  # which lowers the high-water mark to what is held now
        before = _resident("VmRSS")
        run()
        return max(0, _resident("VmHWM") - before)
    except (OSError, StopIteration):
        return None


def _resident(field: str) -> int:
    return next(int(line.split()[1]) * 1024 for line in _HIGH_WATER.read_text().splitlines() if line.startswith(field))


def _answers(worker: Worker, order: dict[str, Any]) -> dict[str, Any]:
    doing: Callable[..., dict[str, Any]] = getattr(worker, order.pop("do"))
    try:
        with torch.no_grad(), np.errstate(all="ignore"):
            return doing(**order)
    except Exception as failure:
        return {"verdict": Verdict.ERROR.value, "reason": fault(failure)}


def main() -> None:
    """Answer orders until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with ExitStack() as stack:
        stack.callback(os.close, nowhere)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        silence_copies()
        worker = Worker()
        random.seed(0)
        for line in sys.stdin:
            began = perf_counter()
            answer = _answers(worker, json.loads(line))
            print(json.dumps({**answer, "took": perf_counter() - began}), file=answers, flush=True)


if __name__ == "__main__":
    main()
