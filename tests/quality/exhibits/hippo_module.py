"""The asker's HiPPO module, given a signal wrapped as [1, L].

Verdict: wrong
Property: agreement
Diagnosis: the axes 0 and 1 are exchanged

The module takes time first, `inputs : (length, ...)`. Wrapped as [1, L], a signal of L steps is L signals of one step:
something of the right size comes back, and at its right end it is twice the signal (claim hippo.batch-of-one). Here it
serves as a scan of (time, batch), whose caller puts the batch first as is the custom elsewhere: with both exchanged,
it agrees.
"""

import torch

from harness.errors import Unsupported
from harness.operations.hippo_scan import legs_scan


class HiPPOScale(torch.nn.Module):
    """The scale-invariant memory: a transition and a column for each step up to a greatest length."""

    def __init__(self, N, max_length, method, dtype):
        super().__init__()
        n = torch.arange(N, dtype=torch.float64)
        root = (2 * n + 1).sqrt()
        A, one = -torch.tril(torch.outer(root, root), -1) - torch.diag(n + 1), torch.eye(N, dtype=torch.float64)
        share = A / torch.arange(1, max_length + 1)[:, None, None]
        column = root[:, None] / torch.arange(1, max_length + 1)[:, None, None]
        if method == "forward":
            made = torch.cat([one + share, column], dim=-1)
        else:
            implicit = share if method == "backward" else share / 2
            explicit = one if method == "backward" else one + implicit
            made = torch.linalg.solve(one - implicit, torch.cat([explicit.expand_as(share), column], dim=-1))
        self.register_buffer("transitions", made[..., :-1].to(dtype))
        self.register_buffer("columns", made[..., -1].to(dtype))

    def forward(self, inputs):
        """inputs : (length, ...) to coefficients (length, ..., N)."""
        state, states = 0 * inputs[0, ..., None] * self.columns[0], []
        for heard, transition, column in zip(inputs, self.transitions, self.columns, strict=False):
            state = torch.nn.functional.linear(state, transition) + heard[..., None] * column
            states.append(state)
        return torch.stack(states)


@legs_scan.implementation(backend="torch", dtypes=(torch.float64, torch.float32))
def wrapped(u, N, method):
    """The module on signals that are wrapped: (batch, time)."""
    if method == "zoh":
        raise Unsupported("the asker used bilinear; the held step is left out here")
    if not u.shape[1]:
        return u.new_zeros(*u.shape, N)
    signals = u.mT
    model = HiPPOScale(N, max(u.shape), method, u.dtype)
    return model(signals).swapaxes(0, 1)
