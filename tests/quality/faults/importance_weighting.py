"""Faults and other ways of importance weighting."""

import math

import numpy as np
import torch

from harness.declare.dtypes import WIDE
from harness.operations.importance_weighting import (
    bernoulli_log_prob,
    elbo,
    gaussian_log_prob,
    iwelbo,
    iwelbo_gradient,
    log_importance_weights,
)
from tests.quality.planted import correct, fault

_LOG_2PI = math.log(2 * math.pi)


@fault(gaussian_log_prob, cause="another function of it", words="half of log_std is used where log_std is meant")
def log_variance(obs, mu, log_std):
    """log σ is taken for log σ²."""
    return ((obs - mu).square() * (-log_std).exp() + log_std + _LOG_2PI).sum(1) / -2


@fault(
    gaussian_log_prob, cause="another function of it", words="the logarithm of log_std is used where log_std is meant"
)
def deviation_for_its_logarithm(obs, mu, log_std):
    """log σ is taken for σ, of which the size counts."""
    return torch.distributions.Normal(mu, log_std.abs(), validate_args=False).log_prob(obs).sum(1)


@fault(gaussian_log_prob, cause="factor of a size", words=("1/n", "features"))
def mean_over_features(obs, **given):
    """The mean of the features' log densities."""
    return gaussian_log_prob(obs=obs, **given) / max(obs.shape[1], 1)


@fault(gaussian_log_prob, cause=("offset per entry", "another step"), words="0.91893")
def without_log_2pi(obs, **given):
    """The constant is left out, which in a loss does not matter."""
    return gaussian_log_prob(obs=obs, **given) + obs.shape[1] * _LOG_2PI / 2


@fault(bernoulli_log_prob, cause=("negated", "another step"), words="sign")
def logits_of_zero(score, obs, given):
    """Logits are taken for those of a zero."""
    return bernoulli_log_prob(-score if given == "logits" else score, obs, given)


@fault(bernoulli_log_prob, cause=("option ignored", "another option"), words="given='logits' is computed")
def probabilities_through_sigmoid(score, obs, given):
    """Probabilities go through the sigmoid once more."""
    return bernoulli_log_prob(score, obs, "logits")


@fault(bernoulli_log_prob, cause="constant factor", words="the result is multiplied by -1")
def loss_for_log_probability(**asked):
    """The cross entropy, which is the negative of what is asked."""
    return -bernoulli_log_prob(**asked)


@fault(
    log_importance_weights, cause="one slice for all", words="the first slice of noise along samples is used for all"
)
def one_noise_for_all_samples(noise, **given):
    """The noise is drawn once for each datum, and expanded over its samples."""
    return log_importance_weights(noise=noise[:, :1].expand_as(noise), **given)


