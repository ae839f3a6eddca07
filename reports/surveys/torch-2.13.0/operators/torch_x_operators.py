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
def xlogy(x: Float[Tensor, "batch n d"], y: Annotated[Float[Tensor, "batch n d"], harness.positive]) -> Float[Tensor, "batch n d"]:
    """What torch.xlogy computes."""
    return torch.xlogy(x, y)


xlogy.implementation(xlogy.definition, name="transformed")


@xlogy.implementation(name="out", out="memory")
def xlogy_out(x, y, memory):
    torch.xlogy(x, y, out=memory)


@xlogy.implementation(name="in_place", mutates="x")
def xlogy_in_place(x, y):
    torch.Tensor.xlogy_(x, y)


@xlogy.implementation(name="torch._refs.xlogy", forward_only=True)
def xlogy_torch__refs_xlogy(x, y):
    return torch._refs.xlogy(x, y)


@xlogy.implementation(name="decomposed")
def xlogy_decomposed(x, y):
    with Decomposed():
        return torch.xlogy(x, y)
