"""Picked entries: indices that are right where what they pick is right, whichever of equal entries that be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Picks:
    """Indices along an axis of an argument. They have its other axes, and k along this one, or lack it (as of arg-max)."""

    argument: str
    axis: int = -1

    def __repr__(self) -> str:
        return f"picks({self.argument!r}, {self.axis})"

    def picked(self, indices: Tensor, arguments: Mapping[str, Tensor]) -> Tensor:
        """What they pick: NaN for an index that there is not, and for one that is there before in its row."""
        source = arguments[self.argument].detach()
        source = source if source.is_floating_point() else source.double()
        axis, index = self.axis % source.ndim, indices.long().to(source.device)
        rows = index if index.ndim == source.ndim else index.unsqueeze(axis)
        size = source.shape[axis]
        told = (rows >= 0) & (rows < size) & _first_of_its_value(rows, axis)
        if not told.any():
            return source.new_full(index.shape, torch.nan)
        found = source.gather(axis, rows.clamp(0, size - 1))
        return torch.where(told, found, torch.nan).reshape(index.shape)


def picks(argument: str, axis: int = -1) -> Picks:
    """`Annotated[Int[Tensor, "batch k"], harness.picks("logits")]`: right where the entries picked are the right ones.

    argument: from which the indices pick; axis: along which. An index that is there twice in a row is wrong.
    """
    return Picks(argument, axis)


def _first_of_its_value(rows: Tensor, axis: int) -> Tensor:
    along = rows.movedim(axis, -1)
    earlier = (along[..., :, None] == along[..., None, :]).tril(-1).any(-1)
    return ~earlier.movedim(-1, axis)
