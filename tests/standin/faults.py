"""Faults to plant in the device's kernels, as devices and their drivers have had them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from tests.standin.device import STATE, fail

_MEMORY: dict[Any, Any] = {}
"""What a kernel remembers that should not."""


@dataclass(frozen=True)
class Fault:
    """A fault of some kernels.

    kernels: the names of the operators; way: what is done in place of the ordinary computation.
    """

    kernels: tuple[str, ...]
    way: Callable[..., Any]

    def computed(self, ordinary: Any, operator: Any, args: Any, kwargs: Any) -> Any:
        """What the kernel gives."""
        return self.way(ordinary, args, kwargs)


def _floats(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    return tree_map(lambda each: change(each) if isinstance(each, Tensor) and each.is_floating_point() else each, value)


def _entries(tensor: Tensor, first: int, step: int = 1) -> Tensor:
    """As many entries of the memory as a tensor has, in a row, from one on, whatever its strides say."""
    memory = torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())
    if not memory.numel():
        return tensor
    places = (first + step * torch.arange(tensor.numel())) % memory.numel()
    return memory[places].reshape(tensor.shape)


def strided(ordinary: Any, args: Any, kwargs: Any) -> Any:
    """Strides are not looked at: memory is read in a row."""
    return ordinary(*_floats(args, lambda each: _entries(each, each.storage_offset())), **kwargs)


def offset(ordinary: Any, args: Any, kwargs: Any) -> Any:
    """Where a tensor begins in its memory is not looked at."""
    return ordinary(*_floats(args, lambda each: _entries(each, 0) if each.is_contiguous() else each), **kwargs)


def _left(ordinary: Any, args: Any, kwargs: Any, keep: Callable[[Tensor], Tensor]) -> Any:
    """The result where some entries of it are never written."""
    return _floats(ordinary(*args, **kwargs), lambda made: made.mul_(keep(made)) if made.numel() else made)


def beyond(most: int) -> Callable[..., Any]:
    """Entries from so many on are not computed, as where a launch has too few blocks."""

    def way(ordinary: Any, args: Any, kwargs: Any) -> Any:
        return _left(ordinary, args, kwargs, lambda made: (torch.arange(made.numel()) < most).reshape(made.shape))

    return way


def tail(width: int) -> Callable[..., Any]:
    """Of a last axis that is no multiple of a block, the rest is not computed."""

    def way(ordinary: Any, args: Any, kwargs: Any) -> Any:
        def keep(made: Tensor) -> Tensor:
            length = made.shape[-1] if made.ndim else 1
            whole = length - length % width if length > width else length
            return (torch.arange(length) < whole).expand(made.shape)

        return _left(ordinary, args, kwargs, keep)

    return way


def race(ordinary: Any, args: Any, kwargs: Any) -> Any:
    """In every third call the last entries are read before they are written."""
    late = STATE.calls % 3 == 0
    return _left(
        ordinary, args, kwargs, lambda made: (torch.arange(made.numel()) < made.numel() - late).reshape(made.shape)
    )


def sticky(most: int) -> Callable[..., Any]:
    """A call with more entries than so many reads what is not its own, and the device is lost."""

    def way(ordinary: Any, args: Any, kwargs: Any) -> Any:
        made = ordinary(*args, **kwargs)
        if any(each.numel() > most for each in args if isinstance(each, Tensor)):
            fail("standin error: an illegal memory access was encountered")
        return made

    return way


def memory(most: int) -> Callable[..., Any]:
    """A workspace that the device has not."""

    def way(ordinary: Any, args: Any, kwargs: Any) -> Any:
        if any(each.numel() > most for each in args if isinstance(each, Tensor)):
            raise torch.OutOfMemoryError("standin out of memory: tried to allocate 80.00 GiB of workspace")
        return ordinary(*args, **kwargs)

    return way


def crash(ordinary: Any, args: Any, kwargs: Any) -> Any:
    """The driver ends the process."""
    import os
    import signal

    os.kill(os.getpid(), signal.SIGSEGV)


def narrow(ordinary: Any, args: Any, kwargs: Any) -> Any:
    """Factors and sums in half precision."""
    return _floats(ordinary(*_floats(args, lambda each: each.half().to(each.dtype)), **kwargs), _in_half)


def _in_half(made: Tensor) -> Tensor:
    return made.copy_(made.half())


def single(ordinary: Any, args: Any, kwargs: Any) -> Any:
    """Doubles are computed as singles."""
    return _floats(ordinary(*args, **kwargs), lambda made: made.copy_(made.float()))


def swallows(ordinary: Any, args: Any, kwargs: Any) -> Any:
    """NaN is lost, as in a maximum that takes the other one."""
    return _floats(
        ordinary(*args, **kwargs), lambda made: made.nan_to_num_(nan=0.0, posinf=torch.inf, neginf=-torch.inf)
    )


def stale(ordinary: Any, args: Any, kwargs: Any) -> Any:
    """What is computed for a shape is remembered with its values."""
    shapes = tuple(tuple(each.shape) for each in args if isinstance(each, Tensor))
    made = ordinary(*args, **kwargs)
    before = _MEMORY.setdefault((str(ordinary), shapes, made.dtype), made.clone())
    return made.copy_(before)


def writes(ordinary: Any, args: Any, kwargs: Any) -> Any:
    """It works in the memory of what it is given."""
    made = ordinary(*args, **kwargs)
    first = args[0]
    if first.numel() and first.is_floating_point() and all(first.stride()):
        first.reshape(-1)[:1].zero_() if first.is_contiguous() else first.zero_()
    return made


def crowded(most: int) -> Callable[..., Any]:
    """With more rows than so many, the rest get the first one's."""

    def way(ordinary: Any, args: Any, kwargs: Any) -> Any:
        def change(made: Tensor) -> Tensor:
            if made.ndim > 1 and made.shape[0] > most:
                made[most:] = made[:1].clone()
            return made

        return _floats(ordinary(*args, **kwargs), change)

    return way


