"""x W y as the asker's second attempt has it: dot of weighted x with y permuted.

Verdict: error
Property: agreement

dot has no batch: it multiplies every sample of x with every sample of y, and its result has four axes, (batch, 8, batch,
10) (claim contraction.k-dot). The product sample by sample is batch_dot, or Dot along the last axes.
"""

import numpy as np

from harness.operations.contraction import x_w_y


@x_w_y.implementation(backend="numpy")
def dot_of_all_pairs(x, w, y):
    """The sum over the last axis of one and the last but one of the other."""
    return np.dot(x * w, y.transpose(0, 2, 1))
