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
def fmax(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.fmax computes."""
    return torch.fmax(x, y)


fmax.implementation(fmax.definition, name="transformed")


@fmax.implementation(name="out", out="memory")
def fmax_out(x, y, memory):
    torch.fmax(x, y, out=memory)


@fmax.implementation(name="torch._refs.fmax", forward_only=True)
def fmax_torch__refs_fmax(x, y):
    return torch._refs.fmax(x, y)


@harness.operation
def fmin(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.fmin computes."""
    return torch.fmin(x, y)


fmin.implementation(fmin.definition, name="transformed")


@fmin.implementation(name="out", out="memory")
def fmin_out(x, y, memory):
    torch.fmin(x, y, out=memory)


@fmin.implementation(name="torch._refs.fmin", forward_only=True)
def fmin_torch__refs_fmin(x, y):
    return torch._refs.fmin(x, y)


@harness.operation
def fmod(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.fmod computes."""
    return torch.fmod(x, y)


fmod.implementation(fmod.definition, name="transformed")


@fmod.implementation(name="out", out="memory")
def fmod_out(x, y, memory):
    torch.fmod(x, y, out=memory)


@fmod.implementation(name="in_place", mutates="x")
def fmod_in_place(x, y):
    torch.Tensor.fmod_(x, y)


@fmod.implementation(name="torch._refs.fmod", forward_only=True)
def fmod_torch__refs_fmod(x, y):
    return torch._refs.fmod(x, y)


@fmod.implementation(name="numpy.fmod", backend="numpy")
def fmod_numpy_fmod(x, y):
    return numpy.fmod(x, y)


@harness.operation
def frac(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.frac computes."""
    return torch.frac(x)


frac.implementation(frac.definition, name="transformed")


@frac.implementation(name="out", out="memory")
def frac_out(x, memory):
    torch.frac(x, out=memory)


@frac.implementation(name="in_place", mutates="x")
def frac_in_place(x):
    torch.Tensor.frac_(x)


@frac.implementation(name="torch._refs.frac", forward_only=True)
def frac_torch__refs_frac(x):
    return torch._refs.frac(x)


@frac.implementation(name="decomposed")
def frac_decomposed(x):
    with Decomposed():
        return torch.frac(x)


@harness.operation
def floor(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.floor computes."""
    return torch.floor(x)


floor.implementation(floor.definition, name="transformed")


@floor.implementation(name="out", out="memory")
def floor_out(x, memory):
    torch.floor(x, out=memory)


@floor.implementation(name="in_place", mutates="x")
def floor_in_place(x):
    torch.Tensor.floor_(x)


@floor.implementation(name="torch._refs.floor", forward_only=True)
def floor_torch__refs_floor(x):
    return torch._refs.floor(x)


@floor.implementation(name="numpy.floor", backend="numpy")
def floor_numpy_floor(x):
    return numpy.floor(x)


@harness.operation
def flip(x: Float[Tensor, "n m d"]) -> Float[Tensor, "n m d"]:
    """What torch.flip computes."""
    return torch.flip(x, dims=(0, 1, 2))


flip.implementation(flip.definition, name="transformed")


@flip.implementation(name="torch._refs.flip", forward_only=True)
def flip_torch__refs_flip(x):
    return torch._refs.flip(x, dims=(0, 1, 2))


@harness.operation
def fliplr(x: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.fliplr computes."""
    return torch.fliplr(x)


fliplr.implementation(fliplr.definition, name="transformed")


@fliplr.implementation(name="torch._refs.fliplr", forward_only=True)
def fliplr_torch__refs_fliplr(x):
    return torch._refs.fliplr(x)


@harness.operation
def flipud(x: Float[Tensor, "n m d"]) -> Float[Tensor, "n m d"]:
    """What torch.flipud computes."""
    return torch.flipud(x)


flipud.implementation(flipud.definition, name="transformed")


@flipud.implementation(name="torch._refs.flipud", forward_only=True)
def flipud_torch__refs_flipud(x):
    return torch._refs.flipud(x)


@harness.operation(differentiable=False)
def floor_divide(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.floor_divide computes."""
    return torch.floor_divide(x, y)


floor_divide.implementation(floor_divide.definition, name="transformed")


@floor_divide.implementation(name="out", out="memory")
def floor_divide_out(x, y, memory):
    torch.floor_divide(x, y, out=memory)


@floor_divide.implementation(name="in_place", mutates="x")
def floor_divide_in_place(x, y):
    torch.Tensor.floor_divide_(x, y)


@floor_divide.implementation(name="torch._refs.floor_divide", forward_only=True)
def floor_divide_torch__refs_floor_divide(x, y):
    return torch._refs.floor_divide(x, y)


@floor_divide.implementation(name="decomposed")
def floor_divide_decomposed(x, y):
    with Decomposed():
        return torch.floor_divide(x, y)


@harness.operation
def frexp(x: Float[Tensor, "batch"]) -> tuple[Float[Tensor, "batch"], Int32[Tensor, "batch"]]:
    """What torch.frexp computes."""
    return torch.frexp(x)


frexp.implementation(frexp.definition, name="transformed")


@frexp.implementation(name="out", out="memory")
def frexp_out(x, memory):
    torch.frexp(x, out=memory)


@frexp.implementation(name="torch._refs.frexp", forward_only=True)
def frexp_torch__refs_frexp(x):
    return torch._refs.frexp(x)


@frexp.implementation(name="numpy.frexp", backend="numpy")
def frexp_numpy_frexp(x):
    return numpy.frexp(x)


@harness.operation
def float_power(x: Annotated[Float[Tensor, "batch n d"], harness.positive], y: Float[Tensor, "batch n d"]) -> Annotated[Float[Tensor, "batch n d"], harness.dtype('float64')]:
    """What torch.float_power computes."""
    return torch.float_power(x, y)


float_power.implementation(float_power.definition, name="transformed")


@float_power.implementation(name="out", out="memory")
def float_power_out(x, y, memory):
    torch.float_power(x, y, out=memory)


@float_power.implementation(name="torch._refs.float_power", forward_only=True)
def float_power_torch__refs_float_power(x, y):
    return torch._refs.float_power(x, y)


@float_power.implementation(name="numpy.float_power", backend="numpy")
def float_power_numpy_float_power(x, y):
    return numpy.float_power(x, y)


@harness.operation
def flatten(x: Float[Tensor, "batch n d"], start_dim: int = 1, end_dim: int = -1) -> Float[Tensor, "batch n*d"]:
    """What torch.flatten computes."""
    return torch.flatten(x, start_dim=start_dim, end_dim=end_dim)


flatten.implementation(flatten.definition, name="transformed")


@flatten.implementation(name="torch._refs.flatten", forward_only=True)
def flatten_torch__refs_flatten(x, start_dim, end_dim):
    return torch._refs.flatten(x, start_dim=start_dim, end_dim=end_dim)


@harness.operation(differentiable=False)
def full_like(x: Float[Tensor, "batch"], y: float = -2.400455951690674, device: str = 'cpu') -> Annotated[Float[Tensor, "batch"], harness.dtype('float32')]:
    """What torch.full_like computes."""
    return torch.full_like(x, y, dtype=torch.float32, device=device)


full_like.implementation(full_like.definition, name="transformed")


@harness.operation
def fill(x: Float[Tensor, "batch"], value: Literal[True] = True) -> Float[Tensor, "batch"]:
    """What torch.fill computes."""
    return torch.fill(x, value=value)


fill.implementation(fill.definition, name="transformed")


@fill.implementation(name="in_place", mutates="x")
def fill_in_place(x, value):
    torch.Tensor.fill_(x, value=value)


@fill.implementation(name="torch._refs.fill", forward_only=True)
def fill_torch__refs_fill(x, value):
    return torch._refs.fill(x, value=value)


@fill.implementation(name="decomposed")
def fill_decomposed(x, value):
    with Decomposed():
        return torch.fill(x, value=value)
