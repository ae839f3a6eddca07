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
def vdot(x: Float[Tensor, "d"], y: Float[Tensor, "d"]) -> Float[Tensor, ""]:
    """What torch.vdot computes."""
    return torch.vdot(x, y)


vdot.implementation(vdot.definition, name="transformed")


@vdot.implementation(name="out", out="memory")
def vdot_out(x, y, memory):
    torch.vdot(x, y, out=memory)


@vdot.implementation(name="torch._refs.vdot", forward_only=True)
def vdot_torch__refs_vdot(x, y):
    return torch._refs.vdot(x, y)


@vdot.implementation(name="decomposed")
def vdot_decomposed(x, y):
    with Decomposed():
        return torch.vdot(x, y)


@harness.operation(differentiable=False)
def view_as_real(x: Complex[Tensor, "batch d"]) -> Float[Tensor, "batch d 2"]:
    """What torch.view_as_real computes."""
    return torch.view_as_real(x)


view_as_real.implementation(view_as_real.definition, name="transformed")


# x's axis 1 is always 2
@harness.operation
def view_as_complex(x: Float[Tensor, "batch 2"]) -> Complex[Tensor, "batch"]:
    """What torch.view_as_complex computes."""
    return torch.view_as_complex(x)


view_as_complex.implementation(view_as_complex.definition, name="transformed")


@view_as_complex.implementation(name="torch._refs.view_as_complex", forward_only=True)
def view_as_complex_torch__refs_view_as_complex(x):
    return torch._refs.view_as_complex(x)


@harness.operation
def var_mean(x: Float[Tensor, "batch n d"], dim: int = 1, unbiased: Literal[True] = True, keepdim: Literal[True] = True) -> tuple[Float[Tensor, "batch 1 d"], Float[Tensor, "batch 1 d"]]:
    """What torch.var_mean computes."""
    return torch.var_mean(x, dim=dim, unbiased=unbiased, keepdim=keepdim)


var_mean.implementation(var_mean.definition, name="transformed")


@var_mean.implementation(name="torch._refs.var_mean", forward_only=True)
def var_mean_torch__refs_var_mean(x, dim, unbiased, keepdim):
    return torch._refs.var_mean(x, dim=dim, unbiased=unbiased, keepdim=keepdim)


@var_mean.implementation(name="decomposed")
def var_mean_decomposed(x, dim, unbiased, keepdim):
    with Decomposed():
        return torch.var_mean(x, dim=dim, unbiased=unbiased, keepdim=keepdim)


@harness.operation
def var_mean_unbiased(x: Float[Tensor, "n d"], y: Literal[True] = True) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """What torch.var_mean computes."""
    return torch.var_mean(x, y)


var_mean_unbiased.implementation(var_mean_unbiased.definition, name="transformed")


@var_mean_unbiased.implementation(name="decomposed")
def var_mean_unbiased_decomposed(x, y):
    with Decomposed():
        return torch.var_mean(x, y)


# x's axis 1 is always 5
# x's axis 2 is always 5
@harness.operation
def view_copy(x: Float[Tensor, "n 5 5"]) -> Float[Tensor, "25 n"]:
    """What torch.view_copy computes."""
    return torch.view_copy(x, (25, x.shape[0]))


view_copy.implementation(view_copy.definition, name="transformed")


@view_copy.implementation(name="out", out="memory")
def view_copy_out(x, memory):
    torch.view_copy(x, (25, x.shape[0]), out=memory)


@view_copy.implementation(name="torch._refs.view_copy", forward_only=True)
def view_copy_torch__refs_view_copy(x):
    return torch._refs.view_copy(x, (25, x.shape[0]))


@harness.operation(where=lambda n: n-3 > 0)
def vsplit(x: Float[Tensor, "n m d"]) -> tuple[Float[Tensor, "1 m d"], Float[Tensor, "1 m d"], Float[Tensor, "1 m d"], Float[Tensor, "n-3 m d"]]:
    """What torch.vsplit computes."""
    return torch.vsplit(x, [1, 2, 3])


vsplit.implementation(vsplit.definition, name="transformed")


@vsplit.implementation(name="torch._refs.vsplit", forward_only=True)
def vsplit_torch__refs_vsplit(x):
    return torch._refs.vsplit(x, [1, 2, 3])


@harness.operation
def vstack(x_0: Float[Tensor, "n d"], x_1: Float[Tensor, "m d"], x_2: Float[Tensor, "k d"]) -> Float[Tensor, "n+m+k d"]:
    """What torch.vstack computes."""
    return torch.vstack((x_0, x_1, x_2))


vstack.implementation(vstack.definition, name="transformed")


@vstack.implementation(name="out", out="memory")
def vstack_out(x_0, x_1, x_2, memory):
    torch.vstack((x_0, x_1, x_2), out=memory)


@vstack.implementation(name="torch._refs.vstack", forward_only=True)
def vstack_torch__refs_vstack(x_0, x_1, x_2):
    return torch._refs.vstack((x_0, x_1, x_2))


@vstack.implementation(name="decomposed")
def vstack_decomposed(x_0, x_1, x_2):
    with Decomposed():
        return torch.vstack((x_0, x_1, x_2))


@harness.operation
def var(x: Float[Tensor, "batch n d"], dim: int = 1, unbiased: Literal[True] = True, keepdim: Literal[True] = True) -> Float[Tensor, "batch 1 d"]:
    """What torch.var computes."""
    return torch.var(x, dim=dim, unbiased=unbiased, keepdim=keepdim)


var.implementation(var.definition, name="transformed")


@var.implementation(name="out", out="memory")
def var_out(x, dim, unbiased, keepdim, memory):
    torch.var(x, dim=dim, unbiased=unbiased, keepdim=keepdim, out=memory)


@var.implementation(name="torch._refs.var", forward_only=True)
def var_torch__refs_var(x, dim, unbiased, keepdim):
    return torch._refs.var(x, dim=dim, unbiased=unbiased, keepdim=keepdim)


@var.implementation(name="decomposed")
def var_decomposed(x, dim, unbiased, keepdim):
    with Decomposed():
        return torch.var(x, dim=dim, unbiased=unbiased, keepdim=keepdim)


@harness.operation
def var_unbiased(x: Float[Tensor, "n d"], y: Literal[True] = True) -> Float[Tensor, ""]:
    """What torch.var computes."""
    return torch.var(x, y)


var_unbiased.implementation(var_unbiased.definition, name="transformed")


@var_unbiased.implementation(name="decomposed")
def var_unbiased_decomposed(x, y):
    with Decomposed():
        return torch.var(x, y)
