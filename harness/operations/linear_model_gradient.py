"""Gradient of a linear model: cost = Σ (xW + b − y)²/(2n), half the mean squared error.

Differences of the cost are no implementation here but a property, `slope_of_the_cost`, since they lose half the digits.
`gram_matrix` may come out unstable, and then is: it subtracts sums of products that are far larger than the residuals.

Sources: docs/sources.md#gradient-of-a-linear-model.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.dtypes import WIDE
from harness.declare.structure import RandomSource, typical


@typical
def model_weights(stream: RandomSource) -> Any:
    """Weights of norm about 1, so that predictions are as large as the inputs."""
    return stream.normal() / np.sqrt(stream.shape[-1])


@operation(sizes={"samples": (1, 257), "inputs": (1, 65)})
def linear_model_gradient(
    x: Float[Tensor, "samples inputs"],
    W: Annotated[Float[Tensor, "inputs"], model_weights],
    b: Float[Tensor, "1"],
    y: Float[Tensor, "samples"],
) -> tuple[Float[Tensor, "inputs"], Float[Tensor, "1"]]:
    """The gradient (dW, db) of Σ r²/(2n), r = xW + b − y: dW = Σ r x/n, db = Σ r/n (claims gradient.weights, .bias).

    x: (samples, inputs), one input in S1; W: (inputs,); b: (1,); y: (samples,). Residuals are divided before they are
    added up, so that no sum leaves the range of a short float.
    """
    r = (x @ W + b - y) / len(y)
    return r @ x, r.sum(0, keepdim=True)


@linear_model_gradient.in_extended_precision
def long_gradient(x, W, b, y):
    """The same maths on long doubles."""
    r = (x @ W + b - y) / len(y)
    return r @ x, r.sum(keepdims=True)


@linear_model_gradient.implementation(backend="torch")
def autograd(x, W, b, y):
    """torch's autograd through the cost as S1 writes it, asked for W and b in this order."""
    return _asked_of_autograd(lambda W, b: ((x @ W + b - y) ** 2).sum() / (2 * len(y)), W, b)


@linear_model_gradient.implementation(backend="torch")
def torch_layers(x, W, b, y):
    """torch's autograd through torch.nn's linear layer and half its mean squared error."""
    functional = torch.nn.functional
    return _asked_of_autograd(lambda W, b: functional.mse_loss(functional.linear(x, W[None], b)[:, 0], y) / 2, W, b)


def _asked_of_autograd(cost, W, b):
    """The gradients of a cost, with a graph of their own where somebody differentiates them again."""
    differentiated = torch.is_grad_enabled()
    with torch.enable_grad():
        asked = [each if each.requires_grad else each.clone().requires_grad_() for each in (W, b)]
        return torch.autograd.grad(cost(*asked), asked, create_graph=differentiated)


@linear_model_gradient.implementation(backend="jax")
def jax_grad(x, W, b, y):
    """jax.grad of the cost."""
    return _compiled_grad()(W, b, x, y)


@lru_cache(maxsize=1)
def _compiled_grad():
    import jax

    return jax.jit(jax.grad(lambda W, b, x, y: ((x @ W + b - y) ** 2).sum() / (2 * len(y)), argnums=(0, 1)))


@linear_model_gradient.implementation(backend="numpy", dtypes=WIDE)
def gram_matrix(x, W, b, y):
    """The normal equations' form, GW − h with G = [x 1]ᵀ[x 1]/n and h = [x 1]ᵀy/n; unstable near a solution."""
    design = np.concatenate([x, np.ones_like(x[:, :1])], axis=1)
    gradient = design.T @ design / len(y) @ np.concatenate([W, b]) - design.T @ y / len(y)
    return gradient[:-1], gradient[-1:]
