"""Gaussian process: kernel and factor against mpmath, and the figures of the claims about them."""

import mpmath
import pytest
import torch

import harness
from harness.operations.gaussian_process import gp_prior_sample, squared_exponential

POINTS = [[0.0, 0.5], [1.0, -0.25], [-0.75, 2.0]]


def every_implementation(operation, **arguments):
    call = harness.Call(operation, arguments, {})
    for made in (operation.own, *operation.implementations.values()):
        yield made.name, harness.Subject(operation, made)(call)[0]


def wide(nested):
    return torch.tensor(nested, dtype=torch.float64)


def kernel(gamma):
    def of(p, q):
        return mpmath.exp(-mpmath.fsum((mpmath.mpf(a) - b) ** 2 for a, b in zip(p, q, strict=True)) / (2 * gamma))

    return mpmath.matrix([[of(p, q) for q in POINTS] for p in POINTS])


def test_kernel_against_mpmath():
    X = wide([POINTS])
    with mpmath.workdps(40):
        expected = [float(entry) for entry in kernel(0.75)]
    for name, found in every_implementation(squared_exponential, a=X, b=X, gamma=wide([0.75])):
        assert found.flatten().tolist() == pytest.approx(expected, rel=1e-13), name


def test_samples_of_unit_normals_against_mpmath():
    with mpmath.workdps(40):
        factor = mpmath.cholesky(kernel(0.75) + mpmath.mpf(0.125) * mpmath.eye(3))
        expected = [float(entry) for entry in factor]
    arguments = {"gamma": wide([0.75]), "jitter": wide([0.125]), "normals": torch.eye(3, dtype=torch.float64)[None]}
    for name, found in every_implementation(gp_prior_sample, X=wide([POINTS]), **arguments):
        assert found.flatten().tolist() == pytest.approx(expected, rel=1e-13, abs=1e-15), name


def posted(X):
    squares = (X**2).sum(1)[:, None] + (X**2).sum(1) - 2 * X @ X.T
    return torch.exp(-0.5 * (1 / 0.1) * squares)


@pytest.mark.parametrize(("dtype", "jitter", "succeeds"), [("float64", 1e-6, True), ("float32", 1e-6, False)])
def test_the_posted_prior(dtype, jitter, succeeds):
    X = torch.linspace(-5, 5, 300, dtype=getattr(torch, dtype)).reshape(-1, 1)
    covariance = posted(X) + jitter * torch.eye(300, dtype=X.dtype)
    assert (torch.linalg.cholesky_ex(covariance).info.item() == 0) == succeeds


def test_far_from_the_origin_only_differences_are_safe():
    X = torch.linspace(-5, 5, 300, dtype=torch.float64).reshape(-1, 1) + 1e8
    assert posted(X).max() > 1e8
    assert squared_exponential(X[None], X[None], wide([0.1])).max() == 1


def test_the_diagonal_of_cdist_is_zero_from_differences_alone():
    X = 100 + torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    diagonals = {
        mode: torch.cdist(X, X, compute_mode=f"{mode}_mm_for_euclid_dist").diagonal() for mode in ("use", "donot_use")
    }
    assert diagonals["donot_use"].eq(0).all()
    assert diagonals["use"].max() > 0.01


def test_points_without_a_factor_give_nan():
    X = wide([POINTS, POINTS])
    X[0, 1, 0] = torch.nan
    normals = torch.ones(2, 3, 4, dtype=torch.float64)
    found = gp_prior_sample(X, wide([0.75]), wide([0.125]), normals)
    assert found[0].isnan().all()
    assert found[1].isfinite().all()
