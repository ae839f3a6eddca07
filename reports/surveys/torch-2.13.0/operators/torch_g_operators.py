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
def ge(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Bool[Tensor, "batch n d"]:
    """What torch.ge computes."""
    return torch.ge(x, y)


ge.implementation(ge.definition, name="transformed")


@ge.implementation(name="out", out="memory")
def ge_out(x, y, memory):
    torch.ge(x, y, out=memory)


@ge.implementation(name="torch._refs.ge", forward_only=True)
def ge_torch__refs_ge(x, y):
    return torch._refs.ge(x, y)


@ge.implementation(name="numpy.greater_equal", backend="numpy")
def ge_numpy_greater_equal(x, y):
    return numpy.greater_equal(x, y)


# x's axis 0 is always 2
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation(differentiable=False)
def geqrf(x: Float[Tensor, "2 5 5"]) -> tuple[Float[Tensor, "2 5 5"], Float[Tensor, "2 5"]]:
    """What torch.geqrf computes."""
    return torch.geqrf(x)


geqrf.implementation(geqrf.definition, name="transformed")


@geqrf.implementation(name="out", out="memory")
def geqrf_out(x, memory):
    torch.geqrf(x, out=memory)


@harness.operation(differentiable=False)
def gt(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Bool[Tensor, "batch n d"]:
    """What torch.gt computes."""
    return torch.gt(x, y)


gt.implementation(gt.definition, name="transformed")


@gt.implementation(name="out", out="memory")
def gt_out(x, y, memory):
    torch.gt(x, y, out=memory)


@gt.implementation(name="torch._refs.gt", forward_only=True)
def gt_torch__refs_gt(x, y):
    return torch._refs.gt(x, y)


@gt.implementation(name="numpy.greater", backend="numpy")
def gt_numpy_greater(x, y):
    return numpy.greater(x, y)


@harness.operation(sizes={'n': (3, 1025), 'd': (3, 1025)})
def gradient(x: Float[Tensor, "n d"], edge_order: int = 2) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
    """What torch.gradient computes."""
    return torch.gradient(x, dim=None, spacing=None, edge_order=edge_order)


gradient.implementation(gradient.definition, name="transformed")


@gradient.implementation(name="decomposed")
def gradient_decomposed(x, edge_order):
    with Decomposed():
        return torch.gradient(x, dim=None, spacing=None, edge_order=edge_order)


@harness.operation(differentiable=False)
def gcd(x: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)], y: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)]) -> Int[Tensor, "batch n d"]:
    """What torch.gcd computes."""
    return torch.gcd(x, y)


gcd.implementation(gcd.definition, name="transformed")


@gcd.implementation(name="out", out="memory")
def gcd_out(x, y, memory):
    torch.gcd(x, y, out=memory)


@gcd.implementation(name="in_place", mutates="x")
def gcd_in_place(x, y):
    torch.Tensor.gcd_(x, y)


@gcd.implementation(name="torch._refs.gcd", forward_only=True)
def gcd_torch__refs_gcd(x, y):
    return torch._refs.gcd(x, y)


@gcd.implementation(name="numpy.gcd", backend="numpy")
def gcd_numpy_gcd(x, y):
    return numpy.gcd(x, y)


@harness.operation
def gather(x: Float[Tensor, "n d"], z: Annotated[Int[Tensor, "batch d"], harness.below('n')], y: int = 0) -> Float[Tensor, "batch d"]:
    """What torch.gather computes."""
    return torch.gather(x, y, z)


gather.implementation(gather.definition, name="transformed")


@gather.implementation(name="out", out="memory")
def gather_out(x, z, y, memory):
    torch.gather(x, y, z, out=memory)


# y's axis 3 is always 2
@harness.operation
def grid_sampler_2d(x: Float[Tensor, "batch n m d"], y: Float[Tensor, "batch k p 2"], z: int = 0, u: int = 0, v: Literal[False] = False) -> Float[Tensor, "batch n k p"]:
    """What torch.grid_sampler_2d computes."""
    return torch.grid_sampler_2d(x, y, z, u, v)


grid_sampler_2d.implementation(grid_sampler_2d.definition, name="transformed")


# y's axis 4 is always 3
@harness.operation
def grid_sampler_3d(x: Float[Tensor, "batch n m k d"], y: Float[Tensor, "batch p q r 3"], z: int = 0, u: int = 0, v: Literal[False] = False) -> Float[Tensor, "batch n p q r"]:
    """What torch.grid_sampler_3d computes."""
    return torch.grid_sampler_3d(x, y, z, u, v)


grid_sampler_3d.implementation(grid_sampler_3d.definition, name="transformed")
