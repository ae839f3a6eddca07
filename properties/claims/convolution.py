"""What the documents say of convolution, of its transform, of its pseudo-inverse, and of kernels and sides."""

import dataclasses
import os
import warnings

import numpy as np
import torch
from harness.properties.claims.sources import S1, S4

import harness
from harness import Claim, claim
from harness.operations.convolution import conv2d, conv2d_circular

INVERSES = ("conv2d_pinv", "conv2d_circular_pinv")

HELD = (
    Claim(
        "conv.fft",
        S1,
        "The inverse transform of conj(K_f)·x_f at the size of x, cropped to the first H−k+1 rows, is valid conv2d.",
        of=("conv2d", "conv2d_circular"),
        by=("circular_and_cropped", "agreement"),
    ),
    Claim(
        "conv.adjoint",
        S1,
        "⟨Ax, y⟩ = ⟨x, Aᵀy⟩, shifts commute with the circular map, and its singular values are those at each frequency.",
        of=("conv2d", "conv2d_circular"),
        by=("adjoint", "transpose_by_flipping", "circular_shift", "circular_singular_values"),
    ),
    Claim(
        "conv.hwio",
        S4,
        "permute(3, 2, 0, 1) takes a kernel from HWIO to OIHW, every tap in its place.",
        of="conv_kernel_layout",
        by=("layout_and_back", "agreement"),
    ),
    Claim(
        "pinv.circular",
        S1,
        "The pseudo-inverse at each frequency is that of the circular map, for any number of channels in and out.",
        of="conv2d_circular_pinv",
        by=("agreement",),
    ),
    Claim(
        "pinv.moore-penrose",
        S1,
        "AA⁺A = A, A⁺AA⁺ = A⁺, AA⁺ and A⁺A are symmetric, (Aᵀ)⁺ = (A⁺)ᵀ; the norm is least, the residual is orthogonal.",
        of=INVERSES,
        by=(
            "range_reproduced",
            "inverse_reproduced",
            "projections_symmetric",
            "least_norm",
            "residual_orthogonal",
            "transpose_inverted",
        ),
    ),
    Claim(
        "pinv.one-sided",
        S1,
        "AA⁺ = 1 where A has full row rank (no padding), A⁺A = 1 where it has full column rank (full padding).",
        of=INVERSES,
        by=("one_sided_inverse",),
    ),
)


def unpadded(case):
    """The case without padding, where the kernel still fits."""
    case = case.replace(options={"padding": 0})
    if case.operation.admits(case.sizes, case.options):
        yield case


def unpadded_and_small(case):
    """The case without padding and with few entries, so that a small counterexample is quick to find."""
    yield from unpadded(_small(case))


def small_with_more_results(case):
    """The case with few entries, as it is and with more results than there are unknowns."""
    for inputs, outputs in ((case.sizes["inputs"], case.sizes["outputs"]), (1, 2)):
        small = _small(case.replace(sizes={**case.sizes, "inputs": inputs, "outputs": outputs}))
        if small.operation.admits(small.sizes, small.options):
            yield small


def small_with_a_border(case):
    """The case with few entries and two rows of taps at least, so that a result without padding lacks a border."""
    small = _small(case)
    grown = {name: max(small.sizes[name], 2) for name in ("height", "kernel_height")}
    yield small.replace(sizes={**small.sizes, **grown})


def _small(case):
    most = {"batch": 2, "inputs": 2, "outputs": 2, "height": 5, "width": 5, "kernel_height": 3, "kernel_width": 3}
    return case.replace(sizes={name: min(size, most[name]) for name, size in case.sizes.items()})


def one_tap(case):
    """The case with a 1×1 kernel and no padding, as S1's answer has it."""
    yield case.replace(sizes={**case.sizes, "kernel_height": 1, "kernel_width": 1}, options={"padding": 0})


def eight_by_eight(case):
    """S4's sizes: an image of 8×8 with one channel, a kernel of 2×2."""
    sides = {"inputs": 1, "outputs": 1, "height": 8, "width": 8, "kernel_height": 2, "kernel_width": 2}
    yield case.replace(sizes={**case.sizes, **sides})


def _transformed(x, K, sides, back=None, conjugate=True):
    """S1's recipe: transforms of some size, products summed over channels, and the transform back."""
    K_f, x_f = torch.fft.rfftn(K, sides), torch.fft.rfftn(x, sides)
    y_f = torch.einsum("jkxy,ikxy->ijxy", K_f.conj() if conjugate else K_f, x_f)
    return torch.fft.irfftn(y_f, back, dim=(-2, -1))


