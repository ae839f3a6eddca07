"""The answer's first formula, ifft(fft(h)·fft(x)), where conv2d is meant.

Verdict: wrong
Property: agreement

The product of the transforms convolves: the kernel is flipped. conv2d correlates, which takes the conjugate of the
kernel's transform (claim conv.no-conj). A kernel of one tap, or one that is its own mirror image on the torus, hides it.
"""

import torch

from harness.errors import Unsupported
from harness.operations.convolution import conv2d


@conv2d.implementation(
    backend="torch",
    dtypes=(torch.float64, torch.float32),
    exempt={"nonfinite_propagation": "a transform over the image spreads one NaN over all of it"},
)
def product_of_transforms(x, K, padding):
    """The product of both transforms at the size of the padded image, cropped to the size of the result."""
    if not len(x):
        raise Unsupported("MKL's transforms take no empty batch")
    padded = torch.nn.functional.pad(x, (padding,) * 4)
    sides = padded.shape[-2:]
    products = torch.einsum("ocxy,bcxy->boxy", torch.fft.rfft2(K, sides), torch.fft.rfft2(padded))
    height, width = (side - taken + 1 for side, taken in zip(sides, K.shape[-2:], strict=True))
    return torch.fft.irfft2(products, sides)[..., :height, :width]
