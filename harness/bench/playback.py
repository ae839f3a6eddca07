"""Playback: samples that were measured in worker processes, told to pytest-benchmark in its own terms.

pytest-benchmark times a function in one process, round after round. Here its clock is one that stands still but for what
was measured: each round moves it on by one sample, so that statistics, storage and comparison are its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

TIMER = f"{__name__}.clock"
"""The value of pytest-benchmark's --benchmark-timer."""


class _Clock:
    seconds = 0.0


def clock() -> float:
    """The seconds that were played back so far."""
    return _Clock.seconds


def play(benchmark: Any, samples: Sequence[float]) -> None:
    """Let a benchmark fixture see these seconds, one a round."""
    left: Iterator[float] = iter(samples)

    def advance() -> None:
        _Clock.seconds += next(left, 0.0)  # without timing, as with --benchmark-disable, it is called once all the same

    benchmark.pedantic(advance, rounds=len(samples))
