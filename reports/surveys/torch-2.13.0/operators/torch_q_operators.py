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


@harness.operation
def quantile(x: Float[Tensor, "n d"], y: Annotated[Float[Tensor, "batch"], harness.within(0, 1)], dim: int = 0, keepdim: Literal[False] = False, interpolation: str = 'linear') -> Float[Tensor, "batch d"]:
    """What torch.quantile computes."""
    return torch.quantile(x, y, dim=dim, keepdim=keepdim, interpolation=interpolation)


quantile.implementation(quantile.definition, name="transformed")


@quantile.implementation(name="out", out="memory")
def quantile_out(x, y, dim, keepdim, interpolation, memory):
    torch.quantile(x, y, dim=dim, keepdim=keepdim, interpolation=interpolation, out=memory)


@quantile.implementation(name="decomposed")
def quantile_decomposed(x, y, dim, keepdim, interpolation):
    with Decomposed():
        return torch.quantile(x, y, dim=dim, keepdim=keepdim, interpolation=interpolation)


# x's axis 0 is always 2
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def qr(x: Float[Tensor, "2 5 5"]) -> tuple[Float[Tensor, "2 5 5"], Float[Tensor, "2 5 5"]]:
    """What torch.qr computes."""
    return torch.qr(x)


qr.implementation(qr.definition, name="transformed")


@qr.implementation(name="out", out="memory")
def qr_out(x, memory):
    torch.qr(x, out=memory)
