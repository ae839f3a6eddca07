"""The ideal matrix as the answer makes it: both singular values 1, whatever they were.

Verdict: wrong
Property: nearest

It is an essential matrix, but not the one nearest to E: that keeps E's scale, (σ₁ + σ₂)/2 (claim essential.projection).
"""

import torch

from harness.operations.essential_matrix import project_essential


@project_essential.implementation(backend="torch")
def unit_singular_values(E):
    """Er = U diag(1, 1, 0) Vᵀ."""
    U, _, Vt = torch.linalg.svd(E)
    return U @ torch.diag(torch.tensor([1.0, 1.0, 0.0], dtype=E.dtype)) @ Vt
