"""The pseudo-inverse of convolution: the image of least norm among those that explain a result best.

With A the matrix of `conv2d` or `conv2d_circular`, x̂ = A⁺y minimises ‖Ax − y‖, and among the minimisers ‖x‖ (claim
pinv.moore-penrose). A⁺ is built from singular values; those below max(rows, columns)·ε·σ₁ count as zero, so that a map
of lower rank (a padding that no tap reaches across, more channels in than out and out than in at once) has its inverse.

The circular map is block-diagonal in frequency, so its pseudo-inverse is one small pseudo-inverse per frequency (claim
pinv.circular). The error of every method grows with the condition of A: random kernels with zero padding reach
5e1 to 2e9, so kernels are drawn with a condition in mind (`invertible_taps`). Where a random kernel's small singular
values are hard to excite by a change of the kernel, all methods, trusted ones included, lose more than the problem
does and are unstable.

Sources: docs/sources.md#convolution-and-its-pseudo-inverse.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Interval
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.errors import Unsupported
from harness.operations.conv2d_factorisation import Factorisation
from harness.operations.convolution import (
    SPREADS,
    conv2d,
    conv2d_circular,
    conv2d_circular_matrix,
    conv2d_matrix,
    correlate,
)

_MOST_UNKNOWNS = 100
_WIDE = (torch.float64, torch.float32)
_CYCLES = 4
_STEPS_PER_UNKNOWN = 8

_MIXES = {"nonfinite_propagation": "a solver works with norms of the right-hand side, and refuses NaN or never ends"}


def invertible_taps(stream):
    """Kernels with an inverse worth comparing: of four, two near the identity, one nearly singular, one random.

    Near the identity: a one at the centre tap of equal channels, a quarter of a bell everywhere. Nearly singular: the
    first two channels differ by 2⁻ʲ (a lone channel: neighbouring taps do, with opposite signs), so that the condition
    is 2ʲ⁺¹ or so, j from 3 to 10, or 24, where float32 has no digit left. Random: bells, whatever comes of it.
    """
    kind, exponent = int(stream.integers(0, 3, (1,))[0]), int(stream.integers(3, 11, (1,))[0])
    bells = stream.normal()
    if kind == 0:
        return bells
    outputs, inputs, height, width = stream.shape
    gap = 1.0 if kind < 3 else float(np.ldexp(1.0, -exponent if exponent < 11 else -24))
    taps = bells * 0.25 * gap / np.sqrt(float(inputs * height * width))
    centre = taps[:, :, height // 2, width // 2]
    centre += np.eye(outputs, inputs)
    if kind == 3 and min(outputs, inputs) > 1:
        centre[0, 1] += 1 - gap
        centre[1, 0] += 1 - gap
    elif kind == 3 and width > 1:
        taps[0, 0, height // 2, width // 2 - 1] -= 1 - gap
    return taps


def _small_and_one_sided(inputs, outputs, height, width, kernel_height, kernel_width, padding):
    """Small, padding within reach of the taps, and results outnumbering unknowns along every axis or along none.

    Where channels grow while the image shrinks, or the reverse, even kernels near the identity have singular values
    down to 1e-6 that no change of a kernel excites. Every method loses cond·ε there though the problem does not, which
    says nothing about an implementation.
    """
    rows, columns = height + kernel_height - 1 - 2 * padding, width + kernel_width - 1 - 2 * padding
    if min(rows, columns) < 1 or padding >= min(kernel_height, kernel_width):
        return False
    more = (outputs >= inputs, height >= rows, width >= columns)
    fewer = (outputs <= inputs, height <= rows, width <= columns)
    return (all(more) or all(fewer)) and max(inputs * rows * columns, outputs * height * width) <= _MOST_UNKNOWNS


def _small_and_whole(inputs, outputs, height, width, kernel_height, kernel_width):
    fits = height >= kernel_height and width >= kernel_width
    return fits and max(inputs, outputs) * height * width <= _MOST_UNKNOWNS


def _image_shape(y, K, padding):
    """Channels, height and width of the images that a convolution takes to results like y."""
    return K.shape[1], *(y.shape[2 + i] + K.shape[2 + i] - 1 - 2 * padding for i in range(2))


def _relative_cut(A):
    """The singular value, relative to the largest, below which one counts as zero."""
    eps = torch.finfo(A.dtype).eps if isinstance(A, Tensor) else np.finfo(A.dtype).eps
    return float(max(A.shape) * eps)


def _torch_matrix(forward, y, shape):
    """Aᵀ: one image for each unknown, convolved, as rows. Differentiable in whatever `forward` depends on."""
    unknowns = int(np.prod(shape))
    basis = torch.eye(unknowns, dtype=y.dtype, device=y.device).reshape(unknowns, *shape)
    return forward(basis).flatten(1)


def _solve(forward, y, shape):
    """A⁺y for every sample, from the singular values of A.

    Autograd goes through torch.linalg.pinv, whose derivative is that of a map of constant rank and needs no gaps
    between singular values (Golub and Pereyra), so that equal ones, which kernels near the identity have, do no harm.
    """
    if y.dtype not in _WIDE:
        raise Unsupported(f"LAPACK does not compute in {str(y.dtype).removeprefix('torch.')}")
    return (y.flatten(1) @ torch.linalg.pinv(_torch_matrix(forward, y, shape))).reshape(len(y), *shape)


_SIZES = {
    "batch": (0, 5),
    "inputs": (1, 6),
    "outputs": (1, 6),
    "height": (1, 8),
    "width": (1, 8),
    "kernel_height": (1, 3),
    "kernel_width": (1, 3),
}


@operation(sizes=_SIZES, where=_small_and_one_sided, linear_in="y")
def conv2d_pinv(
    y: Float[Tensor, "batch outputs height width"],
    K: Annotated[Float[Tensor, "outputs inputs kernel_height kernel_width"], invertible_taps],
    padding: Annotated[int, Interval(ge=0, le=2)],
) -> Float[Tensor, "batch inputs height+kernel_height-1-2*padding width+kernel_width-1-2*padding"]:
    """The x of least norm that minimises ‖conv2d(x, K, padding) − y‖ (claim pinv.moore-penrose).

    y: (batch, outputs, height, width); K: (outputs, inputs, kernel_height, kernel_width); padding: of the convolution
    that is inverted. Raises Unsupported in float16 and bfloat16, in which LAPACK does not compute.
    """
    image = _image_shape(y, K, padding)
    return _solve(lambda basis: conv2d.definition(basis, K, padding), y, image)


def solves(arguments: Mapping[str, Any], results: tuple[Tensor, ...], eps: float) -> tuple[float, float]:
    """The backward error ‖conv2d(x) − y‖ / (‖K‖₁‖x‖ + ‖y‖), and what rounding allows of it.

    It certifies a solution where the operator is invertible, as square ones of random taps nearly always are. What is
    allowed grows with the unknowns: LAPACK leaves out singular values below eps times their number.
    """
    (x,), y, K = results, arguments["y"], arguments["K"]
    residual = conv2d.definition(x, K, arguments["padding"]) - y
    size = float(K.abs().sum((1, 2, 3)).max() * x.norm() + y.norm())
    return float(residual.norm()) / size, (1e3 + x[0].numel()) * eps


@conv2d_pinv.workload(
    sizes={"batch": 1, "inputs": 4, "outputs": 4, "height": 12, "width": 12, "kernel_height": 3, "kernel_width": 3},
    options={"padding": 1},
    ladder={"height width": (6, 12, 24, 48), "batch": (1, 8)},
    certificate=solves,
    oracle_up_to={"height": 12},
)
def conv2d_pinv_cost(batch: int, inputs: int, outputs: int, height: int, width: int) -> float:
    """Two Fourier transforms and one product per frequency: what is left once the operator is factorised."""
    pixels = height * width
    return batch * pixels * (2.5 * (inputs + outputs) * math.log2(pixels) + 4 * inputs * outputs)


@conv2d_pinv.in_extended_precision
def conv2d_pinv_in_long_double(y, K, padding):
    """The solution in float64, improved in long double."""
    shape = _image_shape(y, K, padding)
    A = conv2d_matrix(K, *shape[1:], padding)
    return _improved(A, y.reshape(len(y), A.shape[0])).reshape(len(y), *shape)


@conv2d_pinv.implementation(backend="torch", dtypes=_WIDE, exempt=_MIXES)
def divide_and_conquer(y, K, padding):
    """torch.linalg.lstsq by LAPACK's gelsd, which never forms the inverse; in float32 unstable at times, up to 75 u."""
    return _by_gelsd(lambda basis: conv2d.definition(basis, K, padding), y, _image_shape(y, K, padding))


