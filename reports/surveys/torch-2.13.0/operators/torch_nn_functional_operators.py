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
def nn_functional_softmin(x: Float[Tensor, "batch n d"], y: int = 2) -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional.softmin computes."""
    return torch.nn.functional.softmin(x, y)


nn_functional_softmin.implementation(nn_functional_softmin.definition, name="transformed")


@harness.operation
def nn_functional_softmin_with_dtype(x: Float[Tensor, "batch n d"], y: int = 2) -> Annotated[Float[Tensor, "batch n d"], harness.dtype('float64')]:
    """What torch.nn.functional.softmin computes."""
    return torch.nn.functional.softmin(x, y, dtype=torch.float64)


nn_functional_softmin_with_dtype.implementation(nn_functional_softmin_with_dtype.definition, name="transformed")


@nn_functional_softmin_with_dtype.implementation(name="torch._refs.nn.functional.softmin", forward_only=True)
def nn_functional_softmin_with_dtype_torch__refs_nn_functional_softmin(x, y):
    return torch._refs.nn.functional.softmin(x, y, dtype=torch.float64)


@harness.operation
def nn_functional_cross_entropy(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"], weight: Float[Tensor, "d"], reduction: str = 'mean') -> Float[Tensor, ""]:
    """What torch.nn.functional.cross_entropy computes."""
    return torch.nn.functional.cross_entropy(x, y, weight=weight, reduction=reduction)


nn_functional_cross_entropy.implementation(nn_functional_cross_entropy.definition, name="transformed")


@nn_functional_cross_entropy.implementation(name="decomposed")
def nn_functional_cross_entropy_decomposed(x, y, weight, reduction):
    with Decomposed():
        return torch.nn.functional.cross_entropy(x, y, weight=weight, reduction=reduction)


@harness.operation
def nn_functional_linear_cross_entropy(x: Float[Tensor, "n d"], y: Float[Tensor, "m k d"], z: Float[Tensor, "n m k"], linear_bias: Float[Tensor, "m k"], weight: Float[Tensor, "m"], reduction: str = 'sum') -> Float[Tensor, ""]:
    """What torch.nn.functional.linear_cross_entropy computes."""
    return torch.nn.functional.linear_cross_entropy(x, y, z, linear_bias=linear_bias, weight=weight, reduction=reduction)


nn_functional_linear_cross_entropy.implementation(nn_functional_linear_cross_entropy.definition, name="transformed")


@nn_functional_linear_cross_entropy.implementation(name="decomposed")
def nn_functional_linear_cross_entropy_decomposed(x, y, z, linear_bias, weight, reduction):
    with Decomposed():
        return torch.nn.functional.linear_cross_entropy(x, y, z, linear_bias=linear_bias, weight=weight, reduction=reduction)


@harness.operation
def nn_functional_normalize(x: Float[Tensor, "batch n m d"], p: float = 2.0, dim: int = 1) -> Float[Tensor, "batch n m d"]:
    """What torch.nn.functional.normalize computes."""
    return torch.nn.functional.normalize(x, p=p, dim=dim)


nn_functional_normalize.implementation(nn_functional_normalize.definition, name="transformed")


@nn_functional_normalize.implementation(name="out", out="memory")
def nn_functional_normalize_out(x, p, dim, memory):
    torch.nn.functional.normalize(x, p=p, dim=dim, out=memory)


@nn_functional_normalize.implementation(name="decomposed")
def nn_functional_normalize_decomposed(x, p, dim):
    with Decomposed():
        return torch.nn.functional.normalize(x, p=p, dim=dim)


@harness.operation
def nn_functional_cosine_similarity(x: Float[Tensor, "d"], y: Float[Tensor, "d"], dim: int = 0, eps: float = 0.5) -> Float[Tensor, ""]:
    """What torch.nn.functional.cosine_similarity computes."""
    return torch.nn.functional.cosine_similarity(x, y, dim=dim, eps=eps)


nn_functional_cosine_similarity.implementation(nn_functional_cosine_similarity.definition, name="transformed")


@nn_functional_cosine_similarity.implementation(name="decomposed")
def nn_functional_cosine_similarity_decomposed(x, y, dim, eps):
    with Decomposed():
        return torch.nn.functional.cosine_similarity(x, y, dim=dim, eps=eps)


@harness.operation
def nn_functional_adaptive_avg_pool1d(x: Float[Tensor, "batch n d"], y: int = 5) -> Float[Tensor, "batch n 5"]:
    """What torch.nn.functional.adaptive_avg_pool1d computes."""
    return torch.nn.functional.adaptive_avg_pool1d(x, y)


nn_functional_adaptive_avg_pool1d.implementation(nn_functional_adaptive_avg_pool1d.definition, name="transformed")


@nn_functional_adaptive_avg_pool1d.implementation(name="decomposed")
def nn_functional_adaptive_avg_pool1d_decomposed(x, y):
    with Decomposed():
        return torch.nn.functional.adaptive_avg_pool1d(x, y)


@harness.operation
def nn_functional_adaptive_avg_pool2d(x: Float[Tensor, "batch n m d"]) -> Float[Tensor, "batch n m 7"]:
    """What torch.nn.functional.adaptive_avg_pool2d computes."""
    return torch.nn.functional.adaptive_avg_pool2d(x, (None, 7))


nn_functional_adaptive_avg_pool2d.implementation(nn_functional_adaptive_avg_pool2d.definition, name="transformed")


@harness.operation
def nn_functional_adaptive_avg_pool3d(x: Float[Tensor, "batch n m k d"]) -> Float[Tensor, "batch n 5 7 d"]:
    """What torch.nn.functional.adaptive_avg_pool3d computes."""
    return torch.nn.functional.adaptive_avg_pool3d(x, (5, 7, None))


nn_functional_adaptive_avg_pool3d.implementation(nn_functional_adaptive_avg_pool3d.definition, name="transformed")


@harness.operation
def nn_functional_adaptive_max_pool1d(x: Float[Tensor, "batch n d"], y: int = 3, z: Literal[True] = True) -> tuple[Float[Tensor, "batch n 3"], Int[Tensor, "batch n 3"]]:
    """What torch.nn.functional.adaptive_max_pool1d computes."""
    return torch.nn.functional.adaptive_max_pool1d(x, y, z)


nn_functional_adaptive_max_pool1d.implementation(nn_functional_adaptive_max_pool1d.definition, name="transformed")


@nn_functional_adaptive_max_pool1d.implementation(name="decomposed")
def nn_functional_adaptive_max_pool1d_decomposed(x, y, z):
    with Decomposed():
        return torch.nn.functional.adaptive_max_pool1d(x, y, z)


@harness.operation
def nn_functional_adaptive_max_pool2d(x: Float[Tensor, "batch n m d"], z: Literal[True] = True) -> tuple[Float[Tensor, "batch n 1 1"], Int[Tensor, "batch n 1 1"]]:
    """What torch.nn.functional.adaptive_max_pool2d computes."""
    return torch.nn.functional.adaptive_max_pool2d(x, (1, 1), z)


nn_functional_adaptive_max_pool2d.implementation(nn_functional_adaptive_max_pool2d.definition, name="transformed")


@harness.operation
def nn_functional_adaptive_max_pool3d(x: Float[Tensor, "batch n m k d"], z: Literal[True] = True) -> tuple[Float[Tensor, "batch n 2 3 d"], Int[Tensor, "batch n 2 3 d"]]:
    """What torch.nn.functional.adaptive_max_pool3d computes."""
    return torch.nn.functional.adaptive_max_pool3d(x, (2, 3, None), z)


nn_functional_adaptive_max_pool3d.implementation(nn_functional_adaptive_max_pool3d.definition, name="transformed")


@harness.operation
def nn_functional_avg_pool1d(x: Float[Tensor, "batch n d"], ceil_mode: Literal[False] = False, count_include_pad: Literal[True] = True) -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional.avg_pool1d computes."""
    return torch.nn.functional.avg_pool1d(x, (3,), stride=(1,), padding=(1,), ceil_mode=ceil_mode, count_include_pad=count_include_pad)


nn_functional_avg_pool1d.implementation(nn_functional_avg_pool1d.definition, name="transformed")


@nn_functional_avg_pool1d.implementation(name="decomposed")
def nn_functional_avg_pool1d_decomposed(x, ceil_mode, count_include_pad):
    with Decomposed():
        return torch.nn.functional.avg_pool1d(x, (3,), stride=(1,), padding=(1,), ceil_mode=ceil_mode, count_include_pad=count_include_pad)


@harness.operation(sizes={'m': (2, 1025), 'k': (2, 1025), 'd': (2, 1025)})
def nn_functional_avg_pool3d(x: Float[Tensor, "batch n m k d"]) -> Float[Tensor, "batch n m//2 k//2 d//2"]:
    """What torch.nn.functional.avg_pool3d computes."""
    return torch.nn.functional.avg_pool3d(x, (2, 2, 2))


nn_functional_avg_pool3d.implementation(nn_functional_avg_pool3d.definition, name="transformed")


@nn_functional_avg_pool3d.implementation(name="out", out="memory")
def nn_functional_avg_pool3d_out(x, memory):
    torch.nn.functional.avg_pool3d(x, (2, 2, 2), out=memory)


