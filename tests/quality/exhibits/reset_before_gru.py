"""A gated recurrent unit whose reset gate acts before the product with W_hn.

Verdict: wrong
Property: agreement

The paper that introduced the unit has n = tanh(W_in x + W_hn (r h)); torch, and S4's equations, have
n = tanh(W_in x + b_in + r (W_hn h + b_hn)) (claim gru.cell). Both are trained with success, and weights of one do not
serve the other.
"""

import torch

from harness.operations.recurrent import gru_cell


@gru_cell.implementation(backend="torch", dtypes=(torch.float64, torch.float32))
def reset_before(x, h, w_ih, w_hh, b_ih, b_hh):
    """One step, the state reset before it is multiplied."""
    ir, iz, entering = torch.nn.functional.linear(x, w_ih, b_ih).chunk(3, -1)
    hr, hz, _ = torch.nn.functional.linear(h, w_hh, b_hh).chunk(3, -1)
    reset, update = torch.sigmoid(ir + hr), torch.sigmoid(iz + hz)
    new = torch.tanh(entering + torch.nn.functional.linear(reset * h, w_hh.chunk(3)[2], b_hh.chunk(3)[2]))
    return (1 - update) * new + update * h
