"""Value patterns: what a plain tensor argument is filled with, simplest first.

Each is a function of a Stream and the working precision's range, and returns float64 values that are then rounded
to the working dtype.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from harness.declare.operation import Operation
from harness.declare.structure import Stream

Pattern = Callable[[Stream, torch.finfo], NDArray[np.float64]]


_MOST_NONFINITE = 12


def normal(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """Bell-shaped, mean 0, variance 1."""
    return stream.normal()


def integers(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """Whole numbers from -4 to 4: sums and products are exact, ties and zeros are common."""
    return stream.integers(-4, 4).astype(np.float64)


def constant(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """One value everywhere: every difference is zero."""
    return np.full(stream.shape, stream.normal((1,))[0])


def sparse(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """Three zeros in four."""
    return np.where(stream.integers(0, 3) == 0, stream.normal(), 0.0)


def offset(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """A bell around 100, or around -100 in every argument: whatever subtracts loses digits, and exponentials underflow."""
    values = 100.0 + stream.normal()
    return values if stream.shared().integers(0, 1, (1,))[0] else -values


def magnitudes(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """Bells scaled by powers of two over six decades (two in float16)."""
    reach = 3 if precision.max < 1e6 else 10
    return np.ldexp(stream.normal(), stream.integers(-reach, reach))


def dominant(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """One entry a thousand times as large as the others."""
    values = stream.normal()
    if values.size:
        values.reshape(-1)[stream.integers(0, values.size - 1, (1,))[0]] *= 64.0 if precision.max < 1e6 else 1024.0
    return values


def subnormal(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """Below the smallest normal number: code that flushes to zero shows."""
    return stream.normal() * (precision.smallest_normal / 4)


def equal(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """A bell that all arguments of one shape have in common: a == b, and every difference of the two is zero."""
    return stream.shared().normal()


def partly_equal(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """Every second row is the same in all arguments of one shape."""
    own, common = stream.normal(), stream.shared().normal()
    if own.ndim:
        own[::2] = common[::2]
    return own


def repeated(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """The last row and the last column are the first ones again: matrices lack a rank, and samples tie."""
    values = stream.normal()
    for axis in range(max(values.ndim - 2, 0), values.ndim):
        if values.shape[axis]:
            along = np.moveaxis(values, axis, 0)
            along[-1] = along[0]
    return values


def signed_zeros(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """Zeros of both signs, two entries in three, among ones of both: what moves data keeps the sign of a zero."""
    signs, ones = stream.integers(0, 1), stream.integers(0, 2)
    return np.copysign(np.where(ones == 0, 1.0, 0.0), signs - 0.5)


def nonfinite(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """A bell with an entry in eight replaced by NaN, inf or -inf, at least one and a dozen at most: the others tell a leak."""
    values = stream.normal()
    if values.size:
        count = min(max(values.size // 8, 1), _MOST_NONFINITE)
        places, which = stream.integers(0, values.size - 1, (count,)), stream.integers(0, 2, (count,))
        values.reshape(-1)[places] = np.array([np.nan, np.inf, -np.inf])[which]
    return values


_OF_ALL = (normal, integers, constant, sparse, offset, magnitudes, dominant, subnormal)
_OF_MATRICES = (repeated,)
_OF_SEVERAL = (equal, partly_equal)
_OF_MOVED_DATA = (signed_zeros,)

PATTERNS: dict[str, Pattern] = {
    made.__name__: made for made in (*_OF_ALL, *_OF_MATRICES, *_OF_SEVERAL, *_OF_MOVED_DATA)
}
"""The patterns that every property meets."""


def patterns_for(operation: Operation) -> tuple[str, ...]:
    """The patterns that differ from one another for an operation, by what value patterns fill in it."""
    plain = [domain for domain in operation.tensors.values() if domain.kind == "float" and domain.structure is None]
    matrices = _OF_MATRICES if any(len(domain.every_axis) > 1 for domain in plain) else ()
    several = _OF_SEVERAL if len(plain) > 1 else ()
    moved = _OF_MOVED_DATA if operation.moves_data else ()
    return tuple(made.__name__ for made in (*_OF_ALL, *matrices, *several, *moved))


SPECIAL: dict[str, Pattern] = {"nonfinite": nonfinite}
"""The patterns that one property asks for."""
