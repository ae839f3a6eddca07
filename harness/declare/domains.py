"""Domains: what the values of an argument are where its annotation can't say it.

    target: Annotated[Int[Tensor, "tokens"], harness.below("classes", also=-100)]
    chosen: Annotated[Float[Tensor, "batch classes"], harness.one_hot]

A domain is a structure (it makes values from a RandomSource) that also knows its members: `admits` says whether an array is in
it, and `simpler` gives members to try in place of drawn ones, simplest first. One of your own is a class like these, or
a function with `@harness.structure`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.declare.axes import Axis, parse_axes
from harness.declare.structure import RandomSource
from harness.errors import DeclarationError


class below:
    """Indices of another axis, from 0 to one less than its size, and now and then `also`, which stands for none (-100, say).

    Apart from random ones, whole arguments of one index, and of the first and the last alone, are drawn.
    """

    in_any_order = True

    def __init__(self, axis: str, *, also: int | None = None) -> None:
        self.axis, self.also = axis, also

    def __repr__(self) -> str:
        return f"below({self.axis!r})" if self.also is None else f"below({self.axis!r}, also={self.also})"

    def __call__(self, stream: RandomSource) -> NDArray[np.int64]:
        """Indices of the stream's shape: random ones, in a case in eight one for all, in another the ends alone."""
        size = self._size(stream.known)
        indices = stream.integers(0, max(size - 1, 0))
        kind = int(stream.integers(0, 7, (1,))[0])
        if kind == 0 and indices.size:
            indices = np.full_like(indices, indices.flat[0])
        elif kind == 1:
            indices = stream.integers(0, 1) * max(size - 1, 0)
        if self.also is None:
            return indices
        return np.where((stream.integers(0, 3) == 0) | (size == 0), self.also, indices)

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether every entry is an index of the axis, or `also`."""
        return bool((((values >= 0) & (values < self._size(known))) | (values == self.also)).all())

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """The first index everywhere."""
        yield np.zeros(stream.shape, np.int64)

    def _size(self, known: Mapping[str, Any]) -> int:
        (axis,) = _axes(self.axis)
        missing = next((name for name in axis.names if name not in known), None)
        if missing is not None:
            raise DeclarationError(f"{self!r}: no argument has an axis {missing!r}; known are {', '.join(known)}")
        return axis.size(known)


def _axes(text: str) -> tuple[Axis, ...]:
    axes = parse_axes(text)
    if len(axes) != 1:
        raise DeclarationError(f"below({text!r}) must name one axis")
    return axes


class _OneHot:
    """Zeros with a single one along the last axis."""

    def __repr__(self) -> str:
        return "one_hot"

    def __call__(self, stream: RandomSource) -> NDArray[np.float64]:
        *rows, size = stream.shape
        chosen = stream.integers(0, max(size - 1, 0), tuple(rows))
        return (np.arange(size) == chosen[..., None]).astype(np.float64)

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether every row has a single one, and zeros else."""
        return bool(np.isin(values, (0, 1)).all() and (not values.shape[-1] or (values.sum(-1) == 1).all()))

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """The first place of every row."""
        yield (np.arange(stream.shape[-1]) == 0).astype(np.float64)


one_hot = _OneHot()
