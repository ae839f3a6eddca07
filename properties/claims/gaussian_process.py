"""What the documents say of Gaussian processes: the kernel, its lengthscale, and sampling from the prior."""

import math

import torch
from harness.properties.claims.sources import S1

import harness
from harness import Claim, claim

KERNEL, PRIOR = "squared_exponential", "gp_prior_sample"

HELD = (
    Claim(
        "gp.psd",
        S1,
        "The kernel of a set of points is positive semidefinite.",
        of=KERNEL,
        by=("positive_semidefinite",),
    ),
    Claim("gp.diagonal", S1, "The kernel of a point with itself is 1.", of=KERNEL, by=("diagonal",)),
    Claim("gp.symmetry", S1, "The kernel is symmetric in its two points.", of=KERNEL, by=("symmetry",)),
    Claim("gp.stationarity", S1, "The kernel depends on differences of points alone.", of=KERNEL, by=("stationarity",)),
    Claim(
        "gp.schur",
        S1,
        "The product of two kernels, entry by entry, is a kernel: with half the γ for a kernel times itself.",
        of=KERNEL,
        by=("schur_product", "positive_semidefinite"),
    ),
    Claim(
        "gp.lengthscale",
        S1,
        "γ is the squared lengthscale: RBF(√γ) of scikit-learn and gpytorch is the kernel.",
        of=KERNEL,
        by=("agreement",),
    ),
    Claim(
        "gp.sample-covariance",
        S1,
        "Samples of the prior have the mean 0 and the covariance K + s·1.",
        of=PRIOR,
        by=("sample_covariance",),
    ),
    Claim("gp.LLt", S1, "The prior is sampled with a lower triangular L with LLᵀ = K + s·1.", of=PRIOR, by=("factor",)),
)

_JITTER, _GAMMA = 1e-6, 0.1


def _posted_kernel(a, b):
    """The kernel of S1 with its γ of 0.1: squared distances by the sum of squares less twice a matrix product."""
    squares = a.square().sum(-1)[..., :, None] + b.square().sum(-1)[..., None, :] - 2 * a @ b.mT
    return torch.exp(-0.5 * (1 / _GAMMA) * squares)


@claim(
    "gp.lengthscale-gamma",
    S1,
    of=KERNEL,
    implementations=("sklearn_rbf",),
    instead="scikit-learn's RBF takes the lengthscale, which is √γ",
)
def lengthscale_is_gamma(rbf, case):
    """The kernel with γ is scikit-learn's RBF(γ)."""
    call = case.call()
    lengthscale = call.arguments["gamma"]
    part = harness.reference(case).parts[0]
    (other,) = rbf(call.replace(gamma=lengthscale * lengthscale))
    yield harness.close("RBF(γ)", other, part.expected, case, like=part, both_rounded=True)


@claim(
    "gp.expanded-distance",
    S1,
    of=KERNEL,
    instead="far from the origin a² + b² − 2ab has no digit left: at X + 1e8 kernels of 1e8 and more occur; subtract first",
)
def expanded_distance_is_safe(kernel, case):
    """a² + b² − 2ab is a safe way to the squared distance: of points moved together by 1e8, no kernel is above 1."""
    call = case.call()
    a, gamma = call.arguments["a"] + 1e8, torch.full_like(call.arguments["gamma"], _GAMMA)
    far = call.replace(a=a, b=a, gamma=gamma)
    largest = float(_posted_kernel(a, a).nan_to_num().amax()) if a.numel() else 0.0
    unit = float(harness.reference(case, far).parts[0].noise_floor.max(initial=0.0))
    highest = 1 + harness.measure.comparison.allowance(case) * unit if math.isfinite(unit) else math.inf
    yield harness.holds(f"the largest kernel, {largest:.3g}, is at most 1 within rounding", largest <= highest, case)


def many_on_a_line(case):
    """The case with four times as many points, as far as there may be, of one feature each as in S1."""
    points = min(4 * case.sizes["points"], case.operation.sizes["points"][1])
    yield case.replace(sizes={**case.sizes, "points": points, "features": 1})


@claim(
    "gp.jitter",
    S1,
    of=PRIOR,
    variants=many_on_a_line,
    dtypes=("float32",),
    instead="in float32 it may not: 300 points on [−5, 5] need 1e-4, and two points far from the origin more",
)
def jitter_is_enough(prior, case):
    """A jitter of s = 1e-6 always makes the Cholesky factorisation of the posted kernel succeed."""
    X = case.call().arguments["X"]
    covariance = _posted_kernel(X, X) + _JITTER * torch.eye(X.shape[1]).to(X)
    failed = int((torch.linalg.cholesky_ex(covariance).info > 0).sum())
    yield harness.holds(f"{failed} of {len(X)} covariances have no Cholesky factor, expected 0", failed == 0, case)
