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


# x's axis 1 is always 3
# y's axis 1 is always 3
@harness.operation
def linalg_cross(x: Float[Tensor, "batch 3 d"], y: Float[Tensor, "batch 3 d"], dim: int = 1) -> Float[Tensor, "batch 3 d"]:
    """What torch.linalg.cross computes."""
    return torch.linalg.cross(x, y, dim=dim)


linalg_cross.implementation(linalg_cross.definition, name="transformed")


@linalg_cross.implementation(name="out", out="memory")
def linalg_cross_out(x, y, dim, memory):
    torch.linalg.cross(x, y, dim=dim, out=memory)


@linalg_cross.implementation(name="torch._refs.linalg.cross", forward_only=True)
def linalg_cross_torch__refs_linalg_cross(x, y, dim):
    return torch._refs.linalg.cross(x, y, dim=dim)


@linalg_cross.implementation(name="decomposed")
def linalg_cross_decomposed(x, y, dim):
    with Decomposed():
        return torch.linalg.cross(x, y, dim=dim)


@harness.operation
def linalg_det(x: Float[Tensor, "batch d d"]) -> Float[Tensor, "batch"]:
    """What torch.linalg.det computes."""
    return torch.linalg.det(x)


linalg_det.implementation(linalg_det.definition, name="transformed")


@linalg_det.implementation(name="out", out="memory")
def linalg_det_out(x, memory):
    torch.linalg.det(x, out=memory)


# x's axis 0 is always 5
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def linalg_diagonal(x: Float[Tensor, "5 5 5"], offset: int = 1, dim1: int = 1, dim2: int = 2) -> Float[Tensor, "5 4"]:
    """What torch.linalg.diagonal computes."""
    return torch.linalg.diagonal(x, offset=offset, dim1=dim1, dim2=dim2)


linalg_diagonal.implementation(linalg_diagonal.definition, name="transformed")


@linalg_diagonal.implementation(name="torch._refs.linalg.diagonal", forward_only=True)
def linalg_diagonal_torch__refs_linalg_diagonal(x, offset, dim1, dim2):
    return torch._refs.linalg.diagonal(x, offset=offset, dim1=dim1, dim2=dim2)


@harness.operation
def linalg_cholesky(x: Annotated[Float[Tensor, "batch d d"], harness.positive_definite], upper: Literal[True] = True) -> Float[Tensor, "batch d d"]:
    """What torch.linalg.cholesky computes."""
    return torch.linalg.cholesky(x, upper=upper)


linalg_cholesky.implementation(linalg_cholesky.definition, name="transformed")


@linalg_cholesky.implementation(name="out", out="memory")
def linalg_cholesky_out(x, upper, memory):
    torch.linalg.cholesky(x, upper=upper, out=memory)


@harness.operation
def linalg_cholesky_ex(x: Annotated[Float[Tensor, "batch d d"], harness.symmetric], upper: Literal[True] = True) -> tuple[Float[Tensor, "batch d d"], Int32[Tensor, "batch"]]:
    """What torch.linalg.cholesky_ex computes."""
    return torch.linalg.cholesky_ex(x, upper=upper)


linalg_cholesky_ex.implementation(linalg_cholesky_ex.definition, name="transformed")


@linalg_cholesky_ex.implementation(name="out", out="memory")
def linalg_cholesky_ex_out(x, upper, memory):
    torch.linalg.cholesky_ex(x, upper=upper, out=memory)


