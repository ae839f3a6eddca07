"""Importance weighting: what the bounds are of each other, of log p(x), and of the order of samples.

Sources: docs/sources.md#importance-weighting.
"""

import math

import numpy as np
import torch

import harness

BOUNDS = ("elbo", "iwelbo")
_MOST_DRAWS = 16


def gaussian(case):
    """The cases with a Gaussian likelihood, in which log p(x) has a closed form."""
    if case.options["likelihood"] == "gaussian":
        yield case


def of_logits(case):
    """The cases that are given logits."""
    if case.options["given"] == "logits":
        yield case


def _whole(unit, informative):
    """The part of a number that comes from all samples."""
    return harness.ExpectedTensor(np.zeros(1), None, np.array([unit]), np.array([bool(informative)]))


@harness.property(of=BOUNDS)
def one_sample(implementation, case):
    """The bound of one sample is its log weight, which is the ELBO (claim iwae.k-one)."""
    call = case.call()
    first = call.replace(log_weights=call.arguments["log_weights"][:, :1])
    part = harness.reference(case, first).parts[0]
    (bound,) = implementation(first)
    yield harness.close(
        "against the log weight", bound, first.arguments["log_weights"][:, 0], case, like=part, both_rounded=True
    )


@harness.property(of=BOUNDS)
def samples_in_any_order(implementation, case):
    """Samples in another order give the same bound."""
    call = case.call()
    turned = call.replace(log_weights=call.arguments["log_weights"].flip(1))
    part = harness.reference(case).parts[0]
    yield harness.close(
        "samples in reverse order",
        implementation(turned)[0],
        implementation(call)[0],
        case,
        like=part,
        both_rounded=True,
    )


@harness.property(of=BOUNDS)
def common_factor(implementation, case):
    """Weights twice as large in their logarithm's unit, log w + 2, have a bound that is larger by 2."""
    call = case.call()
    raised = call.replace(log_weights=call.arguments["log_weights"] + 2)
    parts = [harness.reference(case, each).parts[0] for each in (call, raised)]
    part = parts[1].derived(parts[0].noise_floor + parts[1].noise_floor, parts[0])
    expected = harness.as_array(implementation(call)[0]) + 2
    yield harness.close("bound of log w + 2", implementation(raised)[0], expected, case, like=part, both_rounded=True)


@harness.property(of="iwelbo")
def between_mean_and_largest(implementation, case):
    """The bound is not below the mean log weight, nor below the largest less log K, nor above the largest."""
    weights, (bound,) = case.tensors["log_weights"].double().numpy(), map(harness.as_array, implementation(case))
    part = harness.reference(case).parts[0]
    largest = weights.max(1, initial=-np.inf)
    least = np.maximum(weights.mean(1), largest - math.log(weights.shape[1]))
    yield harness.close("above what it may be at least", np.maximum(least, bound), bound, case, like=part)
    yield harness.close("below what it may be at most", np.minimum(largest, bound), bound, case, like=part)


@harness.property(of="iwelbo")
def expected_bound_grows(implementation, case):
    """The expected bound grows with the number of samples and stays below log p(x) (claim iwae.monotone).

    The expectation is exact: of a proposal that gives two weights equally often, K samples hold the first one c times
    with the binomial probability of c, and p(x) is the mean of the two.
    """
    weights = case.call().arguments["log_weights"]
    if weights.shape[1] < 2 or not weights[:, :2].isfinite().all():
        return
    pair = weights[case.seed % len(weights), :2]
    most = min(weights.shape[1], _MOST_DRAWS)
    expected = {draws: _expected_bound(implementation, case, pair, draws) for draws in {1, most - 1, most}}
    value, unit = expected[most]
    truth = harness.reference(case, case.plain_call().replace(log_weights=pair[None])).parts[0]
    for draws in sorted(expected.keys() - {most}):
        fewer, finer = expected[draws]
        excess = np.array([max(fewer - value, 0.0)])
        label = f"expected bound of {draws} above that of {most}"
        yield harness.close(label, excess, np.zeros(1), case, like=_whole(unit + finer, math.isfinite(unit + finer)))
    excess, unit = np.array([max(value - float(truth.expected[0]), 0.0)]), unit + truth.noise_floor[0]
    yield harness.close(
        "expected bound above log p(x)", excess, np.zeros(1), case, like=_whole(unit, math.isfinite(unit))
    )


