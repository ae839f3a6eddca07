"""What the document says of keras' Dot, and of x W yᵀ in a layer."""

import numpy as np
from harness.properties.claims.sources import S4

import harness
from harness import Claim, claim

ALL = ("dot_axes", "dot_axes_vector", "x_w_y")

HELD = (
    Claim(
        "contraction.example",
        S4,
        "Dot with axes (2, 1) of 0 to 15 as (2, 2, 4) and [1, 2, 3, 4] twice gives [[20, 60], [100, 140]].",
        of="dot_axes_vector",
        by=("product_of_the_document",),
    ),
    Claim(
        "contraction.batches",
        S4,
        "Both inputs must have the same batch size: [1, 2, 3, 4] is given once for every sample.",
        of=ALL,
        by=("batch_mismatch_is_refused",),
    ),
    Claim(
        "contraction.batch-dot",
        S4,
        "batch_dot(x·W, permute(y), axes=[2, 1]) and Dot(axes=-1) of x·W and y are x W yᵀ, of shape (?, 8, 10).",
        of=("dot_axes", "x_w_y"),
        by=("agreement",),
    ),
    Claim(
        "contraction.diagonal",
        S4,
        "x W yᵀ with W as a diagonal matrix is the dot product of weighted x and y.",
        of="x_w_y",
        by=("diagonal_is_weights",),
    ),
    Claim(
        "contraction.bilinear",
        S4,
        "The result is linear in each factor.",
        of=ALL,
        by=("linear_in_every_factor", "superposition"),
    ),
    Claim("contraction.ones", S4, "With W = 1 it is Dot.", of="x_w_y", by=("weights_of_one_are_dot",)),
    Claim(
        "contraction.symmetry",
        S4,
        "x and y exchanged give the transposed result.",
        of=("dot_axes", "x_w_y"),
        by=("exchange_transposes",),
    ),
)


@claim(
    "contraction.vector-shape",
    S4,
    of="dot_axes_vector",
    instead="it has the shape (4,), one axis and no batch, which is why keras refuses it; np.array([[1, 2, 3, 4]]) has (1, 4)",
)
def list_has_a_batch(dot_axes_vector, case):
    """np.array([1, 2, 3, 4]) has the shape (1, 4): a list of k numbers makes a batch of one vector."""
    if not case.sizes["batch"]:
        return
    made = np.array(case.tensors["b"][0].tolist())
    wanted = (1, case.sizes["k"])
    yield harness.holds(f"the shape {made.shape} is {wanted}", made.shape == wanted, case)


@claim(
    "contraction.k-dot",
    S4,
    of="x_w_y",
    instead="dot sums over the last axis of one and the last but one of the other for every pair of samples: (?, 8, ?, 10)",
)
def dot_of_batches(x_w_y, case):
    """dot(x·W, permute(y)) is x W yᵀ sample by sample, of shape (?, 8, 10)."""
    (result,) = x_w_y(case)
    x, w, y = (case.tensors[name].numpy() for name in ("x", "w", "y"))
    # numpy's dot, by which keras' is documented; keras on torch computed matmul instead (keras-team/keras#23248).
    shape = np.dot(x * w, y.transpose(0, 2, 1)).shape
    yield harness.holds(f"the shape {shape} is {tuple(result.shape)}", shape == tuple(result.shape), case)


@claim(
    "contraction.keras-float64",
    S4,
    of="dot_axes",
    implementations=("keras_dot",),
    instead="keras rounds float64 to float32, also in a layer of dtype float64; Dot keeps half of the digits",
)
def keras_keeps_float64(keras_dot, case):
    """keras' Dot computes in the precision of its inputs."""
    (result,) = keras_dot(case)
    part = harness.reference(case).parts[0]
    yield harness.close("keras' Dot of float64", result, part.expected, case, like=part)
