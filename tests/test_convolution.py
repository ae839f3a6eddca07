"""Convolution and its pseudo-inverse: definitions against exact arithmetic, and planted faults that must be found."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import torch
from torch.nn.functional import conv2d as torch_conv2d
from torch.nn.functional import pad

from harness.declare.implementation import implementation_of
from harness.generate.case import Case
from harness.generate.plan import plan
from harness.measure.reference import reference
from harness.measure.verdict import Verdict
from harness.operations.convolution import (
    conv2d,
    conv2d_circular,
    conv2d_circular_matrix,
    conv2d_matrix,
    conv_kernel_layout,
)
from harness.operations.deconvolution import (
    conv2d_circular_pinv,
    conv2d_circular_pinv_in_long_double,
    conv2d_pinv,
    conv2d_pinv_in_long_double,
)
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from harness.verify.suite import every_property

PROPERTIES = {prop.name: prop for prop in every_property()}
OPERATIONS = [conv2d, conv2d_circular, conv2d_pinv, conv2d_circular_pinv, conv_kernel_layout]


def bells(seed, *shape):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def thirds(seed, *shape):
    """Small integers over 3, as exact fractions and as float64."""
    whole = torch.randint(-5, 6, shape, generator=torch.Generator().manual_seed(seed)).numpy()
    return np.vectorize(lambda n: Fraction(int(n), 3), otypes=[object])(whole), torch.from_numpy(whole / 3)


def by_the_formula(x, K, padding, wrapped):
    """Σ K[o, c, a, b] · x[c, i + a − p, j + b − p] in exact fractions, term by term."""
    (batch, inputs, height, width), (outputs, _, *kernel) = x.shape, K.shape
    sides = (
        (height, width) if wrapped else [s + 2 * padding - k + 1 for s, k in zip((height, width), kernel, strict=True)]
    )
    result = np.full((batch, outputs, *sides), Fraction(0), dtype=object)
    for n, o, i, j, c, a, b in np.ndindex(*result.shape, inputs, *kernel):
        h, w = i + a - padding, j + b - padding
        if wrapped:
            h, w = h % height, w % width
        if 0 <= h < height and 0 <= w < width:
            result[n, o, i, j] += K[o, c, a, b] * x[n, c, h, w]
    return result.astype(float)


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 2), (2, 3), (3, 3)])
def test_convolution_is_its_formula_in_exact_fractions(kernel, padding):
    (x, wide_x), (K, wide_K) = thirds(1, 2, 3, 4, 3), thirds(2, 2, 3, *kernel)
    expected = by_the_formula(x, K, padding, wrapped=False)
    np.testing.assert_allclose(conv2d(wide_x, wide_K, padding).numpy(), expected, rtol=1e-14, atol=1e-14)
    wrapped = by_the_formula(x, K, 0, wrapped=True)
    np.testing.assert_allclose(conv2d_circular(wide_x, wide_K).numpy(), wrapped, rtol=1e-14, atol=1e-14)


def test_convolution_is_what_scipy_correlates():
    x, K = bells(1, 2, 3, 6, 5), bells(2, 4, 3, 3, 2)

    def correlated(**how):
        pairs = [[sum(scipy.signal.correlate2d(c, k, **how) for c, k in zip(s, o, strict=True)) for o in K] for s in x]
        return np.array(pairs)

    np.testing.assert_allclose(conv2d(x, K, 0).numpy(), correlated(mode="valid"), atol=1e-13)
    centred = correlated(mode="same", boundary="wrap")
    np.testing.assert_allclose(conv2d_circular(x, K).numpy(), np.roll(centred, (-1, 0), (2, 3)), atol=1e-13)


@pytest.mark.parametrize("padding", [0, 1, 2])
def test_a_matrix_written_out_is_the_map(padding):
    x, K = bells(1, 2, 3, 4, 3), bells(2, 2, 3, 3, 2)
    A = conv2d_matrix(K.numpy(), 4, 3, padding)
    np.testing.assert_allclose(x.flatten(1).numpy() @ A.T, conv2d(x, K, padding).flatten(1).numpy(), atol=1e-13)
    wrapped = conv2d_circular_matrix(K.numpy(), 4, 3)
    np.testing.assert_allclose(x.flatten(1).numpy() @ wrapped.T, conv2d_circular(x, K).flatten(1).numpy(), atol=1e-13)


def inverted_in_fifty_digits(A, y):
    """A⁺y for a matrix of full rank, in mpmath, rounded to long double."""
    with mpmath.workdps(50):
        M, right = mpmath.matrix(A.tolist()), mpmath.matrix(y.T.tolist())
        solve = mpmath.lu_solve
        columns = [right[:, i] for i in range(right.cols)]
        if A.shape[0] >= A.shape[1]:
            solved = [solve(M.T * M, M.T * column) for column in columns]
        else:
            solved = [M.T * solve(M * M.T, column) for column in columns]
        return np.array([[np.longdouble(mpmath.nstr(entry, 30)) for entry in column] for column in solved])


SHAPES = [((2, 2, 3, 3), 0), ((2, 3, 3, 2), 0), ((2, 2, 3, 3), 1), ((2, 1, 2, 2), 1), ((2, 1, 3, 3), 2)]


@pytest.mark.parametrize(("kernel", "padding"), SHAPES)
@pytest.mark.parametrize("smallest", [1.0, 2.0**-16])
def test_the_inverse_has_the_digits_it_claims(kernel, padding, smallest):
    """The definition's error is cond²·ε at most, and that of the oracle for float64 far smaller."""
    K, y = bells(3, *kernel), bells(4, 2, kernel[0], 4, 4)
    K[0] *= smallest
    shape = [kernel[1], *(4 + k - 1 - 2 * padding for k in kernel[2:])]
    A = conv2d_matrix(K.numpy(), *shape[1:], padding)
    expected = inverted_in_fifty_digits(A, y.numpy().reshape(2, -1)).reshape(2, *shape)
    scale = np.abs(expected).max()
    error = np.abs(conv2d_pinv(y, K, padding).numpy() - expected).max() / scale
    assert error <= 10 * np.finfo(float).eps * np.linalg.cond(A) ** 2
    long = conv2d_pinv_in_long_double(y.numpy().astype(np.longdouble), K.numpy().astype(np.longdouble), padding)
    assert np.abs(long - expected).max() / scale <= error / 100 + 1e-18


