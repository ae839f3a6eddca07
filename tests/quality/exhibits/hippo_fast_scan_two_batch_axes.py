"""A fast scan that was written for one batch axis, and is given two.

Verdict: error
Property: agreement

It joins pairs of steps, so that half as many are left, until 16 are: A₁u₀ + u₁ for all pairs at once. For that the
batch axis is moved to the end, (pair, N, batch), and a product with (pair, N, N) does all samples. A second batch axis
stays in front of N, where broadcasting lays it against the axis of the pairs: torch raises, except where it is just as
long as there are pairs. Then nothing is raised, and channel i has the transition of pair i (claim
hippo.fast-equals-sequential). Up to 16 steps are looped over and come out right.
"""

import torch

from harness.operations.hippo_scan import legs_scan_channels
from harness.operations.hippo_steps import rounded_steps

_FEW = 16


def applied(transitions, states):
    """Transitions (pair, N, N) times states (pair, batch, …, N), the first batch axis as the columns of a matrix."""
    return (transitions @ states.movedim(1, -1)).movedim(-1, 1)


def one_by_one(transitions, heard):
    """The loop over steps."""
    state, states = torch.zeros_like(heard[0]), []
    for transition, new in zip(transitions, heard, strict=True):
        state = state @ transition.mT + new
        states.append(state)
    return torch.stack(states)


def in_pairs(transitions, heard):
    """c_t = A_t c_{t−1} + b_t for all t, by joining neighbours and filling in what is between them."""
    if len(heard) <= _FEW:
        return one_by_one(transitions, heard)
    pairs = len(heard) // 2
    early, late = heard[0 : 2 * pairs : 2], heard[1::2]
    joined = applied(transitions[1::2], early) + late
    odd = in_pairs(transitions[1::2] @ transitions[0 : 2 * pairs : 2], joined)
    before = torch.cat([torch.zeros_like(odd[:1]), odd])[: len(heard) - pairs]
    even = applied(transitions[::2], before) + heard[::2]
    states = torch.empty_like(heard)
    states[::2], states[1::2] = even, odd
    return states


@legs_scan_channels.implementation(backend="torch", dtypes=(torch.float64, torch.float32))
def one_batch_axis(u, N, method):
    """The fast scan on (time, batch, channel)."""
    transitions, columns = (torch.from_numpy(made[: len(u)]).to(u) for made in rounded_steps(N, method, 65))
    return in_pairs(transitions, u[..., None] * columns[:, None, None])
