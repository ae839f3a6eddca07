"""Convolution: what shifts, margins, wrapping and the transpose do to it, and its spectrum.

Correlation commutes with shifts of a periodic image. Its transpose is the correlation with the kernel flipped and the
channels exchanged. Where no window wraps, the circular result is the plain one, which is what makes FFT convolution
right after cropping (claim conv.fft). The circular map is block-diagonal in frequency, so its singular values are those
of the kernel's spectrum (claim conv.adjoint).

Sources: docs/sources.md#convolution-and-its-pseudo-inverse.
"""

import dataclasses

import numpy as np
import torch

import harness
from harness.operations.convolution import conv2d

_SMALL = {"inputs": 2, "outputs": 3, "height": 5, "width": 5}


def few_columns(case):
    """The case with an image of few enough pixels that the map can be asked for column by column."""
    yield case.replace(sizes={name: min(size, _SMALL.get(name, size)) for name, size in case.sizes.items()})


def with_margin(case):
    """The cases with a margin of zeros."""
    if case.options["padding"]:
        yield case


@harness.property(of="conv2d_circular")
def circular_shift(implementation, case):
    """A shifted periodic image gives the shifted result (claim conv.adjoint)."""
    call = case.call()
    shift = (1, case.sizes["width"] // 2)
    (moved,) = implementation(call.replace(x=call.arguments["x"].roll(shift, (2, 3))))
    (result,) = implementation(call)
    part = harness.reference(case).parts[0]
    yield harness.close("of a shifted image", moved, result.roll(shift, (2, 3)), case, like=part, both_rounded=True)


@harness.property(of="conv2d_circular")
def circular_and_cropped(implementation, case):
    """Cropped to the windows that do not wrap, the circular result is the plain one (claim conv.fft)."""
    (result,) = implementation(case)
    plain = harness.reference(case.replace(operation=conv2d, options={"padding": 0})).parts[0]
    height, width = plain.expected.shape[2:]
    own = harness.reference(case).parts[0]
    yield harness.close("cropped", result[..., :height, :width], plain.expected, case, like=own, both_rounded=True)


@harness.property(of="conv2d", variants=with_margin)
def margin_of_zeros(implementation, case):
    """Padding is a margin of zeros around the image."""
    call = case.call()
    larger = torch.nn.functional.pad(call.arguments["x"], (case.options["padding"],) * 4)
    (result,) = implementation(dataclasses.replace(call.replace(x=larger), options={"padding": 0}))
    (padded,) = implementation(call)
    yield harness.close(
        "of the larger image", result, padded, case, like=harness.reference(case).parts[0], both_rounded=True
    )


@harness.property(of="conv2d")
def transpose_by_flipping(implementation, case):
    """⟨Ax, r⟩ = ⟨x, Aᵀr⟩ where Aᵀ correlates with the flipped kernel, channels exchanged (claim conv.adjoint)."""
    call = case.call()
    x, K, padding = call.arguments["x"], call.arguments["K"], case.options["padding"]
    (forward,) = implementation(call)
    (direction,) = harness.cotangents_like((forward,))
    margins = [K.shape[axis] - 1 - padding for axis in (3, 3, 2, 2)]
    backward_call = dataclasses.replace(
        call.replace(x=torch.nn.functional.pad(direction, margins), K=K.flip(2, 3).transpose(0, 1)),
        options={"padding": 0},
    )
    (backward,) = implementation(backward_call)
    units = harness.reference(case).parts[0], harness.reference(case, backward_call).parts[0]
    yield _equal_products("⟨Ax, r⟩ and ⟨x, Aᵀr⟩", (forward, direction), (x, backward), units, case)


def _equal_products(label, first, second, units, case):
    """Hold the inner product of each sample of one pair against another's; in each pair one tensor is a result."""
    left, right = (np.multiply(*map(harness.as_array, pair)).sum(axis=(1, 2, 3)) for pair in (first, second))
    sizes = (harness.sample_norms(harness.as_array(each), 0) for each in (first[1], second[0]))
    unit = sum(part.noise_floor * size for part, size in zip(units, sizes, strict=True))
    part = units[0].derived(unit, units[1], axis=0)
    return harness.close(label, left, right, case, like=part, both_rounded=True)


@harness.property(of="conv2d_circular", variants=few_columns)
def circular_singular_values(implementation, case):
    """The singular values of the circular map are those of the kernel's spectrum (claim conv.adjoint)."""
    call = case.call()
    shape = call.arguments["x"].shape[1:]
    basis = torch.eye(shape.numel(), dtype=call.arguments["x"].dtype, device=call.arguments["x"].device)
    columns = call.replace(x=basis.reshape(-1, *shape))
    (images,) = implementation(columns)
    found = np.linalg.svd(harness.as_array(images).reshape(len(basis), -1), compute_uv=False)
    spectrum = np.fft.fft2(harness.as_array(call.arguments["K"]), shape[1:]).transpose(2, 3, 0, 1)
    expected = np.zeros_like(found)
    known = np.sort(np.linalg.svd(spectrum, compute_uv=False).ravel())[::-1]
    expected[: len(known)] = known
    # By Mirsky, singular values move together by no more than the matrix does, in the norm of all entries.
    told = harness.reference(case, columns).parts[0]
    part = told.derived(np.linalg.norm(told.noise_floor), axis=None)
    yield harness.close("singular values", found, expected, case, like=part, both_rounded=True)


@harness.property(of="conv_kernel_layout")
def layout_and_back(implementation, case):
    """Every tap keeps its place: K[h, w, i, o] is the other layout's [o, i, h, w], and back again (claim conv.hwio)."""
    call = case.call()
    K, forward = call.arguments["K"], not case.options["to_hwio"]
    (turned,) = implementation(call)
    (again,) = implementation(dataclasses.replace(call.replace(K=turned), options={"to_hwio": forward}))
    yield harness.holds("there and back changes nothing", torch.equal(again, K), case)
    hwio, oihw = (K, turned) if forward else (turned, K)
    kept = all(torch.equal(oihw[:, :, h, w], hwio[h, w].T) for h, w in np.ndindex(*hwio.shape[:2]))
    yield harness.holds("taps keep their places", kept, case)
