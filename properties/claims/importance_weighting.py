"""What the documents say of importance weighted autoencoders: the bound, its gradient, and the loss as it was posted."""

import math

import numpy as np
import torch
from harness.properties.claims.sources import S1

import harness
from harness import Claim, claim

HELD = (
    Claim(
        "iwae.encode-once",
        S1,
        "The statistics of data encoded once, repeated in order, are those of repeated data encoded as often.",
        of="log_importance_weights",
        by=("agreement", "samples_keep_their_noise"),
    ),
    Claim(
        "iwae.stop-gradient",
        S1,
        "Σ w̃_k log w_k with its normalised weights w̃ detached has exactly the gradient of the bound.",
        of="iwelbo_gradient",
        by=("agreement", "normalised"),
    ),
    Claim("iwae.k-one", S1, "With one sample the bound is the ELBO.", of=("elbo", "iwelbo"), by=("one_sample",)),
    Claim(
        "iwae.monotone",
        S1,
        "The expected bound grows with the number of samples and stays at most log p(x).",
        of="iwelbo",
        by=("expected_bound_grows", "between_mean_and_largest"),
    ),
    Claim(
        "iwae.exact-posterior",
        S1,
        "With the posterior as proposal every weight is p(x), which a linear model with normals has in closed form.",
        of="log_importance_weights",
        by=("exact_posterior",),
    ),
    Claim(
        "iwae.vae-branch",
        S1,
        'The posted "vae" branch, with log w/K in rows of one, is the mean ELBO, and has its gradient.',
        of="elbo",
        by=("agreement", "gradients"),
    ),
)


def finite(case):
    """The cases whose weights are all above 0, since the posted lines are not made for others."""
    if case.tensors["log_weights"].isfinite().all():
        yield case


def of_probabilities(case):
    """The case with probabilities, as the posted likelihood takes them."""
    yield case.replace(options={**case.options, "given": "probabilities"})


def of_logits(case):
    """The case with logits, of which the posted model takes the sigmoid first."""
    yield case.replace(options={**case.options, "given": "logits"})


def _posted_value(log_weights):
    """The loss of S1 without its sign, datum by datum: Σ w̃ log w, with weights w̃ that are not detached."""
    return (torch.softmax(log_weights, 1) * log_weights).sum(1)


def _posted_bernoulli(theta, obs):
    return torch.sum(obs * torch.log(theta + 1e-18) + (1 - obs) * torch.log(1 - theta + 1e-18), 1)


@claim(
    "iwae.no-stop-gradient",
    S1,
    of="iwelbo_gradient",
    variants=finite,
    instead="without detached weights its gradient is w̃_k (1 + log w_k − Σ w̃ log w): another one wherever weights differ",
)
def posted_gradient(bound_gradient, case):
    """The loss as posted, whose weights are not detached, has the gradient of the bound."""
    with torch.enable_grad():
        log_weights = case.call().arguments["log_weights"].requires_grad_()
        (posted,) = torch.autograd.grad(_posted_value(log_weights).sum(), log_weights)
    part = harness.reference(case).parts[0]
    yield harness.close(
        "gradient of the posted loss", posted, bound_gradient(case)[0], case, like=part, both_rounded=True
    )


@claim("iwae.posted-value", S1, of="iwelbo", variants=finite)
def value_of_the_posted_loss(bound, case):
    """The posted loss has the value bound + log K − H(w̃), with the entropy H of the normalised weights."""
    log_weights = case.call().arguments["log_weights"]
    logs = torch.log_softmax(log_weights, 1)
    surplus = math.log(log_weights.shape[1]) + (logs.exp() * logs).sum(1)
    part = harness.reference(case).parts[0]
    rounding = np.finfo(float).eps * (math.log(log_weights.shape[1]) + np.abs(harness.as_array(log_weights)).max(1))
    wider = part.derived(part.noise_floor + rounding)
    yield harness.close(
        "value of the posted loss",
        _posted_value(log_weights),
        bound(case)[0] + surplus,
        case,
        like=wider,
        both_rounded=True,
    )


@claim(
    "iwae.posted-bound",
    S1,
    of="iwelbo",
    variants=finite,
    instead="it is larger than the bound by log K − H(w̃) ≥ 0, and exceeds log p(x) on average as K grows",
)
def posted_loss_is_a_bound(bound, case):
    """The loss as posted is a lower bound of log p(x), on average over samples.

    Of a proposal that gives two weights equally often: p(x) is their mean, and the average over K samples is binomial.
    """
    log_weights = case.call().arguments["log_weights"]
    draws = min(log_weights.shape[1], 16)
    if draws < 2:
        return
    pair = log_weights[0, :2].cpu()
    first = torch.arange(draws) < torch.arange(draws + 1)[:, None]
    chances = torch.tensor([math.comb(draws, count) / 2**draws for count in range(draws + 1)], dtype=torch.float64)
    average = float(chances @ _posted_value(torch.where(first, pair[0], pair[1])))
    (log_p,) = bound(case.call().replace(log_weights=log_weights[:1, :2]))
    within = 1e-9 * float(pair.abs().max())
    yield harness.holds(
        f"the average {average:.6g} of {draws} samples is at most log p(x), {float(log_p):.6g}",
        average <= float(log_p) + within,
        case,
    )


@claim(
    "iwae.formula",
    S1,
    of="iwelbo",
    variants=finite,
    instead="log Σ p/q − log K: the mean of the weights, not their sum",
)
def sum_of_ratios(bound, case):
    """The K-sample bound is log Σ_k p(x|z_k) p(z_k)/q(z_k|x)."""
    posted = torch.logsumexp(case.call().arguments["log_weights"], 1)
    part = harness.reference(case).parts[0]
    yield harness.close("log of the summed weights", posted, bound(case)[0], case, like=part, both_rounded=True)


@claim(
    "bernoulli.epsilon",
    S1,
    of="bernoulli_log_prob",
    dtypes=("float16",),
    variants=of_probabilities,
    instead="float16 has no 1e-18: a probability of 0 or 1 gives NaN or −∞ as before",
)
def no_nan_with_epsilon(log_prob, case):
    """Adding 1e-18 inside the logarithms avoids NaN."""
    call = case.call()
    found = _posted_bernoulli(call.arguments["score"], call.arguments["obs"])
    possible = log_prob(case)[0].isfinite()
    clean = bool(found.isfinite()[possible].all())
    yield harness.holds("no log probability is NaN or infinite where it is finite in truth", clean, case)


@claim(
    "bernoulli.floor",
    S1,
    of="bernoulli_log_prob",
    dtypes=("float32",),
    variants=of_logits,
    instead="from logits of about 17 on the sigmoid is 1 in float32: −41.45 with a gradient of 0, where −17 and −1 are right",
)
def epsilon_changes_nothing(log_prob, case):
    """Adding 1e-18 inside the logarithms of sigmoids leaves log probabilities and gradients what they are."""
    call = case.call()
    with torch.enable_grad():
        logits = call.arguments["score"].requires_grad_()
        posted = _posted_bernoulli(torch.sigmoid(logits), call.arguments["obs"])
        (gradient,) = torch.autograd.grad(posted.sum(), logits)
    error = float((posted.detach() - log_prob(case)[0]).abs().max()) if len(posted) else 0.0
    exact = call.arguments["obs"].cpu() - torch.sigmoid(logits.detach().cpu().double())
    held = bool(((gradient.cpu() != 0) | (exact.abs() < 0.5)).all())
    yield harness.holds("every log probability is right to within 1", error < 1, case)
    yield harness.holds("no gradient is 0 that is in truth above ½", held, case)
