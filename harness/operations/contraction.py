"""Contractions of two batches along an axis: keras' Dot, and x W yᵀ with a diagonal W.

Axes are counted with the batch as axis 0, as keras does: `dot_axes` with axes (2, 1) multiplies the rows of each
sample of a with the columns of the same sample of b.

Sources: docs/sources.md#contractions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.domain import when

_SIZES = {"m": (1, 65), "n": (1, 65), "k": (1, 1025)}


def check_batches(a: Any, b: Any) -> None:
    """Raise ValueError where there are not as many samples in one as in the other: a batch of one is not repeated."""
    if a.shape[0] != b.shape[0]:
        raise ValueError(
            f"{a.shape[0]} samples can't be multiplied with {b.shape[0]}; both batches must have the same size"
        )


def keras_axes(first_of_a: bool, first_of_b: bool) -> tuple[int, int]:
    """The axes as keras counts them: 1 for the first axis behind the batch, else 2."""
    return (1 if first_of_a else 2), (1 if first_of_b else 2)


@operation(sizes=_SIZES, linear_in="a")
def dot_axes(
    a: Annotated[Float[Tensor, "batch m k"], when("first_of_a", "batch k m")],
    b: Annotated[Float[Tensor, "batch n k"], when("first_of_b", "batch k n")],
    first_of_a: bool,
    first_of_b: bool,
) -> Float[Tensor, "batch m n"]:
    """The product of a and b summed along one axis of each, sample by sample (claims contraction.bilinear, .transpose).

    a: (batch, m, k), or (batch, k, m) with first_of_a; b likewise with n: axes (2, 2), (1, 2), (2, 1) or (1, 1). The
    axes that are left keep their order. Raises ValueError for batches of different sizes.
    """
    check_batches(a, b)
    return (a.mT if first_of_a else a) @ (b if first_of_b else b.mT)


@dot_axes.in_extended_precision
def dot_axes_long(a, b, first_of_a, first_of_b):
    """`dot_axes` in long double."""
    return (a.swapaxes(1, 2) if first_of_a else a) @ (b if first_of_b else b.swapaxes(1, 2))


@dot_axes.implementation(backend="torch")
def torch_bmm(a, b, first_of_a, first_of_b):
    """torch.bmm, which refuses batches of different sizes itself."""
    return torch.bmm(a.mT if first_of_a else a, b if first_of_b else b.mT)


@dot_axes.implementation(backend="numpy")
def numpy_einsum(a, b, first_of_a, first_of_b):
    """numpy's einsum, without a matrix product."""
    check_batches(a, b)
    return np.einsum(f"{'zki' if first_of_a else 'zik'},{'zkj' if first_of_b else 'zjk'}->zij", a, b)


@dot_axes.implementation(backend="keras")
def keras_dot(a, b, first_of_a, first_of_b):
    """keras' Dot layer."""
    return _keras_dot(keras_axes(first_of_a, first_of_b), str(a.dtype))([a, b])


@dot_axes.implementation(backend="opencv")
def opencv_gemm(a, b, first_of_a, first_of_b):
    """OpenCV's gemm of every sample, whose flags transpose."""
    import cv2

    check_batches(a, b)
    flags = (cv2.GEMM_1_T if first_of_a else 0) | (0 if first_of_b else cv2.GEMM_2_T)
    result = np.empty((len(a), a.shape[2 if first_of_a else 1], b.shape[2 if first_of_b else 1]), a.dtype)
    for sample, (left, right) in enumerate(zip(a, b, strict=True)):
        result[sample] = cv2.gemm(np.ascontiguousarray(left), np.ascontiguousarray(right), 1, None, 0, flags=flags)
    return result


@lru_cache(maxsize=32)
def _keras_dot(axes: Any, dtype: str) -> Any:
    """A Dot layer of keras, kept because making one takes longer than calling it."""
    import keras

    return keras.layers.Dot(axes=axes, dtype=dtype)


