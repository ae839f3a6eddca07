"""x W y as the asker's first attempt has it: y transposed without saying which axes.

Verdict: error
Property: agreement

Without axes a transpose reverses them all, the batch among them: (batch, 10, 200) becomes (200, 10, batch), and does not
fit x any more.
"""

import numpy as np

from harness.operations.contraction import x_w_y


@x_w_y.implementation(backend="numpy")
def all_axes_reversed(x, w, y):
    """The product of weighted x with y backwards."""
    return np.matmul(x * w, np.transpose(y))
