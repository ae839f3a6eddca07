"""Value patterns: what a plain tensor argument is filled with, simplest first.

Each is a function of a Stream and the working precision's range, and returns float64 values that are then rounded
to the working dtype.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

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
    """A bell around 100: whatever subtracts loses digits."""
    return 100.0 + stream.normal()


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


def nonfinite(stream: Stream, precision: torch.finfo) -> NDArray[np.float64]:
    """A bell with an entry in eight replaced by NaN, inf or -inf, at least one and a dozen at most: the others tell a leak."""
    values = stream.normal()
    if values.size:
        count = min(max(values.size // 8, 1), _MOST_NONFINITE)
        places, which = stream.integers(0, values.size - 1, (count,)), stream.integers(0, 2, (count,))
        values.reshape(-1)[places] = np.array([np.nan, np.inf, -np.inf])[which]
    return values


PATTERNS: dict[str, Pattern] = {
    made.__name__: made for made in (normal, integers, constant, sparse, offset, magnitudes, dominant, subnormal)
}
"""The patterns that every property meets."""

SPECIAL: dict[str, Pattern] = {"nonfinite": nonfinite}
"""The patterns that one property asks for."""