@fault(log_importance_weights, cause="permuted blocks", words=("2*latent", "in the order 1, 0"))
def deviations_first(encoder, bias, **given):
    """The encoder's halves are taken for log σ and μ."""
    return log_importance_weights(encoder=encoder.roll(len(bias) // 2, 0), bias=bias.roll(len(bias) // 2), **given)


@fault(log_importance_weights, cause="gradient scaled", words=("the gradient in", "encoder"))
def samples_detached(x, encoder, bias, noise, decoder, likelihood):
    """The samples are constants: drawn with sample() where rsample() is meant."""
    mu, log_std = (x @ encoder.mT + bias).chunk(2, -1)
    z = (mu[:, None] + log_std.exp()[:, None] * noise).detach()
    of_z = (noise.square() - z.square()).sum(-1) / 2 + log_std.sum(-1, keepdim=True)
    predicted = z @ decoder.mT
    if likelihood == "gaussian":
        return of_z - ((x[:, None] - predicted).square() / 2 + _LOG_2PI / 2).sum(-1)
    functional = torch.nn.functional
    return of_z + (
        x[:, None] * functional.logsigmoid(predicted) + (1 - x[:, None]) * functional.logsigmoid(-predicted)
    ).sum(-1)


@fault(elbo, cause="factor of a size", words=("n/(n - 1)", "samples"))
def unbiased_mean(log_weights):
    """Divided by K - 1, as for a variance."""
    return log_weights.sum(1) / max(log_weights.shape[1] - 1, 1)


@fault(elbo, cause="one slice for all", words="the last slice of log_weights along samples is used for all")
def last_sample(log_weights):
    """Only the last sample is left when the loop ends."""
    return log_weights[:, -1]


@fault(elbo, cause="samples leak", words="others in its batch")
def mean_over_the_batch(log_weights):
    """The mean over all data stands for each of them."""
    return log_weights.mean().expand(len(log_weights)) if len(log_weights) else log_weights.sum(1)


@fault(iwelbo, cause="offset of a size", words=("log n", "samples"))
def log_k_twice(log_weights):
    """log K is subtracted within and once more without."""
    return iwelbo(log_weights) - math.log(log_weights.shape[1])


@fault(iwelbo, cause="nonfinite swallowed or invented", words="invented")
def largest_not_subtracted(log_weights):
    """exp of log weights as they are: too large for a float, or zero."""
    return log_weights.exp().mean(1).log()


@fault(iwelbo, cause="another function of the result", words="the exponential of the right result")
def weight_for_its_logarithm(log_weights):
    """The mean weight, whose logarithm is forgotten."""
    return log_weights.exp().mean(1)


@fault(iwelbo_gradient, cause="another axis", words="batch is taken for samples")
def normalised_over_the_batch(log_weights):
    """softmax along the batch."""
    return torch.softmax(log_weights, 0)


@fault(iwelbo_gradient, cause="argument written", words="log_weights", backend="numpy", dtypes=WIDE)
def softmax_in_place(log_weights):
    """The largest is subtracted in the argument's memory."""
    log_weights -= log_weights.max(1, keepdims=True)
    weights = np.exp(log_weights)
    return weights / weights.sum(1, keepdims=True)


@fault(iwelbo_gradient, cause="factor of a size", words=("1/n", "samples"))
def mean_of_weighted(log_weights):
    """The loss is a mean over samples where it should be a sum."""
    return iwelbo_gradient(log_weights) / log_weights.shape[1]


@correct(gaussian_log_prob, backend="numpy", dtypes=WIDE)
def logarithm_of_each_density(obs, mu, log_std):
    """One feature after another, from the last to the first."""
    total = np.zeros(len(obs), obs.dtype)
    for feature in reversed(range(obs.shape[1])):
        z = (obs[:, feature] - mu[:, feature]) / np.exp(log_std[:, feature])
        total -= z * z / 2 + (log_std[:, feature] + obs.dtype.type(_LOG_2PI / 2))
    return total


@correct(bernoulli_log_prob)
def by_classes(score, obs, given):
    """Ones and zeros apart: only what was observed is given to a logarithm, so that nothing is 0/0 on the way back."""
    on = obs == 1
    seen = torch.zeros_like(score)
    if given == "logits":
        seen[on], seen[~on] = torch.nn.functional.logsigmoid(score[on]), torch.nn.functional.logsigmoid(-score[~on])
    else:
        seen[on], seen[~on] = torch.log(score[on]), torch.log1p(-score[~on])
    return seen.sum(1)


@correct(elbo, backend="numpy")
def exact_sum(log_weights):
    """math.fsum, which rounds once."""

    def mean(row):
        try:
            return math.fsum(row) / len(row)
        except (ValueError, OverflowError):
            return row.sum() / len(row)

    return np.array([mean(row) for row in log_weights.astype(float)], log_weights.dtype)


@correct(iwelbo, dtypes=WIDE)
def sorted_first(log_weights):
    """The weights from the smallest to the largest, in relation to the largest."""
    ordered = log_weights.sort(1).values
    largest = torch.where(ordered[:, -1:].isfinite(), ordered[:, -1:], 0)
    return largest[:, 0] + torch.expm1(ordered - largest).mean(1).log1p()


@correct(iwelbo_gradient)
def from_log_softmax(log_weights):
    """The exponential of the log weights less their logsumexp."""
    return torch.log_softmax(log_weights, 1).exp()


@correct(log_importance_weights)
def datum_by_datum(x, encoder, bias, noise, decoder, likelihood):
    """Each datum by itself."""
    rows = [
        log_importance_weights(x[i : i + 1], encoder, bias, noise[i : i + 1], decoder, likelihood)
        for i in range(len(x))
    ]
    return torch.cat(rows) if rows else noise.sum(2)
