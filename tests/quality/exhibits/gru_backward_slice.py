"""A layer whose final states are read off its outputs, the backward one at the last step too.

Verdict: wrong
Property: backward_first

The backward direction ends at the first step, out[:, 0, H:]; at the last step it has seen one step alone (claim
gru.backward-last). With one direction, or one step, nothing is wrong.
"""

import torch

from harness.errors import Unsupported
from harness.operations.recurrent import gru


@gru.implementation(backend="torch", dtypes=(torch.float64, torch.float32))
def states_at_the_last_step(
    x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed
):
    """Outputs by definition, and final states by slicing their last step."""
    if layers > 1 or packed:
        raise Unsupported("the outputs show the states of the last layer alone, and padding behind short sequences")
    output, _ = gru(x, h0, lengths, w_ih, w_ih_upper, w_hh, b_ih, b_hh, layers, bidirectional, batch_first, packed)
    last = output[:, -1] if batch_first else output[-1]
    return output, torch.stack(last.chunk(1 + bidirectional, dim=-1))
