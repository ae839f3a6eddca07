"""Convolution as networks mean it: cross-correlation, zero-padded or circular.

y[o, i, j] = Σ_c Σ_ab K[o, c, a, b] · x[c, i + a − p, j + b − p], where x is zero outside (`conv2d`) or periodic and
p = 0 (`conv2d_circular`). The kernel is not flipped: what signal processing calls convolution has K[−a, −b].

Both are linear maps A of the flattened image: `conv2d_matrix` and `conv2d_circular_matrix` write A out. The circular
one is diagonal in frequency, y_f = conj(K_f) x_f at every frequency f with K_f the transform of the kernel at the
size of the image, and its first height − k + 1 rows are those of `conv2d` without padding (claim conv.fft).

Sources: docs/sources.md#convolution-and-its-pseudo-inverse.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import numpy as np
import torch
from annotated_types import Interval
from jaxtyping import Float
from torch import Tensor

from harness.declare.declaration import operation
from harness.declare.domain import when
from harness.declare.structure import typical
from harness.errors import Unsupported

SPREADS = {"nonfinite_propagation": "a transform over the image spreads one NaN over all of it"}
"""Why implementations by FFT are not asked where NaN goes."""

_WRITTEN_OUT = {"nonfinite_propagation": "the zeros of the matrix meet every pixel, and zero times NaN is NaN"}
_SYMMETRIC = {
    "nonfinite_propagation": "pylops fills the kernel up with zeros to a symmetric one; zero times NaN is NaN"
}

_LARGEST_MATRIX = 2**20
_MOST_PAIRS = 9


@typical
def taps(stream):
    """Kernel taps: bells, whole numbers, bells with zeros, or bells over two decades, as the seed has it."""
    kind = int(stream.integers(0, 3, (1,))[0])
    if kind == 1:
        return stream.integers(-4, 4).astype(np.float64)
    bells = stream.normal()
    if kind == 2:
        return np.where(stream.integers(0, 1) == 0, bells, 0.0)
    return np.ldexp(bells, stream.integers(-3, 3)) if kind == 3 else bells


def result_sides(image, K, padding=0):
    """Height and width of the convolution of an image (…, height, width) with a kernel (…, height, width)."""
    return tuple(image.shape[axis] + 2 * padding - K.shape[axis] + 1 for axis in (-2, -1))


def _kernel_fits(height, width, kernel_height, kernel_width, padding):
    return height + 2 * padding >= kernel_height and width + 2 * padding >= kernel_width


def _kernel_fits_once(height, width, kernel_height, kernel_width):
    return height >= kernel_height and width >= kernel_width


_SIZES = {
    "batch": (0, 17),
    "inputs": (1, 17),
    "outputs": (1, 17),
    "height": (1, 65),
    "width": (1, 65),
    "kernel_height": (1, 5),
    "kernel_width": (1, 5),
}


@operation(sizes=_SIZES, where=_kernel_fits, linear_in="x")
def conv2d(
    x: Float[Tensor, "batch inputs height width"],
    K: Annotated[Float[Tensor, "outputs inputs kernel_height kernel_width"], taps],
    padding: Annotated[int, Interval(ge=0, le=2)],
) -> Float[Tensor, "batch outputs height+2*padding-kernel_height+1 width+2*padding-kernel_width+1"]:
    """Cross-correlation of an image with a kernel, stride 1, zeros around the image (claim conv.adjoint).

    x: (batch, inputs, height, width); K: (outputs, inputs, kernel_height, kernel_width); padding: zeros on each side.
    """
    windows = torch.nn.functional.pad(x, (padding,) * 4)
    windows = windows.unfold(2, K.shape[2], 1).unfold(3, K.shape[3], 1)
    return torch.einsum("bchwij,ocij->bohw", windows, K)


@conv2d.in_extended_precision
def conv2d_in_long_double(x, K, padding):
    """Windows times taps in long double."""
    return correlate(_padded(x, padding), K)


@conv2d.implementation(backend="torch")
def torch_conv2d(x, K, padding):
    """torch.nn.functional.conv2d."""
    return torch.nn.functional.conv2d(x, K, padding=padding)


@conv2d.implementation(backend="torch")
def unfold_matmul(x, K, padding):
    """Windows as columns (im2col), then one matrix product."""
    columns = torch.nn.functional.unfold(x, K.shape[2:], padding=padding)
    return (K.flatten(1) @ columns).reshape(len(x), len(K), *result_sides(x, K, padding))


@conv2d.implementation(backend="torch", dtypes=(torch.float64, torch.float32), exempt=SPREADS)
def fft(x, K, padding):
    """conj(K_f) x_f at the size of the padded image, cropped to the rows that did not wrap (claim conv.fft)."""
    padded = torch.nn.functional.pad(x, (padding,) * 4)
    height, width = result_sides(padded, K)
    return _by_transform(padded, K)[..., :height, :width]


@conv2d.implementation(backend="numpy", exempt=_WRITTEN_OUT)
def dense_matrix(x, K, padding):
    """The map written out as a matrix."""
    A = conv2d_matrix(K, x.shape[2], x.shape[3], padding)
    return (x.reshape(len(x), A.shape[1]) @ A.T).reshape(len(x), len(K), *result_sides(x, K, padding))


@conv2d.implementation(backend="scipy")
def correlate2d(x, K, padding):
    """scipy.signal.correlate2d of every pair of channels."""
    from scipy.signal import correlate2d

    padded = _padded(x, padding)
    result = np.zeros((len(x), len(K), *result_sides(padded, K)), dtype=x.dtype)
    for sample, output, channel in np.ndindex(len(x), len(K), K.shape[1]):
        result[sample, output] += correlate2d(padded[sample, channel], K[output, channel], mode="valid")
    return result


@conv2d.implementation(backend="pylops", exempt=_SYMMETRIC)
def pylops_blocks(x, K, padding):
    """One Convolve2D for every pair of channels, stacked in blocks, with the kernel flipped because it convolves."""
    import pylops

    if K.shape[0] * K.shape[1] > _MOST_PAIRS:
        raise Unsupported(f"an operator for every pair of channels costs too much beyond {_MOST_PAIRS} pairs")
    padded = _padded(x, padding)
    sides, (height, width) = padded.shape[2:], result_sides(padded, K)
    flipped = K[:, :, ::-1, ::-1]

    def between(output, channel):
        # The last tap of the flipped kernel is the first of K, so that result (0, 0) is the first whole window.
        last = (K.shape[2] - 1, K.shape[3] - 1)
        return pylops.signalprocessing.Convolve2D(
            sides, flipped[output, channel], offset=last, method="direct", dtype=x.dtype
        )

    blocks = pylops.Block(
        [[between(output, channel) for channel in range(K.shape[1])] for output in range(len(K))], dtype=x.dtype
    )
    results = [blocks.matvec(sample.reshape(-1)).reshape(len(K), *sides) for sample in padded]
    return np.array(results, dtype=x.dtype).reshape(len(x), len(K), *sides)[..., :height, :width]


@conv2d.implementation(backend="onnxruntime")
def onnx_conv(x, K, padding):
    """The Conv operator of ONNX."""
    if not len(x):
        raise Unsupported("onnxruntime's Conv takes no empty batch")
    return _onnx_session(padding).run(None, {"x": np.ascontiguousarray(x), "K": np.ascontiguousarray(K)})[0]


@conv2d.implementation(backend="keras", dtypes=(torch.float32,))
def keras_conv(x, K, padding):
    """keras.ops.conv, channels last and kernel in HWIO; float32 alone, since keras rounds float64 to float32."""
    import keras

    padded = _padded(x, padding)
    result = keras.ops.conv(
        np.ascontiguousarray(padded.transpose(0, 2, 3, 1)),
        np.ascontiguousarray(K.transpose(2, 3, 1, 0)),
        padding="valid",
        data_format="channels_last",
    )
    return keras.ops.transpose(result, (0, 3, 1, 2))


@operation(
    sizes={**_SIZES, "height": (1, 33), "width": (1, 33)},
    where=_kernel_fits_once,
    linear_in="x",
)
def conv2d_circular(
    x: Float[Tensor, "batch inputs height width"],
    K: Annotated[Float[Tensor, "outputs inputs kernel_height kernel_width"], taps],
) -> Float[Tensor, "batch outputs height width"]:
    """Cross-correlation of a periodic image with a kernel anchored at its first tap (claims conv.fft, conv.adjoint).

    x: (batch, inputs, height, width); K: (outputs, inputs, kernel_height, kernel_width), no larger than the image.
    y[o, i, j] = Σ K[o, c, a, b] · x[c, (i + a) mod height, (j + b) mod width].
    """
    rows = torch.arange(x.shape[2] + K.shape[2] - 1, device=x.device) % x.shape[2]
    columns = torch.arange(x.shape[3] + K.shape[3] - 1, device=x.device) % x.shape[3]
    windows = x[:, :, rows][..., columns].unfold(2, K.shape[2], 1).unfold(3, K.shape[3], 1)
    return torch.einsum("bchwij,ocij->bohw", windows, K)


@conv2d_circular.in_extended_precision
def conv2d_circular_in_long_double(x, K):
    """Windows of the wrapped image times taps in long double."""
    return correlate(np.pad(x, ((0, 0), (0, 0), (0, K.shape[2] - 1), (0, K.shape[3] - 1)), mode="wrap"), K)


@conv2d_circular.implementation(backend="torch")
def wrapped_padding(x, K):
    """torch's circular padding, then torch.nn.functional.conv2d."""
    wrapped = torch.nn.functional.pad(x, (0, K.shape[3] - 1, 0, K.shape[2] - 1), mode="circular")
    return torch.nn.functional.conv2d(wrapped, K)


