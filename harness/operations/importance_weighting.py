"""Importance weighting: log probabilities, the weights of samples, and the bounds that they give.

With K samples z_k of a proposal q(z|x), the log weights are log w_k = log p(x|z_k) + log p(z_k) − log q(z_k|x). Their mean
is the ELBO of Kingma and Welling (2014); log Σ w_k − log K is the K-sample bound of Burda, Grosse and Salakhutdinov (2016).

Every implementation of `iwelbo` that subtracts log K comes out unstable, and is: nearly equal weights near 1 leave a
bound that is far smaller than log K. `torch_bernoulli` is for probabilities, which it moves away from 0 and 1.

Sources: docs/sources.md#importance-weighting.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.dtypes import WIDE
from harness.declare.ranges import within
from harness.declare.structure import RandomSource, structure, typical
from harness.errors import Unsupported

_LOG_2PI = math.log(2 * math.pi)
_LONG_LOG_2PI = np.log(np.longdouble(8) * np.arctan(np.longdouble(1)))
_MOST_PREDICTIONS = 2**12

Given = Literal["probabilities", "logits"]
Likelihood = Literal["gaussian", "bernoulli"]


@typical
def log_deviations(stream: RandomSource) -> Any:
    """Logarithms of standard deviations from 1/6 to 6."""
    return stream.normal() / 2


@structure(
    admits=lambda values, known: known["given"] == "logits" or within(0, 1).admits(values),
    simpler=lambda stream: (np.zeros(stream.shape),),
)
def scores(stream: RandomSource) -> Any:
    """Logits up to ±56, or probabilities; in a case in four some probabilities are exactly 0 or 1."""
    if stream.known["given"] == "logits":
        return stream.normal() * np.array([1, 4, 16, 1])[stream.seed % 4]
    probabilities = stream.uniform()
    if stream.seed % 4 == 0:
        return np.where(stream.integers(0, 3) == 0, stream.integers(0, 1), probabilities)
    return probabilities


@structure(
    admits=lambda values, known: bool(np.isin(values, (0, 1)).all()), simpler=lambda stream: (np.zeros(stream.shape),)
)
def bits(stream: RandomSource) -> Any:
    """Zeros and ones."""
    return stream.integers(0, 1)


@structure(
    admits=lambda values, known: known["likelihood"] == "gaussian" or bool(np.isin(values, (0, 1)).all()),
    simpler=lambda stream: (np.zeros(stream.shape),),
)
def data(stream: RandomSource) -> Any:
    """A bell for a Gaussian likelihood, zeros and ones for Bernoulli's."""
    return stream.normal() if stream.known["likelihood"] == "gaussian" else stream.integers(0, 1).astype(float)


@typical
def bell(stream: RandomSource) -> Any:
    """Normals, whatever the pattern."""
    return stream.normal()


@typical
def layer_rows(stream: RandomSource) -> Any:
    """Rows of norm about 1, so that what a layer gives is as large as what it gets."""
    return stream.normal() / np.sqrt(max(stream.shape[-1], 1))


@typical
def small_biases(stream: RandomSource) -> Any:
    """Biases about 1/2."""
    return stream.normal() / 2


@typical
def weights_of_samples(stream: RandomSource) -> Any:
    """Log weights as they occur: of one size, far below 0, all equal, one dominant, far apart, some −∞, nearly equal.

    None has a bound of exactly 0, of which u can't tell what the subtraction of log K may leave.
    """
    values, kind = stream.normal(), stream.seed % 8
    if not values.size:
        return values
    if kind == 3:
        return np.full(stream.shape, values.flat[0])
    if kind == 4:
        values[:, stream.integers(0, stream.shape[1] - 1, (1,))[0]] += 40
    if kind == 6 and stream.shape[1] > 1:
        values[:, 1:][stream.integers(0, 3, (stream.shape[0], stream.shape[1] - 1)) == 0] = -np.inf
    scale, shift = {1: (1, -100), 2: (8, -400), 5: (256, 0), 7: (1 / 64, 1 / 8)}.get(kind, (1, 0))
    return values * scale + shift


