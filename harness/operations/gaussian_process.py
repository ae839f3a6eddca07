"""Gaussian process: the squared exponential kernel, and samples from the prior that it makes.

`expanded`, `cdist_product` and `gpytorch_rbf` come out unstable, and they are: |a|² + |b|² − 2ab
loses the digits of points that lie close together and far from the origin (or, for gpytorch, far from their mean).

Sources: docs/sources.md#gaussian-process.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.dtypes import WIDE
from harness.declare.structure import RandomSource, structure, typical
from harness.errors import Unsupported

_MOST_DIFFERENCES = 2**13


@structure(
    admits=lambda values, known: bool(((values >= 1 / 16) & (values <= 2**12)).all()),
    simpler=lambda stream: (np.ones(stream.shape),),
)
def squared_lengthscale(stream: RandomSource) -> Any:
    """A positive γ of any magnitude from 1/16 to 2¹², since points may be close or far; the documents' 0.1 in a case in four."""
    if stream.seed % 4 == 1:
        return np.full(stream.shape, 0.1)
    return np.ldexp(1 + stream.uniform(), stream.integers(-4, 11))


@structure(
    admits=lambda values, known: bool(((values >= 2**-7) & (values <= 2)).all()),
    simpler=lambda stream: (np.ones(stream.shape),),
)
def diagonal_added(stream: RandomSource) -> Any:
    """A jitter from 2⁻⁷ to 2, at which the factorisation succeeds in float32 and no digit hangs on it alone."""
    return np.ldexp(1 + stream.uniform(), stream.integers(-7, 0))


@typical
def bell(stream: RandomSource) -> Any:
    """Normals, whatever the pattern of the points."""
    return stream.normal()


Gamma = Annotated[Float[Tensor, "1"], squared_lengthscale]


def few_differences(batch: int, m: int, n: int, features: int) -> bool:
    """The definition forms every difference of two points."""
    return batch * m * n * features <= _MOST_DIFFERENCES


def few_points(batch: int, points: int, features: int) -> bool:
    """As `few_differences`, among the points of one set."""
    return batch * points * points * features <= _MOST_DIFFERENCES


def _kernel(a: Tensor, b: Tensor, gamma: Tensor) -> Tensor:
    return torch.exp((a.unsqueeze(-2) - b.unsqueeze(-3)).square().sum(-1) / (-2 * gamma))


@operation(sizes={"batch": (0, 9), "m": (0, 129), "n": (0, 129), "features": (1, 129)}, where=few_differences)
def squared_exponential(
    a: Float[Tensor, "batch m features"], b: Float[Tensor, "batch n features"], gamma: Gamma
) -> Float[Tensor, "batch m n"]:
    """The squared exponential kernel exp(−‖a − b‖²/(2γ)) of every pair of points (the prior of S1).

    a: (batch, m, features); b: (batch, n, features); gamma: (1,), the *squared* lengthscale (claim gp.lengthscale).
    """
    return _kernel(a, b, gamma)


@squared_exponential.in_extended_precision
def long_kernel(a, b, gamma):
    """The same maths on long doubles."""
    return np.exp(np.square(a[:, :, None] - b[:, None]).sum(-1) / (-2 * gamma))


@squared_exponential.implementation(
    backend="numpy",
    exempt={
        "nonfinite_propagation": "for an infinite point |a|² + |b|² − 2ab is inf − inf, where ‖a − b‖² is infinite"
    },
)
def expanded(a, b, gamma):
    """The form of S1, exp(−½/γ (a² + b² − 2ab)) by a matrix product; unstable far from the origin (gp.expanded-distance)."""
    squares = np.square(a).sum(-1)[:, :, None] + np.square(b).sum(-1)[:, None] - 2 * (a @ b.swapaxes(1, 2))
    return np.exp(squares * (a.dtype.type(-0.5) / gamma))


