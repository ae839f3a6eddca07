"""Ranges: arguments of which every entry is positive, or lies between two numbers.

    scale: Annotated[Float[Tensor, "m"], harness.positive]
    share: Annotated[Float[Tensor, "n"], harness.within(0, 1)]

Value patterns still fill them, so that ties, tiny and huge values are met: what lies outside is brought in. A number that is
moved by rounding, as the noise floor does, stays in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.declare.domains import whole, whole_of
from harness.errors import DeclarationError


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`, both included; those above `low` alone where it is `open`."""

    low: float
    high: float = np.inf
    open: bool = False

    def __repr__(self) -> str:
        if self.high == np.inf:
            return "positive" if self.open else "nonnegative"
        return f"within({self.low:g}, {self.high:g})"

    def admits(self, values: NDArray[Any]) -> bool:
        """Whether every entry lies in it; NaN, which one property asks for, is nowhere and passes."""
        least = values > self.low if self.open else values >= self.low
        return bool((np.isnan(values) | (least & (values <= self.high))).all())

    def brought(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values with those that lie outside brought in: mirrored at its ends; a zero that may be none becomes 1.

        An infinity that does not belong there becomes NaN.
        """
        with np.errstate(all="ignore"):
            if self.high == np.inf:
                found = self.low + np.abs(values - self.low)
            else:
                width = self.high - self.low
                turned = np.mod(values - self.low, 2 * width) if width else np.zeros_like(values)
                found = self.low + np.where(turned > width, 2 * width - turned, turned)
            found = np.where((values >= self.low) & (values <= self.high), values, found)
        return np.where(found == self.low, self.low + 1.0, found) if self.open else found

    def kept(self, tensor: Tensor) -> Tensor:
        """A tensor with what rounding has taken out put back: the numbers of its dtype that lie nearest and within."""
        least, most = (self._inner(end, tensor.dtype) for end in (self.low, self.high))
        wide = tensor if tensor.itemsize > 1 else tensor.float()
        return wide.clamp(least, most).to(tensor.dtype)

    def _inner(self, end: float, dtype: torch.dtype) -> float:
        """The number of a dtype that is nearest to an end and in the range."""
        held = float(torch.tensor(end, dtype=torch.float64).to(dtype))
        inside = held > self.low if self.open and end == self.low else self.low <= held <= self.high
        if inside:
            return held
        towards = self.high if end == self.low else self.low
        if dtype.itemsize == 1:  # few enough to look at all of them
            every = torch.arange(256, dtype=torch.int32).to(torch.uint8).view(dtype).double()
            beyond = every[(every > held) if towards > held else (every < held)]
            return float(beyond.min() if towards > held else beyond.max())
        return float(torch.nextafter(torch.tensor(held, dtype=dtype), torch.tensor(towards, dtype=dtype)))

    def whole(self, dtype: torch.dtype) -> whole:
        """The whole numbers of the range that a dtype holds, as a domain. Raises DeclarationError where there is none."""
        held = whole_of(dtype)
        low = int(self.low) + 1 if self.open else math.ceil(self.low)
        high = held.high if self.high == np.inf else math.floor(self.high)
        if max(low, held.low) > min(high, held.high):
            raise DeclarationError(f"{self!r} holds no whole number that {str(dtype).removeprefix('torch.')} holds")
        return whole(max(low, held.low), min(high, held.high))


positive = Range(0.0, open=True)
"""Numbers above zero."""

nonnegative = Range(0.0)
"""Numbers from zero on."""


def within(low: float, high: float) -> Range:
    """Numbers from low to high, both included. Raises DeclarationError where there is none."""
    if not low <= high or not np.isfinite([low, high]).all():
        raise DeclarationError(
            f"within({low!r}, {high!r}) holds no number; give two finite ones, the smaller one first"
        )
    return Range(float(low), float(high))
