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
def true_divide(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.true_divide computes."""
    return torch.true_divide(x, y)


true_divide.implementation(true_divide.definition, name="transformed")


@true_divide.implementation(name="out", out="memory")
def true_divide_out(x, y, memory):
    torch.true_divide(x, y, out=memory)


@true_divide.implementation(name="in_place", mutates="x")
def true_divide_in_place(x, y):
    torch.Tensor.true_divide_(x, y)


@true_divide.implementation(name="torch._refs.true_divide", forward_only=True)
def true_divide_torch__refs_true_divide(x, y):
    return torch._refs.true_divide(x, y)


@harness.operation(sizes={'n': (3, 1025)})
def topk(x: Float[Tensor, "batch n d"], y: int = 3, z: int = 1, u: Literal[True] = True, v: Literal[True] = True) -> tuple[Float[Tensor, "batch 3 d"], Annotated[Int[Tensor, "batch 3 d"], harness.picks('x', -2)]]:
    """What torch.topk computes."""
    return torch.topk(x, y, z, u, v)


topk.implementation(topk.definition, name="transformed")


@topk.implementation(name="out", out="memory")
def topk_out(x, y, z, u, v, memory):
    torch.topk(x, y, z, u, v, out=memory)


@harness.operation
def tan(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.tan computes."""
    return torch.tan(x)


tan.implementation(tan.definition, name="transformed")


@tan.implementation(name="out", out="memory")
def tan_out(x, memory):
    torch.tan(x, out=memory)


@tan.implementation(name="in_place", mutates="x")
def tan_in_place(x):
    torch.Tensor.tan_(x)


@tan.implementation(name="torch._refs.tan", forward_only=True)
def tan_torch__refs_tan(x):
    return torch._refs.tan(x)


@tan.implementation(name="numpy.tan", backend="numpy")
def tan_numpy_tan(x):
    return numpy.tan(x)


@harness.operation
def tanh(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.tanh computes."""
    return torch.tanh(x)


tanh.implementation(tanh.definition, name="transformed")


@tanh.implementation(name="out", out="memory")
def tanh_out(x, memory):
    torch.tanh(x, out=memory)


@tanh.implementation(name="in_place", mutates="x")
def tanh_in_place(x):
    torch.Tensor.tanh_(x)


@tanh.implementation(name="torch._refs.tanh", forward_only=True)
def tanh_torch__refs_tanh(x):
    return torch._refs.tanh(x)


@tanh.implementation(name="numpy.tanh", backend="numpy")
def tanh_numpy_tanh(x):
    return numpy.tanh(x)


@harness.operation
def tensor_split(x: Float[Tensor, "batch n d"], y: Annotated[Int[Tensor, ""], harness.within(1, 1)]) -> Float[Tensor, "batch n d"]:
    """What torch.tensor_split computes."""
    return torch.tensor_split(x, y)


tensor_split.implementation(tensor_split.definition, name="transformed")


@tensor_split.implementation(name="torch._refs.tensor_split", forward_only=True)
def tensor_split_torch__refs_tensor_split(x, y):
    return torch._refs.tensor_split(x, y)


@tensor_split.implementation(name="numpy.array_split", backend="numpy")
def tensor_split_numpy_array_split(x, y):
    return numpy.array_split(x, y)


@harness.operation
def triangular_solve(x: Float[Tensor, "batch n m d"], y: Float[Tensor, "batch n m m"]) -> tuple[Float[Tensor, "batch n m d"], Float[Tensor, "batch n m m"]]:
    """What torch.triangular_solve computes."""
    return torch.triangular_solve(x, y)


triangular_solve.implementation(triangular_solve.definition, name="transformed")


@triangular_solve.implementation(name="out", out="memory")
def triangular_solve_out(x, y, memory):
    torch.triangular_solve(x, y, out=memory)


@harness.operation
def trunc(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.trunc computes."""
    return torch.trunc(x)


trunc.implementation(trunc.definition, name="transformed")


@trunc.implementation(name="out", out="memory")
def trunc_out(x, memory):
    torch.trunc(x, out=memory)


@trunc.implementation(name="in_place", mutates="x")
def trunc_in_place(x):
    torch.Tensor.trunc_(x)


@trunc.implementation(name="torch._refs.trunc", forward_only=True)
def trunc_torch__refs_trunc(x):
    return torch._refs.trunc(x)


@trunc.implementation(name="numpy.trunc", backend="numpy")
def trunc_numpy_trunc(x):
    return numpy.trunc(x)


@harness.operation
def take(x: Float[Tensor, "n d"], y: Annotated[Int[Tensor, "batch"], harness.within(3, 6)]) -> Float[Tensor, "batch"]:
    """What torch.take computes."""
    return torch.take(x, y)


take.implementation(take.definition, name="transformed")


@take.implementation(name="out", out="memory")
def take_out(x, y, memory):
    torch.take(x, y, out=memory)


@take.implementation(name="decomposed")
def take_decomposed(x, y):
    with Decomposed():
        return torch.take(x, y)


@harness.operation
def take_along_dim(x: Float[Tensor, "n d"], y: Annotated[Int[Tensor, "batch d"], harness.below('n')], z: int = 0) -> Float[Tensor, "batch d"]:
    """What torch.take_along_dim computes."""
    return torch.take_along_dim(x, y, z)


take_along_dim.implementation(take_along_dim.definition, name="transformed")


@take_along_dim.implementation(name="out", out="memory")
def take_along_dim_out(x, y, z, memory):
    torch.take_along_dim(x, y, z, out=memory)


@take_along_dim.implementation(name="torch._refs.take_along_dim", forward_only=True)
def take_along_dim_torch__refs_take_along_dim(x, y, z):
    return torch._refs.take_along_dim(x, y, z)


@harness.operation
def tile(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.tile computes."""
    return torch.tile(x, ())


tile.implementation(tile.definition, name="transformed")


@tile.implementation(name="numpy.tile", backend="numpy")
def tile_numpy_tile(x):
    return numpy.tile(x, ())


@harness.operation
def trapz(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], dim: int = 1) -> Float[Tensor, "batch"]:
    """What torch.trapz computes."""
    return torch.trapz(x, y, dim=dim)


trapz.implementation(trapz.definition, name="transformed")


@trapz.implementation(name="decomposed")
def trapz_decomposed(x, y, dim):
    with Decomposed():
        return torch.trapz(x, y, dim=dim)


@harness.operation
def trapezoid(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], dim: int = 1) -> Float[Tensor, "batch"]:
    """What torch.trapezoid computes."""
    return torch.trapezoid(x, y, dim=dim)


trapezoid.implementation(trapezoid.definition, name="transformed")


@trapezoid.implementation(name="decomposed")
def trapezoid_decomposed(x, y, dim):
    with Decomposed():
        return torch.trapezoid(x, y, dim=dim)


@harness.operation
def trace(x: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """What torch.trace computes."""
    return torch.trace(x)


trace.implementation(trace.definition, name="transformed")


@trace.implementation(name="torch._refs.trace", forward_only=True)
def trace_torch__refs_trace(x):
    return torch._refs.trace(x)


@trace.implementation(name="decomposed")
def trace_decomposed(x):
    with Decomposed():
        return torch.trace(x)


@harness.operation
def transpose(x: Float[Tensor, "n m d"], y: int = 2, z: int = 0) -> Float[Tensor, "d m n"]:
    """What torch.transpose computes."""
    return torch.transpose(x, y, z)


transpose.implementation(transpose.definition, name="transformed")


@transpose.implementation(name="torch._refs.transpose", forward_only=True)
def transpose_torch__refs_transpose(x, y, z):
    return torch._refs.transpose(x, y, z)


@transpose.implementation(name="decomposed")
def transpose_decomposed(x, y, z):
    with Decomposed():
        return torch.transpose(x, y, z)


@harness.operation
def transpose_copy(x: Float[Tensor, "n m d"], y: int = 2, z: int = 0) -> Float[Tensor, "d m n"]:
    """What torch.transpose_copy computes."""
    return torch.transpose_copy(x, y, z)


transpose_copy.implementation(transpose_copy.definition, name="transformed")


@transpose_copy.implementation(name="out", out="memory")
def transpose_copy_out(x, y, z, memory):
    torch.transpose_copy(x, y, z, out=memory)


@transpose_copy.implementation(name="torch._refs.transpose_copy", forward_only=True)
def transpose_copy_torch__refs_transpose_copy(x, y, z):
    return torch._refs.transpose_copy(x, y, z)


@transpose_copy.implementation(name="decomposed")
def transpose_copy_decomposed(x, y, z):
    with Decomposed():
        return torch.transpose_copy(x, y, z)


@harness.operation
def tril(x: Float[Tensor, "batch n d"], y: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.tril computes."""
    return torch.tril(x, y)


tril.implementation(tril.definition, name="transformed")


@tril.implementation(name="out", out="memory")
def tril_out(x, y, memory):
    torch.tril(x, y, out=memory)


@tril.implementation(name="in_place", mutates="x")
def tril_in_place(x, y):
    torch.Tensor.tril_(x, y)


@tril.implementation(name="torch._refs.tril", forward_only=True)
def tril_torch__refs_tril(x, y):
    return torch._refs.tril(x, y)


@tril.implementation(name="decomposed")
def tril_decomposed(x, y):
    with Decomposed():
        return torch.tril(x, y)


@harness.operation
def triu(x: Float[Tensor, "batch n d"], y: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.triu computes."""
    return torch.triu(x, y)


triu.implementation(triu.definition, name="transformed")


@triu.implementation(name="out", out="memory")
def triu_out(x, y, memory):
    torch.triu(x, y, out=memory)


@triu.implementation(name="in_place", mutates="x")
def triu_in_place(x, y):
    torch.Tensor.triu_(x, y)


@triu.implementation(name="torch._refs.triu", forward_only=True)
def triu_torch__refs_triu(x, y):
    return torch._refs.triu(x, y)


@triu.implementation(name="decomposed")
def triu_decomposed(x, y):
    with Decomposed():
        return torch.triu(x, y)


@harness.operation
def tensordot(x: Float[Tensor, "batch n d"], y: Float[Tensor, "n d m"], dims: int = 2) -> Float[Tensor, "batch m"]:
    """What torch.tensordot computes."""
    return torch.tensordot(x, y, dims=dims)


tensordot.implementation(tensordot.definition, name="transformed")


@tensordot.implementation(name="out", out="memory")
def tensordot_out(x, y, dims, memory):
    torch.tensordot(x, y, dims=dims, out=memory)


@harness.operation
def t(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.t computes."""
    return torch.t(x)


t.implementation(t.definition, name="transformed")


@t.implementation(name="in_place", mutates="x")
def t_in_place(x):
    torch.Tensor.t_(x)


@t.implementation(name="torch._refs.t", forward_only=True)
def t_torch__refs_t(x):
    return torch._refs.t(x)


@t.implementation(name="decomposed")
def t_decomposed(x):
    with Decomposed():
        return torch.t(x)


@harness.operation
def t_copy(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.t_copy computes."""
    return torch.t_copy(x)


t_copy.implementation(t_copy.definition, name="transformed")


@t_copy.implementation(name="out", out="memory")
def t_copy_out(x, memory):
    torch.t_copy(x, out=memory)


@t_copy.implementation(name="torch._refs.t_copy", forward_only=True)
def t_copy_torch__refs_t_copy(x):
    return torch._refs.t_copy(x)


@t_copy.implementation(name="decomposed")
def t_copy_decomposed(x):
    with Decomposed():
        return torch.t_copy(x)
