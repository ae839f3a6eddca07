"""What Triton binds to a kernel as it is declared, beside the code of its function: the configurations by which it is tuned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def is_of_triton(value: Any) -> bool:
    """Whether it is an object of Triton's: a kernel, however it is declared (compiled, interpreted, tuned), or a `tl.constexpr`."""
    return type(value).__module__.partition(".")[0] == "triton"


def bound_constants(value: Any) -> Iterator[Any]:
    """The value of a `tl.constexpr`, and those that the configurations of a tuned kernel give to its parameters."""
    if not is_of_triton(value):
        return
    if type(value).__name__ == "constexpr":
        yield value.value
    for config in getattr(value, "configs", ()):
        yield from config.kwargs.values()
    yield from bound_constants(getattr(value, "fn", None))
