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
def masked_sum(x: Float[Tensor, "n d"], mask: Bool[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.masked.sum computes."""
    return torch.masked.sum(x, mask=mask, dim=dim, keepdim=keepdim)


masked_sum.implementation(masked_sum.definition, name="transformed")


@masked_sum.implementation(name="decomposed")
def masked_sum_decomposed(x, mask, dim, keepdim):
    with Decomposed():
        return torch.masked.sum(x, mask=mask, dim=dim, keepdim=keepdim)


@harness.operation
def masked_prod(x: Float[Tensor, "n d"], mask: Bool[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.masked.prod computes."""
    return torch.masked.prod(x, mask=mask, dim=dim, keepdim=keepdim)


masked_prod.implementation(masked_prod.definition, name="transformed")


@masked_prod.implementation(name="decomposed")
def masked_prod_decomposed(x, mask, dim, keepdim):
    with Decomposed():
        return torch.masked.prod(x, mask=mask, dim=dim, keepdim=keepdim)


@harness.operation
def masked_cumsum(x: Float[Tensor, "batch n d"], mask: Bool[Tensor, "batch n d"], y: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.masked.cumsum computes."""
    return torch.masked.cumsum(x, y, mask=mask)


masked_cumsum.implementation(masked_cumsum.definition, name="transformed")


@masked_cumsum.implementation(name="decomposed")
def masked_cumsum_decomposed(x, mask, y):
    with Decomposed():
        return torch.masked.cumsum(x, y, mask=mask)


@harness.operation
def masked_cumprod(x: Float[Tensor, "batch n d"], mask: Bool[Tensor, "batch n d"], y: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.masked.cumprod computes."""
    return torch.masked.cumprod(x, y, mask=mask)


masked_cumprod.implementation(masked_cumprod.definition, name="transformed")


@masked_cumprod.implementation(name="decomposed")
def masked_cumprod_decomposed(x, mask, y):
    with Decomposed():
        return torch.masked.cumprod(x, y, mask=mask)


@harness.operation
def masked_amax(x: Float[Tensor, "n d"], mask: Bool[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.masked.amax computes."""
    return torch.masked.amax(x, mask=mask, dim=dim, keepdim=keepdim)


masked_amax.implementation(masked_amax.definition, name="transformed")


@masked_amax.implementation(name="decomposed")
def masked_amax_decomposed(x, mask, dim, keepdim):
    with Decomposed():
        return torch.masked.amax(x, mask=mask, dim=dim, keepdim=keepdim)


@harness.operation
def masked_amin(x: Float[Tensor, "n d"], mask: Bool[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.masked.amin computes."""
    return torch.masked.amin(x, mask=mask, dim=dim, keepdim=keepdim)


masked_amin.implementation(masked_amin.definition, name="transformed")


@masked_amin.implementation(name="decomposed")
def masked_amin_decomposed(x, mask, dim, keepdim):
    with Decomposed():
        return torch.masked.amin(x, mask=mask, dim=dim, keepdim=keepdim)


@harness.operation(differentiable=False)
def masked_argmax(x: Float[Tensor, "n d"], mask: Bool[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.masked.argmax computes."""
    return torch.masked.argmax(x, mask=mask, dim=dim, keepdim=keepdim)


masked_argmax.implementation(masked_argmax.definition, name="transformed")


@masked_argmax.implementation(name="decomposed")
def masked_argmax_decomposed(x, mask, dim, keepdim):
    with Decomposed():
        return torch.masked.argmax(x, mask=mask, dim=dim, keepdim=keepdim)


@harness.operation(differentiable=False)
def masked_argmin(x: Float[Tensor, "n d"], mask: Bool[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.masked.argmin computes."""
    return torch.masked.argmin(x, mask=mask, dim=dim, keepdim=keepdim)


masked_argmin.implementation(masked_argmin.definition, name="transformed")


@masked_argmin.implementation(name="decomposed")
def masked_argmin_decomposed(x, mask, dim, keepdim):
    with Decomposed():
        return torch.masked.argmin(x, mask=mask, dim=dim, keepdim=keepdim)


@harness.operation
def masked_mean(x: Float[Tensor, "n d"], mask: Bool[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.masked.mean computes."""
    return torch.masked.mean(x, mask=mask, dim=dim, keepdim=keepdim)


masked_mean.implementation(masked_mean.definition, name="transformed")


@masked_mean.implementation(name="decomposed")
def masked_mean_decomposed(x, mask, dim, keepdim):
    with Decomposed():
        return torch.masked.mean(x, mask=mask, dim=dim, keepdim=keepdim)


@harness.operation
def masked_median(x: Float[Tensor, "batch n d"], mask: Bool[Tensor, "batch n d"], y: int = 2) -> Float[Tensor, "batch n"]:
    """What torch.masked.median computes."""
    return torch.masked.median(x, y, mask=mask)


masked_median.implementation(masked_median.definition, name="transformed")


@masked_median.implementation(name="decomposed")
def masked_median_decomposed(x, mask, y):
    with Decomposed():
        return torch.masked.median(x, y, mask=mask)


@harness.operation
def masked_norm(x: Float[Tensor, "n d"], mask: Bool[Tensor, "n d"], y: float = 2.0, dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.masked.norm computes."""
    return torch.masked.norm(x, y, mask=mask, dim=dim, keepdim=keepdim)


masked_norm.implementation(masked_norm.definition, name="transformed")


@masked_norm.implementation(name="decomposed")
def masked_norm_decomposed(x, mask, y, dim, keepdim):
    with Decomposed():
        return torch.masked.norm(x, y, mask=mask, dim=dim, keepdim=keepdim)


@harness.operation
def masked_var(x: Float[Tensor, "n m d"], mask: Bool[Tensor, "n m d"], correction: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 1 1"]:
    """What torch.masked.var computes."""
    return torch.masked.var(x, mask=mask, dim=None, correction=correction, keepdim=keepdim)


masked_var.implementation(masked_var.definition, name="transformed")


@masked_var.implementation(name="decomposed")
def masked_var_decomposed(x, mask, correction, keepdim):
    with Decomposed():
        return torch.masked.var(x, mask=mask, dim=None, correction=correction, keepdim=keepdim)


@harness.operation
def masked_std(x: Float[Tensor, "n m d"], mask: Bool[Tensor, "n m d"], correction: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 1 1"]:
    """What torch.masked.std computes."""
    return torch.masked.std(x, mask=mask, dim=None, correction=correction, keepdim=keepdim)


masked_std.implementation(masked_std.definition, name="transformed")


@masked_std.implementation(name="decomposed")
def masked_std_decomposed(x, mask, correction, keepdim):
    with Decomposed():
        return torch.masked.std(x, mask=mask, dim=None, correction=correction, keepdim=keepdim)


@harness.operation
def masked_softmax(x: Float[Tensor, "batch n d"], mask: Bool[Tensor, "batch n d"], y: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.masked.softmax computes."""
    return torch.masked.softmax(x, y, mask=mask)


masked_softmax.implementation(masked_softmax.definition, name="transformed")


@masked_softmax.implementation(name="decomposed")
def masked_softmax_decomposed(x, mask, y):
    with Decomposed():
        return torch.masked.softmax(x, y, mask=mask)


@harness.operation
def masked_log_softmax(x: Float[Tensor, "batch n d"], mask: Bool[Tensor, "batch n d"], y: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.masked.log_softmax computes."""
    return torch.masked.log_softmax(x, y, mask=mask)


masked_log_softmax.implementation(masked_log_softmax.definition, name="transformed")


@masked_log_softmax.implementation(name="decomposed")
def masked_log_softmax_decomposed(x, mask, y):
    with Decomposed():
        return torch.masked.log_softmax(x, y, mask=mask)


@harness.operation
def masked_softmin(x: Float[Tensor, "batch n d"], mask: Bool[Tensor, "batch n d"], y: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.masked.softmin computes."""
    return torch.masked.softmin(x, y, mask=mask)


masked_softmin.implementation(masked_softmin.definition, name="transformed")


@masked_softmin.implementation(name="decomposed")
def masked_softmin_decomposed(x, mask, y):
    with Decomposed():
        return torch.masked.softmin(x, y, mask=mask)


@harness.operation
def masked_normalize(x: Float[Tensor, "batch n d"], y: float = 2.0, z: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.masked.normalize computes."""
    return torch.masked.normalize(x, y, z)


masked_normalize.implementation(masked_normalize.definition, name="transformed")


@masked_normalize.implementation(name="decomposed")
def masked_normalize_decomposed(x, y, z):
    with Decomposed():
        return torch.masked.normalize(x, y, z)


@harness.operation
def masked_logaddexp(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"], input_mask: Bool[Tensor, "batch n d"], other_mask: Bool[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.masked.logaddexp computes."""
    return torch.masked.logaddexp(x, y, input_mask=input_mask, other_mask=other_mask)


masked_logaddexp.implementation(masked_logaddexp.definition, name="transformed")


@masked_logaddexp.implementation(name="decomposed")
def masked_logaddexp_decomposed(x, y, input_mask, other_mask):
    with Decomposed():
        return torch.masked.logaddexp(x, y, input_mask=input_mask, other_mask=other_mask)


@harness.operation
def masked_logsumexp(x: Float[Tensor, "n d"], mask: Bool[Tensor, "n d"], dim: int = 0, keepdim: Literal[True] = True) -> Float[Tensor, "1 d"]:
    """What torch.masked.logsumexp computes."""
    return torch.masked.logsumexp(x, mask=mask, dim=dim, keepdim=keepdim)


masked_logsumexp.implementation(masked_logsumexp.definition, name="transformed")


@masked_logsumexp.implementation(name="decomposed")
def masked_logsumexp_decomposed(x, mask, dim, keepdim):
    with Decomposed():
        return torch.masked.logsumexp(x, mask=mask, dim=dim, keepdim=keepdim)
