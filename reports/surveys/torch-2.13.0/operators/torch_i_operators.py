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


# x's axis 0 is always 10
# x's axis 1 is always 10
# x's axis 2 is always 10
# window's axis 0 is always 8
@harness.operation(differentiable=False)
def istft(x: Complex[Tensor, "10 10 10"], window: Complex[Tensor, "8"], n_fft: int = 10, win_length: int = 8, center: Literal[True] = True, return_complex: Literal[True] = True) -> Complex[Tensor, "10 18"]:
    """What torch.istft computes."""
    return torch.istft(x, n_fft=n_fft, window=window, win_length=win_length, center=center, return_complex=return_complex)


istft.implementation(istft.definition, name="transformed")


@istft.implementation(name="torch._refs.istft", forward_only=True)
def istft_torch__refs_istft(x, window, n_fft, win_length, center, return_complex):
    return torch._refs.istft(x, n_fft=n_fft, window=window, win_length=win_length, center=center, return_complex=return_complex)


@istft.implementation(name="decomposed")
def istft_decomposed(x, window, n_fft, win_length, center, return_complex):
    with Decomposed():
        return torch.istft(x, n_fft=n_fft, window=window, win_length=win_length, center=center, return_complex=return_complex)


@harness.operation
def i0(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.i0 computes."""
    return torch.i0(x)


i0.implementation(i0.definition, name="transformed")


@i0.implementation(name="out", out="memory")
def i0_out(x, memory):
    torch.i0(x, out=memory)


@i0.implementation(name="in_place", mutates="x")
def i0_in_place(x):
    torch.Tensor.i0_(x)


@i0.implementation(name="torch._refs.i0", forward_only=True)
def i0_torch__refs_i0(x):
    return torch._refs.i0(x)


@harness.operation(differentiable=False)
def imag(x: Complex[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.imag computes."""
    return torch.imag(x)


imag.implementation(imag.definition, name="transformed")


@imag.implementation(name="torch._refs.imag", forward_only=True)
def imag_torch__refs_imag(x):
    return torch._refs.imag(x)


@imag.implementation(name="numpy.imag", backend="numpy")
def imag_numpy_imag(x):
    return numpy.imag(x)


@harness.operation(differentiable=False)
def isin(x: Float[Tensor, "batch"], y: Float[Tensor, "n"]) -> Bool[Tensor, "batch"]:
    """What torch.isin computes."""
    return torch.isin(x, y)


isin.implementation(isin.definition, name="transformed")


@isin.implementation(name="out", out="memory")
def isin_out(x, y, memory):
    torch.isin(x, y, out=memory)


@isin.implementation(name="decomposed")
def isin_decomposed(x, y):
    with Decomposed():
        return torch.isin(x, y)


@harness.operation(differentiable=False)
def isclose(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], rtol: float = 0.0, atol: float = 0.0, equal_nan: Literal[False] = False) -> Bool[Tensor, "batch d"]:
    """What torch.isclose computes."""
    return torch.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)


isclose.implementation(isclose.definition, name="transformed")


@isclose.implementation(name="torch._refs.isclose", forward_only=True)
def isclose_torch__refs_isclose(x, y, rtol, atol, equal_nan):
    return torch._refs.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)


@isclose.implementation(name="numpy.isclose", backend="numpy")
def isclose_numpy_isclose(x, y, rtol, atol, equal_nan):
    return numpy.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)


