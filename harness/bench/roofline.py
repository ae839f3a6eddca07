"""The machine's limits, measured where and when they are compared with: never a datasheet's."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch

from harness.bench.stopwatch import Block, stopwatch
from harness.declare.devices import device_named
from harness.generate.precision import PRECISIONS

_SIDE, _SMALL_SIDE = 1024, 256
"""The side of the matrices whose product shows how fast a device can compute, and that of the narrow ones of a CPU."""

_LARGEST_SIDE, _LONG = 8192, 5e-3
"""The side up to which it is doubled on an accelerator, and the seconds that a product is to take there."""

_TURNS = 5
_SMALLEST = 2**18
"""Bytes from which the copy takes longer than the call."""

_ASSUMED_CACHE = 32 * 2**20


def operations_per_second(device: str, dtype: str) -> float:
    """The fastest of a few large matrix products. A processor without instructions for a dtype is slow, and its limit low."""
    side = _SIDE if not device_named(device).is_cpu or dtype in ("float32", "float64") else _SMALL_SIDE
    fastest = _products_per_second(device, dtype, side)
    while not device_named(device).is_cpu and side < _LARGEST_SIDE and 2 * side**3 / fastest < _LONG:
        side *= 2
        fastest = max(fastest, _products_per_second(device, dtype, side))
    return fastest


def _products_per_second(device: str, dtype: str, side: int) -> float:
    a, b = (torch.randn(side, side, device=device).to(PRECISIONS[dtype].dtype) for _ in range(2))
    with PRECISIONS[dtype].computing():
        return 2 * side**3 / _fastest(device, lambda: torch.mm(a, b))


def bytes_per_second(device: str) -> float:
    """What the memory moves: copies of eight times the last-level cache, read and written together."""
    return copied_per_second(device, max(8 * last_level_cache(device), 2**27))


def copied_per_second(device: str, size: int) -> float:
    """The fastest of a few copies of so many bytes, read and written together, which may lie in a cache; at least _SMALLEST."""
    half = max(size, _SMALLEST) // 2
    source = torch.zeros(half, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * half / _fastest(device, lambda: target.copy_(source))


def _fastest(device: str, function: Callable[[], object]) -> float:
    """The seconds of a call in the fastest of a few blocks, after one that warms up."""
    block = Block(stopwatch(device), function)
    block.seconds()
    return min(block.seconds() for _ in range(_TURNS))


def last_level_cache(device: str) -> int:
    """The bytes of the largest cache."""
    if not device_named(device).is_cpu:
        return int(device_named(device).told("L2_cache_size") or _ASSUMED_CACHE)
    sizes = [path.read_text().strip() for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")]
    return max((_bytes(size) for size in sizes), default=_ASSUMED_CACHE)


def _bytes(size: str) -> int:
    """`32K`, `105M` and the like."""
    unit = {"K": 2**10, "M": 2**20, "G": 2**30}.get(size[-1:], 1)
    return math.floor(float(size.rstrip("KMG")) * unit)