def few_predictions(batch: int, samples: int, features: int, latent: int) -> bool:
    """Every sample of every datum predicts every feature."""
    return batch * samples * (features + latent) <= _MOST_PREDICTIONS


def _gaussian(obs: Tensor, mu: Tensor, log_std: Tensor) -> Tensor:
    return (((obs - mu) * (-log_std).exp()).square() / -2 - log_std - _LOG_2PI / 2).sum(-1)


@operation(sizes={"features": (0, 257)})
def gaussian_log_prob(
    obs: Float[Tensor, "batch features"],
    mu: Float[Tensor, "batch features"],
    log_std: Annotated[Float[Tensor, "batch features"], log_deviations],
) -> Float[Tensor, "batch"]:
    """The log density of independent normals: Σ −½((obs − mu)/σ)² − log σ − ½ log 2π (S1).

    obs, mu, log_std: (batch, features), log_std = log σ; result: (batch,).
    """
    return _gaussian(obs, mu, log_std)


@gaussian_log_prob.in_extended_precision
def long_gaussian(obs, mu, log_std):
    """The same maths on long doubles."""
    return (np.square((obs - mu) / np.exp(log_std)) / -2 - log_std - _LONG_LOG_2PI / 2).sum(-1)


@gaussian_log_prob.implementation(backend="torch")
def torch_normal(obs, mu, log_std):
    """torch.distributions' Normal, made independent over the features."""
    normal = torch.distributions.Normal(mu, log_std.exp(), validate_args=False)
    return torch.distributions.Independent(normal, 1, validate_args=False).log_prob(obs)


@gaussian_log_prob.implementation(backend="torch")
def as_posted(obs, mu, log_std):
    """The form of S1: the constant is taken once, after the sum."""
    summed = torch.sum(-0.5 * ((obs - mu) / torch.exp(log_std)) ** 2 - log_std, 1)
    return summed - 0.5 * obs.shape[1] * _LOG_2PI


@gaussian_log_prob.implementation(backend="torch")
def torch_nll_loss(obs, mu, log_std):
    """torch.nn.functional's gaussian_nll_loss, which takes the variance."""
    variance = (2 * log_std).exp()
    loss = torch.nn.functional.gaussian_nll_loss
    return -loss(mu, obs, variance, full=True, eps=torch.finfo(obs.dtype).tiny, reduction="none").sum(1)


@gaussian_log_prob.implementation(backend="scipy")
def scipy_normal(obs, mu, log_std):
    """scipy.stats' norm, in float64."""
    from scipy.stats import norm

    return norm.logpdf(obs.astype(np.float64), mu, np.exp(log_std.astype(np.float64))).sum(1).astype(obs.dtype)


@gaussian_log_prob.implementation(backend="numpy", dtypes=WIDE)
def by_products(obs, mu, log_std):
    """Squares added up by a contraction, log σ and the constant apart."""
    z = (obs - mu) * np.exp(-log_std)
    return np.einsum("bf,bf->b", z, z) / -2 - log_std.sum(1) - obs.dtype.type(z.shape[1] * _LOG_2PI / 2)


@operation(sizes={"features": (0, 257)})
def bernoulli_log_prob(
    score: Annotated[Float[Tensor, "batch features"], scores],
    obs: Annotated[Int[Tensor, "batch features"], bits],
    given: Given,
) -> Float[Tensor, "batch"]:
    """The log probability of zeros and ones: Σ log θ where obs is 1, Σ log(1 − θ) where it is 0 (S1).

    score: (batch, features), the probabilities θ, or logits with θ = sigmoid(logit); obs: (batch, features), 0 or 1;
    result: (batch,), −∞ where what is impossible was observed (claim bernoulli.epsilon).
    """
    on = obs == 1
    if given == "logits":
        return -torch.nn.functional.softplus(torch.where(on, -score, score), threshold=800).sum(-1)
    likely, unlikely = score.where(on, 1).log(), (-score.where(~on, 0)).log1p()
    return (likely + unlikely).sum(-1)


