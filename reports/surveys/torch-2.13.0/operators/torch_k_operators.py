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


@harness.operation(sizes={'n': (2, 1025)})
def kthvalue(x: Float[Tensor, "batch n d"], y: int = 2, z: int = 1, u: Literal[True] = True) -> tuple[Float[Tensor, "batch 1 d"], Annotated[Int[Tensor, "batch 1 d"], harness.picks('x', -2)]]:
    """What torch.kthvalue computes."""
    return torch.kthvalue(x, y, z, u)


kthvalue.implementation(kthvalue.definition, name="transformed")


@kthvalue.implementation(name="out", out="memory")
def kthvalue_out(x, y, z, u, memory):
    torch.kthvalue(x, y, z, u, out=memory)


@harness.operation
def kron(x: Float[Tensor, "n d"], y: Float[Tensor, "m k"]) -> Float[Tensor, "n*m d*k"]:
    """What torch.kron computes."""
    return torch.kron(x, y)


kron.implementation(kron.definition, name="transformed")


@kron.implementation(name="out", out="memory")
def kron_out(x, y, memory):
    torch.kron(x, y, out=memory)


@kron.implementation(name="decomposed")
def kron_decomposed(x, y):
    with Decomposed():
        return torch.kron(x, y)
