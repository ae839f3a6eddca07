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
def nanmedian(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> tuple[Float[Tensor, "1 d"], Annotated[Int[Tensor, "1 d"], harness.picks('x', -2)]]:
    """What torch.nanmedian computes."""
    return torch.nanmedian(x, dim=dim, keepdim=keepdim)


nanmedian.implementation(nanmedian.definition, name="transformed")


@harness.operation
def nanquantile(x: Float[Tensor, "n d"], y: Annotated[Float[Tensor, "batch"], harness.within(0, 1)], dim: int = 0, keepdim: Literal[False] = False, interpolation: str = 'linear') -> Float[Tensor, "batch d"]:
    """What torch.nanquantile computes."""
    return torch.nanquantile(x, y, dim=dim, keepdim=keepdim, interpolation=interpolation)


nanquantile.implementation(nanquantile.definition, name="transformed")


@nanquantile.implementation(name="out", out="memory")
def nanquantile_out(x, y, dim, keepdim, interpolation, memory):
    torch.nanquantile(x, y, dim=dim, keepdim=keepdim, interpolation=interpolation, out=memory)


@nanquantile.implementation(name="decomposed")
def nanquantile_decomposed(x, y, dim, keepdim, interpolation):
    with Decomposed():
        return torch.nanquantile(x, y, dim=dim, keepdim=keepdim, interpolation=interpolation)


@harness.operation
def native_group_norm(x: Float[Tensor, "batch 2*n d"], y: Float[Tensor, "2*n"], z: Float[Tensor, "2*n"], x6: int = 2, x7: float = -0.5) -> tuple[Float[Tensor, "batch 2*n d"], Float[Tensor, "batch 2"], Float[Tensor, "batch 2"]]:
    """What torch.native_group_norm computes."""
    return torch.native_group_norm(x, y, z, x.shape[0], x.shape[1], x.shape[2], x6, x7)


native_group_norm.implementation(native_group_norm.definition, name="transformed")


@native_group_norm.implementation(name="torch._refs.native_group_norm", forward_only=True)
def native_group_norm_torch__refs_native_group_norm(x, y, z, x6, x7):
    return torch._refs.native_group_norm(x, y, z, x.shape[0], x.shape[1], x.shape[2], x6, x7)


@harness.operation
def native_layer_norm(x: Float[Tensor, "batch n d"], z: Float[Tensor, "n d"], u: Float[Tensor, "n d"], v: float = -0.5) -> tuple[Float[Tensor, "batch n d"], Float[Tensor, "batch 1 1"], Float[Tensor, "batch 1 1"]]:
    """What torch.native_layer_norm computes."""
    return torch.native_layer_norm(x, (x.shape[1], x.shape[2]), z, u, v)


native_layer_norm.implementation(native_layer_norm.definition, name="transformed")


@native_layer_norm.implementation(name="torch._refs.native_layer_norm", forward_only=True)
def native_layer_norm_torch__refs_native_layer_norm(x, z, u, v):
    return torch._refs.native_layer_norm(x, (x.shape[1], x.shape[2]), z, u, v)


# differentiable in x and in y and in z alone, so that no gradient is asked
# it writes to u and v, which it is given copies of
@harness.operation(differentiable=False)
def native_batch_norm(x: Float[Tensor, "n m k d"], y: Float[Tensor, "p"], z: Float[Tensor, "q"], u: Float[Tensor, "r"], v: Float[Tensor, "s"], w: Literal[True] = True, x6: float = -1.0, x7: float = 0.5) -> tuple[Float[Tensor, "n m k d"], Float[Tensor, "m"], Float[Tensor, "m"]]:
    """What torch.native_batch_norm computes."""
    return torch.native_batch_norm(x, y, z, u.clone(), v.clone(), w, x6, x7)


native_batch_norm.implementation(native_batch_norm.definition, name="transformed")


@native_batch_norm.implementation(name="out", out="memory")
def native_batch_norm_out(x, y, z, u, v, w, x6, x7, memory):
    torch.native_batch_norm(x, y, z, u.clone(), v.clone(), w, x6, x7, out=memory)


# differentiable in x and in y and in z alone, so that no gradient is asked
# it writes to u and v, which it is given copies of
@harness.operation(differentiable=False)
def native_batch_norm_legit(x: Float[Tensor, "n m k d"], y: Float[Tensor, "p"], z: Float[Tensor, "q"], u: Float[Tensor, "r"], v: Float[Tensor, "s"], w: Literal[True] = True, x6: float = -1.0, x7: float = 0.5) -> tuple[Float[Tensor, "n m k d"], Float[Tensor, "m"], Float[Tensor, "m"]]:
    """What torch._native_batch_norm_legit computes."""
    return torch._native_batch_norm_legit(x, y, z, u.clone(), v.clone(), w, x6, x7)


native_batch_norm_legit.implementation(native_batch_norm_legit.definition, name="transformed")


@native_batch_norm_legit.implementation(name="out", out="memory")
def native_batch_norm_legit_out(x, y, z, u, v, w, x6, x7, memory):
    torch._native_batch_norm_legit(x, y, z, u.clone(), v.clone(), w, x6, x7, out=memory)


@harness.operation
def nextafter(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.nextafter computes."""
    return torch.nextafter(x, y)


nextafter.implementation(nextafter.definition, name="transformed")


@nextafter.implementation(name="out", out="memory")
def nextafter_out(x, y, memory):
    torch.nextafter(x, y, out=memory)


@nextafter.implementation(name="in_place", mutates="x")
def nextafter_in_place(x, y):
    torch.Tensor.nextafter_(x, y)


@nextafter.implementation(name="torch._refs.nextafter", forward_only=True)
def nextafter_torch__refs_nextafter(x, y):
    return torch._refs.nextafter(x, y)


@harness.operation(differentiable=False)
def ne(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Bool[Tensor, "batch n d"]:
    """What torch.ne computes."""
    return torch.ne(x, y)


ne.implementation(ne.definition, name="transformed")


@ne.implementation(name="out", out="memory")
def ne_out(x, y, memory):
    torch.ne(x, y, out=memory)


@ne.implementation(name="torch._refs.ne", forward_only=True)
def ne_torch__refs_ne(x, y):
    return torch._refs.ne(x, y)


@ne.implementation(name="numpy.not_equal", backend="numpy")
def ne_numpy_not_equal(x, y):
    return numpy.not_equal(x, y)


@harness.operation(sizes={'n': (4, 1025)})
def narrow(x: Float[Tensor, "batch n d"], y: int = 1, z: int = 2, u: int = 2) -> Float[Tensor, "batch 2 d"]:
    """What torch.narrow computes."""
    return torch.narrow(x, y, z, u)


narrow.implementation(narrow.definition, name="transformed")


@narrow.implementation(name="torch._refs.narrow", forward_only=True)
def narrow_torch__refs_narrow(x, y, z, u):
    return torch._refs.narrow(x, y, z, u)


@harness.operation(sizes={'n': (4, 1025)})
def narrow_copy(x: Float[Tensor, "batch n d"], y: int = 1, z: int = 2, u: int = 2) -> Float[Tensor, "batch 2 d"]:
    """What torch.narrow_copy computes."""
    return torch.narrow_copy(x, y, z, u)


narrow_copy.implementation(narrow_copy.definition, name="transformed")


@narrow_copy.implementation(name="out", out="memory")
def narrow_copy_out(x, y, z, u, memory):
    torch.narrow_copy(x, y, z, u, out=memory)


@narrow_copy.implementation(name="torch._refs.narrow_copy", forward_only=True)
def narrow_copy_torch__refs_narrow_copy(x, y, z, u):
    return torch._refs.narrow_copy(x, y, z, u)


@harness.operation
def neg(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.neg computes."""
    return torch.neg(x)


neg.implementation(neg.definition, name="transformed")


@neg.implementation(name="out", out="memory")
def neg_out(x, memory):
    torch.neg(x, out=memory)


@neg.implementation(name="in_place", mutates="x")
def neg_in_place(x):
    torch.Tensor.neg_(x)


@neg.implementation(name="torch._refs.neg", forward_only=True)
def neg_torch__refs_neg(x):
    return torch._refs.neg(x)


@neg.implementation(name="numpy.negative", backend="numpy")
def neg_numpy_negative(x):
    return numpy.negative(x)


@harness.operation
def nan_to_num(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.nan_to_num computes."""
    return torch.nan_to_num(x)


nan_to_num.implementation(nan_to_num.definition, name="transformed")


@nan_to_num.implementation(name="out", out="memory")
def nan_to_num_out(x, memory):
    torch.nan_to_num(x, out=memory)


@nan_to_num.implementation(name="in_place", mutates="x")
def nan_to_num_in_place(x):
    torch.Tensor.nan_to_num_(x)


@nan_to_num.implementation(name="torch._refs.nan_to_num", forward_only=True)
def nan_to_num_torch__refs_nan_to_num(x):
    return torch._refs.nan_to_num(x)


@nan_to_num.implementation(name="numpy.nan_to_num", backend="numpy")
def nan_to_num_numpy_nan_to_num(x):
    return numpy.nan_to_num(x)


@nan_to_num.implementation(name="decomposed")
def nan_to_num_decomposed(x):
    with Decomposed():
        return torch.nan_to_num(x)


@harness.operation(differentiable=False)
def nonzero_static(x: Float[Tensor, "n m d"], size: int = 0) -> Int[Tensor, "0 3"]:
    """What torch.nonzero_static computes."""
    return torch.nonzero_static(x, size=size)


nonzero_static.implementation(nonzero_static.definition, name="transformed")


@harness.operation
def norm(x: Float[Tensor, "batch n d"], y: int = 2, z: int = 1, u: Literal[True] = True) -> Float[Tensor, "batch 1 d"]:
    """What torch.norm computes."""
    return torch.norm(x, y, z, u)


norm.implementation(norm.definition, name="transformed")


@norm.implementation(name="out", out="memory")
def norm_out(x, y, z, u, memory):
    torch.norm(x, y, z, u, out=memory)


@norm.implementation(name="torch._refs.norm", forward_only=True)
def norm_torch__refs_norm(x, y, z, u):
    return torch._refs.norm(x, y, z, u)


@harness.operation
def norm_nuc(x: Float[Tensor, "batch n d"], y: str = 'nuc') -> Float[Tensor, "batch"]:
    """What torch.norm computes."""
    return torch.norm(x, y, [1, 2])


norm_nuc.implementation(norm_nuc.definition, name="transformed")


@norm_nuc.implementation(name="out", out="memory")
def norm_nuc_out(x, y, memory):
    torch.norm(x, y, [1, 2], out=memory)


@norm_nuc.implementation(name="decomposed")
def norm_nuc_decomposed(x, y):
    with Decomposed():
        return torch.norm(x, y, [1, 2])


@harness.operation
def norm_fro(x: Float[Tensor, "n d"], y: str = 'fro') -> Float[Tensor, ""]:
    """What torch.norm computes."""
    return torch.norm(x, y, [0, 1])


norm_fro.implementation(norm_fro.definition, name="transformed")


@norm_fro.implementation(name="out", out="memory")
def norm_fro_out(x, y, memory):
    torch.norm(x, y, [0, 1], out=memory)


@harness.operation
def norm_inf(x: Float[Tensor, "batch d"], y: float = inf, z: int = 1) -> Float[Tensor, "batch"]:
    """What torch.norm computes."""
    return torch.norm(x, y, z)


norm_inf.implementation(norm_inf.definition, name="transformed")


@norm_inf.implementation(name="out", out="memory")
def norm_inf_out(x, y, z, memory):
    torch.norm(x, y, z, out=memory)


@harness.operation
def nanmean(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.nanmean computes."""
    return torch.nanmean(x, dim=dim, keepdim=keepdim)


nanmean.implementation(nanmean.definition, name="transformed")


@nanmean.implementation(name="out", out="memory")
def nanmean_out(x, dim, keepdim, memory):
    torch.nanmean(x, dim=dim, keepdim=keepdim, out=memory)


@nanmean.implementation(name="decomposed")
def nanmean_decomposed(x, dim, keepdim):
    with Decomposed():
        return torch.nanmean(x, dim=dim, keepdim=keepdim)


@harness.operation
def nansum(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.nansum computes."""
    return torch.nansum(x, dim=dim, keepdim=keepdim)


nansum.implementation(nansum.definition, name="transformed")


@nansum.implementation(name="out", out="memory")
def nansum_out(x, dim, keepdim, memory):
    torch.nansum(x, dim=dim, keepdim=keepdim, out=memory)


@nansum.implementation(name="decomposed")
def nansum_decomposed(x, dim, keepdim):
    with Decomposed():
        return torch.nansum(x, dim=dim, keepdim=keepdim)
