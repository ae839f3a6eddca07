"""Domains: what the values of an argument are where its annotation can't say it.

    target: Annotated[Int[Tensor, "tokens"], harness.below("classes", also=-100)]
    valid: Annotated[Int[Tensor, "batch"], harness.lengths("time")]
    chosen: Annotated[Float[Tensor, "batch classes"], harness.one_hot]
    keep: Annotated[Bool[Tensor, "query key"], harness.mask]

A domain is a structure (it makes values from a RandomSource) that also knows its members: `admits` says whether an array is in
it, and `simpler` gives members to try in place of drawn ones, simplest first. One of your own is a class like these, or
a function with `@harness.structure`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.declare.axes import parse_axes
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
        size = _size_of(self, stream.known)
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
        return bool((((values >= 0) & (values < _size_of(self, known))) | (values == self.also)).all())

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """The first index everywhere."""
        yield np.zeros(stream.shape, np.int64)


class among:
    """One of some numbers in every entry, as the targets of 1 and -1 that tell two kinds apart: random ones, or one for all."""

    in_any_order = True

    def __init__(self, *numbers: float) -> None:
        if not numbers:
            raise DeclarationError("among() holds no number; give those that there are, as among(-1, 1)")
        self.numbers = numbers

    def __repr__(self) -> str:
        return f"among({', '.join(map(repr, self.numbers))})"

    def __call__(self, stream: RandomSource) -> NDArray[Any]:
        """Numbers of the stream's shape; in a case in eight one for all."""
        places = stream.integers(0, len(self.numbers) - 1)
        if places.size and int(stream.integers(0, 7, (1,))[0]) == 0:
            places = np.full_like(places, places.flat[0])
        return np.asarray(self.numbers)[places]

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether every entry is one of them."""
        return bool(np.isin(values, self.numbers).all())

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """Each of them everywhere, in their order."""
        for number in self.numbers:
            yield np.full(stream.shape, number)


class whole:
    """Whole numbers from `low` to `high`: mostly small ones, now and then the ends, all of one value, or any."""

    in_any_order = True

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def __repr__(self) -> str:
        return f"within({self.low}, {self.high})"

    def __call__(self, stream: RandomSource) -> NDArray[np.int64]:
        """Numbers of the stream's shape."""
        low, high = max(self.low, min(-4, self.high)), min(self.high, max(4, self.low))
        small = stream.integers(min(low, high), max(low, high))
        kind = int(stream.integers(0, 7, (1,))[0])
        if kind == 0 and small.size:
            return np.full_like(small, small.flat[0])
        ends = np.where(stream.integers(0, 1) == 1, np.int64(self.high), np.int64(self.low))
        if kind == 1:
            return ends
        if kind == 2:
            return np.where(stream.integers(0, 3) == 0, ends, small)
        return stream.integers(self.low, self.high) if kind == 3 else small

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether every entry is one of them."""
        return bool(((values >= self.low) & (values <= self.high)).all())

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """The one nearest to zero everywhere."""
        yield np.full(stream.shape, min(max(0, self.low), self.high))


def whole_of(dtype: torch.dtype) -> Any:
    """What fills an argument of whole numbers or of truth values of which nothing else is said.

    The numbers that the dtype holds, in 64 bits those that 32 hold: their sums then stay whole numbers.
    """
    if dtype is torch.bool:
        return mask
    held = torch.iinfo(torch.int32 if dtype is torch.int64 else dtype)
    return whole(held.min, held.max)


def _size_of(domain: below | lengths | offsets, known: Mapping[str, Any]) -> int:
    """The size of the axis that a domain names. Raises DeclarationError where it is no axis, or none of any argument."""
    axes = parse_axes(domain.axis)
    if len(axes) != 1:
        raise DeclarationError(f"{domain!r} must name one axis")
    missing = next((name for name in axes[0].names if name not in known), None)
    if missing is not None:
        raise DeclarationError(f"{domain!r}: no argument has an axis {missing!r}; known are {', '.join(known)}")
    return axes[0].size(known)


class lengths:
    """The lengths of samples along an axis, from 1 to its size; with least=0 samples may be empty.

    Apart from random ones, all of the whole axis and all of the least are drawn.
    """

    in_any_order = True

    def __init__(self, axis: str, *, least: int = 1) -> None:
        self.axis, self.least = axis, least

    def __repr__(self) -> str:
        return f"lengths({self.axis!r})" if self.least == 1 else f"lengths({self.axis!r}, least={self.least})"

    def __call__(self, stream: RandomSource) -> NDArray[np.int64]:
        """Lengths of the stream's shape: in a case in four the whole axis, in one in eight the least."""
        size = _size_of(self, stream.known)
        kind = int(stream.integers(0, 7, (1,))[0])
        if kind < 2:
            return np.full(stream.shape, size)
        least = min(self.least, size)
        return stream.integers(least, least if kind == 2 else size)

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether every entry is from the least to the axis' size."""
        size = _size_of(self, known)
        return bool(((values >= min(self.least, size)) & (values <= size)).all())

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """The whole axis, then the least, for every sample."""
        size = _size_of(self, stream.known)
        yield np.full(stream.shape, size)
        yield np.full(stream.shape, min(self.least, size))


