"""Whole channels to be dropped, and the noise shape [1, height, width, 1] tried for it.

Verdict: wrong
Property: whole_maps_fall_together

The axes with a 1 are those that share a random number: this drops pixels, the same ones in every sample and channel
(claim dropout.channels). The noise shape for whole channels is [batch, 1, 1, channels].
"""

import torch

from harness.errors import Unsupported
from harness.operations.dropout import Replayed, dropout


@dropout.implementation(backend="torch")
def drops_pixels(x, uniforms, keep, shared_batch, shared_rows, shared_columns, shared_channels):
    """Noise of the asker's second shape, drawn from the same random numbers."""
    if not (shared_rows and shared_columns) or shared_batch or shared_channels:
        raise Unsupported("the question is about whole channels")
    noise = torch.ones_like(x[:1, :, :, :1])
    with Replayed(uniforms):
        return x * torch.nn.functional.dropout(noise, 1 - keep)