@squared_exponential.implementation(backend="torch")
def cdist_direct(a, b, gamma):
    """torch.cdist from differences."""
    return _from_cdist(a, b, gamma, "donot_use_mm_for_euclid_dist")


@squared_exponential.implementation(backend="torch")
def cdist_product(a, b, gamma):
    """torch.cdist by matrix product, as it comes from 26 points on; unstable, on the diagonal above all, which should be 0."""
    return _from_cdist(a, b, gamma, "use_mm_for_euclid_dist")


def _from_cdist(a, b, gamma, mode):
    return torch.exp(torch.cdist(a, b, compute_mode=mode).square() / (-2 * gamma))


@squared_exponential.implementation(backend="scipy")
def scipy_cdist(a, b, gamma):
    """scipy.spatial's cdist, which computes in float64."""
    from scipy.spatial.distance import cdist

    return _each_set(a, b, lambda one, other: np.exp(cdist(one, other, "sqeuclidean") / (-2 * gamma)))


@squared_exponential.implementation(backend="scikit-learn")
def sklearn_rbf(a, b, gamma):
    """scikit-learn's RBF with the lengthscale √γ, in float64 (claim gp.lengthscale)."""
    from sklearn.gaussian_process.kernels import RBF

    return _each_set(a, b, RBF(length_scale=np.sqrt(float(gamma[0]))))


def _each_set(a, b, kernel):
    """A kernel of two sets of points, one pair of sets after another."""
    made = np.empty((len(a), a.shape[1], b.shape[1]), a.dtype)
    for sample, (one, other) in enumerate(zip(a, b, strict=True)):
        made[sample] = kernel(one, other) if made[sample].size else 0
    return made


@squared_exponential.implementation(
    backend="gpytorch",
    exempt={"nonfinite_propagation": "gpytorch centres the points at their mean, so that one NaN reaches all of them"},
)
def gpytorch_rbf(a, b, gamma):
    """gpytorch's RBFKernel with the lengthscale √γ; by matrix product of centred points, so unstable far from their mean."""
    return _gpytorch_kernel(gamma).forward(a, b)


def _gpytorch_kernel(gamma):
    """An RBFKernel whose raw lengthscale keeps the graph of γ, where assigning `lengthscale` would copy its value."""
    kernel = _bare_gpytorch_kernel(gamma.dtype)
    kernel.raw_lengthscale = kernel.raw_lengthscale_constraint.inverse_transform(gamma.sqrt().reshape(1, 1))
    return kernel


@lru_cache
def _bare_gpytorch_kernel(dtype):
    from gpytorch.kernels import RBFKernel

    kernel = RBFKernel().to(dtype)
    del kernel.raw_lengthscale
    return kernel


def _prior_covariance(X: Tensor, gamma: Tensor, jitter: Tensor) -> Tensor:
    return _kernel(X, X, gamma) + jitter * torch.eye(X.shape[-2], dtype=X.dtype, device=X.device)


@operation(
    sizes={"batch": (0, 9), "points": (0, 65), "features": (1, 65), "draws": (1, 65)},
    where=few_points,
    linear_in="normals",
)
def gp_prior_sample(
    X: Float[Tensor, "batch points features"],
    gamma: Gamma,
    jitter: Annotated[Float[Tensor, "1"], diagonal_added],
    normals: Annotated[Float[Tensor, "batch points draws"], bell],
) -> Float[Tensor, "batch points draws"]:
    """Functions drawn from a Gaussian process' prior: L·normals with LLᵀ = K(X, X) + jitter·I (S1).

    X: (batch, points, features); gamma, jitter: (1,); normals: (batch, points, draws), independent of each other. Where
    the matrix has no Cholesky factor (NaN among the points, a jitter below rounding) the result is NaN.
    (Claims gp.LLt, gp.sample-covariance, gp.jitter.)
    """
    factor, failed = torch.linalg.cholesky_ex(_prior_covariance(X, gamma, jitter))
    return torch.where(failed[:, None, None] > 0, torch.nan, factor @ normals)


