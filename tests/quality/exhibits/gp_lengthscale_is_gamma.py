"""The posted kernel's γ handed to scikit-learn's RBF as its lengthscale.

Verdict: wrong
RBF takes the lengthscale, γ is its square (claim gp.lengthscale-gamma).
"""

import numpy as np

from harness.operations.gaussian_process import squared_exponential


@squared_exponential.implementation(backend="scikit-learn")
def rbf_of_gamma(a, b, gamma):
    from sklearn.gaussian_process.kernels import RBF

    kernels = [RBF(float(gamma[0]))(one, other) for one, other in zip(a, b, strict=True) if one.size and other.size]
    return np.array(kernels, dtype=a.dtype).reshape(len(a), a.shape[1], b.shape[1])
