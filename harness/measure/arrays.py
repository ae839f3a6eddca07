"""Arrays: results as they are held against one another, in NumPy and in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]


def as_array(value: Any) -> Array:
    """A tensor as a numpy array in float64 (integers and bools as they are); arrays pass.

    A complex tensor gets an axis more, at the end, for its real and its imaginary part.
    """
    if not isinstance(value, Tensor):
        return np.asarray(value)
    if value.is_complex():
        value = torch.view_as_real(value.resolve_conj())
    array: Array = (value if _is_numpys(value.dtype) else value.float()).numpy(force=True)
    return array.astype(np.float64, copy=False) if array.dtype.kind == "f" else array


def _is_numpys(dtype: torch.dtype) -> bool:
    """Whether NumPy has the dtype; of narrow floats it has one alone."""
    return not dtype.is_floating_point or dtype in (torch.float64, torch.float32, torch.float16)
