"""A gated recurrent unit that takes W_ir for (input, hidden), as S4's answer says it is.

Verdict: wrong
Property: agreement

W_ir is (hidden, input), and `x @ W_ir.T` what is meant. Read as (input, hidden) and multiplied without `.T`, the same
numbers stand in other places: every shape is right (claim gru.weight-shape).
"""

import torch

from harness.operations.recurrent import gru_cell


@gru_cell.implementation(backend="torch", dtypes=(torch.float64, torch.float32))
def inputs_by_hidden(x, h, w_ih, w_hh, b_ih, b_hh):
    """One step, with each gate's input weights read as (input, hidden)."""
    ir, iz, entering = (
        x @ gate.reshape(x.shape[1], h.shape[1]) + bias for gate, bias in zip(w_ih.chunk(3), b_ih.chunk(3), strict=True)
    )
    hr, hz, held = torch.nn.functional.linear(h, w_hh, b_hh).chunk(3, -1)
    reset, update = torch.sigmoid(ir + hr), torch.sigmoid(iz + hz)
    return (1 - update) * torch.tanh(entering + reset * held) + update * h