def _held_against(label, found, expected, case):
    """One comparison where the shapes agree, and a refutation where they do not."""
    if found.shape != expected.shape:
        seen = f"{label}: shape {list(found.shape)} is {list(expected.shape)}"
        return harness.holds(seen, False, case)
    return harness.close(label, found, expected, case, like=harness.reference(case).parts[0], both_rounded=True)


@claim(
    "conv.no-conj",
    S1,
    of="conv2d",
    variants=unpadded_and_small,
    instead="that convolves, with the kernel flipped; conv2d correlates, so the kernel's transform is conjugated",
)
def without_conjugate(conv2d, case):
    """The convolution can be computed as ifft(fft(h)·fft(x))."""
    x, K = case.tensors["x"], case.tensors["K"]
    (y,) = conv2d(case)
    sides = x.shape[-2:]
    found = _transformed(x, K, sides, sides, conjugate=False)[..., : y.shape[2], : y.shape[3]]
    yield _held_against("ifft(fft(h)·fft(x)), cropped", found, y, case)


@claim(
    "conv.size-from-y",
    S1,
    of="conv2d",
    variants=unpadded_and_small,
    instead="for k > 1 it crops x to y's size, and the last k − 1 rows and columns wrap around; s = x.shape[-2:] has all",
)
def size_of_result(conv2d, case):
    """s = y.shape[-2:] is the size to transform at."""
    (y,) = conv2d(case)
    sides = y.shape[-2:]
    found = _transformed(case.tensors["x"], case.tensors["K"], sides, sides)
    yield _held_against("transformed at y's size", found, y, case)


@claim(
    "conv.crop-2",
    S1,
    of="conv2d",
    variants=one_tap,
    instead="a 1×1 kernel loses no border: y_hat is y as it is, and cropped by 2 it has another shape",
)
def cropped_by_two(conv2d, case):
    """y_hat[:, :, :-2, :-2] matches y for the 1×1 kernel."""
    (y,) = conv2d(case)
    sides = case.tensors["x"].shape[-2:]
    found = _transformed(case.tensors["x"], case.tensors["K"], sides, sides)
    yield _held_against("y_hat[:, :, :-2, :-2]", found[:, :, :-2, :-2], y, case)


@claim(
    "conv.odd-sizes",
    S1,
    of="conv2d",
    variants=one_tap,
    instead="half a spectrum does not tell an odd width from the even one below it: irfftn needs s",
)
def without_size(conv2d, case):
    """irfftn gives the image's size back without being told s."""
    x = case.tensors["x"]
    if x.shape[-1] < 2:  # torch refuses to make an image of no columns
        return
    (y,) = conv2d(case)
    yield _held_against("irfftn(y_f)", _transformed(x, case.tensors["K"], x.shape[-2:]), y, case)


@claim(
    "pinv.right-inverse",
    S1,
    of="conv2d_pinv",
    variants=small_with_more_results,
    instead="A(A⁺y) is the part of y that A reaches: all of it where A has full row rank, as without padding",
)
def right_inverse(conv2d_pinv, case):
    """A(A⁺(x)) = x for any x."""
    call = case.call()
    y, K = call.arguments["y"], call.arguments["K"]
    (x,) = conv2d_pinv(call)
    part = harness.reference(case).parts[0]
    # ‖A‖ is at most the sum of the taps' harness.sample_norms
    size = float(torch.linalg.matrix_norm(K.double().permute(2, 3, 0, 1), 2).sum())
    unit = size * part.noise_floor + torch.finfo(y.dtype).eps * harness.sample_norms(harness.as_array(y), 0)
    found = conv2d(x, K, case.options["padding"])
    part = part.derived(unit, axis=0)
    yield harness.close("A(A⁺y) against y", found, y, case, like=part, both_rounded=True)


