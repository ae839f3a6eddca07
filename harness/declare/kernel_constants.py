"""The block sizes of a Triton kernel that its code alone does not hold: what is bound to it as it is declared."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any


def kernel_function(value: Any) -> Callable[..., Any] | None:
    """The Python function of a kernel of Triton's, however it is declared (compiled, interpreted, tuned); None of anything else."""
    while _is_of_triton(value) and hasattr(value, "fn"):
        value = value.fn
        if inspect.isfunction(value):
            return value
    return None


def kernel_constants(value: Any) -> Iterator[int]:
    """The integers that a kernel of Triton's, or a `tl.constexpr`, has beside those of its function's code.

    They are the defaults of its parameters (`BLOCK: tl.constexpr = 128`) and those of the configurations by which it is tuned.
    What is given as it is launched (`kernel[grid](…, BLOCK=128)`) is in the code of whoever launches it.
    """
    found: list[Any] = []
    if _is_of_triton(value) and type(value).__name__ == "constexpr":
        found.append(value.value)
    while _is_of_triton(value) and hasattr(value, "fn"):
        for config in getattr(value, "configs", ()):
            found += config.kwargs.values()
        value = value.fn
        if inspect.isfunction(value):
            found += (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
    yield from (each for each in (getattr(each, "value", each) for each in found) if type(each) is int)


def _is_of_triton(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "triton"