@conv2d_pinv.implementation(backend="torch", dtypes=_WIDE, exempt=_MIXES)
def capacitance(y, K, padding):
    """The factorisation for large images, which never writes the matrix out: circulants, and the border by itself."""
    try:
        if (padding, padding) != (K.shape[2] // 2, K.shape[3] // 2):
            raise Unsupported("the factorisation is of convolutions that keep the size of the image")
        return Factorisation(K, *y.shape[2:]).solve(y, refinements=2)
    except ValueError as refusal:
        raise Unsupported(str(refusal)) from None


@conv2d_pinv.implementation(backend="scipy")
def scipy_pinv(y, K, padding):
    """scipy.linalg.pinv of the matrix written out."""
    from scipy.linalg import pinv

    shape = _image_shape(y, K, padding)
    A = conv2d_matrix(K, *shape[1:], padding)
    return (y.reshape(len(y), A.shape[0]) @ pinv(A).T).reshape(len(y), *shape)


@conv2d_pinv.implementation(backend="scipy", exempt=_MIXES)
def complete_orthogonal(y, K, padding):
    """scipy.linalg.lstsq by LAPACK's gelsy: QR with pivots from both sides, no singular values."""
    from scipy.linalg import lstsq

    if not len(y):
        raise Unsupported("LAPACK's gelsy takes no empty right-hand side")
    shape = _image_shape(y, K, padding)
    A = conv2d_matrix(K, *shape[1:], padding)
    x = lstsq(A, y.reshape(len(y), A.shape[0]).T, cond=_relative_cut(A), lapack_driver="gelsy")[0]
    return x.T.reshape(len(y), *shape).astype(y.dtype)


@conv2d_pinv.implementation(backend="scipy", name="lsmr", exempt=_MIXES)
def lsmr_on_operator(y, K, padding):
    """LSMR on the map itself, no matrix: A x by windows, Aᵀ y by windows of the flipped kernel.

    Unstable at times where the condition is large: its vectors lose their orthogonality.
    """
    shape = _image_shape(y, K, padding)
    forward, adjoint = _windows_of(K, padding)
    return _by_lsmr(forward, adjoint, y, shape)


@conv2d_pinv.implementation(backend="numpy", dtypes=(torch.float64, torch.float32), name="cgls", exempt=_MIXES)
def conjugate_gradients(y, K, padding):
    """Conjugate gradients on AᵀA x = Aᵀy for all samples at once."""
    shape = _image_shape(y, K, padding)
    forward, adjoint = _windows_of(K, padding)
    return _by_conjugate_gradients(forward, adjoint, y, shape)


@operation(sizes=_SIZES, where=_small_and_whole, linear_in="y")
def conv2d_circular_pinv(
    y: Float[Tensor, "batch outputs height width"],
    K: Annotated[Float[Tensor, "outputs inputs kernel_height kernel_width"], invertible_taps],
) -> Float[Tensor, "batch inputs height width"]:
    """The x of least norm that minimises ‖conv2d_circular(x, K) − y‖ (claims pinv.circular, pinv.moore-penrose).

    y: (batch, outputs, height, width); K: (outputs, inputs, kernel_height, kernel_width), no larger than the image.
    Raises Unsupported in float16 and bfloat16, in which LAPACK does not compute.
    """
    return _solve(lambda basis: conv2d_circular.definition(basis, K), y, (K.shape[1], *y.shape[2:]))


@conv2d_circular_pinv.in_extended_precision
def conv2d_circular_pinv_in_long_double(y, K):
    """The solution in float64, improved in long double."""
    A = conv2d_circular_matrix(K, *y.shape[2:])
    return _improved(A, y.reshape(len(y), A.shape[0])).reshape(len(y), K.shape[1], *y.shape[2:])


@conv2d_circular_pinv.implementation(backend="torch", dtypes=_WIDE, exempt=SPREADS)
def per_frequency(y, K):
    """torch.linalg.pinv of conj(K_f) at every frequency of torch's real transform."""
    if not len(y):
        raise Unsupported("MKL's transforms take no empty batch")
    sides = y.shape[2:]
    blocks = torch.fft.rfft2(K, sides).conj().permute(2, 3, 0, 1)
    with torch.no_grad():
        cut = torch.linalg.matrix_norm(blocks, 2).max() * (max(K.shape[:2]) * sides.numel() * torch.finfo(y.dtype).eps)
    inverses = torch.linalg.pinv(blocks, atol=cut, rtol=0.0)
    return torch.fft.irfft2(torch.einsum("xyco,boxy->bcxy", inverses, torch.fft.rfft2(y)), sides)


@conv2d_circular_pinv.implementation(backend="numpy", dtypes=(torch.float64, torch.float32), exempt=SPREADS)
def per_frequency_svd(y, K):
    """numpy's singular values at every frequency of the complex transform, cut by the largest of all frequencies."""
    sides = y.shape[2:]
    U, singular, Vh = np.linalg.svd(np.fft.fft2(K, sides).conj().transpose(2, 3, 0, 1), full_matrices=False)
    cut = singular.max() * max(K.shape[:2]) * sides[0] * sides[1] * np.finfo(y.dtype).eps
    inverted = np.divide(1, singular, out=np.zeros_like(singular), where=singular > cut)
    turned = np.einsum("xyor,boxy->bxyr", U.conj(), np.fft.fft2(y)) * inverted
    return np.fft.ifft2(np.einsum("xyrc,bxyr->bcxy", Vh.conj(), turned)).real.astype(y.dtype)


@conv2d_circular_pinv.implementation(backend="scipy")
def circular_scipy_pinv(y, K):
    """scipy.linalg.pinv of the circular matrix written out."""
    from scipy.linalg import pinv

    A = conv2d_circular_matrix(K, *y.shape[2:])
    return (y.reshape(len(y), A.shape[0]) @ pinv(A).T).reshape(len(y), K.shape[1], *y.shape[2:])


@conv2d_circular_pinv.implementation(backend="torch", dtypes=_WIDE, exempt=_MIXES)
def circular_divide_and_conquer(y, K):
    """torch.linalg.lstsq by LAPACK's gelsd on the circular matrix."""
    return _by_gelsd(lambda basis: conv2d_circular.definition(basis, K), y, (K.shape[1], *y.shape[2:]))


@conv2d_circular_pinv.implementation(backend="scipy", name="circular_lsmr", exempt=_MIXES)
def lsmr_on_transforms(y, K):
    """LSMR on the map itself, A x and Aᵀ y by scipy's transforms."""
    from scipy.fft import irfft2, rfft2

    sides = y.shape[2:]
    spectrum = rfft2(K, sides)

    def forward(x):
        return irfft2(np.einsum("ocxy,bcxy->boxy", spectrum.conj(), rfft2(x)), sides)

    def adjoint(r):
        return irfft2(np.einsum("ocxy,boxy->bcxy", spectrum, rfft2(r)), sides)

    return _by_lsmr(forward, adjoint, y, (K.shape[1], *sides))


def _by_gelsd(forward, y, shape):
    """A⁺y by torch's least squares, whose derivative is that of the pseudo-inverse."""
    if not y.is_cpu:
        raise Unsupported("torch.linalg.lstsq takes matrices of less than full rank on the CPU alone")
    if not len(y):
        raise Unsupported("LAPACK's gelsd takes no empty right-hand side")
    A = _torch_matrix(forward, y, shape).mT
    x = torch.linalg.lstsq(A, y.flatten(1).mT, rcond=_relative_cut(A), driver="gelsd").solution
    return x.mT.reshape(-1, *shape)


def _improved(A, y):
    """A⁺y in long double, by iterative refinement of what torch's pseudo-inverse gives in float64.

    First the residual r that is orthogonal to the range of A, then the x of least norm with Ax = y − r. Each is a
    symmetric system (Björck 1967) in which the error shrinks by ε·cond per cycle, where refining x alone would stop at
    the inexact range of the float64 inverse. A: (rows, unknowns), y: (samples, rows), both long double.
    """
    narrow = A.astype(np.float64)
    inverse = torch.linalg.pinv(torch.from_numpy(narrow)).numpy().astype(np.longdouble)
    residual = _augmented(A, inverse, y.T, np.zeros((A.shape[1], len(y)), np.longdouble))
    return _augmented(A.T, inverse.T, np.zeros((A.shape[1], len(y)), np.longdouble), y.T - residual).T


def _augmented(A, inverse, f, g):
    """The r of r + Ax = f, Aᵀr = g, refined from an approximate pseudo-inverse.

    A fixed number of cycles, enough for conditions up to 1e10: corrections of r alone don't tell when to stop.
    """
    r, x = np.zeros_like(f), np.zeros_like(g)
    for _ in range(_CYCLES):
        short_of_f, short_of_g = f - r - A @ x, g - A.T @ r
        x = x + inverse @ (short_of_f - inverse.T @ short_of_g)
        r = r + short_of_f - A @ (inverse @ short_of_f) + inverse.T @ short_of_g
    return r


def _windows_of(K, padding):
    """A x and Aᵀ r for batches of images and results, without A: both are correlations with zeros around.

    The transpose of a convolution with padding p is one with the flipped kernel and padding k − 1 − p, which is not
    negative here.
    """
    flipped = K[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    margins = [(taken - 1 - padding,) * 2 for taken in K.shape[2:]]

    def forward(x):
        return correlate(np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding))), K)

    def adjoint(r):
        return correlate(np.pad(r, ((0, 0), (0, 0), *margins)), flipped)

    return forward, adjoint


