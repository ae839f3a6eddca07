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


@fault(linear, cause="layout of one", words="x where it is not contiguous in memory")
def strides_ignored(x, W, b):
    """The memory of x is read as though it were contiguous."""
    plain = torch.as_strided(x, x.shape, torch.empty(x.shape).stride(), x.storage_offset())
    return plain @ W.mT + b


@fault(linear, cause="lower precision", words="float32")
def float64_in_float32(x, W, b):
    """float64 is computed in float32."""
    return (x.float() @ W.float().mT + b.float()).to(x.dtype)


@fault(linear, cause="one slice for all", words="the last slice of b")
def last_bias_for_all(x, W, b):
    """b[-1] is taken where the whole of b is meant."""
    return x @ W.mT + b[-1]


@fault(linear, cause="exchanged axes", words="of W")
def weight_transposed_if_square(x, W, b):
    """Whether W has to be transposed is guessed from the shapes, which a square one leaves open."""
    return (x @ W if W.shape[0] == x.shape[1] else x @ W.mT) + b


@fault(linear, cause="ignored", words=("b is ignored", "batch"))
def no_bias_for_one_sample(x, W, b):
    """A single sample takes a way of its own, on which the bias is forgotten."""
    if len(x) == 1:
        return torch.mv(W, x[0])[None]
    return x @ W.mT + b


@fault(linear, cause="scaled by a size", words=("divided by the size of inputs",))
def mean_of_products(x, W, b):
    """Products are averaged where they should be summed."""
    return (x[:, None, :] * W).mean(-1) + b


@fault(linear, cause="ignored", words=("b is ignored", "the dtype"))
def no_bias_in_bfloat16(x, W, b):
    """The way for bfloat16 has no bias."""
    if x.dtype is torch.bfloat16:
        return x @ W.mT
    return x @ W.mT + b


@fault(linear, cause="gradient scaled", words="the gradient in b is cut")
def bias_detached(x, W, b):
    """No gradient reaches the bias."""
    return x @ W.mT + b.detach()


@fault(linear, cause="samples leak", words="the others in its batch")
def centred_over_the_batch(x, W, b):
    """The mean of the batch is taken off, as by a batch normalisation left in training mode."""
    return (x - x.mean(0)) @ W.mT + b


@fault(linear, cause="nonfinite swallowed or invented", words="swallowed")
def nan_to_zero(x, W, b):
    """NaN and infinities are cleaned away on the way in."""
    return torch.nan_to_num(x, posinf=0.0, neginf=0.0) @ W.mT + b


@correct(linear)
def reversed_sum(x, W, b):
    """The inputs are summed from the last to the first."""
    return x.flip(1) @ W.flip(1).mT + b


@correct(linear, backend="numpy")
def column_by_column(x, W, b):
    """One input after another is added."""
    return sum((np.outer(x[:, i], W[:, i]) for i in range(x.shape[1])), np.zeros((len(x), len(W)), x.dtype)) + b


@correct(linear)
def one_affine_matrix(x, W, b):
    """The bias as a further column of the matrix, for an input that is always 1."""
    return torch.cat([x, x.new_ones(len(x), 1)], 1) @ torch.cat([W, b[:, None]], 1).mT


@correct(linear)
def in_chunks(x, W, b):
    """Inputs in chunks of 16, added up onto the bias."""
    return sum(
        (part @ taken.mT for part, taken in zip(x.split(16, 1), W.split(16, 1), strict=True)), b.expand(len(x), -1)
    )