@harness.operation
def linalg_vecdot(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"], dim: int = 0) -> Float[Tensor, "d"]:
    """What torch.linalg.vecdot computes."""
    return torch.linalg.vecdot(x, y, dim=dim)


linalg_vecdot.implementation(linalg_vecdot.definition, name="transformed")


@linalg_vecdot.implementation(name="out", out="memory")
def linalg_vecdot_out(x, y, dim, memory):
    torch.linalg.vecdot(x, y, dim=dim, out=memory)


@linalg_vecdot.implementation(name="torch._refs.linalg.vecdot", forward_only=True)
def linalg_vecdot_torch__refs_linalg_vecdot(x, y, dim):
    return torch._refs.linalg.vecdot(x, y, dim=dim)


@linalg_vecdot.implementation(name="decomposed")
def linalg_vecdot_decomposed(x, y, dim):
    with Decomposed():
        return torch.linalg.vecdot(x, y, dim=dim)


@harness.operation
def linalg_cond(x: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch"]:
    """What torch.linalg.cond computes."""
    return torch.linalg.cond(x)


linalg_cond.implementation(linalg_cond.definition, name="transformed")


@linalg_cond.implementation(name="out", out="memory")
def linalg_cond_out(x, memory):
    torch.linalg.cond(x, out=memory)


@linalg_cond.implementation(name="decomposed")
def linalg_cond_decomposed(x):
    with Decomposed():
        return torch.linalg.cond(x)


@harness.operation
def linalg_eig(x: Float[Tensor, "batch d d"]) -> tuple[Complex[Tensor, "batch d"], Complex[Tensor, "batch d d"]]:
    """What torch.linalg.eig computes."""
    return torch.linalg.eig(x)


linalg_eig.implementation(linalg_eig.definition, name="transformed")


@linalg_eig.implementation(name="out", out="memory")
def linalg_eig_out(x, memory):
    torch.linalg.eig(x, out=memory)


@harness.operation
def linalg_eigvals(x: Float[Tensor, "batch d d"]) -> Complex[Tensor, "batch d"]:
    """What torch.linalg.eigvals computes."""
    return torch.linalg.eigvals(x)


linalg_eigvals.implementation(linalg_eigvals.definition, name="transformed")


@linalg_eigvals.implementation(name="out", out="memory")
def linalg_eigvals_out(x, memory):
    torch.linalg.eigvals(x, out=memory)


@harness.operation
def linalg_eigh(x: Annotated[Float[Tensor, "batch d d"], harness.symmetric], UPLO: str = 'U') -> tuple[Float[Tensor, "batch d"], Float[Tensor, "batch d d"]]:
    """What torch.linalg.eigh computes."""
    return torch.linalg.eigh(x, UPLO=UPLO)


linalg_eigh.implementation(linalg_eigh.definition, name="transformed")


@linalg_eigh.implementation(name="out", out="memory")
def linalg_eigh_out(x, UPLO, memory):
    torch.linalg.eigh(x, UPLO=UPLO, out=memory)


@harness.operation
def linalg_eigvalsh(x: Annotated[Float[Tensor, "batch d d"], harness.symmetric], UPLO: str = 'U') -> Float[Tensor, "batch d"]:
    """What torch.linalg.eigvalsh computes."""
    return torch.linalg.eigvalsh(x, UPLO=UPLO)


linalg_eigvalsh.implementation(linalg_eigvalsh.definition, name="transformed")


@linalg_eigvalsh.implementation(name="out", out="memory")
def linalg_eigvalsh_out(x, UPLO, memory):
    torch.linalg.eigvalsh(x, UPLO=UPLO, out=memory)


@harness.operation
def linalg_householder_product(x: Float[Tensor, "d d"], y: Float[Tensor, "d"]) -> Float[Tensor, "d d"]:
    """What torch.linalg.householder_product computes."""
    return torch.linalg.householder_product(x, y)


linalg_householder_product.implementation(linalg_householder_product.definition, name="transformed")


@linalg_householder_product.implementation(name="out", out="memory")
def linalg_householder_product_out(x, y, memory):
    torch.linalg.householder_product(x, y, out=memory)


@harness.operation(differentiable=False)
def linalg_ldl_factor(x: Annotated[Float[Tensor, "batch d d"], harness.symmetric], hermitian: Literal[False] = False) -> tuple[Float[Tensor, "batch d d"], Int32[Tensor, "batch d"]]:
    """What torch.linalg.ldl_factor computes."""
    return torch.linalg.ldl_factor(x, hermitian=hermitian)


linalg_ldl_factor.implementation(linalg_ldl_factor.definition, name="transformed")


@linalg_ldl_factor.implementation(name="out", out="memory")
def linalg_ldl_factor_out(x, hermitian, memory):
    torch.linalg.ldl_factor(x, hermitian=hermitian, out=memory)


@harness.operation(differentiable=False)
def linalg_ldl_factor_ex(x: Annotated[Float[Tensor, "batch d d"], harness.symmetric], hermitian: Literal[False] = False) -> tuple[Float[Tensor, "batch d d"], Int32[Tensor, "batch d"], Int32[Tensor, "batch"]]:
    """What torch.linalg.ldl_factor_ex computes."""
    return torch.linalg.ldl_factor_ex(x, hermitian=hermitian)


linalg_ldl_factor_ex.implementation(linalg_ldl_factor_ex.definition, name="transformed")


@linalg_ldl_factor_ex.implementation(name="out", out="memory")
def linalg_ldl_factor_ex_out(x, hermitian, memory):
    torch.linalg.ldl_factor_ex(x, hermitian=hermitian, out=memory)


@harness.operation(sizes={'d': (5, 1025)}, differentiable=False)
def linalg_ldl_solve(x: Float[Tensor, "batch d d"], y: Annotated[Int32[Tensor, "batch d"], harness.lengths('d')], z: Float[Tensor, "batch d n"], hermitian: Literal[False] = False) -> Float[Tensor, "batch d n"]:
    """What torch.linalg.ldl_solve computes."""
    return torch.linalg.ldl_solve(x, y, z, hermitian=hermitian)


linalg_ldl_solve.implementation(linalg_ldl_solve.definition, name="transformed")


@linalg_ldl_solve.implementation(name="out", out="memory")
def linalg_ldl_solve_out(x, y, z, hermitian, memory):
    torch.linalg.ldl_solve(x, y, z, hermitian=hermitian, out=memory)


# x's axis 0 is always 3
# x's axis 1 is always 3
# x's axis 2 is always 2
# x's axis 3 is always 3
# y's axis 0 is always 3
# y's axis 1 is always 3
# y's axis 2 is always 2
# y's axis 3 is always 3
@harness.operation
def linalg_lstsq(x: Float[Tensor, "3 3 2 3"], y: Float[Tensor, "3 3 2 3"], driver: str = 'gels') -> tuple[Float[Tensor, "3 3 3 3"], Float[Tensor, "0"], Int[Tensor, "0"], Float[Tensor, "0"]]:
    """What torch.linalg.lstsq computes."""
    return torch.linalg.lstsq(x, y, driver=driver)


linalg_lstsq.implementation(linalg_lstsq.definition, name="transformed")


@linalg_lstsq.implementation(name="out", out="memory")
def linalg_lstsq_out(x, y, driver, memory):
    torch.linalg.lstsq(x, y, driver=driver, out=memory)


@harness.operation
def linalg_matrix_power(x: Float[Tensor, "batch d d"], y: int = 0) -> Float[Tensor, "batch d d"]:
    """What torch.linalg.matrix_power computes."""
    return torch.linalg.matrix_power(x, y)


linalg_matrix_power.implementation(linalg_matrix_power.definition, name="transformed")


@linalg_matrix_power.implementation(name="out", out="memory")
def linalg_matrix_power_out(x, y, memory):
    torch.linalg.matrix_power(x, y, out=memory)


@linalg_matrix_power.implementation(name="decomposed")
def linalg_matrix_power_decomposed(x, y):
    with Decomposed():
        return torch.linalg.matrix_power(x, y)


@harness.operation
def linalg_multi_dot(x_0: Float[Tensor, "batch d"], x_1: Float[Tensor, "d n"], x_2: Float[Tensor, "n m"], x_3: Float[Tensor, "m k"], x_4: Float[Tensor, "k p"]) -> Float[Tensor, "batch p"]:
    """What torch.linalg.multi_dot computes."""
    return torch.linalg.multi_dot([x_0, x_1, x_2, x_3, x_4])


linalg_multi_dot.implementation(linalg_multi_dot.definition, name="transformed")


@linalg_multi_dot.implementation(name="out", out="memory")
def linalg_multi_dot_out(x_0, x_1, x_2, x_3, x_4, memory):
    torch.linalg.multi_dot([x_0, x_1, x_2, x_3, x_4], out=memory)


@harness.operation
def linalg_norm(x: Float[Tensor, "n d"], ord: str = 'fro', keepdim: Literal[False] = False) -> Float[Tensor, ""]:
    """What torch.linalg.norm computes."""
    return torch.linalg.norm(x, ord=ord, keepdim=keepdim, dim=(0, 1))


linalg_norm.implementation(linalg_norm.definition, name="transformed")


@linalg_norm.implementation(name="out", out="memory")
def linalg_norm_out(x, ord, keepdim, memory):
    torch.linalg.norm(x, ord=ord, keepdim=keepdim, dim=(0, 1), out=memory)


@linalg_norm.implementation(name="torch._refs.linalg.norm", forward_only=True)
def linalg_norm_torch__refs_linalg_norm(x, ord, keepdim):
    return torch._refs.linalg.norm(x, ord=ord, keepdim=keepdim, dim=(0, 1))


@harness.operation
def linalg_norm_subgradients_at_zero(x: Float[Tensor, "n d"], keepdim: Literal[False] = False) -> Float[Tensor, ""]:
    """What torch.linalg.norm computes."""
    return torch.linalg.norm(x, None, keepdim=keepdim)


linalg_norm_subgradients_at_zero.implementation(linalg_norm_subgradients_at_zero.definition, name="transformed")


@linalg_norm_subgradients_at_zero.implementation(name="out", out="memory")
def linalg_norm_subgradients_at_zero_out(x, keepdim, memory):
    torch.linalg.norm(x, None, keepdim=keepdim, out=memory)


@harness.operation
def linalg_matrix_norm(x: Float[Tensor, "batch n d"], y: str = 'fro', u: Literal[True] = True) -> Float[Tensor, "batch 1 1"]:
    """What torch.linalg.matrix_norm computes."""
    return torch.linalg.matrix_norm(x, y, (-2, -1), u)


linalg_matrix_norm.implementation(linalg_matrix_norm.definition, name="transformed")


@linalg_matrix_norm.implementation(name="out", out="memory")
def linalg_matrix_norm_out(x, y, u, memory):
    torch.linalg.matrix_norm(x, y, (-2, -1), u, out=memory)


@linalg_matrix_norm.implementation(name="torch._refs.linalg.matrix_norm", forward_only=True)
def linalg_matrix_norm_torch__refs_linalg_matrix_norm(x, y, u):
    return torch._refs.linalg.matrix_norm(x, y, (-2, -1), u)


# x's axis 0 is always 2
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def linalg_qr(x: Float[Tensor, "2 5 5"]) -> tuple[Float[Tensor, "2 5 5"], Float[Tensor, "2 5 5"]]:
    """What torch.linalg.qr computes."""
    return torch.linalg.qr(x)


linalg_qr.implementation(linalg_qr.definition, name="transformed")


@linalg_qr.implementation(name="out", out="memory")
def linalg_qr_out(x, memory):
    torch.linalg.qr(x, out=memory)


@harness.operation
def linalg_slogdet(x: Float[Tensor, "batch d d"]) -> tuple[Float[Tensor, "batch"], Float[Tensor, "batch"]]:
    """What torch.linalg.slogdet computes."""
    return torch.linalg.slogdet(x)


linalg_slogdet.implementation(linalg_slogdet.definition, name="transformed")


@linalg_slogdet.implementation(name="out", out="memory")
def linalg_slogdet_out(x, memory):
    torch.linalg.slogdet(x, out=memory)


@harness.operation
def linalg_vander(x: Float[Tensor, "batch d"], N: int = 4) -> Float[Tensor, "batch d 4"]:
    """What torch.linalg.vander computes."""
    return torch.linalg.vander(x, N=N)


linalg_vander.implementation(linalg_vander.definition, name="transformed")


@linalg_vander.implementation(name="decomposed")
def linalg_vander_decomposed(x, N):
    with Decomposed():
        return torch.linalg.vander(x, N=N)


@harness.operation
def linalg_vector_norm(x: Float[Tensor, "n d"], ord: int = 6, dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.linalg.vector_norm computes."""
    return torch.linalg.vector_norm(x, ord=ord, dim=dim, keepdim=keepdim)


linalg_vector_norm.implementation(linalg_vector_norm.definition, name="transformed")


@linalg_vector_norm.implementation(name="out", out="memory")
def linalg_vector_norm_out(x, ord, dim, keepdim, memory):
    torch.linalg.vector_norm(x, ord=ord, dim=dim, keepdim=keepdim, out=memory)


@linalg_vector_norm.implementation(name="torch._refs.linalg.vector_norm", forward_only=True)
def linalg_vector_norm_torch__refs_linalg_vector_norm(x, ord, dim, keepdim):
    return torch._refs.linalg.vector_norm(x, ord=ord, dim=dim, keepdim=keepdim)


# x's axis 0 is always 3
# x's axis 1 is always 3
# x's axis 2 is always 3
# x's axis 3 is always 5
@harness.operation
def linalg_lu_factor(x: Float[Tensor, "3 3 3 5"], pivot: Literal[True] = True) -> tuple[Float[Tensor, "3 3 3 5"], Int32[Tensor, "3 3 3"]]:
    """What torch.linalg.lu_factor computes."""
    return torch.linalg.lu_factor(x, pivot=pivot)


linalg_lu_factor.implementation(linalg_lu_factor.definition, name="transformed")


@linalg_lu_factor.implementation(name="out", out="memory")
def linalg_lu_factor_out(x, pivot, memory):
    torch.linalg.lu_factor(x, pivot=pivot, out=memory)


# x's axis 0 is always 3
# x's axis 1 is always 3
# x's axis 2 is always 3
# x's axis 3 is always 5
@harness.operation
def linalg_lu_factor_ex(x: Float[Tensor, "3 3 3 5"], pivot: Literal[True] = True) -> tuple[Float[Tensor, "3 3 3 5"], Int32[Tensor, "3 3 3"], Int32[Tensor, "3 3"]]:
    """What torch.linalg.lu_factor_ex computes."""
    return torch.linalg.lu_factor_ex(x, pivot=pivot)


linalg_lu_factor_ex.implementation(linalg_lu_factor_ex.definition, name="transformed")


@linalg_lu_factor_ex.implementation(name="out", out="memory")
def linalg_lu_factor_ex_out(x, pivot, memory):
    torch.linalg.lu_factor_ex(x, pivot=pivot, out=memory)


# x's axis 0 is always 3
# x's axis 1 is always 3
# x's axis 2 is always 3
# x's axis 3 is always 5
@harness.operation
def linalg_lu(x: Float[Tensor, "3 3 3 5"], pivot: Literal[True] = True) -> tuple[Float[Tensor, "3 3 3 3"], Float[Tensor, "3 3 3 3"], Float[Tensor, "3 3 3 5"]]:
    """What torch.linalg.lu computes."""
    return torch.linalg.lu(x, pivot=pivot)


linalg_lu.implementation(linalg_lu.definition, name="transformed")


@linalg_lu.implementation(name="out", out="memory")
def linalg_lu_out(x, pivot, memory):
    torch.linalg.lu(x, pivot=pivot, out=memory)


@harness.operation
def linalg_inv(x: Float[Tensor, "batch d d"]) -> Float[Tensor, "batch d d"]:
    """What torch.linalg.inv computes."""
    return torch.linalg.inv(x)


linalg_inv.implementation(linalg_inv.definition, name="transformed")


@linalg_inv.implementation(name="out", out="memory")
def linalg_inv_out(x, memory):
    torch.linalg.inv(x, out=memory)


@harness.operation
def linalg_inv_ex(x: Float[Tensor, "batch d d"]) -> tuple[Float[Tensor, "batch d d"], Int32[Tensor, "batch"]]:
    """What torch.linalg.inv_ex computes."""
    return torch.linalg.inv_ex(x)


linalg_inv_ex.implementation(linalg_inv_ex.definition, name="transformed")


@linalg_inv_ex.implementation(name="out", out="memory")
def linalg_inv_ex_out(x, memory):
    torch.linalg.inv_ex(x, out=memory)


@harness.operation
def linalg_solve(x: Float[Tensor, "batch n d d"], y: Float[Tensor, "batch n d m"]) -> Float[Tensor, "batch n d m"]:
    """What torch.linalg.solve computes."""
    return torch.linalg.solve(x, y)


linalg_solve.implementation(linalg_solve.definition, name="transformed")


@linalg_solve.implementation(name="out", out="memory")
def linalg_solve_out(x, y, memory):
    torch.linalg.solve(x, y, out=memory)


@harness.operation
def linalg_solve_ex(x: Float[Tensor, "batch n d d"], y: Float[Tensor, "batch n d m"]) -> tuple[Float[Tensor, "batch n d m"], Int32[Tensor, "batch n"]]:
    """What torch.linalg.solve_ex computes."""
    return torch.linalg.solve_ex(x, y)


linalg_solve_ex.implementation(linalg_solve_ex.definition, name="transformed")


@linalg_solve_ex.implementation(name="out", out="memory")
def linalg_solve_ex_out(x, y, memory):
    torch.linalg.solve_ex(x, y, out=memory)


@harness.operation
def linalg_solve_triangular(x: Float[Tensor, "batch d d"], y: Float[Tensor, "batch d n"], upper: Literal[True] = True, left: Literal[True] = True, unitriangular: Literal[True] = True) -> Float[Tensor, "batch d n"]:
    """What torch.linalg.solve_triangular computes."""
    return torch.linalg.solve_triangular(x, y, upper=upper, left=left, unitriangular=unitriangular)


linalg_solve_triangular.implementation(linalg_solve_triangular.definition, name="transformed")


@linalg_solve_triangular.implementation(name="out", out="memory")
def linalg_solve_triangular_out(x, y, upper, left, unitriangular, memory):
    torch.linalg.solve_triangular(x, y, upper=upper, left=left, unitriangular=unitriangular, out=memory)


@harness.operation(differentiable=False)
def linalg_matrix_rank(x: Float[Tensor, "batch n d"], atol: Float[Tensor, "batch"], rtol: Float[Tensor, "batch"]) -> Int[Tensor, "batch"]:
    """What torch.linalg.matrix_rank computes."""
    return torch.linalg.matrix_rank(x, atol=atol, rtol=rtol)


linalg_matrix_rank.implementation(linalg_matrix_rank.definition, name="transformed")


@linalg_matrix_rank.implementation(name="out", out="memory")
def linalg_matrix_rank_out(x, atol, rtol, memory):
    torch.linalg.matrix_rank(x, atol=atol, rtol=rtol, out=memory)


@linalg_matrix_rank.implementation(name="decomposed")
def linalg_matrix_rank_decomposed(x, atol, rtol):
    with Decomposed():
        return torch.linalg.matrix_rank(x, atol=atol, rtol=rtol)


@harness.operation(differentiable=False)
def linalg_matrix_rank_hermitian(x: Float[Tensor, "batch d d"], hermitian: Literal[True] = True) -> Int[Tensor, "batch"]:
    """What torch.linalg.matrix_rank computes."""
    return torch.linalg.matrix_rank(x, hermitian=hermitian)


linalg_matrix_rank_hermitian.implementation(linalg_matrix_rank_hermitian.definition, name="transformed")


@linalg_matrix_rank_hermitian.implementation(name="out", out="memory")
def linalg_matrix_rank_hermitian_out(x, hermitian, memory):
    torch.linalg.matrix_rank(x, hermitian=hermitian, out=memory)


@linalg_matrix_rank_hermitian.implementation(name="decomposed")
def linalg_matrix_rank_hermitian_decomposed(x, hermitian):
    with Decomposed():
        return torch.linalg.matrix_rank(x, hermitian=hermitian)


@harness.operation
def linalg_pinv(x: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch d n"]:
    """What torch.linalg.pinv computes."""
    return torch.linalg.pinv(x, rtol=None)


linalg_pinv.implementation(linalg_pinv.definition, name="transformed")


@linalg_pinv.implementation(name="out", out="memory")
def linalg_pinv_out(x, memory):
    torch.linalg.pinv(x, rtol=None, out=memory)


@linalg_pinv.implementation(name="decomposed")
def linalg_pinv_decomposed(x):
    with Decomposed():
        return torch.linalg.pinv(x, rtol=None)


@harness.operation
def linalg_pinv_hermitian(x: Annotated[Float[Tensor, "batch d d"], harness.symmetric], hermitian: Literal[True] = True) -> Float[Tensor, "batch d d"]:
    """What torch.linalg.pinv computes."""
    return torch.linalg.pinv(x, hermitian=hermitian)


linalg_pinv_hermitian.implementation(linalg_pinv_hermitian.definition, name="transformed")


@linalg_pinv_hermitian.implementation(name="out", out="memory")
def linalg_pinv_hermitian_out(x, hermitian, memory):
    torch.linalg.pinv(x, hermitian=hermitian, out=memory)


@linalg_pinv_hermitian.implementation(name="decomposed")
def linalg_pinv_hermitian_decomposed(x, hermitian):
    with Decomposed():
        return torch.linalg.pinv(x, hermitian=hermitian)


# x's axis 0 is always 3
# x's axis 1 is always 3
# x's axis 2 is always 3
@harness.operation
def linalg_svd(x: Float[Tensor, "3 3 3"], full_matrices: Literal[True] = True) -> tuple[Float[Tensor, "3 3 3"], Float[Tensor, "3 3"], Float[Tensor, "3 3 3"]]:
    """What torch.linalg.svd computes."""
    return torch.linalg.svd(x, full_matrices=full_matrices)


linalg_svd.implementation(linalg_svd.definition, name="transformed")


@linalg_svd.implementation(name="out", out="memory")
def linalg_svd_out(x, full_matrices, memory):
    torch.linalg.svd(x, full_matrices=full_matrices, out=memory)


@linalg_svd.implementation(name="torch._refs.linalg.svd", forward_only=True)
def linalg_svd_torch__refs_linalg_svd(x, full_matrices):
    return torch._refs.linalg.svd(x, full_matrices=full_matrices)


# x's axis 0 is always 2
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def linalg_svdvals(x: Float[Tensor, "2 5 5"]) -> Float[Tensor, "2 5"]:
    """What torch.linalg.svdvals computes."""
    return torch.linalg.svdvals(x)


linalg_svdvals.implementation(linalg_svdvals.definition, name="transformed")


@linalg_svdvals.implementation(name="out", out="memory")
def linalg_svdvals_out(x, memory):
    torch.linalg.svdvals(x, out=memory)


@linalg_svdvals.implementation(name="torch._refs.linalg.svdvals", forward_only=True)
def linalg_svdvals_torch__refs_linalg_svdvals(x):
    return torch._refs.linalg.svdvals(x)


# x's axis 0 is always 2
# x's axis 1 is always 2
# x's axis 2 is always 3
# x's axis 3 is always 12
# x's axis 4 is always 1
@harness.operation
def linalg_tensorinv(x: Float[Tensor, "2 2 3 12 1"], ind: int = 3) -> Float[Tensor, "12 1 2 2 3"]:
    """What torch.linalg.tensorinv computes."""
    return torch.linalg.tensorinv(x, ind=ind)


linalg_tensorinv.implementation(linalg_tensorinv.definition, name="transformed")


@linalg_tensorinv.implementation(name="out", out="memory")
def linalg_tensorinv_out(x, ind, memory):
    torch.linalg.tensorinv(x, ind=ind, out=memory)


@linalg_tensorinv.implementation(name="numpy.linalg.tensorinv", backend="numpy")
def linalg_tensorinv_numpy_linalg_tensorinv(x, ind):
    return numpy.linalg.tensorinv(x, ind=ind)


@harness.operation
def linalg_tensorsolve(x: Float[Tensor, "d n n d"], y: Float[Tensor, "d n"]) -> Float[Tensor, "n d"]:
    """What torch.linalg.tensorsolve computes."""
    return torch.linalg.tensorsolve(x, y, dims=None)


linalg_tensorsolve.implementation(linalg_tensorsolve.definition, name="transformed")


@linalg_tensorsolve.implementation(name="out", out="memory")
def linalg_tensorsolve_out(x, y, memory):
    torch.linalg.tensorsolve(x, y, dims=None, out=memory)
