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
def baddbmm(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n m"], z: Float[Tensor, "batch m d"], beta: int = 1, alpha: int = 1) -> Float[Tensor, "batch n d"]:
    """What torch.baddbmm computes."""
    return torch.baddbmm(x, y, z, beta=beta, alpha=alpha)


baddbmm.implementation(baddbmm.definition, name="transformed")


@baddbmm.implementation(name="out", out="memory")
def baddbmm_out(x, y, z, beta, alpha, memory):
    torch.baddbmm(x, y, z, beta=beta, alpha=alpha, out=memory)


@baddbmm.implementation(name="in_place", mutates="x")
def baddbmm_in_place(x, y, z, beta, alpha):
    torch.Tensor.baddbmm_(x, y, z, beta=beta, alpha=alpha)


@baddbmm.implementation(name="decomposed")
def baddbmm_decomposed(x, y, z, beta, alpha):
    with Decomposed():
        return torch.baddbmm(x, y, z, beta=beta, alpha=alpha)


@harness.operation
def bmm(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch d m"]) -> Float[Tensor, "batch n m"]:
    """What torch.bmm computes."""
    return torch.bmm(x, y)


bmm.implementation(bmm.definition, name="transformed")


@bmm.implementation(name="out", out="memory")
def bmm_out(x, y, memory):
    torch.bmm(x, y, out=memory)


# x's axis 1 is always 1
@harness.operation
def broadcast_to(x: Float[Tensor, "batch 1 d"]) -> Float[Tensor, "batch 5 d"]:
    """What torch.broadcast_to computes."""
    return torch.broadcast_to(x, (x.shape[0], 5, x.shape[2]))


broadcast_to.implementation(broadcast_to.definition, name="transformed")


@broadcast_to.implementation(name="torch._refs.broadcast_to", forward_only=True)
def broadcast_to_torch__refs_broadcast_to(x):
    return torch._refs.broadcast_to(x, (x.shape[0], 5, x.shape[2]))


@broadcast_to.implementation(name="numpy.broadcast_to", backend="numpy")
def broadcast_to_numpy_broadcast_to(x):
    return numpy.broadcast_to(x, (x.shape[0], 5, x.shape[2]))


# y's axis 0 is always 1
# y's axis 2 is always 1
# z's axis 0 is always 1
# z's axis 1 is always 1
# u's axis 1 is always 1
# u's axis 2 is always 1
@harness.operation
def broadcast_tensors(x: Float[Tensor, "d"], y: Float[Tensor, "1 n 1"], z: Float[Tensor, "1 1"], u: Float[Tensor, "batch 1 1"]) -> tuple[Float[Tensor, "batch n d"], Float[Tensor, "batch n d"], Float[Tensor, "batch n d"], Float[Tensor, "batch n d"]]:
    """What torch.broadcast_tensors computes."""
    return torch.broadcast_tensors(x, y, z, u)


broadcast_tensors.implementation(broadcast_tensors.definition, name="transformed")


@broadcast_tensors.implementation(name="torch._refs.broadcast_tensors", forward_only=True)
def broadcast_tensors_torch__refs_broadcast_tensors(x, y, z, u):
    return torch._refs.broadcast_tensors(x, y, z, u)


@broadcast_tensors.implementation(name="numpy.broadcast_arrays", backend="numpy")
def broadcast_tensors_numpy_broadcast_arrays(x, y, z, u):
    return numpy.broadcast_arrays(x, y, z, u)


@harness.operation
def block_diag(x: Float[Tensor, "n d"], y: Float[Tensor, "m"]) -> Float[Tensor, "n+1 d+m"]:
    """What torch.block_diag computes."""
    return torch.block_diag(x, y)


block_diag.implementation(block_diag.definition, name="transformed")


@block_diag.implementation(name="torch._refs.block_diag", forward_only=True)
def block_diag_torch__refs_block_diag(x, y):
    return torch._refs.block_diag(x, y)


@block_diag.implementation(name="decomposed")
def block_diag_decomposed(x, y):
    with Decomposed():
        return torch.block_diag(x, y)


@harness.operation(differentiable=False)
def bitwise_not(x: Annotated[Int[Tensor, "batch"], harness.within(-8, 9)]) -> Int[Tensor, "batch"]:
    """What torch.bitwise_not computes."""
    return torch.bitwise_not(x)


bitwise_not.implementation(bitwise_not.definition, name="transformed")


@bitwise_not.implementation(name="out", out="memory")
def bitwise_not_out(x, memory):
    torch.bitwise_not(x, out=memory)


@bitwise_not.implementation(name="in_place", mutates="x")
def bitwise_not_in_place(x):
    torch.Tensor.bitwise_not_(x)


@bitwise_not.implementation(name="torch._refs.bitwise_not", forward_only=True)
def bitwise_not_torch__refs_bitwise_not(x):
    return torch._refs.bitwise_not(x)


@bitwise_not.implementation(name="numpy.invert", backend="numpy")
def bitwise_not_numpy_invert(x):
    return numpy.invert(x)


@harness.operation(differentiable=False)
def bitwise_left_shift(x: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)], y: Annotated[Int[Tensor, "batch n d"], harness.within(0, 9)]) -> Int[Tensor, "batch n d"]:
    """What torch.bitwise_left_shift computes."""
    return torch.bitwise_left_shift(x, y)


bitwise_left_shift.implementation(bitwise_left_shift.definition, name="transformed")


@bitwise_left_shift.implementation(name="out", out="memory")
def bitwise_left_shift_out(x, y, memory):
    torch.bitwise_left_shift(x, y, out=memory)