@gp_prior_sample.in_extended_precision
def long_prior(X, gamma, jitter, normals):
    """The same in long double, the factor made column after column."""
    left = long_kernel(X, X, gamma) + jitter * np.eye(X.shape[1])
    drawn = np.zeros_like(normals)
    for k in range(X.shape[1]):
        column = left[:, k:, k] / np.sqrt(left[:, k, k])[:, None]
        drawn[:, k:] += column[:, :, None] * normals[:, k, None]
        left[:, k + 1 :, k + 1 :] -= column[:, 1:, None] * column[:, None, 1:]
    return np.where(np.isnan(drawn).any((1, 2), keepdims=True), np.nan, drawn)


@gp_prior_sample.implementation(backend="torch")
def torch_distributions(X, gamma, jitter, normals):
    """The scale of torch.distributions' MultivariateNormal."""
    _decline(X.isfinite().all(), "torch.distributions raises for a covariance with NaN")
    covariance = _prior_covariance(X, gamma, jitter)
    made = torch.distributions.MultivariateNormal(X.new_zeros(X.shape[:2]), covariance, validate_args=False)
    return made.scale_tril @ normals


@gp_prior_sample.implementation(backend="gpytorch")
def gpytorch_prior(X, gamma, jitter, normals):
    """gpytorch's MultivariateNormal with base samples."""
    from gpytorch.distributions import MultivariateNormal

    _decline(X.isfinite().all(), "gpytorch raises for a covariance with NaN")
    _decline(X.numel(), "gpytorch makes no distribution of nothing")
    prior = MultivariateNormal(X.new_zeros(X.shape[:2]), _prior_covariance(X, gamma, jitter))
    return prior.rsample(base_samples=normals.movedim(-1, 0)).movedim(0, -1)


def _decline(served, reason):
    if not served:
        raise Unsupported(reason)


@gp_prior_sample.implementation(backend="scikit-learn")
def sklearn_cholesky(X, gamma, jitter, normals):
    """scikit-learn's RBF and scipy.linalg's Cholesky factor, in float64."""
    from scipy.linalg import cholesky
    from sklearn.gaussian_process.kernels import RBF

    _decline(np.isfinite(X).all(), "scipy.linalg raises for a covariance with NaN")
    _decline(X.shape[1], "scikit-learn's kernels refuse an empty set")
    kernel, drawn = RBF(np.sqrt(float(gamma[0]))), np.empty_like(normals)
    for sample, points in enumerate(X):
        covariance = kernel(points) + jitter * np.eye(len(points))
        drawn[sample] = cholesky(covariance, lower=True) @ normals[sample]
    return drawn


@gp_prior_sample.implementation(
    backend="numpy",
    dtypes=WIDE,
    exempt={
        "nonfinite_propagation": "a value is drawn given the values before it, so that a NaN further on leaves it be"
    },
)
def one_after_another(X, gamma, jitter, normals):
    """Points drawn one after another: the others are conditioned on each value, in mean and in covariance."""
    squares = np.square(X[:, :, None] - X[:, None]).sum(-1)
    covariance = np.exp(squares / (-2 * gamma)) + jitter * np.eye(X.shape[1], dtype=X.dtype)
    mean, drawn = np.zeros_like(normals), np.empty_like(normals)
    for k in range(X.shape[1]):
        with_k, variance = covariance[:, k:, k].copy(), covariance[:, k, k, None]
        drawn[:, k] = mean[:, k] + np.sqrt(variance) * normals[:, k]
        surprise = (drawn[:, k] - mean[:, k]) / variance
        mean[:, k:] += with_k[:, :, None] * surprise[:, None]
        covariance[:, k:, k:] -= with_k[:, :, None] * (with_k / variance)[:, None]
    return drawn
