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


# x's axis 0 is always 5
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def unsafe_chunk(x: Float[Tensor, "5 5 5"], y: int = 5, z: int = 1) -> tuple[Float[Tensor, "5 1 5"], Float[Tensor, "5 1 5"], Float[Tensor, "5 1 5"], Float[Tensor, "5 1 5"], Float[Tensor, "5 1 5"]]:
    """What torch.unsafe_chunk computes."""
    return torch.unsafe_chunk(x, y, z)


unsafe_chunk.implementation(unsafe_chunk.definition, name="transformed")


@unsafe_chunk.implementation(name="decomposed")
def unsafe_chunk_decomposed(x, y, z):
    with Decomposed():
        return torch.unsafe_chunk(x, y, z)


# x's axis 0 is always 5
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def unsafe_split(x: Float[Tensor, "5 5 5"], y: int = 5, z: int = 1) -> Float[Tensor, "5 5 5"]:
    """What torch.unsafe_split computes."""
    return torch.unsafe_split(x, y, z)


unsafe_split.implementation(unsafe_split.definition, name="transformed")


@unsafe_split.implementation(name="decomposed")
def unsafe_split_decomposed(x, y, z):
    with Decomposed():
        return torch.unsafe_split(x, y, z)


@harness.operation(differentiable=False)
def unravel_index(x: Annotated[Int[Tensor, "batch d"], harness.within(0, 13)]) -> tuple[Int[Tensor, "batch d"], Int[Tensor, "batch d"]]:
    """What torch.unravel_index computes."""
    return torch.unravel_index(x, (4, 5))


unravel_index.implementation(unravel_index.definition, name="transformed")


@unravel_index.implementation(name="numpy.unravel_index", backend="numpy")
def unravel_index_numpy_unravel_index(x):
    return numpy.unravel_index(x, (4, 5))


@unravel_index.implementation(name="decomposed")
def unravel_index_decomposed(x):
    with Decomposed():
        return torch.unravel_index(x, (4, 5))


# x's axis 1 is always 6
@harness.operation
def unflatten(x: Float[Tensor, "batch 6 d"], y: int = 1) -> Float[Tensor, "batch 2 3 d"]:
    """What torch.unflatten computes."""
    return torch.unflatten(x, y, (2, 3))


unflatten.implementation(unflatten.definition, name="transformed")


@unflatten.implementation(name="torch._refs.unflatten", forward_only=True)
def unflatten_torch__refs_unflatten(x, y):
    return torch._refs.unflatten(x, y, (2, 3))


# z_0's axis 1 is always 1
# z_1's axis 0 is always 1
@harness.operation
def unsafe_masked_index(x: Float[Tensor, "n d"], y: Bool[Tensor, "batch m"], z_0: Annotated[Int[Tensor, "batch 1"], harness.below('n')], z_1: Annotated[Int[Tensor, "1 m"], harness.below('d')], u: float = -8.478373527526855) -> Float[Tensor, "batch m"]:
    """What torch._unsafe_masked_index computes."""
    return torch._unsafe_masked_index(x, y, [z_0, z_1], u)


unsafe_masked_index.implementation(unsafe_masked_index.definition, name="transformed")


@unsafe_masked_index.implementation(name="decomposed")
def unsafe_masked_index_decomposed(x, y, z_0, z_1, u):
    with Decomposed():
        return torch._unsafe_masked_index(x, y, [z_0, z_1], u)


# z_0's axis 1 is always 1
# z_1's axis 0 is always 1
@harness.operation
def unsafe_masked_index_put_accumulate(x: Float[Tensor, "n d"], y: Bool[Tensor, "m k"], z_0: Annotated[Int[Tensor, "m 1"], harness.below('n')], z_1: Annotated[Int[Tensor, "1 k"], harness.below('d')], u: Float[Tensor, "m k"]) -> Float[Tensor, "n d"]:
    """What torch._unsafe_masked_index_put_accumulate computes."""
    return torch._unsafe_masked_index_put_accumulate(x, y, [z_0, z_1], u)


unsafe_masked_index_put_accumulate.implementation(unsafe_masked_index_put_accumulate.definition, name="transformed")