@operation(sizes={"m": (1, 257), "k": (1, 1025)}, linear_in="a")
def dot_axes_vector(a: Float[Tensor, "batch m k"], b: Float[Tensor, "batch k"]) -> Float[Tensor, "batch m"]:
    """Every row of a sample's matrix times the sample's vector: keras' Dot with axes (2, 1) (claim contraction.example).

    a: (batch, m, k); b: (batch, k), a vector for every sample. Raises ValueError for batches of different sizes.
    """
    check_batches(a, b)
    return (a @ b[:, :, None])[:, :, 0]


@dot_axes_vector.in_extended_precision
def dot_axes_vector_long(a, b):
    """`dot_axes_vector` in long double."""
    return (a * b[:, None, :]).sum(2)


@dot_axes_vector.implementation(backend="torch")
def products_summed(a, b):
    """Products summed along the last axis, without a matrix product."""
    check_batches(a, b)
    return (a * b[:, None, :]).sum(2)


@dot_axes_vector.implementation(backend="numpy", name="numpy_dots")
def sample_by_sample(a, b):
    """numpy's dot of every sample's matrix and vector."""
    check_batches(a, b)
    result = np.empty(a.shape[:2], a.dtype)
    for sample, (matrix, vector) in enumerate(zip(a, b, strict=True)):
        np.dot(matrix, vector, out=result[sample])
    return result


@dot_axes_vector.implementation(backend="keras", name="keras_dot")
def keras_dot_vector(a, b):
    """keras' Dot layer with axes (2, 1)."""
    return _keras_dot((2, 1), str(a.dtype))([a, b])


@operation(sizes={"m": (1, 65), "n": (1, 65), "k": (1, 257)}, linear_in="x")
def x_w_y(
    x: Float[Tensor, "batch m k"], w: Float[Tensor, "k"], y: Float[Tensor, "batch n k"]
) -> Float[Tensor, "batch m n"]:
    """x diag(w) yᵀ of every sample, Σₖ xᵢₖ wₖ yⱼₖ (claims contraction.diagonal, .bilinear, .ones, .symmetry).

    x: (batch, m, k); w: (k,), the diagonal of a matrix that all samples share; y: (batch, n, k). Raises ValueError for
    batches of different sizes.
    """
    check_batches(x, y)
    return (x * w) @ y.mT


@x_w_y.in_extended_precision
def x_w_y_long(x, w, y):
    """`x_w_y` in long double."""
    return (x * w) @ y.swapaxes(1, 2)


@x_w_y.implementation(
    backend="torch", exempt={"nonfinite_propagation": "it multiplies infinities by the zeros beside the diagonal"}
)
def diagonal_matrix(x, w, y):
    """Products with the diagonal matrix itself."""
    return torch.bmm(x @ torch.diag(w), y.mT)


@x_w_y.implementation(backend="numpy", name="numpy_einsum")
def three_factors(x, w, y):
    """numpy's einsum of all three at once."""
    check_batches(x, y)
    return np.einsum("zik,k,zjk->zij", x, w, y)


@x_w_y.implementation(backend="keras", name="keras_dot")
def keras_dot_weighted(x, w, y):
    """keras' Dot layer along the last axes, of weighted x and y, as the document's second answer has it."""
    return _keras_dot(-1, str(x.dtype))([x * w, y])


@x_w_y.implementation(backend="scipy")
def blas_gemm(x, w, y):
    """BLAS' gemm of every sample, called through scipy, of x and weighted y."""
    from scipy.linalg.blas import get_blas_funcs

    check_batches(x, y)
    gemm = get_blas_funcs("gemm", dtype=x.dtype)
    result = np.empty((len(x), x.shape[1], y.shape[1]), x.dtype)
    for sample, (left, right) in enumerate(zip(x, y * w, strict=True)):
        result[sample] = gemm(1.0, left, right, trans_b=True)
    return result
