"""Faults and other ways of HiPPO's matrices, steps, scans and signals."""

import numpy as np
import torch

from harness.declare.dtypes import WIDE
from harness.operations.hippo_discretise import hippo_discretise
from harness.operations.hippo_lti import hippo_lti, long_constant_step
from harness.operations.hippo_matrices import hippo_matrices
from harness.operations.hippo_scan import legs_scan, legs_scan_channels
from harness.operations.hippo_signal import legendre_reconstruct, white_signal
from harness.operations.hippo_steps import rounded_steps
from tests.quality.planted import correct, fault

# matrices


@fault(hippo_matrices, cause="another step", words="left out the constant 1")
def diagonal_without_one(beta, measure, N):
    """legs has -n on its diagonal where it should have -(n + 1)."""
    A, B = hippo_matrices(beta, measure, N)
    return (A + torch.eye(N).to(A) if measure == "legs" else A), B


@fault(hippo_matrices, cause="constant factor", words="result 0 is multiplied by -1")
def without_minus(beta, measure, N):
    """A has the other sign."""
    A, B = hippo_matrices(beta, measure, N)
    return -A, B


@fault(hippo_matrices, cause="exchanged axes", words="axes 0 and 1 of result 0")
def rows_for_columns(beta, measure, N):
    """A is transposed."""
    A, B = hippo_matrices(beta, measure, N)
    return A.mT, B


@fault(hippo_matrices, cause="counted twice", words=("beta is counted twice",))
def beta_twice(beta, measure, N):
    """beta is added to itself."""
    return hippo_matrices(beta + beta, measure, N)


