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
def outer(x: Float[Tensor, "batch"], y: Float[Tensor, "n"]) -> Float[Tensor, "batch n"]:
    """What torch.outer computes."""
    return torch.outer(x, y)


outer.implementation(outer.definition, name="transformed")


@outer.implementation(name="out", out="memory")
def outer_out(x, y, memory):
    torch.outer(x, y, out=memory)


# y's axis 1 is always 5
@harness.operation(sizes={'n': (5, 1025), 'd': (5, 1025)})
def ormqr(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch 5"], z: Float[Tensor, "batch n m"], left: Literal[True] = True, transpose: Literal[True] = True) -> Float[Tensor, "batch n m"]:
    """What torch.ormqr computes."""
    return torch.ormqr(x, y, z, left=left, transpose=transpose)


ormqr.implementation(ormqr.definition, name="transformed")


@ormqr.implementation(name="out", out="memory")
def ormqr_out(x, y, z, left, transpose, memory):
    torch.ormqr(x, y, z, left=left, transpose=transpose, out=memory)


@harness.operation(differentiable=False)
def ones_like(x: Float[Tensor, "batch"], device: str = 'cpu') -> Annotated[Float[Tensor, "batch"], harness.dtype('float32')]:
    """What torch.ones_like computes."""
    return torch.ones_like(x, dtype=torch.float32, device=device)


ones_like.implementation(ones_like.definition, name="transformed")


@ones_like.implementation(name="decomposed")
def ones_like_decomposed(x, device):
    with Decomposed():
        return torch.ones_like(x, dtype=torch.float32, device=device)
