"""Importance weighting: the definitions against mpmath, and the figures that the documents' code gives."""

import mpmath
import numpy as np
import pytest
import torch

import harness
from harness.operations.importance_weighting import (
    bernoulli_log_prob,
    elbo,
    gaussian_log_prob,
    iwelbo,
    iwelbo_gradient,
    log_importance_weights,
)

LOG_WEIGHTS = [[-3.5, 0.25, 1.75], [-100.0, -101.5, -140.0], [2.0, 2.0, 2.0]]


def every_implementation(operation, *options, **arguments):
    call = harness.Call(operation, arguments, dict(zip(operation.options, options, strict=True)))
    for made in (operation.own, *operation.implementations.values()):
        if torch.float64 in made.dtypes or made is operation.own:
            yield made.name, harness.Subject(operation, made)(call)[0]


def wide(nested):
    return torch.tensor(nested, dtype=torch.float64)


def held(found, expected, relative=1e-14):
    for name, result in found:
        assert result.tolist() == pytest.approx(expected, rel=relative), name


def test_bounds_against_mpmath():
    weights = wide(LOG_WEIGHTS)
    with mpmath.workdps(40):
        sums = [mpmath.fsum(map(mpmath.exp, row)) for row in LOG_WEIGHTS]
        bounds = [float(mpmath.log(total / 3)) for total in sums]
        shares = [[float(mpmath.exp(w) / total) for w in row] for row, total in zip(LOG_WEIGHTS, sums, strict=True)]
    held(every_implementation(iwelbo, log_weights=weights), bounds)
    held(every_implementation(elbo, log_weights=weights), [sum(row) / 3 for row in LOG_WEIGHTS])
    for name, found in every_implementation(iwelbo_gradient, log_weights=weights):
        for row, share in zip(found.tolist(), shares, strict=True):
            assert row == pytest.approx(share, rel=1e-13), name


def test_log_probabilities_against_mpmath():
    obs, mu, log_std, logits, seen = [0.5, -2.0], [1.25, 3.0], [0.5, -1.0], [17.0, -3.0], [0, 1]
    with mpmath.workdps(40):
        z = [(o - m) / mpmath.exp(s) for o, m, s in zip(obs, mu, log_std, strict=True)]
        gaussian = mpmath.fsum(-v * v / 2 - s for v, s in zip(z, log_std, strict=True)) - mpmath.log(2 * mpmath.pi)
        bernoulli = -mpmath.log1p(mpmath.exp(17)) - mpmath.log1p(mpmath.exp(3))
    held(
        every_implementation(gaussian_log_prob, obs=wide([obs]), mu=wide([mu]), log_std=wide([log_std])),
        [float(gaussian)],
    )
    held(
        every_implementation(bernoulli_log_prob, "logits", score=wide([logits]), obs=torch.tensor([seen])),
        [float(bernoulli)],
    )
    held(
        every_implementation(bernoulli_log_prob, "probabilities", score=wide([[0.25, 0.75]]), obs=torch.tensor([seen])),
        [float(2 * mpmath.log(0.75))],
    )


def test_weights_of_the_exact_posterior_are_log_p_of_x():
    """One latent seen with the factor 1: the posterior is N(x/2, 1/2), and p(x) is N(0, 2)."""
    arguments = {
        "x": wide([[1.5]]),
        "encoder": wide([[0.5], [0.0]]),
        "bias": wide([0.0, -0.5 * float(mpmath.log(2))]),
        "noise": wide([[[0.3], [-2.0], [1.1]]]),
        "decoder": wide([[1.0]]),
    }
    log_p = float(-(mpmath.mpf(1.5) ** 2) / 4 - mpmath.log(4 * mpmath.pi) / 2)
    for name, found in every_implementation(log_importance_weights, "gaussian", **arguments):
        assert found.flatten().tolist() == pytest.approx([log_p] * 3, rel=1e-14), name


def test_the_posted_likelihood_at_a_logit_of_17():
    theta = torch.sigmoid(torch.tensor([[17.0]]))
    assert torch.log(1 - theta + 1e-18).item() == pytest.approx(-41.4465, abs=1e-3)
    right = bernoulli_log_prob(torch.tensor([[17.0]]), torch.tensor([[0]]), "logits")
    assert right.item() == pytest.approx(-17)
    assert bernoulli_log_prob(torch.tensor([[0.0]]), torch.tensor([[1]]), "probabilities").item() == -torch.inf


def test_weights_of_zero_have_a_bound_of_minus_infinity():
    nothing = wide([[-torch.inf, -torch.inf], [0.0, -torch.inf]])
    for name, found in every_implementation(iwelbo, log_weights=nothing):
        assert found.tolist() == pytest.approx([-torch.inf, -float(mpmath.log(2))]), name


def test_what_bernoulli_observes_is_0_or_1_and_what_a_gaussian_does_is_anything():
    twos, observed = np.full((1, 1), 2.0), log_importance_weights.tensors["x"]
    assert not observed.admits(twos, {"likelihood": "bernoulli"})
    assert observed.admits(twos / 2, {"likelihood": "bernoulli"})
    assert observed.admits(twos, {"likelihood": "gaussian"})


def test_a_probability_is_none_beyond_1_and_a_logit_is_any_number():
    twos, score = np.full((1, 1), 2.0), bernoulli_log_prob.tensors["score"]
    assert not score.admits(twos, {"given": "probabilities"})
    assert score.admits(twos / 4, {"given": "probabilities"})
    assert score.admits(twos, {"given": "logits"})
