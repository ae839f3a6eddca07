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
def abs(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.abs computes."""
    return torch.abs(x)


abs.implementation(abs.definition, name="transformed")


@abs.implementation(name="out", out="memory")
def abs_out(x, memory):
    torch.abs(x, out=memory)


@abs.implementation(name="in_place", mutates="x")
def abs_in_place(x):
    torch.Tensor.abs_(x)


@abs.implementation(name="torch._refs.abs", forward_only=True)
def abs_torch__refs_abs(x):
    return torch._refs.abs(x)


@abs.implementation(name="numpy.absolute", backend="numpy")
def abs_numpy_absolute(x):
    return numpy.absolute(x)


@harness.operation
def acos(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.acos computes."""
    return torch.acos(x)


acos.implementation(acos.definition, name="transformed")


@acos.implementation(name="out", out="memory")
def acos_out(x, memory):
    torch.acos(x, out=memory)


@acos.implementation(name="in_place", mutates="x")
def acos_in_place(x):
    torch.Tensor.acos_(x)


@acos.implementation(name="torch._refs.acos", forward_only=True)
def acos_torch__refs_acos(x):
    return torch._refs.acos(x)


@acos.implementation(name="numpy.arccos", backend="numpy")
def acos_numpy_arccos(x):
    return numpy.arccos(x)


@harness.operation
def acosh(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.acosh computes."""
    return torch.acosh(x)


acosh.implementation(acosh.definition, name="transformed")


@acosh.implementation(name="out", out="memory")
def acosh_out(x, memory):
    torch.acosh(x, out=memory)


@acosh.implementation(name="in_place", mutates="x")
def acosh_in_place(x):
    torch.Tensor.acosh_(x)


@acosh.implementation(name="torch._refs.acosh", forward_only=True)
def acosh_torch__refs_acosh(x):
    return torch._refs.acosh(x)


@acosh.implementation(name="numpy.arccosh", backend="numpy")
def acosh_numpy_arccosh(x):
    return numpy.arccosh(x)


@harness.operation
def add(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], alpha: int = 2) -> Float[Tensor, "batch d"]:
    """What torch.add computes."""
    return torch.add(x, y, alpha=alpha)


add.implementation(add.definition, name="transformed")


@add.implementation(name="out", out="memory")
def add_out(x, y, alpha, memory):
    torch.add(x, y, alpha=alpha, out=memory)


@add.implementation(name="in_place", mutates="x")
def add_in_place(x, y, alpha):
    torch.Tensor.add_(x, y, alpha=alpha)


@add.implementation(name="torch._refs.add", forward_only=True)
def add_torch__refs_add(x, y, alpha):
    return torch._refs.add(x, y, alpha=alpha)


@harness.operation
def addmm(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch n"], z: Float[Tensor, "n d"], alpha: float = 0.6, beta: float = 0.2) -> Float[Tensor, "batch d"]:
    """What torch.addmm computes."""
    return torch.addmm(x, y, z, alpha=alpha, beta=beta)


addmm.implementation(addmm.definition, name="transformed")


@addmm.implementation(name="out", out="memory")
def addmm_out(x, y, z, alpha, beta, memory):
    torch.addmm(x, y, z, alpha=alpha, beta=beta, out=memory)


@addmm.implementation(name="in_place", mutates="x")
def addmm_in_place(x, y, z, alpha, beta):
    torch.Tensor.addmm_(x, y, z, alpha=alpha, beta=beta)


@harness.operation
def addmm_decomposed(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch n"], z: Float[Tensor, "n d"], alpha: int = 1, beta: int = 1) -> Float[Tensor, "batch d"]:
    """What torch.addmm computes."""
    return torch.addmm(x, y, z, alpha=alpha, beta=beta)


addmm_decomposed.implementation(addmm_decomposed.definition, name="transformed")


@addmm_decomposed.implementation(name="out", out="memory")
def addmm_decomposed_out(x, y, z, alpha, beta, memory):
    torch.addmm(x, y, z, alpha=alpha, beta=beta, out=memory)


@addmm_decomposed.implementation(name="in_place", mutates="x")
def addmm_decomposed_in_place(x, y, z, alpha, beta):
    torch.Tensor.addmm_(x, y, z, alpha=alpha, beta=beta)


@harness.operation
def addmv(x: Float[Tensor, "batch"], y: Float[Tensor, "batch n"], z: Float[Tensor, "n"], beta: int = 1, alpha: int = 1) -> Float[Tensor, "batch"]:
    """What torch.addmv computes."""
    return torch.addmv(x, y, z, beta=beta, alpha=alpha)


addmv.implementation(addmv.definition, name="transformed")


@addmv.implementation(name="out", out="memory")
def addmv_out(x, y, z, beta, alpha, memory):
    torch.addmv(x, y, z, beta=beta, alpha=alpha, out=memory)


@addmv.implementation(name="in_place", mutates="x")
def addmv_in_place(x, y, z, beta, alpha):
    torch.Tensor.addmv_(x, y, z, beta=beta, alpha=alpha)


@harness.operation
def addbmm(x: Float[Tensor, "n d"], y: Float[Tensor, "m n k"], z: Float[Tensor, "m k d"], beta: int = 1, alpha: int = 1) -> Float[Tensor, "n d"]:
    """What torch.addbmm computes."""
    return torch.addbmm(x, y, z, beta=beta, alpha=alpha)


addbmm.implementation(addbmm.definition, name="transformed")


@addbmm.implementation(name="out", out="memory")
def addbmm_out(x, y, z, beta, alpha, memory):
    torch.addbmm(x, y, z, beta=beta, alpha=alpha, out=memory)


@addbmm.implementation(name="in_place", mutates="x")
def addbmm_in_place(x, y, z, beta, alpha):
    torch.Tensor.addbmm_(x, y, z, beta=beta, alpha=alpha)


@harness.operation
def addr(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch"], z: Float[Tensor, "d"], beta: float = 0.6, alpha: float = 0.2) -> Float[Tensor, "batch d"]:
    """What torch.addr computes."""
    return torch.addr(x, y, z, beta=beta, alpha=alpha)


addr.implementation(addr.definition, name="transformed")


@addr.implementation(name="out", out="memory")
def addr_out(x, y, z, beta, alpha, memory):
    torch.addr(x, y, z, beta=beta, alpha=alpha, out=memory)


@addr.implementation(name="in_place", mutates="x")
def addr_in_place(x, y, z, beta, alpha):
    torch.Tensor.addr_(x, y, z, beta=beta, alpha=alpha)


@addr.implementation(name="torch._refs.addr", forward_only=True)
def addr_torch__refs_addr(x, y, z, beta, alpha):
    return torch._refs.addr(x, y, z, beta=beta, alpha=alpha)


@addr.implementation(name="decomposed")
def addr_decomposed(x, y, z, beta, alpha):
    with Decomposed():
        return torch.addr(x, y, z, beta=beta, alpha=alpha)


@harness.operation
def addcmul(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], z: Float[Tensor, "batch d"], value: float = 3.14) -> Float[Tensor, "batch d"]:
    """What torch.addcmul computes."""
    return torch.addcmul(x, y, z, value=value)


addcmul.implementation(addcmul.definition, name="transformed")


@addcmul.implementation(name="out", out="memory")
def addcmul_out(x, y, z, value, memory):
    torch.addcmul(x, y, z, value=value, out=memory)


@addcmul.implementation(name="in_place", mutates="x")
def addcmul_in_place(x, y, z, value):
    torch.Tensor.addcmul_(x, y, z, value=value)


@addcmul.implementation(name="torch._refs.addcmul", forward_only=True)
def addcmul_torch__refs_addcmul(x, y, z, value):
    return torch._refs.addcmul(x, y, z, value=value)


@addcmul.implementation(name="decomposed")
def addcmul_decomposed(x, y, z, value):
    with Decomposed():
        return torch.addcmul(x, y, z, value=value)


@harness.operation
def addcdiv(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], z: Float[Tensor, "batch d"], value: float = 3.14) -> Float[Tensor, "batch d"]:
    """What torch.addcdiv computes."""
    return torch.addcdiv(x, y, z, value=value)


addcdiv.implementation(addcdiv.definition, name="transformed")


@addcdiv.implementation(name="out", out="memory")
def addcdiv_out(x, y, z, value, memory):
    torch.addcdiv(x, y, z, value=value, out=memory)


@addcdiv.implementation(name="in_place", mutates="x")
def addcdiv_in_place(x, y, z, value):
    torch.Tensor.addcdiv_(x, y, z, value=value)


@addcdiv.implementation(name="torch._refs.addcdiv", forward_only=True)
def addcdiv_torch__refs_addcdiv(x, y, z, value):
    return torch._refs.addcdiv(x, y, z, value=value)


@addcdiv.implementation(name="decomposed")
def addcdiv_decomposed(x, y, z, value):
    with Decomposed():
        return torch.addcdiv(x, y, z, value=value)


@harness.operation
def asin(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.asin computes."""
    return torch.asin(x)


asin.implementation(asin.definition, name="transformed")


@asin.implementation(name="out", out="memory")
def asin_out(x, memory):
    torch.asin(x, out=memory)


@asin.implementation(name="in_place", mutates="x")
def asin_in_place(x):
    torch.Tensor.asin_(x)


@asin.implementation(name="torch._refs.asin", forward_only=True)
def asin_torch__refs_asin(x):
    return torch._refs.asin(x)


@asin.implementation(name="numpy.arcsin", backend="numpy")
def asin_numpy_arcsin(x):
    return numpy.arcsin(x)


@harness.operation
def asinh(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.asinh computes."""
    return torch.asinh(x)


asinh.implementation(asinh.definition, name="transformed")


@asinh.implementation(name="out", out="memory")
def asinh_out(x, memory):
    torch.asinh(x, out=memory)


@asinh.implementation(name="in_place", mutates="x")
def asinh_in_place(x):
    torch.Tensor.asinh_(x)


@asinh.implementation(name="torch._refs.asinh", forward_only=True)
def asinh_torch__refs_asinh(x):
    return torch._refs.asinh(x)


@asinh.implementation(name="numpy.arcsinh", backend="numpy")
def asinh_numpy_arcsinh(x):
    return numpy.arcsinh(x)


@harness.operation
def atan(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.atan computes."""
    return torch.atan(x)


atan.implementation(atan.definition, name="transformed")


@atan.implementation(name="out", out="memory")
def atan_out(x, memory):
    torch.atan(x, out=memory)


@atan.implementation(name="in_place", mutates="x")
def atan_in_place(x):
    torch.Tensor.atan_(x)


@atan.implementation(name="torch._refs.atan", forward_only=True)
def atan_torch__refs_atan(x):
    return torch._refs.atan(x)


@atan.implementation(name="numpy.arctan", backend="numpy")
def atan_numpy_arctan(x):
    return numpy.arctan(x)


@harness.operation
def atan2(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.atan2 computes."""
    return torch.atan2(x, y)


atan2.implementation(atan2.definition, name="transformed")


@atan2.implementation(name="out", out="memory")
def atan2_out(x, y, memory):
    torch.atan2(x, y, out=memory)


@atan2.implementation(name="in_place", mutates="x")
def atan2_in_place(x, y):
    torch.Tensor.atan2_(x, y)


@atan2.implementation(name="torch._refs.atan2", forward_only=True)
def atan2_torch__refs_atan2(x, y):
    return torch._refs.atan2(x, y)


@harness.operation
def atanh(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.atanh computes."""
    return torch.atanh(x)


atanh.implementation(atanh.definition, name="transformed")


@atanh.implementation(name="out", out="memory")
def atanh_out(x, memory):
    torch.atanh(x, out=memory)


@atanh.implementation(name="in_place", mutates="x")
def atanh_in_place(x):
    torch.Tensor.atanh_(x)


@atanh.implementation(name="torch._refs.atanh", forward_only=True)
def atanh_torch__refs_atanh(x):
    return torch._refs.atanh(x)


@atanh.implementation(name="numpy.arctanh", backend="numpy")
def atanh_numpy_arctanh(x):
    return numpy.arctanh(x)


@harness.operation
def alias_copy(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.alias_copy computes."""
    return torch.alias_copy(x)


alias_copy.implementation(alias_copy.definition, name="transformed")


@alias_copy.implementation(name="out", out="memory")
def alias_copy_out(x, memory):
    torch.alias_copy(x, out=memory)


@alias_copy.implementation(name="torch._refs.alias_copy", forward_only=True)
def alias_copy_torch__refs_alias_copy(x):
    return torch._refs.alias_copy(x)


@alias_copy.implementation(name="decomposed")
def alias_copy_decomposed(x):
    with Decomposed():
        return torch.alias_copy(x)


@harness.operation
def aminmax(x: Float[Tensor, "batch n d"], dim: int = 1, keepdim: Literal[True] = True) -> tuple[Float[Tensor, "batch 1 d"], Float[Tensor, "batch 1 d"]]:
    """What torch.aminmax computes."""
    return torch.aminmax(x, dim=dim, keepdim=keepdim)


aminmax.implementation(aminmax.definition, name="transformed")


@aminmax.implementation(name="out", out="memory")
def aminmax_out(x, dim, keepdim, memory):
    torch.aminmax(x, dim=dim, keepdim=keepdim, out=memory)


@aminmax.implementation(name="decomposed")
def aminmax_decomposed(x, dim, keepdim):
    with Decomposed():
        return torch.aminmax(x, dim=dim, keepdim=keepdim)


@harness.operation(sizes={'n': (2, 1025), 'd': (2, 1025)})
def as_strided(x: Float[Tensor, "n d"], storage_offset: int = 0) -> Float[Tensor, "2 2"]:
    """What torch.as_strided computes."""
    return torch.as_strided(x, (2, 2), (1, 2), storage_offset=storage_offset)


as_strided.implementation(as_strided.definition, name="transformed")


@as_strided.implementation(name="torch._refs.as_strided", forward_only=True)
def as_strided_torch__refs_as_strided(x, storage_offset):
    return torch._refs.as_strided(x, (2, 2), (1, 2), storage_offset=storage_offset)


@harness.operation(sizes={'d': (4, 1025)})
def as_strided_partial_views(x: Float[Tensor, "d"], storage_offset: int = 0) -> Float[Tensor, "2 2"]:
    """What torch.as_strided computes."""
    return torch.as_strided(x, (2, 2), (1, 2), storage_offset=storage_offset)


as_strided_partial_views.implementation(as_strided_partial_views.definition, name="transformed")


@as_strided_partial_views.implementation(name="torch._refs.as_strided", forward_only=True)
def as_strided_partial_views_torch__refs_as_strided(x, storage_offset):
    return torch._refs.as_strided(x, (2, 2), (1, 2), storage_offset=storage_offset)


@harness.operation(sizes={'n': (2, 1025), 'd': (2, 1025)})
def as_strided_copy(x: Float[Tensor, "n d"], storage_offset: int = 0) -> Float[Tensor, "2 2"]:
    """What torch.as_strided_copy computes."""
    return torch.as_strided_copy(x, (2, 2), (1, 2), storage_offset=storage_offset)


as_strided_copy.implementation(as_strided_copy.definition, name="transformed")


@as_strided_copy.implementation(name="out", out="memory")
def as_strided_copy_out(x, storage_offset, memory):
    torch.as_strided_copy(x, (2, 2), (1, 2), storage_offset=storage_offset, out=memory)


@as_strided_copy.implementation(name="torch._refs.as_strided_copy", forward_only=True)
def as_strided_copy_torch__refs_as_strided_copy(x, storage_offset):
    return torch._refs.as_strided_copy(x, (2, 2), (1, 2), storage_offset=storage_offset)


# y's axis 0 is always 2
# y's axis 1 is always 2
# y's axis 2 is always 2
# y's axis 3 is always 2
@harness.operation(sizes={'d': (16, 1025)})
def as_strided_scatter(x: Float[Tensor, "d"], y: Float[Tensor, "2 2 2 2"], storage_offset: int = 0) -> Float[Tensor, "d"]:
    """What torch.as_strided_scatter computes."""
    return torch.as_strided_scatter(x, y, (2, 2, 2, 2), (8, 4, 2, 1), storage_offset=storage_offset)


as_strided_scatter.implementation(as_strided_scatter.definition, name="transformed")


@as_strided_scatter.implementation(name="torch._refs.as_strided_scatter", forward_only=True)
def as_strided_scatter_torch__refs_as_strided_scatter(x, y, storage_offset):
    return torch._refs.as_strided_scatter(x, y, (2, 2, 2, 2), (8, 4, 2, 1), storage_offset=storage_offset)


@harness.operation
def angle(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.angle computes."""
    return torch.angle(x)


angle.implementation(angle.definition, name="transformed")


@angle.implementation(name="out", out="memory")
def angle_out(x, memory):
    torch.angle(x, out=memory)


@angle.implementation(name="numpy.angle", backend="numpy")
def angle_numpy_angle(x):
    return numpy.angle(x)


@harness.operation
def atleast_1d(x_0: Float[Tensor, "n m k d"], x_1: Float[Tensor, "p q r"], x_2: Float[Tensor, "s t"], x_3: Float[Tensor, "n9"], x_4: Float[Tensor, ""]) -> tuple[Float[Tensor, "n m k d"], Float[Tensor, "p q r"], Float[Tensor, "s t"], Float[Tensor, "n9"], Float[Tensor, "1"]]:
    """What torch.atleast_1d computes."""
    return torch.atleast_1d([x_0, x_1, x_2, x_3, x_4])


atleast_1d.implementation(atleast_1d.definition, name="transformed")


@atleast_1d.implementation(name="torch._refs.atleast_1d", forward_only=True)
def atleast_1d_torch__refs_atleast_1d(x_0, x_1, x_2, x_3, x_4):
    return torch._refs.atleast_1d([x_0, x_1, x_2, x_3, x_4])


@harness.operation
def atleast_2d(x_0: Float[Tensor, "n m k d"], x_1: Float[Tensor, "p q r"], x_2: Float[Tensor, "s t"], x_3: Float[Tensor, "n9"], x_4: Float[Tensor, ""]) -> tuple[Float[Tensor, "n m k d"], Float[Tensor, "p q r"], Float[Tensor, "s t"], Float[Tensor, "1 n9"], Float[Tensor, "1 1"]]:
    """What torch.atleast_2d computes."""
    return torch.atleast_2d([x_0, x_1, x_2, x_3, x_4])


atleast_2d.implementation(atleast_2d.definition, name="transformed")


@atleast_2d.implementation(name="torch._refs.atleast_2d", forward_only=True)
def atleast_2d_torch__refs_atleast_2d(x_0, x_1, x_2, x_3, x_4):
    return torch._refs.atleast_2d([x_0, x_1, x_2, x_3, x_4])


@harness.operation
def atleast_3d(x_0: Float[Tensor, "n m k d"], x_1: Float[Tensor, "p q r"], x_2: Float[Tensor, "s t"], x_3: Float[Tensor, "n9"], x_4: Float[Tensor, ""]) -> tuple[Float[Tensor, "n m k d"], Float[Tensor, "p q r"], Float[Tensor, "s t 1"], Float[Tensor, "1 n9 1"], Float[Tensor, "1 1 1"]]:
    """What torch.atleast_3d computes."""
    return torch.atleast_3d([x_0, x_1, x_2, x_3, x_4])


atleast_3d.implementation(atleast_3d.definition, name="transformed")


@atleast_3d.implementation(name="torch._refs.atleast_3d", forward_only=True)
def atleast_3d_torch__refs_atleast_3d(x_0, x_1, x_2, x_3, x_4):
    return torch._refs.atleast_3d([x_0, x_1, x_2, x_3, x_4])


@harness.operation(differentiable=False)
def all(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Bool[Tensor, "1 d"]:
    """What torch.all computes."""
    return torch.all(x, dim=dim, keepdim=keepdim)


all.implementation(all.definition, name="transformed")


@all.implementation(name="out", out="memory")
def all_out(x, dim, keepdim, memory):
    torch.all(x, dim=dim, keepdim=keepdim, out=memory)


@all.implementation(name="torch._refs.all", forward_only=True)
def all_torch__refs_all(x, dim, keepdim):
    return torch._refs.all(x, dim=dim, keepdim=keepdim)


@all.implementation(name="decomposed")
def all_decomposed(x, dim, keepdim):
    with Decomposed():
        return torch.all(x, dim=dim, keepdim=keepdim)


@harness.operation(differentiable=False)
def any(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Bool[Tensor, "1 d"]:
    """What torch.any computes."""
    return torch.any(x, dim=dim, keepdim=keepdim)


any.implementation(any.definition, name="transformed")


@any.implementation(name="out", out="memory")
def any_out(x, dim, keepdim, memory):
    torch.any(x, dim=dim, keepdim=keepdim, out=memory)


@any.implementation(name="torch._refs.any", forward_only=True)
def any_torch__refs_any(x, dim, keepdim):
    return torch._refs.any(x, dim=dim, keepdim=keepdim)


@harness.operation
def amax(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.amax computes."""
    return torch.amax(x, dim=dim, keepdim=keepdim)


amax.implementation(amax.definition, name="transformed")


@amax.implementation(name="out", out="memory")
def amax_out(x, dim, keepdim, memory):
    torch.amax(x, dim=dim, keepdim=keepdim, out=memory)


@amax.implementation(name="torch._refs.amax", forward_only=True)
def amax_torch__refs_amax(x, dim, keepdim):
    return torch._refs.amax(x, dim=dim, keepdim=keepdim)


@harness.operation
def amin(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.amin computes."""
    return torch.amin(x, dim=dim, keepdim=keepdim)


amin.implementation(amin.definition, name="transformed")


@amin.implementation(name="out", out="memory")
def amin_out(x, dim, keepdim, memory):
    torch.amin(x, dim=dim, keepdim=keepdim, out=memory)


@amin.implementation(name="torch._refs.amin", forward_only=True)
def amin_torch__refs_amin(x, dim, keepdim):
    return torch._refs.amin(x, dim=dim, keepdim=keepdim)


@harness.operation(differentiable=False)
def argmax(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Annotated[Int[Tensor, "1 d"], harness.picks('x', -2)]:
    """What torch.argmax computes."""
    return torch.argmax(x, dim=dim, keepdim=keepdim)


argmax.implementation(argmax.definition, name="transformed")


@argmax.implementation(name="out", out="memory")
def argmax_out(x, dim, keepdim, memory):
    torch.argmax(x, dim=dim, keepdim=keepdim, out=memory)


@harness.operation(differentiable=False)
def argmin(x: Float[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Annotated[Int[Tensor, "1 d"], harness.picks('x', -2)]:
    """What torch.argmin computes."""
    return torch.argmin(x, dim=dim, keepdim=keepdim)


argmin.implementation(argmin.definition, name="transformed")


@argmin.implementation(name="out", out="memory")
def argmin_out(x, dim, keepdim, memory):
    torch.argmin(x, dim=dim, keepdim=keepdim, out=memory)


@harness.operation(differentiable=False)
def argsort(x: Float[Tensor, "n m d"], dim: int = -3, descending: Literal[True] = True, stable: Literal[True] = True) -> Annotated[Int[Tensor, "n m d"], harness.picks('x', -3)]:
    """What torch.argsort computes."""
    return torch.argsort(x, dim=dim, descending=descending, stable=stable)


argsort.implementation(argsort.definition, name="transformed")
