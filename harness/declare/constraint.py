"""Constraints: what the entries of an argument fulfil that value patterns fill, each alone or together.

    a: Annotated[Float[Tensor, "batch n n"], harness.symmetric]

A constraint brings whatever the patterns draw to where it holds, so that ties, tiny and huge values are met. Ranges of numbers are
the other ones (`harness.declare.ranges`).
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.errors import DeclarationError


class Constraint(Protocol):
    """What entries fulfil."""

    def admits(self, values: NDArray[Any]) -> bool:
        """Whether they do; NaN passes."""

    def brought(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of which all do, made of any of the same shape."""

    def kept(self, tensor: Tensor) -> Tensor:
        """A tensor that did, after its entries were moved by rounding."""


class Symmetric:
    """Matrices that equal their transposes, along the last two axes: the entries above the diagonal stand below it as well."""

    def __repr__(self) -> str:
        return "symmetric"

    def admits(self, values: NDArray[Any]) -> bool:
        """Whether every matrix is symmetric, and square."""
        square = values.ndim > 1 and values.shape[-1] == values.shape[-2]
        return square and np.array_equal(values, np.swapaxes(values, -2, -1), equal_nan=True)

    def brought(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values with the upper triangle below the diagonal. Raises DeclarationError for matrices that are not square."""
        if values.ndim < 2 or values.shape[-1] != values.shape[-2]:
            raise DeclarationError(f"{self!r} needs as many rows as columns, and not the shape {values.shape}")
        places = np.arange(values.shape[-1])
        return np.where(places[:, None] <= places, values, np.swapaxes(values, -2, -1))

    def kept(self, tensor: Tensor) -> Tensor:
        """The same of a tensor."""
        places = torch.arange(tensor.shape[-1], device=tensor.device)
        return torch.where(places[:, None] <= places, tensor, tensor.mT)


symmetric = Symmetric()
"""Symmetric matrices."""
