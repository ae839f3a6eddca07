"""Gaussian process: what makes the kernel a covariance, and samples of the prior samples of it.

Sources: docs/sources.md#gaussian-process.
"""

import numpy as np
import torch

import harness
from harness.operations.gaussian_process import squared_exponential


def _of_itself(case):
    """The call on one set of points twice, with its units."""
    call = case.call()
    there = call.replace(b=call.arguments["a"])
    return there, harness.reference(case, there).parts[0]


@harness.property(of="squared_exponential")
def diagonal(implementation, case):
    """Every point has the kernel 1 with itself (claim gp.diagonal)."""
    there, part = _of_itself(case)
    (K,) = implementation(there)
    found = harness.as_array(K).diagonal(axis1=1, axis2=2)
    yield harness.close("the diagonal", found, np.ones_like(found), case, like=part)


@harness.property(of="squared_exponential")
def symmetry(implementation, case):
    """The kernel of a with b is that of b with a, transposed (claim gp.symmetry)."""
    call = case.call()
    turned = call.replace(a=call.arguments["b"], b=call.arguments["a"])
    part = harness.reference(case).parts[0]
    (there,), (here,) = implementation(turned), implementation(call)
    yield harness.close("a and b exchanged", there.mT, here, case, like=part, both_rounded=True)


@harness.property(of="squared_exponential")
def positive_semidefinite(implementation, case):
    """The kernel of a set of points has no eigenvalue below 0, nor has its square entry by entry (claims gp.psd, gp.schur).

    An eigenvalue moves by no more than the matrix does in norm, so it may be below 0 by that much.
    """
    there, part = _of_itself(case)
    (K,) = map(harness.as_array, implementation(there))
    for of, covariance in (("the kernel", K), ("its square entry by entry", K * K)):
        if covariance.size and np.isfinite(covariance).all():
            below = np.minimum(np.linalg.eigvalsh(covariance)[:, :1], 0)
            label = f"what the least eigenvalue of {of} is below 0"
            unit = 2 * part.noise_floor if covariance is not K else part.noise_floor
            yield harness.close(label, below, np.zeros_like(below), case, like=part.derived(unit), both_rounded=True)


@harness.property(of="squared_exponential")
def schur_product(implementation, case):
    """The kernel times itself entry by entry is the kernel with half the γ (claim gp.schur)."""
    call = case.call()
    halved = call.replace(gamma=call.arguments["gamma"] / 2)
    here, there = harness.reference(case).parts[0], harness.reference(case, halved).parts[0]
    part = there.derived(there.noise_floor + 2 * here.noise_floor, here)
    squared = np.square(harness.as_array(implementation(call)[0]))
    yield harness.close(
        "against the kernel with γ/2", squared, implementation(halved)[0], case, like=part, both_rounded=True
    )


@harness.property(of="squared_exponential")
def stationarity(implementation, case):
    """Points that are moved together keep their kernel (claim gp.stationarity)."""
    call = case.call()
    a, b = call.arguments["a"], call.arguments["b"]
    shift = torch.arange(1, a.shape[-1] + 1, device=a.device).remainder(4).to(a)
    moved = call.replace(a=a + shift, b=b + shift)
    here, there = harness.reference(case).parts[0], harness.reference(case, moved).parts[0]
    part = there.derived(there.noise_floor + here.noise_floor, here)
    (after,), (before,) = implementation(moved), implementation(call)
    yield harness.close("after the move", after, before, case, like=part, both_rounded=True)


def _prior(case):
    """The prior's covariance K + jitter·1 in float64, and the unit in which a factor may miss it.

    A Cholesky factor is that of a matrix off by rounding of the whole, besides what the kernel itself is off by.
    """
    X, gamma, jitter = (case.plain_call().arguments[name] for name in ("X", "gamma", "jitter"))
    sizes = {"batch": len(X), "m": X.shape[1], "n": X.shape[1], "features": X.shape[2]}
    kernel_case = harness.Case(squared_exponential, sizes, dtype=case.dtype, seed=case.seed)
    kernel_call = harness.Call(squared_exponential, {"a": X, "b": X, "gamma": gamma}, {})
    part = harness.reference(kernel_case, kernel_call).parts[0]
    covariance = part.expected.astype(np.float64) + harness.as_array(jitter) * np.eye(X.shape[1])
    unit = part.noise_floor + case.precision.eps * harness.sample_norms(covariance, 0)
    return covariance, harness.ExpectedTensor(covariance, 0, unit, np.isfinite(unit))


def _drawn(implementation, case, rows):
    """Samples of the prior whose normals are the same rows for every set of points, in float64."""
    call = case.call()
    normals = torch.from_numpy(rows).to(call.arguments["normals"]).expand(len(call.arguments["X"]), *rows.shape)
    (drawn,) = implementation(call.replace(normals=normals.contiguous()))
    return harness.as_array(drawn)


@harness.property(of="gp_prior_sample")
def factor(implementation, case):
    """Unit vectors for normals give the factor L itself: lower triangular, with LLᵀ = K + jitter·1 (claim gp.LLt)."""
    points = case.sizes["points"]
    L = _drawn(implementation, case, np.eye(points))
    covariance, part = _prior(case)
    yield harness.close("LLᵀ", L @ L.swapaxes(1, 2), covariance, case, like=part, both_rounded=True)
    yield harness.holds("L is lower triangular", bool((np.triu(np.nan_to_num(L), 1) == 0).all()), case)


@harness.property(of="gp_prior_sample")
def sample_covariance(implementation, case):
    """Draws whose normals are uncorrelated have the covariance K + jitter·1 and the mean 0 (claim gp.sample-covariance).

    The normals are rows of a Hadamard matrix, all but the first: ±1, uncorrelated to the last bit, with the mean 0.
    """
    rows = np.ones((1, 1))
    while len(rows) <= case.sizes["points"]:
        rows = np.block([[rows, rows], [rows, -rows]])
    drawn = _drawn(implementation, case, rows[1 : case.sizes["points"] + 1])
    covariance, part = _prior(case)
    found = drawn @ drawn.swapaxes(1, 2) / rows.shape[1]
    yield harness.close("the draws' covariance", found, covariance, case, like=part, both_rounded=True)
    mean, wanted = drawn.mean(2), np.zeros(drawn.shape[:2])
    yield harness.close("the draws' mean", mean, wanted, case, like=part, both_rounded=True)