# differentiable in x and in y alone, so that no gradient is asked
@harness.operation(differentiable=False)
def nn_functional_binary_cross_entropy_with_logits(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"], weight: Float[Tensor, "n d"], pos_weight: Float[Tensor, "d"], reduction: str = 'mean') -> Float[Tensor, ""]:
    """What torch.nn.functional.binary_cross_entropy_with_logits computes."""
    return torch.nn.functional.binary_cross_entropy_with_logits(x, y, reduction=reduction, weight=weight, pos_weight=pos_weight)


nn_functional_binary_cross_entropy_with_logits.implementation(nn_functional_binary_cross_entropy_with_logits.definition, name="transformed")


@nn_functional_binary_cross_entropy_with_logits.implementation(name="decomposed")
def nn_functional_binary_cross_entropy_with_logits_decomposed(x, y, weight, pos_weight, reduction):
    with Decomposed():
        return torch.nn.functional.binary_cross_entropy_with_logits(x, y, reduction=reduction, weight=weight, pos_weight=pos_weight)


@harness.operation
def nn_functional_relu(x: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional.relu computes."""
    return torch.nn.functional.relu(x)


nn_functional_relu.implementation(nn_functional_relu.definition, name="transformed")


@nn_functional_relu.implementation(name="torch._refs.nn.functional.relu", forward_only=True)
def nn_functional_relu_torch__refs_nn_functional_relu(x):
    return torch._refs.nn.functional.relu(x)


# y's axis 1 is always 2
# z's axis 0 is always 4
@harness.operation(where=lambda d, m: 3*d+4*m-6 > 0)
def nn_functional_conv_transpose1d(x: Float[Tensor, "batch 2*n d"], y: Float[Tensor, "2*n 2 m"], z: Float[Tensor, "4"], groups: int = 2) -> Float[Tensor, "batch 4 3*d+4*m-6"]:
    """What torch.nn.functional.conv_transpose1d computes."""
    return torch.nn.functional.conv_transpose1d(x, y, z, stride=(3,), padding=(1,), output_padding=(2,), groups=groups, dilation=(4,))


nn_functional_conv_transpose1d.implementation(nn_functional_conv_transpose1d.definition, name="transformed")


# y's axis 1 is always 2
# z's axis 0 is always 4
@harness.operation(where=lambda d, k, m, p: 3*m+4*k-6 > 0 and 2*d+4*p-6 > 0)
def nn_functional_conv_transpose2d(x: Float[Tensor, "batch 2*n m d"], y: Float[Tensor, "2*n 2 k p"], z: Float[Tensor, "4"], groups: int = 2) -> Float[Tensor, "batch 4 3*m+4*k-6 2*d+4*p-6"]:
    """What torch.nn.functional.conv_transpose2d computes."""
    return torch.nn.functional.conv_transpose2d(x, y, z, stride=(3, 2), padding=(1, 2), output_padding=(2, 3), groups=groups, dilation=(4, 4))


nn_functional_conv_transpose2d.implementation(nn_functional_conv_transpose2d.definition, name="transformed")


# y's axis 1 is always 2
# z's axis 0 is always 4
@harness.operation(where=lambda d, k, m, p, q, r: 3*m+4*p-6 > 0 and 2*k+4*q-6 > 0 and d+4*r-9 > 0)
def nn_functional_conv_transpose3d(x: Float[Tensor, "batch 2*n m k d"], y: Float[Tensor, "2*n 2 p q r"], z: Float[Tensor, "4"], groups: int = 2) -> Float[Tensor, "batch 4 3*m+4*p-6 2*k+4*q-6 d+4*r-9"]:
    """What torch.nn.functional.conv_transpose3d computes."""
    return torch.nn.functional.conv_transpose3d(x, y, z, stride=(3, 2, 1), padding=(1, 2, 3), output_padding=(2, 3, 1), groups=groups, dilation=(4, 4, 4))


nn_functional_conv_transpose3d.implementation(nn_functional_conv_transpose3d.definition, name="transformed")


# x's axis 0 is always 2
# x's axis 1 is always 4
# x's axis 2 is always 8
# y's axis 0 is always 2
# y's axis 1 is always 2
# y's axis 2 is always 3
# z's axis 0 is always 2
@harness.operation
def nn_functional_conv1d(x: Float[Tensor, "2 4 8"], y: Float[Tensor, "2 2 3"], z: Float[Tensor, "2"], stride: int = 3, padding: int = 1, groups: int = 2, dilation: int = 2) -> Float[Tensor, "2 2 2"]:
    """What torch.nn.functional.conv1d computes."""
    return torch.nn.functional.conv1d(x, y, z, stride=stride, padding=padding, groups=groups, dilation=dilation)


nn_functional_conv1d.implementation(nn_functional_conv1d.definition, name="transformed")


# x's axis 1 is always 4
# y's axis 1 is always 2
# y's axis 2 is always 3
# y's axis 3 is always 3
@harness.operation(where=lambda d, n: (n+1)//3-1 > 0 and (d+1)//2-3 > 0)
def nn_functional_conv2d(x: Float[Tensor, "batch 4 n d"], y: Float[Tensor, "2*m 2 3 3"], z: Float[Tensor, "2*m"], groups: int = 2) -> Float[Tensor, "batch 2*m (n+1)//3-1 (d+1)//2-3"]:
    """What torch.nn.functional.conv2d computes."""
    return torch.nn.functional.conv2d(x, y, z, stride=(3, 2), padding=(2, 1), groups=groups, dilation=(4, 4))


nn_functional_conv2d.implementation(nn_functional_conv2d.definition, name="transformed")


# x's axis 1 is always 9
# x's axis 3 is always 1
# y's axis 1 is always 3
# y's axis 3 is always 1
@harness.operation
def nn_functional_conv3d(x: Float[Tensor, "batch 9 n 1 d"], y: Float[Tensor, "3*m 3 n 1 d"], z: Float[Tensor, "3*m"], dilation: int = 1, groups: int = 3) -> Float[Tensor, "batch 3*m 1 1 1"]:
    """What torch.nn.functional.conv3d computes."""
    return torch.nn.functional.conv3d(x, y, z, stride=(2, 2, 2), dilation=dilation, groups=groups)


nn_functional_conv3d.implementation(nn_functional_conv3d.definition, name="transformed")


@harness.operation(sizes={'d': (2, 1025)})
def nn_functional_group_norm(x: Float[Tensor, "batch 2*n d"], weight: Float[Tensor, "2*n"], bias: Float[Tensor, "2*n"], y: int = 2, eps: float = -0.5) -> Float[Tensor, "batch 2*n d"]:
    """What torch.nn.functional.group_norm computes."""
    return torch.nn.functional.group_norm(x, y, weight=weight, bias=bias, eps=eps)


nn_functional_group_norm.implementation(nn_functional_group_norm.definition, name="transformed")


@nn_functional_group_norm.implementation(name="torch._refs.nn.functional.group_norm", forward_only=True)
def nn_functional_group_norm_torch__refs_nn_functional_group_norm(x, weight, bias, y, eps):
    return torch._refs.nn.functional.group_norm(x, y, weight=weight, bias=bias, eps=eps)


# differentiable in x and in weight and in bias alone, so that no gradient is asked
# it writes to running_mean and running_var, which it is given copies of
@harness.operation(sizes={'d': (2, 1025)}, differentiable=False)
def nn_functional_instance_norm(x: Float[Tensor, "batch n d"], running_mean: Float[Tensor, "n"], running_var: Float[Tensor, "n"], weight: Float[Tensor, "n"], bias: Float[Tensor, "n"], momentum: float = 0.5, eps: float = 0.6, use_input_stats: Literal[True] = True) -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional.instance_norm computes."""
    return torch.nn.functional.instance_norm(x, running_mean=running_mean.clone(), running_var=running_var.clone(), weight=weight, bias=bias, momentum=momentum, eps=eps, use_input_stats=use_input_stats)


nn_functional_instance_norm.implementation(nn_functional_instance_norm.definition, name="transformed")


@harness.operation
def nn_functional_layer_norm(x: Float[Tensor, "batch n d"], z: Float[Tensor, "n d"], u: Float[Tensor, "n d"], eps: float = -0.5) -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional.layer_norm computes."""
    return torch.nn.functional.layer_norm(x, (x.shape[1], x.shape[2]), z, u, eps=eps)


nn_functional_layer_norm.implementation(nn_functional_layer_norm.definition, name="transformed")


@nn_functional_layer_norm.implementation(name="torch._refs.nn.functional.layer_norm", forward_only=True)
def nn_functional_layer_norm_torch__refs_nn_functional_layer_norm(x, z, u, eps):
    return torch._refs.nn.functional.layer_norm(x, (x.shape[1], x.shape[2]), z, u, eps=eps)


@harness.operation
def nn_functional_rms_norm(x: Float[Tensor, "batch n d"], z: Float[Tensor, "n d"], eps: float = -0.5) -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional.rms_norm computes."""
    return torch.nn.functional.rms_norm(x, (x.shape[1], x.shape[2]), z, eps=eps)


nn_functional_rms_norm.implementation(nn_functional_rms_norm.definition, name="transformed")


@harness.operation
def nn_functional_local_response_norm(x: Float[Tensor, "batch n d"], y: int = 2, alpha: float = 3e-05, beta: float = 0.5, k: float = 1.25) -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional.local_response_norm computes."""
    return torch.nn.functional.local_response_norm(x, y, alpha=alpha, beta=beta, k=k)


nn_functional_local_response_norm.implementation(nn_functional_local_response_norm.definition, name="transformed")


@nn_functional_local_response_norm.implementation(name="decomposed")
def nn_functional_local_response_norm_decomposed(x, y, alpha, beta, k):
    with Decomposed():
        return torch.nn.functional.local_response_norm(x, y, alpha=alpha, beta=beta, k=k)


@harness.operation
def nn_functional_pad_constant(x: Float[Tensor, "batch n m d"], z: str = 'constant', u: float = 1.0) -> Float[Tensor, "batch n m d+3"]:
    """What torch.nn.functional.pad computes."""
    return torch.nn.functional.pad(x, (1, 2), z, u)


nn_functional_pad_constant.implementation(nn_functional_pad_constant.definition, name="transformed")


@harness.operation(sizes={'m': (2, 1025), 'd': (3, 1025)})
def nn_functional_pad_reflect(x: Float[Tensor, "batch n m d"], z: str = 'reflect') -> Float[Tensor, "batch n m+1 d+2"]:
    """What torch.nn.functional.pad computes."""
    return torch.nn.functional.pad(x, (0, 2, 0, 1), z)


nn_functional_pad_reflect.implementation(nn_functional_pad_reflect.definition, name="transformed")


@nn_functional_pad_reflect.implementation(name="decomposed")
def nn_functional_pad_reflect_decomposed(x, z):
    with Decomposed():
        return torch.nn.functional.pad(x, (0, 2, 0, 1), z)


@harness.operation
def nn_functional_pad_replicate(x: Float[Tensor, "batch n m d"], z: str = 'replicate') -> Float[Tensor, "batch n m+1 d+2"]:
    """What torch.nn.functional.pad computes."""
    return torch.nn.functional.pad(x, (0, 2, 0, 1), z)


nn_functional_pad_replicate.implementation(nn_functional_pad_replicate.definition, name="transformed")


@nn_functional_pad_replicate.implementation(name="decomposed")
def nn_functional_pad_replicate_decomposed(x, z):
    with Decomposed():
        return torch.nn.functional.pad(x, (0, 2, 0, 1), z)


@harness.operation
def nn_functional_pad_replicate_negative(x: Float[Tensor, "batch n m d"], z: str = 'replicate') -> Float[Tensor, "batch n m d+1"]:
    """What torch.nn.functional.pad computes."""
    return torch.nn.functional.pad(x, (-4, 5, 0, 0), z)


nn_functional_pad_replicate_negative.implementation(nn_functional_pad_replicate_negative.definition, name="transformed")


@nn_functional_pad_replicate_negative.implementation(name="decomposed")
def nn_functional_pad_replicate_negative_decomposed(x, z):
    with Decomposed():
        return torch.nn.functional.pad(x, (-4, 5, 0, 0), z)


@harness.operation(sizes={'d': (2, 1025)})
def nn_functional_pad_circular(x: Float[Tensor, "batch n m d"], z: str = 'circular') -> Float[Tensor, "batch n m+1 d+2"]:
    """What torch.nn.functional.pad computes."""
    return torch.nn.functional.pad(x, (0, 2, 0, 1), z)


nn_functional_pad_circular.implementation(nn_functional_pad_circular.definition, name="transformed")


@nn_functional_pad_circular.implementation(name="decomposed")
def nn_functional_pad_circular_decomposed(x, z):
    with Decomposed():
        return torch.nn.functional.pad(x, (0, 2, 0, 1), z)


@harness.operation
def nn_functional_hardswish(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.nn.functional.hardswish computes."""
    return torch.nn.functional.hardswish(x)


nn_functional_hardswish.implementation(nn_functional_hardswish.definition, name="transformed")


@nn_functional_hardswish.implementation(name="decomposed")
def nn_functional_hardswish_decomposed(x):
    with Decomposed():
        return torch.nn.functional.hardswish(x)


@harness.operation(where=lambda d, m: (m-1)*(d-1) > 0)
def nn_functional_unfold(x: Float[Tensor, "batch n m d"], y: int = 2, z: int = 1, u: int = 0, v: int = 1) -> Float[Tensor, "batch 4*n (m-1)*(d-1)"]:
    """What torch.nn.functional.unfold computes."""
    return torch.nn.functional.unfold(x, y, z, u, v)


nn_functional_unfold.implementation(nn_functional_unfold.definition, name="transformed")


@nn_functional_unfold.implementation(name="decomposed")
def nn_functional_unfold_decomposed(x, y, z, u, v):
    with Decomposed():
        return torch.nn.functional.unfold(x, y, z, u, v)


@harness.operation
def nn_functional_interpolate_nearest(x: Float[Tensor, "batch n m k d"], scale_factor: float = 1.7, mode: str = 'nearest', recompute_scale_factor: Literal[False] = False) -> Float[Tensor, "batch n (17*m)//10 (17*k)//10 (17*d)//10"]:
    """What torch.nn.functional.interpolate computes."""
    return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=None, recompute_scale_factor=recompute_scale_factor)


nn_functional_interpolate_nearest.implementation(nn_functional_interpolate_nearest.definition, name="transformed")


@nn_functional_interpolate_nearest.implementation(name="decomposed")
def nn_functional_interpolate_nearest_decomposed(x, scale_factor, mode, recompute_scale_factor):
    with Decomposed():
        return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=None, recompute_scale_factor=recompute_scale_factor)


