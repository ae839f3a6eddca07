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
def clamp_max(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.clamp_max computes."""
    return torch.clamp_max(x, y)


clamp_max.implementation(clamp_max.definition, name="transformed")


@clamp_max.implementation(name="out", out="memory")
def clamp_max_out(x, y, memory):
    torch.clamp_max(x, y, out=memory)


@clamp_max.implementation(name="in_place", mutates="x")
def clamp_max_in_place(x, y):
    torch.Tensor.clamp_max_(x, y)


@clamp_max.implementation(name="torch._refs.clamp_max", forward_only=True)
def clamp_max_torch__refs_clamp_max(x, y):
    return torch._refs.clamp_max(x, y)


@clamp_max.implementation(name="decomposed")
def clamp_max_decomposed(x, y):
    with Decomposed():
        return torch.clamp_max(x, y)


@harness.operation
def clamp_min(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.clamp_min computes."""
    return torch.clamp_min(x, y)


clamp_min.implementation(clamp_min.definition, name="transformed")


@clamp_min.implementation(name="out", out="memory")
def clamp_min_out(x, y, memory):
    torch.clamp_min(x, y, out=memory)


@clamp_min.implementation(name="in_place", mutates="x")
def clamp_min_in_place(x, y):
    torch.Tensor.clamp_min_(x, y)


@clamp_min.implementation(name="torch._refs.clamp_min", forward_only=True)
def clamp_min_torch__refs_clamp_min(x, y):
    return torch._refs.clamp_min(x, y)


@clamp_min.implementation(name="decomposed")
def clamp_min_decomposed(x, y):
    with Decomposed():
        return torch.clamp_min(x, y)


@harness.operation
def combinations(x: Float[Tensor, "batch"], r: int = 1, with_replacement: Literal[False] = False) -> Float[Tensor, "batch 1"]:
    """What torch.combinations computes."""
    return torch.combinations(x, r=r, with_replacement=with_replacement)


combinations.implementation(combinations.definition, name="transformed")


@combinations.implementation(name="decomposed")
def combinations_decomposed(x, r, with_replacement):
    with Decomposed():
        return torch.combinations(x, r=r, with_replacement=with_replacement)


# x's axis 0 is always 1
@harness.operation
def cartesian_prod(x: Float[Tensor, "1"], y: Float[Tensor, "n"], z: Float[Tensor, "m"]) -> Float[Tensor, "n*m 3"]:
    """What torch.cartesian_prod computes."""
    return torch.cartesian_prod(x, y, z)


cartesian_prod.implementation(cartesian_prod.definition, name="transformed")


@cartesian_prod.implementation(name="decomposed")
def cartesian_prod_decomposed(x, y, z):
    with Decomposed():
        return torch.cartesian_prod(x, y, z)


@harness.operation
def cdist(x: Float[Tensor, "batch n m d"], y: Float[Tensor, "batch n k d"], z: float = 0.0, u: str = 'use_mm_for_euclid_dist') -> Float[Tensor, "batch n m k"]:
    """What torch.cdist computes."""
    return torch.cdist(x, y, z, u)


cdist.implementation(cdist.definition, name="transformed")


@harness.operation
def ceil(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.ceil computes."""
    return torch.ceil(x)


ceil.implementation(ceil.definition, name="transformed")


@ceil.implementation(name="out", out="memory")
def ceil_out(x, memory):
    torch.ceil(x, out=memory)


@ceil.implementation(name="in_place", mutates="x")
def ceil_in_place(x):
    torch.Tensor.ceil_(x)


@ceil.implementation(name="torch._refs.ceil", forward_only=True)
def ceil_torch__refs_ceil(x):
    return torch._refs.ceil(x)


@ceil.implementation(name="numpy.ceil", backend="numpy")
def ceil_numpy_ceil(x):
    return numpy.ceil(x)


@harness.operation
def cholesky(x: Annotated[Float[Tensor, "batch d d"], harness.positive_definite], upper: Literal[True] = True) -> Float[Tensor, "batch d d"]:
    """What torch.cholesky computes."""
    return torch.cholesky(x, upper=upper)


cholesky.implementation(cholesky.definition, name="transformed")


@cholesky.implementation(name="out", out="memory")
def cholesky_out(x, upper, memory):
    torch.cholesky(x, upper=upper, out=memory)


@harness.operation
def cholesky_inverse(x: Float[Tensor, "batch d d"], upper: Literal[False] = False) -> Float[Tensor, "batch d d"]:
    """What torch.cholesky_inverse computes."""
    return torch.cholesky_inverse(x, upper=upper)


cholesky_inverse.implementation(cholesky_inverse.definition, name="transformed")


@cholesky_inverse.implementation(name="out", out="memory")
def cholesky_inverse_out(x, upper, memory):
    torch.cholesky_inverse(x, upper=upper, out=memory)


@harness.operation
def cholesky_solve(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n n"], upper: Literal[False] = False) -> Float[Tensor, "batch n d"]:
    """What torch.cholesky_solve computes."""
    return torch.cholesky_solve(x, y, upper=upper)


cholesky_solve.implementation(cholesky_solve.definition, name="transformed")


@cholesky_solve.implementation(name="out", out="memory")
def cholesky_solve_out(x, y, upper, memory):
    torch.cholesky_solve(x, y, upper=upper, out=memory)


# x's axis 0 is always 5
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def chunk(x: Float[Tensor, "5 5 5"], y: int = 5, z: int = 1) -> tuple[Float[Tensor, "5 1 5"], Float[Tensor, "5 1 5"], Float[Tensor, "5 1 5"], Float[Tensor, "5 1 5"], Float[Tensor, "5 1 5"]]:
    """What torch.chunk computes."""
    return torch.chunk(x, y, z)


chunk.implementation(chunk.definition, name="transformed")


@chunk.implementation(name="torch._refs.chunk", forward_only=True)
def chunk_torch__refs_chunk(x, y, z):
    return torch._refs.chunk(x, y, z)


@chunk.implementation(name="decomposed")
def chunk_decomposed(x, y, z):
    with Decomposed():
        return torch.chunk(x, y, z)


@harness.operation
def clone(x: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.clone computes."""
    return torch.clone(x)


clone.implementation(clone.definition, name="transformed")


@clone.implementation(name="torch._refs.clone", forward_only=True)
def clone_torch__refs_clone(x):
    return torch._refs.clone(x)


@clone.implementation(name="numpy.copy", backend="numpy")
def clone_numpy_copy(x):
    return numpy.copy(x)


@harness.operation
def clamp(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"], z: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.clamp computes."""
    return torch.clamp(x, y, z)


clamp.implementation(clamp.definition, name="transformed")


@clamp.implementation(name="out", out="memory")
def clamp_out(x, y, z, memory):
    torch.clamp(x, y, z, out=memory)


@clamp.implementation(name="in_place", mutates="x")
def clamp_in_place(x, y, z):
    torch.Tensor.clamp_(x, y, z)


@clamp.implementation(name="torch._refs.clamp", forward_only=True)
def clamp_torch__refs_clamp(x, y, z):
    return torch._refs.clamp(x, y, z)


@harness.operation
def conj(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.conj computes."""
    return torch.conj(x)


conj.implementation(conj.definition, name="transformed")


@conj.implementation(name="torch._refs.conj", forward_only=True)
def conj_torch__refs_conj(x):
    return torch._refs.conj(x)


@conj.implementation(name="numpy.conjugate", backend="numpy")
def conj_numpy_conjugate(x):
    return numpy.conjugate(x)


@harness.operation
def conj_physical(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.conj_physical computes."""
    return torch.conj_physical(x)


conj_physical.implementation(conj_physical.definition, name="transformed")


@conj_physical.implementation(name="out", out="memory")
def conj_physical_out(x, memory):
    torch.conj_physical(x, out=memory)


@conj_physical.implementation(name="in_place", mutates="x")
def conj_physical_in_place(x):
    torch.Tensor.conj_physical_(x)


@conj_physical.implementation(name="torch._refs.conj_physical", forward_only=True)
def conj_physical_torch__refs_conj_physical(x):
    return torch._refs.conj_physical(x)


@conj_physical.implementation(name="numpy.conjugate", backend="numpy")
def conj_physical_numpy_conjugate(x):
    return numpy.conjugate(x)


@harness.operation
def complex(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Complex[Tensor, "batch n d"]:
    """What torch.complex computes."""
    return torch.complex(x, y)


complex.implementation(complex.definition, name="transformed")


@complex.implementation(name="out", out="memory")
def complex_out(x, y, memory):
    torch.complex(x, y, out=memory)


@complex.implementation(name="torch._refs._conversions.complex", forward_only=True)
def complex_torch__refs__conversions_complex(x, y):
    return torch._refs._conversions.complex(x, y)


@harness.operation
def copysign(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.copysign computes."""
    return torch.copysign(x, y)


copysign.implementation(copysign.definition, name="transformed")


@copysign.implementation(name="out", out="memory")
def copysign_out(x, y, memory):
    torch.copysign(x, y, out=memory)


@copysign.implementation(name="in_place", mutates="x")
def copysign_in_place(x, y):
    torch.Tensor.copysign_(x, y)


@copysign.implementation(name="torch._refs.copysign", forward_only=True)
def copysign_torch__refs_copysign(x, y):
    return torch._refs.copysign(x, y)


@harness.operation(sizes={'n': (2, 1025)})
def corrcoef(x: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """What torch.corrcoef computes."""
    return torch.corrcoef(x)


corrcoef.implementation(corrcoef.definition, name="transformed")


@corrcoef.implementation(name="decomposed")
def corrcoef_decomposed(x):
    with Decomposed():
        return torch.corrcoef(x)


@harness.operation
def cos(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.cos computes."""
    return torch.cos(x)


cos.implementation(cos.definition, name="transformed")


@cos.implementation(name="out", out="memory")
def cos_out(x, memory):
    torch.cos(x, out=memory)


@cos.implementation(name="in_place", mutates="x")
def cos_in_place(x):
    torch.Tensor.cos_(x)


@cos.implementation(name="torch._refs.cos", forward_only=True)
def cos_torch__refs_cos(x):
    return torch._refs.cos(x)


@cos.implementation(name="numpy.cos", backend="numpy")
def cos_numpy_cos(x):
    return numpy.cos(x)


@harness.operation
def cosh(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.cosh computes."""
    return torch.cosh(x)


cosh.implementation(cosh.definition, name="transformed")


@cosh.implementation(name="out", out="memory")
def cosh_out(x, memory):
    torch.cosh(x, out=memory)


@cosh.implementation(name="in_place", mutates="x")
def cosh_in_place(x):
    torch.Tensor.cosh_(x)


@cosh.implementation(name="torch._refs.cosh", forward_only=True)
def cosh_torch__refs_cosh(x):
    return torch._refs.cosh(x)


@harness.operation(sizes={'n': (2, 1025)})
def cov(x: Float[Tensor, "n d"], fweights: Annotated[Int32[Tensor, "d"], harness.within(4, 7)], aweights: Annotated[Float[Tensor, "d"], harness.positive], correction: int = 0) -> Float[Tensor, "n n"]:
    """What torch.cov computes."""
    return torch.cov(x, correction=correction, fweights=fweights, aweights=aweights)


cov.implementation(cov.definition, name="transformed")


@cov.implementation(name="decomposed")
def cov_decomposed(x, fweights, aweights, correction):
    with Decomposed():
        return torch.cov(x, correction=correction, fweights=fweights, aweights=aweights)


# x's axis 1 is always 3
# y's axis 1 is always 3
@harness.operation
def cross(x: Float[Tensor, "batch 3 d"], y: Float[Tensor, "batch 3 d"], dim: int = 1) -> Float[Tensor, "batch 3 d"]:
    """What torch.cross computes."""
    return torch.cross(x, y, dim=dim)


cross.implementation(cross.definition, name="transformed")


@cross.implementation(name="out", out="memory")
def cross_out(x, y, dim, memory):
    torch.cross(x, y, dim=dim, out=memory)


@cross.implementation(name="decomposed")
def cross_decomposed(x, y, dim):
    with Decomposed():
        return torch.cross(x, y, dim=dim)


@harness.operation
def cumsum(x: Float[Tensor, "batch n d"], y: int = 1) -> Annotated[Float[Tensor, "batch n d"], harness.dtype('float32')]:
    """What torch.cumsum computes."""
    return torch.cumsum(x, y, dtype=torch.float32)


cumsum.implementation(cumsum.definition, name="transformed")


@cumsum.implementation(name="out", out="memory")
def cumsum_out(x, y, memory):
    torch.cumsum(x, y, dtype=torch.float32, out=memory)


@cumsum.implementation(name="torch._refs.cumsum", forward_only=True)
def cumsum_torch__refs_cumsum(x, y):
    return torch._refs.cumsum(x, y, dtype=torch.float32)


@harness.operation
def cumprod(x: Float[Tensor, "batch n d"], y: int = 1) -> Annotated[Float[Tensor, "batch n d"], harness.dtype('float32')]:
    """What torch.cumprod computes."""
    return torch.cumprod(x, y, dtype=torch.float32)


cumprod.implementation(cumprod.definition, name="transformed")


@cumprod.implementation(name="out", out="memory")
def cumprod_out(x, y, memory):
    torch.cumprod(x, y, dtype=torch.float32, out=memory)


@cumprod.implementation(name="torch._refs.cumprod", forward_only=True)
def cumprod_torch__refs_cumprod(x, y):
    return torch._refs.cumprod(x, y, dtype=torch.float32)


@harness.operation
def cummax(x: Float[Tensor, "n m d"], y: int = 0) -> tuple[Float[Tensor, "n m d"], Int[Tensor, "n m d"]]:
    """What torch.cummax computes."""
    return torch.cummax(x, y)


cummax.implementation(cummax.definition, name="transformed")


@cummax.implementation(name="out", out="memory")
def cummax_out(x, y, memory):
    torch.cummax(x, y, out=memory)


@harness.operation
def cummin(x: Float[Tensor, "n m d"], y: int = 0) -> tuple[Float[Tensor, "n m d"], Int[Tensor, "n m d"]]:
    """What torch.cummin computes."""
    return torch.cummin(x, y)


cummin.implementation(cummin.definition, name="transformed")


@cummin.implementation(name="out", out="memory")
def cummin_out(x, y, memory):
    torch.cummin(x, y, out=memory)


@harness.operation
def constant_pad_nd(x: Float[Tensor, "batch n m d"], z: float = 1.0) -> Float[Tensor, "batch n m d+3"]:
    """What torch.constant_pad_nd computes."""
    return torch.constant_pad_nd(x, (1, 2), z)


constant_pad_nd.implementation(constant_pad_nd.definition, name="transformed")


@constant_pad_nd.implementation(name="torch._refs.constant_pad_nd", forward_only=True)
def constant_pad_nd_torch__refs_constant_pad_nd(x, z):
    return torch._refs.constant_pad_nd(x, (1, 2), z)


@harness.operation
def column_stack(x_0: Float[Tensor, "batch"], x_1: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n+1"]:
    """What torch.column_stack computes."""
    return torch.column_stack([x_0, x_1])


column_stack.implementation(column_stack.definition, name="transformed")


@column_stack.implementation(name="out", out="memory")
def column_stack_out(x_0, x_1, memory):
    torch.column_stack([x_0, x_1], out=memory)


@column_stack.implementation(name="torch._refs.column_stack", forward_only=True)
def column_stack_torch__refs_column_stack(x_0, x_1):
    return torch._refs.column_stack([x_0, x_1])


@column_stack.implementation(name="decomposed")
def column_stack_decomposed(x_0, x_1):
    with Decomposed():
        return torch.column_stack([x_0, x_1])


# x_0's axis 0 is always 2
# x_0's axis 1 is always 3
# x_0's axis 2 is always 3
# x_1's axis 0 is always 2
# x_1's axis 1 is always 3
# x_1's axis 2 is always 1
# x_1's axis 3 is always 2
# x_2's axis 0 is always 2
# x_2's axis 1 is always 3
# x_3's axis 0 is always 2
# x_3's axis 1 is always 3
# x_3's axis 2 is always 2
# x_4's axis 0 is always 2
# x_4's axis 1 is always 3
# x_4's axis 2 is always 271
@harness.operation(differentiable=False)
def chunk_cat(x_0: Float[Tensor, "2 3 3"], x_1: Float[Tensor, "2 3 1 2"], x_2: Float[Tensor, "2 3"], x_3: Float[Tensor, "2 3 2"], x_4: Float[Tensor, "2 3 271"], y: int = 0, z: int = 3) -> Float[Tensor, "3 837"]:
    """What torch._chunk_cat computes."""
    return torch._chunk_cat([x_0, x_1, x_2, x_3, x_4], y, z)


chunk_cat.implementation(chunk_cat.definition, name="transformed")


@chunk_cat.implementation(name="out", out="memory")
def chunk_cat_out(x_0, x_1, x_2, x_3, x_4, y, z, memory):
    torch._chunk_cat([x_0, x_1, x_2, x_3, x_4], y, z, out=memory)


@chunk_cat.implementation(name="decomposed")
def chunk_cat_decomposed(x_0, x_1, x_2, x_3, x_4, y, z):
    with Decomposed():
        return torch._chunk_cat([x_0, x_1, x_2, x_3, x_4], y, z)


@harness.operation
def cat(x_0: Float[Tensor, "batch d"], x_1: Float[Tensor, "batch n"], dim: int = -1) -> Float[Tensor, "batch d+n"]:
    """What torch.cat computes."""
    return torch.cat([x_0, x_1], dim=dim)


cat.implementation(cat.definition, name="transformed")


@cat.implementation(name="out", out="memory")
def cat_out(x_0, x_1, dim, memory):
    torch.cat([x_0, x_1], dim=dim, out=memory)


@cat.implementation(name="torch._refs.cat", forward_only=True)
def cat_torch__refs_cat(x_0, x_1, dim):
    return torch._refs.cat([x_0, x_1], dim=dim)


@cat.implementation(name="decomposed")
def cat_decomposed(x_0, x_1, dim):
    with Decomposed():
        return torch.cat([x_0, x_1], dim=dim)


@harness.operation(where=lambda d: d-1 > 0)
def cumulative_trapezoid(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], dim: int = 1) -> Float[Tensor, "batch d-1"]:
    """What torch.cumulative_trapezoid computes."""
    return torch.cumulative_trapezoid(x, y, dim=dim)


cumulative_trapezoid.implementation(cumulative_trapezoid.definition, name="transformed")


@harness.operation(differentiable=False)
def count_nonzero(x: Float[Tensor, "n d"], dim: int = 0) -> Int[Tensor, "d"]:
    """What torch.count_nonzero computes."""
    return torch.count_nonzero(x, dim=dim)


count_nonzero.implementation(count_nonzero.definition, name="transformed")


@count_nonzero.implementation(name="torch._refs.count_nonzero", forward_only=True)
def count_nonzero_torch__refs_count_nonzero(x, dim):
    return torch._refs.count_nonzero(x, dim=dim)


@count_nonzero.implementation(name="decomposed")
def count_nonzero_decomposed(x, dim):
    with Decomposed():
        return torch.count_nonzero(x, dim=dim)