@claim(
    "pinv.cropped",
    S1,
    of="conv2d_circular_pinv",
    implementations=("per_frequency",),
    variants=small_with_a_border,
    instead="the transform inverts the periodic map alone; a valid result lacks k − 1 rows and columns of what that needs",
)
def border_zeroed(per_frequency, case):
    """With the k − 1 border rows and columns of y set to 0, as conv2d crops them, the inverse by FFT still recovers x.

    x is what the inverse makes of the case's y, so that from all of Ax it comes back.
    """
    call = case.call()
    K = call.arguments["K"]
    (x,) = per_frequency(call)
    y = conv2d_circular(x, K)
    height, width = (y.shape[axis] - K.shape[axis] + 1 for axis in (2, 3))
    cropped = torch.zeros_like(y)
    cropped[..., :height, :width] = y[..., :height, :width]
    again = call.replace(y=cropped)
    parts = [harness.reference(case).parts[0], harness.reference(case, again).parts[0]]
    part = parts[0].derived(sum(part.noise_floor for part in parts), axis=0, where=parts[0].noise_floor > 0)
    yield harness.close("x from y without its border", per_frequency(again)[0], x, case, like=part, both_rounded=True)


@claim("conv.same-8x8", S4, of="conv2d", dtypes=("float32",), variants=eight_by_eight)
def same_sides(conv2d, case):
    """An image of (8, 8, 1) and a kernel of 2×2 give a result of (8, 8, 1) with padding 'same', zeros right and below."""
    call = case.call()
    x, K = call.arguments["x"], call.arguments["K"]
    larger = dataclasses.replace(call.replace(x=torch.nn.functional.pad(x, (0, 1, 0, 1))), options={"padding": 0})
    (y,) = conv2d(larger)
    part = harness.reference(case, larger).parts[0]
    with warnings.catch_warnings(action="ignore"):  # torch says that an even kernel costs it a copy
        by_torch = torch.nn.functional.conv2d(x, K, padding="same")
    for library, same in (("torch", by_torch), ("keras", _by_keras(x, K, 1))):
        yield harness.holds(f"{library}'s result is 8×8", same.shape[2:] == (8, 8), case)
        yield harness.close(f"{library}'s 'same'", same, y, case, like=part, both_rounded=True)


@claim(
    "conv.same-8x8-always",
    S4,
    of="conv2d",
    variants=eight_by_eight,
    instead="only with padding 'same': unpadded it is 7×7, and no equal padding on all sides gives 8×8",
)
def same_sides_always(conv2d, case):
    """An image of (8, 8, 1) and a kernel of 2×2 give a result of (8, 8, 1)."""
    (y,) = conv2d(case)
    sides = " by ".join(str(side) for side in y.shape[2:])
    label = f"with padding {case.options['padding']} the result is 8 by 8 (it is {sides})"
    yield harness.holds(label, y.shape[2:] == (8, 8), case)


@claim(
    "conv.same-stride-2",
    S4,
    of="conv2d",
    dtypes=("float32",),
    variants=unpadded,
    instead="with stride 2 keras pads as little as it can, more at the end, so its windows begin elsewhere than torch's",
)
def same_with_stride(conv2d, case):
    """'same' with stride 2 in keras is padding=k//2 in torch."""
    x, K = case.tensors["x"], case.tensors["K"]
    by_keras = _by_keras(x, K, 2)
    by_torch = torch.nn.functional.conv2d(x, K, stride=2, padding=(K.shape[2] // 2, K.shape[3] // 2))
    if by_keras.shape != by_torch.shape:
        seen = f"keras' shape {list(by_keras.shape[2:])} is torch's {list(by_torch.shape[2:])}"
        yield harness.holds(seen, False, case)
        return
    unit = torch.finfo(x.dtype).eps * harness.sample_norms(harness.as_array(by_torch), 0)
    part = harness.ExpectedTensor(harness.as_array(by_torch), 0, unit, np.ones(len(unit), dtype=bool))
    yield harness.close("keras' 'same' against torch's padding", by_keras, by_torch, case, like=part, both_rounded=True)


def _by_keras(x, K, stride):
    """keras' convolution with padding 'same', from and to torch's layout. Raises Unsupported without keras."""
    if missing := harness.catalogue()["conv2d"].find("keras_conv").unavailable():
        raise harness.Unsupported(missing)
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    result = keras.ops.conv(
        x.permute(0, 2, 3, 1).contiguous().numpy(force=True),
        K.permute(2, 3, 1, 0).contiguous().numpy(force=True),
        strides=stride,
        padding="same",
        data_format="channels_last",
    )
    return torch.from_numpy(np.asarray(keras.ops.convert_to_numpy(result))).permute(0, 3, 1, 2)