@harness.operation
def nn_functional_interpolate_nearest_exact(x: Float[Tensor, "batch n m k d"], scale_factor: float = 1.7, mode: str = 'nearest-exact', recompute_scale_factor: Literal[False] = False) -> Float[Tensor, "batch n (17*m)//10 (17*k)//10 (17*d)//10"]:
    """What torch.nn.functional.interpolate computes."""
    return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=None, recompute_scale_factor=recompute_scale_factor)


nn_functional_interpolate_nearest_exact.implementation(nn_functional_interpolate_nearest_exact.definition, name="transformed")


@nn_functional_interpolate_nearest_exact.implementation(name="decomposed")
def nn_functional_interpolate_nearest_exact_decomposed(x, scale_factor, mode, recompute_scale_factor):
    with Decomposed():
        return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=None, recompute_scale_factor=recompute_scale_factor)


@harness.operation
def nn_functional_interpolate_linear(x: Float[Tensor, "batch n d"], scale_factor: float = 1.7, mode: str = 'linear', align_corners: Literal[True] = True, recompute_scale_factor: Literal[False] = False) -> Float[Tensor, "batch n (17*d)//10"]:
    """What torch.nn.functional.interpolate computes."""
    return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=align_corners, recompute_scale_factor=recompute_scale_factor)


nn_functional_interpolate_linear.implementation(nn_functional_interpolate_linear.definition, name="transformed")


@nn_functional_interpolate_linear.implementation(name="decomposed")
def nn_functional_interpolate_linear_decomposed(x, scale_factor, mode, align_corners, recompute_scale_factor):
    with Decomposed():
        return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=align_corners, recompute_scale_factor=recompute_scale_factor)


@harness.operation
def nn_functional_interpolate_bilinear(x: Float[Tensor, "batch n m d"], scale_factor: float = 1.7, mode: str = 'bilinear', align_corners: Literal[True] = True, recompute_scale_factor: Literal[False] = False) -> Float[Tensor, "batch n (17*m)//10 (17*d)//10"]:
    """What torch.nn.functional.interpolate computes."""
    return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=align_corners, recompute_scale_factor=recompute_scale_factor)


nn_functional_interpolate_bilinear.implementation(nn_functional_interpolate_bilinear.definition, name="transformed")


@nn_functional_interpolate_bilinear.implementation(name="decomposed")
def nn_functional_interpolate_bilinear_decomposed(x, scale_factor, mode, align_corners, recompute_scale_factor):
    with Decomposed():
        return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=align_corners, recompute_scale_factor=recompute_scale_factor)


@harness.operation
def nn_functional_interpolate_bicubic(x: Float[Tensor, "batch n m d"], scale_factor: float = 1.7, mode: str = 'bicubic', align_corners: Literal[True] = True, recompute_scale_factor: Literal[False] = False) -> Float[Tensor, "batch n (17*m)//10 (17*d)//10"]:
    """What torch.nn.functional.interpolate computes."""
    return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=align_corners, recompute_scale_factor=recompute_scale_factor)


nn_functional_interpolate_bicubic.implementation(nn_functional_interpolate_bicubic.definition, name="transformed")


@nn_functional_interpolate_bicubic.implementation(name="decomposed")
def nn_functional_interpolate_bicubic_decomposed(x, scale_factor, mode, align_corners, recompute_scale_factor):
    with Decomposed():
        return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=align_corners, recompute_scale_factor=recompute_scale_factor)


@harness.operation
def nn_functional_interpolate_trilinear(x: Float[Tensor, "batch n m k d"], scale_factor: float = 1.7, mode: str = 'trilinear', align_corners: Literal[True] = True, recompute_scale_factor: Literal[False] = False) -> Float[Tensor, "batch n (17*m)//10 (17*k)//10 (17*d)//10"]:
    """What torch.nn.functional.interpolate computes."""
    return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=align_corners, recompute_scale_factor=recompute_scale_factor)


nn_functional_interpolate_trilinear.implementation(nn_functional_interpolate_trilinear.definition, name="transformed")


@nn_functional_interpolate_trilinear.implementation(name="decomposed")
def nn_functional_interpolate_trilinear_decomposed(x, scale_factor, mode, align_corners, recompute_scale_factor):
    with Decomposed():
        return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=align_corners, recompute_scale_factor=recompute_scale_factor)


@harness.operation
def nn_functional_interpolate_area(x: Float[Tensor, "batch n m k d"], scale_factor: float = 1.7, mode: str = 'area', recompute_scale_factor: Literal[False] = False) -> Float[Tensor, "batch n (17*m)//10 (17*k)//10 (17*d)//10"]:
    """What torch.nn.functional.interpolate computes."""
    return torch.nn.functional.interpolate(x, size=None, scale_factor=scale_factor, mode=mode, align_corners=None, recompute_scale_factor=recompute_scale_factor)


nn_functional_interpolate_area.implementation(nn_functional_interpolate_area.definition, name="transformed")


@harness.operation
def nn_functional_upsample_bilinear(x: Float[Tensor, "batch n m d"]) -> Float[Tensor, "batch n 3 3"]:
    """What torch.nn.functional.upsample_bilinear computes."""
    return torch.nn.functional.upsample_bilinear(x, size=(3, 3))


nn_functional_upsample_bilinear.implementation(nn_functional_upsample_bilinear.definition, name="transformed")


@nn_functional_upsample_bilinear.implementation(name="decomposed")
def nn_functional_upsample_bilinear_decomposed(x):
    with Decomposed():
        return torch.nn.functional.upsample_bilinear(x, size=(3, 3))


# differentiable in x alone, so that no gradient is asked
@harness.operation(differentiable=False)
def nn_functional_soft_margin_loss(x: Float[Tensor, "d"], y: Float[Tensor, "d"], reduction: str = 'mean') -> Float[Tensor, ""]:
    """What torch.nn.functional.soft_margin_loss computes."""
    return torch.nn.functional.soft_margin_loss(x, y, reduction=reduction)


nn_functional_soft_margin_loss.implementation(nn_functional_soft_margin_loss.definition, name="transformed")


@nn_functional_soft_margin_loss.implementation(name="decomposed")
def nn_functional_soft_margin_loss_decomposed(x, y, reduction):
    with Decomposed():
        return torch.nn.functional.soft_margin_loss(x, y, reduction=reduction)


@harness.operation
def nn_functional_upsample_nearest(x: Float[Tensor, "batch n m k d"]) -> Float[Tensor, "batch n 3 3 3"]:
    """What torch.nn.functional.upsample_nearest computes."""
    return torch.nn.functional.upsample_nearest(x, size=(3, 3, 3))


nn_functional_upsample_nearest.implementation(nn_functional_upsample_nearest.definition, name="transformed")


@nn_functional_upsample_nearest.implementation(name="decomposed")
def nn_functional_upsample_nearest_decomposed(x):
    with Decomposed():
        return torch.nn.functional.upsample_nearest(x, size=(3, 3, 3))


@harness.operation
def nn_functional_margin_ranking_loss(x: Float[Tensor, "n m d"], y: Float[Tensor, "n m d"], z: Float[Tensor, "n m d"], margin: float = 0.0, reduction: str = 'sum') -> Float[Tensor, ""]:
    """What torch.nn.functional.margin_ranking_loss computes."""
    return torch.nn.functional.margin_ranking_loss(x, y, z, margin=margin, reduction=reduction)