@correct(hippo_matrices, backend="numpy")
def entry_by_entry(beta, measure, N):
    """Every entry by itself."""
    A, B = np.zeros((N, N)), np.zeros((N, 1))
    for n in range(N):
        for k in range(N):
            product = ((2 * n + 1) * (2 * k + 1)) ** 0.5
            if measure == "legs":
                A[n, k] = -product if n > k else -(n + 1) * (n == k)
            elif measure == "legt":
                A[n, k] = -product if n >= k else -product * (-1.0) ** (k - n)
            elif measure == "lagt":
                A[n, k] = -1.0 * (n > k) - 0.5 * (n == k)
            elif n % 2 == k % 2 == 0:
                A[n, k] = -(2.0 if n == 0 else 8**0.5) * (2.0 if k == 0 else 8**0.5) / 2
            elif abs(n - k) == 1 and max(n, k) % 2 == 1:
                A[n, k] = np.copysign(2 * np.pi * (min(n, k) // 2), n - k)
        of_harmonic = (2.0 if n == 0 else 8**0.5) * (n % 2 == 0)
        B[n] = {"lagt": float(beta[0]), "fourier": of_harmonic}.get(measure, (2 * n + 1) ** 0.5)
    return A.astype(beta.dtype), B.astype(beta.dtype)


# one step


@fault(hippo_discretise, cause="another option", words="method='bilinear' is computed where method='backward' is asked")
def backward_falls_through(A, B, t, method):
    """An unknown name is taken for the default, and backward is not known."""
    return hippo_discretise(A, B, t, "bilinear" if method == "backward" else method)


@fault(hippo_discretise, cause="circumstances", words="method='zoh'")
def held_for_one_over_t(A, B, t, method):
    """The held step is as long as 1/t, where in log t it is log((t + 1)/t)."""
    if method != "zoh":
        return hippo_discretise(A, B, t, method)
    held = torch.nn.functional.pad(torch.cat([A, B], dim=1), (0, 0, 0, 1)) / t
    moved = torch.linalg.matrix_exp(torch.stack([held, held]))[0]
    return moved[:-1, :-1], moved[:-1, -1:]


# the result is linear in B, so that half of B says the same
@fault(hippo_discretise, cause="another step", words="twice the constant")
def half_of_the_column(A, B, t, method):
    """Bilinear takes half of the step for B as well."""
    transition, column = hippo_discretise(A, B, t, method)
    return transition, column / 2 if method == "bilinear" else column


@fault(hippo_discretise, cause="exchanged axes", words="axes 0 and 1 of A")
def system_transposed(A, **given):
    """A is handed over column by column, as Fortran holds it."""
    return hippo_discretise(A=A.mT, **given)


@fault(hippo_discretise, cause="ignored", words="triangle of A")
def triangular_solve(A, B, t, method):
    """S0's triangular solve, which does not look above the diagonal, for matrices that are not triangular."""
    if method not in ("backward", "bilinear"):
        return hippo_discretise(A, B, t, method)
    one = torch.eye(len(A), dtype=A.dtype)
    share = A / (t if method == "backward" else 2 * t)
    given = torch.cat([one if method == "backward" else one + share, B / t], 1)
    made = torch.linalg.solve_triangular(one - share, given, upper=False)
    return made[:, :-1], made[:, -1:]


@correct(hippo_discretise)
def both_in_one_solve(A, B, t, method):
    """One LU decomposition for Ā and B̄; the integral of the held step by a doubled power series."""
    one = torch.eye(len(A), dtype=A.dtype)
    if method == "forward":
        return hippo_discretise(A, B, t, method)
    if method == "zoh":
        return _power_series(A, B, float(np.log1p(1 / t)))
    share = A / (t if method == "backward" else 2 * t)
    factors = torch.linalg.lu_factor(one - share)
    made = torch.linalg.lu_solve(*factors, torch.cat([one if method == "backward" else one + share, B / t], 1))
    return made[:, :-1], made[:, -1:]


def _power_series(A, B, span):
    doublings = max(0, int(np.frexp(float(A.abs().sum(0).max()) * span)[1]))
    X, short = A * (span / 2**doublings), span / 2**doublings
    factor = one = torch.eye(len(A), dtype=A.dtype)
    for power in range(20, 1, -1):
        factor = one + X @ factor / power
    transition, column = one + X @ factor, short * (factor @ B)
    for _ in range(doublings):
        column, transition = column + transition @ column, transition @ transition
    return transition, column


# scans


@fault(legs_scan, cause="shifted", words=("u is shifted by +1", "time"))
def input_one_step_late(u, N, method):
    """Each step hears the sample of the step before."""
    return legs_scan(torch.cat([torch.zeros_like(u[:1]), u[:-1]]), N, method)


@fault(legs_scan, cause="left out", words="the tail of time that fills no block of 2")
def odd_one_out(u, N, method):
    """Steps are joined in pairs; what is heard in an odd last step is dropped."""
    if len(u) % 2 == 0:
        return legs_scan(u, N, method)
    return legs_scan(torch.cat([u[:-1], torch.zeros_like(u[-1:])]), N, method)


@fault(legs_scan, cause="nonfinite swallowed or invented", words="swallowed")
def zeros_for_nan(u, N, method):
    """Missing samples are taken for silence."""
    return legs_scan(torch.nan_to_num(u, posinf=0.0, neginf=0.0), N, method)


@fault(legs_scan_channels, cause="viewed where permuted", words=("u is viewed", "batch and channel"))
def channels_flattened_first(u, N, method):
    """Channels and samples are flattened in this order, and unflattened in the other."""
    flat = legs_scan(u.transpose(1, 2).flatten(1), N, method)
    return flat.reshape(*u.shape, N)


@fault(legs_scan_channels, cause=("only some entries", "circumstances"), words="channel")
def state_carried_over_channels(u, N, method):
    """Channel after channel, each beginning with the last state of the one before."""
    transitions, columns = (torch.from_numpy(made).to(u) for made in rounded_steps(N, method, len(u)))
    state, made = u.new_zeros(u.shape[1], N), u.new_zeros(*u.shape, N)
    for channel in range(u.shape[2]):
        for time in range(len(u)):
            state = state @ transitions[time].T + u[time, :, channel, None] * columns[time]
            made[time, :, channel] = state
    return made


@correct(legs_scan, dtypes=WIDE)
def every_step_from_the_start(u, N, method):
    """Every state as a sum over all that was heard, each sample carried to it by a product of transitions."""
    transitions, columns = (torch.from_numpy(made).to(u) for made in rounded_steps(N, method, len(u)))
    responses, states = columns[:0], []
    for time in range(len(u)):
        responses = torch.cat([responses @ transitions[time].T, columns[time : time + 1]])
        states.append(torch.einsum("tn,tb->bn", responses, u[: time + 1]))
    return torch.stack(states)


@correct(legs_scan_channels, dtypes=WIDE)
def sample_and_channel_apart(u, N, method):
    """One signal at a time."""
    made = [legs_scan(u[:, i, c, None], N, method)[:, 0] for i in range(u.shape[1]) for c in range(u.shape[2])]
    return torch.stack(made, 1).reshape(*u.shape, N) if made else u.new_zeros(*u.shape, N)


def _held_back(u, step):
    """c_t = Ā c_{t−1} + B̄ u_t with a given constant step."""
    transition, column = (torch.from_numpy(made.astype(np.float64)).to(u) for made in step)
    state, states = u.new_zeros(u.shape[1], len(column)), []
    for heard in u:
        state = state @ transition.T + heard[:, None] * column
        states.append(state)
    return torch.stack(states)


@fault(hippo_lti, cause=("circumstances", "another step"), words="method='forward'")
def column_without_step(u, measure, N, dt, method):
    """Forward Euler's input is not multiplied by the step."""
    transition, column = long_constant_step(measure, N, dt, method)
    return _held_back(u, (transition, column / dt if method == "forward" else column))


# the first state is what is heard first, and right
@fault(hippo_lti, cause=("circumstances", "only some entries"), words="measure='fourier'")
def turning_the_other_way(u, measure, N, dt, method):
    """The Fourier measure's transition is transposed, so that it turns the other way."""
    transition, column = long_constant_step(measure, N, dt, method)
    return _held_back(u, (transition.T if measure == "fourier" else transition, column))


@fault(hippo_lti, cause="circumstances", words="time ≥ 2", dtypes=WIDE)
def circular_convolution(u, measure, N, dt, method):
    """The transform is as long as the signal, so that its end reaches its beginning."""
    if not u.numel():
        return u.new_zeros(*u.shape, N)
    impulse = torch.zeros(len(u), 1, dtype=u.dtype)
    impulse[0] = 1
    kernel = hippo_lti(impulse, measure, N, dt, method)[:, 0]
    spectrum = torch.fft.rfft(u, dim=0)[:, :, None] * torch.fft.rfft(kernel, dim=0)[:, None]
    return torch.fft.irfft(spectrum, len(u), dim=0)


@fault(hippo_lti, cause="reversed axis", words=("u is reversed along time",))
def newest_first(u, **given):
    """The window is read from its newest sample."""
    return hippo_lti(u=u.flip(0), **given)


@correct(hippo_lti, backend="numpy", dtypes=WIDE)
def oldest_response_first(u, measure, N, dt, method):
    """Every state as the sum of the responses to what was heard, in float64."""
    transition, column = (made.astype(np.float64) for made in long_constant_step(measure, N, dt, method))
    response = [column]
    for _ in range(len(u) - 1):
        response.append(transition @ response[-1])
    echoes, heard = np.stack(response), u.astype(np.float64)
    states = [np.einsum("tn,tb->bn", echoes[time::-1], heard[: time + 1]) for time in range(len(u))]
    return np.stack(states).astype(u.dtype)


# signals


@fault(white_signal, cause="constant factor", words=("the result is multiplied by", "1.41421"))
def power_of_both_parts(**given):
    """The real and the imaginary part have the whole power each."""
    return white_signal(**given) * 2**0.5


@fault(white_signal, cause=("reversed axis", "only a slice is changed"), words="normals")
def imaginary_first(normals, **given):
    """The pairs are read as imaginary and real part."""
    return white_signal(normals=normals.flip(2), **given)


@fault(white_signal, cause="option ignored", words="rms=0.5 is computed whatever rms is")
def power_by_default(rms, **given):
    """rms is not handed on, so that S0's default of 1/2 stands."""
    return white_signal(rms=0.5, **given)


@fault(legendre_reconstruct, cause="another step", words="left out")
def without_roots(c, points):
    """The polynomials are not normalised: √(2n+1) is forgotten."""
    return legendre_reconstruct(c / (2 * torch.arange(c.shape[1], dtype=c.dtype) + 1).sqrt(), points)


@fault(legendre_reconstruct, cause="another function of it", words="1 - points is used where points is meant")
def from_present_to_past(c, points):
    """The moments are counted back from the present."""
    return legendre_reconstruct(c, 1 - points)


# the first moment is always 1, where both are the same
@fault(legendre_reconstruct, cause=("another function of it", "circumstances", "only some entries"), words="N ≥ 2")
def on_minus_one_to_one(c, points):
    """Moments of [0, 1] are put into polynomials on [-1, 1] as they are."""
    return legendre_reconstruct(c, (points + 1) / 2)


@fault(legendre_reconstruct, cause="only some entries", words="the first entry along moment")
def the_first_moment_is_the_present(c, points):
    """The first of the moments is taken to be 1 without being read."""
    return legendre_reconstruct(c, torch.cat([torch.ones_like(points[:1]), points[1:]]))


@correct(legendre_reconstruct, backend="numpy", dtypes=WIDE)
def vandermonde(c, points):
    """numpy's legvander, in float64."""
    N = c.shape[1]
    polynomials = np.polynomial.legendre.legvander(2 * points.astype(np.float64) - 1, N - 1)
    return ((c * np.sqrt(2 * np.arange(N) + 1.0)) @ polynomials.T).astype(c.dtype)
