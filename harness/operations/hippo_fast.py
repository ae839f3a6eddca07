"""The fast HiPPO scan that S0 calls for (`fast=True`): four forms of it, and which is the fastest where.

The step c_t = Ā_t c_{t−1} + B̄_t u_t is the same for every signal, so that steps can be joined beforehand. A loop waits for
3,000 small products where `in_turn` makes 94 larger ones, `at_once` two large ones and 94 tiny ones, and `prefixes`
12 that are far larger than need be. `by_coefficient` needs no matrix: legs is triangular, so that the n-th coefficient
follows, at all times, from those below it.

Each form takes heard (time, signals), before (N, signals), N, the method and the number of the first step, and returns
the states as (time, N, signals).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from harness.errors import Unsupported
from harness.operations.hippo_steps import NEW_SHARE, rounded_steps, whole_spans

Form = Callable[[Tensor, Tensor, int, str, int], Tensor]

_BLOCK = 32
_FEW = 16
"""Coefficients up to which, on a CPU, two large products are faster than 94 of a block each (`harness bench legs_scan`)."""


def fast_scan(u: Tensor, N: int, method: str, state: Tensor | None = None, first: int = 1) -> tuple[Tensor, Tensor]:
    """The states of `legs_scan`, and the last one, by whichever form was measured to be fastest at such a size.

    u: (time, ...), any batch axes, float32 or float64 on any device; state: (..., N), the one before the first step, zero
    where it is left out; first: the number of the first step, so that a signal can come in pieces. Returns (time, ..., N)
    and (..., N). Differentiable in u and state.
    """
    return scan(at_once if not u.is_cpu or N <= _FEW else in_turn, u, N, method, state, first)


def scan(
    form: Form, u: Tensor, N: int, method: str, state: Tensor | None = None, first: int = 1
) -> tuple[Tensor, Tensor]:
    """What `fast_scan` does, by one form."""
    heard = u.flatten(1) if u.ndim > 1 else u[:, None]
    before = u.new_zeros(N, heard.shape[1]) if state is None else state.reshape(-1, N).mT
    states = form(heard, before, N, method, first)
    return states.mT.reshape(*u.shape, N), states[-1].mT.reshape(*u.shape[1:], N)


def in_turn(heard: Tensor, before: Tensor, N: int, method: str, first: int) -> Tensor:
    """Block after block: one product with the state before it and its inputs together."""
    found = []
    for place, matrix in enumerate(_blocks(N, method, first, whole_spans(len(heard)), heard.dtype, heard.device)):
        block = heard[place * _BLOCK : (place + 1) * _BLOCK]
        if not len(block):
            break
        rows = matrix[: len(block) * N, : N + len(block)]
        found.append((rows @ torch.cat([before, block])).view(len(block), N, -1))
        before = found[-1][-1]
    return torch.cat(found)


def at_once(heard: Tensor, before: Tensor, N: int, method: str, first: int) -> Tensor:
    """All blocks as if each began at zero; then what each hands on, a small product a block; then that added to all."""
    time, signals = heard.shape
    count = -(-time // _BLOCK)
    moved, driven = (made[:count] for made in _stacked(N, method, first, whole_spans(time), heard.dtype, heard.device))
    rest = heard.new_zeros(count * _BLOCK - time, signals)
    states = driven @ torch.cat([heard, rest]).view(count, _BLOCK, signals)
    handed = [before]
    for block in range(count - 1):
        handed.append(torch.addmm(states[block, -N:], moved[block, -N:], handed[-1]))
    return torch.baddbmm(states, moved, torch.stack(handed)).view(count * _BLOCK, N, signals)[:time]


def prefixes(heard: Tensor, before: Tensor, N: int, method: str, first: int) -> Tensor:
    """A parallel prefix over pairs (A, b), which joins twice as many steps in each round."""
    transition, columns = _steps(N, method, first, len(heard), heard.dtype, heard.device)
    state = heard[:, None, :] * columns[:, :, None]
    state = torch.cat([torch.addmm(state[0], transition[0], before)[None], state[1:]])
    reach = 1
    while reach < len(heard):
        joined = transition[reach:] @ state[:-reach] + state[reach:]
        transition = torch.cat([transition[:reach], transition[reach:] @ transition[:-reach]])
        state = torch.cat([state[:reach], joined])
        reach *= 2
    return state


def by_coefficient(heard: Tensor, before: Tensor, N: int, method: str, first: int) -> Tensor:
    """Coefficient after coefficient, each at all times: a recurrence of first order, solved by doubling.

    With x = c/√(2n+1), s the share of the new state and S the sum of (2k+1)x_k over k < n, old and new in those shares:
    (t + s(n+1)) x_n(t) = (t − (1−s)(n+1)) x_n(t−1) + u_t − S(t). Raises Unsupported for the held step, which is no such mean.
    """
    if method not in NEW_SHARE:
        raise Unsupported("the held step is no running sum")
    new = NEW_SHARE[method]
    t = torch.arange(first, first + len(heard), dtype=torch.float64, device=heard.device)[:, None]
    below, found = torch.zeros_like(heard), []
    for n in range(N):
        root = (2 * n + 1) ** 0.5
        width = t + new * (n + 1)
        kept = ((t - (1 - new) * (n + 1)) / width).to(heard.dtype)
        x = _doubled(kept, (heard - below) / width.to(heard.dtype), before[n] / root)
        earlier = torch.cat([before[n : n + 1] / root, x[:-1]])
        below = below + (2 * n + 1) * ((1 - new) * earlier + new * x)
        found.append(root * x)
    return torch.stack(found, dim=1)


def _doubled(kept: Tensor, driven: Tensor, before: Tensor) -> Tensor:
    """x_t = kept_t x_{t−1} + driven_t for all t: (time, signals), from (time, 1), (time, signals) and (signals)."""
    x = torch.cat([torch.addcmul(driven[:1], kept[:1], before), driven[1:]])
    reach = 1
    while reach < len(x):
        x = torch.cat([x[:reach], torch.addcmul(x[reach:], kept[reach:], x[:-reach])])
        kept = torch.cat([kept[:reach], kept[reach:] * kept[:-reach]])
        reach *= 2
    return x


def _steps(N, method, first, time, dtype, device):
    """Ā and B̄ of so many steps, from the first one on."""
    made = rounded_steps(N, method, whole_spans(first - 1 + time))
    return tuple(torch.from_numpy(each[first - 1 : first - 1 + time]).to(dtype).to(device) for each in made)


@lru_cache(maxsize=32)
def _blocks(N, method, first, steps, dtype, device):
    """By block: what the state before it and each of its inputs bring to each of its steps, (step·N, N + input)."""
    transitions, columns = (made[first - 1 :] for made in rounded_steps(N, method, whole_spans(first - 1 + steps)))
    blocks = []
    for start in range(0, steps, _BLOCK):
        moved, rows = np.eye(N, N + _BLOCK), []
        for step in range(min(_BLOCK, steps - start)):
            moved = transitions[start + step] @ moved
            moved[:, N + step] = columns[start + step]
            rows.append(moved)
        blocks.append(torch.from_numpy(np.concatenate(rows)).to(dtype).to(device))
    return blocks


@lru_cache(maxsize=32)
def _stacked(N, method, first, steps, dtype, device):
    """The same for all blocks together: what states bring, (block, step·N, N), and what inputs do, (block, step·N, input)."""
    rows = _BLOCK * N
    blocks = [
        torch.nn.functional.pad(each, (0, 0, 0, rows - len(each)))
        for each in _blocks(N, method, first, steps, dtype, device)
    ]
    whole = torch.stack(blocks)
    return whole[..., :N].contiguous(), whole[..., N:].contiguous()