@pytest.mark.parametrize(("outputs", "inputs"), [(4, 6), (6, 4), (3, 3)])
def test_per_frequency_inverse_is_the_dense_one(outputs, inputs):
    """Claim pinv.circular, also where channels are gained or lost."""
    K, y = bells(1, outputs, inputs, 3, 3), bells(2, 2, outputs, 4, 4)
    A = conv2d_circular_matrix(K.numpy(), 4, 4)
    dense = (y.flatten(1).numpy() @ scipy.linalg.pinv(A).T).reshape(2, inputs, 4, 4)
    scale = np.abs(dense).max()
    for name in ("per_frequency", "per_frequency_svd"):
        (found,) = conv2d_circular_pinv.find(name).compute({"y": y, "K": K}, {})
        assert np.abs(found.numpy() - dense).max() < 1e-12 * scale
    assert np.abs(conv2d_circular_pinv(y, K).numpy() - dense).max() < 1e-12 * scale
    long = conv2d_circular_pinv_in_long_double(y.numpy().astype(np.longdouble), K.numpy().astype(np.longdouble))
    exact = inverted_in_fifty_digits(A, y.numpy().reshape(2, -1)).reshape(dense.shape)
    assert np.abs(long - exact).max() < 1e-17 * scale


def test_least_norm_and_least_squares_of_a_map_without_full_rank():
    """Two equal output channels: the map has half the rank, the long double oracle included."""
    K, y = bells(1, 1, 2, 2, 2).repeat(2, 1, 1, 1), bells(2, 1, 2, 3, 3)
    A = conv2d_matrix(K.numpy(), 4, 4, 0)
    expected = scipy.linalg.pinv(A) @ y.flatten().numpy()
    np.testing.assert_allclose(conv2d_pinv(y, K, 0).flatten().numpy(), expected, atol=1e-13)
    long = conv2d_pinv_in_long_double(y.numpy().astype(np.longdouble), K.numpy().astype(np.longdouble), 0)
    np.testing.assert_allclose(long.reshape(-1).astype(float), expected, atol=1e-13)


def test_ill_conditioned_cases_occur_and_are_inconclusive_in_float32_alone():
    """And the definition in float64 is close to the oracle on all of them."""
    sizes = {"batch": 1, "inputs": 2, "outputs": 2, "height": 3, "width": 3, "kernel_height": 3, "kernel_width": 3}
    cases = [Case(conv2d_pinv, sizes, {"padding": 1}, seed=seed) for seed in range(60)]
    assert all(reference(case).parts[0].informative[0] for case in cases)
    assert 1 <= sum(not reference(case.replace(dtype="float32")).parts[0].informative[0] for case in cases) <= 20


