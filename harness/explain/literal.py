"""A case as Python that a person can paste: literal values where they are few, the recorded parameters where not."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.generate.case import Case

_FEW = 256


def literal(case: Case) -> str:
    """Python source that defines every argument and option of a case.

    Needs torch alone where the tensors have at most 256 entries together, and harness to rebuild the case otherwise.
    """
    tensors = case.call().arguments
    options = [f"{name} = {value!r}" for name, value in case.options.items()]
    if sum(tensor.numel() for tensor in tensors.values()) > _FEW:
        operation = case.operation
        return "\n".join(
            [
                "import harness",
                f"# {case.describe()}",
                f"case = harness.Case.rebuild({case.record()!r}, {{{operation.name!r}: {operation.name}}})",
                "arguments, options = case.call().arguments, case.call().options",
            ]
        )
    lines = [
        "import torch",
        "from torch import inf, nan",
        *(f"{name} = {tensor_literal(tensor)}" for name, tensor in tensors.items()),
    ]
    return "\n".join(lines + options)


def tensor_literal(tensor: Tensor) -> str:
    """`torch.tensor([...], dtype=...)` with the shortest decimals that give the same bits."""
    dtype = str(tensor.dtype)
    if tensor.numel() == 0:
        return f"torch.zeros({tuple(tensor.shape)}, dtype={dtype})"
    if tensor.ndim and tensor.stride(0) == 0 and tensor.shape[0] > 1:
        return f"{tensor_literal(tensor[:1])}.expand({tuple(tensor.shape)})"
    made = f"torch.tensor({_nested(tensor)}, dtype={dtype})"
    if tensor.stride() == torch.empty(tensor.shape).stride():
        return made
    return f"torch.empty_strided({tuple(tensor.shape)}, {tensor.stride()}, dtype={dtype}).copy_({made})"


def _nested(tensor: Tensor) -> str:
    if tensor.ndim:
        return "[" + ", ".join(_nested(row) for row in tensor) + "]"
    return number(tensor)


def number(scalar: Tensor) -> str:
    """One entry with the shortest decimals that give the same bits in its dtype."""
    value = scalar.item()
    if not scalar.is_floating_point() or not np.isfinite(value):
        return repr(value)
    if scalar.dtype is torch.float64:
        return repr(value)
    narrow: Any = {torch.float32: np.float32, torch.float16: np.float16}.get(scalar.dtype, np.float32)
    text = (
        np.format_float_scientific(narrow(value), trim="-")
        if value and not 1e-4 <= abs(value) < 1e6
        else str(narrow(value))
    )
    return text
