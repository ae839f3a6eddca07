"""Dropout as the document's code does it: x divided by keep, times the floor of keep plus a uniform number.

Verdict: wrong
Property: agreement

With a keep of 0 it is 0/0, NaN where nothing should be left (claim dropout.floor); in float32 a keep of 1 and the largest
uniform below 1 add up to 2, and x is doubled (claim dropout.floor-binary). For any keep between it is right.
"""

import torch

from harness.operations.dropout import check_noise_shape, dropout


@dropout.implementation(backend="torch")
def floor_of_sum(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """A binary tensor made by rounding down, as it was before TensorFlow compared."""
    check_noise_shape(x, uniforms)
    return x / keep * torch.floor(keep + uniforms)
