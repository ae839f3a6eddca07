"""A case as Python that a person can paste: literal values where they are few, the recorded parameters where not."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.declare.devices import device_of
from harness.generate.case import Case
from harness.generate.layouts import whole_memory

_FEW = 256

_SPARSE = 64
"""Entries that are not zero, up to which they alone are written where there are many."""


def literal(case: Case) -> str:
    """Python source that defines every argument and option of a case.

    Needs torch alone where the tensors have at most 256 entries together, and harness to rebuild the case otherwise.
    """
    tensors = case.call().arguments
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
    spelled = {name: tensor_literal(tensor) for name, tensor in tensors.items()}
    options = {name: repr(value) for name, value in case.options.items()}
    given = case.operation.signature.assembled(spelled, options, case.sizes)
    lines = [
        "import torch",
        "from torch import inf, nan",
        *(f"{name} = {written(value)}" for name, value in given.items()),
    ]
    return "\n".join(lines)


def written(value: Any) -> str:
    """An argument of which the values are written out already: one, several in a list or a dict, or none."""
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {each}' for key, each in value.items())}}}"
    return str(value)


def tensor_literal(tensor: Tensor) -> str:
    """`torch.tensor([...], dtype=...)` with the shortest decimals that give the same bits, and the same strides.

    Of more than 256 entries those that are not zero, where they are few, and otherwise all of them, packed
    (which needs `base64` and `zlib`).
    """
    shape, kind = tuple(tensor.shape), f"dtype={tensor.dtype}"
    if not tensor.is_cpu:
        kind += f", device={device_of(tensor).name!r}"
    if tensor.numel() == 0:
        return f"torch.zeros({shape}, {kind})"
    repeated = [axis for axis in range(tensor.ndim) if not tensor.stride(axis) and shape[axis] > 1]
    if repeated:
        return f"{tensor_literal(tensor.narrow(repeated[0], 0, 1))}.expand({shape})"
    made = _values(tensor.detach().cpu(), kind)
    if tensor.stride() == torch.empty(tensor.shape).stride() and not tensor.storage_offset():
        return made
    around = _around(tensor)
    amid = number(around[0]) if len(around) else "0"
    return (
        f"torch.full(({len(whole_memory(tensor))},), {amid}, {kind}).as_strided({shape}, {tensor.stride()}, {tensor.storage_offset()})"
        f".copy_({made})"
    )


def _around(tensor: Tensor) -> Tensor:
    """The entries before, between and behind those of a tensor in memory."""
    whole = whole_memory(tensor)
    mine = torch.zeros(len(whole), dtype=torch.bool, device=tensor.device)
    mine.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset()).fill_(True)
    return whole[~mine]


def _values(tensor: Tensor, kind: str) -> str:
    """The entries in rows, contiguous."""
    if tensor.numel() <= _FEW:
        return f"torch.tensor({_nested(tensor)}, {kind})"
    flat, shape = tensor.reshape(-1), tuple(tensor.shape)
    (places,) = ((flat != 0) | flat.double().signbit()).nonzero(as_tuple=True)
    if not len(places):
        return f"torch.zeros({shape}, {kind})"
    if len(places) <= _SPARSE:
        put = f"(torch.tensor({places.tolist()}),), torch.tensor({_nested(flat[places])}, {kind})"
        return f"torch.zeros({flat.numel()}, {kind}).index_put({put}).reshape({shape})"
    packed = base64.b85encode(zlib.compress(flat.contiguous().view(torch.uint8).numpy().tobytes(), 9)).decode()
    device = kind.partition(", ")[2]
    unpacked = f"torch.frombuffer(bytearray(zlib.decompress(base64.b85decode({packed!r}))), dtype={tensor.dtype})"
    return f"{unpacked}.reshape({shape})" + (f".to({device})" if device else "")


def _nested(tensor: Tensor) -> str:
    if tensor.ndim:
        return "[" + ", ".join(_nested(row) for row in tensor) + "]"
    return number(tensor)


def number(scalar: Tensor) -> str:
    """One entry with the shortest decimals that give the same bits in its dtype."""
    value = scalar.item()
    if scalar.is_complex():
        return f"complex({number(scalar.real)}, {number(scalar.imag)})"
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
