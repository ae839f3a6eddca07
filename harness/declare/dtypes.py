"""Dtypes by name: "float32" or torch.float32, as people write them in a declaration."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from harness.declare.callables import place_of
from harness.errors import DeclarationError

WIDE = (torch.float64, torch.float32)
HALVES = (torch.float16, torch.bfloat16)


def named_dtypes(given: Iterable[str | torch.dtype], function: Callable[..., Any]) -> tuple[torch.dtype, ...]:
    """Torch's dtypes of these names. function: what is declared to take them. Raises DeclarationError for what is none."""
    found = []
    for each in (given,) if isinstance(given, str | torch.dtype) else given:
        dtype = getattr(torch, each.removeprefix("torch."), None) if isinstance(each, str) else each
        if not isinstance(dtype, torch.dtype):
            raise DeclarationError(
                f'{place_of(function)}: dtypes= takes torch\'s dtypes, as ("float32",), and not {each!r}'
            )
        found.append(dtype)
    return tuple(found)