def scaled(by: float) -> Callable[..., Any]:
    """Off by a factor."""

    def way(ordinary: Any, args: Any, kwargs: Any) -> Any:
        return _floats(ordinary(*args, **kwargs), lambda made: made.mul_(by))

    return way


def empty(ordinary: Any, args: Any, kwargs: Any) -> Any:
    """A launch of no blocks is refused."""
    if any(not each.numel() for each in args if isinstance(each, Tensor)):
        raise RuntimeError("standin error: invalid configuration argument")
    return ordinary(*args, **kwargs)


_SUMS, _PRODUCTS = ("sum", "mean"), ("mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot")

FAULTS = {
    "sums read memory in a row": Fault(_SUMS, strided),
    "products read memory in a row": Fault(_PRODUCTS, strided),
    "exponentials read memory in a row": Fault(("exp", "_softmax", "tanh", "sigmoid"), strided),
    "entries read memory in a row": Fault(("mul", "add", "sub", "div"), strided),
    "running sums read memory in a row": Fault(("cumsum",), strided),
    "sums begin at the beginning": Fault(_SUMS, offset),
    "products begin at the beginning": Fault(_PRODUCTS, offset),
    "exponentials begin at the beginning": Fault(("exp", "_softmax", "tanh", "sigmoid"), offset),
    "products of 256 entries": Fault(_PRODUCTS, beyond(2**8)),
    "entries up to 1024": Fault(("mul", "add", "sub", "div"), beyond(2**10)),
    "exponentials up to 512": Fault(("exp", "_softmax", "tanh", "sigmoid"), beyond(2**9)),
    "running sums up to 128": Fault(("cumsum",), beyond(2**7)),
    "products in blocks of 16": Fault(_PRODUCTS, tail(16)),
    "exponentials in blocks of 32": Fault(("exp", "_softmax", "tanh", "sigmoid"), tail(32)),
    "running sums in blocks of 8": Fault(("cumsum",), tail(8)),
    "products race": Fault(_PRODUCTS, race),
    "sums race": Fault(_SUMS, race),
    "entries race": Fault(("mul", "add", "sub", "div"), race),
    "products in half precision": Fault(_PRODUCTS, narrow),
    "sums in half precision": Fault(_SUMS, narrow),
    "doubles as singles in products": Fault(_PRODUCTS, single),
    "doubles as singles in exponentials": Fault(("exp", "_softmax", "tanh", "sigmoid"), single),
    "maxima lose NaN": Fault(("relu", "clamp_min", "amax", "max", "_softmax"), swallows),
    "running sums are remembered": Fault(("cumsum",), stale),
    "products write to what they are given": Fault(_PRODUCTS, writes),
    "rows beyond 16": Fault(_PRODUCTS, crowded(16)),
    "rows of exponentials beyond 8": Fault(("_softmax",), crowded(8)),
    "backwards off by a thousandth": Fault(
        ("_softmax_backward_data", "tanh_backward", "threshold_backward"), scaled(1.001)
    ),
    "means off by a hundredth": Fault(("mean",), scaled(1.01)),
    "no empty products": Fault(_PRODUCTS, empty),
    "no empty exponentials": Fault(("exp", "_softmax", "tanh", "sigmoid"), empty),
    "illegal access in products": Fault(_PRODUCTS, sticky(2**8)),
    "illegal access in running sums": Fault(("cumsum",), sticky(2**6)),
    "no workspace for products": Fault(_PRODUCTS, memory(2**8)),
    "the driver ends the process": Fault(("cumsum",), crash),
}
"""By name."""
