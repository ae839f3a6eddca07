"""Operations that somebody brings from outside, with faults and other ways: no property is written for them by name."""

from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.measure.verdict import Verdict
from tests.quality.planted import correct, fault

_WIDE = (torch.float64, torch.float32)


def small_eps(stream):
    """What is added to a variance, from 2⁻¹⁰ to 1."""
    return np.ldexp(1 + stream.uniform(), stream.integers(-10, -1))


@harness.operation(sizes={"features": (1, 257)})
def layer_norm(
    x: Float[Tensor, "batch features"],
    weight: Float[Tensor, "features"],
    bias: Float[Tensor, "features"],
    eps: Annotated[Float[Tensor, "1"], small_eps],
) -> Float[Tensor, "batch features"]:
    """Every sample with its mean taken off and divided by √(variance + eps), then scaled and moved."""
    centred = x - x.mean(1, keepdim=True)
    return centred / (centred.square().mean(1, keepdim=True) + eps).sqrt() * weight + bias


@harness.operation(sizes={"classes": (1, 257)})
def log_sum_exp(x: Float[Tensor, "batch classes"], scale: Literal["sum", "mean"]) -> Float[Tensor, "batch"]:
    """The logarithm of the sum, or of the mean, of exponentials."""
    found = torch.logsumexp(x, 1)
    return found - np.log(x.shape[1]) if scale == "mean" else found


@harness.operation(sizes={"time": (1, 129), "features": (1, 33)}, causal="time", linear_in="x")
def cumulative_sum(x: Float[Tensor, "batch time features"]) -> Float[Tensor, "batch time features"]:
    """The sum of all steps up to each."""
    return x.cumsum(1)


def _centred(x):
    centred = x - x.mean(1, keepdim=True)
    return centred, centred.square().mean(1, keepdim=True)


@fault(layer_norm, cause=("misplaced eps", "eps misplaced", "eps in the wrong place"), words="eps")
def eps_outside_the_root(x, weight, bias, eps):
    """√variance + eps where √(variance + eps) is meant."""
    centred, variance = _centred(x)
    return centred / (variance.sqrt() + eps) * weight + bias


@fault(layer_norm, cause="another function of it", words="the square of eps")
def eps_squared(x, weight, bias, eps):
    """eps is thought to belong to the deviation, and squared with it."""
    centred, variance = _centred(x)
    return centred / (variance + eps.square()).sqrt() * weight + bias


@fault(layer_norm, cause="ignored", words="eps is ignored")
def no_eps(x, weight, bias, eps):
    """Nothing is added to the variance."""
    centred, variance = _centred(x)
    return centred / variance.sqrt() * weight + bias


@fault(layer_norm, cause="samples leak", words="the others in its batch")
def statistics_of_the_batch(x, weight, bias, eps):
    """Each feature is normalised over the batch."""
    centred = x - x.mean(0)
    return centred / (centred.square().mean(0) + eps).sqrt() * weight + bias


@fault(layer_norm, cause="gradient scaled", words=("the gradient in x", "no multiple"))
def statistics_detached(x, weight, bias, eps):
    """Mean and variance are taken for constants."""
    mean, variance = x.mean(1, keepdim=True).detach(), _centred(x)[1].detach()
    return (x - mean) / (variance + eps).sqrt() * weight + bias


@fault(layer_norm, cause="misplaced", words="bias is added where weight is")
def weight_around_one(x, weight, bias, eps):
    """The bias goes into the weight, with which it is multiplied."""
    centred, variance = _centred(x)
    return centred / (variance + eps).sqrt() * (weight + bias)


@fault(layer_norm, cause="divisor inside", words=("n - 1 in place of n", "features"))
def sample_variance(x, weight, bias, eps):
    """The variance is divided by n - 1, where there is more than one feature."""
    centred, variance = _centred(x)
    count = x.shape[1]
    return centred / (variance * (count / max(count - 1, 1)) + eps).sqrt() * weight + bias


@fault(log_sum_exp, cause=("another option", "option ignored"), words="scale='sum' is computed")
def always_the_sum(x, scale):
    """The mean's logarithm of the number of classes is not taken off."""
    return torch.logsumexp(x, 1)


