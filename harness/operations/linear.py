"""Linear layer: x Wᵀ + b.

Sources: docs/sources.md#linear-layer.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation


@operation
def linear(
    x: Float[Tensor, "batch inputs"], W: Float[Tensor, "outputs inputs"], b: Float[Tensor, "outputs"]
) -> Float[Tensor, "batch outputs"]:
    """The affine map x Wᵀ + b of every row (claims linear.parameters-no-batch, linear.batch-invariance).

    x: (batch, inputs); W: (outputs, inputs); b: (outputs,). The parameters do not depend on the batch.
    """
    return x @ W.mT + b


@linear.workload(
    sizes={"batch": 64, "inputs": 256, "outputs": 256},
    ladder={"batch": (1, 8, 64, 512), "inputs": (16, 64, 256, 1024), "outputs": (16, 64, 256, 1024)},
)
def linear_cost(batch: int, inputs: int, outputs: int) -> int:
    """A multiplication and an addition for each entry of W and each row."""
    return 2 * batch * inputs * outputs


@linear.in_extended_precision
def long_double(x, W, b):
    """The same maths on long doubles."""
    return x @ W.T + b


@linear.implementation(backend="torch")
def torch_linear(x, W, b):
    """torch.nn.functional.linear."""
    return torch.nn.functional.linear(x, W, b)


@linear.implementation(backend="torch")
def broadcast_sum(x, W, b):
    """Products summed along the last axis, without a matrix product."""
    return (x[:, None, :] * W).sum(-1) + b


@linear.implementation(backend="numpy")
def einsum(x, W, b):
    """numpy's einsum."""
    return np.einsum("bi,oi->bo", x, W) + b


@linear.implementation(backend="keras", dtypes=(torch.float32,))
def keras_dense(x, W, b):
    """keras' Dense layer; float32 alone, since keras rounds float64 inputs to float32."""
    import keras

    layer = keras.layers.Dense(W.shape[0], dtype=str(x.dtype))
    layer.build((None, x.shape[1]))
    layer.set_weights([W.T, b])
    return layer(x)


def split_for_one_row(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """The layer by a kernel that sums in another order for a single row: in two halves, to keep more of a machine busy.

    Libraries have such kernels, and take them where they like; here the order of every addition is written out, so that
    the bits differ on any machine.
    """
    products = list((x[:, None, :] * W).unbind(-1))
    if len(x) == 1 and len(products) > 1:
        middle = (len(products) + 1) // 2
        return _one_after_another(products[:middle]) + _one_after_another(products[middle:]) + b
    return _one_after_another(products) + b


def _one_after_another(products: list[Tensor]) -> Tensor:
    total = products[0]
    for each in products[1:]:
        total = total + each
    return total
