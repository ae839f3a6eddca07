"""Memory layouts: the same values in another order of memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Layout = Callable[[Tensor], Tensor]


def contiguous(tensor: Tensor) -> Tensor:
    """Row after row, in memory of its own."""
    return tensor.clone(memory_format=torch.contiguous_format)


def transposed(tensor: Tensor) -> Tensor:
    """Axes stored in reverse order."""
    backwards = tuple(range(tensor.ndim))[::-1]
    return contiguous(tensor.permute(backwards)).permute(backwards)


def channels_last(tensor: Tensor) -> Tensor:
    """Axis 1 varies fastest in memory (NHWC for an image)."""
    if tensor.ndim < 3:
        return contiguous(tensor)
    return contiguous(tensor.movedim(1, -1)).movedim(-1, 1)


def strided(tensor: Tensor) -> Tensor:
    """Every second entry of a buffer twice as wide."""
    if tensor.ndim == 0:
        return contiguous(tensor)
    buffer = torch.zeros((*tensor.shape[:-1], 2 * tensor.shape[-1]), dtype=tensor.dtype, device=tensor.device)
    view = buffer[..., ::2]
    view.copy_(tensor)
    return view


def offset(tensor: Tensor) -> Tensor:
    """A slice that begins three entries into its buffer."""
    buffer = torch.zeros(tensor.numel() + 5, dtype=tensor.dtype, device=tensor.device)
    view = buffer[3 : 3 + tensor.numel()].view(tensor.shape)
    view.copy_(tensor)
    return view


def expanded(tensor: Tensor) -> Tensor:
    """Stride 0 along the first axis, where the values along it are equal, as `Case` makes plain arguments for it."""
    if tensor.ndim == 0 or tensor.shape[0] == 0 or not _repeats(tensor):
        return contiguous(tensor)
    return contiguous(tensor[:1]).expand(tensor.shape)


def _repeats(tensor: Tensor) -> bool:
    """Whether every row is the first one, NaN counting as NaN."""
    first = tensor[:1].expand_as(tensor)
    return bool(((tensor == first) | (tensor.isnan() & first.isnan())).all())


LAYOUTS: dict[str, Layout] = {
    made.__name__: made for made in (contiguous, transposed, channels_last, strided, offset, expanded)
}
