"""The steps of HiPPO's legs, t = 1, 2, …, as matrices, and as running sums that take N where a matrix takes N²."""

from __future__ import annotations

from functools import lru_cache
from typing import get_args

import numpy as np

from harness.operations.hippo_discretise import long_discretise
from harness.operations.hippo_matrices import Order, long_matrices

STEPS = 65
"""Steps of a span: matrices are made and remembered for whole ones."""

NEW_SHARE = {"forward": 0.0, "backward": 1.0, "bilinear": 0.5}
"""How much of a step is taken from where it leads to; the held step is no such mean."""


def whole_spans(time: int) -> int:
    """How many steps to prepare for so long a signal: whole spans, so that few different counts are remembered."""
    return -(-time // STEPS) * STEPS


@lru_cache
def long_steps(N: int, method: str, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Ā (steps, N, N) and B̄ (steps, N) of the steps 1, 2, … in long double.

    By the definition of a step as far as orders are verified; beyond, by running sums, which take N² where it takes N³.
    """
    if method != "zoh" and max(get_args(Order)) < N:
        return summed_steps(N, method, steps)
    A, B = long_matrices(np.ones(1, dtype=np.longdouble), "legs", N)
    transitions, columns = long_discretise(A, B, np.arange(1, steps + 1), method)
    return transitions, columns[..., 0]


def summed_steps(N: int, method: str, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Ā and B̄ from what a step's running sums make of each unit vector, and of an input of one (see `running_sums`)."""
    root = np.sqrt(2 * np.arange(N, dtype=np.longdouble) + 1)
    before = np.concatenate([np.diag(1 / root), np.zeros((N, 1), dtype=np.longdouble)], axis=1)
    heard = np.zeros(N + 1, dtype=np.longdouble)
    heard[-1] = 1
    t = np.arange(1, steps + 1, dtype=np.longdouble)[:, None]
    after = np.stack(list(summed(before, heard, t, method)), axis=1) * root[:, None]
    return after[..., :-1], after[..., -1]


@lru_cache
def rounded_steps(N: int, method: str, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """`long_steps` in float64."""
    transitions, columns = long_steps(N, method, steps)
    return transitions.astype(np.float64), columns.astype(np.float64)


def summed(x, heard, t, method):
    """One step of the running sums, coefficient after coefficient: x (N, …) before it, the input, the step's number."""
    new_share = NEW_SHARE[method]
    below = np.zeros_like(heard)
    for n in range(len(x)):
        rest = heard - below - (1 - new_share) * (n + 1) * x[n]
        after = (t * x[n] + rest) / (t + new_share * (n + 1))
        below = below + (2 * n + 1) * ((1 - new_share) * x[n] + new_share * after)
        yield after
