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
def positive(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.positive computes."""
    return torch.positive(x)


positive.implementation(positive.definition, name="transformed")


@positive.implementation(name="torch._refs.positive", forward_only=True)
def positive_torch__refs_positive(x):
    return torch._refs.positive(x)


@positive.implementation(name="numpy.positive", backend="numpy")
def positive_numpy_positive(x):
    return numpy.positive(x)


# x's axis 0 is always 1
@harness.operation
def permute(x: Float[Tensor, "1 n m d"]) -> Float[Tensor, "1 m d n"]:
    """What torch.permute computes."""
    return torch.permute(x, (0, 2, 3, 1))


permute.implementation(permute.definition, name="transformed")


@permute.implementation(name="torch._refs.permute", forward_only=True)
def permute_torch__refs_permute(x):
    return torch._refs.permute(x, (0, 2, 3, 1))


@permute.implementation(name="numpy.transpose", backend="numpy")
def permute_numpy_transpose(x):
    return numpy.transpose(x, (0, 2, 3, 1))


# x's axis 0 is always 1
@harness.operation
def permute_copy(x: Float[Tensor, "1 n m d"]) -> Float[Tensor, "1 m d n"]:
    """What torch.permute_copy computes."""
    return torch.permute_copy(x, (0, 2, 3, 1))


permute_copy.implementation(permute_copy.definition, name="transformed")


@permute_copy.implementation(name="out", out="memory")
def permute_copy_out(x, memory):
    torch.permute_copy(x, (0, 2, 3, 1), out=memory)


@permute_copy.implementation(name="torch._refs.permute_copy", forward_only=True)
def permute_copy_torch__refs_permute_copy(x):
    return torch._refs.permute_copy(x, (0, 2, 3, 1))


@harness.operation
def pow(x: Annotated[Float[Tensor, "batch n d"], harness.positive], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.pow computes."""
    return torch.pow(x, y)


pow.implementation(pow.definition, name="transformed")


@pow.implementation(name="out", out="memory")
def pow_out(x, y, memory):
    torch.pow(x, y, out=memory)


@pow.implementation(name="in_place", mutates="x")
def pow_in_place(x, y):
    torch.Tensor.pow_(x, y)


@pow.implementation(name="torch._refs.pow", forward_only=True)
def pow_torch__refs_pow(x, y):
    return torch._refs.pow(x, y)


@pow.implementation(name="numpy.power", backend="numpy")
def pow_numpy_power(x, y):
    return numpy.power(x, y)


@harness.operation
def polar(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Complex[Tensor, "batch n d"]:
    """What torch.polar computes."""
    return torch.polar(x, y)


polar.implementation(polar.definition, name="transformed")


@polar.implementation(name="out", out="memory")
def polar_out(x, y, memory):
    torch.polar(x, y, out=memory)


@polar.implementation(name="torch._refs._conversions.polar", forward_only=True)
def polar_torch__refs__conversions_polar(x, y):
    return torch._refs._conversions.polar(x, y)


@harness.operation
def pinverse(x: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch d n"]:
    """What torch.pinverse computes."""
    return torch.pinverse(x)


pinverse.implementation(pinverse.definition, name="transformed")


@pinverse.implementation(name="decomposed")
def pinverse_decomposed(x):
    with Decomposed():
        return torch.pinverse(x)


@harness.operation
def put(x: Float[Tensor, "n d"], y: Annotated[Int[Tensor, "m"], harness.below('n*d')], z: Float[Tensor, "m"], u: Literal[True] = True) -> Float[Tensor, "n d"]:
    """What torch.put computes."""
    return torch.put(x, y, z, u)


put.implementation(put.definition, name="transformed")


@put.implementation(name="in_place", mutates="x")
def put_in_place(x, y, z, u):
    torch.Tensor.put_(x, y, z, u)


@harness.operation
def prod(x: Float[Tensor, "batch n d"], y: int = 1, keepdim: Literal[True] = True) -> Annotated[Float[Tensor, "batch 1 d"], harness.dtype('float32')]:
    """What torch.prod computes."""
    return torch.prod(x, y, dtype=torch.float32, keepdim=keepdim)


prod.implementation(prod.definition, name="transformed")


@prod.implementation(name="torch._refs.prod", forward_only=True)
def prod_torch__refs_prod(x, y, keepdim):
    return torch._refs.prod(x, y, dtype=torch.float32, keepdim=keepdim)
