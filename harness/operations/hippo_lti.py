"""HiPPO's memories of a window: c_t = Ā c_{t−1} + B̄ u_t with one step for all times.

Sources: docs/sources.md#state-space-memory.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Interval
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.dtypes import WIDE
from harness.operations.hippo_discretise import Method, long_step
from harness.operations.hippo_matrices import Order, long_matrices

_MIXES_TIMES = {
    "nonfinite_propagation": "a Fourier transform mixes all times, so one NaN reaches every one",
    "no_look_ahead": "its rounding error reaches back: before the first sound it is silent but for the last bits",
}


def admitted(measure: str, N: int, method: str) -> bool:
    """Whether the measure has such an order, and float16 holds the transients: forward Euler's reach 1e5 for N = 16."""
    return (measure != "fourier" or N % 2 == 0) and (method != "forward" or N <= 8)


@lru_cache
def long_constant_step(measure: str, N: int, dt: float, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Ā (N, N) and B̄ (N,) in long double."""
    A, B = long_matrices(np.ones(1, dtype=np.longdouble), measure, N)
    transition, column = long_step(A, B, np.asarray(dt, dtype=np.longdouble), method)
    return transition, column[:, 0]


@lru_cache
def _rounded_step(measure, N, dt, method):
    return tuple(made.astype(np.float64) for made in long_constant_step(measure, N, dt, method))


@operation(sizes={"time": (1, 65), "batch": (0, 9)}, where=admitted, causal="time", linear_in="u")
def hippo_lti(
    u: Float[Tensor, "time batch"],
    measure: Literal["legt", "lagt", "fourier"],
    N: Order,
    dt: Annotated[float, Interval(ge=2**-8, le=2**-6)],
    method: Method,
) -> Float[Tensor, "time batch N"]:
    """The coefficients of what was heard within the last window, after each step (claims hippo.causal, linear).

    u: (time, batch), time first; dt: the step in units of the window, which is 1; result: (time, batch, N), c_0 = 0.
    The step is that of x' = Ax + Bu with the measure's matrices: what `hippo_discretise` does with 1/t, done with dt.
    """
    transition, column = (torch.from_numpy(made).to(u) for made in _rounded_step(measure, N, dt, method))
    heard = u[..., None] * column
    states = [heard[0]]
    for new in heard[1:]:
        states.append(torch.addmm(new, states[-1], transition.mT))
    return torch.stack(states)


@hippo_lti.in_extended_precision
def long_scan(u, measure, N, dt, method):
    """The same loop in long double."""
    transition, column = long_constant_step(measure, N, dt, method)
    states = [np.zeros((u.shape[1], N), dtype=np.longdouble)]
    for heard in u:
        states.append(states[-1] @ transition.T + heard[:, None] * column)
    return np.stack(states[1:])


@hippo_lti.implementation(backend="scipy")
def dlsim(u, measure, N, dt, method):
    """scipy.signal's cont2discrete and dlsim, in float64.

    dlsim's state at k has heard u up to k − 1, so it runs one step longer and the first state is dropped; the output
    matrices, which bilinear changes too, are not asked.
    """
    from scipy.signal import cont2discrete, dlsim

    names = {"forward": "euler", "backward": "backward_diff", "bilinear": "bilinear", "zoh": "zoh"}
    A, B = (made.astype(np.float64) for made in long_matrices(np.ones(1, dtype=np.longdouble), measure, N))
    transition, column, *_ = cont2discrete((A, B, np.eye(N), np.zeros((N, 1))), dt, method=names[method])
    system = (transition, column, np.zeros((1, N)), np.zeros((1, 1)), 1.0)
    longer = np.concatenate([u, u[-1:]]).astype(np.float64)
    states = [dlsim(system, longer[:, sample])[2][1:] for sample in range(u.shape[1])]
    return np.stack(states, axis=1).astype(u.dtype) if states else np.zeros((*u.shape, N), dtype=u.dtype)


@hippo_lti.implementation(backend="torch", dtypes=WIDE, exempt=_MIXES_TIMES)
def fourier_convolution(u, measure, N, dt, method):
    """The convolution with the impulse response, by torch.fft with room for both; MKL refuses an empty batch."""
    if not u.numel():
        return u.new_zeros(*u.shape, N)
    kernel = torch.from_numpy(_impulse_response(measure, N, dt, method, len(u))).to(u)
    room = 2 * len(u)
    spectrum = torch.fft.rfft(u, room, dim=0)[:, :, None] * torch.fft.rfft(kernel, room, dim=0)[:, None, :]
    return torch.fft.irfft(spectrum, room, dim=0)[: len(u)]


@hippo_lti.implementation(backend="torch")
def doubling(u, measure, N, dt, method):
    """A parallel prefix with one matrix a round: Ā, Ā², Ā⁴, … join twice as many steps each time."""
    power, column = (torch.from_numpy(made).to(u) for made in _rounded_step(measure, N, dt, method))
    state = u[:, :, None] * column
    reach = 1
    while reach < len(u):
        state = torch.cat([state[:reach], state[reach:] + state[:-reach] @ power.mT])
        power = power @ power
        reach *= 2
    return state


@hippo_lti.implementation(
    backend="numpy",
    dtypes=WIDE,
    exempt={
        "nonfinite_propagation": "it sums over all steps of an impulse response, in which an infinity meets its opposite"
    },
)
def direct_convolution(u, measure, N, dt, method):
    """numpy.convolve of each sample with each coefficient's impulse response."""
    kernel = _impulse_response(measure, N, dt, method, len(u)).astype(u.dtype)
    states = np.empty((*u.shape, N), dtype=u.dtype)
    for sample in range(u.shape[1]):
        for n in range(N):
            states[:, sample, n] = np.convolve(kernel[:, n], u[:, sample])[: len(u)]
    return states


@lru_cache
def _impulse_response(measure, N, dt, method, steps):
    """Āᵏ B̄ for k = 0 … steps − 1: (steps, N)."""
    transition, column = _rounded_step(measure, N, dt, method)
    response = [column]
    while len(response) < steps:
        response.append(transition @ response[-1])
    return np.stack(response)