@conv2d_circular.implementation(backend="torch", dtypes=(torch.float64, torch.float32), exempt=SPREADS)
def real_fft(x, K):
    """conj(K_f) x_f with torch's real transforms."""
    return _by_transform(x, K)


@conv2d_circular.implementation(
    backend="numpy", dtypes=(torch.float64, torch.float32), name="complex_fft", exempt=SPREADS
)
def complex_fft(x, K):
    """conj(K_f) x_f with numpy's complex transforms."""
    sides = x.shape[2:]
    spectrum = np.einsum("ocxy,bcxy->boxy", np.fft.fft2(K, sides).conj(), np.fft.fft2(x))
    return np.fft.ifft2(spectrum).real.astype(x.dtype)


@conv2d_circular.implementation(backend="numpy")
def roll_and_sum(x, K):
    """The image shifted under each tap in turn."""
    result = np.zeros((len(x), len(K), *x.shape[2:]), dtype=x.dtype)
    for i, j in np.ndindex(*K.shape[2:]):
        result += np.einsum("oc,bchw->bohw", K[:, :, i, j], np.roll(x, (-i, -j), (2, 3)))
    return result


@conv2d_circular.implementation(backend="scipy")
def correlate2d_wrap(x, K):
    """scipy.signal.correlate2d with a wrapped boundary, which centres the kernel and is rolled back."""
    from scipy.signal import correlate2d

    centre = ((K.shape[2] - 1) // 2, (K.shape[3] - 1) // 2)
    result = np.zeros((len(x), len(K), *x.shape[2:]), dtype=x.dtype)
    for sample, output, channel in np.ndindex(len(x), len(K), K.shape[1]):
        result[sample, output] += correlate2d(x[sample, channel], K[output, channel], mode="same", boundary="wrap")
    return np.roll(result, (-centre[0], -centre[1]), (2, 3))


@operation(
    exact=True,
    sizes={"height": (0, 9), "width": (0, 9), "inputs": (0, 65), "outputs": (0, 65)},
)
def conv_kernel_layout(
    K: Annotated[
        Float[Tensor, "height width inputs outputs"],
        when("to_hwio", "outputs inputs height width"),
    ],
    to_hwio: bool,
) -> Annotated[
    Float[Tensor, "outputs inputs height width"],
    when("to_hwio", "height width inputs outputs"),
]:
    """A kernel from keras' order of axes to torch's, or back (claim conv.hwio).

    K: (height, width, inputs, outputs) → (outputs, inputs, height, width) by permute(3, 2, 0, 1); with `to_hwio` the
    other way round, by permute(2, 3, 1, 0).
    """
    return K.permute((2, 3, 1, 0) if to_hwio else (3, 2, 0, 1))


@conv_kernel_layout.in_extended_precision
def kernel_layout_in_long_double(K, to_hwio):
    """The same permutation of long doubles."""
    return K.transpose((2, 3, 1, 0) if to_hwio else (3, 2, 0, 1))


@conv_kernel_layout.implementation(backend="torch")
def swapped_pairs(K, to_hwio):
    """Two exchanges: of the pairs of axes, and of the axes within the channels' pair."""
    return K.movedim((2, 3), (0, 1)).transpose(2, 3) if to_hwio else K.movedim((0, 1), (2, 3)).transpose(0, 1)


@conv_kernel_layout.implementation(backend="numpy")
def flat_gather(K, to_hwio):
    """Every entry looked up at its flat position in the other layout."""
    if to_hwio:
        outputs, inputs, height, width = K.shape
        h, w, i, o = np.ogrid[:height, :width, :inputs, :outputs]
        return K.reshape(-1)[((o * inputs + i) * height + h) * width + w]
    height, width, inputs, outputs = K.shape
    o, i, h, w = np.ogrid[:outputs, :inputs, :height, :width]
    return K.reshape(-1)[((h * width + w) * inputs + i) * outputs + o]


@conv_kernel_layout.implementation(backend="numpy")
def einsum(K, to_hwio):
    """numpy's einsum, which names the axes."""
    return np.einsum("oihw->hwio" if to_hwio else "hwio->oihw", K)


@conv_kernel_layout.implementation(backend="keras", dtypes=(torch.float32,))
def keras_transpose(K, to_hwio):
    """keras.ops.transpose; float32 alone, since keras rounds float64 to float32."""
    import keras

    return keras.ops.transpose(K, (2, 3, 1, 0) if to_hwio else (3, 2, 0, 1))


def conv2d_matrix(K, height, width, padding):
    """The matrix of `conv2d` for images of height × width, in K's dtype.

    K: (outputs, inputs, kernel_height, kernel_width) as a numpy array. Returns (outputs·H·W, inputs·height·width) with
    H = height + 2·padding − kernel_height + 1 and W alike. Raises Unsupported where it would not be small.
    """
    outputs, inputs, *kernel = K.shape
    rows, columns = (side + 2 * padding - taken + 1 for side, taken in zip((height, width), kernel, strict=True))
    A = _empty_matrix(K, (outputs, rows, columns, inputs, height, width))
    for a, b in np.ndindex(*kernel):
        i = np.arange(max(0, padding - a), min(rows, height + padding - a))[:, None]
        j = np.arange(max(0, padding - b), min(columns, width + padding - b))
        A[:, i, j, :, i + a - padding, j + b - padding] = K[:, :, a, b]
    return A.reshape(outputs * rows * columns, inputs * height * width)


def conv2d_circular_matrix(K, height, width):
    """The matrix of `conv2d_circular` for images of height × width, in K's dtype.

    K: (outputs, inputs, kernel_height, kernel_width) as a numpy array. Returns
    (outputs·height·width, inputs·height·width). Raises Unsupported where it would not be small.
    """
    outputs, inputs, *kernel = K.shape
    A = _empty_matrix(K, (outputs, height, width, inputs, height, width))
    i, j = np.arange(height)[:, None], np.arange(width)
    for a, b in np.ndindex(*kernel):
        A[:, i, j, :, (i + a) % height, (j + b) % width] = K[:, :, a, b]
    return A.reshape(outputs * height * width, inputs * height * width)


def _empty_matrix(K, shape):
    if np.prod(shape, dtype=np.int64) > _LARGEST_MATRIX:
        raise Unsupported("the map written out as a matrix would take too much memory")
    return np.zeros(shape, dtype=K.dtype)


def correlate(image, K):
    """Every whole window of an image times the taps, in numpy; long doubles too."""
    windows = np.lib.stride_tricks.sliding_window_view(image, K.shape[2:], axis=(2, 3))
    return np.tensordot(windows, K, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)


def _padded(x, padding):
    """The image with zeros on each side."""
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def _by_transform(x, K):
    """Circular cross-correlation by real transforms of the image's size; the kernel's spectrum is conjugated."""
    if not len(x):
        raise Unsupported("MKL's transforms take no empty batch")
    sides = x.shape[2:]
    spectrum = torch.einsum("ocxy,bcxy->boxy", torch.fft.rfft2(K, sides).conj(), torch.fft.rfft2(x))
    return torch.fft.irfft2(spectrum, sides)


@lru_cache(maxsize=8)
def _onnx_session(padding):
    """An onnxruntime session of one Conv whose kernel is an input, for images of any size."""
    import onnx
    import onnxruntime

    def tensor(name):
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None] * 4)

    node = onnx.helper.make_node("Conv", ["x", "K"], ["y"], pads=[padding] * 4)
    graph = onnx.helper.make_graph([node], "conv2d", [tensor("x"), tensor("K")], [tensor("y")])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