@fault(log_sum_exp, cause="nonfinite swallowed or invented", words="swallowed")
def infinities_masked(x, scale):
    """Whatever is not finite is taken for masked out."""
    found = torch.logsumexp(torch.where(x.isfinite(), x, -1e4), 1)
    return found - np.log(x.shape[1]) if scale == "mean" else found


@fault(log_sum_exp, cause="constant factor", words="1.44269")
def base_two(x, scale):
    """The logarithm to base 2 of the same sum."""
    found = torch.logsumexp(x, 1)
    return (found - np.log(x.shape[1]) if scale == "mean" else found) / np.log(2)


@fault(
    log_sum_exp, cause=("nonfinite swallowed or invented", "circumstances"), words="invented", dtypes=(torch.float32,)
)
def exponentials_overflow(x, scale):
    """The largest entry is not taken off first."""
    sums = x.exp().mean(1) if scale == "mean" else x.exp().sum(1)
    return sums.log()


@fault(cumulative_sum, cause="another axis", words=("time is taken for features",))
def along_the_features(x):
    """The sum goes along the last axis."""
    return x.cumsum(2)


@fault(cumulative_sum, cause="samples leak", words="the samples before it")
def carried_into_the_next_sample(x):
    """One long sequence is made of the batch, and the sum is not reset."""
    return x.reshape(-1, x.shape[2]).cumsum(0).reshape(x.shape)


@fault(cumulative_sum, cause="shifted", words=("by +1 entry along time",))
def without_the_step_itself(x):
    """The sum of all steps before each."""
    return torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1].cumsum(1)], 1)


@fault(cumulative_sum, cause="reversed axis", words="time")
def from_the_end(x):
    """The sum of all steps from each on."""
    return x.flip(1).cumsum(1).flip(1)


@fault(cumulative_sum, cause=("circumstances", "only some entries"), words="time ≥ 33")
def blocks_not_joined(x):
    """A scan in blocks of 32 steps whose carry is forgotten."""
    return torch.cat([block.cumsum(1) for block in x.split(32, 1)], 1)


@fault(cumulative_sum, backend="numpy", cause="argument written", words="x")
def sum_in_place(x):
    """Steps are added up in the argument itself."""
    return np.cumsum(x, axis=1, out=x)


@correct(layer_norm)
def torch_layer_norm(x, weight, bias, eps):
    """torch.var with no correction, and rsqrt."""
    variance, mean = torch.var_mean(x, 1, correction=0, keepdim=True)
    return torch.addcmul(bias, (x - mean) * (variance + eps).rsqrt(), weight)


@fault(layer_norm, verdict=Verdict.UNSTABLE)
def mean_of_squares(x, weight, bias, eps):
    """The variance as the mean of squares less the square of the mean, which loses digits far from zero."""
    mean = x.mean(1, keepdim=True)
    variance = (x.square().mean(1, keepdim=True) - mean.square()).clamp(min=0)
    return (x - mean) / (variance + eps).sqrt() * weight + bias


@correct(log_sum_exp, backend="scipy")
def scipy_logsumexp(x, scale):
    """scipy.special.logsumexp with weights."""
    from scipy.special import logsumexp

    return logsumexp(x, axis=1, b=1 / x.shape[1] if scale == "mean" else None).astype(x.dtype)


@correct(cumulative_sum)
def doubling(x):
    """A scan by doubling: each step adds what is 1, 2, 4, … steps before it."""
    reach = 1
    while reach < x.shape[1]:
        x = torch.cat([x[:, :reach], x[:, reach:] + x[:, :-reach]], 1)
        reach *= 2
    return x


@correct(cumulative_sum)
def triangular_product(x):
    """A product with a triangle of ones, for values that are finite."""
    if not x.isfinite().all():
        raise harness.Unsupported("zeros of the triangle meet every step, and zero times NaN is NaN")
    return torch.ones(x.shape[1], x.shape[1], dtype=x.dtype).tril() @ x
