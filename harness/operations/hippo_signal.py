"""Band-limited signals, and what a memory of Legendre coefficients says they were.

Sources: docs/sources.md#state-space-memory.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from annotated_types import Interval
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.dtypes import HALVES, WIDE
from harness.declare.structure import RandomSource, structure
from harness.errors import Unsupported

_SPREADS = "how far an infinity spreads depends on which trivial factors a Fourier transform leaves out"


_RECURS = "the recurrence takes an infinite coefficient from itself, and inf - inf is NaN where the sum is infinite"


def kept(half: int, dt: float, freq: float) -> int:
    """How many k/(2·half·dt), k = 1, 2, … half, are not above freq; exact where the options are short binaries."""
    return int(min(half, freq * 2 * half * dt))


def _scale(half: int, count: int, rms: float) -> float:
    """rms/√2 times √(2·half/share), where the share that is left is count/half."""
    return rms * half / count**0.5


@operation(
    sizes={"bins": (2, 130), "batch": (0, 17)},
    where=lambda bins, dt, freq: kept(bins - 1, dt, freq) >= 1,
    linear_in="normals",
)
def white_signal(
    normals: Float[Tensor, "batch bins 2"],
    dt: Annotated[float, Interval(ge=0.5, le=1.0)],
    freq: Annotated[float, Interval(ge=0.25, le=0.5)],
    rms: Annotated[float, Interval(ge=0.5, le=2.0)],
) -> Float[Tensor, "batch 2*bins-2"]:
    """White noise without the frequencies above freq, shifted to start at 0 (claims signal.band, signal.length).

    normals: (batch, bins, 2), real and imaginary parts of the coefficients, which S0 draws on the way; dt: the step;
    freq: from one period of the whole to Nyquist's 1/(2dt); rms: the root of the mean square before the shift (claim
    signal.rms). Result: (batch, 2·half) with half = bins − 1.

    The first coefficient is 0, the last real; the others are rms/√2 times their normals, those above freq dropped,
    times √(2·half/share) with the share 1 − (dropped)/half that is left. Then the inverse real Fourier transform.
    """
    if normals.dtype in HALVES:
        raise Unsupported("torch's Fourier transforms know no half precision on the CPU")
    half = normals.shape[1] - 1
    count = kept(half, dt, freq)
    if not len(normals):
        return normals.new_zeros(0, 2 * half)  # MKL's transforms refuse an empty batch
    real, imaginary = normals[:, 1 : count + 1, 0], normals[:, 1 : count + 1, 1]
    if count == half:
        imaginary = torch.cat([imaginary[:, :-1], torch.zeros_like(imaginary[:, :1])], dim=1)
    coefficients = torch.nn.functional.pad(torch.complex(real, imaginary), (1, half - count))
    signal = torch.fft.irfft(coefficients, 2 * half, dim=1) * _scale(half, count, rms)
    return signal - signal[:, :1]


@white_signal.in_extended_precision
def long_signal(normals, dt, freq, rms):
    """The sum of cosines and sines itself, in long double, with angles reduced to one turn by integers."""
    half = normals.shape[1] - 1
    count = kept(half, dt, freq)
    k, steps = np.arange(1, count + 1), np.arange(2 * half)
    turn = 2 * np.longdouble("3.14159265358979323846") * (np.outer(k, steps) % (2 * half)) / (2 * half)
    twice = np.where(k == half, 1, 2).astype(np.longdouble)[:, None]
    sines = np.where(k == half, 0, 2).astype(np.longdouble)[:, None] * np.sin(turn)
    waves = normals[:, 1 : count + 1, 0] @ (twice * np.cos(turn)) - normals[:, 1 : count + 1, 1] @ sines
    signal = waves * (rms * np.sqrt(half * half / np.longdouble(count)) / (2 * half))
    return signal - signal[:, :1]


@white_signal.implementation(backend="numpy", dtypes=WIDE, exempt={"nonfinite_propagation": _SPREADS})
def numpy_coefficients(normals, dt, freq, rms):
    """S0's steps with numpy.fft: all coefficients, those above freq multiplied by 0, the power corrected.

    S0 asks `rfftfreq(2·half, d=dt) > freq`, which depends on how k·(1/(2·half·dt)) rounds; here the frequencies are
    compared after the exact products.
    """
    half = normals.shape[1] - 1
    sigma = normals.dtype.type(rms * np.sqrt(0.5))
    coefficients = sigma * (normals[..., 0] + 1j * normals[..., 1])
    coefficients[:, -1] = coefficients[:, -1].real
    coefficients[:, 0] = 0
    above = np.arange(half + 1) > freq * 2 * half * dt
    coefficients *= ~above
    coefficients *= normals.dtype.type(np.sqrt(2 * half) / np.sqrt(1 - above.sum() / half))
    signal = np.fft.irfft(coefficients, axis=-1)
    return (signal - signal[:, :1]).astype(normals.dtype)


@white_signal.implementation(backend="scipy", exempt={"nonfinite_propagation": _SPREADS})
def scipy_fft(normals, dt, freq, rms):
    """scipy.fft.irfft of both parts apart: what is even and what is odd in time."""
    from scipy.fft import irfft

    half = normals.shape[1] - 1
    count = kept(half, dt, freq)
    scale = normals.dtype.type(_scale(half, count, rms))
    even = irfft(np.pad(normals[:, 1 : count + 1, 0], ((0, 0), (1, half - count))), 2 * half, axis=1)
    odd = irfft(np.pad(1j * normals[:, 1 : count + 1, 1], ((0, 0), (1, half - count))), 2 * half, axis=1)
    signal = scale * (even + odd)
    return (signal - signal[:, :1]).astype(normals.dtype)


@white_signal.implementation(backend="torch", exempt={"nonfinite_propagation": _SPREADS})
def waves(normals, dt, freq, rms):
    """The sum of cosines and sines as one matrix product; waves that start at 0 make the signal start there."""
    half = normals.shape[1] - 1
    count = kept(half, dt, freq)
    k = torch.arange(1, count + 1, dtype=torch.float64, device=normals.device)[:, None]
    steps = torch.arange(2 * half, dtype=torch.float64, device=normals.device)
    turn = torch.pi / half * torch.remainder(k * steps, 2 * half)
    single, paired = _scale(half, count, rms) / (2 * half), (k < half).double()
    cosines, sines = -2 * single * (1 + paired) * (turn / 2).sin().square(), -2 * single * paired * turn.sin()
    shapes = torch.cat([cosines, sines]).to(normals)
    return torch.cat([normals[:, 1 : count + 1, 0], normals[:, 1 : count + 1, 1]], dim=1) @ shapes


@structure(
    admits=lambda values, known: bool(((values >= 0) & (values <= 1)).all()),
    simpler=lambda stream: (np.ones(stream.shape), np.zeros(stream.shape)),
)
def since_the_present(stream: RandomSource) -> np.ndarray:
    """Moments in [0, 1], one of them the present, 1: where the polynomials are steepest."""
    moments = stream.uniform()
    if moments.size:
        moments[stream.integers(0, moments.size - 1, (1,))[0]] = 1
    return moments


@operation(sizes={"N": (1, 33), "moment": (0, 65), "batch": (0, 17)}, linear_in="c")
def legendre_reconstruct(
    c: Float[Tensor, "batch N"], points: Annotated[Float[Tensor, "moment"], since_the_present]
) -> Float[Tensor, "batch moment"]:
    """The signal that N Legendre coefficients stand for: Σ √(2n+1) c_n P_n(2v − 1) (claims hippo.reconstruct, basis).

    c: (batch, N); points: (moment,), v in [0, 1] from the beginning to the present; result: (batch, moment). The
    polynomials follow from Bonnet's recurrence (n+1)P_{n+1} = (2n+1)x P_n − n P_{n−1}.
    """
    N, x = c.shape[1], 2 * points - 1
    polynomials = [torch.ones_like(x), x]
    for n in range(1, N - 1):
        polynomials.append(((2 * n + 1) * x * polynomials[n] - n * polynomials[n - 1]) / (n + 1))
    root = (2 * torch.arange(N, dtype=c.dtype, device=c.device) + 1).sqrt()
    return (c * root) @ torch.stack(polynomials[:N])


@legendre_reconstruct.in_extended_precision
def long_reconstruct(c, points):
    """The same recurrence in long double."""
    N, x = c.shape[1], 2 * points - 1
    polynomials = [np.ones_like(x), x]
    for n in range(1, N - 1):
        polynomials.append(((2 * n + 1) * x * polynomials[n] - n * polynomials[n - 1]) / (n + 1))
    root = np.sqrt(2 * np.arange(N, dtype=np.longdouble) + 1)
    return (c * root) @ np.stack(polynomials[:N])


@legendre_reconstruct.implementation(backend="numpy", dtypes=WIDE, exempt={"nonfinite_propagation": _RECURS})
def legval(c, points):
    """numpy.polynomial.legendre.legval, which sums by Clenshaw's recurrence."""
    weighted = c * np.sqrt(2 * np.arange(c.shape[1], dtype=c.dtype) + 1)
    return np.polynomial.legendre.legval(2 * points - 1, weighted.T)


@legendre_reconstruct.implementation(backend="scipy")
def evaluation_matrix(c, points):
    """S0's evaluation matrix from scipy.special.eval_legendre."""
    from scipy.special import eval_legendre

    n = np.arange(c.shape[1])
    root = np.sqrt(2 * n + 1)
    return c @ (root[:, None] * eval_legendre(n[:, None], 2 * points.astype(np.float64) - 1)).astype(c.dtype)


@legendre_reconstruct.implementation(backend="torch", exempt={"nonfinite_propagation": _RECURS})
def clenshaw(c, points):
    """Clenshaw's sum from the highest coefficient down, without the polynomials themselves."""
    x, N = 2 * points - 1, c.shape[1]
    last = before = c.new_zeros(len(c), len(points))
    for n in range(N - 1, -1, -1):
        weighted = c[:, n, None] * (2 * n + 1) ** 0.5
        last, before = weighted + (2 * n + 1) / (n + 1) * x * last - (n + 1) / (n + 2) * before, last
    return last
