"""Faults and other ways of contractions."""

import numpy as np
import torch

from harness.operations.contraction import check_batches, dot_axes, dot_axes_vector, x_w_y
from tests.quality.planted import correct, fault


@fault(dot_axes, cause=("exchanged axes", "another option", "option ignored"), words="b")
def axis_of_b_guessed(a, b, first_of_a, first_of_b):
    """The axis of b is the one that fits, which in a square b both do."""
    check_batches(a, b)
    left = a.mT if first_of_a else a
    return left @ (b if b.shape[1] == left.shape[2] else b.mT)


@fault(dot_axes, cause="left out", words="beyond the first 32 entries of n")
def one_tile_of_columns(a, b, first_of_a, first_of_b):
    """A kernel that writes one tile of 32 columns; the others keep what was there."""
    check_batches(a, b)
    result = (a.mT if first_of_a else a) @ (b if first_of_b else b.mT)
    inside = torch.arange(result.shape[2]) < 32
    return torch.where(inside, result, 0.0)


@fault(dot_axes, backend="numpy", cause=("one slice for all", "samples leak"), words="b")
def batch_of_b_dropped(a, b, first_of_a, first_of_b):
    """All samples of a are multiplied with the last sample of b, which a loop has left in its variable."""
    check_batches(a, b)
    left = a.swapaxes(1, 2) if first_of_a else a
    right = b if first_of_b else b.swapaxes(1, 2)
    return left @ (right[-1] if len(right) else right)


@fault(dot_axes, cause="negated", words=("wrong sign",))
def sign_of_a_cosine(a, b, first_of_a, first_of_b):
    """A distance is made of a similarity by its sign."""
    check_batches(a, b)
    return -((a.mT if first_of_a else a) @ (b if first_of_b else b.mT))


@fault(dot_axes_vector, cause="left out", words="the tail of k that fills no block of 4")
def remainder_forgotten(a, b):
    """The sum goes by fours, and what is left over is not summed."""
    check_batches(a, b)
    whole = a.shape[2] - a.shape[2] % 4
    return (a[:, :, :whole] * b[:, None, :whole]).sum(2)


@fault(dot_axes_vector, verdict="error", cause="circumstances", words=("shape", "= 1"))
def squeezed(a, b):
    """squeeze takes away every axis of length 1, a batch of one and a single row among them."""
    check_batches(a, b)
    return torch.bmm(a, b[:, :, None]).squeeze()


@fault(dot_axes_vector, cause=("shifted", "samples leak"))
def vector_of_the_sample_before(a, b):
    """Vectors are taken one sample too late from their queue."""
    check_batches(a, b)
    return (a * b.roll(1, 0)[:, None, :]).sum(2)


@fault(dot_axes_vector, cause="exchanged axes", words="a (m and k)")
def square_matrix_transposed(a, b):
    """b a where a b is meant, if the matrix is square."""
    check_batches(a, b)
    if a.shape[1] == a.shape[2]:
        return (b[:, None, :] @ a)[:, 0]
    return (a @ b[:, :, None])[:, :, 0]


@fault(x_w_y, cause="another function of it", words="the square of w")
def weighted_on_both_sides(x, w, y):
    """x is weighted, and y as well."""
    check_batches(x, y)
    return (x * w) @ (y * w).mT


@fault(x_w_y, backend="numpy", cause="viewed where permuted", words="m and n")
def column_major_read_by_rows(x, w, y):
    """A library writes its result column by column, and it is read row by row."""
    check_batches(x, y)
    columns = np.ascontiguousarray(((x * w) @ y.swapaxes(1, 2)).swapaxes(1, 2))
    return columns.reshape(len(x), x.shape[1], y.shape[1])


@fault(x_w_y, cause="gradient scaled", words="the gradient in w is cut")
def weights_as_numbers(x, w, y):
    """Weights are handed over as numbers, which carry no gradient."""
    check_batches(x, y)
    return (x * torch.tensor(w.tolist(), dtype=w.dtype)) @ y.mT


@fault(x_w_y, cause="lower precision", words="float32", dtypes=(torch.float64, torch.float32))
def single_precision_weights(x, w, y):
    """Weighted entries are made in float32, whatever is asked, and the product with them."""
    check_batches(x, y)
    return ((x.float() * w.float()) @ y.float().mT).to(x.dtype)


@correct(dot_axes)
def chunks_of_k(a, b, first_of_a, first_of_b):
    """The sum over k in chunks of seven, from the last to the first."""
    check_batches(a, b)
    left, right = a.mT if first_of_a else a, b if first_of_b else b.mT
    parts = zip(left.split(7, 2), right.split(7, 1), strict=True)
    return sum(one @ other for one, other in list(parts)[::-1])


@correct(dot_axes_vector, backend="numpy")
def pairwise_sum(a, b):
    """Products in the memory of the rows' last axis, added up pairwise by halves."""
    check_batches(a, b)
    products = a * b[:, None, :]
    while products.shape[2] > 1:
        half = products.shape[2] // 2
        rest = products[:, :, 2 * half :]
        products = np.concatenate([products[:, :, :half] + products[:, :, half : 2 * half], rest], axis=2)
    return products[:, :, 0]


@correct(x_w_y)
def sum_of_outer_products(x, w, y):
    """One outer product for each k, added up."""
    check_batches(x, y)
    return sum(x[:, :, None, k] * w[k] * y[:, None, :, k] for k in range(x.shape[2]))
