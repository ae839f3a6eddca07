"""Faults and other ways of convolution and of the kernel's layout."""

import numpy as np
import torch

from harness.errors import Unsupported
from harness.operations.convolution import conv2d, conv2d_circular, conv_kernel_layout, result_sides
from tests.quality.planted import correct, fault

_WIDE = (torch.float64, torch.float32)


@fault(conv2d, cause="shifted", words=("height", "width"))
def padded_on_one_side(x, K, padding):
    """All zeros come in below and on the right, where half of them belong above and on the left."""
    return torch.nn.functional.conv2d(torch.nn.functional.pad(x, (0, 2 * padding, 0, 2 * padding)), K)


@fault(conv2d, cause="shifted", dtypes=_WIDE)
def cropped_at_the_other_end(x, K, padding):
    """The periodic result is cropped to its last rows and columns, which wrap, where the first ones are whole."""
    if not len(x) or not x.isfinite().all():
        raise Unsupported("a transform spreads one NaN over the whole image")
    padded = torch.nn.functional.pad(x, (padding,) * 4)
    sides, (height, width) = padded.shape[2:], result_sides(padded, K)
    products = torch.einsum("ocxy,bcxy->boxy", torch.fft.rfft2(K, sides).conj(), torch.fft.rfft2(padded))
    return torch.fft.irfft2(products, sides)[..., -height:, -width:]


@fault(conv2d, cause="viewed where permuted", words="the result is viewed")
def columns_viewed(x, K, padding):
    """The product of im2col has the channels last; it is reshaped where it should be permuted."""
    columns = torch.nn.functional.unfold(x, K.shape[2:], padding=padding).mT @ K.flatten(1).mT
    return columns.reshape(len(x), len(K), *result_sides(x, K, padding))


@fault(conv2d, cause="reversed axis", words=("K is reversed along kernel_width",))
def kernel_flipped_along_the_width(x, K, padding):
    """Only one of the two flips of a convolution is taken back."""
    return torch.nn.functional.conv2d(x, K.flip(3), padding=padding)


@fault(conv2d, cause="only some entries", words=("the border", "padding"))
def border_repeated(x, K, padding):
    """The image's border is repeated outwards where zeros should come in."""
    return torch.nn.functional.conv2d(torch.nn.functional.pad(x, (padding,) * 4, mode="replicate"), K)


@fault(conv2d, cause="gradient scaled", words="the gradient in K is counted twice")
def gradient_of_kernel_twice(x, K, padding):
    """The kernel's gradient is accumulated twice."""
    return torch.nn.functional.conv2d(x, 2 * K - K.detach(), padding=padding)


@fault(conv2d, cause="exchanged axes", words="K (kernel_height and kernel_width)")
def square_kernel_transposed(x, K, padding):
    """Square kernels come with width before height."""
    if K.shape[2] == K.shape[3]:
        K = K.mT
    return torch.nn.functional.conv2d(x, K, padding=padding)


@fault(conv2d, cause="only some entries", words=("the border", "padding", "2"))
def padding_at_most_one(x, K, padding):
    """Only one of two rows of zeros is put around the image; a second one is put around the result."""
    result = torch.nn.functional.conv2d(x, K, padding=min(padding, 1))
    return torch.nn.functional.pad(result, (padding - min(padding, 1),) * 4)


@fault(conv2d, verdict="error", cause="circumstances", words=("RuntimeError", "not contiguous in memory"))
def rows_of_memory_viewed(x, K, padding):
    """view of what might not lie in memory row after row."""
    return torch.nn.functional.conv2d(x.view(-1).view(x.shape), K, padding=padding)


@fault(conv2d_circular, cause="flipped kernel", words="not conjugated", dtypes=_WIDE)
def spectrum_as_it_is(x, K):
    """The kernel's spectrum is not conjugated, so that the periodic image is convolved."""
    if not len(x) or not x.isfinite().all():
        raise Unsupported("a transform spreads one NaN over the whole image")
    sides = x.shape[2:]
    products = torch.einsum("ocxy,bcxy->boxy", torch.fft.rfft2(K, sides), torch.fft.rfft2(x))
    return torch.fft.irfft2(products, sides)