nn_functional_margin_ranking_loss.implementation(nn_functional_margin_ranking_loss.definition, name="transformed")


@nn_functional_margin_ranking_loss.implementation(name="torch._refs.nn.functional.margin_ranking_loss", forward_only=True)
def nn_functional_margin_ranking_loss_torch__refs_nn_functional_margin_ranking_loss(x, y, z, margin, reduction):
    return torch._refs.nn.functional.margin_ranking_loss(x, y, z, margin=margin, reduction=reduction)


@nn_functional_margin_ranking_loss.implementation(name="decomposed")
def nn_functional_margin_ranking_loss_decomposed(x, y, z, margin, reduction):
    with Decomposed():
        return torch.nn.functional.margin_ranking_loss(x, y, z, margin=margin, reduction=reduction)


# differentiable in x alone, so that no gradient is asked
@harness.operation(differentiable=False)
def nn_functional_multi_margin_loss(x: Float[Tensor, "n d"], y: Annotated[Int[Tensor, "n"], harness.below('d')], weight: Float[Tensor, "d"]) -> Float[Tensor, ""]:
    """What torch.nn.functional.multi_margin_loss computes."""
    return torch.nn.functional.multi_margin_loss(x, y, weight=weight)


nn_functional_multi_margin_loss.implementation(nn_functional_multi_margin_loss.definition, name="transformed")


@nn_functional_multi_margin_loss.implementation(name="decomposed")
def nn_functional_multi_margin_loss_decomposed(x, y, weight):
    with Decomposed():
        return torch.nn.functional.multi_margin_loss(x, y, weight=weight)


@harness.operation
def nn_functional_multilabel_margin_loss(x: Float[Tensor, "batch d"], y: Annotated[Int[Tensor, "batch d"], harness.below('d')], reduction: str = 'none') -> Float[Tensor, "batch"]:
    """What torch.nn.functional.multilabel_margin_loss computes."""
    return torch.nn.functional.multilabel_margin_loss(x, y, reduction=reduction)


nn_functional_multilabel_margin_loss.implementation(nn_functional_multilabel_margin_loss.definition, name="transformed")


@nn_functional_multilabel_margin_loss.implementation(name="decomposed")
def nn_functional_multilabel_margin_loss_decomposed(x, y, reduction):
    with Decomposed():
        return torch.nn.functional.multilabel_margin_loss(x, y, reduction=reduction)


