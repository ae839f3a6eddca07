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
def exp(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.exp computes."""
    return torch.exp(x)


exp.implementation(exp.definition, name="transformed")


@exp.implementation(name="out", out="memory")
def exp_out(x, memory):
    torch.exp(x, out=memory)


@exp.implementation(name="in_place", mutates="x")
def exp_in_place(x):
    torch.Tensor.exp_(x)


@exp.implementation(name="torch._refs.exp", forward_only=True)
def exp_torch__refs_exp(x):
    return torch._refs.exp(x)


# x's axis 1 is always 1
@harness.operation
def expand_copy(x: Float[Tensor, "batch 1 d"]) -> Float[Tensor, "batch 5 d"]:
    """What torch.expand_copy computes."""
    return torch.expand_copy(x, (x.shape[0], 5, x.shape[2]))


expand_copy.implementation(expand_copy.definition, name="transformed")


@expand_copy.implementation(name="out", out="memory")
def expand_copy_out(x, memory):
    torch.expand_copy(x, (x.shape[0], 5, x.shape[2]), out=memory)


@expand_copy.implementation(name="torch._refs.expand_copy", forward_only=True)
def expand_copy_torch__refs_expand_copy(x):
    return torch._refs.expand_copy(x, (x.shape[0], 5, x.shape[2]))


@expand_copy.implementation(name="decomposed")
def expand_copy_decomposed(x):
    with Decomposed():
        return torch.expand_copy(x, (x.shape[0], 5, x.shape[2]))


@harness.operation(differentiable=False)
def eq(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Bool[Tensor, "batch n d"]:
    """What torch.eq computes."""
    return torch.eq(x, y)


eq.implementation(eq.definition, name="transformed")


@eq.implementation(name="out", out="memory")
def eq_out(x, y, memory):
    torch.eq(x, y, out=memory)


@eq.implementation(name="torch._refs.eq", forward_only=True)
def eq_torch__refs_eq(x, y):
    return torch._refs.eq(x, y)


@eq.implementation(name="numpy.equal", backend="numpy")
def eq_numpy_equal(x, y):
    return numpy.equal(x, y)


@harness.operation
def exp2(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.exp2 computes."""
    return torch.exp2(x)


exp2.implementation(exp2.definition, name="transformed")


@exp2.implementation(name="out", out="memory")
def exp2_out(x, memory):
    torch.exp2(x, out=memory)


@exp2.implementation(name="in_place", mutates="x")
def exp2_in_place(x):
    torch.Tensor.exp2_(x)


@exp2.implementation(name="torch._refs.exp2", forward_only=True)
def exp2_torch__refs_exp2(x):
    return torch._refs.exp2(x)


@harness.operation
def expm1(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.expm1 computes."""
    return torch.expm1(x)


expm1.implementation(expm1.definition, name="transformed")


@expm1.implementation(name="out", out="memory")
def expm1_out(x, memory):
    torch.expm1(x, out=memory)


@expm1.implementation(name="in_place", mutates="x")
def expm1_in_place(x):
    torch.Tensor.expm1_(x)


@expm1.implementation(name="torch._refs.expm1", forward_only=True)
def expm1_torch__refs_expm1(x):
    return torch._refs.expm1(x)


@harness.operation
def erf(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.erf computes."""
    return torch.erf(x)


erf.implementation(erf.definition, name="transformed")


@erf.implementation(name="out", out="memory")
def erf_out(x, memory):
    torch.erf(x, out=memory)


@erf.implementation(name="in_place", mutates="x")
def erf_in_place(x):
    torch.Tensor.erf_(x)


@erf.implementation(name="torch._refs.erf", forward_only=True)
def erf_torch__refs_erf(x):
    return torch._refs.erf(x)


@erf.implementation(name="scipy.special.erf", backend="scipy")
def erf_scipy_special_erf(x):
    return scipy.special.erf(x)


@harness.operation
def erfc(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.erfc computes."""
    return torch.erfc(x)


erfc.implementation(erfc.definition, name="transformed")


@erfc.implementation(name="out", out="memory")
def erfc_out(x, memory):
    torch.erfc(x, out=memory)


@erfc.implementation(name="in_place", mutates="x")
def erfc_in_place(x):
    torch.Tensor.erfc_(x)


@erfc.implementation(name="torch._refs.erfc", forward_only=True)
def erfc_torch__refs_erfc(x):
    return torch._refs.erfc(x)


@erfc.implementation(name="scipy.special.erfc", backend="scipy")
def erfc_scipy_special_erfc(x):
    return scipy.special.erfc(x)


@harness.operation
def erfinv(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.erfinv computes."""
    return torch.erfinv(x)


erfinv.implementation(erfinv.definition, name="transformed")


@erfinv.implementation(name="out", out="memory")
def erfinv_out(x, memory):
    torch.erfinv(x, out=memory)


@erfinv.implementation(name="in_place", mutates="x")
def erfinv_in_place(x):
    torch.Tensor.erfinv_(x)


@erfinv.implementation(name="torch._refs.erfinv", forward_only=True)
def erfinv_torch__refs_erfinv(x):
    return torch._refs.erfinv(x)


@erfinv.implementation(name="scipy.special.erfinv", backend="scipy")
def erfinv_scipy_special_erfinv(x):
    return scipy.special.erfinv(x)
