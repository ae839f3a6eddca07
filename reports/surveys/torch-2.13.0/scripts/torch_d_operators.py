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
def dot(x: Float[Tensor, "d"], y: Float[Tensor, "d"]) -> Float[Tensor, ""]:
    """What torch.dot computes."""
    return torch.dot(x, y)


dot.implementation(dot.definition, name="transformed")


@dot.implementation(name="out", out="memory")
def dot_out(x, y, memory):
    torch.dot(x, y, out=memory)


@dot.implementation(name="torch._refs.dot", forward_only=True)
def dot_torch__refs_dot(x, y):
    return torch._refs.dot(x, y)


@dot.implementation(name="decomposed")
def dot_decomposed(x, y):
    with Decomposed():
        return torch.dot(x, y)


@harness.operation
def deg2rad(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.deg2rad computes."""
    return torch.deg2rad(x)


deg2rad.implementation(deg2rad.definition, name="transformed")


@deg2rad.implementation(name="out", out="memory")
def deg2rad_out(x, memory):
    torch.deg2rad(x, out=memory)


@deg2rad.implementation(name="in_place", mutates="x")
def deg2rad_in_place(x):
    torch.Tensor.deg2rad_(x)


@deg2rad.implementation(name="torch._refs.deg2rad", forward_only=True)
def deg2rad_torch__refs_deg2rad(x):
    return torch._refs.deg2rad(x)


@deg2rad.implementation(name="numpy.radians", backend="numpy")
def deg2rad_numpy_radians(x):
    return numpy.radians(x)


@deg2rad.implementation(name="decomposed")
def deg2rad_decomposed(x):
    with Decomposed():
        return torch.deg2rad(x)


@harness.operation
def diff(x: Float[Tensor, "batch n d"], u: Float[Tensor, "batch n m"], v: Float[Tensor, "batch n k"], y: int = 0, z: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.diff computes."""
    return torch.diff(x, y, z, u, v)


diff.implementation(diff.definition, name="transformed")


@diff.implementation(name="out", out="memory")
def diff_out(x, u, v, y, z, memory):
    torch.diff(x, y, z, u, v, out=memory)


@diff.implementation(name="decomposed")
def diff_decomposed(x, u, v, y, z):
    with Decomposed():
        return torch.diff(x, y, z, u, v)


@harness.operation
def div_no_rounding_mode(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.div computes."""
    return torch.div(x, y)


div_no_rounding_mode.implementation(div_no_rounding_mode.definition, name="transformed")


@div_no_rounding_mode.implementation(name="out", out="memory")
def div_no_rounding_mode_out(x, y, memory):
    torch.div(x, y, out=memory)


@div_no_rounding_mode.implementation(name="in_place", mutates="x")
def div_no_rounding_mode_in_place(x, y):
    torch.Tensor.div_(x, y)


@div_no_rounding_mode.implementation(name="torch._refs.div", forward_only=True)
def div_no_rounding_mode_torch__refs_div(x, y):
    return torch._refs.div(x, y)


@harness.operation
def div_trunc_rounding(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"], rounding_mode: str = 'trunc') -> Float[Tensor, "batch n d"]:
    """What torch.div computes."""
    return torch.div(x, y, rounding_mode=rounding_mode)


div_trunc_rounding.implementation(div_trunc_rounding.definition, name="transformed")


@div_trunc_rounding.implementation(name="out", out="memory")
def div_trunc_rounding_out(x, y, rounding_mode, memory):
    torch.div(x, y, rounding_mode=rounding_mode, out=memory)


@div_trunc_rounding.implementation(name="in_place", mutates="x")
def div_trunc_rounding_in_place(x, y, rounding_mode):
    torch.Tensor.div_(x, y, rounding_mode=rounding_mode)


@div_trunc_rounding.implementation(name="torch._refs.div", forward_only=True)
def div_trunc_rounding_torch__refs_div(x, y, rounding_mode):
    return torch._refs.div(x, y, rounding_mode=rounding_mode)


@harness.operation
def div_floor_rounding(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"], rounding_mode: str = 'floor') -> Float[Tensor, "batch n d"]:
    """What torch.div computes."""
    return torch.div(x, y, rounding_mode=rounding_mode)


div_floor_rounding.implementation(div_floor_rounding.definition, name="transformed")


@div_floor_rounding.implementation(name="out", out="memory")
def div_floor_rounding_out(x, y, rounding_mode, memory):
    torch.div(x, y, rounding_mode=rounding_mode, out=memory)


@div_floor_rounding.implementation(name="in_place", mutates="x")
def div_floor_rounding_in_place(x, y, rounding_mode):
    torch.Tensor.div_(x, y, rounding_mode=rounding_mode)


@div_floor_rounding.implementation(name="torch._refs.div", forward_only=True)
def div_floor_rounding_torch__refs_div(x, y, rounding_mode):
    return torch._refs.div(x, y, rounding_mode=rounding_mode)


# x's axis 0 is always 10
# x's axis 1 is always 10
@harness.operation
def diag(x: Float[Tensor, "10 10"], y: int = 2) -> Float[Tensor, "8"]:
    """What torch.diag computes."""
    return torch.diag(x, y)


diag.implementation(diag.definition, name="transformed")


@diag.implementation(name="out", out="memory")
def diag_out(x, y, memory):
    torch.diag(x, y, out=memory)


@diag.implementation(name="torch._refs.diag", forward_only=True)
def diag_torch__refs_diag(x, y):
    return torch._refs.diag(x, y)


@diag.implementation(name="numpy.diag", backend="numpy")
def diag_numpy_diag(x, y):
    return numpy.diag(x, y)


@diag.implementation(name="decomposed")
def diag_decomposed(x, y):
    with Decomposed():
        return torch.diag(x, y)


@harness.operation
def diag_embed(x: Float[Tensor, "batch n d"], offset: int = 1, dim1: int = 1, dim2: int = 2) -> Float[Tensor, "batch d+1 d+1 n"]:
    """What torch.diag_embed computes."""
    return torch.diag_embed(x, offset=offset, dim1=dim1, dim2=dim2)


diag_embed.implementation(diag_embed.definition, name="transformed")


@diag_embed.implementation(name="torch._refs.diag_embed", forward_only=True)
def diag_embed_torch__refs_diag_embed(x, offset, dim1, dim2):
    return torch._refs.diag_embed(x, offset=offset, dim1=dim1, dim2=dim2)


@diag_embed.implementation(name="decomposed")
def diag_embed_decomposed(x, offset, dim1, dim2):
    with Decomposed():
        return torch.diag_embed(x, offset=offset, dim1=dim1, dim2=dim2)


# x's axis 0 is always 5
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def diagonal(x: Float[Tensor, "5 5 5"], offset: int = 1, dim1: int = 1, dim2: int = 2) -> Float[Tensor, "5 4"]:
    """What torch.diagonal computes."""
    return torch.diagonal(x, offset=offset, dim1=dim1, dim2=dim2)


diagonal.implementation(diagonal.definition, name="transformed")


@diagonal.implementation(name="torch._refs.diagonal", forward_only=True)
def diagonal_torch__refs_diagonal(x, offset, dim1, dim2):
    return torch._refs.diagonal(x, offset=offset, dim1=dim1, dim2=dim2)


# x's axis 0 is always 5
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def diagonal_copy(x: Float[Tensor, "5 5 5"], offset: int = 1, dim1: int = 1, dim2: int = 2) -> Float[Tensor, "5 4"]:
    """What torch.diagonal_copy computes."""
    return torch.diagonal_copy(x, offset=offset, dim1=dim1, dim2=dim2)


diagonal_copy.implementation(diagonal_copy.definition, name="transformed")


@diagonal_copy.implementation(name="out", out="memory")
def diagonal_copy_out(x, offset, dim1, dim2, memory):
    torch.diagonal_copy(x, offset=offset, dim1=dim1, dim2=dim2, out=memory)


@diagonal_copy.implementation(name="torch._refs.diagonal_copy", forward_only=True)
def diagonal_copy_torch__refs_diagonal_copy(x, offset, dim1, dim2):
    return torch._refs.diagonal_copy(x, offset=offset, dim1=dim1, dim2=dim2)


@diagonal_copy.implementation(name="decomposed")
def diagonal_copy_decomposed(x, offset, dim1, dim2):
    with Decomposed():
        return torch.diagonal_copy(x, offset=offset, dim1=dim1, dim2=dim2)


# x's axis 2 is always 10
# y's axis 1 is always 9
@harness.operation(sizes={'n': (9, 1025)})
def diagonal_scatter(x: Float[Tensor, "batch n 10"], y: Float[Tensor, "batch 9"], z: int = 1, u: int = 1, v: int = 2) -> Float[Tensor, "batch n 10"]:
    """What torch.diagonal_scatter computes."""
    return torch.diagonal_scatter(x, y, z, u, v)


diagonal_scatter.implementation(diagonal_scatter.definition, name="transformed")


@diagonal_scatter.implementation(name="torch._refs.diagonal_scatter", forward_only=True)
def diagonal_scatter_torch__refs_diagonal_scatter(x, y, z, u, v):
    return torch._refs.diagonal_scatter(x, y, z, u, v)


@harness.operation
def dist(x: Float[Tensor, "n m d"], y: Float[Tensor, "n m d"], z: int = 2) -> Float[Tensor, ""]:
    """What torch.dist computes."""
    return torch.dist(x, y, z)


dist.implementation(dist.definition, name="transformed")


@harness.operation(where=lambda d: d-3 > 0)
def dsplit(x: Float[Tensor, "batch n d"]) -> tuple[Float[Tensor, "batch n 1"], Float[Tensor, "batch n 1"], Float[Tensor, "batch n 1"], Float[Tensor, "batch n d-3"]]:
    """What torch.dsplit computes."""
    return torch.dsplit(x, [1, 2, 3])


dsplit.implementation(dsplit.definition, name="transformed")


@dsplit.implementation(name="torch._refs.dsplit", forward_only=True)
def dsplit_torch__refs_dsplit(x):
    return torch._refs.dsplit(x, [1, 2, 3])


@harness.operation
def dstack(x_0: Float[Tensor, "batch d"], x_1: Float[Tensor, "batch d"], x_2: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d 3"]:
    """What torch.dstack computes."""
    return torch.dstack((x_0, x_1, x_2))


dstack.implementation(dstack.definition, name="transformed")


@dstack.implementation(name="out", out="memory")
def dstack_out(x_0, x_1, x_2, memory):
    torch.dstack((x_0, x_1, x_2), out=memory)


@dstack.implementation(name="torch._refs.dstack", forward_only=True)
def dstack_torch__refs_dstack(x_0, x_1, x_2):
    return torch._refs.dstack((x_0, x_1, x_2))


@dstack.implementation(name="decomposed")
def dstack_decomposed(x_0, x_1, x_2):
    with Decomposed():
        return torch.dstack((x_0, x_1, x_2))


@harness.operation
def digamma(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.digamma computes."""
    return torch.digamma(x)


digamma.implementation(digamma.definition, name="transformed")


@digamma.implementation(name="out", out="memory")
def digamma_out(x, memory):
    torch.digamma(x, out=memory)


@digamma.implementation(name="in_place", mutates="x")
def digamma_in_place(x):
    torch.Tensor.digamma_(x)


@digamma.implementation(name="torch._refs.digamma", forward_only=True)
def digamma_torch__refs_digamma(x):
    return torch._refs.digamma(x)


@digamma.implementation(name="scipy.special.psi", backend="scipy")
def digamma_scipy_special_psi(x):
    return scipy.special.psi(x)


@harness.operation
def diagflat(x: Float[Tensor, "d"], offset: int = 1) -> Float[Tensor, "d+1 d+1"]:
    """What torch.diagflat computes."""
    return torch.diagflat(x, offset=offset)


diagflat.implementation(diagflat.definition, name="transformed")


@diagflat.implementation(name="decomposed")
def diagflat_decomposed(x, offset):
    with Decomposed():
        return torch.diagflat(x, offset=offset)