@fault(conv2d_circular, cause="shifted", words=("by -1 entry along width", "kernel_width is even"))
def centre_of_even_kernels(x, K):
    """The kernel is centred and the result rolled back, by one entry too much where no tap is in the middle."""
    before, above = (K.shape[3] - 1) // 2, (K.shape[2] - 1) // 2
    margins = (before, K.shape[3] - 1 - before, above, K.shape[2] - 1 - above)
    wrapped = torch.nn.functional.pad(x, margins, mode="circular")
    return torch.nn.functional.conv2d(wrapped, K).roll((-above, -(K.shape[3] // 2)), (2, 3))


@fault(conv2d_circular, cause=("only some entries", "circumstances"), words="width ≥ 17")
def zeros_around_wide_images(x, K):
    """Wide images take a faster way, which does not wrap along the width."""
    wide = x.shape[3] > 16
    along = "constant" if wide else "circular"
    wrapped = torch.nn.functional.pad(x, (0, 0, 0, K.shape[2] - 1), mode="circular")
    wrapped = torch.nn.functional.pad(wrapped, (0, K.shape[3] - 1, 0, 0), mode=along)
    return torch.nn.functional.conv2d(wrapped, K)


_spectra = {}


@fault(conv2d_circular, backend="numpy", dtypes=_WIDE, cause="earlier calls")
def spectrum_of_an_earlier_kernel(x, K):
    """Spectra are kept by the kernel's shape, not by its entries."""
    if not np.isfinite(x).all():
        raise Unsupported("a transform spreads one NaN over the whole image")
    sides = x.shape[2:]
    key = (K.shape, sides, K.dtype)
    if key not in _spectra:
        _spectra[key] = np.fft.fft2(K, sides).conj()
    return np.fft.ifft2(np.einsum("ocxy,bcxy->boxy", _spectra[key], np.fft.fft2(x))).real.astype(x.dtype)


@fault(conv_kernel_layout, cause="viewed where permuted", words=("inputs", "outputs", "to_hwio", "True"))
def channels_viewed_on_the_way_back(K, to_hwio):
    """Back to keras' order the channels come out exchanged, and are reshaped to fit."""
    if not to_hwio:
        return K.permute(3, 2, 0, 1)
    outputs, inputs, height, width = K.shape
    return K.permute(2, 3, 0, 1).reshape(height, width, inputs, outputs)


@fault(conv_kernel_layout, verdict="error", cause="circumstances", words=("shape", "to_hwio", "True"))
def same_order_both_ways(K, to_hwio):
    """The permutation to torch's order is taken for its own inverse, which shows in the shape."""
    return K.permute(2, 3, 0, 1) if to_hwio else K.permute(3, 2, 0, 1)


@fault(conv_kernel_layout, cause="exchanged axes", words="(height and width)")
def image_axes_exchanged(K, to_hwio):
    """Square kernels come out with width before height, in both directions."""
    K = K.permute((2, 3, 1, 0) if to_hwio else (3, 2, 0, 1))
    at = 0 if to_hwio else 2
    return K.transpose(at, at + 1) if K.shape[at] == K.shape[at + 1] else K


@correct(conv2d)
def tap_by_tap(x, K, padding):
    """The image shifted under each tap in turn, added up from the last tap to the first."""
    padded, (height, width) = torch.nn.functional.pad(x, (padding,) * 4), result_sides(x, K, padding)
    result = x.new_zeros(len(x), len(K), height, width)
    for i, j in list(np.ndindex(*K.shape[2:]))[::-1]:
        result = result + torch.einsum("oc,bchw->bohw", K[:, :, i, j], padded[:, :, i : i + height, j : j + width])
    return result


@correct(conv2d)
def transposed_of_transposed(x, K, padding):
    """The adjoint of a transposed convolution: with the kernel flipped, cropped to the result."""
    whole = torch.nn.functional.conv_transpose2d(x, K.flip(2, 3).transpose(0, 1))
    up, left = K.shape[2] - 1 - padding, K.shape[3] - 1 - padding
    whole = torch.nn.functional.pad(whole, (-left, -left, -up, -up))
    return whole


@correct(conv2d, backend="scipy")
def scipy_convolve(x, K, padding):
    """scipy.signal.convolve of all channels at once with the flipped kernel."""
    from scipy.signal import convolve

    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    result = np.empty((len(x), len(K), *result_sides(x, K, padding)), x.dtype)
    for sample, output in np.ndindex(*result.shape[:2]):
        flipped = K[output, :, ::-1, ::-1][::-1]
        result[sample, output] = convolve(padded[sample], flipped, mode="valid", method="direct")[0]
    return result


@correct(conv2d_circular, backend="scipy")
def scipy_transforms(x, K):
    """scipy's complex transforms along one axis after the other."""
    from scipy.fft import fft, ifft

    if not np.isfinite(x).all():
        raise Unsupported("a transform spreads one NaN over the whole image")
    kernel = fft(fft(K, x.shape[2], axis=2), x.shape[3], axis=3).conj()
    products = np.einsum("ocxy,bcxy->boxy", kernel, fft(fft(x, axis=2), axis=3))
    return ifft(ifft(products, axis=3), axis=2).real.astype(x.dtype)


@correct(conv_kernel_layout, backend="numpy")
def axis_by_axis(K, to_hwio):
    """One axis after another rolled to its place."""
    if to_hwio:
        return np.rollaxis(np.rollaxis(K, 1, 4), 0, 4)
    return np.rollaxis(np.rollaxis(K, 2, 0), 3, 0)
