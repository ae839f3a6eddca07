"""Contractions: against exact fractions, at their edges, and faults that their properties must find."""

from fractions import Fraction

import numpy as np
import pytest
import torch

import harness
from harness.operations.contraction import dot_axes, dot_axes_vector, x_w_y
from tests.verdicts import explored

A = [[[Fraction(i - j + z, 2) for j in range(5)] for i in range(3)] for z in range(2)]
B = [[[Fraction(i * j - z, 4) for j in range(5)] for i in range(4)] for z in range(2)]
W = [Fraction(n, 2) for n in (3, -1, 0, 5, 2)]


def product(left, right, weights=(1,) * 5):
    return [
        [[sum(u * w * v for u, w, v in zip(row, weights, other, strict=True)) for other in b] for row in a]
        for a, b in zip(left, right, strict=True)
    ]


def tensor(nested):
    return torch.tensor(np.array(nested, dtype=object).astype(float), dtype=torch.float32)


def results(operation, options=None, **arguments):
    call = harness.Call(operation, arguments, options or {})
    for made in (operation.own, *operation.implementations.values()):
        yield made.name, harness.Subject(operation, made)(call)[0].tolist()


@pytest.mark.parametrize("first_of_a", [False, True])
@pytest.mark.parametrize("first_of_b", [False, True])
@pytest.mark.parametrize("k", [1, 5])
def test_dot_axes_against_fractions(first_of_a, first_of_b, k):
    a, b = tensor(A)[..., :k], tensor(B)[..., :k]
    wanted = product([[row[:k] for row in each] for each in A], [[row[:k] for row in each] for each in B], (1,) * k)
    options = {"first_of_a": first_of_a, "first_of_b": first_of_b}
    for name, found in results(dot_axes, options, a=a.mT if first_of_a else a, b=b.mT if first_of_b else b):
        assert found == wanted, name


def test_vectors_and_weights_against_fractions():
    vectors = [each[1] for each in B]
    wanted = [[row[0] for row in each] for each in product(A, [[vector] for vector in vectors])]
    for name, found in results(dot_axes_vector, a=tensor(A), b=tensor(vectors)):
        assert found == wanted, name
    for name, found in results(x_w_y, x=tensor(A), w=tensor(W), y=tensor(B)):
        assert found == product(A, B, W), name


def test_keras_rejects_axis_0_and_its_dot_rounds_float64_to_float32():
    keras = pytest.importorskip("keras")
    a = np.full((2, 2, 4), 1 / 3)
    for axes in (0, (0, 1), (1, 0)):
        with pytest.raises(ValueError, match="over axis 0"):
            keras.layers.Dot(axes=axes)([a[:, :, :2], a[:, :, :2]])
    assert str(keras.layers.Dot(axes=-1, dtype="float64")([a, a]).dtype).endswith("float32")


def test_batches_of_different_sizes_are_clear_errors():
    a, b = tensor(A), tensor(B)
    for function, arguments in (
        (dot_axes, (a, b[:1], False, False)),
        (dot_axes_vector, (a, b[:1, 0])),
        (x_w_y, (a, tensor(W), b[:1])),
    ):
        with pytest.raises(ValueError, match="2 samples can't be multiplied with 1"):
            function(*arguments)


def failing(name, operation, function, dtypes=("float64",), seed=0):
    found = [explored(name, operation, function, dtype, 32, seed) for dtype in dtypes]
    return [each for each in found if each.verdict.failing]


def other_axis(a, b, first_of_a, first_of_b):
    square = a.shape[1] == a.shape[2]
    return dot_axes.definition(a.mT if square else a, b, first_of_a, first_of_b)


def repeats_one(a, b, first_of_a, first_of_b):
    return (a.mT if first_of_a else a) @ (b if first_of_b else b.mT)


def normalised(a, b, first_of_a, first_of_b):
    return dot_axes.definition(a, b / b.norm().clamp(min=1e-300), first_of_a, first_of_b)


def in_float32(a, b, first_of_a, first_of_b):
    return dot_axes.definition(a.float(), b.float(), first_of_a, first_of_b).to(a.dtype)


def weighted_twice(x, w, y):
    return x_w_y.definition(x * w, w, y)


def weights_ignored(x, w, y):
    return x_w_y.definition(x, torch.ones_like(w), y)


def shifted(x, w, y):
    return x_w_y.definition(x, w, y) + 1


def lopsided(x, w, y):
    return x_w_y.definition(x, w, y).tril()


@pytest.mark.parametrize(
    ("name", "operation", "faulty"),
    [
        ("agreement", dot_axes, other_axis),
        ("agreement", dot_axes, in_float32),
        ("batch_mismatch_is_refused", dot_axes, repeats_one),
        ("linear_in_every_factor", dot_axes, normalised),
        ("agreement", x_w_y, weights_ignored),
        ("diagonal_is_weights", x_w_y, weighted_twice),
        ("linear_in_every_factor", x_w_y, weighted_twice),
        ("linear_in_every_factor", x_w_y, weights_ignored),
        ("weights_of_one_are_dot", x_w_y, shifted),
        ("exchange_transposes", x_w_y, lopsided),
    ],
)
def test_a_planted_fault_is_found_and_right_code_passes(name, operation, faulty):
    assert failing(name, operation, faulty)
    assert not failing(name, operation, operation.definition)


def test_a_vector_shared_by_all_samples_breaks_the_document_s_batch():
    def first_vector(a, b):
        return a @ b[0] if len(b) else a.sum(2)

    assert failing("agreement", dot_axes_vector, first_vector)
    assert not failing("product_of_the_document", dot_axes_vector, first_vector)  # the document's vectors are equal
