"""The contrast of two implementations' times: a ratio with its interval, and whether one is slower.

The process is the unit. In each process the two were timed in turns: every round gives the log-ratio of two blocks that lie
close together, so that what the machine does slowly cancels out, and their median is the process's. Those of all processes
give the mean, Student's interval and the p-value. The spread of an implementation against itself, from neighbours among its
own blocks, says which ratios the machine makes up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np

from harness.measure.speed import Speed

Blocks = Sequence[Sequence[float]]
"""Seconds per call: for each process, its blocks in the order in which they were timed."""

LEAST = 0.02
"""The smallest change of a time that is called a change."""

CONFIDENCE = 0.95
_FEWEST = 3
"""Processes from which there is an interval."""


@dataclass(frozen=True)
class Contrast:
    """How long one takes, over how long the other takes.

    ratio, low, high: the mean ratio and its interval; p: of no difference at all; least: the change (as a logarithm) below
    which nothing is called one, from LEAST and twice the spread of each against itself.
    """

    ratio: float
    low: float
    high: float
    p: float
    least: float
    processes: int

    def speed(self, significant: bool) -> Speed:
        """What is said of it, given whether p is small among all of the run's."""
        if self.processes < _FEWEST:
            return Speed.NO_DATA
        change = math.log(self.ratio)
        if significant and abs(change) > self.least:
            return Speed.SLOWER if change > 0 else Speed.FASTER
        beyond = max(-math.log(self.low), math.log(self.high)) if self.low else math.inf
        same = beyond <= math.log1p(LEAST) or (not significant and beyond <= self.least)
        return Speed.SAME if same else Speed.UNSURE


def contrast(reference: Blocks, other: Blocks) -> Contrast:
    """The contrast of another implementation with a reference, process by process."""
    pairs = [(a, b) for a, b in zip(reference, other, strict=False) if len(a) and len(b)]
    changes = [_log_ratio(a, b) for a, b in pairs]
    least = max(math.log1p(LEAST), 2 * spread(reference), 2 * spread(other))
    return _contrast(changes, least)


def against_itself(blocks: Blocks) -> Contrast:
    """The A/A test: the first, third, … blocks of an implementation against those that followed them."""
    return _contrast(_halves(blocks), math.log1p(LEAST))


def spread(blocks: Blocks) -> float:
    """How far neighbours among an implementation's own blocks lie apart as logarithms: the median of all processes.

    They are half as many as the pairs of two implementations, so that these are off by less: by the square root of two for
    either of the two that are compared.
    """
    apart = [abs(each) for each in _halves(blocks)]
    return median(apart) / 2 if apart else 0.0


def speeds(contrasts: Sequence[Contrast], rate: float = 1 - CONFIDENCE) -> list[Speed]:
    """What is said of all contrasts of a run together: at most `rate` of those called a change are none (Benjamini–Hochberg)."""
    from scipy import stats  # which every command would wait for

    asked = [each.processes >= _FEWEST for each in contrasts]
    wanted = [each.p for each, there in zip(contrasts, asked, strict=True) if there]
    adjusted = iter(stats.false_discovery_control(wanted) if wanted else ())
    return [each.speed(bool(there and next(adjusted) <= rate)) for each, there in zip(contrasts, asked, strict=True)]


def _halves(blocks: Blocks) -> list[float]:
    """By process, the log-ratio of every second block to the one before it; of processes that have both."""
    return [_log_ratio(each[::2], each[1::2]) for each in blocks if len(each) >= 2]


def _contrast(changes: Sequence[float], least: float) -> Contrast:
    from scipy import stats

    if len(changes) < 2:
        ratio = math.exp(changes[0]) if changes else 1.0
        return Contrast(ratio, 0.0, math.inf, 1.0, least, len(changes))
    mean, error = fmean(changes), float(stats.sem(changes))
    if error == 0:
        ratio = math.exp(mean)
        return Contrast(ratio, ratio, ratio, 1.0 if mean == 0 else 0.0, least, len(changes))
    low, high = stats.t.interval(CONFIDENCE, len(changes) - 1, mean, error)
    p = float(2 * stats.t.sf(abs(mean) / error, len(changes) - 1))
    return Contrast(math.exp(mean), math.exp(low), math.exp(high), p, least, len(changes))


def _log_ratio(reference: Sequence[float], other: Sequence[float]) -> float:
    """The median log-ratio of the blocks of a process, round by round as far as both were timed."""
    rounds = min(len(reference), len(other))
    return float(np.median(np.log(other[:rounds]) - np.log(reference[:rounds])))
