"""Small operations, as somebody writes them who tries a new device."""

import torch
from jaxtyping import Float
from torch import Tensor

import harness

_SIZES = {"batch": (0, 33), "d": (1, 65)}


@harness.operation(sizes={**_SIZES, "k": (1, 33)})
def product(x: Float[Tensor, "batch d"], w: Float[Tensor, "d k"]) -> Float[Tensor, "batch k"]:
    """A matrix product."""
    return x @ w


@product.implementation
def product_by_torch(x, w):
    return torch.matmul(x, w)


@harness.operation(sizes=_SIZES)
def softmax(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """The exponentials of a row over their sum."""
    return x.softmax(-1)


@softmax.implementation
def softmax_by_torch(x):
    return torch.softmax(x, -1)


@harness.operation(sizes=_SIZES)
def centred(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What is left of a row without its mean."""
    return x - x.mean(-1, keepdim=True)


@centred.implementation
def centred_by_torch(x):
    return x.sub(x.mean(-1, keepdim=True))


@harness.operation(sizes={"batch": (0, 9), "time": (1, 257)})
def running(x: Float[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
    """Running sums."""
    return x.cumsum(-1)


@running.implementation
def running_by_torch(x):
    return torch.cumsum(x, -1)


@harness.operation(sizes=_SIZES)
def gated(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """A rectified number times a squashed one."""
    return x.relu() * y.tanh()


@gated.implementation
def gated_by_torch(x, y):
    return torch.relu(x).mul(torch.tanh(y))


OPERATIONS = (product, softmax, centred, running, gated)
