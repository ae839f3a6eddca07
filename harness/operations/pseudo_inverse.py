"""The pseudo-inverse of a matrix of known rank: what a library's own cut-off for singular values does.

Sources: docs/sources.md#convolution-and-its-pseudo-inverse.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.dtypes import WIDE
from harness.declare.structure import RandomSource, structure


def _diagonals(stream: RandomSource) -> Iterator[NDArray[np.float64]]:
    """Ones or twos along the diagonal and zeros else."""
    *_, rows, columns = stream.shape
    one = np.eye(rows, columns)
    yield from (one, 2 * one)


@structure(simpler=_diagonals)
def full_rank(stream: RandomSource) -> NDArray[np.float64]:
    """Integers of −3 to 3 with ±16 along a diagonal that begins anywhere and goes around, so that no singular value is small.

    Half precision holds them. No block of them need be invertible, nor any entry be positive.
    """
    *_, rows, columns = stream.shape
    small, (down, along) = stream.integers(-3, 3), stream.integers(0, max(rows, columns), (2,))
    signs = 1 - 2 * stream.integers(0, 1)
    return (small + 16 * signs * np.roll(np.eye(rows, columns), (down, along), (0, 1))).astype(np.float64)


@operation(
    sizes={"batch": (0, 9), "rows": (1, 17), "rank": (1, 5), "columns": (1, 17)},
    where=lambda rows, rank, columns: rank <= min(rows, columns),
)
def low_rank_pinv(
    B: Annotated[Float[Tensor, "batch rows rank"], full_rank],
    C: Annotated[Float[Tensor, "batch rank columns"], full_rank],
) -> Float[Tensor, "batch columns rows"]:
    """(BC)⁺ = C⁺B⁺, for factors of full rank: Cᵀ(CCᵀ)⁻¹(BᵀB)⁻¹Bᵀ.

    B: (batch, rows, rank); C: (batch, rank, columns). BC has exactly `rank` singular values that are not zero; an
    implementation that sees the product alone must tell them from rounding (pytorch#83494, #114052).
    """
    left = torch.linalg.solve(B.mT @ B, B.mT)
    return C.mT @ torch.linalg.solve(C @ C.mT, left)


@low_rank_pinv.in_extended_precision
def long_double(B, C):
    """The same maths on long doubles."""
    left = _solved(B.swapaxes(-1, -2) @ B, B.swapaxes(-1, -2))
    return C.swapaxes(-1, -2) @ _solved(C @ C.swapaxes(-1, -2), left)


def _solved(M, right):
    """M⁻¹ times `right` by elimination; M is symmetric and far from singular, so no row needs to be exchanged."""
    M, right = M.copy(), right.copy()
    for pivot in range(M.shape[-1]):
        row, result = M[:, pivot : pivot + 1] / M[:, pivot, pivot][:, None, None], right[:, pivot : pivot + 1]
        result = result / M[:, pivot, pivot][:, None, None]
        factors = M[:, :, pivot : pivot + 1] * (np.arange(M.shape[-1]) != pivot)[None, :, None]
        M, right = M - factors * row, right - factors * result
        M[:, pivot : pivot + 1], right[:, pivot : pivot + 1] = row, result
    return right


@low_rank_pinv.implementation(backend="torch", name="linalg.pinv", dtypes=WIDE)
def torch_linalg_pinv(B, C):
    """torch.linalg.pinv, which cuts off at max(rows, columns)·eps of the largest singular value."""
    return torch.linalg.pinv(B @ C)


@low_rank_pinv.implementation(backend="torch", name="pinverse", dtypes=WIDE)
def torch_pinverse(B, C):
    """torch.pinverse, which cuts off at 1e-15 in every dtype."""
    return torch.pinverse(B @ C)


@low_rank_pinv.implementation(backend="torch", dtypes=WIDE)
def complete_orthogonal(B, C):
    """C⁺B⁺ by QR of each factor."""
    Q, R = torch.linalg.qr(B)
    P, S = torch.linalg.qr(C.mT)
    inner = torch.linalg.solve_triangular(R, Q.mT, upper=True)
    return P @ torch.linalg.solve_triangular(S.mT, inner, upper=False)


@low_rank_pinv.implementation(backend="scipy")
def scipy_pinv(B, C):
    """scipy.linalg.pinv, matrix by matrix."""
    import scipy.linalg

    found = [scipy.linalg.pinv(b @ c) for b, c in zip(B, C, strict=True)]
    return np.stack(found) if found else np.zeros((0, C.shape[2], B.shape[1]), B.dtype)


@low_rank_pinv.implementation(backend="numpy", dtypes=WIDE)
def numpy_pinv(B, C):
    """numpy.linalg.pinv with the cut-off that numpy's documentation advises for a rank: max(rows, columns)·eps."""
    cut_off = max(B.shape[1], C.shape[2]) * np.finfo(B.dtype).eps
    return np.linalg.pinv(B @ C, rcond=cut_off)
