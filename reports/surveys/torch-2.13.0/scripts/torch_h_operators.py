"""Operators of torch 2.13.0, as example calls of them tell. Written by `harness survey`."""

from math import inf, nan
from typing import Annotated, Literal

import numpy
import scipy.special
import torch
import torch._refs
from jaxtyping import Bool, Complex, Float, Int, Int8, Int16, Int32, UInt8, UInt16, UInt32, UInt64
from torch import Tensor
from torch._decomp import core_aten_decompositions
from torch.utils._python_dispatch import TorchDispatchMode

import harness

DECOMPOSITIONS = core_aten_decompositions()


class Decomposed(TorchDispatchMode):
    """Calls what an operator is made of in its place, as exporters and compilers do."""

    @classmethod
    def _should_skip_dynamo(cls):
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func not in DECOMPOSITIONS:
            return func(*args, **(kwargs or {}))
        with self:
            return DECOMPOSITIONS[func](*args, **(kwargs or {}))


@harness.operation(differentiable=False)
def heaviside(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.heaviside computes."""
    return torch.heaviside(x, y)


heaviside.implementation(heaviside.definition, name="transformed")


@heaviside.implementation(name="out", out="memory")
def heaviside_out(x, y, memory):
    torch.heaviside(x, y, out=memory)


@heaviside.implementation(name="in_place", mutates="x")
def heaviside_in_place(x, y):
    torch.Tensor.heaviside_(x, y)


@heaviside.implementation(name="torch._refs.heaviside", forward_only=True)
def heaviside_torch__refs_heaviside(x, y):
    return torch._refs.heaviside(x, y)


@heaviside.implementation(name="decomposed")
def heaviside_decomposed(x, y):
    with Decomposed():
        return torch.heaviside(x, y)


@harness.operation(where=lambda n: n-3 > 0)
def hsplit(x: Float[Tensor, "batch n d"]) -> tuple[Float[Tensor, "batch 1 d"], Float[Tensor, "batch 1 d"], Float[Tensor, "batch 1 d"], Float[Tensor, "batch n-3 d"]]:
    """What torch.hsplit computes."""
    return torch.hsplit(x, [1, 2, 3])


hsplit.implementation(hsplit.definition, name="transformed")


@hsplit.implementation(name="torch._refs.hsplit", forward_only=True)
def hsplit_torch__refs_hsplit(x):
    return torch._refs.hsplit(x, [1, 2, 3])


@harness.operation
def hstack(x_0: Float[Tensor, "batch d"], x_1: Float[Tensor, "batch n"], x_2: Float[Tensor, "batch m"]) -> Float[Tensor, "batch d+n+m"]:
    """What torch.hstack computes."""
    return torch.hstack((x_0, x_1, x_2))


hstack.implementation(hstack.definition, name="transformed")


@hstack.implementation(name="out", out="memory")
def hstack_out(x_0, x_1, x_2, memory):
    torch.hstack((x_0, x_1, x_2), out=memory)


@hstack.implementation(name="torch._refs.hstack", forward_only=True)
def hstack_torch__refs_hstack(x_0, x_1, x_2):
    return torch._refs.hstack((x_0, x_1, x_2))


@hstack.implementation(name="decomposed")
def hstack_decomposed(x_0, x_1, x_2):
    with Decomposed():
        return torch.hstack((x_0, x_1, x_2))


@harness.operation
def hypot(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.hypot computes."""
    return torch.hypot(x, y)


hypot.implementation(hypot.definition, name="transformed")


@hypot.implementation(name="out", out="memory")
def hypot_out(x, y, memory):
    torch.hypot(x, y, out=memory)


@hypot.implementation(name="in_place", mutates="x")
def hypot_in_place(x, y):
    torch.Tensor.hypot_(x, y)


@hypot.implementation(name="torch._refs.hypot", forward_only=True)
def hypot_torch__refs_hypot(x, y):
    return torch._refs.hypot(x, y)


@harness.operation(where=lambda k: k-1 > 0, differentiable=False)
def histogram(x: Float[Tensor, "n m d"], y: Float[Tensor, "k"], weight: Float[Tensor, "n m d"], density: Literal[False] = False) -> tuple[Float[Tensor, "k-1"], Float[Tensor, "k"]]:
    """What torch.histogram computes."""
    return torch.histogram(x, y, weight=weight, density=density)


histogram.implementation(histogram.definition, name="transformed")


@histogram.implementation(name="out", out="memory")
def histogram_out(x, y, weight, density, memory):
    torch.histogram(x, y, weight=weight, density=density, out=memory)


@harness.operation(differentiable=False)
def histc(x: Float[Tensor, "n m d"], bins: int = 1, min: int = 0, max: int = 10) -> Float[Tensor, "1"]:
    """What torch.histc computes."""
    return torch.histc(x, bins=bins, min=min, max=max)


histc.implementation(histc.definition, name="transformed")


@histc.implementation(name="out", out="memory")
def histc_out(x, bins, min, max, memory):
    torch.histc(x, bins=bins, min=min, max=max, out=memory)


@harness.operation(differentiable=False)
def hash_tensor(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> UInt64[Tensor, "1 d"]:
    """What torch.hash_tensor computes."""
    return torch.hash_tensor(x, dim=dim, keepdim=keepdim)


hash_tensor.implementation(hash_tensor.definition, name="transformed")


@hash_tensor.implementation(name="out", out="memory")
def hash_tensor_out(x, dim, keepdim, memory):
    torch.hash_tensor(x, dim=dim, keepdim=keepdim, out=memory)
