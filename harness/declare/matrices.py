"""Matrices of a kind: orthonormal, positive definite, of full rank and of less, along the last two axes.

    q: Annotated[Float[Tensor, "batch n k"], harness.orthonormal]
    a: Annotated[Float[Tensor, "n n"], harness.positive_definite]

They are made of whole numbers, whose sums and products are exact in any order, so that a case has the same bits on any machine:
LAPACK's factorisations do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.declare.structure import RandomSource
from harness.errors import DeclarationError


class Matrices:
    """A kind of matrices: a rule that makes one, and the simplest of them, by rows and columns."""

    def __init__(
        self, make: Callable[[RandomSource], NDArray[np.float64]], simplest: Callable[[int, int], Any]
    ) -> None:
        self.__name__, self.__doc__ = make.__name__.removeprefix("_"), make.__doc__
        self._make, self._simplest = make, simplest

    def __repr__(self) -> str:
        return self.__name__

    def __call__(self, stream: RandomSource) -> NDArray[np.float64]:
        """A matrix, or a batch of them. Raises DeclarationError for fewer than two axes."""
        if len(stream.shape) < 2:
            raise DeclarationError(f"{self!r} needs two axes, rows and columns")
        return self._make(stream)

    def simpler(self, stream: RandomSource) -> Iterator[NDArray[Any]]:
        """The simplest of them."""
        yield self._simplest(*stream.shape[-2:])


def _whole(stream: RandomSource, reach: int, rows: int, columns: int) -> NDArray[np.float64]:
    """Matrices of whole numbers from -reach to reach: their products are exact, and so have the same bits on any machine."""
    return stream.integers(-reach, reach, (*stream.shape[:-2], rows, columns)).astype(np.float64)


def _orthonormal(stream: RandomSource) -> NDArray[np.float64]:
    """Orthonormal columns, or rows where there are more columns: the product of two reflections, in part."""
    rows, columns = stream.shape[-2:]
    size = max(rows, columns)
    v, w = (_whole(stream, 3, size, 1) for _ in range(2))
    v[..., :1, :], w[..., -1:, :] = 1, 1
    a, b, both = ((x * y).sum((-2, -1), keepdims=True) for x, y in ((v, v), (w, w), (v, w)))
    v_row, w_row = np.swapaxes(v, -2, -1), np.swapaxes(w, -2, -1)
    product = np.eye(size) - 2 * v * v_row / a - 2 * w * w_row / b + 4 * both * (v * w_row) / (a * b)
    return product[..., :rows, :columns]


def _positive_definite(stream: RandomSource) -> NDArray[np.float64]:
    """Symmetric matrices whose eigenvalues are positive: B Bᵀ + n·1 of whole numbers, whose condition is small."""
    rows, columns = stream.shape[-2:]
    if rows != columns:
        raise DeclarationError(f"positive_definite needs as many rows as columns, and not {rows} and {columns}")
    root = _whole(stream, 1, rows, rows)
    return root @ np.swapaxes(root, -2, -1) + rows * np.eye(rows)


def _full_rank(stream: RandomSource) -> NDArray[np.float64]:
    """Matrices of full rank: whole numbers, with a dominant diagonal."""
    rows, columns = stream.shape[-2:]
    return _whole(stream, 1, rows, columns) + (max(rows, columns) + 1) * np.eye(rows, columns)


def _rank_deficient(stream: RandomSource) -> NDArray[np.float64]:
    """Matrices of half their full rank, or less: products of two thin ones of whole numbers; of one row or column, zeros."""
    rows, columns = stream.shape[-2:]
    rank = min(rows, columns) // 2
    return _whole(stream, 2, rows, rank) @ _whole(stream, 2, rank, columns)


orthonormal = Matrices(_orthonormal, np.eye)
positive_definite = Matrices(_positive_definite, np.eye)
full_rank = Matrices(_full_rank, np.eye)
rank_deficient = Matrices(_rank_deficient, lambda rows, columns: np.zeros((rows, columns)))