# differentiable in y alone, so that no gradient is asked
@harness.operation(differentiable=False)
def igamma(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.igamma computes."""
    return torch.igamma(x, y)


igamma.implementation(igamma.definition, name="transformed")


@igamma.implementation(name="out", out="memory")
def igamma_out(x, y, memory):
    torch.igamma(x, y, out=memory)


@igamma.implementation(name="in_place", mutates="x")
def igamma_in_place(x, y):
    torch.Tensor.igamma_(x, y)


@igamma.implementation(name="torch._refs.igamma", forward_only=True)
def igamma_torch__refs_igamma(x, y):
    return torch._refs.igamma(x, y)


# differentiable in y alone, so that no gradient is asked
@harness.operation(differentiable=False)
def igammac(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.igammac computes."""
    return torch.igammac(x, y)


igammac.implementation(igammac.definition, name="transformed")


@igammac.implementation(name="out", out="memory")
def igammac_out(x, y, memory):
    torch.igammac(x, y, out=memory)


@igammac.implementation(name="in_place", mutates="x")
def igammac_in_place(x, y):
    torch.Tensor.igammac_(x, y)


@igammac.implementation(name="torch._refs.igammac", forward_only=True)
def igammac_torch__refs_igammac(x, y):
    return torch._refs.igammac(x, y)


@harness.operation(differentiable=False)
def isfinite(x: Float[Tensor, "batch"]) -> Bool[Tensor, "batch"]:
    """What torch.isfinite computes."""
    return torch.isfinite(x)


isfinite.implementation(isfinite.definition, name="transformed")


@isfinite.implementation(name="torch._refs.isfinite", forward_only=True)
def isfinite_torch__refs_isfinite(x):
    return torch._refs.isfinite(x)


@isfinite.implementation(name="numpy.isfinite", backend="numpy")
def isfinite_numpy_isfinite(x):
    return numpy.isfinite(x)


@harness.operation(differentiable=False)
def isinf(x: Float[Tensor, "batch d"]) -> Bool[Tensor, "batch d"]:
    """What torch.isinf computes."""
    return torch.isinf(x)


isinf.implementation(isinf.definition, name="transformed")


@isinf.implementation(name="torch._refs.isinf", forward_only=True)
def isinf_torch__refs_isinf(x):
    return torch._refs.isinf(x)


@isinf.implementation(name="numpy.isinf", backend="numpy")
def isinf_numpy_isinf(x):
    return numpy.isinf(x)


@harness.operation(differentiable=False)
def isposinf(x: Float[Tensor, "batch d"]) -> Bool[Tensor, "batch d"]:
    """What torch.isposinf computes."""
    return torch.isposinf(x)


isposinf.implementation(isposinf.definition, name="transformed")


@isposinf.implementation(name="out", out="memory")
def isposinf_out(x, memory):
    torch.isposinf(x, out=memory)


@isposinf.implementation(name="torch._refs.isposinf", forward_only=True)
def isposinf_torch__refs_isposinf(x):
    return torch._refs.isposinf(x)


@isposinf.implementation(name="numpy.isposinf", backend="numpy")
def isposinf_numpy_isposinf(x):
    return numpy.isposinf(x)


@isposinf.implementation(name="decomposed")
def isposinf_decomposed(x):
    with Decomposed():
        return torch.isposinf(x)


@harness.operation(differentiable=False)
def isneginf(x: Float[Tensor, "batch d"]) -> Bool[Tensor, "batch d"]:
    """What torch.isneginf computes."""
    return torch.isneginf(x)


isneginf.implementation(isneginf.definition, name="transformed")


@isneginf.implementation(name="out", out="memory")
def isneginf_out(x, memory):
    torch.isneginf(x, out=memory)


@isneginf.implementation(name="torch._refs.isneginf", forward_only=True)
def isneginf_torch__refs_isneginf(x):
    return torch._refs.isneginf(x)


@isneginf.implementation(name="numpy.isneginf", backend="numpy")
def isneginf_numpy_isneginf(x):
    return numpy.isneginf(x)


@isneginf.implementation(name="decomposed")
def isneginf_decomposed(x):
    with Decomposed():
        return torch.isneginf(x)


@harness.operation(differentiable=False)
def isreal(x: Float[Tensor, "batch"]) -> Bool[Tensor, "batch"]:
    """What torch.isreal computes."""
    return torch.isreal(x)


isreal.implementation(isreal.definition, name="transformed")


@isreal.implementation(name="torch._refs.isreal", forward_only=True)
def isreal_torch__refs_isreal(x):
    return torch._refs.isreal(x)


@isreal.implementation(name="numpy.isreal", backend="numpy")
def isreal_numpy_isreal(x):
    return numpy.isreal(x)


@isreal.implementation(name="decomposed")
def isreal_decomposed(x):
    with Decomposed():
        return torch.isreal(x)


@harness.operation(differentiable=False)
def isnan(x: Float[Tensor, "batch d"]) -> Bool[Tensor, "batch d"]:
    """What torch.isnan computes."""
    return torch.isnan(x)


isnan.implementation(isnan.definition, name="transformed")


@isnan.implementation(name="torch._refs.isnan", forward_only=True)
def isnan_torch__refs_isnan(x):
    return torch._refs.isnan(x)


@isnan.implementation(name="numpy.isnan", backend="numpy")
def isnan_numpy_isnan(x):
    return numpy.isnan(x)


@harness.operation
def index_fill(x: Float[Tensor, "batch d"], z: Annotated[Int[Tensor, "n"], harness.below('d')], y: int = -1, u: float = -8.478373527526855) -> Float[Tensor, "batch d"]:
    """What torch.index_fill computes."""
    return torch.index_fill(x, y, z, u)


index_fill.implementation(index_fill.definition, name="transformed")


@index_fill.implementation(name="in_place", mutates="x")
def index_fill_in_place(x, z, y, u):
    torch.Tensor.index_fill_(x, y, z, u)


@index_fill.implementation(name="torch._refs.index_fill", forward_only=True)
def index_fill_torch__refs_index_fill(x, z, y, u):
    return torch._refs.index_fill(x, y, z, u)


@index_fill.implementation(name="decomposed")
def index_fill_decomposed(x, z, y, u):
    with Decomposed():
        return torch.index_fill(x, y, z, u)


@harness.operation
def index_copy(x: Float[Tensor, "batch d"], z: Annotated[Int[Tensor, "n"], harness.below('d')], u: Float[Tensor, "batch n"], y: int = -1) -> Float[Tensor, "batch d"]:
    """What torch.index_copy computes."""
    return torch.index_copy(x, y, z, u)


index_copy.implementation(index_copy.definition, name="transformed")


@index_copy.implementation(name="out", out="memory")
def index_copy_out(x, z, u, y, memory):
    torch.index_copy(x, y, z, u, out=memory)


@index_copy.implementation(name="in_place", mutates="x")
def index_copy_in_place(x, z, u, y):
    torch.Tensor.index_copy_(x, y, z, u)


@index_copy.implementation(name="torch._refs.index_copy", forward_only=True)
def index_copy_torch__refs_index_copy(x, z, u, y):
    return torch._refs.index_copy(x, y, z, u)


@index_copy.implementation(name="decomposed")
def index_copy_decomposed(x, z, u, y):
    with Decomposed():
        return torch.index_copy(x, y, z, u)


@harness.operation
def index_select(x: Float[Tensor, "batch d"], z: Annotated[Int[Tensor, "n"], harness.below('d')], y: int = -1) -> Float[Tensor, "batch n"]:
    """What torch.index_select computes."""
    return torch.index_select(x, y, z)


index_select.implementation(index_select.definition, name="transformed")


@index_select.implementation(name="out", out="memory")
def index_select_out(x, z, y, memory):
    torch.index_select(x, y, z, out=memory)


@index_select.implementation(name="torch._refs.index_select", forward_only=True)
def index_select_torch__refs_index_select(x, z, y):
    return torch._refs.index_select(x, y, z)


@harness.operation
def index_add(x: Float[Tensor, "batch d"], z: Annotated[Int[Tensor, "n"], harness.below('d')], u: Float[Tensor, "batch n"], y: int = -1, alpha: int = -1) -> Float[Tensor, "batch d"]:
    """What torch.index_add computes."""
    return torch.index_add(x, y, z, u, alpha=alpha)


index_add.implementation(index_add.definition, name="transformed")


@index_add.implementation(name="out", out="memory")
def index_add_out(x, z, u, y, alpha, memory):
    torch.index_add(x, y, z, u, alpha=alpha, out=memory)


@index_add.implementation(name="in_place", mutates="x")
def index_add_in_place(x, z, u, y, alpha):
    torch.Tensor.index_add_(x, y, z, u, alpha=alpha)


@index_add.implementation(name="torch._refs.index_add", forward_only=True)
def index_add_torch__refs_index_add(x, z, u, y, alpha):
    return torch._refs.index_add(x, y, z, u, alpha=alpha)


@index_add.implementation(name="decomposed")
def index_add_decomposed(x, z, u, y, alpha):
    with Decomposed():
        return torch.index_add(x, y, z, u, alpha=alpha)


@harness.operation
def index_reduce_mean(x: Float[Tensor, "batch n d"], z: Annotated[Int[Tensor, "m"], harness.below('n')], u: Float[Tensor, "batch m d"], y: int = 1, v: str = 'mean', include_self: Literal[True] = True) -> Float[Tensor, "batch n d"]:
    """What torch.index_reduce computes."""
    return torch.index_reduce(x, y, z, u, v, include_self=include_self)


index_reduce_mean.implementation(index_reduce_mean.definition, name="transformed")


@index_reduce_mean.implementation(name="out", out="memory")
def index_reduce_mean_out(x, z, u, y, v, include_self, memory):
    torch.index_reduce(x, y, z, u, v, include_self=include_self, out=memory)


@index_reduce_mean.implementation(name="in_place", mutates="x")
def index_reduce_mean_in_place(x, z, u, y, v, include_self):
    torch.Tensor.index_reduce_(x, y, z, u, v, include_self=include_self)


@harness.operation
def index_reduce_prod(x: Float[Tensor, "batch n d"], z: Annotated[Int[Tensor, "m"], harness.below('n')], u: Float[Tensor, "batch m d"], y: int = 1, v: str = 'prod', include_self: Literal[True] = True) -> Float[Tensor, "batch n d"]:
    """What torch.index_reduce computes."""
    return torch.index_reduce(x, y, z, u, v, include_self=include_self)


index_reduce_prod.implementation(index_reduce_prod.definition, name="transformed")


@index_reduce_prod.implementation(name="out", out="memory")
def index_reduce_prod_out(x, z, u, y, v, include_self, memory):
    torch.index_reduce(x, y, z, u, v, include_self=include_self, out=memory)


@index_reduce_prod.implementation(name="in_place", mutates="x")
def index_reduce_prod_in_place(x, z, u, y, v, include_self):
    torch.Tensor.index_reduce_(x, y, z, u, v, include_self=include_self)


@harness.operation
def index_reduce_amin(x: Float[Tensor, "batch n d"], z: Annotated[Int[Tensor, "m"], harness.below('n')], u: Float[Tensor, "batch m d"], y: int = 1, v: str = 'amin', include_self: Literal[True] = True) -> Float[Tensor, "batch n d"]:
    """What torch.index_reduce computes."""
    return torch.index_reduce(x, y, z, u, v, include_self=include_self)


index_reduce_amin.implementation(index_reduce_amin.definition, name="transformed")


@index_reduce_amin.implementation(name="out", out="memory")
def index_reduce_amin_out(x, z, u, y, v, include_self, memory):
    torch.index_reduce(x, y, z, u, v, include_self=include_self, out=memory)


@index_reduce_amin.implementation(name="in_place", mutates="x")
def index_reduce_amin_in_place(x, z, u, y, v, include_self):
    torch.Tensor.index_reduce_(x, y, z, u, v, include_self=include_self)


@harness.operation
def index_reduce_amax(x: Float[Tensor, "batch n d"], z: Annotated[Int[Tensor, "m"], harness.below('n')], u: Float[Tensor, "batch m d"], y: int = 1, v: str = 'amax', include_self: Literal[True] = True) -> Float[Tensor, "batch n d"]:
    """What torch.index_reduce computes."""
    return torch.index_reduce(x, y, z, u, v, include_self=include_self)


index_reduce_amax.implementation(index_reduce_amax.definition, name="transformed")


@index_reduce_amax.implementation(name="out", out="memory")
def index_reduce_amax_out(x, z, u, y, v, include_self, memory):
    torch.index_reduce(x, y, z, u, v, include_self=include_self, out=memory)


@index_reduce_amax.implementation(name="in_place", mutates="x")
def index_reduce_amax_in_place(x, z, u, y, v, include_self):
    torch.Tensor.index_reduce_(x, y, z, u, v, include_self=include_self)


@harness.operation
def index_put(x: Float[Tensor, "n d"], y_0: Annotated[Int[Tensor, "m"], harness.below('n')], z: Float[Tensor, "m d"], accumulate: Literal[True] = True) -> Float[Tensor, "n d"]:
    """What torch.index_put computes."""
    return torch.index_put(x, (y_0,), z, accumulate=accumulate)


index_put.implementation(index_put.definition, name="transformed")


@index_put.implementation(name="in_place", mutates="x")
def index_put_in_place(x, y_0, z, accumulate):
    torch.Tensor.index_put_(x, (y_0,), z, accumulate=accumulate)


@harness.operation
def inner(x: Float[Tensor, "d"], y: Float[Tensor, "d"]) -> Float[Tensor, ""]:
    """What torch.inner computes."""
    return torch.inner(x, y)


inner.implementation(inner.definition, name="transformed")


@inner.implementation(name="out", out="memory")
def inner_out(x, y, memory):
    torch.inner(x, y, out=memory)


@inner.implementation(name="decomposed")
def inner_decomposed(x, y):
    with Decomposed():
        return torch.inner(x, y)