@harness.operation
def nn_functional_leaky_relu(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """What torch.nn.functional.leaky_relu computes."""
    return torch.nn.functional.leaky_relu(x)


nn_functional_leaky_relu.implementation(nn_functional_leaky_relu.definition, name="transformed")


@nn_functional_leaky_relu.implementation(name="torch._refs.nn.functional.leaky_relu", forward_only=True)
def nn_functional_leaky_relu_torch__refs_nn_functional_leaky_relu(x):
    return torch._refs.nn.functional.leaky_relu(x)


@nn_functional_leaky_relu.implementation(name="decomposed")
def nn_functional_leaky_relu_decomposed(x):
    with Decomposed():
        return torch.nn.functional.leaky_relu(x)


@harness.operation
def nn_functional_multilabel_soft_margin_loss(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"], weight: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """What torch.nn.functional.multilabel_soft_margin_loss computes."""
    return torch.nn.functional.multilabel_soft_margin_loss(x, y, weight=weight)


nn_functional_multilabel_soft_margin_loss.implementation(nn_functional_multilabel_soft_margin_loss.definition, name="transformed")


@nn_functional_multilabel_soft_margin_loss.implementation(name="decomposed")
def nn_functional_multilabel_soft_margin_loss_decomposed(x, y, weight):
    with Decomposed():
        return torch.nn.functional.multilabel_soft_margin_loss(x, y, weight=weight)


@harness.operation
def nn_functional_avg_pool2d(x: Float[Tensor, "batch n m d"], v: Literal[True] = True, w: Literal[False] = False, x6: int = 2) -> Float[Tensor, "batch n m d"]:
    """What torch.nn.functional.avg_pool2d computes."""
    return torch.nn.functional.avg_pool2d(x, (3, 3), (1, 1), (1,), v, w, x6)


nn_functional_avg_pool2d.implementation(nn_functional_avg_pool2d.definition, name="transformed")


@nn_functional_avg_pool2d.implementation(name="out", out="memory")
def nn_functional_avg_pool2d_out(x, v, w, x6, memory):
    torch.nn.functional.avg_pool2d(x, (3, 3), (1, 1), (1,), v, w, x6, out=memory)


@harness.operation(sizes={'m': (4, 1025), 'd': (4, 1025)})
def nn_functional_fractional_max_pool2d(x: Float[Tensor, "batch n m d"], output_size: int = 2, return_indices: Literal[False] = False) -> Float[Tensor, "batch n 2 2"]:
    """What torch.nn.functional.fractional_max_pool2d computes."""
    return torch.nn.functional.fractional_max_pool2d(x, (3, 3), output_size=output_size, return_indices=return_indices)


nn_functional_fractional_max_pool2d.implementation(nn_functional_fractional_max_pool2d.definition, name="transformed")


@harness.operation(sizes={'m': (4, 1025), 'k': (4, 1025), 'd': (4, 1025)})
def nn_functional_fractional_max_pool3d(x: Float[Tensor, "batch n m k d"], output_size: int = 2, return_indices: Literal[False] = False) -> Float[Tensor, "batch n 2 2 2"]:
    """What torch.nn.functional.fractional_max_pool3d computes."""
    return torch.nn.functional.fractional_max_pool3d(x, (2, 2, 2), output_size=output_size, return_indices=return_indices)


nn_functional_fractional_max_pool3d.implementation(nn_functional_fractional_max_pool3d.definition, name="transformed")


@harness.operation(sizes={'d': (2, 1025)})
def nn_functional_max_pool1d(x: Float[Tensor, "batch n d"], kernel_size: int = 3, stride: int = 2, ceil_mode: Literal[True] = True, padding: int = 0, dilation: int = 1, return_indices: Literal[True] = True) -> tuple[Float[Tensor, "batch n d//2"], Annotated[Int[Tensor, "batch n d//2"], harness.picks('x', -1)]]:
    """What torch.nn.functional.max_pool1d computes."""
    return torch.nn.functional.max_pool1d(x, kernel_size=kernel_size, stride=stride, ceil_mode=ceil_mode, padding=padding, dilation=dilation, return_indices=return_indices)


nn_functional_max_pool1d.implementation(nn_functional_max_pool1d.definition, name="transformed")


@nn_functional_max_pool1d.implementation(name="decomposed")
def nn_functional_max_pool1d_decomposed(x, kernel_size, stride, ceil_mode, padding, dilation, return_indices):
    with Decomposed():
        return torch.nn.functional.max_pool1d(x, kernel_size=kernel_size, stride=stride, ceil_mode=ceil_mode, padding=padding, dilation=dilation, return_indices=return_indices)


# x's axis 0 is always 1
@harness.operation(sizes={'m': (2, 1025), 'd': (2, 1025)})
def nn_functional_max_pool2d(x: Float[Tensor, "1 n m d"], kernel_size: int = 3, stride: int = 2, ceil_mode: Literal[True] = True, padding: int = 0, dilation: int = 1, return_indices: Literal[True] = True) -> tuple[Float[Tensor, "1 n m//2 d//2"], Int[Tensor, "1 n m//2 d//2"]]:
    """What torch.nn.functional.max_pool2d computes."""
    return torch.nn.functional.max_pool2d(x, kernel_size=kernel_size, stride=stride, ceil_mode=ceil_mode, padding=padding, dilation=dilation, return_indices=return_indices)


nn_functional_max_pool2d.implementation(nn_functional_max_pool2d.definition, name="transformed")


@harness.operation(sizes={'m': (2, 1025), 'k': (2, 1025), 'd': (2, 1025)})
def nn_functional_max_pool3d(x: Float[Tensor, "batch n m k d"], kernel_size: int = 3, stride: int = 2, ceil_mode: Literal[True] = True, padding: int = 0, dilation: int = 1, return_indices: Literal[True] = True) -> tuple[Float[Tensor, "batch n m//2 k//2 d//2"], Int[Tensor, "batch n m//2 k//2 d//2"]]:
    """What torch.nn.functional.max_pool3d computes."""
    return torch.nn.functional.max_pool3d(x, kernel_size=kernel_size, stride=stride, ceil_mode=ceil_mode, padding=padding, dilation=dilation, return_indices=return_indices)


nn_functional_max_pool3d.implementation(nn_functional_max_pool3d.definition, name="transformed")


# x's axis 2 is always 2
# y's axis 2 is always 2
@harness.operation
def nn_functional_max_unpool1d(x: Float[Tensor, "batch n 2"], y: Annotated[Int[Tensor, "batch n 2"], harness.within(0, 2)], kernel_size: int = 3, stride: int = 2, padding: int = 1) -> Float[Tensor, "batch n 3"]:
    """What torch.nn.functional.max_unpool1d computes."""
    return torch.nn.functional.max_unpool1d(x, y, kernel_size=kernel_size, stride=stride, padding=padding, output_size=(2, 2, 3))


nn_functional_max_unpool1d.implementation(nn_functional_max_unpool1d.definition, name="transformed")


@nn_functional_max_unpool1d.implementation(name="decomposed")
def nn_functional_max_unpool1d_decomposed(x, y, kernel_size, stride, padding):
    with Decomposed():
        return torch.nn.functional.max_unpool1d(x, y, kernel_size=kernel_size, stride=stride, padding=padding, output_size=(2, 2, 3))


# x's axis 0 is always 1
# x's axis 2 is always 2
# y's axis 0 is always 1
# y's axis 2 is always 2
@harness.operation
def nn_functional_max_unpool1d_grad(x: Float[Tensor, "1 n 2"], y: Annotated[Int[Tensor, "1 n 2"], harness.within(0, 5)], kernel_size: int = 3, padding: int = 0) -> Float[Tensor, "1 n 6"]:
    """What torch.nn.functional.max_unpool1d computes."""
    return torch.nn.functional.max_unpool1d(x, y, kernel_size=kernel_size, stride=None, padding=padding, output_size=(1, 2, 6))


nn_functional_max_unpool1d_grad.implementation(nn_functional_max_unpool1d_grad.definition, name="transformed")


@nn_functional_max_unpool1d_grad.implementation(name="decomposed")
def nn_functional_max_unpool1d_grad_decomposed(x, y, kernel_size, padding):
    with Decomposed():
        return torch.nn.functional.max_unpool1d(x, y, kernel_size=kernel_size, stride=None, padding=padding, output_size=(1, 2, 6))


# x's axis 2 is always 2
# x's axis 3 is always 4
# y's axis 2 is always 2
# y's axis 3 is always 4
@harness.operation
def nn_functional_max_unpool2d(x: Float[Tensor, "batch n 2 4"], y: Annotated[Int[Tensor, "batch n 2 4"], harness.within(0, 17)], kernel_size: int = 3, stride: int = 2, padding: int = 1) -> Float[Tensor, "batch n 3 6"]:
    """What torch.nn.functional.max_unpool2d computes."""
    return torch.nn.functional.max_unpool2d(x, y, kernel_size=kernel_size, stride=stride, padding=padding, output_size=(2, 2, 3, 6))


nn_functional_max_unpool2d.implementation(nn_functional_max_unpool2d.definition, name="transformed")


@nn_functional_max_unpool2d.implementation(name="decomposed")
def nn_functional_max_unpool2d_decomposed(x, y, kernel_size, stride, padding):
    with Decomposed():
        return torch.nn.functional.max_unpool2d(x, y, kernel_size=kernel_size, stride=stride, padding=padding, output_size=(2, 2, 3, 6))


# x's axis 0 is always 1
# x's axis 2 is always 2
# x's axis 3 is always 2
# y's axis 0 is always 1
# y's axis 2 is always 2
# y's axis 3 is always 2
@harness.operation
def nn_functional_max_unpool2d_grad(x: Float[Tensor, "1 n 2 2"], y: Annotated[Int[Tensor, "1 n 2 2"], harness.within(1, 32)], kernel_size: int = 3, padding: int = 0) -> Float[Tensor, "1 n 6 6"]:
    """What torch.nn.functional.max_unpool2d computes."""
    return torch.nn.functional.max_unpool2d(x, y, kernel_size=kernel_size, stride=None, padding=padding, output_size=(1, 2, 6, 6))


nn_functional_max_unpool2d_grad.implementation(nn_functional_max_unpool2d_grad.definition, name="transformed")


@nn_functional_max_unpool2d_grad.implementation(name="decomposed")
def nn_functional_max_unpool2d_grad_decomposed(x, y, kernel_size, padding):
    with Decomposed():
        return torch.nn.functional.max_unpool2d(x, y, kernel_size=kernel_size, stride=None, padding=padding, output_size=(1, 2, 6, 6))


# x's axis 2 is always 2
# x's axis 3 is always 4
# x's axis 4 is always 3
# y's axis 2 is always 2
# y's axis 3 is always 4
# y's axis 4 is always 3
@harness.operation
def nn_functional_max_unpool3d(x: Float[Tensor, "batch n 2 4 3"], y: Annotated[Int[Tensor, "batch n 2 4 3"], harness.within(4, 89)], kernel_size: int = 3, stride: int = 2, padding: int = 1) -> Float[Tensor, "batch n 3 6 5"]:
    """What torch.nn.functional.max_unpool3d computes."""
    return torch.nn.functional.max_unpool3d(x, y, kernel_size=kernel_size, stride=stride, padding=padding, output_size=(2, 2, 3, 6, 5))


nn_functional_max_unpool3d.implementation(nn_functional_max_unpool3d.definition, name="transformed")


@nn_functional_max_unpool3d.implementation(name="decomposed")
def nn_functional_max_unpool3d_decomposed(x, y, kernel_size, stride, padding):
    with Decomposed():
        return torch.nn.functional.max_unpool3d(x, y, kernel_size=kernel_size, stride=stride, padding=padding, output_size=(2, 2, 3, 6, 5))


# x's axis 0 is always 1
# x's axis 2 is always 2
# x's axis 3 is always 2
# x's axis 4 is always 2
# y's axis 0 is always 1
# y's axis 2 is always 2
# y's axis 3 is always 2
# y's axis 4 is always 2
@harness.operation
def nn_functional_max_unpool3d_grad(x: Float[Tensor, "1 n 2 2 2"], y: Annotated[Int[Tensor, "1 n 2 2 2"], harness.within(4, 173)], kernel_size: int = 3, padding: int = 0) -> Float[Tensor, "1 n 6 6 5"]:
    """What torch.nn.functional.max_unpool3d computes."""
    return torch.nn.functional.max_unpool3d(x, y, kernel_size=kernel_size, stride=None, padding=padding, output_size=(1, 2, 6, 6, 5))


nn_functional_max_unpool3d_grad.implementation(nn_functional_max_unpool3d_grad.definition, name="transformed")


@nn_functional_max_unpool3d_grad.implementation(name="decomposed")
def nn_functional_max_unpool3d_grad_decomposed(x, y, kernel_size, padding):
    with Decomposed():
        return torch.nn.functional.max_unpool3d(x, y, kernel_size=kernel_size, stride=None, padding=padding, output_size=(1, 2, 6, 6, 5))


@harness.operation
def nn_functional_linear(x: Float[Tensor, "batch n d"], y: Float[Tensor, "m d"], z: Float[Tensor, "m"]) -> Float[Tensor, "batch n m"]:
    """What torch.nn.functional.linear computes."""
    return torch.nn.functional.linear(x, y, z)


nn_functional_linear.implementation(nn_functional_linear.definition, name="transformed")


@nn_functional_linear.implementation(name="out", out="memory")
def nn_functional_linear_out(x, y, z, memory):
    torch.nn.functional.linear(x, y, z, out=memory)


@nn_functional_linear.implementation(name="decomposed")
def nn_functional_linear_decomposed(x, y, z):
    with Decomposed():
        return torch.nn.functional.linear(x, y, z)


@harness.operation
def nn_functional_bilinear(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n m"], z: Float[Tensor, "k d m"], u: Float[Tensor, "k"]) -> Float[Tensor, "batch n k"]:
    """What torch.nn.functional.bilinear computes."""
    return torch.nn.functional.bilinear(x, y, z, u)


nn_functional_bilinear.implementation(nn_functional_bilinear.definition, name="transformed")


@harness.operation
def nn_functional_glu(x: Float[Tensor, "2*n m k p d"], y: int = 0) -> Float[Tensor, "n m k p d"]:
    """What torch.nn.functional.glu computes."""
    return torch.nn.functional.glu(x, y)


nn_functional_glu.implementation(nn_functional_glu.definition, name="transformed")


@nn_functional_glu.implementation(name="torch._refs.nn.functional.glu", forward_only=True)
def nn_functional_glu_torch__refs_nn_functional_glu(x, y):
    return torch._refs.nn.functional.glu(x, y)


@nn_functional_glu.implementation(name="decomposed")
def nn_functional_glu_decomposed(x, y):
    with Decomposed():
        return torch.nn.functional.glu(x, y)


@harness.operation
def nn_functional_elu(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.nn.functional.elu computes."""
    return torch.nn.functional.elu(x)


nn_functional_elu.implementation(nn_functional_elu.definition, name="transformed")


@nn_functional_elu.implementation(name="torch._refs.nn.functional.elu", forward_only=True)
def nn_functional_elu_torch__refs_nn_functional_elu(x):
    return torch._refs.nn.functional.elu(x)


@harness.operation
def nn_functional_prelu(x: Float[Tensor, "batch n d"], y: Float[Tensor, "n"]) -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional.prelu computes."""
    return torch.nn.functional.prelu(x, y)


nn_functional_prelu.implementation(nn_functional_prelu.definition, name="transformed")


@nn_functional_prelu.implementation(name="torch._refs.nn.functional.prelu", forward_only=True)
def nn_functional_prelu_torch__refs_nn_functional_prelu(x, y):
    return torch._refs.nn.functional.prelu(x, y)


@nn_functional_prelu.implementation(name="decomposed")
def nn_functional_prelu_decomposed(x, y):
    with Decomposed():
        return torch.nn.functional.prelu(x, y)


@harness.operation
def nn_functional_celu(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.nn.functional.celu computes."""
    return torch.nn.functional.celu(x)


nn_functional_celu.implementation(nn_functional_celu.definition, name="transformed")


@nn_functional_celu.implementation(name="torch._refs.nn.functional.celu", forward_only=True)
def nn_functional_celu_torch__refs_nn_functional_celu(x):
    return torch._refs.nn.functional.celu(x)


@nn_functional_celu.implementation(name="decomposed")
def nn_functional_celu_decomposed(x):
    with Decomposed():
        return torch.nn.functional.celu(x)


@harness.operation
def nn_functional_selu(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.nn.functional.selu computes."""
    return torch.nn.functional.selu(x)


nn_functional_selu.implementation(nn_functional_selu.definition, name="transformed")


@nn_functional_selu.implementation(name="torch._refs.nn.functional.selu", forward_only=True)
def nn_functional_selu_torch__refs_nn_functional_selu(x):
    return torch._refs.nn.functional.selu(x)


@harness.operation
def nn_functional_scaled_dot_product_attention(x: Float[Tensor, "batch n m d"], y: Float[Tensor, "batch n k d"], z: Float[Tensor, "batch n k p"], attn_mask: Float[Tensor, "m k"], is_causal: Literal[False] = False, dropout_p: float = 0.0) -> Float[Tensor, "batch n m p"]:
    """What torch.nn.functional.scaled_dot_product_attention computes."""
    return torch.nn.functional.scaled_dot_product_attention(x, y, z, attn_mask=attn_mask, is_causal=is_causal, dropout_p=dropout_p)


nn_functional_scaled_dot_product_attention.implementation(nn_functional_scaled_dot_product_attention.definition, name="transformed")


@nn_functional_scaled_dot_product_attention.implementation(name="decomposed")
def nn_functional_scaled_dot_product_attention_decomposed(x, y, z, attn_mask, is_causal, dropout_p):
    with Decomposed():
        return torch.nn.functional.scaled_dot_product_attention(x, y, z, attn_mask=attn_mask, is_causal=is_causal, dropout_p=dropout_p)


@harness.operation
def nn_functional_silu(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.nn.functional.silu computes."""
    return torch.nn.functional.silu(x)


nn_functional_silu.implementation(nn_functional_silu.definition, name="transformed")


@nn_functional_silu.implementation(name="decomposed")
def nn_functional_silu_decomposed(x):
    with Decomposed():
        return torch.nn.functional.silu(x)


@harness.operation(differentiable=False)
def nn_functional_silu_complex(x: Complex[Tensor, "batch"]) -> Complex[Tensor, "batch"]:
    """What torch.nn.functional.silu computes."""
    return torch.nn.functional.silu(x)


nn_functional_silu_complex.implementation(nn_functional_silu_complex.definition, name="transformed")


@nn_functional_silu_complex.implementation(name="decomposed")
def nn_functional_silu_complex_decomposed(x):
    with Decomposed():
        return torch.nn.functional.silu(x)


@harness.operation
def nn_functional_hardsigmoid(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.nn.functional.hardsigmoid computes."""
    return torch.nn.functional.hardsigmoid(x)


nn_functional_hardsigmoid.implementation(nn_functional_hardsigmoid.definition, name="transformed")


@nn_functional_hardsigmoid.implementation(name="torch._refs.nn.functional.hardsigmoid", forward_only=True)
def nn_functional_hardsigmoid_torch__refs_nn_functional_hardsigmoid(x):
    return torch._refs.nn.functional.hardsigmoid(x)


@nn_functional_hardsigmoid.implementation(name="decomposed")
def nn_functional_hardsigmoid_decomposed(x):
    with Decomposed():
        return torch.nn.functional.hardsigmoid(x)


@harness.operation
def nn_functional_logsigmoid(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.nn.functional.logsigmoid computes."""
    return torch.nn.functional.logsigmoid(x)


nn_functional_logsigmoid.implementation(nn_functional_logsigmoid.definition, name="transformed")


@nn_functional_logsigmoid.implementation(name="out", out="memory")
def nn_functional_logsigmoid_out(x, memory):
    torch.nn.functional.logsigmoid(x, out=memory)


@nn_functional_logsigmoid.implementation(name="decomposed")
def nn_functional_logsigmoid_decomposed(x):
    with Decomposed():
        return torch.nn.functional.logsigmoid(x)


@harness.operation
def nn_functional_mish(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.nn.functional.mish computes."""
    return torch.nn.functional.mish(x)


nn_functional_mish.implementation(nn_functional_mish.definition, name="transformed")


@nn_functional_mish.implementation(name="torch._refs.nn.functional.mish", forward_only=True)
def nn_functional_mish_torch__refs_nn_functional_mish(x):
    return torch._refs.nn.functional.mish(x)


@nn_functional_mish.implementation(name="decomposed")
def nn_functional_mish_decomposed(x):
    with Decomposed():
        return torch.nn.functional.mish(x)


@harness.operation
def nn_functional_softsign(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.nn.functional.softsign computes."""
    return torch.nn.functional.softsign(x)


nn_functional_softsign.implementation(nn_functional_softsign.definition, name="transformed")


@harness.operation
def nn_functional_tanhshrink(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.nn.functional.tanhshrink computes."""
    return torch.nn.functional.tanhshrink(x)


nn_functional_tanhshrink.implementation(nn_functional_tanhshrink.definition, name="transformed")


@nn_functional_tanhshrink.implementation(name="torch._refs.nn.functional.tanhshrink", forward_only=True)
def nn_functional_tanhshrink_torch__refs_nn_functional_tanhshrink(x):
    return torch._refs.nn.functional.tanhshrink(x)


@harness.operation
def nn_functional__threshold(x: Float[Tensor, "batch n d"], y: float = 1.9517877101898193, z: float = -7.32878303527832) -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional._threshold computes."""
    return torch.nn.functional._threshold(x, y, z)


nn_functional__threshold.implementation(nn_functional__threshold.definition, name="transformed")


@nn_functional__threshold.implementation(name="torch._refs.nn.functional.threshold", forward_only=True)
def nn_functional__threshold_torch__refs_nn_functional_threshold(x, y, z):
    return torch._refs.nn.functional.threshold(x, y, z)


@nn_functional__threshold.implementation(name="decomposed")
def nn_functional__threshold_decomposed(x, y, z):
    with Decomposed():
        return torch.nn.functional._threshold(x, y, z)


@harness.operation
def nn_functional_triplet_margin_loss(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"], z: Float[Tensor, "n d"], margin: float = 1e-06) -> Float[Tensor, ""]:
    """What torch.nn.functional.triplet_margin_loss computes."""
    return torch.nn.functional.triplet_margin_loss(x, y, z, margin=margin)


nn_functional_triplet_margin_loss.implementation(nn_functional_triplet_margin_loss.definition, name="transformed")


@nn_functional_triplet_margin_loss.implementation(name="torch._refs.nn.functional.triplet_margin_loss", forward_only=True)
def nn_functional_triplet_margin_loss_torch__refs_nn_functional_triplet_margin_loss(x, y, z, margin):
    return torch._refs.nn.functional.triplet_margin_loss(x, y, z, margin=margin)


@nn_functional_triplet_margin_loss.implementation(name="decomposed")
def nn_functional_triplet_margin_loss_decomposed(x, y, z, margin):
    with Decomposed():
        return torch.nn.functional.triplet_margin_loss(x, y, z, margin=margin)


# differentiable in x and in u and in v alone, so that no gradient is asked
# it writes to y and z, which it is given copies of
@harness.operation(sizes={'d': (2, 1025)}, differentiable=False)
def nn_functional_batch_norm(x: Float[Tensor, "n m k d"], y: Float[Tensor, "m"], z: Float[Tensor, "m"], u: Float[Tensor, "m"], v: Float[Tensor, "m"], training: Literal[True] = True, momentum: float = -1.0, eps: float = 0.5) -> Float[Tensor, "n m k d"]:
    """What torch.nn.functional.batch_norm computes."""
    return torch.nn.functional.batch_norm(x, y.clone(), z.clone(), u, v, training=training, momentum=momentum, eps=eps)


nn_functional_batch_norm.implementation(nn_functional_batch_norm.definition, name="transformed")


# differentiable in x and in y alone, so that no gradient is asked
@harness.operation(differentiable=False)
def nn_functional_binary_cross_entropy(x: Annotated[Float[Tensor, "n d"], harness.within(0, 1)], y: Annotated[Float[Tensor, "n d"], harness.within(0, 1)], weight: Float[Tensor, "n d"], reduction: str = 'mean') -> Float[Tensor, ""]:
    """What torch.nn.functional.binary_cross_entropy computes."""
    return torch.nn.functional.binary_cross_entropy(x, y, reduction=reduction, weight=weight)


nn_functional_binary_cross_entropy.implementation(nn_functional_binary_cross_entropy.definition, name="transformed")


@nn_functional_binary_cross_entropy.implementation(name="decomposed")
def nn_functional_binary_cross_entropy_decomposed(x, y, weight, reduction):
    with Decomposed():
        return torch.nn.functional.binary_cross_entropy(x, y, reduction=reduction, weight=weight)


@harness.operation
def nn_functional_softshrink(x: Float[Tensor, "batch d"], lambd: float = 0.0) -> Float[Tensor, "batch d"]:
    """What torch.nn.functional.softshrink computes."""
    return torch.nn.functional.softshrink(x, lambd=lambd)


nn_functional_softshrink.implementation(nn_functional_softshrink.definition, name="transformed")


@nn_functional_softshrink.implementation(name="out", out="memory")
def nn_functional_softshrink_out(x, lambd, memory):
    torch.nn.functional.softshrink(x, lambd=lambd, out=memory)


@nn_functional_softshrink.implementation(name="torch._refs.nn.functional.softshrink", forward_only=True)
def nn_functional_softshrink_torch__refs_nn_functional_softshrink(x, lambd):
    return torch._refs.nn.functional.softshrink(x, lambd=lambd)


@nn_functional_softshrink.implementation(name="decomposed")
def nn_functional_softshrink_decomposed(x, lambd):
    with Decomposed():
        return torch.nn.functional.softshrink(x, lambd=lambd)


@harness.operation
def nn_functional_hardshrink(x: Float[Tensor, "batch d"], lambd: float = -0.5) -> Float[Tensor, "batch d"]:
    """What torch.nn.functional.hardshrink computes."""
    return torch.nn.functional.hardshrink(x, lambd=lambd)


nn_functional_hardshrink.implementation(nn_functional_hardshrink.definition, name="transformed")


@nn_functional_hardshrink.implementation(name="out", out="memory")
def nn_functional_hardshrink_out(x, lambd, memory):
    torch.nn.functional.hardshrink(x, lambd=lambd, out=memory)


@nn_functional_hardshrink.implementation(name="torch._refs.nn.functional.hardshrink", forward_only=True)
def nn_functional_hardshrink_torch__refs_nn_functional_hardshrink(x, lambd):
    return torch._refs.nn.functional.hardshrink(x, lambd=lambd)


@nn_functional_hardshrink.implementation(name="decomposed")
def nn_functional_hardshrink_decomposed(x, lambd):
    with Decomposed():
        return torch.nn.functional.hardshrink(x, lambd=lambd)


@harness.operation
def nn_functional_hardtanh(x: Float[Tensor, "batch d"], min_val: float = -0.5, max_val: float = 0.5) -> Float[Tensor, "batch d"]:
    """What torch.nn.functional.hardtanh computes."""
    return torch.nn.functional.hardtanh(x, min_val=min_val, max_val=max_val)


nn_functional_hardtanh.implementation(nn_functional_hardtanh.definition, name="transformed")


@nn_functional_hardtanh.implementation(name="torch._refs.nn.functional.hardtanh", forward_only=True)
def nn_functional_hardtanh_torch__refs_nn_functional_hardtanh(x, min_val, max_val):
    return torch._refs.nn.functional.hardtanh(x, min_val=min_val, max_val=max_val)


@harness.operation
def nn_functional_gelu(x: Float[Tensor, "batch d"], approximate: str = 'none') -> Float[Tensor, "batch d"]:
    """What torch.nn.functional.gelu computes."""
    return torch.nn.functional.gelu(x, approximate=approximate)


nn_functional_gelu.implementation(nn_functional_gelu.definition, name="transformed")


@nn_functional_gelu.implementation(name="out", out="memory")
def nn_functional_gelu_out(x, approximate, memory):
    torch.nn.functional.gelu(x, approximate=approximate, out=memory)


@nn_functional_gelu.implementation(name="torch._refs.nn.functional.gelu", forward_only=True)
def nn_functional_gelu_torch__refs_nn_functional_gelu(x, approximate):
    return torch._refs.nn.functional.gelu(x, approximate=approximate)


@harness.operation
def nn_functional_relu6(x: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """What torch.nn.functional.relu6 computes."""
    return torch.nn.functional.relu6(x)


nn_functional_relu6.implementation(nn_functional_relu6.definition, name="transformed")


@nn_functional_relu6.implementation(name="torch._refs.nn.functional.relu6", forward_only=True)
def nn_functional_relu6_torch__refs_nn_functional_relu6(x):
    return torch._refs.nn.functional.relu6(x)


@harness.operation
def nn_functional_smooth_l1_loss(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"], beta: int = 5) -> Float[Tensor, ""]:
    """What torch.nn.functional.smooth_l1_loss computes."""
    return torch.nn.functional.smooth_l1_loss(x, y, beta=beta)


nn_functional_smooth_l1_loss.implementation(nn_functional_smooth_l1_loss.definition, name="transformed")


@nn_functional_smooth_l1_loss.implementation(name="torch._refs.nn.functional.smooth_l1_loss", forward_only=True)
def nn_functional_smooth_l1_loss_torch__refs_nn_functional_smooth_l1_loss(x, y, beta):
    return torch._refs.nn.functional.smooth_l1_loss(x, y, beta=beta)


@nn_functional_smooth_l1_loss.implementation(name="decomposed")
def nn_functional_smooth_l1_loss_decomposed(x, y, beta):
    with Decomposed():
        return torch.nn.functional.smooth_l1_loss(x, y, beta=beta)


@harness.operation
def nn_functional_l1_loss(x: Float[Tensor, "d"], y: Float[Tensor, "d"], reduction: str = 'mean') -> Float[Tensor, ""]:
    """What torch.nn.functional.l1_loss computes."""
    return torch.nn.functional.l1_loss(x, y, reduction=reduction)


nn_functional_l1_loss.implementation(nn_functional_l1_loss.definition, name="transformed")


@nn_functional_l1_loss.implementation(name="torch._refs.nn.functional.l1_loss", forward_only=True)
def nn_functional_l1_loss_torch__refs_nn_functional_l1_loss(x, y, reduction):
    return torch._refs.nn.functional.l1_loss(x, y, reduction=reduction)


@harness.operation
def nn_functional_dropout(x: Float[Tensor, "batch d"], p: float = 0.0, training: Literal[True] = True) -> Float[Tensor, "batch d"]:
    """What torch.nn.functional.dropout computes."""
    return torch.nn.functional.dropout(x, p=p, training=training)


nn_functional_dropout.implementation(nn_functional_dropout.definition, name="transformed")


@nn_functional_dropout.implementation(name="torch._refs.nn.functional.dropout", forward_only=True)
def nn_functional_dropout_torch__refs_nn_functional_dropout(x, p, training):
    return torch._refs.nn.functional.dropout(x, p=p, training=training)


@harness.operation
def nn_functional_dropout2d(x: Float[Tensor, "batch n m d"], p: float = 0.0, training: Literal[True] = True) -> Float[Tensor, "batch n m d"]:
    """What torch.nn.functional.dropout2d computes."""
    return torch.nn.functional.dropout2d(x, p=p, training=training)


nn_functional_dropout2d.implementation(nn_functional_dropout2d.definition, name="transformed")


@harness.operation
def nn_functional_dropout3d(x: Float[Tensor, "batch n m k d"], p: float = 0.0, training: Literal[True] = True) -> Float[Tensor, "batch n m k d"]:
    """What torch.nn.functional.dropout3d computes."""
    return torch.nn.functional.dropout3d(x, p=p, training=training)


nn_functional_dropout3d.implementation(nn_functional_dropout3d.definition, name="transformed")


@harness.operation
def nn_functional_alpha_dropout(x: Float[Tensor, "batch d"], p: float = 0.0, training: Literal[True] = True) -> Float[Tensor, "batch d"]:
    """What torch.nn.functional.alpha_dropout computes."""
    return torch.nn.functional.alpha_dropout(x, p=p, training=training)


nn_functional_alpha_dropout.implementation(nn_functional_alpha_dropout.definition, name="transformed")


@nn_functional_alpha_dropout.implementation(name="torch._refs.nn.functional.alpha_dropout", forward_only=True)
def nn_functional_alpha_dropout_torch__refs_nn_functional_alpha_dropout(x, p, training):
    return torch._refs.nn.functional.alpha_dropout(x, p=p, training=training)


@harness.operation
def nn_functional_feature_alpha_dropout_with_train(x: Float[Tensor, "batch n m k d"], p: float = 0.0, training: Literal[True] = True) -> Float[Tensor, "batch n m k d"]:
    """What torch.nn.functional.feature_alpha_dropout computes."""
    return torch.nn.functional.feature_alpha_dropout(x, p=p, training=training)


nn_functional_feature_alpha_dropout_with_train.implementation(nn_functional_feature_alpha_dropout_with_train.definition, name="transformed")


@harness.operation
def nn_functional_feature_alpha_dropout_without_train(x: Float[Tensor, "batch d"], p: float = 0.0, training: Literal[False] = False) -> Float[Tensor, "batch d"]:
    """What torch.nn.functional.feature_alpha_dropout computes."""
    return torch.nn.functional.feature_alpha_dropout(x, p=p, training=training)


nn_functional_feature_alpha_dropout_without_train.implementation(nn_functional_feature_alpha_dropout_without_train.definition, name="transformed")


@harness.operation
def nn_functional_embedding_bag(x: Float[Tensor, "n d"], y: Annotated[Int[Tensor, "batch m"], harness.below('n')], mode: str = 'mean') -> Float[Tensor, "batch d"]:
    """What torch.nn.functional.embedding_bag computes."""
    return torch.nn.functional.embedding_bag(x, y, mode=mode, per_sample_weights=None)


nn_functional_embedding_bag.implementation(nn_functional_embedding_bag.definition, name="transformed")


@nn_functional_embedding_bag.implementation(name="decomposed")
def nn_functional_embedding_bag_decomposed(x, y, mode):
    with Decomposed():
        return torch.nn.functional.embedding_bag(x, y, mode=mode, per_sample_weights=None)


@harness.operation
def nn_functional_softplus(x: Float[Tensor, "batch"], beta: int = 3, threshold: float = 0.2) -> Float[Tensor, "batch"]:
    """What torch.nn.functional.softplus computes."""
    return torch.nn.functional.softplus(x, beta=beta, threshold=threshold)


nn_functional_softplus.implementation(nn_functional_softplus.definition, name="transformed")


@nn_functional_softplus.implementation(name="out", out="memory")
def nn_functional_softplus_out(x, beta, threshold, memory):
    torch.nn.functional.softplus(x, beta=beta, threshold=threshold, out=memory)


@nn_functional_softplus.implementation(name="torch._refs.nn.functional.softplus", forward_only=True)
def nn_functional_softplus_torch__refs_nn_functional_softplus(x, beta, threshold):
    return torch._refs.nn.functional.softplus(x, beta=beta, threshold=threshold)


@nn_functional_softplus.implementation(name="decomposed")
def nn_functional_softplus_decomposed(x, beta, threshold):
    with Decomposed():
        return torch.nn.functional.softplus(x, beta=beta, threshold=threshold)


@harness.operation
def nn_functional_mse_loss(x: Float[Tensor, "d"], y: Float[Tensor, "d"], reduction: str = 'mean') -> Float[Tensor, ""]:
    """What torch.nn.functional.mse_loss computes."""
    return torch.nn.functional.mse_loss(x, y, reduction=reduction)


nn_functional_mse_loss.implementation(nn_functional_mse_loss.definition, name="transformed")


@nn_functional_mse_loss.implementation(name="torch._refs.nn.functional.mse_loss", forward_only=True)
def nn_functional_mse_loss_torch__refs_nn_functional_mse_loss(x, y, reduction):
    return torch._refs.nn.functional.mse_loss(x, y, reduction=reduction)


@nn_functional_mse_loss.implementation(name="decomposed")
def nn_functional_mse_loss_decomposed(x, y, reduction):
    with Decomposed():
        return torch.nn.functional.mse_loss(x, y, reduction=reduction)


# y's axis 4 is always 3
@harness.operation
def nn_functional_grid_sample(x: Float[Tensor, "batch n m k d"], y: Float[Tensor, "batch p q r 3"], mode: str = 'bilinear', padding_mode: str = 'zeros', align_corners: Literal[False] = False) -> Float[Tensor, "batch n p q r"]:
    """What torch.nn.functional.grid_sample computes."""
    return torch.nn.functional.grid_sample(x, y, mode=mode, padding_mode=padding_mode, align_corners=align_corners)


nn_functional_grid_sample.implementation(nn_functional_grid_sample.definition, name="transformed")


@harness.operation
def nn_functional_ctc_loss(x: Float[Tensor, "n m d"], y: Annotated[Int[Tensor, "m k"], harness.below('d')], z: Annotated[Int[Tensor, "m"], harness.lengths('n')], u: Annotated[Int[Tensor, "m"], harness.lengths('k')], reduction: str = 'none', zero_infinity: Literal[True] = True) -> Float[Tensor, "m"]:
    """What torch.nn.functional.ctc_loss computes."""
    return torch.nn.functional.ctc_loss(x, y, z, u, reduction=reduction, zero_infinity=zero_infinity)


nn_functional_ctc_loss.implementation(nn_functional_ctc_loss.definition, name="transformed")


@nn_functional_ctc_loss.implementation(name="decomposed")
def nn_functional_ctc_loss_decomposed(x, y, z, u, reduction, zero_infinity):
    with Decomposed():
        return torch.nn.functional.ctc_loss(x, y, z, u, reduction=reduction, zero_infinity=zero_infinity)


@harness.operation
def nn_functional_cosine_embedding_loss(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], z: Float[Tensor, "batch"], reduction: str = 'none', margin: float = 0.9329070713842775) -> Float[Tensor, "batch"]:
    """What torch.nn.functional.cosine_embedding_loss computes."""
    return torch.nn.functional.cosine_embedding_loss(x, y, z, reduction=reduction, margin=margin)


nn_functional_cosine_embedding_loss.implementation(nn_functional_cosine_embedding_loss.definition, name="transformed")


@nn_functional_cosine_embedding_loss.implementation(name="decomposed")
def nn_functional_cosine_embedding_loss_decomposed(x, y, z, reduction, margin):
    with Decomposed():
        return torch.nn.functional.cosine_embedding_loss(x, y, z, reduction=reduction, margin=margin)


# differentiable in x alone, so that no gradient is asked
@harness.operation(differentiable=False)
def nn_functional_nll_loss(x: Float[Tensor, "batch n m d"], y: Annotated[Int[Tensor, "batch m d"], harness.below('n')], weight: Float[Tensor, "n"], ignore_index: int = 1, reduction: str = 'none') -> Float[Tensor, "batch m d"]:
    """What torch.nn.functional.nll_loss computes."""
    return torch.nn.functional.nll_loss(x, y, ignore_index=ignore_index, reduction=reduction, weight=weight)


nn_functional_nll_loss.implementation(nn_functional_nll_loss.definition, name="transformed")


@nn_functional_nll_loss.implementation(name="torch._refs.nn.functional.nll_loss", forward_only=True)
def nn_functional_nll_loss_torch__refs_nn_functional_nll_loss(x, y, weight, ignore_index, reduction):
    return torch._refs.nn.functional.nll_loss(x, y, ignore_index=ignore_index, reduction=reduction, weight=weight)


@nn_functional_nll_loss.implementation(name="decomposed")
def nn_functional_nll_loss_decomposed(x, y, weight, ignore_index, reduction):
    with Decomposed():
        return torch.nn.functional.nll_loss(x, y, ignore_index=ignore_index, reduction=reduction, weight=weight)


@harness.operation
def nn_functional_gaussian_nll_loss(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"], z: Annotated[Float[Tensor, "batch n d"], harness.positive], full: Literal[True] = True, eps: float = 0.0009664870821564467, reduction: str = 'none') -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional.gaussian_nll_loss computes."""
    return torch.nn.functional.gaussian_nll_loss(x, y, z, full=full, eps=eps, reduction=reduction)


nn_functional_gaussian_nll_loss.implementation(nn_functional_gaussian_nll_loss.definition, name="transformed")


@harness.operation
def nn_functional_hinge_embedding_loss(x: Float[Tensor, "batch n d"], y: Annotated[Float[Tensor, "batch n d"], harness.among(-1, 1)], reduction: str = 'none', margin: float = 8.396163642458497) -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional.hinge_embedding_loss computes."""
    return torch.nn.functional.hinge_embedding_loss(x, y, reduction=reduction, margin=margin)


nn_functional_hinge_embedding_loss.implementation(nn_functional_hinge_embedding_loss.definition, name="transformed")


@nn_functional_hinge_embedding_loss.implementation(name="torch._refs.nn.functional.hinge_embedding_loss", forward_only=True)
def nn_functional_hinge_embedding_loss_torch__refs_nn_functional_hinge_embedding_loss(x, y, reduction, margin):
    return torch._refs.nn.functional.hinge_embedding_loss(x, y, reduction=reduction, margin=margin)


@nn_functional_hinge_embedding_loss.implementation(name="decomposed")
def nn_functional_hinge_embedding_loss_decomposed(x, y, reduction, margin):
    with Decomposed():
        return torch.nn.functional.hinge_embedding_loss(x, y, reduction=reduction, margin=margin)


@harness.operation
def nn_functional_huber_loss(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"], reduction: str = 'none', delta: float = 8.698115367693557) -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional.huber_loss computes."""
    return torch.nn.functional.huber_loss(x, y, reduction=reduction, delta=delta)


nn_functional_huber_loss.implementation(nn_functional_huber_loss.definition, name="transformed")


@nn_functional_huber_loss.implementation(name="torch._refs.nn.functional.huber_loss", forward_only=True)
def nn_functional_huber_loss_torch__refs_nn_functional_huber_loss(x, y, reduction, delta):
    return torch._refs.nn.functional.huber_loss(x, y, reduction=reduction, delta=delta)


@nn_functional_huber_loss.implementation(name="decomposed")
def nn_functional_huber_loss_decomposed(x, y, reduction, delta):
    with Decomposed():
        return torch.nn.functional.huber_loss(x, y, reduction=reduction, delta=delta)


# x's axis 0 is always 5
# x's axis 1 is always 5
@harness.operation
def nn_functional_pdist(x: Float[Tensor, "5 5"], p: float = 0.0) -> Float[Tensor, "10"]:
    """What torch.nn.functional.pdist computes."""
    return torch.nn.functional.pdist(x, p=p)


nn_functional_pdist.implementation(nn_functional_pdist.definition, name="transformed")


@nn_functional_pdist.implementation(name="torch._refs.nn.functional.pdist", forward_only=True)
def nn_functional_pdist_torch__refs_nn_functional_pdist(x, p):
    return torch._refs.nn.functional.pdist(x, p=p)


@harness.operation
def nn_functional_poisson_nll_loss(x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n d"], log_input: Literal[True] = True, full: Literal[True] = True, eps: float = 0.000966453871156782, reduction: str = 'none') -> Float[Tensor, "batch n d"]:
    """What torch.nn.functional.poisson_nll_loss computes."""
    return torch.nn.functional.poisson_nll_loss(x, y, log_input=log_input, full=full, eps=eps, reduction=reduction)


nn_functional_poisson_nll_loss.implementation(nn_functional_poisson_nll_loss.definition, name="transformed")


@nn_functional_poisson_nll_loss.implementation(name="torch._refs.nn.functional.poisson_nll_loss", forward_only=True)
def nn_functional_poisson_nll_loss_torch__refs_nn_functional_poisson_nll_loss(x, y, log_input, full, eps, reduction):
    return torch._refs.nn.functional.poisson_nll_loss(x, y, log_input=log_input, full=full, eps=eps, reduction=reduction)


@nn_functional_poisson_nll_loss.implementation(name="decomposed")
def nn_functional_poisson_nll_loss_decomposed(x, y, log_input, full, eps, reduction):
    with Decomposed():
        return torch.nn.functional.poisson_nll_loss(x, y, log_input=log_input, full=full, eps=eps, reduction=reduction)


@harness.operation
def nn_functional_pairwise_distance(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], keepdim: Literal[True] = True) -> Float[Tensor, "batch 1"]:
    """What torch.nn.functional.pairwise_distance computes."""
    return torch.nn.functional.pairwise_distance(x, y, keepdim=keepdim)


nn_functional_pairwise_distance.implementation(nn_functional_pairwise_distance.definition, name="transformed")


@nn_functional_pairwise_distance.implementation(name="torch._refs.nn.functional.pairwise_distance", forward_only=True)
def nn_functional_pairwise_distance_torch__refs_nn_functional_pairwise_distance(x, y, keepdim):
    return torch._refs.nn.functional.pairwise_distance(x, y, keepdim=keepdim)


@nn_functional_pairwise_distance.implementation(name="decomposed")
def nn_functional_pairwise_distance_decomposed(x, y, keepdim):
    with Decomposed():
        return torch.nn.functional.pairwise_distance(x, y, keepdim=keepdim)


# x's axis 0 is always 1
@harness.operation
def nn_functional_pixel_shuffle(x: Float[Tensor, "1 n m d"], upscale_factor: int = 1) -> Float[Tensor, "1 n m d"]:
    """What torch.nn.functional.pixel_shuffle computes."""
    return torch.nn.functional.pixel_shuffle(x, upscale_factor=upscale_factor)


nn_functional_pixel_shuffle.implementation(nn_functional_pixel_shuffle.definition, name="transformed")


@nn_functional_pixel_shuffle.implementation(name="torch._refs.nn.functional.pixel_shuffle", forward_only=True)
def nn_functional_pixel_shuffle_torch__refs_nn_functional_pixel_shuffle(x, upscale_factor):
    return torch._refs.nn.functional.pixel_shuffle(x, upscale_factor=upscale_factor)


@nn_functional_pixel_shuffle.implementation(name="decomposed")
def nn_functional_pixel_shuffle_decomposed(x, upscale_factor):
    with Decomposed():
        return torch.nn.functional.pixel_shuffle(x, upscale_factor=upscale_factor)


# x's axis 0 is always 1
# x's axis 1 is always 1
@harness.operation
def nn_functional_pixel_unshuffle(x: Float[Tensor, "1 1 n d"], downscale_factor: int = 1) -> Float[Tensor, "1 1 n d"]:
    """What torch.nn.functional.pixel_unshuffle computes."""
    return torch.nn.functional.pixel_unshuffle(x, downscale_factor=downscale_factor)


nn_functional_pixel_unshuffle.implementation(nn_functional_pixel_unshuffle.definition, name="transformed")


@nn_functional_pixel_unshuffle.implementation(name="torch._refs.nn.functional.pixel_unshuffle", forward_only=True)
def nn_functional_pixel_unshuffle_torch__refs_nn_functional_pixel_unshuffle(x, downscale_factor):
    return torch._refs.nn.functional.pixel_unshuffle(x, downscale_factor=downscale_factor)


@nn_functional_pixel_unshuffle.implementation(name="decomposed")
def nn_functional_pixel_unshuffle_decomposed(x, downscale_factor):
    with Decomposed():
        return torch.nn.functional.pixel_unshuffle(x, downscale_factor=downscale_factor)


@harness.operation
def nn_functional_channel_shuffle(x: Float[Tensor, "batch 3*n m d"], y: int = 3) -> Float[Tensor, "batch 3*n m d"]:
    """What torch.nn.functional.channel_shuffle computes."""
    return torch.nn.functional.channel_shuffle(x, y)


nn_functional_channel_shuffle.implementation(nn_functional_channel_shuffle.definition, name="transformed")


@nn_functional_channel_shuffle.implementation(name="torch._refs.nn.functional.channel_shuffle", forward_only=True)
def nn_functional_channel_shuffle_torch__refs_nn_functional_channel_shuffle(x, y):
    return torch._refs.nn.functional.channel_shuffle(x, y)


@nn_functional_channel_shuffle.implementation(name="decomposed")
def nn_functional_channel_shuffle_decomposed(x, y):
    with Decomposed():
        return torch.nn.functional.channel_shuffle(x, y)


@harness.operation
def nn_functional_kl_div(x: Float[Tensor, "batch d"], y: Float[Tensor, "batch d"], reduction: str = 'none', log_target: Literal[True] = True) -> Float[Tensor, "batch d"]:
    """What torch.nn.functional.kl_div computes."""
    return torch.nn.functional.kl_div(x, y, reduction=reduction, log_target=log_target)


nn_functional_kl_div.implementation(nn_functional_kl_div.definition, name="transformed")
