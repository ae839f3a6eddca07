"""Faults and other ways of the squared exponential kernel and of samples from the prior."""

import numpy as np
import torch

from harness.errors import Unsupported
from harness.measure.verdict import Verdict
from harness.operations.gaussian_process import gp_prior_sample, squared_exponential
from tests.quality.planted import correct, fault

_WIDE = (torch.float64, torch.float32)


def _kernel(a, b, gamma):
    return torch.exp((a[..., :, None, :] - b[..., None, :, :]).square().sum(-1) / (-2 * gamma))


def _factor(X, gamma, jitter):
    """The lower factor of the prior's covariance."""
    covariance = _kernel(X, X, gamma) + jitter * torch.eye(X.shape[1], dtype=X.dtype, device=X.device)
    if not covariance.isfinite().all():
        raise Unsupported("a covariance with NaN has no factor")
    return torch.linalg.cholesky(covariance)


@fault(squared_exponential, cause="another function of it", words="half of gamma")
def factor_of_two_forgotten(a, b, gamma):
    """exp(-‖a - b‖²/γ)."""
    return torch.exp((a[:, :, None] - b[:, None]).square().sum(-1) / -gamma)


@fault(squared_exponential, cause="scaled by a size", words=("gamma is multiplied by the size of features",))
def mean_over_features(a, b, gamma):
    """The squared distance is a mean over the features."""
    return torch.exp((a[:, :, None] - b[:, None]).square().mean(-1) / (-2 * gamma))


@fault(squared_exponential, cause="left out", words="beyond the first 16 entries of features")
def sixteen_features(a, b, gamma):
    """A kernel that holds 16 features of a point, and leaves out the others."""
    return _kernel(a[..., :16], b[..., :16], gamma)


@fault(squared_exponential, cause="not computed", words="the first entry of m")
def points_counted_from_one(a, b, gamma):
    """The loop over points begins with the second one."""
    result = _kernel(a, b, gamma)
    return torch.cat([torch.zeros_like(result[:, :1]), result[:, 1:]], 1)


@fault(squared_exponential, cause=("exchanged arguments", "exchanged axes"))
def square_kernel_transposed(a, b, gamma):
    """With as many points in one as in the other, the kernel is thought to be symmetric."""
    return _kernel(b, a, gamma) if a.shape[1] == b.shape[1] else _kernel(a, b, gamma)


@fault(gp_prior_sample, dtypes=_WIDE, cause="another function of it", words="the square of jitter")
def jitter_as_deviation(X, gamma, jitter, normals):
    """The noise is taken for a standard deviation."""
    return _factor(X, gamma, jitter.square()) @ normals


_factors = {}


@fault(gp_prior_sample, dtypes=_WIDE, cause="earlier calls", words="earlier call")
def factor_kept_by_shape(X, gamma, jitter, normals):
    """The factor is kept for the next call on as many points."""
    key = (X.shape, X.dtype)
    if key not in _factors:
        _factors[key] = _factor(X, gamma, jitter).detach()
    return _factors[key] @ normals


@fault(gp_prior_sample, dtypes=_WIDE, cause="one slice for all", words=("the first slice of normals along draws",))
def one_draw_for_all(X, gamma, jitter, normals):
    """Normals are drawn once and used for every draw."""
    return _factor(X, gamma, jitter) @ normals[:, :, :1].expand_as(normals)


@fault(gp_prior_sample, dtypes=_WIDE, cause="gradient scaled", words="the gradient in jitter is cut")
def jitter_as_number(X, gamma, jitter, normals):
    """The noise is read off as a Python number."""
    return _factor(X, gamma, float(jitter)) @ normals


@fault(gp_prior_sample, dtypes=_WIDE, cause="another step", words="upper=True")
def upper_factor(X, gamma, jitter, normals):
    """The upper factor is used where the lower one is meant."""
    return _factor(X, gamma, jitter).mT @ normals


@correct(squared_exponential, backend="scipy")
def product_over_features(a, b, gamma):
    """One factor for each feature, multiplied."""
    result = np.ones((len(a), a.shape[1], b.shape[1]), a.dtype)
    for feature in range(a.shape[2]):
        apart = a[:, :, None, feature] - b[:, None, :, feature]
        result *= np.exp(apart * apart / (-2 * gamma))
    return result


@correct(squared_exponential)
def norms_of_scaled_points(a, b, gamma):
    """Points divided by √(2γ) first, then the squares of their distances."""
    scale = (2 * gamma).rsqrt()
    return torch.exp(-((a * scale)[:, :, None] - (b * scale)[:, None]).square().sum(-1))


@correct(gp_prior_sample, dtypes=_WIDE)
def ldl_factor(X, gamma, jitter, normals):
    """LDLᵀ by columns, and the roots of D afterwards."""
    left = _kernel(X, X, gamma) + jitter * torch.eye(X.shape[1], dtype=X.dtype)
    if not left.isfinite().all():
        raise Unsupported("a covariance with NaN has no factor")
    drawn = torch.zeros_like(normals)
    for k in range(X.shape[1]):
        pivot = left[:, k, k][:, None]
        column = left[:, :, k] / pivot * (torch.arange(X.shape[1]) >= k)
        drawn = drawn + column[:, :, None] * (pivot.sqrt() * normals[:, k])[:, None]
        left = left - pivot[:, :, None] * column[:, :, None] * column[:, None]
    return drawn


@fault(squared_exponential, verdict=Verdict.UNSTABLE, dtypes=_WIDE)
def inner_products(a, b, gamma):
    """Squared distances by inner products, not below zero: digits are lost far from the origin, and nothing else."""
    if not (a.isfinite().all() and b.isfinite().all()):
        raise Unsupported("infinite points have no inner products")
    squares = a.square().sum(-1)[:, :, None] + b.square().sum(-1)[:, None] - 2 * a @ b.mT
    return torch.exp(squares.clamp(min=0) / (-2 * gamma))