@unsafe_masked_index_put_accumulate.implementation(name="decomposed")
def unsafe_masked_index_put_accumulate_decomposed(x, y, z_0, z_1, u):
    with Decomposed():
        return torch._unsafe_masked_index_put_accumulate(x, y, [z_0, z_1], u)


# x's axis 0 is always 5
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def unbind(x: Float[Tensor, "5 5 5"], y: int = 1) -> tuple[Float[Tensor, "5 5"], Float[Tensor, "5 5"], Float[Tensor, "5 5"], Float[Tensor, "5 5"], Float[Tensor, "5 5"]]:
    """What torch.unbind computes."""
    return torch.unbind(x, y)


unbind.implementation(unbind.definition, name="transformed")


@unbind.implementation(name="torch._refs.unbind", forward_only=True)
def unbind_torch__refs_unbind(x, y):
    return torch._refs.unbind(x, y)


@unbind.implementation(name="decomposed")
def unbind_decomposed(x, y):
    with Decomposed():
        return torch.unbind(x, y)


# x's axis 0 is always 5
# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def unbind_copy(x: Float[Tensor, "5 5 5"], y: int = 1) -> tuple[Float[Tensor, "5 5"], Float[Tensor, "5 5"], Float[Tensor, "5 5"], Float[Tensor, "5 5"], Float[Tensor, "5 5"]]:
    """What torch.unbind_copy computes."""
    return torch.unbind_copy(x, y)


unbind_copy.implementation(unbind_copy.definition, name="transformed")


@unbind_copy.implementation(name="out", out="memory")
def unbind_copy_out(x, y, memory):
    torch.unbind_copy(x, y, out=memory)


@unbind_copy.implementation(name="torch._refs.unbind_copy", forward_only=True)
def unbind_copy_torch__refs_unbind_copy(x, y):
    return torch._refs.unbind_copy(x, y)


@harness.operation(where=lambda n: n-2 > 0)
def unfold_copy(x: Float[Tensor, "n m k d"], y: int = 0, z: int = 3, u: int = 1) -> Float[Tensor, "n-2 m k d 3"]:
    """What torch.unfold_copy computes."""
    return torch.unfold_copy(x, y, z, u)


unfold_copy.implementation(unfold_copy.definition, name="transformed")


@unfold_copy.implementation(name="out", out="memory")
def unfold_copy_out(x, y, z, u, memory):
    torch.unfold_copy(x, y, z, u, out=memory)


@unfold_copy.implementation(name="torch._refs.unfold_copy", forward_only=True)
def unfold_copy_torch__refs_unfold_copy(x, y, z, u):
    return torch._refs.unfold_copy(x, y, z, u)


@unfold_copy.implementation(name="decomposed")
def unfold_copy_decomposed(x, y, z, u):
    with Decomposed():
        return torch.unfold_copy(x, y, z, u)


@harness.operation
def unsqueeze(x: Float[Tensor, "n m d"], y: int = 0) -> Float[Tensor, "1 n m d"]:
    """What torch.unsqueeze computes."""
    return torch.unsqueeze(x, y)


unsqueeze.implementation(unsqueeze.definition, name="transformed")


@unsqueeze.implementation(name="torch._refs.unsqueeze", forward_only=True)
def unsqueeze_torch__refs_unsqueeze(x, y):
    return torch._refs.unsqueeze(x, y)


@harness.operation
def unsqueeze_copy(x: Float[Tensor, "n m d"], y: int = 0) -> Float[Tensor, "1 n m d"]:
    """What torch.unsqueeze_copy computes."""
    return torch.unsqueeze_copy(x, y)


unsqueeze_copy.implementation(unsqueeze_copy.definition, name="transformed")


@unsqueeze_copy.implementation(name="out", out="memory")
def unsqueeze_copy_out(x, y, memory):
    torch.unsqueeze_copy(x, y, out=memory)


@unsqueeze_copy.implementation(name="torch._refs.unsqueeze_copy", forward_only=True)
def unsqueeze_copy_torch__refs_unsqueeze_copy(x, y):
    return torch._refs.unsqueeze_copy(x, y)


@unsqueeze_copy.implementation(name="decomposed")
def unsqueeze_copy_decomposed(x, y):
    with Decomposed():
        return torch.unsqueeze_copy(x, y)