def test_kernel_layout_names_the_axes():
    """Claim conv.hwio, on a kernel whose entries name their own place."""
    h, w, i, o = np.meshgrid(*map(np.arange, (2, 3, 4, 5)), indexing="ij")
    K = torch.from_numpy(1000.0 * h + 100 * w + 10 * i + o)
    turned = conv_kernel_layout(K, to_hwio=False)
    assert turned.shape == (5, 4, 2, 3) and turned[4, 3, 1, 2] == 1234
    assert torch.equal(conv_kernel_layout(turned, to_hwio=True), K)


def by_spectrum(x, K, sides=None, conjugate=True):
    sides = sides or x.shape[-2:]
    kernel = torch.fft.rfft2(K, sides)
    kernel = kernel.conj() if conjugate else kernel
    return torch.fft.irfft2(torch.einsum("ocxy,bcxy->boxy", kernel, torch.fft.rfft2(x, sides)), sides)


def whole(x, K, padding):
    """The image with its margin and the size of the result."""
    padded = pad(x, (padding,) * 4)
    return padded, [padded.shape[2 + i] - K.shape[2 + i] + 1 for i in range(2)]


def not_conjugated(x, K, padding):
    padded, (height, width) = whole(x, K, padding)
    return by_spectrum(padded, K, conjugate=False)[..., :height, :width]


def size_from_the_result(x, K, padding):
    padded, sides = whole(x, K, padding)
    return by_spectrum(padded, K, sides)


def cropped_at_the_wrong_end(x, K, padding):
    padded, (height, width) = whole(x, K, padding)
    return by_spectrum(padded, K)[..., -height:, -width:]


def last_row_zeroed(x, K, padding):
    result = torch_conv2d(x, K, padding=padding)
    result[..., -1, :] = 0
    return result


def channels_exchanged(x, K, padding):
    return torch_conv2d(x, K.transpose(0, 1) if K.shape[0] == K.shape[1] else K, padding=padding)


def flipped(x, K, padding):
    return torch_conv2d(x, K.flip(2, 3), padding=padding)


def replicated_border(x, K, padding):
    return torch_conv2d(pad(x, (padding,) * 4, mode="replicate"), K)


def without_the_padding(x, K, padding):
    return torch_conv2d(x, K, padding=padding) if padding != 2 else torch_conv2d(pad(x, (1, 3, 2, 2)), K)


@pytest.mark.parametrize(
    ("name", "faulty"),
    [
        ("agreement", not_conjugated),
        ("agreement", size_from_the_result),
        ("agreement", cropped_at_the_wrong_end),
        ("agreement", last_row_zeroed),
        ("agreement", channels_exchanged),
        ("agreement", flipped),
        ("agreement", without_the_padding),
        ("margin_of_zeros", replicated_border),
        ("transpose_by_flipping", last_row_zeroed),
    ],
)
def test_planted_faults_of_conv2d(name, faulty):
    hold_both_sides(name, conv2d, lambda x, K, padding: torch_conv2d(x, K, padding=padding), faulty)


def zeros_around(x, K):
    return torch_conv2d(pad(x, (0, K.shape[3] - 1, 0, K.shape[2] - 1)), K)


