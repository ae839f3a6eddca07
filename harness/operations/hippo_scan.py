"""HiPPO's memory of all the past: c_t = Ā_t c_{t−1} + B̄_t u_t for the measure legs.

Sources: docs/sources.md#state-space-memory.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.dtypes import WIDE
from harness.errors import Unsupported
from harness.operations.hippo_discretise import Method
from harness.operations.hippo_fast import at_once, by_coefficient, fast_scan, in_turn, prefixes, scan
from harness.operations.hippo_matrices import Order
from harness.operations.hippo_steps import STEPS, long_steps, rounded_steps, summed, whole_spans

_DIFFERENCES = {"nonfinite_propagation": "states are combined in another order, in which infinities of both signs meet"}
_MIXES_TIMES = "a product covers several times, and a NaN times the zero weight of an earlier time is a NaN"


def tame(N: int, method: str) -> bool:
    """Whether float16 holds the transients: forward Euler's reach 14 times the input for N = 4, 6e3 for 8 and more."""
    return method != "forward" or N <= 4


@operation(sizes={"time": (1, STEPS), "batch": (0, 17)}, where=tame, causal="time", linear_in="u")
def legs_scan(u: Float[Tensor, "time batch"], N: Order, method: Method) -> Float[Tensor, "time batch N"]:
    """The N Legendre coefficients of everything heard so far, after each step (claims hippo.batch, causal, linear).

    u: (time, batch), time first (claim hippo.batch-of-one: a signal wrapped as (1, L) is L signals of one step);
    result: (time, batch, N). The t-th step, counted from 1, is that of `hippo_discretise` with the matrices of legs:
    c_t = Ā_t c_{t−1} + B̄_t u_t, c_0 = 0. forward Euler is asked for N ≤ 4 (claim hippo.forward-euler-stable).
    """
    steps = rounded_steps(N, method, whole_spans(len(u)))
    transitions, columns = (torch.from_numpy(made[: len(u)]).to(u) for made in steps)
    heard = u.flatten(1)[..., None] * columns[:, None]
    states = [heard[0]]
    for new, transition in zip(heard[1:], transitions[1:].mT, strict=True):
        states.append(torch.addmm(new, states[-1], transition))
    return torch.stack(states).reshape(*u.shape, N)


@legs_scan.workload(
    sizes={"time": 1000, "batch": 1},
    options={"N": 64, "method": "bilinear"},
    ladder={"time": (100, 300, 1000, 3000), "batch": (1, 8, 64), "N": (4, 16, 64)},
)
def legs_scan_cost(time: int, batch: int, N: int) -> int:
    """The running sums of `running_sums`: a handful of operations for each coefficient, where a matrix takes 2N."""
    return 6 * time * batch * N


@operation(sizes={"time": (1, 33), "batch": (0, 9), "channel": (1, 17)}, where=tame, causal="time", linear_in="u")
def legs_scan_channels(
    u: Float[Tensor, "time batch channel"], N: Order, method: Method
) -> Float[Tensor, "time batch channel N"]:
    """`legs_scan` of every channel of every sample: two batch axes (claim hippo.fast-equals-sequential).

    u: (time, batch, channel); result: (time, batch, channel, N).
    """
    return legs_scan(u, N, method)


@legs_scan_channels.in_extended_precision
@legs_scan.in_extended_precision
def long_scan(u, N, method):
    """The same loop in long double."""
    transitions, columns = long_steps(N, method, whole_spans(len(u)))
    states = [np.zeros((*u.shape[1:], N), dtype=np.longdouble)]
    for t, heard in enumerate(u):
        states.append(states[-1] @ transitions[t].T + heard[..., None] * columns[t])
    return np.stack(states[1:])


@legs_scan_channels.implementation(backend="scipy", exempt=_DIFFERENCES)
@legs_scan.implementation(backend="scipy", exempt=_DIFFERENCES)
def triangular_solves(u, N, method):
    """S0's loop over scipy's solve_triangular and expm, in the input's precision.

    legs is triangular; legt and fourier are not. zoh comes out unstable in float64, since scipy's
    expm loses up to 100 eps here (N = 4, t = 1).
    """
    transitions, columns = (made.astype(u.dtype) for made in _solved_steps(N, method, whole_spans(len(u))))
    states = [np.zeros((*u.shape[1:], N), dtype=u.dtype)]
    for t, heard in enumerate(u):
        states.append(np.einsum("nk,...k->...n", transitions[t], states[-1]) + np.multiply.outer(heard, columns[t]))
    return np.stack(states[1:])


@lru_cache
def _solved_steps(N, method, steps):
    """Ā and B̄ of the steps in float64, by scipy's triangular solve and expm, as S0's model makes them."""
    from scipy.linalg import expm, solve_triangular

    n, t = np.arange(N), np.arange(1, steps + 1)[:, None, None]
    root = np.sqrt(2 * n + 1.0)
    A, B, one = -np.tril(np.outer(root, root), -1) - np.diag(n + 1.0), root[:, None], np.eye(N)
    if method == "forward":
        return one + A / t, (B / t)[..., 0]
    if method == "zoh":
        transitions = expm(A * np.log1p(1 / t))
        return transitions, solve_triangular(A, (transitions @ B - B)[..., 0].T, lower=True).T
    share = A / t if method == "backward" else A / (2 * t)
    given = np.concatenate([one + (0 if method == "backward" else 1) * share, B / t], axis=-1)
    solved = np.stack(
        [solve_triangular(one - part, right, lower=True) for part, right in zip(share, given, strict=True)]
    )
    return solved[..., :-1], solved[..., -1]