class offsets:
    """Where segments begin along an axis, and last of all its size: 0, …, size, as `cu_seqlens` of packed sequences.

    Segments may be empty; cuts that are as even as can be are drawn as well.
    """

    def __init__(self, axis: str) -> None:
        self.axis = axis

    def __repr__(self) -> str:
        return f"offsets({self.axis!r})"

    def __call__(self, stream: RandomSource) -> NDArray[np.int64]:
        """Sorted cuts of the axis; in a case in four as even as can be."""
        size = _size_of(self, stream.known)
        if int(stream.integers(0, 3, (1,))[0]) == 0:
            return self._even(stream.shape, size)
        return self._ended(np.sort(stream.integers(0, size), -1), size)

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether they begin with 0, end with the size, and never decrease."""
        if not values.size:
            return True
        ends = (values[..., -1] == _size_of(self, known)) & ((values[..., 0] == 0) | (values.shape[-1] == 1))
        return bool(ends.all() and (np.diff(values, axis=-1) >= 0).all())

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """All in the first segment, then as even as can be."""
        size = _size_of(self, stream.known)
        yield self._ended(np.full(stream.shape, size), size)
        yield self._even(stream.shape, size)

    def _even(self, shape: tuple[int, ...], size: int) -> NDArray[np.int64]:
        places = np.arange(shape[-1]) * size // max(shape[-1] - 1, 1)
        return self._ended(np.broadcast_to(places, shape).copy(), size)

    def _ended(self, values: NDArray[np.int64], size: int) -> NDArray[np.int64]:
        if values.size:
            values[..., 0], values[..., -1] = 0, size
        return values


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


class _Permutation:
    """The numbers from 0 on along the last axis, in any order."""

    def __repr__(self) -> str:
        return "permutation"

    def __call__(self, stream: RandomSource) -> NDArray[np.int64]:
        """The order of random words."""
        return np.argsort(stream.words(stream.shape), axis=-1, kind="stable")

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether every number is there once."""
        return bool((np.sort(values, axis=-1) == np.arange(values.shape[-1])).all())

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """In order, then backwards."""
        yield np.arange(stream.shape[-1])
        yield np.arange(stream.shape[-1])[::-1]


class _Increasing:
    """Numbers that increase along the last axis, as far as the dtype tells them apart."""

    def __repr__(self) -> str:
        return "increasing"

    def __call__(self, stream: RandomSource) -> NDArray[np.float64]:
        """Steps of one to eight eighths, around 0."""
        return (np.cumsum(stream.integers(1, 8), axis=-1) - 4 * stream.shape[-1]) / 8

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether each is more than the one before."""
        return bool((np.diff(values, axis=-1) > 0).all())

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """The whole numbers from 0 on."""
        yield np.arange(stream.shape[-1], dtype=np.float64)


class _Mask:
    """Random, all, none, whole rows of none, and, where there are two axes, what a causal mask lets through.

    `mask(whole_rows=False)`: no row of none, so that somebody takes part everywhere (a softmax over none is NaN).
    """

    in_any_order = True

    def __init__(self, whole_rows: bool = True) -> None:
        self._whole_rows = whole_rows

    def __repr__(self) -> str:
        return "mask" if self._whole_rows else "mask(whole_rows=False)"

    def __call__(self, stream: RandomSource | None = None, *, whole_rows: bool = True) -> Any:
        """One of these in a case; without a RandomSource the domain with or without whole rows of none."""
        if stream is None:
            return _Mask(whole_rows)
        made = self._drawn(stream)
        if not self._whole_rows and made.size:
            made[..., 0] |= ~made.any(-1)
        return made

    def _drawn(self, stream: RandomSource) -> NDArray[np.bool_]:
        kind, entries = int(stream.integers(0, 5, (1,))[0]), stream.integers(0, 1).astype(bool)
        if kind == 0:
            return np.ones_like(entries)
        if kind == 1:
            return np.zeros_like(entries)
        if kind == 2:
            return entries & stream.integers(0, 1, (*stream.shape[:-1], 1)).astype(bool)
        return np.tril(np.ones_like(entries)) if kind == 3 and entries.ndim > 1 else entries

    def admits(self, values: NDArray[Any], known: Mapping[str, Any]) -> bool:
        """Whether there is nothing but zeros and ones, and a one in every row where there must be."""
        rows = self._whole_rows or not values.size or bool((values != 0).any(-1).all())
        return rows and bool(np.isin(values, (0, 1)).all())

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """All, then none where that may be."""
        yield np.ones(stream.shape, dtype=bool)
        if self._whole_rows:
            yield np.zeros(stream.shape, dtype=bool)


class _Probabilities:
    """Numbers from 0 to 1 whose sum along the last axis is 1; a zero in each four or so, and now and then a single one."""

    def __repr__(self) -> str:
        return "probabilities"

    def __call__(self, stream: RandomSource) -> NDArray[np.float64]:
        """Shares of whole numbers, so that the same bits come out on any machine."""
        parts = np.maximum(stream.integers(-3, 12), 0)
        if int(stream.integers(0, 7, (1,))[0]) == 0:
            parts = np.zeros_like(parts)
        if parts.size:
            first = parts[..., 0]
            first[parts.sum(-1) == 0] = 1
        return parts / np.maximum(parts.sum(-1, keepdims=True), 1)

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """All of it in the first place, then evenly."""
        yield (np.arange(stream.shape[-1]) == 0).astype(np.float64)
        yield np.full(stream.shape, 1 / max(stream.shape[-1], 1))


permutation = _Permutation()
increasing = _Increasing()
mask = _Mask()
probabilities = _Probabilities()
