"""The posted kernel: squared distances as a² + b² − 2ab.

Verdict: unstable
Points that lie close together and far from the origin lose their distance (S1, claim gp.expanded-distance).
"""

import torch

from harness.operations.gaussian_process import squared_exponential


@squared_exponential.implementation(
    backend="torch",
    dtypes=(torch.float64, torch.float32),
    exempt={"nonfinite_propagation": "for an infinite point |a|² + |b|² − 2ab is inf − inf"},
)
def sum_of_squares(a, b, gamma):
    distances = (a**2).sum(-1)[:, :, None] + (b**2).sum(-1)[:, None, :] - 2 * torch.bmm(a, b.mT)
    return torch.exp(-0.5 * (1 / gamma) * distances)
