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
def resolve_conj(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.resolve_conj computes."""
    return torch.resolve_conj(x)


resolve_conj.implementation(resolve_conj.definition, name="transformed")


@harness.operation
def resolve_neg(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.resolve_neg computes."""
    return torch.resolve_neg(x)


resolve_neg.implementation(resolve_neg.definition, name="transformed")


@harness.operation
def remainder(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.remainder computes."""
    return torch.remainder(x, y)


remainder.implementation(remainder.definition, name="transformed")


@remainder.implementation(name="out", out="memory")
def remainder_out(x, y, memory):
    torch.remainder(x, y, out=memory)


@remainder.implementation(name="in_place", mutates="x")
def remainder_in_place(x, y):
    torch.Tensor.remainder_(x, y)


@remainder.implementation(name="torch._refs.remainder", forward_only=True)
def remainder_torch__refs_remainder(x, y):
    return torch._refs.remainder(x, y)


@remainder.implementation(name="numpy.remainder", backend="numpy")
def remainder_numpy_remainder(x, y):
    return numpy.remainder(x, y)


@harness.operation
def rad2deg(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.rad2deg computes."""
    return torch.rad2deg(x)


rad2deg.implementation(rad2deg.definition, name="transformed")


@rad2deg.implementation(name="out", out="memory")
def rad2deg_out(x, memory):
    torch.rad2deg(x, out=memory)


@rad2deg.implementation(name="in_place", mutates="x")
def rad2deg_in_place(x):
    torch.Tensor.rad2deg_(x)


@rad2deg.implementation(name="torch._refs.rad2deg", forward_only=True)
def rad2deg_torch__refs_rad2deg(x):
    return torch._refs.rad2deg(x)


@rad2deg.implementation(name="numpy.degrees", backend="numpy")
def rad2deg_numpy_degrees(x):
    return numpy.degrees(x)


@rad2deg.implementation(name="decomposed")
def rad2deg_decomposed(x):
    with Decomposed():
        return torch.rad2deg(x)


@harness.operation
def real(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.real computes."""
    return torch.real(x)


real.implementation(real.definition, name="transformed")


@real.implementation(name="torch._refs.real", forward_only=True)
def real_torch__refs_real(x):
    return torch._refs.real(x)


@real.implementation(name="numpy.real", backend="numpy")
def real_numpy_real(x):
    return numpy.real(x)


@harness.operation
def roll(x: Float[Tensor, "batch n d"], y: int = 0, z: int = 0) -> Float[Tensor, "batch n d"]:
    """What torch.roll computes."""
    return torch.roll(x, y, z)


roll.implementation(roll.definition, name="transformed")


@roll.implementation(name="torch._refs.roll", forward_only=True)
def roll_torch__refs_roll(x, y, z):
    return torch._refs.roll(x, y, z)


@roll.implementation(name="numpy.roll", backend="numpy")
def roll_numpy_roll(x, y, z):
    return numpy.roll(x, y, z)


@roll.implementation(name="decomposed")
def roll_decomposed(x, y, z):
    with Decomposed():
        return torch.roll(x, y, z)


@harness.operation
def rot90(x: Float[Tensor, "n m d"], y: int = -5) -> Float[Tensor, "m n d"]:
    """What torch.rot90 computes."""
    return torch.rot90(x, y, (0, 1))


rot90.implementation(rot90.definition, name="transformed")


@rot90.implementation(name="torch._refs.rot90", forward_only=True)
def rot90_torch__refs_rot90(x, y):
    return torch._refs.rot90(x, y, (0, 1))


@rot90.implementation(name="decomposed")
def rot90_decomposed(x, y):
    with Decomposed():
        return torch.rot90(x, y, (0, 1))


@harness.operation
def round(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.round computes."""
    return torch.round(x)


round.implementation(round.definition, name="transformed")


@round.implementation(name="out", out="memory")
def round_out(x, memory):
    torch.round(x, out=memory)


@round.implementation(name="in_place", mutates="x")
def round_in_place(x):
    torch.Tensor.round_(x)


@round.implementation(name="torch._refs.round", forward_only=True)
def round_torch__refs_round(x):
    return torch._refs.round(x)


@round.implementation(name="numpy.round", backend="numpy")
def round_numpy_round(x):
    return numpy.round(x)


@harness.operation
def round_decimals_0(x: Float[Tensor, "batch"], decimals: int = 0) -> Float[Tensor, "batch"]:
    """What torch.round computes."""
    return torch.round(x, decimals=decimals)


round_decimals_0.implementation(round_decimals_0.definition, name="transformed")


@round_decimals_0.implementation(name="out", out="memory")
def round_decimals_0_out(x, decimals, memory):
    torch.round(x, decimals=decimals, out=memory)


@round_decimals_0.implementation(name="in_place", mutates="x")
def round_decimals_0_in_place(x, decimals):
    torch.Tensor.round_(x, decimals=decimals)


@round_decimals_0.implementation(name="numpy.round", backend="numpy")
def round_decimals_0_numpy_round(x, decimals):
    return numpy.round(x, decimals=decimals)


@harness.operation
def round_decimals_3(x: Float[Tensor, "batch"], decimals: int = 3) -> Float[Tensor, "batch"]:
    """What torch.round computes."""
    return torch.round(x, decimals=decimals)


round_decimals_3.implementation(round_decimals_3.definition, name="transformed")


@round_decimals_3.implementation(name="out", out="memory")
def round_decimals_3_out(x, decimals, memory):
    torch.round(x, decimals=decimals, out=memory)


@round_decimals_3.implementation(name="in_place", mutates="x")
def round_decimals_3_in_place(x, decimals):
    torch.Tensor.round_(x, decimals=decimals)


@round_decimals_3.implementation(name="numpy.round", backend="numpy")
def round_decimals_3_numpy_round(x, decimals):
    return numpy.round(x, decimals=decimals)


@harness.operation
def round_decimals_neg_3(x: Float[Tensor, "batch"], decimals: int = -3) -> Float[Tensor, "batch"]:
    """What torch.round computes."""
    return torch.round(x, decimals=decimals)


round_decimals_neg_3.implementation(round_decimals_neg_3.definition, name="transformed")


@round_decimals_neg_3.implementation(name="out", out="memory")
def round_decimals_neg_3_out(x, decimals, memory):
    torch.round(x, decimals=decimals, out=memory)


@round_decimals_neg_3.implementation(name="in_place", mutates="x")
def round_decimals_neg_3_in_place(x, decimals):
    torch.Tensor.round_(x, decimals=decimals)


@round_decimals_neg_3.implementation(name="numpy.round", backend="numpy")
def round_decimals_neg_3_numpy_round(x, decimals):
    return numpy.round(x, decimals=decimals)


@harness.operation
def rsub(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], alpha: int = 2) -> Float[Tensor, "batch d"]:
    """What torch.rsub computes."""
    return torch.rsub(x, y, alpha=alpha)


rsub.implementation(rsub.definition, name="transformed")


@rsub.implementation(name="torch._refs.rsub", forward_only=True)
def rsub_torch__refs_rsub(x, y, alpha):
    return torch._refs.rsub(x, y, alpha=alpha)


@rsub.implementation(name="decomposed")
def rsub_decomposed(x, y, alpha):
    with Decomposed():
        return torch.rsub(x, y, alpha=alpha)


@harness.operation
def reciprocal(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.reciprocal computes."""
    return torch.reciprocal(x)


reciprocal.implementation(reciprocal.definition, name="transformed")


@reciprocal.implementation(name="out", out="memory")
def reciprocal_out(x, memory):
    torch.reciprocal(x, out=memory)


@reciprocal.implementation(name="in_place", mutates="x")
def reciprocal_in_place(x):
    torch.Tensor.reciprocal_(x)


@reciprocal.implementation(name="torch._refs.reciprocal", forward_only=True)
def reciprocal_torch__refs_reciprocal(x):
    return torch._refs.reciprocal(x)


@harness.operation
def rsqrt(x: Annotated[Float[Tensor, "batch"], harness.positive]) -> Float[Tensor, "batch"]:
    """What torch.rsqrt computes."""
    return torch.rsqrt(x)


rsqrt.implementation(rsqrt.definition, name="transformed")


@rsqrt.implementation(name="out", out="memory")
def rsqrt_out(x, memory):
    torch.rsqrt(x, out=memory)


@rsqrt.implementation(name="in_place", mutates="x")
def rsqrt_in_place(x):
    torch.Tensor.rsqrt_(x)


@rsqrt.implementation(name="torch._refs.rsqrt", forward_only=True)
def rsqrt_torch__refs_rsqrt(x):
    return torch._refs.rsqrt(x)


# x's axis 0 is always 5
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def ravel(x: Float[Tensor, "5 5 5"]) -> Float[Tensor, "125"]:
    """What torch.ravel computes."""
    return torch.ravel(x)


ravel.implementation(ravel.definition, name="transformed")


@ravel.implementation(name="torch._refs.ravel", forward_only=True)
def ravel_torch__refs_ravel(x):
    return torch._refs.ravel(x)


@ravel.implementation(name="numpy.ravel", backend="numpy")
def ravel_numpy_ravel(x):
    return numpy.ravel(x)


# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def reshape(x: Float[Tensor, "n 5 5"]) -> Float[Tensor, "25 n"]:
    """What torch.reshape computes."""
    return torch.reshape(x, (25, x.shape[0]))


reshape.implementation(reshape.definition, name="transformed")


@reshape.implementation(name="torch._refs.reshape", forward_only=True)
def reshape_torch__refs_reshape(x):
    return torch._refs.reshape(x, (25, x.shape[0]))


@harness.operation
def renorm(x: Float[Tensor, "n m d"], y: int = 2, z: int = 1, u: float = 0.5) -> Float[Tensor, "n m d"]:
    """What torch.renorm computes."""
    return torch.renorm(x, y, z, u)


renorm.implementation(renorm.definition, name="transformed")


@renorm.implementation(name="out", out="memory")
def renorm_out(x, y, z, u, memory):
    torch.renorm(x, y, z, u, out=memory)


@renorm.implementation(name="in_place", mutates="x")
def renorm_in_place(x, y, z, u):
    torch.Tensor.renorm_(x, y, z, u)


@renorm.implementation(name="torch._refs.renorm", forward_only=True)
def renorm_torch__refs_renorm(x, y, z, u):
    return torch._refs.renorm(x, y, z, u)


@renorm.implementation(name="decomposed")
def renorm_decomposed(x, y, z, u):
    with Decomposed():
        return torch.renorm(x, y, z, u)


# x's axis 0 is always 2
# x's axis 1 is always 3
# x's axis 2 is always 4
@harness.operation
def repeat_interleave(x: Float[Tensor, "2 3 4"], repeats: int = 2) -> Float[Tensor, "48"]:
    """What torch.repeat_interleave computes."""
    return torch.repeat_interleave(x, repeats=repeats)


repeat_interleave.implementation(repeat_interleave.definition, name="transformed")