@bernoulli_log_prob.in_extended_precision
def long_bernoulli(score, obs, given):
    """The same maths on long doubles."""
    if given == "logits":
        return -np.logaddexp(0, np.where(obs == 1, -score, score)).sum(-1)
    return np.where(obs == 1, np.log(score), np.log1p(-score)).sum(-1)


@bernoulli_log_prob.implementation(backend="torch")
def torch_bernoulli(score, obs, given):
    """torch.distributions' Bernoulli; it moves probabilities away from 0 and 1 by one eps, so that nothing is impossible."""
    parameter = {"probs": score} if given == "probabilities" else {"logits": score}
    made = torch.distributions.Bernoulli(**parameter, validate_args=False)
    return made.log_prob(obs.to(score)).sum(-1)


@bernoulli_log_prob.implementation(backend="torch")
def torch_cross_entropy(score, obs, given):
    """torch.nn.functional's binary cross entropy; of probabilities it cuts logarithms off at −100."""
    functional = torch.nn.functional
    loss = functional.binary_cross_entropy
    if given == "logits":
        loss = functional.binary_cross_entropy_with_logits
    return -loss(score, obs.to(score), reduction="none").sum(-1)


@bernoulli_log_prob.implementation(backend="scipy")
def scipy_bernoulli(score, obs, given):
    """scipy.stats' bernoulli, and scipy.special's log_expit, in float64."""
    from scipy.special import log_expit
    from scipy.stats import bernoulli

    wide = score.astype(np.float64)
    if given == "logits":
        return log_expit(np.where(obs == 1, wide, -wide)).sum(1).astype(score.dtype)
    return bernoulli.logpmf(obs, wide).sum(1).astype(score.dtype)


@bernoulli_log_prob.implementation(backend="numpy", dtypes=WIDE)
def by_signs(score, obs, given):
    """Logits by a hinge and log(1 + e^−|l|); probabilities by the logarithm of what was observed."""
    sign = (2 * obs - 1).astype(score.dtype)
    if given == "logits":
        agreed = score * sign
        return (np.minimum(agreed, 0) - np.log1p(np.exp(-np.abs(agreed)))).sum(1)
    return np.where(obs == 1, np.log(score), np.log1p(-score)).sum(1)


def _bernoulli(x: Tensor, logits: Tensor) -> Tensor:
    """x log θ + (1 − x) log(1 − θ), whose gradient in x is the one that everybody has."""
    logsigmoid = torch.nn.functional.logsigmoid
    return x * logsigmoid(logits) + (1 - x) * logsigmoid(-logits)


@operation(sizes={"batch": (0, 9), "samples": (1, 65), "features": (1, 65), "latent": (1, 17)}, where=few_predictions)
def log_importance_weights(
    x: Annotated[Float[Tensor, "batch features"], data],
    encoder: Annotated[Float[Tensor, "2*latent features"], layer_rows],
    bias: Annotated[Float[Tensor, "2*latent"], small_biases],
    noise: Annotated[Float[Tensor, "batch samples latent"], bell],
    decoder: Annotated[Float[Tensor, "features latent"], layer_rows],
    likelihood: Likelihood,
) -> Float[Tensor, "batch samples"]:
    """log p(x|z) + log p(z) − log q(z|x) of K samples z = μ + σ·noise of each datum (claims iwae.encode-once, exact-posterior).

    x: (batch, features), 0 or 1 for the Bernoulli likelihood; encoder, bias: x ↦ μ and log σ, (2·latent, features) and
    (2·latent,), means first; noise: (batch, samples, latent); decoder: (features, latent), z ↦ the mean of a normal of
    variance 1, or logits; the prior of z is standard normal. Since z − μ = σ·noise, log q takes no difference.
    """
    mu, log_std = (x @ encoder.mT + bias).chunk(2, -1)
    z = mu[:, None] + log_std.exp()[:, None] * noise
    of_z = (noise.square() - z.square()).sum(-1) / 2 + log_std.sum(-1, keepdim=True)
    predicted = z @ decoder.mT
    if likelihood == "gaussian":
        return of_z - ((x[:, None] - predicted).square() / 2 + _LOG_2PI / 2).sum(-1)
    return of_z + _bernoulli(x[:, None], predicted).sum(-1)


