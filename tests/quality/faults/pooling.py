"""Faults and other ways of pooling and a linear decoder."""

import numpy as np
import torch

from harness.operations.pooling import (
    decode_then_pool,
    decode_then_weighted_pool,
    pool_then_decode,
    weighted_pool_then_decode,
)
from tests.quality.planted import correct, fault


def _pooled(x, pooling):
    match pooling:
        case "mean":
            return x.mean(1)
        case "last":
            return x[:, -1]
        case "sum":
            return x.sum(1)
        case "max":
            return x.amax(1)
        case "min":
            return x.amin(1)
    return x.median(1).values


@fault(pool_then_decode, cause=("another option", "scaled by a size"), words="mean")
def sum_for_mean(x, W, b, pooling):
    """The mean is not divided by the number of steps."""
    return _pooled(x, "sum" if pooling == "mean" else pooling) @ W.mT + b


@fault(pool_then_decode, cause=("reversed axis", "one slice for all"), words="time")
def first_for_last(x, W, b, pooling):
    """The last step is looked for at the front."""
    pooled = x[:, 0] if pooling == "last" else _pooled(x, pooling)
    return pooled @ W.mT + b


@fault(pool_then_decode, cause="scaled by a size", words=("b is multiplied by the size of time", "pooling", "sum"))
def bias_of_every_step(x, W, b, pooling):
    """The sum is taken of decoded steps, so that each of them brings a bias."""
    if pooling == "sum":
        return (x @ W.mT + b).sum(1)
    return _pooled(x, pooling) @ W.mT + b


@fault(pool_then_decode, backend="numpy", cause="circumstances", words=("pooling", "median", "time is even"))
def mean_of_the_middle_two(x, W, b, pooling):
    """numpy's median, which lies between the two middle values of an even number of steps."""
    pooled = np.median(x, axis=1) if pooling == "median" else _pooled(torch.from_numpy(x), pooling).numpy()
    return pooled.astype(x.dtype) @ W.T + b


@fault(pool_then_decode, cause="exchanged axes", words="axes 1 and 2 of x")
def square_sequences_transposed(x, W, b, pooling):
    """Which axis is time is guessed from W, and the guess is wrong where there are as many steps as features."""
    if x.shape[1] == W.shape[1]:
        x = x.mT
    return _pooled(x, pooling) @ W.mT + b


@fault(
    decode_then_pool, backend="numpy", cause="nonfinite swallowed or invented", words=("swallowed", "pooling", "max")
)
def max_without_nan(x, W, b, pooling):
    """fmax takes a NaN for less than any number."""
    decoded = np.einsum("bti,oi->bto", x, W) + b
    if pooling == "max":
        return np.fmax.reduce(decoded, axis=1)
    return _pooled(torch.from_numpy(decoded), pooling).numpy()


@fault(decode_then_pool, cause="samples leak", words="the sample after it")
def one_step_too_late(x, W, b, pooling):
    """Sequences are cut out of one long row of steps, each of them one step too late."""
    batch, time, features = x.shape
    steps = x.reshape(batch * time, features)
    late = torch.cat([steps[1:], steps[-1:]]).reshape(batch, time, features)
    return _pooled(late @ W.mT + b, pooling)


@fault(
    decode_then_pool, verdict="error", cause="circumstances", words=("RuntimeError", "pooling", "sum", "time is odd")
)
def steps_in_pairs(x, W, b, pooling):
    """Steps are laid out in pairs, which leaves one over where their number is odd."""
    decoded = x @ W.mT + b
    if pooling == "sum":
        return decoded.reshape(len(x), x.shape[1] // 2, 2, len(W)).sum((1, 2))
    return _pooled(decoded, pooling)


@fault(decode_then_pool, cause="ignored", words=("b is ignored", "pooling", "mean"))
def bias_left_out_of_the_mean(x, W, b, pooling):
    """The mean is taken before the bias is added, and returned at once."""
    decoded = x @ W.mT
    return decoded.mean(1) if pooling == "mean" else _pooled(decoded + b, pooling)


@fault(weighted_pool_then_decode, cause="one slice for all", words="the first slice of weights along time")
def one_weight_for_all_steps(x, weights, W, b):
    """The first step's weight is broadcast over all steps."""
    return (weights[:, :1, None] * x).sum(1) @ W.mT + b


@fault(weighted_pool_then_decode, cause="reversed axis", words="along time")
def weights_backwards(x, weights, W, b):
    """Weights are counted from the last step."""
    return (weights.flip(1)[:, :, None] * x).sum(1) @ W.mT + b


@fault(decode_then_weighted_pool, cause="another function of it", words="weights without its sign")
def weights_without_sign(x, weights, W, b):
    """Weights are taken for shares, which can't be negative."""
    return (weights.abs()[:, :, None] * (x @ W.mT + b)).sum(1)


@fault(decode_then_weighted_pool, cause="gradient scaled", words="the gradient in weights is cut")
def weights_detached(x, weights, W, b):
    """Weights are taken for constants."""
    return (weights.detach()[:, :, None] * (x @ W.mT + b)).sum(1)


@fault(decode_then_weighted_pool, cause="left out", words="beyond the first 32 entries of outputs")
def one_tile_of_outputs(x, weights, W, b):
    """Only the first tile of 32 outputs is written."""
    result = (weights[:, :, None] * (x @ W.mT + b)).sum(1)
    return torch.cat([result[:, :32], torch.zeros_like(result[:, 32:])], 1)


@correct(pool_then_decode)
def order_statistics_by_topk(x, W, b, pooling):
    """Order statistics by topk, means as a product with ones, the decoder by einsum."""
    time = x.shape[1]
    if pooling in ("max", "min", "median"):
        rank = {"max": 1, "min": time, "median": time - (time - 1) // 2}[pooling]
        found = torch.where(x.isnan().any(1), torch.nan, x.topk(rank, 1).values[:, -1])
    elif pooling == "last":
        found = x[:, time - 1]
    else:
        found = torch.einsum("btf->bf", x) / (time if pooling == "mean" else 1)
    return torch.einsum("bf,of->bo", found, W) + b


@correct(decode_then_pool)
def step_by_step(x, W, b, pooling):
    """Sums as they grow, step by step; the bias of a mean added afterwards."""
    if pooling not in ("mean", "sum"):
        return _pooled(x @ W.mT + b, pooling)
    total = x.new_zeros(len(x), len(W))
    for step in x.unbind(1):
        total = total + torch.nn.functional.linear(step, W, b)
    return total / x.shape[1] if pooling == "mean" else total


@correct(weighted_pool_then_decode, backend="numpy")
def weighted_decoders(x, weights, W, b):
    """Every step decoded without a bias, then the weighted steps."""
    return np.einsum("bt,bto->bo", weights, x @ W.T) + b


@correct(decode_then_weighted_pool)
def pooled_first(x, weights, W, b):
    """Weighted steps first, and the bias as often as the weights say."""
    return torch.einsum("bt,btf->bf", weights, x) @ W.mT + torch.outer(weights.sum(1), b)
