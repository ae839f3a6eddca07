"""HiPPO's state matrices: A and B of x' = Ax + Bu for four measures.

Sources: docs/sources.md#state-space-memory.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation

Measure = Literal["legs", "legt", "lagt", "fourier"]
Order = Literal[1, 2, 3, 4, 8, 16]


@operation(where=lambda measure, N: measure != "fourier" or N % 2 == 0)
def hippo_matrices(
    beta: Float[Tensor, "1"], measure: Measure, N: Order
) -> tuple[Float[Tensor, "N N"], Float[Tensor, "N 1"]]:
    """The matrices A (N, N) and B (N, 1) of a memory of N coefficients (claims hippo.identity, hippo.spectrum).

    beta: (1,), the scale of lagt's input, which the other measures do not have; its dtype is the results'. With
    r = √(2n+1) for row n and column k, counted from 0: legs has −r_n r_k below the diagonal, −(n+1) on it and 0 above,
    legt −r_n r_k below, −r_n² on the diagonal and −(−1)ⁿ⁻ᵏ r_n r_k above, both B = r; lagt has −1 below, −½ on the
    diagonal and B = beta. fourier holds a constant, an entry that stays 0, then cosine and sine of 1, 2, … periods:
    rotations by 2π times the frequency, minus BBᵀ/2; it needs an even N (claim hippo.fourier-any-N).
    """
    row, column = torch.arange(N, dtype=torch.float64)[:, None], torch.arange(N, dtype=torch.float64)
    root = (2 * row + 1).sqrt()
    B = root if measure != "lagt" else beta.expand(N)[:, None]
    if measure == "legs":
        A = torch.where(row > column, -root * root.mT, torch.where(row == column, -(row + 1), 0.0))
    elif measure == "legt":
        A = -root * root.mT * torch.where((row < column) & ((column - row) % 2 == 1), -1.0, 1.0)
    elif measure == "lagt":
        A = torch.where(row > column, -1.0, torch.where(row == column, -0.5, 0.0))
    else:
        ahead = (column == row + 1) & (row % 2 == 0)
        turning = torch.where(ahead, -2 * torch.pi * torch.div(row, 2, rounding_mode="floor"), 0.0)
        B = (1 - row % 2) * torch.where(row == 0, 4.0, 8.0).double().sqrt()
        A = turning - turning.mT - B * B.mT / 2
    return A.to(beta), B.to(beta)


@hippo_matrices.in_extended_precision
def long_matrices(beta, measure, N):
    """The same entries, each from one long double square root; π to 21 digits."""
    row, column = np.arange(N)[:, None], np.arange(N)
    root = np.sqrt(2 * row.astype(np.longdouble) + 1)
    B = root if measure != "lagt" else np.full((N, 1), beta[0], dtype=np.longdouble)
    products = np.sqrt(((2 * row + 1) * (2 * column + 1)).astype(np.longdouble))
    if measure == "legs":
        A = -np.where(row > column, products, 0) - np.diag(np.arange(N) + np.longdouble(1))
    elif measure == "legt":
        A = -products * np.where(row < column, (-1) ** np.abs(column - row), 1)
    elif measure == "lagt":
        A = -np.tril(np.ones((N, N), dtype=np.longdouble)) + np.eye(N) / 2
    else:
        two_pi = 2 * np.longdouble("3.14159265358979323846")
        A = -np.where((row % 2 == 0) & (column % 2 == 0), np.longdouble(4), 0)
        A[0] /= np.sqrt(np.longdouble(2))
        A[:, 0] /= np.sqrt(np.longdouble(2))
        for cosine in range(2, N, 2):
            A[cosine, cosine + 1], A[cosine + 1, cosine] = -two_pi * (cosine // 2), two_pi * (cosine // 2)
        B = np.where(row % 2 == 0, np.sqrt(np.longdouble(8)), 0)
        B[0] = 2
    return A, B


@hippo_matrices.implementation(backend="numpy")
def change_of_basis(beta, measure, N):
    """Integer matrices, scaled by diagonals: for legs T M T⁻¹ with the basis c/√(2n+1), as S0 makes them."""
    q = np.arange(N, dtype=np.float64)
    column, row = np.meshgrid(q, q)
    scale = np.diag(np.sqrt(2 * q + 1))
    B = np.diag(scale)[:, None]
    if measure == "legs":
        A = -scale @ (np.where(row >= column, 2 * q + 1, 0) - np.diag(q)) @ np.linalg.inv(scale)
    elif measure == "legt":
        A = -scale @ np.where(row < column, (-1.0) ** (row - column), 1) @ scale
    elif measure == "lagt":
        A, B = np.eye(N) / 2 - np.tril(np.ones((N, N))), np.full((N, 1), beta[0])
    else:
        frequencies = np.stack([np.zeros(N // 2), np.arange(N // 2)], axis=-1).reshape(-1)[1:]
        half = np.where(q % 2 == 0, 2.0, 0.0)
        half[0] = np.sqrt(2.0)
        A = 2 * np.pi * (np.diag(frequencies, -1) - np.diag(frequencies, 1)) - np.outer(half, half)
        B = np.sqrt(2.0) * half[:, None]
    return A.astype(beta.dtype), B.astype(beta.dtype)


@hippo_matrices.implementation(backend="torch")
def skew_and_low_rank(beta, measure, N):
    """Half a skew part minus half of what damps: I + BBᵀ (legs), BBᵀ + B̃B̃ᵀ (legt), BBᵀ (lagt with beta 1, fourier)."""
    n = torch.arange(N, dtype=torch.float64)
    sign = torch.sign(n - n[:, None])
    root = (2 * n + 1).sqrt()
    if measure == "lagt":
        return ((sign - 1) / 2).to(beta), beta.expand(N)[:, None].clone()
    if measure == "fourier":
        B = (1 - n % 2) * 8**0.5
        B[0] = 2.0
        pairs = torch.block_diag(*(torch.tensor([[0.0, -k], [k, 0.0]], dtype=torch.float64) for k in range(N // 2)))
        return (2 * torch.pi * pairs - torch.outer(B, B) / 2).to(beta), B[:, None].to(beta)
    both = torch.outer(root, root)
    if measure == "legs":
        return ((sign * both - torch.eye(N) - both) / 2).to(beta), root[:, None].to(beta)
    alternating = (1 - 2 * (n % 2)) * root
    leaving = torch.outer(alternating, alternating)
    return ((sign * (both - leaving) - both - leaving) / 2).to(beta), root[:, None].to(beta)


@hippo_matrices.implementation(backend="scipy")
def quadrature(beta, measure, N):
    """Integrals of basis functions and their derivatives, by scipy's Gauss rules: how the entries are derived.

    Projecting on the functions g of v = (time)/t, t·c' = g(1)u − ⟨f, (v·g)'⟩ (legs); on a window that moves along,
    c' = g(1)u − g(0)f(leaving) − ⟨f, g'⟩, where legt reads f(leaving) off its own reconstruction and fourier, whose
    reconstruction at the ends is the mean of both, twice that minus u; on the fading past, c' = g(0)u + ⟨f, g'⟩ (lagt).
    """
    if measure == "lagt":
        g, slope, weights = _laguerre(N)
        A, B = (slope * weights) @ g.T, np.full(N, beta[0])
    elif measure == "fourier":
        g, slope, weights, start = _harmonics(N)
        A, B = -2 * np.outer(start, start) - (slope * weights) @ g.T, 2 * start
    else:
        g, slope, weights, v = _legendre(N)
        B = np.sqrt(2 * np.arange(N) + 1.0)
        if measure == "legs":
            A = -((g + v * slope) * weights) @ g.T
        else:
            start = B * (-1.0) ** np.arange(N)
            A = -np.outer(start, start) - (slope * weights) @ g.T
    return A.astype(beta.dtype), B[:, None].astype(beta.dtype)


@lru_cache
def _legendre(N):
    """√(2n+1)·P_n(2v−1), its slope, and the weights at the nodes v of the Gauss rule that is exact for their products.

    The slope comes from P_n' = Σ(2k+1)P_k over k = n−1, n−3, …, which loses no digits near the ends; the weights are
    Christoffel's 1/Σg_n², because those of roots_legendre are off by 3e-14 for 17 nodes.
    """
    from scipy.special import eval_legendre, roots_legendre

    nodes, _ = roots_legendre(N)
    n = np.arange(N)
    values = eval_legendre(n[:, None], nodes)
    lower = np.where((n < n[:, None]) & ((n[:, None] - n) % 2 == 1), 2 * n + 1, 0)
    root = np.sqrt(2 * n[:, None] + 1)
    return root * values, 2 * root * (lower @ values), 1 / np.square(root * values).sum(0), (nodes + 1) / 2


@lru_cache
def _laguerre(N):
    """L_n, L_n' − L_n/2 (the slope of L_n·e^(−x/2)) and Christoffel's weights, which carry e^(−x), at Gauss nodes."""
    from scipy.special import eval_laguerre, roots_laguerre

    nodes, _ = roots_laguerre(N)
    values = eval_laguerre(np.arange(N)[:, None], nodes)
    slope = -np.tril(np.ones((N, N)), -1) @ values
    return values, slope - values / 2, 1 / np.square(values).sum(0)


@lru_cache
def _harmonics(N):
    """1, 0, √2cos, −√2sin, … of whole periods at even steps, where a mean is exact; slopes, weights, values at 0."""
    v = np.arange(2 * N) / (2 * N)
    turns = np.arange(N // 2)[:, None]
    scale = np.where(turns > 0, np.sqrt(2.0), 1.0)
    cosine, sine = scale * np.cos(2 * np.pi * turns * v), -scale * np.sin(2 * np.pi * turns * v)
    values = np.stack([cosine, sine], axis=1).reshape(N, -1)
    slope = np.stack([2 * np.pi * turns * sine, -2 * np.pi * turns * cosine], axis=1).reshape(N, -1)
    return values, slope, 1 / (2 * N), values[:, 0]
