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
def special_i0e(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.i0e computes."""
    return torch.special.i0e(x)


special_i0e.implementation(special_i0e.definition, name="transformed")


@special_i0e.implementation(name="out", out="memory")
def special_i0e_out(x, memory):
    torch.special.i0e(x, out=memory)


@special_i0e.implementation(name="torch._refs.special.i0e", forward_only=True)
def special_i0e_torch__refs_special_i0e(x):
    return torch._refs.special.i0e(x)


@special_i0e.implementation(name="scipy.special.i0e", backend="scipy")
def special_i0e_scipy_special_i0e(x):
    return scipy.special.i0e(x)


@harness.operation
def special_i1(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.i1 computes."""
    return torch.special.i1(x)


special_i1.implementation(special_i1.definition, name="transformed")


@special_i1.implementation(name="out", out="memory")
def special_i1_out(x, memory):
    torch.special.i1(x, out=memory)


@special_i1.implementation(name="torch._refs.special.i1", forward_only=True)
def special_i1_torch__refs_special_i1(x):
    return torch._refs.special.i1(x)


@harness.operation
def special_i1e(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.i1e computes."""
    return torch.special.i1e(x)


special_i1e.implementation(special_i1e.definition, name="transformed")


@special_i1e.implementation(name="out", out="memory")
def special_i1e_out(x, memory):
    torch.special.i1e(x, out=memory)


@special_i1e.implementation(name="torch._refs.special.i1e", forward_only=True)
def special_i1e_torch__refs_special_i1e(x):
    return torch._refs.special.i1e(x)


@special_i1e.implementation(name="scipy.special.i1e", backend="scipy")
def special_i1e_scipy_special_i1e(x):
    return scipy.special.i1e(x)


@harness.operation
def special_ndtr(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.ndtr computes."""
    return torch.special.ndtr(x)


special_ndtr.implementation(special_ndtr.definition, name="transformed")


@special_ndtr.implementation(name="out", out="memory")
def special_ndtr_out(x, memory):
    torch.special.ndtr(x, out=memory)


@special_ndtr.implementation(name="torch._refs.special.ndtr", forward_only=True)
def special_ndtr_torch__refs_special_ndtr(x):
    return torch._refs.special.ndtr(x)


@special_ndtr.implementation(name="scipy.special.ndtr", backend="scipy")
def special_ndtr_scipy_special_ndtr(x):
    return scipy.special.ndtr(x)


@harness.operation
def special_xlog1py(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.xlog1py computes."""
    return torch.special.xlog1py(x, y)


special_xlog1py.implementation(special_xlog1py.definition, name="transformed")


@special_xlog1py.implementation(name="out", out="memory")
def special_xlog1py_out(x, y, memory):
    torch.special.xlog1py(x, y, out=memory)


@special_xlog1py.implementation(name="torch._refs.special.xlog1py", forward_only=True)
def special_xlog1py_torch__refs_special_xlog1py(x, y):
    return torch._refs.special.xlog1py(x, y)


@special_xlog1py.implementation(name="decomposed")
def special_xlog1py_decomposed(x, y):
    with Decomposed():
        return torch.special.xlog1py(x, y)


# differentiable in y alone, so that no gradient is asked
@harness.operation(differentiable=False)
def special_zeta(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.zeta computes."""
    return torch.special.zeta(x, y)


special_zeta.implementation(special_zeta.definition, name="transformed")


@special_zeta.implementation(name="out", out="memory")
def special_zeta_out(x, y, memory):
    torch.special.zeta(x, y, out=memory)


@special_zeta.implementation(name="torch._refs.special.zeta", forward_only=True)
def special_zeta_torch__refs_special_zeta(x, y):
    return torch._refs.special.zeta(x, y)


@harness.operation
def special_entr(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.entr computes."""
    return torch.special.entr(x)


special_entr.implementation(special_entr.definition, name="transformed")


@special_entr.implementation(name="out", out="memory")
def special_entr_out(x, memory):
    torch.special.entr(x, out=memory)


@special_entr.implementation(name="torch._refs.special.entr", forward_only=True)
def special_entr_torch__refs_special_entr(x):
    return torch._refs.special.entr(x)


@special_entr.implementation(name="scipy.special.entr", backend="scipy")
def special_entr_scipy_special_entr(x):
    return scipy.special.entr(x)


@special_entr.implementation(name="decomposed")
def special_entr_decomposed(x):
    with Decomposed():
        return torch.special.entr(x)


@harness.operation
def special_ndtri(x: Annotated[Float[Tensor, "batch"], harness.within(0, 1)]) -> Float[Tensor, "batch"]:
    """What torch.special.ndtri computes."""
    return torch.special.ndtri(x)


special_ndtri.implementation(special_ndtri.definition, name="transformed")


@special_ndtri.implementation(name="out", out="memory")
def special_ndtri_out(x, memory):
    torch.special.ndtri(x, out=memory)


@special_ndtri.implementation(name="torch._refs.special.ndtri", forward_only=True)
def special_ndtri_torch__refs_special_ndtri(x):
    return torch._refs.special.ndtri(x)


@special_ndtri.implementation(name="scipy.special.ndtri", backend="scipy")
def special_ndtri_scipy_special_ndtri(x):
    return scipy.special.ndtri(x)


@harness.operation
def special_log_ndtr(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.log_ndtr computes."""
    return torch.special.log_ndtr(x)


special_log_ndtr.implementation(special_log_ndtr.definition, name="transformed")


@special_log_ndtr.implementation(name="out", out="memory")
def special_log_ndtr_out(x, memory):
    torch.special.log_ndtr(x, out=memory)


@special_log_ndtr.implementation(name="torch._refs.special.log_ndtr", forward_only=True)
def special_log_ndtr_torch__refs_special_log_ndtr(x):
    return torch._refs.special.log_ndtr(x)


@special_log_ndtr.implementation(name="scipy.special.log_ndtr", backend="scipy")
def special_log_ndtr_scipy_special_log_ndtr(x):
    return scipy.special.log_ndtr(x)


@special_log_ndtr.implementation(name="decomposed")
def special_log_ndtr_decomposed(x):
    with Decomposed():
        return torch.special.log_ndtr(x)


@harness.operation
def special_erfcx(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.erfcx computes."""
    return torch.special.erfcx(x)


special_erfcx.implementation(special_erfcx.definition, name="transformed")


@special_erfcx.implementation(name="out", out="memory")
def special_erfcx_out(x, memory):
    torch.special.erfcx(x, out=memory)


@special_erfcx.implementation(name="torch._refs.special.erfcx", forward_only=True)
def special_erfcx_torch__refs_special_erfcx(x):
    return torch._refs.special.erfcx(x)


@special_erfcx.implementation(name="scipy.special.erfcx", backend="scipy")
def special_erfcx_scipy_special_erfcx(x):
    return scipy.special.erfcx(x)


@harness.operation(differentiable=False)
def special_airy_ai(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.airy_ai computes."""
    return torch.special.airy_ai(x)


special_airy_ai.implementation(special_airy_ai.definition, name="transformed")


@special_airy_ai.implementation(name="out", out="memory")
def special_airy_ai_out(x, memory):
    torch.special.airy_ai(x, out=memory)


@harness.operation(differentiable=False)
def special_bessel_j0(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.bessel_j0 computes."""
    return torch.special.bessel_j0(x)


special_bessel_j0.implementation(special_bessel_j0.definition, name="transformed")


@special_bessel_j0.implementation(name="out", out="memory")
def special_bessel_j0_out(x, memory):
    torch.special.bessel_j0(x, out=memory)


@special_bessel_j0.implementation(name="torch._refs.special.bessel_j0", forward_only=True)
def special_bessel_j0_torch__refs_special_bessel_j0(x):
    return torch._refs.special.bessel_j0(x)


@special_bessel_j0.implementation(name="scipy.special.j0", backend="scipy")
def special_bessel_j0_scipy_special_j0(x):
    return scipy.special.j0(x)


@harness.operation(differentiable=False)
def special_bessel_j1(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.bessel_j1 computes."""
    return torch.special.bessel_j1(x)


special_bessel_j1.implementation(special_bessel_j1.definition, name="transformed")


@special_bessel_j1.implementation(name="out", out="memory")
def special_bessel_j1_out(x, memory):
    torch.special.bessel_j1(x, out=memory)


@special_bessel_j1.implementation(name="torch._refs.special.bessel_j1", forward_only=True)
def special_bessel_j1_torch__refs_special_bessel_j1(x):
    return torch._refs.special.bessel_j1(x)


@special_bessel_j1.implementation(name="scipy.special.j1", backend="scipy")
def special_bessel_j1_scipy_special_j1(x):
    return scipy.special.j1(x)


@harness.operation(differentiable=False)
def special_bessel_y0(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.bessel_y0 computes."""
    return torch.special.bessel_y0(x)


special_bessel_y0.implementation(special_bessel_y0.definition, name="transformed")


@special_bessel_y0.implementation(name="out", out="memory")
def special_bessel_y0_out(x, memory):
    torch.special.bessel_y0(x, out=memory)


@special_bessel_y0.implementation(name="scipy.special.y0", backend="scipy")
def special_bessel_y0_scipy_special_y0(x):
    return scipy.special.y0(x)


@harness.operation(differentiable=False)
def special_bessel_y1(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.bessel_y1 computes."""
    return torch.special.bessel_y1(x)


special_bessel_y1.implementation(special_bessel_y1.definition, name="transformed")


@special_bessel_y1.implementation(name="out", out="memory")
def special_bessel_y1_out(x, memory):
    torch.special.bessel_y1(x, out=memory)


@special_bessel_y1.implementation(name="scipy.special.y1", backend="scipy")
def special_bessel_y1_scipy_special_y1(x):
    return scipy.special.y1(x)


@harness.operation(differentiable=False)
def special_chebyshev_polynomial_t(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.chebyshev_polynomial_t computes."""
    return torch.special.chebyshev_polynomial_t(x, y)


special_chebyshev_polynomial_t.implementation(special_chebyshev_polynomial_t.definition, name="transformed")


@special_chebyshev_polynomial_t.implementation(name="out", out="memory")
def special_chebyshev_polynomial_t_out(x, y, memory):
    torch.special.chebyshev_polynomial_t(x, y, out=memory)


@harness.operation(differentiable=False)
def special_chebyshev_polynomial_u(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.chebyshev_polynomial_u computes."""
    return torch.special.chebyshev_polynomial_u(x, y)


special_chebyshev_polynomial_u.implementation(special_chebyshev_polynomial_u.definition, name="transformed")


@special_chebyshev_polynomial_u.implementation(name="out", out="memory")
def special_chebyshev_polynomial_u_out(x, y, memory):
    torch.special.chebyshev_polynomial_u(x, y, out=memory)


@harness.operation(differentiable=False)
def special_chebyshev_polynomial_v(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.chebyshev_polynomial_v computes."""
    return torch.special.chebyshev_polynomial_v(x, y)


special_chebyshev_polynomial_v.implementation(special_chebyshev_polynomial_v.definition, name="transformed")


@special_chebyshev_polynomial_v.implementation(name="out", out="memory")
def special_chebyshev_polynomial_v_out(x, y, memory):
    torch.special.chebyshev_polynomial_v(x, y, out=memory)


@harness.operation(differentiable=False)
def special_chebyshev_polynomial_w(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.chebyshev_polynomial_w computes."""
    return torch.special.chebyshev_polynomial_w(x, y)


special_chebyshev_polynomial_w.implementation(special_chebyshev_polynomial_w.definition, name="transformed")


@special_chebyshev_polynomial_w.implementation(name="out", out="memory")
def special_chebyshev_polynomial_w_out(x, y, memory):
    torch.special.chebyshev_polynomial_w(x, y, out=memory)


@harness.operation(differentiable=False)
def special_hermite_polynomial_h(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.hermite_polynomial_h computes."""
    return torch.special.hermite_polynomial_h(x, y)


special_hermite_polynomial_h.implementation(special_hermite_polynomial_h.definition, name="transformed")


@special_hermite_polynomial_h.implementation(name="out", out="memory")
def special_hermite_polynomial_h_out(x, y, memory):
    torch.special.hermite_polynomial_h(x, y, out=memory)


@harness.operation(differentiable=False)
def special_hermite_polynomial_he(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.hermite_polynomial_he computes."""
    return torch.special.hermite_polynomial_he(x, y)


special_hermite_polynomial_he.implementation(special_hermite_polynomial_he.definition, name="transformed")


@special_hermite_polynomial_he.implementation(name="out", out="memory")
def special_hermite_polynomial_he_out(x, y, memory):
    torch.special.hermite_polynomial_he(x, y, out=memory)


@harness.operation(differentiable=False)
def special_laguerre_polynomial_l(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.laguerre_polynomial_l computes."""
    return torch.special.laguerre_polynomial_l(x, y)


special_laguerre_polynomial_l.implementation(special_laguerre_polynomial_l.definition, name="transformed")


@special_laguerre_polynomial_l.implementation(name="out", out="memory")
def special_laguerre_polynomial_l_out(x, y, memory):
    torch.special.laguerre_polynomial_l(x, y, out=memory)


@harness.operation(differentiable=False)
def special_legendre_polynomial_p(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.legendre_polynomial_p computes."""
    return torch.special.legendre_polynomial_p(x, y)


special_legendre_polynomial_p.implementation(special_legendre_polynomial_p.definition, name="transformed")


@special_legendre_polynomial_p.implementation(name="out", out="memory")
def special_legendre_polynomial_p_out(x, y, memory):
    torch.special.legendre_polynomial_p(x, y, out=memory)


@harness.operation(differentiable=False)
def special_modified_bessel_i0(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.modified_bessel_i0 computes."""
    return torch.special.modified_bessel_i0(x)


special_modified_bessel_i0.implementation(special_modified_bessel_i0.definition, name="transformed")


@special_modified_bessel_i0.implementation(name="out", out="memory")
def special_modified_bessel_i0_out(x, memory):
    torch.special.modified_bessel_i0(x, out=memory)


@special_modified_bessel_i0.implementation(name="scipy.special.i0", backend="scipy")
def special_modified_bessel_i0_scipy_special_i0(x):
    return scipy.special.i0(x)


@harness.operation(differentiable=False)
def special_modified_bessel_i1(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.modified_bessel_i1 computes."""
    return torch.special.modified_bessel_i1(x)


special_modified_bessel_i1.implementation(special_modified_bessel_i1.definition, name="transformed")


@special_modified_bessel_i1.implementation(name="out", out="memory")
def special_modified_bessel_i1_out(x, memory):
    torch.special.modified_bessel_i1(x, out=memory)


@special_modified_bessel_i1.implementation(name="scipy.special.i1", backend="scipy")
def special_modified_bessel_i1_scipy_special_i1(x):
    return scipy.special.i1(x)


@harness.operation(differentiable=False)
def special_modified_bessel_k0(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.modified_bessel_k0 computes."""
    return torch.special.modified_bessel_k0(x)


special_modified_bessel_k0.implementation(special_modified_bessel_k0.definition, name="transformed")


@special_modified_bessel_k0.implementation(name="out", out="memory")
def special_modified_bessel_k0_out(x, memory):
    torch.special.modified_bessel_k0(x, out=memory)


@special_modified_bessel_k0.implementation(name="scipy.special.k0", backend="scipy")
def special_modified_bessel_k0_scipy_special_k0(x):
    return scipy.special.k0(x)


@harness.operation(differentiable=False)
def special_modified_bessel_k1(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.modified_bessel_k1 computes."""
    return torch.special.modified_bessel_k1(x)


special_modified_bessel_k1.implementation(special_modified_bessel_k1.definition, name="transformed")


@special_modified_bessel_k1.implementation(name="out", out="memory")
def special_modified_bessel_k1_out(x, memory):
    torch.special.modified_bessel_k1(x, out=memory)


@special_modified_bessel_k1.implementation(name="scipy.special.k1", backend="scipy")
def special_modified_bessel_k1_scipy_special_k1(x):
    return scipy.special.k1(x)


@harness.operation(differentiable=False)
def special_scaled_modified_bessel_k0(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.scaled_modified_bessel_k0 computes."""
    return torch.special.scaled_modified_bessel_k0(x)


special_scaled_modified_bessel_k0.implementation(special_scaled_modified_bessel_k0.definition, name="transformed")


@special_scaled_modified_bessel_k0.implementation(name="out", out="memory")
def special_scaled_modified_bessel_k0_out(x, memory):
    torch.special.scaled_modified_bessel_k0(x, out=memory)


@special_scaled_modified_bessel_k0.implementation(name="scipy.special.k0e", backend="scipy")
def special_scaled_modified_bessel_k0_scipy_special_k0e(x):
    return scipy.special.k0e(x)


@harness.operation(differentiable=False)
def special_scaled_modified_bessel_k1(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.scaled_modified_bessel_k1 computes."""
    return torch.special.scaled_modified_bessel_k1(x)


special_scaled_modified_bessel_k1.implementation(special_scaled_modified_bessel_k1.definition, name="transformed")


@special_scaled_modified_bessel_k1.implementation(name="out", out="memory")
def special_scaled_modified_bessel_k1_out(x, memory):
    torch.special.scaled_modified_bessel_k1(x, out=memory)


@special_scaled_modified_bessel_k1.implementation(name="scipy.special.k1e", backend="scipy")
def special_scaled_modified_bessel_k1_scipy_special_k1e(x):
    return scipy.special.k1e(x)


@harness.operation(differentiable=False)
def special_shifted_chebyshev_polynomial_t(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.shifted_chebyshev_polynomial_t computes."""
    return torch.special.shifted_chebyshev_polynomial_t(x, y)


special_shifted_chebyshev_polynomial_t.implementation(special_shifted_chebyshev_polynomial_t.definition, name="transformed")


@special_shifted_chebyshev_polynomial_t.implementation(name="out", out="memory")
def special_shifted_chebyshev_polynomial_t_out(x, y, memory):
    torch.special.shifted_chebyshev_polynomial_t(x, y, out=memory)


@harness.operation(differentiable=False)
def special_shifted_chebyshev_polynomial_u(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.shifted_chebyshev_polynomial_u computes."""
    return torch.special.shifted_chebyshev_polynomial_u(x, y)


special_shifted_chebyshev_polynomial_u.implementation(special_shifted_chebyshev_polynomial_u.definition, name="transformed")


@special_shifted_chebyshev_polynomial_u.implementation(name="out", out="memory")
def special_shifted_chebyshev_polynomial_u_out(x, y, memory):
    torch.special.shifted_chebyshev_polynomial_u(x, y, out=memory)


@harness.operation(differentiable=False)
def special_shifted_chebyshev_polynomial_v(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.shifted_chebyshev_polynomial_v computes."""
    return torch.special.shifted_chebyshev_polynomial_v(x, y)


special_shifted_chebyshev_polynomial_v.implementation(special_shifted_chebyshev_polynomial_v.definition, name="transformed")


@special_shifted_chebyshev_polynomial_v.implementation(name="out", out="memory")
def special_shifted_chebyshev_polynomial_v_out(x, y, memory):
    torch.special.shifted_chebyshev_polynomial_v(x, y, out=memory)


@harness.operation(differentiable=False)
def special_shifted_chebyshev_polynomial_w(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.special.shifted_chebyshev_polynomial_w computes."""
    return torch.special.shifted_chebyshev_polynomial_w(x, y)


special_shifted_chebyshev_polynomial_w.implementation(special_shifted_chebyshev_polynomial_w.definition, name="transformed")


@special_shifted_chebyshev_polynomial_w.implementation(name="out", out="memory")
def special_shifted_chebyshev_polynomial_w_out(x, y, memory):
    torch.special.shifted_chebyshev_polynomial_w(x, y, out=memory)


@harness.operation(differentiable=False)
def special_spherical_bessel_j0(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.special.spherical_bessel_j0 computes."""
    return torch.special.spherical_bessel_j0(x)


special_spherical_bessel_j0.implementation(special_spherical_bessel_j0.definition, name="transformed")


@special_spherical_bessel_j0.implementation(name="out", out="memory")
def special_spherical_bessel_j0_out(x, memory):
    torch.special.spherical_bessel_j0(x, out=memory)


@special_spherical_bessel_j0.implementation(name="torch._refs.special.spherical_bessel_j0", forward_only=True)
def special_spherical_bessel_j0_torch__refs_special_spherical_bessel_j0(x):
    return torch._refs.special.spherical_bessel_j0(x)
