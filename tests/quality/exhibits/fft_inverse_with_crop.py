"""The answer's inverse by FFT, given what conv2d really leaves.

Verdict: wrong
Property: agreement

A pseudo-inverse at each frequency inverts the periodic convolution. conv2d without padding gives k − 1 rows and columns
less than that has; with zeros in their place, the inverse is that of another result (claim pinv.cropped).
"""

import torch

from harness.errors import Unsupported
from harness.operations.deconvolution import conv2d_pinv


@conv2d_pinv.implementation(
    backend="torch",
    dtypes=(torch.float64, torch.float32),
    exempt={"nonfinite_propagation": "a transform over the image spreads one NaN over all of it"},
)
def inverted_by_frequency(y, K, padding):
    """The inverse at each frequency, of the result with zeros for its border."""
    if padding:
        raise Unsupported("the answer takes the padding away")
    if not len(y):
        raise Unsupported("MKL's transforms take no empty batch")
    margins = (0, K.shape[3] - 1, 0, K.shape[2] - 1)
    whole = torch.nn.functional.pad(y, margins)
    sides = whole.shape[-2:]
    maps = torch.fft.rfft2(K, sides).conj().permute(2, 3, 0, 1)
    found = torch.einsum("xyij,bjxy->bixy", torch.linalg.pinv(maps), torch.fft.rfft2(whole))
    return torch.fft.irfft2(found, sides)