@log_importance_weights.in_extended_precision
def long_weights(x, encoder, bias, noise, decoder, likelihood):
    """The same maths on long doubles."""
    mu, log_std = np.split(x @ encoder.T + bias, 2, axis=-1)
    z = mu[:, None] + np.exp(log_std)[:, None] * noise
    of_z = (np.square(noise) - np.square(z)).sum(-1) / 2 + log_std.sum(-1, keepdims=True)
    predicted = z @ decoder.T
    if likelihood == "gaussian":
        return of_z - (np.square(x[:, None] - predicted) / 2 + _LONG_LOG_2PI / 2).sum(-1)
    return of_z - np.logaddexp(0, predicted * (1 - 2 * x[:, None])).sum(-1)


def _flat_weights(x, mu, log_std, noise, decoder, likelihood):
    """The log weights of one sample a row, by the densities as S1 has them, without its 1e-18."""
    z = mu + log_std.exp() * noise.reshape(mu.shape)
    predicted, nothing = z @ decoder.mT, torch.zeros_like(z)
    if likelihood == "gaussian":
        log_p_x = _gaussian(x, predicted, torch.zeros_like(predicted))
    else:
        log_p_x = _bernoulli(x, predicted).sum(1)
    return (log_p_x + _gaussian(z, nothing, nothing) - _gaussian(z, mu, log_std)).reshape(noise.shape[:2])


@log_importance_weights.implementation(backend="torch")
def encode_once(x, encoder, bias, noise, decoder, likelihood):
    """The answer in S1: the data are encoded once, and the statistics are repeated for every sample."""
    samples = noise.shape[1]
    statistics = torch.nn.functional.linear(x, encoder, bias).repeat_interleave(samples, 0)
    return _flat_weights(x.repeat_interleave(samples, 0), *statistics.chunk(2, 1), noise, decoder, likelihood)


@log_importance_weights.implementation(backend="torch")
def encode_repeated(x, encoder, bias, noise, decoder, likelihood):
    """The question in S1: the data are repeated for every sample, and encoded as often."""
    repeated = x.repeat_interleave(noise.shape[1], 0)
    statistics = torch.nn.functional.linear(repeated, encoder, bias)
    return _flat_weights(repeated, *statistics.chunk(2, 1), noise, decoder, likelihood)


@log_importance_weights.implementation(backend="torch", name="torch_distributions")
def weights_by_distributions(x, encoder, bias, noise, decoder, likelihood):
    """torch.distributions' Normal and Bernoulli, samples before data as they broadcast."""
    distributions = torch.distributions
    mu, log_std = torch.nn.functional.linear(x, encoder, bias).chunk(2, 1)
    proposal = distributions.Normal(mu, log_std.exp(), validate_args=False)
    z = mu + proposal.scale * noise.movedim(1, 0)
    predicted = z @ decoder.mT
    if likelihood == "gaussian":
        seen = distributions.Normal(predicted, torch.ones_like(predicted), validate_args=False)
    else:
        seen = distributions.Bernoulli(logits=predicted, validate_args=False)
    prior = distributions.Normal(torch.zeros_like(z), torch.ones_like(z), validate_args=False)
    return (seen.log_prob(x).sum(-1) + (prior.log_prob(z) - proposal.log_prob(z)).sum(-1)).movedim(0, 1)


