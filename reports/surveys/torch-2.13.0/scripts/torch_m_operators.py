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
def mul(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.mul computes."""
    return torch.mul(x, y)


mul.implementation(mul.definition, name="transformed")


@mul.implementation(name="out", out="memory")
def mul_out(x, y, memory):
    torch.mul(x, y, out=memory)


@mul.implementation(name="in_place", mutates="x")
def mul_in_place(x, y):
    torch.Tensor.mul_(x, y)


@mul.implementation(name="torch._refs.mul", forward_only=True)
def mul_torch__refs_mul(x, y):
    return torch._refs.mul(x, y)


@harness.operation
def mv(x: Float[Tensor, "batch d"], y: Float[Tensor, "d"]) -> Float[Tensor, "batch"]:
    """What torch.mv computes."""
    return torch.mv(x, y)


mv.implementation(mv.definition, name="transformed")


@mv.implementation(name="out", out="memory")
def mv_out(x, y, memory):
    torch.mv(x, y, out=memory)


@mv.implementation(name="decomposed")
def mv_decomposed(x, y):
    with Decomposed():
        return torch.mv(x, y)


@harness.operation
def masked_fill(x: Float[Tensor, "batch d"], y: Bool[Tensor, "batch d"], z: int = 10) -> Float[Tensor, "batch d"]:
    """What torch.masked_fill computes."""
    return torch.masked_fill(x, y, z)


masked_fill.implementation(masked_fill.definition, name="transformed")


@masked_fill.implementation(name="in_place", mutates="x")
def masked_fill_in_place(x, y, z):
    torch.Tensor.masked_fill_(x, y, z)


@masked_fill.implementation(name="torch._refs.masked_fill", forward_only=True)
def masked_fill_torch__refs_masked_fill(x, y, z):
    return torch._refs.masked_fill(x, y, z)


@masked_fill.implementation(name="decomposed")
def masked_fill_decomposed(x, y, z):
    with Decomposed():
        return torch.masked_fill(x, y, z)


@harness.operation(sizes={'m': (3, 1025), 'k': (3, 1025)})
def masked_scatter(x: Float[Tensor, "n d"], y: Bool[Tensor, "n d"], z: Float[Tensor, "m k"]) -> Float[Tensor, "n d"]:
    """What torch.masked_scatter computes."""
    return torch.masked_scatter(x, y, z)


masked_scatter.implementation(masked_scatter.definition, name="transformed")


@masked_scatter.implementation(name="in_place", mutates="x")
def masked_scatter_in_place(x, y, z):
    torch.Tensor.masked_scatter_(x, y, z)


@harness.operation
def matrix_exp(x: Float[Tensor, "batch d d"]) -> Float[Tensor, "batch d d"]:
    """What torch.matrix_exp computes."""
    return torch.matrix_exp(x)


matrix_exp.implementation(matrix_exp.definition, name="transformed")


@harness.operation
def matmul(x: Float[Tensor, "batch n m d"], y: Float[Tensor, "batch n d k"]) -> Float[Tensor, "batch n m k"]:
    """What torch.matmul computes."""
    return torch.matmul(x, y)


matmul.implementation(matmul.definition, name="transformed")


@matmul.implementation(name="out", out="memory")
def matmul_out(x, y, memory):
    torch.matmul(x, y, out=memory)


@matmul.implementation(name="decomposed")
def matmul_decomposed(x, y):
    with Decomposed():
        return torch.matmul(x, y)


@harness.operation
def max_reduction_with_dim(x: Float[Tensor, "batch n d"], y: int = 1, z: Literal[True] = True) -> tuple[Float[Tensor, "batch 1 d"], Annotated[Int[Tensor, "batch 1 d"], harness.picks('x', -2)]]:
    """What torch.max computes."""
    return torch.max(x, y, z)


max_reduction_with_dim.implementation(max_reduction_with_dim.definition, name="transformed")


@max_reduction_with_dim.implementation(name="out", out="memory")
def max_reduction_with_dim_out(x, y, z, memory):
    torch.max(x, y, z, out=memory)


@max_reduction_with_dim.implementation(name="decomposed")
def max_reduction_with_dim_decomposed(x, y, z):
    with Decomposed():
        return torch.max(x, y, z)


@harness.operation
def max_reduction_no_dim(x: Float[Tensor, "n m d"]) -> Float[Tensor, ""]:
    """What torch.max computes."""
    return torch.max(x)


max_reduction_no_dim.implementation(max_reduction_no_dim.definition, name="transformed")


@max_reduction_no_dim.implementation(name="out", out="memory")
def max_reduction_no_dim_out(x, memory):
    torch.max(x, out=memory)


@max_reduction_no_dim.implementation(name="decomposed")
def max_reduction_no_dim_decomposed(x):
    with Decomposed():
        return torch.max(x)


@harness.operation
def median(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> tuple[Float[Tensor, "1 d"], Annotated[Int[Tensor, "1 d"], harness.picks('x', -2)]]:
    """What torch.median computes."""
    return torch.median(x, dim=dim, keepdim=keepdim)


median.implementation(median.definition, name="transformed")


@harness.operation
def meshgrid_variadic_tensors(x: Float[Tensor, "batch"], y: Float[Tensor, ""], z: Float[Tensor, "n"], u: Float[Tensor, ""], indexing: str = 'ij') -> tuple[Float[Tensor, "batch 1 n 1"], Float[Tensor, "batch 1 n 1"], Float[Tensor, "batch 1 n 1"], Float[Tensor, "batch 1 n 1"]]:
    """What torch.meshgrid computes."""
    return torch.meshgrid(x, y, z, u, indexing=indexing)


meshgrid_variadic_tensors.implementation(meshgrid_variadic_tensors.definition, name="transformed")


@meshgrid_variadic_tensors.implementation(name="torch._refs.meshgrid", forward_only=True)
def meshgrid_variadic_tensors_torch__refs_meshgrid(x, y, z, u, indexing):
    return torch._refs.meshgrid(x, y, z, u, indexing=indexing)


@meshgrid_variadic_tensors.implementation(name="numpy.meshgrid", backend="numpy")
def meshgrid_variadic_tensors_numpy_meshgrid(x, y, z, u, indexing):
    return numpy.meshgrid(x, y, z, u, indexing=indexing)


@harness.operation
def meshgrid_list_of_tensors(x_0: Float[Tensor, "batch"], x_1: Float[Tensor, ""], x_2: Float[Tensor, "n"], indexing: str = 'ij') -> tuple[Float[Tensor, "batch 1 n"], Float[Tensor, "batch 1 n"], Float[Tensor, "batch 1 n"]]:
    """What torch.meshgrid computes."""
    return torch.meshgrid([x_0, x_1, x_2], indexing=indexing)


meshgrid_list_of_tensors.implementation(meshgrid_list_of_tensors.definition, name="transformed")


@meshgrid_list_of_tensors.implementation(name="torch._refs.meshgrid", forward_only=True)
def meshgrid_list_of_tensors_torch__refs_meshgrid(x_0, x_1, x_2, indexing):
    return torch._refs.meshgrid([x_0, x_1, x_2], indexing=indexing)


@harness.operation
def min_reduction_with_dim(x: Float[Tensor, "batch n d"], y: int = 1, z: Literal[True] = True) -> tuple[Float[Tensor, "batch 1 d"], Annotated[Int[Tensor, "batch 1 d"], harness.picks('x', -2)]]:
    """What torch.min computes."""
    return torch.min(x, y, z)


min_reduction_with_dim.implementation(min_reduction_with_dim.definition, name="transformed")


@min_reduction_with_dim.implementation(name="out", out="memory")
def min_reduction_with_dim_out(x, y, z, memory):
    torch.min(x, y, z, out=memory)


@min_reduction_with_dim.implementation(name="decomposed")
def min_reduction_with_dim_decomposed(x, y, z):
    with Decomposed():
        return torch.min(x, y, z)


@harness.operation
def min_reduction_no_dim(x: Float[Tensor, "n m d"]) -> Float[Tensor, ""]:
    """What torch.min computes."""
    return torch.min(x)


min_reduction_no_dim.implementation(min_reduction_no_dim.definition, name="transformed")


@min_reduction_no_dim.implementation(name="out", out="memory")
def min_reduction_no_dim_out(x, memory):
    torch.min(x, out=memory)


@min_reduction_no_dim.implementation(name="decomposed")
def min_reduction_no_dim_decomposed(x):
    with Decomposed():
        return torch.min(x)


@harness.operation
def max_binary(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.max computes."""
    return torch.max(x, y)


max_binary.implementation(max_binary.definition, name="transformed")


@max_binary.implementation(name="out", out="memory")
def max_binary_out(x, y, memory):
    torch.max(x, y, out=memory)


@max_binary.implementation(name="numpy.maximum", backend="numpy")
def max_binary_numpy_maximum(x, y):
    return numpy.maximum(x, y)


@harness.operation
def maximum(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.maximum computes."""
    return torch.maximum(x, y)


maximum.implementation(maximum.definition, name="transformed")


@maximum.implementation(name="out", out="memory")
def maximum_out(x, y, memory):
    torch.maximum(x, y, out=memory)


@maximum.implementation(name="torch._refs.maximum", forward_only=True)
def maximum_torch__refs_maximum(x, y):
    return torch._refs.maximum(x, y)


@maximum.implementation(name="numpy.maximum", backend="numpy")
def maximum_numpy_maximum(x, y):
    return numpy.maximum(x, y)


@harness.operation
def min_binary(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.min computes."""
    return torch.min(x, y)


min_binary.implementation(min_binary.definition, name="transformed")


@min_binary.implementation(name="out", out="memory")
def min_binary_out(x, y, memory):
    torch.min(x, y, out=memory)


@min_binary.implementation(name="numpy.minimum", backend="numpy")
def min_binary_numpy_minimum(x, y):
    return numpy.minimum(x, y)


@harness.operation
def minimum(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.minimum computes."""
    return torch.minimum(x, y)


minimum.implementation(minimum.definition, name="transformed")


@minimum.implementation(name="out", out="memory")
def minimum_out(x, y, memory):
    torch.minimum(x, y, out=memory)


@minimum.implementation(name="torch._refs.minimum", forward_only=True)
def minimum_torch__refs_minimum(x, y):
    return torch._refs.minimum(x, y)


@minimum.implementation(name="numpy.minimum", backend="numpy")
def minimum_numpy_minimum(x, y):
    return numpy.minimum(x, y)


@harness.operation
def mm(x: Float[Tensor, "batch d"], y: Float[Tensor, "d n"]) -> Float[Tensor, "batch n"]:
    """What torch.mm computes."""
    return torch.mm(x, y)


mm.implementation(mm.definition, name="transformed")


@mm.implementation(name="out", out="memory")
def mm_out(x, y, memory):
    torch.mm(x, y, out=memory)


@harness.operation
def mode(x: Float[Tensor, "batch n d"], y: int = 1, z: Literal[True] = True) -> tuple[Float[Tensor, "batch 1 d"], Annotated[Int[Tensor, "batch 1 d"], harness.picks('x', -2)]]:
    """What torch.mode computes."""
    return torch.mode(x, y, z)


mode.implementation(mode.definition, name="transformed")


@mode.implementation(name="out", out="memory")
def mode_out(x, y, z, memory):
    torch.mode(x, y, z, out=memory)


@harness.operation
def mvlgamma_mvlgamma_p_1(x: Float[Tensor, "batch d"], y: int = 1) -> Float[Tensor, "batch d"]:
    """What torch.mvlgamma computes."""
    return torch.mvlgamma(x, y)


mvlgamma_mvlgamma_p_1.implementation(mvlgamma_mvlgamma_p_1.definition, name="transformed")


@mvlgamma_mvlgamma_p_1.implementation(name="out", out="memory")
def mvlgamma_mvlgamma_p_1_out(x, y, memory):
    torch.mvlgamma(x, y, out=memory)


@mvlgamma_mvlgamma_p_1.implementation(name="in_place", mutates="x")
def mvlgamma_mvlgamma_p_1_in_place(x, y):
    torch.Tensor.mvlgamma_(x, y)


@mvlgamma_mvlgamma_p_1.implementation(name="torch._refs.special.multigammaln", forward_only=True)
def mvlgamma_mvlgamma_p_1_torch__refs_special_multigammaln(x, y):
    return torch._refs.special.multigammaln(x, y)


@mvlgamma_mvlgamma_p_1.implementation(name="decomposed")
def mvlgamma_mvlgamma_p_1_decomposed(x, y):
    with Decomposed():
        return torch.mvlgamma(x, y)


@harness.operation
def mvlgamma_mvlgamma_p_3(x: Float[Tensor, "batch d"], y: int = 1) -> Float[Tensor, "batch d"]:
    """What torch.mvlgamma computes."""
    return torch.mvlgamma(x, y)


mvlgamma_mvlgamma_p_3.implementation(mvlgamma_mvlgamma_p_3.definition, name="transformed")


@mvlgamma_mvlgamma_p_3.implementation(name="out", out="memory")
def mvlgamma_mvlgamma_p_3_out(x, y, memory):
    torch.mvlgamma(x, y, out=memory)


@mvlgamma_mvlgamma_p_3.implementation(name="in_place", mutates="x")
def mvlgamma_mvlgamma_p_3_in_place(x, y):
    torch.Tensor.mvlgamma_(x, y)


@mvlgamma_mvlgamma_p_3.implementation(name="torch._refs.special.multigammaln", forward_only=True)
def mvlgamma_mvlgamma_p_3_torch__refs_special_multigammaln(x, y):
    return torch._refs.special.multigammaln(x, y)


@mvlgamma_mvlgamma_p_3.implementation(name="decomposed")
def mvlgamma_mvlgamma_p_3_decomposed(x, y):
    with Decomposed():
        return torch.mvlgamma(x, y)


@harness.operation
def mvlgamma_mvlgamma_p_5(x: Float[Tensor, "batch d"], y: int = 1) -> Float[Tensor, "batch d"]:
    """What torch.mvlgamma computes."""
    return torch.mvlgamma(x, y)


mvlgamma_mvlgamma_p_5.implementation(mvlgamma_mvlgamma_p_5.definition, name="transformed")


@mvlgamma_mvlgamma_p_5.implementation(name="out", out="memory")
def mvlgamma_mvlgamma_p_5_out(x, y, memory):
    torch.mvlgamma(x, y, out=memory)


@mvlgamma_mvlgamma_p_5.implementation(name="in_place", mutates="x")
def mvlgamma_mvlgamma_p_5_in_place(x, y):
    torch.Tensor.mvlgamma_(x, y)


@mvlgamma_mvlgamma_p_5.implementation(name="torch._refs.special.multigammaln", forward_only=True)
def mvlgamma_mvlgamma_p_5_torch__refs_special_multigammaln(x, y):
    return torch._refs.special.multigammaln(x, y)


@mvlgamma_mvlgamma_p_5.implementation(name="decomposed")
def mvlgamma_mvlgamma_p_5_decomposed(x, y):
    with Decomposed():
        return torch.mvlgamma(x, y)


@harness.operation
def msort(x: Float[Tensor, "n m d"]) -> Float[Tensor, "n m d"]:
    """What torch.msort computes."""
    return torch.msort(x)


msort.implementation(msort.definition, name="transformed")


@msort.implementation(name="out", out="memory")
def msort_out(x, memory):
    torch.msort(x, out=memory)


# x's axis 3 is always 1
@harness.operation
def movedim(x: Float[Tensor, "n m k 1"]) -> Float[Tensor, "1 k m n"]:
    """What torch.movedim computes."""
    return torch.movedim(x, [0, 1, 2, 3], [3, 2, 1, 0])


movedim.implementation(movedim.definition, name="transformed")


@movedim.implementation(name="torch._refs.movedim", forward_only=True)
def movedim_torch__refs_movedim(x):
    return torch._refs.movedim(x, [0, 1, 2, 3], [3, 2, 1, 0])


@harness.operation
def mean(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.mean computes."""
    return torch.mean(x, dim=dim, keepdim=keepdim)


mean.implementation(mean.definition, name="transformed")


@mean.implementation(name="out", out="memory")
def mean_out(x, dim, keepdim, memory):
    torch.mean(x, dim=dim, keepdim=keepdim, out=memory)


@mean.implementation(name="torch._refs.mean", forward_only=True)
def mean_torch__refs_mean(x, dim, keepdim):
    return torch._refs.mean(x, dim=dim, keepdim=keepdim)