def centred(x, K):
    return by_spectrum(x, K).roll((K.shape[2] // 2, K.shape[3] // 2), (2, 3))


@pytest.mark.parametrize(
    ("name", "faulty"),
    [
        ("agreement", lambda x, K: by_spectrum(x, K, conjugate=False)),
        ("agreement", centred),
        ("circular_shift", zeros_around),
        ("circular_and_cropped", centred),
        ("circular_singular_values", zeros_around),
        ("circular_singular_values", lambda x, K: by_spectrum(x, K) * (1 + 1e-5)),
    ],
)
def test_planted_faults_of_circular_convolution(name, faulty):
    hold_both_sides(name, conv2d_circular, by_spectrum, faulty)


@pytest.mark.parametrize("name", ["agreement", "layout_and_back"])
def test_planted_fault_of_the_kernel_layout(name):
    def right(K, to_hwio):
        return torch.einsum("oihw->hwio" if to_hwio else "hwio->oihw", K)

    def viewed(K, to_hwio):
        return K.reshape(right(K, to_hwio).shape)

    hold_both_sides(name, conv_kernel_layout, right, viewed)


def inverse_by(invert):
    """An implementation of conv2d_pinv from a function of its matrix."""

    def inverted(y, K, padding):
        shape = (K.shape[1], *(y.shape[2 + i] + K.shape[2 + i] - 1 - 2 * padding for i in range(2)))
        A = conv2d(torch.eye(int(np.prod(shape)), dtype=y.dtype).reshape(-1, *shape), K, padding).flatten(1).T
        return (y.flatten(1) @ invert(A).T).reshape(len(y), *shape)

    return inverted


def ridge(A):
    return torch.linalg.solve(A.T @ A + 1e-4 * torch.eye(A.shape[1], dtype=A.dtype), A.T)


def longer(A):
    """A generalised inverse that leaves something in what A sends to zero."""
    inverse = torch.linalg.pinv(A)
    return inverse + 1e-3 * (torch.eye(len(inverse), dtype=A.dtype) - inverse @ A).sum(1, keepdim=True)


def weighted(A):
    """Least squares in which later results count for more."""
    weights = torch.linspace(1, 1.1, A.shape[0], dtype=A.dtype)[:, None]
    return torch.linalg.pinv(weights * A) * weights.T


def oblique(A):
    """An inverse on the range of A that is not the one of least norm."""
    weights = torch.linspace(1, 1.1, A.shape[1], dtype=A.dtype)
    return weights[:, None] * torch.linalg.pinv(A * weights)


def border_dropped(y, K, padding):
    """The result put into a frame of zeros and inverted as if it were periodic (claim pinv.cropped)."""
    sides = [y.shape[2 + i] + K.shape[2 + i] - 1 for i in range(2)]
    blocks = torch.fft.rfft2(K, sides).conj().permute(2, 3, 0, 1)
    spectrum = torch.einsum("xyco,boxy->bcxy", torch.linalg.pinv(blocks), torch.fft.rfft2(y, sides))
    image = torch.fft.irfft2(spectrum, sides)
    return image[..., padding : sides[0] - padding, padding : sides[1] - padding]


@pytest.mark.parametrize(
    ("name", "faulty"),
    [
        ("agreement", inverse_by(lambda A: torch.linalg.pinv(A, rtol=0.05))),
        ("agreement", inverse_by(ridge)),
        ("agreement", inverse_by(weighted)),
        ("agreement", border_dropped),
        ("range_reproduced", inverse_by(ridge)),
        ("inverse_reproduced", inverse_by(lambda A: A.T)),
        ("projections_symmetric", inverse_by(weighted)),
        ("projections_symmetric", inverse_by(oblique)),
        ("least_norm", inverse_by(longer)),
        ("least_norm", inverse_by(oblique)),
        ("residual_orthogonal", inverse_by(weighted)),
        ("one_sided_inverse", inverse_by(ridge)),
        ("transpose_inverted", inverse_by(weighted)),
    ],
)
def test_planted_faults_of_the_inverse(name, faulty):
    hold_both_sides(name, conv2d_pinv, inverse_by(torch.linalg.pinv), faulty)


def by_frequency(y, K, conjugate=True, **cut):
    sides = y.shape[2:]
    blocks = torch.fft.rfft2(K, sides).permute(2, 3, 0, 1)
    blocks = torch.linalg.pinv(blocks.conj() if conjugate else blocks, **cut)
    return torch.fft.irfft2(torch.einsum("xyco,boxy->bcxy", blocks, torch.fft.rfft2(y)), sides)


@pytest.mark.parametrize(
    ("name", "faulty"),
    [
        ("agreement", lambda y, K: by_frequency(y, K, conjugate=False)),
        ("agreement", lambda y, K: by_frequency(y, K, rtol=0.3)),
        ("agreement", lambda y, K: by_frequency(y, K).flip(1)),
        ("range_reproduced", lambda y, K: by_frequency(y, K, conjugate=False)),
        ("transpose_inverted", lambda y, K: by_frequency(y, K).roll(1, 2)),
    ],
)
def test_planted_faults_of_the_circular_inverse(name, faulty):
    hold_both_sides(name, conv2d_circular_pinv, by_frequency, faulty)


def hold_both_sides(name, operation, right, faulty):
    for function, failing in ((right, False), (faulty, True)):
        made = implementation_of(operation.name, operation.signature, function, "torch")
        cells = [Cell(PROPERTIES[name], operation, made, "cpu", dtype) for dtype in ("float64", "float32")]
        verdicts = [explore(cell, plan(operation, 32, 0)).verdict for cell in cells]
        assert Verdict.UNSUPPORTED not in verdicts, verdicts
        assert any(verdict.failing for verdict in verdicts) == failing, verdicts
        assert failing or Verdict.UNSTABLE not in verdicts, verdicts


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_implementation_agrees(operation):
    for made in operation.implementations.values():
        if made.unavailable() is None:
            verdict = explore(
                Cell(PROPERTIES["agreement"], operation, made, "cpu", "float32"), plan(operation, 12, 0)
            ).verdict
            assert verdict in (Verdict.EXACT, Verdict.ROUNDING, Verdict.UNSTABLE), made
