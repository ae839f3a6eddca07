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
def zeros_like(x: Float[Tensor, "batch"], device: str = 'cpu') -> Annotated[Float[Tensor, "batch"], harness.dtype('float32')]:
    """What torch.zeros_like computes."""
    return torch.zeros_like(x, dtype=torch.float32, device=device)


zeros_like.implementation(zeros_like.definition, name="transformed")


@zeros_like.implementation(name="decomposed")
def zeros_like_decomposed(x, device):
    with Decomposed():
        return torch.zeros_like(x, dtype=torch.float32, device=device)