@legs_scan_channels.implementation(backend="torch", exempt=_DIFFERENCES)
@legs_scan.implementation(backend="torch", exempt=_DIFFERENCES)
def associative(u, N, method):
    """A parallel prefix over pairs (A, b): twice as many steps are joined in each of log₂(time) rounds."""
    return scan(prefixes, u, N, method)[0]


@legs_scan_channels.implementation(backend="torch", exempt={"nonfinite_propagation": _MIXES_TIMES})
@legs_scan.implementation(backend="torch", exempt={"nonfinite_propagation": _MIXES_TIMES})
def blocks(u, N, method):
    """32 steps at a time, by one product with the state before them and with their inputs together."""
    return scan(in_turn, u, N, method)[0]


@legs_scan_channels.implementation(backend="torch", exempt={"nonfinite_propagation": _MIXES_TIMES})
@legs_scan.implementation(backend="torch", exempt={"nonfinite_propagation": _MIXES_TIMES})
def carried(u, N, method):
    """All blocks at once as if each began at zero, and what each hands on added afterwards."""
    return scan(at_once, u, N, method)[0]


@legs_scan_channels.implementation(backend="torch", dtypes=WIDE, exempt={"nonfinite_propagation": _MIXES_TIMES})
@legs_scan.implementation(backend="torch", dtypes=WIDE, exempt={"nonfinite_propagation": _MIXES_TIMES})
def coefficient_by_coefficient(u, N, method):
    """One coefficient at all times, from the sums of those below it: O(N) a step."""
    return scan(by_coefficient, u, N, method)[0]


@legs_scan_channels.implementation(backend="torch", exempt={"nonfinite_propagation": _MIXES_TIMES})
@legs_scan.implementation(backend="torch", exempt={"nonfinite_propagation": _MIXES_TIMES})
def fast(u, N, method):
    """Whichever of these was measured to be fastest at such a size."""
    return fast_scan(u, N, method)[0]


@legs_scan.implementation(
    backend="numpy",
    dtypes=WIDE,
    exempt={
        "nonfinite_propagation": "an infinite state less a part of itself is inf - inf, where one factor of it is not"
    },
)
def running_sums(u, N, method):
    """O(N) for each step, in the basis x = c/√(2n+1), where legs sums over k < n with weights that do not depend on n.

    forward: x_n + (u − Σ(2k+1)x_k − (n+1)x_n)/t; backward takes the new x on the right, bilinear the mean of both, and
    since the sum ends before n, each x_n follows from those below it. The held step has no such sum.
    """
    if method == "zoh":
        raise Unsupported("the held step is no running sum")
    x = np.zeros((N, u.shape[1]), dtype=u.dtype)
    states = np.empty((*u.shape, N), dtype=u.dtype)
    for t, heard in enumerate(u, 1):
        x = np.stack(list(summed(x, heard, t, method)))
        states[t - 1] = x.T
    return states * np.sqrt(2 * np.arange(N, dtype=u.dtype) + 1)


@legs_scan.implementation(
    backend="scipy", exempt={"nonfinite_propagation": "a step's projection is a difference, of infinities as well"}
)
def projection(u, N, method):
    """The held step as what it means: the signal, silent on [0, 1], projected on Legendre polynomials.

    Claim hippo.zoh-exact.
    ∫√(2n+1)P_n(2v−1)dv = (P_{n+1} − P_{n−1})(2v−1)/(2√(2n+1)), taken between the times at which the signal changes.
    """
    if method != "zoh":
        raise Unsupported("the other methods are no projections")
    from scipy.special import eval_legendre

    n = np.arange(N)[:, None]
    states = []
    for t in range(1, len(u) + 1):
        x = 2 * np.arange(1, t + 2) / (t + 1) - 1
        integral = eval_legendre(n + 1, x) - np.where(n > 0, eval_legendre(abs(n - 1), x), 0)
        states.append(u[:t].T @ (np.diff(integral) / (2 * np.sqrt(2 * n + 1))).T)
    return np.stack(states).astype(u.dtype)


@legs_scan.implementation(
    backend="jax", exempt={"nonfinite_propagation": "it multiplies infinities by the zeros with which it fills up"}
)
def jax_associative_scan(u, N, method):
    """jax.lax.associative_scan; sizes are rounded up with zeros, since jax compiles every shape anew."""
    time, batch = u.shape
    steps, widest = whole_spans(time), 16 * -(-N // 16)
    heard = np.pad(np.asarray(u), ((0, steps - time), (0, -batch % 17)))
    prepared = (made.astype(heard.dtype) for made in _widened_steps(N, method, steps, widest))
    return np.asarray(_jax_prefixes()(*prepared, heard))[:time, :batch, :N]


@lru_cache
def _widened_steps(N, method, steps, widest):
    transitions, columns = rounded_steps(N, method, steps)
    room = (0, widest - N)
    return np.pad(transitions, ((0, 0), room, room)), np.pad(columns, ((0, 0), room))


@lru_cache
def _jax_prefixes():
    import jax

    def join(early, late):
        return late[0] @ early[0], late[0] @ early[1] + late[1]

    @jax.jit
    def prefixes(transitions, columns, heard):
        states = jax.lax.associative_scan(join, (transitions, columns[:, :, None] * heard[:, None, :]))[1]
        return states.swapaxes(1, 2)

    return prefixes
