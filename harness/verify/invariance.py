"""Invariance in bits: whether a call gives the same bits again, and a sample the same bits whatever batch it is in.

Both hold in rounding for what is right, and the properties say so; in bits they are a matter of the kernels that a
library picks. That is asked here over all sizes of a batch, since a kernel changes at sizes that nobody would guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.errors import Unsupported
from harness.generate.case import Call
from harness.generate.precision import PRECISIONS
from harness.measure.clock import undisturbed_seconds
from harness.verify.subject import ImplementationFault, Results, Subject

LARGEST = 128
"""The largest batch whose samples are compared with themselves in smaller ones."""

_AGAIN = 3


@dataclass(frozen=True)
class Invariance:
    """What is known of one implementation's bits.

    repeats: whether equal calls gave equal bits; asked: the sizes of batches that were tried; differing: those in which a
    sample's bits are not the same as in the largest; farthest: the largest difference of a sample, over its size, in eps;
    reason: why nothing is known, "" where something is.
    """

    implementation: str
    device: str
    dtype: str
    repeats: bool = False
    asked: tuple[int, ...] = ()
    differing: tuple[int, ...] = ()
    farthest: float = 0.0
    reason: str = ""

    @property
    def is_batch_invariant(self) -> bool:
        """Whether a sample has the same bits in every batch that was tried."""
        return len(self.asked) > 1 and not self.differing


def invariance(implementation: Implementation, operation: Operation, call: Call, seconds: float) -> Invariance:
    """Ask an implementation about a call of many samples and all smaller batches of the first of them that are declared.

    seconds: after which no further size is tried; sizes are tried from both ends and the middle, so that few of them tell
    much.
    """
    largest, least = call.batch_size, operation.sizes["batch"][0]
    known = (implementation.key, call.device, call.precision.name)
    subject = Subject(operation, implementation)
    began = undisturbed_seconds()
    try:
        whole = subject(call)
        repeats = all(_same(whole, subject(call)) for _ in range(_AGAIN - 1))
        asked, differing, farthest = [largest], [], 0.0
        for size in (each for each in _spread(largest - 1) if each >= least):
            if undisturbed_seconds() - began > seconds:
                break
            apart = _apart(operation, call, subject(call.take(slice(size))), whole, size)
            asked.append(size)
            farthest = max(farthest, apart)
            if apart:
                differing.append(size)
    except Unsupported as reason:
        return Invariance(*known, reason=str(reason))
    except ImplementationFault as fault:
        return Invariance(*known, reason=str(fault))
    return Invariance(*known, repeats, tuple(sorted(asked)), tuple(sorted(differing)), farthest)


def ranges(sizes: Sequence[int]) -> str:
    """`1–4, 33`."""
    breaks = [place for place, (one, next_) in enumerate(pairwise(sizes), 1) if next_ != one + 1]
    runs = [sizes[start:end] for start, end in pairwise([0, *breaks, len(sizes)]) if start < end]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _spread(largest: int) -> Iterator[int]:
    """Every size from 1 on: powers of two and their neighbours first, where kernels change."""
    telling = [near for power in range(largest.bit_length() + 1) for near in (2**power, 2**power - 1, 2**power + 1)]
    yield from dict.fromkeys(size for size in (*telling, *range(1, largest + 1)) if 1 <= size <= largest)


def _apart(operation: Operation, call: Call, results: Results, whole: Results, size: int) -> float:
    """How far the first samples of the whole are from those of a smaller batch, over their size, in eps; 0 for equal bits."""
    farthest = 0.0
    for domain, result, full in zip(operation.results, results, whole, strict=True):
        axis = domain.batch_axis(call.options)
        if axis is None:
            continue
        expected = full.narrow(axis, 0, size)
        if not _same((result,), (expected,)):
            farthest = max(farthest, _relative(result, expected, axis) / PRECISIONS[call.precision.name].eps)
    return farthest


def _relative(result: Tensor, expected: Tensor, axis: int) -> float:
    """The largest distance of a sample's entries, over their size; at least the smallest number where bits differ."""
    if not result.is_floating_point():
        return 1.0
    rows, wanted = (each.cpu().double().movedim(axis, 0).flatten(1) for each in (result, expected))
    apart = (rows - wanted).norm(dim=1) / wanted.norm(dim=1).clamp(min=torch.finfo(torch.float64).tiny)
    return max(float(apart.nan_to_num(1.0).max()), torch.finfo(torch.float64).tiny)


def _same(one: Results, other: Results) -> bool:
    """Whether all bits are equal, a NaN like any other NaN."""
    return all(
        a.shape == b.shape and bool(((a == b) | (a.isnan() & b.isnan())).all()) for a, b in zip(one, other, strict=True)
    )
