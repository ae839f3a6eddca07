"""The stopwatch: the seconds of a block of calls, long enough that the clock does not matter.

On the CPU a block is as many calls as take 3 ms. On an accelerator a block is a few calls, each between two events of one
stream, behind a kernel that keeps the stream busy while they are queued, so that the time is the device's and not the queue's;
cold, each call finds the second-level cache overwritten, outside the timed span. A device without events is timed by the clock,
from when it has nothing to do until it has nothing to do again.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import torch

from harness.declare.devices import Device, device_named

BLOCK = 3e-3
"""Seconds that a block takes at least."""

_MOST_CALLS = 1_000_000
_ASSUMED_CACHE = 64 * 2**20
_SLEEP_CYCLES = 2_000_000
"""About a millisecond of a GPU's clock, in which the calls of a block are queued."""


class Stopwatch(Protocol):
    """Times calls of a function."""

    def seconds(self, function: Callable[[], Any], calls: int) -> float:
        """The seconds of one call, over a block of so many."""


class WallClock:
    """The clock on the wall: of the CPU, and of a device without events, which is waited for."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def seconds(self, function: Callable[[], Any], calls: int) -> float:
        """The seconds of one call, over a block of so many."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            self.device.synchronize()
            began = perf_counter()
            for _ in range(calls):
                result = function()
            _wait(result, self.device)
            return (perf_counter() - began) / calls
        finally:
            if collecting:
                gc.enable()


class Events:
    """The device's own clock: warm, or cold with the second-level cache overwritten before each call."""

    def __init__(self, device: Device, cold: bool = False) -> None:
        self.device = device
        size = 4 * int(device.told("L2_cache_size") or _ASSUMED_CACHE)
        self._flood = torch.empty(size, dtype=torch.uint8, device=device.name) if cold else None

    def seconds(self, function: Callable[[], Any], calls: int) -> float:
        """The seconds of one call, as the device's own clock saw them."""
        spans = [(self.device.event(), self.device.event()) for _ in range(calls)]
        self.device.synchronize()
        self.device.sleep(_SLEEP_CYCLES)
        for first, last in spans:
            if self._flood is not None:
                self._flood.zero_()
            first.record()
            function()
            last.record()
        self.device.synchronize()
        return sum(first.elapsed_time(last) for first, last in spans) / 1000 / calls


def stopwatch(device: str, cold: bool = False) -> Stopwatch:
    """The stopwatch of a device."""
    there = device_named(device)
    return WallClock(there) if there.event() is None else Events(there, cold)


@dataclass
class Block:
    """Calls of a function, as many as take 3 ms: where a block took less, it is timed again with more of them.

    So none is ever shorter, also where something else held up the ones before: in a short block what comes before the first
    call, as the waking of threads, would weigh as much as the calls.
    """

    watch: Stopwatch
    function: Callable[[], Any]
    calls: int = 1

    def seconds(self) -> float:
        """The seconds of one call."""
        while True:
            once = self.watch.seconds(self.function, self.calls)
            if once * self.calls >= BLOCK or self.calls == _MOST_CALLS:
                return once
            self.calls = min(_MOST_CALLS, max(self.calls + 1, int(BLOCK / max(once, 1e-9) * 1.2)))


def settled(function: Callable[[], Any], device: str) -> Callable[[], Any]:
    """The function, whose calls return when their result is computed and not before; itself where they do. Calls it once."""
    there = device_named(device)
    if there.is_cpu and not _pending(function()):
        return function

    def wait_for_it() -> Any:
        _wait(result := function(), there)
        return result

    return wait_for_it


def _wait(result: Any, device: Device) -> None:
    """Wait for what is still being computed."""
    for part in _pending(result):
        part.block_until_ready()
    device.synchronize()


def _pending(result: Any) -> list[Any]:
    """The parts of a result that may still be being computed when they are returned, as jax's are."""
    parts = result if isinstance(result, tuple | list) else (result,)
    return [part for part in parts if hasattr(part, "block_until_ready")]
