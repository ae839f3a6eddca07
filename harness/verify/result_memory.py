"""Memory for results: what an implementation is given to write to, in any layout, amid entries that it has to leave alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.generate.layouts import LAYOUTS

_GUARD = 16
"""Entries before and after that belong to nobody."""

_LEFT_ALONE = 77


@dataclass(frozen=True)
class ResultMemory:
    """A tensor to write to, and the buffer in which it lies; mine: the entries of the buffer that are the tensor's."""

    tensor: Tensor
    buffer: Tensor
    mine: Tensor

    def written_outside(self) -> bool:
        """Whether an entry of the buffer has changed that is none of the tensor's."""
        return bool((self.buffer[~self.mine] != torch.tensor(_LEFT_ALONE).to(self.buffer)).any())


def result_memory(shape: tuple[int, ...], dtype: torch.dtype, device: str, layout: str) -> ResultMemory:
    """Memory for a result. It holds NaN at first (77 of integers), which what is added to it keeps.

    layout: of memory, as those of arguments; one that repeats entries or runs backwards can't be written to, and is contiguous.
    """
    known = LAYOUTS[layout] if layout in LAYOUTS and layout != "expanded" else LAYOUTS["contiguous"]
    strides = known(torch.empty(shape, dtype=torch.bool)).stride()
    reach = 1 + sum(stride * (size - 1) for stride, size in zip(strides, shape, strict=True)) if math.prod(shape) else 0
    buffer = torch.full((reach + 2 * _GUARD,), _LEFT_ALONE, dtype=dtype, device=device)
    mine = torch.zeros(len(buffer), dtype=torch.bool, device=device)
    mine.as_strided(shape, strides, _GUARD).fill_(True)
    tensor = buffer.as_strided(shape, strides, _GUARD)
    if dtype.is_floating_point or dtype.is_complex:
        tensor.fill_(torch.nan)
    return ResultMemory(tensor, buffer, mine)