@bitwise_left_shift.implementation(name="in_place", mutates="x")
def bitwise_left_shift_in_place(x, y):
    torch.Tensor.bitwise_left_shift_(x, y)


@bitwise_left_shift.implementation(name="torch._refs.bitwise_left_shift", forward_only=True)
def bitwise_left_shift_torch__refs_bitwise_left_shift(x, y):
    return torch._refs.bitwise_left_shift(x, y)


@harness.operation(differentiable=False)
def bitwise_right_shift(x: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)], y: Annotated[Int[Tensor, "batch n d"], harness.within(0, 9)]) -> Int[Tensor, "batch n d"]:
    """What torch.bitwise_right_shift computes."""
    return torch.bitwise_right_shift(x, y)


bitwise_right_shift.implementation(bitwise_right_shift.definition, name="transformed")


@bitwise_right_shift.implementation(name="out", out="memory")
def bitwise_right_shift_out(x, y, memory):
    torch.bitwise_right_shift(x, y, out=memory)


@bitwise_right_shift.implementation(name="in_place", mutates="x")
def bitwise_right_shift_in_place(x, y):
    torch.Tensor.bitwise_right_shift_(x, y)


@bitwise_right_shift.implementation(name="torch._refs.bitwise_right_shift", forward_only=True)
def bitwise_right_shift_torch__refs_bitwise_right_shift(x, y):
    return torch._refs.bitwise_right_shift(x, y)


@harness.operation(differentiable=False)
def bitwise_and(x: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)], y: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)]) -> Int[Tensor, "batch n d"]:
    """What torch.bitwise_and computes."""
    return torch.bitwise_and(x, y)


bitwise_and.implementation(bitwise_and.definition, name="transformed")


@bitwise_and.implementation(name="out", out="memory")
def bitwise_and_out(x, y, memory):
    torch.bitwise_and(x, y, out=memory)


@bitwise_and.implementation(name="in_place", mutates="x")
def bitwise_and_in_place(x, y):
    torch.Tensor.bitwise_and_(x, y)


@bitwise_and.implementation(name="torch._refs.bitwise_and", forward_only=True)
def bitwise_and_torch__refs_bitwise_and(x, y):
    return torch._refs.bitwise_and(x, y)


@bitwise_and.implementation(name="numpy.bitwise_and", backend="numpy")
def bitwise_and_numpy_bitwise_and(x, y):
    return numpy.bitwise_and(x, y)


@harness.operation(differentiable=False)
def bitwise_or(x: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)], y: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)]) -> Int[Tensor, "batch n d"]:
    """What torch.bitwise_or computes."""
    return torch.bitwise_or(x, y)


bitwise_or.implementation(bitwise_or.definition, name="transformed")


@bitwise_or.implementation(name="out", out="memory")
def bitwise_or_out(x, y, memory):
    torch.bitwise_or(x, y, out=memory)


@bitwise_or.implementation(name="in_place", mutates="x")
def bitwise_or_in_place(x, y):
    torch.Tensor.bitwise_or_(x, y)


@bitwise_or.implementation(name="torch._refs.bitwise_or", forward_only=True)
def bitwise_or_torch__refs_bitwise_or(x, y):
    return torch._refs.bitwise_or(x, y)


@bitwise_or.implementation(name="numpy.bitwise_or", backend="numpy")
def bitwise_or_numpy_bitwise_or(x, y):
    return numpy.bitwise_or(x, y)


@harness.operation(differentiable=False)
def bitwise_xor(x: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)], y: Annotated[Int[Tensor, "batch n d"], harness.within(-9, 9)]) -> Int[Tensor, "batch n d"]:
    """What torch.bitwise_xor computes."""
    return torch.bitwise_xor(x, y)


bitwise_xor.implementation(bitwise_xor.definition, name="transformed")


@bitwise_xor.implementation(name="out", out="memory")
def bitwise_xor_out(x, y, memory):
    torch.bitwise_xor(x, y, out=memory)


@bitwise_xor.implementation(name="in_place", mutates="x")
def bitwise_xor_in_place(x, y):
    torch.Tensor.bitwise_xor_(x, y)


@bitwise_xor.implementation(name="torch._refs.bitwise_xor", forward_only=True)
def bitwise_xor_torch__refs_bitwise_xor(x, y):
    return torch._refs.bitwise_xor(x, y)


@bitwise_xor.implementation(name="numpy.bitwise_xor", backend="numpy")
def bitwise_xor_numpy_bitwise_xor(x, y):
    return numpy.bitwise_xor(x, y)


@harness.operation(differentiable=False)
def bucketize(x: Float[Tensor, "batch n d"], y: Float[Tensor, "m"], out_int32: Literal[False] = False, right: Literal[False] = False) -> Int[Tensor, "batch n d"]:
    """What torch.bucketize computes."""
    return torch.bucketize(x, y, out_int32=out_int32, right=right)


bucketize.implementation(bucketize.definition, name="transformed")


@bucketize.implementation(name="out", out="memory")
def bucketize_out(x, y, out_int32, right, memory):
    torch.bucketize(x, y, out_int32=out_int32, right=right, out=memory)


@bucketize.implementation(name="torch._refs.bucketize", forward_only=True)
def bucketize_torch__refs_bucketize(x, y, out_int32, right):
    return torch._refs.bucketize(x, y, out_int32=out_int32, right=right)


# x's axis 2 is always 1
# y's axis 1 is always 1
@harness.operation
def bmm_triton_optimized(x: Float[Tensor, "batch n 1"], y: Float[Tensor, "batch 1 m"]) -> Float[Tensor, "batch n m"]:
    """What torch.bmm computes."""
    return torch.bmm(x, y)


bmm_triton_optimized.implementation(bmm_triton_optimized.definition, name="transformed")