def _expected_bound(implementation, case, pair, draws):
    """The expectation over draws from a pair, and its unavoidable error."""
    first = torch.arange(draws, device=pair.device) < torch.arange(draws + 1, device=pair.device)[:, None]
    call = case.call().replace(log_weights=torch.where(first, pair[0], pair[1]))
    chances = np.array([math.comb(draws, count) / 2**draws for count in range(draws + 1)])
    (bounds,) = implementation(call)
    return float(chances @ harness.as_array(bounds)), float(
        chances @ harness.reference(case, call).parts[0].noise_floor
    )


@harness.property(of="iwelbo_gradient")
def normalised(implementation, case):
    """The normalised weights of a datum add up to 1."""
    (weights,) = implementation(case)
    part = harness.reference(case).parts[0]
    unit = part.noise_floor * math.sqrt(weights.shape[1])
    sums = harness.as_array(weights).sum(1)
    yield harness.close("sum of the weights", sums, np.ones_like(sums), case, like=part.derived(unit))


@harness.property(of="log_importance_weights")
def samples_keep_their_noise(implementation, case):
    """Noise in another order gives the weights in that order: no sample takes another datum's statistics or noise."""
    call = case.call()
    turned = call.replace(noise=call.arguments["noise"].flip(1))
    part = harness.reference(case).parts[0]
    (there,), (here,) = implementation(turned), implementation(call)
    yield harness.close("noise in reverse order", there.flip(1), here, case, like=part, both_rounded=True)


@harness.property(of="log_importance_weights", variants=gaussian)
def exact_posterior(implementation, case):
    """Where the proposal is the posterior, every weight is p(x), whatever the noise: log N(x; 0, DDᵀ + 1) in closed form.

    Each latent is seen in one feature, with a factor d, so that the posterior has mean dx/(1 + d²) and variance 1/(1 + d²).
    """
    call = case.call()
    decoder, encoder, bias = (torch.zeros_like(call.arguments[name]) for name in ("decoder", "encoder", "bias"))
    latent, seen = decoder.shape[1], min(decoder.shape)
    d = call.arguments["decoder"].diagonal()
    torch.diagonal(decoder).copy_(d)
    torch.diagonal(encoder)[:seen].copy_(d / (1 + d * d))
    bias[latent : latent + seen] = torch.log1p(d * d) / -2
    there = call.replace(decoder=decoder, encoder=encoder, bias=bias)
    part = harness.reference(case, there).parts[0]
    x, variance = harness.as_array(call.arguments["x"]), np.ones(decoder.shape[0])
    variance[:seen] += np.square(harness.as_array(d))
    log_p = (np.square(x) / variance / -2 - np.log(2 * np.pi * variance) / 2).sum(1)
    expected = np.broadcast_to(log_p[:, None], part.expected.shape)
    yield harness.close("against log p(x)", implementation(there)[0], expected, case, like=part, both_rounded=True)


@harness.property(of="gaussian_log_prob")
def value_and_mean_exchanged(implementation, case):
    """The density of a value about a mean is that of the mean about the value."""
    call = case.call()
    turned = call.replace(obs=call.arguments["mu"], mu=call.arguments["obs"])
    part = harness.reference(case).parts[0]
    yield harness.close(
        "exchanged", implementation(turned)[0], implementation(call)[0], case, like=part, both_rounded=True
    )


@harness.property(of="bernoulli_log_prob", variants=of_logits)
def complement(implementation, case):
    """Zeros for ones and the negative logits have the same probability."""
    call = case.call()
    turned = call.replace(score=-call.arguments["score"], obs=1 - call.arguments["obs"])
    part = harness.reference(case).parts[0]
    yield harness.close(
        "the complement", implementation(turned)[0], implementation(call)[0], case, like=part, both_rounded=True
    )
