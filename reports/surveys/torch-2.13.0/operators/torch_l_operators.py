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
def log1p(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.log1p computes."""
    return torch.log1p(x)


log1p.implementation(log1p.definition, name="transformed")


@log1p.implementation(name="out", out="memory")
def log1p_out(x, memory):
    torch.log1p(x, out=memory)


@log1p.implementation(name="in_place", mutates="x")
def log1p_in_place(x):
    torch.Tensor.log1p_(x)


@log1p.implementation(name="torch._refs.log1p", forward_only=True)
def log1p_torch__refs_log1p(x):
    return torch._refs.log1p(x)


@log1p.implementation(name="numpy.log1p", backend="numpy")
def log1p_numpy_log1p(x):
    return numpy.log1p(x)


@harness.operation(differentiable=False)
def le(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Bool[Tensor, "batch n d"]:
    """What torch.le computes."""
    return torch.le(x, y)


le.implementation(le.definition, name="transformed")


@le.implementation(name="out", out="memory")
def le_out(x, y, memory):
    torch.le(x, y, out=memory)


@le.implementation(name="torch._refs.le", forward_only=True)
def le_torch__refs_le(x, y):
    return torch._refs.le(x, y)


@le.implementation(name="numpy.less_equal", backend="numpy")
def le_numpy_less_equal(x, y):
    return numpy.less_equal(x, y)


@harness.operation(differentiable=False)
def linspace_tensor_overload(x: Float[Tensor, ""], y: Annotated[Int[Tensor, ""], harness.within(-3, -3)], z: int = 0, device: str = 'cpu') -> Annotated[Float[Tensor, "0"], harness.dtype('float32')]:
    """What torch.linspace computes."""
    return torch.linspace(x, y, z, dtype=torch.float32, device=device)


linspace_tensor_overload.implementation(linspace_tensor_overload.definition, name="transformed")


@linspace_tensor_overload.implementation(name="out", out="memory")
def linspace_tensor_overload_out(x, y, z, device, memory):
    torch.linspace(x, y, z, dtype=torch.float32, device=device, out=memory)


@linspace_tensor_overload.implementation(name="torch._refs.linspace", forward_only=True)
def linspace_tensor_overload_torch__refs_linspace(x, y, z, device):
    return torch._refs.linspace(x, y, z, dtype=torch.float32, device=device)


@linspace_tensor_overload.implementation(name="decomposed")
def linspace_tensor_overload_decomposed(x, y, z, device):
    with Decomposed():
        return torch.linspace(x, y, z, dtype=torch.float32, device=device)


@harness.operation(differentiable=False)
def logspace_tensor_overload(x: Annotated[Int[Tensor, ""], harness.within(0, 0)], y: Annotated[Int[Tensor, ""], harness.within(-3, -3)], z: int = 0, u: float = 2.0, device: str = 'cpu') -> Annotated[Float[Tensor, "0"], harness.dtype('float32')]:
    """What torch.logspace computes."""
    return torch.logspace(x, y, z, u, dtype=torch.float32, device=device)


logspace_tensor_overload.implementation(logspace_tensor_overload.definition, name="transformed")


@logspace_tensor_overload.implementation(name="out", out="memory")
def logspace_tensor_overload_out(x, y, z, u, device, memory):
    torch.logspace(x, y, z, u, dtype=torch.float32, device=device, out=memory)


@logspace_tensor_overload.implementation(name="torch._refs.logspace", forward_only=True)
def logspace_tensor_overload_torch__refs_logspace(x, y, z, u, device):
    return torch._refs.logspace(x, y, z, u, dtype=torch.float32, device=device)


@logspace_tensor_overload.implementation(name="decomposed")
def logspace_tensor_overload_decomposed(x, y, z, u, device):
    with Decomposed():
        return torch.logspace(x, y, z, u, dtype=torch.float32, device=device)


@harness.operation
def log(x: Annotated[Float[Tensor, "batch"], harness.positive]) -> Float[Tensor, "batch"]:
    """What torch.log computes."""
    return torch.log(x)


log.implementation(log.definition, name="transformed")


@log.implementation(name="out", out="memory")
def log_out(x, memory):
    torch.log(x, out=memory)


@log.implementation(name="in_place", mutates="x")
def log_in_place(x):
    torch.Tensor.log_(x)


@log.implementation(name="torch._refs.log", forward_only=True)
def log_torch__refs_log(x):
    return torch._refs.log(x)


@log.implementation(name="numpy.log", backend="numpy")
def log_numpy_log(x):
    return numpy.log(x)


@harness.operation
def log10(x: Annotated[Float[Tensor, "batch"], harness.positive]) -> Float[Tensor, "batch"]:
    """What torch.log10 computes."""
    return torch.log10(x)


log10.implementation(log10.definition, name="transformed")


@log10.implementation(name="out", out="memory")
def log10_out(x, memory):
    torch.log10(x, out=memory)


@log10.implementation(name="in_place", mutates="x")
def log10_in_place(x):
    torch.Tensor.log10_(x)


@log10.implementation(name="torch._refs.log10", forward_only=True)
def log10_torch__refs_log10(x):
    return torch._refs.log10(x)


@log10.implementation(name="numpy.log10", backend="numpy")
def log10_numpy_log10(x):
    return numpy.log10(x)


@harness.operation
def log2(x: Annotated[Float[Tensor, "batch"], harness.positive]) -> Float[Tensor, "batch"]:
    """What torch.log2 computes."""
    return torch.log2(x)


log2.implementation(log2.definition, name="transformed")


@log2.implementation(name="out", out="memory")
def log2_out(x, memory):
    torch.log2(x, out=memory)


@log2.implementation(name="in_place", mutates="x")
def log2_in_place(x):
    torch.Tensor.log2_(x)


@log2.implementation(name="torch._refs.log2", forward_only=True)
def log2_torch__refs_log2(x):
    return torch._refs.log2(x)


@log2.implementation(name="numpy.log2", backend="numpy")
def log2_numpy_log2(x):
    return numpy.log2(x)


@harness.operation
def ldexp(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.ldexp computes."""
    return torch.ldexp(x, y)


ldexp.implementation(ldexp.definition, name="transformed")


@ldexp.implementation(name="out", out="memory")
def ldexp_out(x, y, memory):
    torch.ldexp(x, y, out=memory)


@ldexp.implementation(name="in_place", mutates="x")
def ldexp_in_place(x, y):
    torch.Tensor.ldexp_(x, y)


@harness.operation
def logaddexp(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.logaddexp computes."""
    return torch.logaddexp(x, y)


logaddexp.implementation(logaddexp.definition, name="transformed")


@logaddexp.implementation(name="out", out="memory")
def logaddexp_out(x, y, memory):
    torch.logaddexp(x, y, out=memory)


@logaddexp.implementation(name="torch._refs.logaddexp", forward_only=True)
def logaddexp_torch__refs_logaddexp(x, y):
    return torch._refs.logaddexp(x, y)


@logaddexp.implementation(name="decomposed")
def logaddexp_decomposed(x, y):
    with Decomposed():
        return torch.logaddexp(x, y)


@harness.operation
def logaddexp2(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.logaddexp2 computes."""
    return torch.logaddexp2(x, y)


logaddexp2.implementation(logaddexp2.definition, name="transformed")


@logaddexp2.implementation(name="out", out="memory")
def logaddexp2_out(x, y, memory):
    torch.logaddexp2(x, y, out=memory)


@logaddexp2.implementation(name="torch._refs.logaddexp2", forward_only=True)
def logaddexp2_torch__refs_logaddexp2(x, y):
    return torch._refs.logaddexp2(x, y)


@logaddexp2.implementation(name="decomposed")
def logaddexp2_decomposed(x, y):
    with Decomposed():
        return torch.logaddexp2(x, y)


@harness.operation(differentiable=False)
def logical_not(x: Float[Tensor, "batch"]) -> Bool[Tensor, "batch"]:
    """What torch.logical_not computes."""
    return torch.logical_not(x)


logical_not.implementation(logical_not.definition, name="transformed")


@logical_not.implementation(name="out", out="memory")
def logical_not_out(x, memory):
    torch.logical_not(x, out=memory)


@logical_not.implementation(name="torch._refs.logical_not", forward_only=True)
def logical_not_torch__refs_logical_not(x):
    return torch._refs.logical_not(x)


@logical_not.implementation(name="numpy.logical_not", backend="numpy")
def logical_not_numpy_logical_not(x):
    return numpy.logical_not(x)


@harness.operation(differentiable=False)
def lt(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Bool[Tensor, "batch n d"]:
    """What torch.lt computes."""
    return torch.lt(x, y)


lt.implementation(lt.definition, name="transformed")


@lt.implementation(name="out", out="memory")
def lt_out(x, y, memory):
    torch.lt(x, y, out=memory)


@lt.implementation(name="torch._refs.lt", forward_only=True)
def lt_torch__refs_lt(x, y):
    return torch._refs.lt(x, y)


@lt.implementation(name="numpy.less", backend="numpy")
def lt_numpy_less(x, y):
    return numpy.less(x, y)


# x's axis 0 is always 3
# x's axis 1 is always 3
# x's axis 2 is always 3
# x's axis 3 is always 5
@harness.operation
def lu(x: Float[Tensor, "3 3 3 5"], y: Literal[True] = True, z: Literal[True] = True) -> tuple[Float[Tensor, "3 3 3 5"], Int32[Tensor, "3 3 3"], Int32[Tensor, "3 3"]]:
    """What torch.lu computes."""
    return torch.lu(x, y, z)


lu.implementation(lu.definition, name="transformed")


@lu.implementation(name="out", out="memory")
def lu_out(x, y, z, memory):
    torch.lu(x, y, z, out=memory)


@harness.operation(differentiable=False)
def logical_and(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Bool[Tensor, "batch n d"]:
    """What torch.logical_and computes."""
    return torch.logical_and(x, y)


logical_and.implementation(logical_and.definition, name="transformed")


@logical_and.implementation(name="out", out="memory")
def logical_and_out(x, y, memory):
    torch.logical_and(x, y, out=memory)


@logical_and.implementation(name="torch._refs.logical_and", forward_only=True)
def logical_and_torch__refs_logical_and(x, y):
    return torch._refs.logical_and(x, y)


@logical_and.implementation(name="numpy.logical_and", backend="numpy")
def logical_and_numpy_logical_and(x, y):
    return numpy.logical_and(x, y)


@harness.operation(differentiable=False)
def logical_or(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Bool[Tensor, "batch n d"]:
    """What torch.logical_or computes."""
    return torch.logical_or(x, y)


logical_or.implementation(logical_or.definition, name="transformed")


@logical_or.implementation(name="out", out="memory")
def logical_or_out(x, y, memory):
    torch.logical_or(x, y, out=memory)


@logical_or.implementation(name="torch._refs.logical_or", forward_only=True)
def logical_or_torch__refs_logical_or(x, y):
    return torch._refs.logical_or(x, y)


@logical_or.implementation(name="numpy.logical_or", backend="numpy")
def logical_or_numpy_logical_or(x, y):
    return numpy.logical_or(x, y)


@harness.operation(differentiable=False)
def logical_xor(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Bool[Tensor, "batch n d"]:
    """What torch.logical_xor computes."""
    return torch.logical_xor(x, y)


logical_xor.implementation(logical_xor.definition, name="transformed")


@logical_xor.implementation(name="out", out="memory")
def logical_xor_out(x, y, memory):
    torch.logical_xor(x, y, out=memory)


@logical_xor.implementation(name="torch._refs.logical_xor", forward_only=True)
def logical_xor_torch__refs_logical_xor(x, y):
    return torch._refs.logical_xor(x, y)


@logical_xor.implementation(name="numpy.logical_xor", backend="numpy")
def logical_xor_numpy_logical_xor(x, y):
    return numpy.logical_xor(x, y)


@harness.operation(differentiable=False)
def lcm(x: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)], y: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)]) -> Int[Tensor, "batch n d"]:
    """What torch.lcm computes."""
    return torch.lcm(x, y)


lcm.implementation(lcm.definition, name="transformed")


@lcm.implementation(name="out", out="memory")
def lcm_out(x, y, memory):
    torch.lcm(x, y, out=memory)


@lcm.implementation(name="in_place", mutates="x")
def lcm_in_place(x, y):
    torch.Tensor.lcm_(x, y)


@lcm.implementation(name="torch._refs.lcm", forward_only=True)
def lcm_torch__refs_lcm(x, y):
    return torch._refs.lcm(x, y)


@lcm.implementation(name="numpy.lcm", backend="numpy")
def lcm_numpy_lcm(x, y):
    return numpy.lcm(x, y)


@harness.operation
def lerp(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], z: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.lerp computes."""
    return torch.lerp(x, y, z)


lerp.implementation(lerp.definition, name="transformed")


@lerp.implementation(name="out", out="memory")
def lerp_out(x, y, z, memory):
    torch.lerp(x, y, z, out=memory)


@lerp.implementation(name="in_place", mutates="x")
def lerp_in_place(x, y, z):
    torch.Tensor.lerp_(x, y, z)


@lerp.implementation(name="torch._refs.lerp", forward_only=True)
def lerp_torch__refs_lerp(x, y, z):
    return torch._refs.lerp(x, y, z)


@lerp.implementation(name="decomposed")
def lerp_decomposed(x, y, z):
    with Decomposed():
        return torch.lerp(x, y, z)


@harness.operation
def logsumexp(x: Float[Tensor, "batch d"], z: Literal[True] = True) -> Float[Tensor, "batch 1"]:
    """What torch.logsumexp computes."""
    return torch.logsumexp(x, (1,), z)


logsumexp.implementation(logsumexp.definition, name="transformed")


@logsumexp.implementation(name="out", out="memory")
def logsumexp_out(x, z, memory):
    torch.logsumexp(x, (1,), z, out=memory)


@logsumexp.implementation(name="torch._refs.logsumexp", forward_only=True)
def logsumexp_torch__refs_logsumexp(x, z):
    return torch._refs.logsumexp(x, (1,), z)


@logsumexp.implementation(name="decomposed")
def logsumexp_decomposed(x, z):
    with Decomposed():
        return torch.logsumexp(x, (1,), z)


@harness.operation
def logcumsumexp(x: Float[Tensor, "n m d"], y: int = 0) -> Float[Tensor, "n m d"]:
    """What torch.logcumsumexp computes."""
    return torch.logcumsumexp(x, y)


logcumsumexp.implementation(logcumsumexp.definition, name="transformed")


@logcumsumexp.implementation(name="out", out="memory")
def logcumsumexp_out(x, y, memory):
    torch.logcumsumexp(x, y, out=memory)


@harness.operation
def lgamma(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.lgamma computes."""
    return torch.lgamma(x)


lgamma.implementation(lgamma.definition, name="transformed")


@lgamma.implementation(name="out", out="memory")
def lgamma_out(x, memory):
    torch.lgamma(x, out=memory)


@lgamma.implementation(name="in_place", mutates="x")
def lgamma_in_place(x):
    torch.Tensor.lgamma_(x)


@lgamma.implementation(name="torch._refs.lgamma", forward_only=True)
def lgamma_torch__refs_lgamma(x):
    return torch._refs.lgamma(x)


@harness.operation
def logdet(x: Float[Tensor, "batch d d"]) -> Float[Tensor, "batch"]:
    """What torch.logdet computes."""
    return torch.logdet(x)


logdet.implementation(logdet.definition, name="transformed")


@logdet.implementation(name="decomposed")
def logdet_decomposed(x):
    with Decomposed():
        return torch.logdet(x)


@harness.operation
def log_softmax(x: Float[Tensor, "batch n d"], y: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.log_softmax computes."""
    return torch.log_softmax(x, y)


log_softmax.implementation(log_softmax.definition, name="transformed")


@log_softmax.implementation(name="out", out="memory")
def log_softmax_out(x, y, memory):
    torch.log_softmax(x, y, out=memory)


@harness.operation
def log_softmax_with_dtype(x: Float[Tensor, "batch n d"], y: int = 2) -> Annotated[Float[Tensor, "batch n d"], harness.dtype('float64')]:
    """What torch.log_softmax computes."""
    return torch.log_softmax(x, y, dtype=torch.float64)


log_softmax_with_dtype.implementation(log_softmax_with_dtype.definition, name="transformed")


@log_softmax_with_dtype.implementation(name="out", out="memory")
def log_softmax_with_dtype_out(x, y, memory):
    torch.log_softmax(x, y, dtype=torch.float64, out=memory)


@log_softmax_with_dtype.implementation(name="torch._refs.log_softmax", forward_only=True)
def log_softmax_with_dtype_torch__refs_log_softmax(x, y):
    return torch._refs.log_softmax(x, y, dtype=torch.float64)


@log_softmax_with_dtype.implementation(name="torch._refs.special.log_softmax", forward_only=True)
def log_softmax_with_dtype_torch__refs_special_log_softmax(x, y):
    return torch._refs.special.log_softmax(x, y, dtype=torch.float64)


@log_softmax_with_dtype.implementation(name="torch._refs.nn.functional.log_softmax", forward_only=True)
def log_softmax_with_dtype_torch__refs_nn_functional_log_softmax(x, y):
    return torch._refs.nn.functional.log_softmax(x, y, dtype=torch.float64)


@harness.operation
def logit(x: Float[Tensor, "batch n d"], y: float = 0.2) -> Float[Tensor, "batch n d"]:
    """What torch.logit computes."""
    return torch.logit(x, y)


logit.implementation(logit.definition, name="transformed")


@logit.implementation(name="out", out="memory")
def logit_out(x, y, memory):
    torch.logit(x, y, out=memory)


@logit.implementation(name="in_place", mutates="x")
def logit_in_place(x, y):
    torch.Tensor.logit_(x, y)


@logit.implementation(name="torch._refs.special.logit", forward_only=True)
def logit_torch__refs_special_logit(x, y):
    return torch._refs.special.logit(x, y)


@logit.implementation(name="decomposed")
def logit_decomposed(x, y):
    with Decomposed():
        return torch.logit(x, y)
