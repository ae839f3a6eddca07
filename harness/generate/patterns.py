"""Value patterns: what a plain tensor argument is filled with, simplest first.

Each is a function of a RandomSource and the working precision's range, and returns float64 values that are then rounded
to the working dtype.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.declare.operation import Operation
from harness.declare.structure import RandomSource
from harness.errors import DeclarationError
from harness.registry import Registry

Fill = Callable[[RandomSource, torch.finfo], NDArray[np.float64]]

_MOST_NONFINITE = 12

_SHARE_OF_PRECISION = 0.25
"""The share of the whole numbers that a precision holds to be taken by the ones along an axis: 32 in bfloat16."""


@dataclass(frozen=True)
class Pattern:
    """Values for plain tensor arguments, and the operations of which it is asked."""

    fill: Fill
    of: Callable[[Operation], bool]

    def __call__(self, stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
        """The values of one argument, in float64."""
        return self.fill(stream, precision)


PATTERNS: Registry[Pattern] = Registry("pattern", "harness.patterns")
"""The patterns that every property meets, simplest first."""


def _every(operation: Operation) -> bool:
    return True


def pattern(*, of: Callable[[Operation], bool] = _every) -> Callable[[Fill], Fill]:
    """Add a pattern of values: a function of a stream of random numbers and `torch.finfo` of the working precision.

    ```python
    import harness

    @harness.pattern()
    def halves(stream, precision):
        "Multiples of one half."
        return stream.integers(-8, 8) / 2
    ```

    It returns float64 values of `stream.shape`, is called by its function's name, and says in its docstring what it is for.
    of: the operations of which it is asked, all of them if nothing is said. Raises DeclarationError for a name that is
    taken, or without a docstring.
    """

    def declare(fill: Fill) -> Fill:
        if not fill.__doc__:
            raise DeclarationError(f"pattern {fill.__name__} has no docstring; say in a sentence what it is for")
        PATTERNS.register(fill.__name__, Pattern(fill, of))
        return fill

    return declare


def _plain(operation: Operation) -> list[Any]:
    """The arguments that value patterns fill."""
    return [domain for domain in operation.tensors.values() if domain.is_inexact and domain.structure is None]


def _has_matrices(operation: Operation) -> bool:
    return any(len(domain.every_axis) > 1 for domain in _plain(operation))


def _has_several(operation: Operation) -> bool:
    return len(_plain(operation)) > 1


def _moves_data(operation: Operation) -> bool:
    return operation.moves_data


@pattern()
def normal(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """Bell-shaped, mean 0, variance 1."""
    return stream.normal()


@pattern()
def integers(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """Whole numbers from -4 to 4: sums and products are exact, ties and zeros are common."""
    return stream.integers(-4, 4).astype(np.float64)


@pattern()
def constant(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """One value everywhere: every difference is zero."""
    return np.full(stream.shape, stream.normal((1,))[0])


@pattern()
def sparse(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """Three zeros in four."""
    return np.where(stream.integers(0, 3) == 0, stream.normal(), 0.0)


@pattern()
def offset(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """A bell around 100, or around -100 in every argument: whatever subtracts loses digits, and exponentials underflow."""
    values = 100.0 + stream.normal()
    return values if stream.shared().integers(0, 1, (1,))[0] else -values


@pattern()
def magnitudes(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """Bells scaled by powers of two over six decades (two in float16)."""
    reach = 3 if precision.max < 1e6 else 10
    return np.ldexp(stream.normal(), stream.integers(-reach, reach))


@pattern()
def dominant(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """One entry a thousand times as large as the others."""
    values = stream.normal()
    if values.size:
        values.reshape(-1)[stream.integers(0, values.size - 1, (1,))[0]] *= 64.0 if precision.max < 1e6 else 1024.0
    return values


@pattern()
def subnormal(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """Below the smallest normal number: code that flushes to zero shows."""
    return stream.normal() * (precision.smallest_normal / 4)


@pattern(of=_has_matrices)
def repeated(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """The last row and the last column are the first ones again: matrices lack a rank, and samples tie."""
    values = stream.normal()
    for axis in range(max(values.ndim - 2, 0), values.ndim):
        if values.shape[axis]:
            along = np.moveaxis(values, axis, 0)
            along[-1] = along[0]
    return values


@pattern(of=_has_several)
def equal(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """A bell that all arguments of one shape have in common: a == b, and every difference of the two is zero."""
    return stream.shared().normal()


@pattern(of=_has_several)
def partly_equal(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """Every second row is the same in all arguments of one shape."""
    own, common = stream.normal(), stream.shared().normal()
    if own.ndim:
        own[::2] = common[::2]
    return own


@pattern(of=_moves_data)
def signed_zeros(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """Zeros of both signs, two entries in three, among ones of both: what moves data keeps the sign of a zero."""
    signs, ones = stream.integers(0, 1), stream.integers(0, 2)
    return np.copysign(np.where(ones == 0, 1.0, 0.0), signs - 0.5)


def nonfinite(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """A bell with an entry in eight replaced by NaN, inf or -inf, at least one and a dozen at most: the others tell a leak."""
    values = stream.normal()
    if values.size:
        count = min(max(values.size // 8, 1), _MOST_NONFINITE)
        places, which = stream.integers(0, values.size - 1, (count,)), stream.integers(0, 2, (count,))
        values.reshape(-1)[places] = np.array([np.nan, np.inf, -np.inf])[which]
    return values


def few_ones(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """Ones of both signs, so few that sums along the longest axis, or of products along it, are exact in the precision.

    They stand at every n-th place of that axis, in all arguments at the same ones, and in n cases whose seeds follow on
    one another at every place once: where a single term is missing, one of these cases has it.
    """
    return _ones(stream, turns_of_ones(_longest(stream), float(precision.eps)), 2 * stream.integers(0, 1) - 1)


def many_ones(stream: RandomSource, precision: torch.finfo) -> NDArray[np.float64]:
    """As many as leave such sums exact, everywhere along short axes, and three in four positive.

    A fault of one term shows in most cases then: seldom does it meet a zero, and seldom do the others cancel.
    """
    signs = np.where(stream.integers(0, 3) == 0, -1, 1)
    return _ones(stream, _turns(_longest(stream), float(precision.eps)), signs)


def _longest(stream: RandomSource) -> int:
    return max(stream.shape, default=1)


def _ones(stream: RandomSource, every: int, signs: NDArray[Any]) -> NDArray[np.float64]:
    """Ones of these signs at every n-th place of the longest axis, of which the seed says where they begin."""
    if not stream.shape:
        return np.ones(())
    axis = int(np.argmax(stream.shape))
    there = np.arange(stream.shape[axis]) % every == stream.seed % every
    along = there.reshape([-1 if each == axis else 1 for each in range(len(stream.shape))])
    return np.where(along, signs, 0).astype(np.float64)


def turns_of_ones(longest: int, eps: float) -> int:
    """How many cases of `few_ones` it takes to have a one at every place of an axis, two at least."""
    return max(_turns(longest, eps), 2)


def _turns(longest: int, eps: float) -> int:
    return max(math.ceil(longest / max(_SHARE_OF_PRECISION / eps, 1)), 1)


def patterns_for(operation: Operation) -> tuple[str, ...]:
    """The patterns that differ from one another for an operation, by what value patterns fill in it."""
    return tuple(name for name, each in PATTERNS.items() if each.of(operation))


SPECIAL: dict[str, Fill] = {"nonfinite": nonfinite, "few_ones": few_ones, "many_ones": many_ones}
"""The patterns that a single property asks for, or who looks for a cause."""

EXACT = frozenset(("few_ones", "many_ones"))
"""The patterns whose sums are exact; they take the place of what is typical of an argument, too."""
