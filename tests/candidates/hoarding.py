"""A candidate that keeps what it allocates, beside one that does not."""

import torch

from harness.operations.linear import linear

_hoard = []


@linear.implementation
def hoards(x, W, b):
    _hoard.append(torch.ones(2**26))  # 256 MiB
    return torch.nn.functional.linear(x, W, b)


@linear.implementation
def sound(x, W, b):
    return torch.nn.functional.linear(x, W, b)