def _by_lsmr(forward, adjoint, y, shape):
    """scipy's LSMR for each sample, to the last digit of y's dtype. Raises Unsupported where it does not converge."""
    from scipy.sparse.linalg import LinearOperator, lsmr

    rows, unknowns = int(np.prod(y.shape[1:])), int(np.prod(shape))
    A = LinearOperator(
        (rows, unknowns),
        dtype=y.dtype,
        matvec=lambda x: forward(x.reshape(1, *shape)).reshape(-1),
        rmatvec=lambda r: adjoint(r.reshape(1, *y.shape[1:])).reshape(-1),
    )
    finest = float(np.finfo(y.dtype).eps)
    sizes, found = _size_of(y), []
    for sample in y / sizes:
        most = _STEPS_PER_UNKNOWN * max(rows, unknowns)
        x, reason, *_ = lsmr(A, sample.reshape(-1), atol=finest, btol=finest, conlim=0.0, maxiter=most)
        if reason == 7:
            raise Unsupported(f"LSMR has not converged in {most} steps")
        found.append(x)
    return np.array(found, dtype=y.dtype).reshape(len(y), *shape) * sizes


def _by_conjugate_gradients(forward, adjoint, y, shape):
    """CGLS: conjugate gradients on AᵀAx = Aᵀy in the form that keeps the residual r, all samples at once.

    A sample rests when ‖r‖ ≤ ε(‖y‖ + ‖A‖‖x‖) or ‖Aᵀr‖ ≤ ε‖A‖‖r‖, beyond which r is rounding; ‖A‖ is estimated from
    below by the steepest direction so far. Raises Unsupported where that takes too many steps.
    """
    sizes, finest = _size_of(y), np.finfo(y.dtype).eps ** 2
    x, r = np.zeros((len(y), *shape), y.dtype), y / sizes
    way = slope = adjoint(r)
    steepness, size, largest = _squared(slope), _squared(r), np.zeros_like(sizes)
    moving = steepness > 0
    for _ in range(_STEPS_PER_UNKNOWN * int(np.prod(shape))):
        if not moving.any():
            return x * sizes
        ahead = forward(way)
        gain = _squared(ahead)
        step = np.divide(steepness, gain, out=np.zeros_like(gain), where=moving)
        x, r = x + step * way, r - step * ahead
        slope = adjoint(r)
        flatter = _squared(slope)
        largest = np.where(moving, np.maximum(largest, gain / _squared(way)), largest)
        way = np.where(moving, slope + np.divide(flatter, steepness, out=np.zeros_like(gain), where=moving) * way, way)
        steepness = np.where(moving, flatter, steepness)
        explained = _squared(r) <= finest * (size + largest * _squared(x))
        moving &= ~explained & (flatter > finest * largest * _squared(r))
    raise Unsupported(f"conjugate gradients have not converged in {_STEPS_PER_UNKNOWN} steps per unknown")


def _squared(samples):
    """The squared norm of each sample, with axes of length one for the others."""
    return np.square(samples).sum(axis=(1, 2, 3), keepdims=True)


def _size_of(samples):
    """The largest entry of each sample, 1 where there is none: divided by it, the squares of tiny samples stay."""
    largest = np.abs(samples).max(axis=(1, 2, 3), keepdims=True, initial=0)
    return np.where(largest > 0, largest, 1).astype(samples.dtype)
