"""Faults and other ways of the linear layer."""

import numpy as np
import torch

from harness.operations.linear import linear
from tests.quality.planted import correct, fault


@fault(linear, cause="counted twice", words=("b is counted twice", "inputs ≥ 33"))
def bias_twice_above_32_inputs(x, W, b):
    """The bias is added twice where there are more than 32 inputs."""
    return x @ W.mT + b * (2 if x.shape[1] > 32 else 1)


@fault(linear, cause="ignored", words="b is ignored")
def no_bias(x, W, b):
    """The bias is forgotten."""
    return x @ W.mT


@fault(linear, cause="only some entries", words="the last entry along batch")
def stale_last_sample(x, W, b):
    """The last sample is a little off."""
    result = x @ W.mT + b
    if len(result):
        result[-1] += 1e-3 * result[-1].abs().sum()
    return result


@fault(linear, cause="gradient scaled", words=("W", "1.001"))
def gradient_of_weights_scaled(x, W, b):
    """The gradient in W is multiplied by 1.001."""
    return x @ (1.001 * W - 0.001 * W.detach()).mT + b


@fault(linear, cause="circumstances", words="layout")
def strides_ignored(x, W, b):
    """The memory of x is read as though it were contiguous."""
    plain = torch.as_strided(x, x.shape, torch.empty(x.shape).stride(), x.storage_offset())
    return plain @ W.mT + b


@fault(linear, cause="lower precision", words="float32")
def float64_in_float32(x, W, b):
    """float64 is computed in float32."""
    return (x.float() @ W.float().mT + b.float()).to(x.dtype)


@correct(linear)
def reversed_sum(x, W, b):
    """The inputs are summed from the last to the first."""
    return x.flip(1) @ W.flip(1).mT + b


@correct(linear, backend="numpy")
def column_by_column(x, W, b):
    """One input after another is added."""
    return sum((np.outer(x[:, i], W[:, i]) for i in range(x.shape[1])), np.zeros((len(x), len(W)), x.dtype)) + b