@log_importance_weights.implementation(backend="numpy", name="contracted", dtypes=WIDE)
def weights_by_contraction(x, encoder, bias, noise, decoder, likelihood):
    """numpy's einsum, with each density's squares contracted."""
    latent = noise.shape[2]
    statistics = np.einsum("bf,lf->bl", x, encoder) + bias
    mu, log_std = statistics[:, None, :latent], statistics[:, None, latent:]
    z = mu + np.exp(log_std) * noise
    of_z = np.einsum("bkl,bkl->bk", noise - z, noise + z) / 2 + log_std.sum(-1)
    predicted = np.einsum("bkl,fl->bkf", z, decoder)
    if likelihood == "gaussian":
        apart = x[:, None] - predicted
        constant = x.dtype.type(x.shape[1] * _LOG_2PI / 2)
        return of_z - np.einsum("bkf,bkf->bk", apart, apart) / 2 - constant
    return of_z - np.logaddexp(0, np.where(x[:, None] == 1, -predicted, predicted)).sum(-1)


@operation(sizes={"samples": (1, 257)}, linear_in="log_weights")
def elbo(log_weights: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch"]:
    """The evidence lower bound: the mean of the log weights (claims iwae.k-one, iwae.vae-branch).

    log_weights: (batch, samples); result: (batch,).
    """
    return log_weights.mean(1)


@elbo.in_extended_precision
def long_elbo(log_weights):
    """The same mean in long double."""
    return log_weights.sum(1) / log_weights.shape[1]


@elbo.implementation(backend="torch")
def posted_branch(log_weights):
    """The "vae" branch of S1: each log weight over K stands alone, its normalised weight is 1, and all are added up.

    S1 adds up the whole batch as well; here each datum keeps its own sum. An infinite weight is declined.
    """
    if not log_weights.isfinite().all():
        raise Unsupported("the posted branch takes the maximum from itself, which makes NaN of an infinite weight")
    rows = log_weights.reshape(-1, 1) / log_weights.shape[1]
    weights = torch.exp(rows - rows.max(1, keepdim=True)[0])
    normalised = weights / weights.sum(1, keepdim=True)
    return (rows * normalised).sum(1).reshape(log_weights.shape).sum(1)


@elbo.implementation(backend="torch")
def average_pooling(log_weights):
    """torch.nn's adaptive average pooling."""
    return torch.nn.functional.adaptive_avg_pool1d(log_weights[:, None], 1)[:, 0, 0]


@elbo.implementation(backend="numpy")
def numpy_average(log_weights):
    """numpy's weighted average, with equal weights."""
    return np.average(log_weights, axis=1, weights=np.full(log_weights.shape[1], 1, log_weights.dtype))


@operation(sizes={"samples": (1, 257)})
def iwelbo(
    log_weights: Annotated[Float[Tensor, "batch samples"], weights_of_samples],
) -> Float[Tensor, "batch"]:
    """The importance weighted bound log(Σ w_k / K) of K samples (claims iwae.formula, iwae.k-one, iwae.monotone).

    log_weights: (batch, samples); result: (batch,). The logarithm of the mean weight in relation to the largest one,
    where nearly equal weights leave no difference of logarithms to take.
    """
    largest = log_weights.amax(1, keepdim=True)
    largest = torch.where(largest.isfinite(), largest, 0)
    above_none = (log_weights - largest).expm1().mean(1)
    near = above_none > -0.5
    of_near = torch.where(near, above_none, 0).log1p()
    of_far = torch.where(near, 1, (log_weights - largest).exp().mean(1)).log()
    return largest[:, 0] + torch.where(near, of_near, of_far)


@iwelbo.in_extended_precision
def long_bound(log_weights):
    """The same in long double."""
    largest = log_weights.max(1)
    largest = np.where(np.isfinite(largest), largest, 0)
    apart = log_weights - largest[:, None]
    above_none = np.expm1(apart).sum(1) / apart.shape[1]
    far = np.log(np.exp(apart).sum(1) / apart.shape[1])
    return largest + np.where(above_none > -0.5, np.log1p(np.maximum(above_none, -0.5)), far)


@iwelbo.implementation(backend="torch")
def as_answered(log_weights):
    """The answer in S1: logsumexp less log K."""
    return torch.logsumexp(log_weights, 1) - math.log(log_weights.shape[1])


@iwelbo.implementation(backend="torch")
def in_pairs(log_weights):
    """Halves folded onto each other by logaddexp, as a tree does."""
    left = log_weights
    while left.shape[1] > 1:
        half = left.shape[1] // 2
        left = torch.cat([torch.logaddexp(left[:, :half], left[:, half : 2 * half]), left[:, 2 * half :]], 1)
    return left[:, 0] - math.log(log_weights.shape[1])


@iwelbo.implementation(backend="scipy")
def scipy_logsumexp(log_weights):
    """scipy.special's logsumexp with weights of 1/K."""
    from scipy.special import logsumexp

    return logsumexp(log_weights, axis=1, b=1 / log_weights.shape[1]).astype(log_weights.dtype)


@iwelbo.implementation(backend="numpy", dtypes=WIDE)
def running(log_weights):
    """numpy's logaddexp, one sample after another."""
    return np.logaddexp.reduce(log_weights, axis=1) - log_weights.dtype.type(math.log(log_weights.shape[1]))


_ENTRY_BY_ENTRY = {
    "nonfinite_propagation": "beside an infinite weight it gives 0 for the others, where a softmax gives NaN"
}


@operation(sizes={"samples": (1, 129)}, differentiable=False)
def iwelbo_gradient(log_weights: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch samples"]:
    """The gradient of the bound in the log weights: the normalised weights w_k / Σ w (claim iwae.stop-gradient).

    log_weights: (batch, samples); result: (batch, samples). An infinite weight, or none above 0, leaves all NaN.
    """
    return torch.softmax(log_weights, 1)


@iwelbo_gradient.in_extended_precision
def long_normalised(log_weights):
    """The same in long double."""
    weights = np.exp(log_weights - log_weights.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)


def _gradient_of(bound, log_weights):
    """torch's autograd of the sum of a bound over the batch."""
    with torch.enable_grad():
        asked = log_weights.detach().requires_grad_()
        return torch.autograd.grad(bound(asked).sum(), asked)[0]


@iwelbo_gradient.implementation(backend="torch", exempt=_ENTRY_BY_ENTRY)
def autograd_of_bound(log_weights):
    """torch's autograd through logsumexp less log K."""
    return _gradient_of(lambda each: torch.logsumexp(each, 1) - math.log(each.shape[1]), log_weights)


@iwelbo_gradient.implementation(backend="torch")
def stop_gradient(log_weights):
    """torch's autograd through Σ w̃_k log w_k with the normalised weights w̃ detached, as the answer in S1 mends it."""
    return _gradient_of(lambda each: (torch.softmax(each, 1).detach() * each).sum(1), log_weights)


@iwelbo_gradient.implementation(backend="scipy")
def scipy_softmax(log_weights):
    """scipy.special's softmax."""
    from scipy.special import softmax

    return softmax(log_weights, axis=1)


@iwelbo_gradient.implementation(backend="numpy", dtypes=WIDE, exempt=_ENTRY_BY_ENTRY)
def against_each_other(log_weights):
    """Each weight as 1 / Σ_j exp(log w_j − log w_k), with no maximum taken: beside a far larger one it is 1/∞ = 0."""
    return 1 / np.exp(log_weights[:, None] - log_weights[:, :, None]).sum(2)
