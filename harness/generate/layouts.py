"""Memory layouts: the same values in another order of memory.

A layout is written as a word: `transposed` for every argument, `transposed:W` for one argument with the others contiguous,
`expanded:x:1` for stride 0 along axis 1 of x.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from harness.registry import Registry

Make = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class MemoryLayout:
    """A way to lie in memory; least_axes: the axes from which it is another one than contiguous, at least in place."""

    make: Make
    least_axes: int

    def __call__(self, tensor: Tensor) -> Tensor:
        """The same values in memory of their own, laid out so."""
        return self.make(tensor)


LAYOUTS: Registry[MemoryLayout] = Registry("layout", "harness.layouts")
"""By name; `reversed` is no layout of torch's (see REVERSED)."""


def layout(*, least_axes: int = 1) -> Callable[[Make], Make]:
    """Add a layout: a function that gives a tensor's values in memory of their own, in another order or with gaps.

    ```python
    import harness, torch

    @harness.layout(least_axes=2)
    def padded_rows(tensor):
        "Rows that begin at multiples of 16 entries."
        wide = torch.zeros(*tensor.shape[:-1], -(-tensor.shape[-1] // 16) * 16, dtype=tensor.dtype, device=tensor.device)
        return wide[..., : tensor.shape[-1]].copy_(tensor)
    ```

    least_axes: the axes that a tensor needs for it to be another layout than the contiguous one. Raises DeclarationError
    for a name that is taken.
    """

    def declare(make: Make) -> Make:
        LAYOUTS.register(make.__name__, MemoryLayout(make, least_axes))
        return make

    return declare


@layout(least_axes=0)
def contiguous(tensor: Tensor) -> Tensor:
    """Row after row, in memory of its own."""
    return tensor.clone(memory_format=torch.contiguous_format)


@layout(least_axes=2)
def transposed(tensor: Tensor) -> Tensor:
    """Axes stored in reverse order."""
    backwards = tuple(range(tensor.ndim))[::-1]
    return contiguous(tensor.permute(backwards)).permute(backwards)


@layout(least_axes=3)
def channels_last(tensor: Tensor) -> Tensor:
    """Axis 1 varies fastest in memory (NHWC for an image)."""
    if tensor.ndim < 3:
        return contiguous(tensor)
    return contiguous(tensor.movedim(1, -1)).movedim(-1, 1)


@layout(least_axes=1)
def strided(tensor: Tensor) -> Tensor:
    """Every second entry of a buffer twice as wide."""
    if tensor.ndim == 0:
        return contiguous(tensor)
    buffer = torch.zeros((*tensor.shape[:-1], 2 * tensor.shape[-1]), dtype=tensor.dtype, device=tensor.device)
    view = buffer[..., ::2]
    view.copy_(tensor)
    return view


@layout(least_axes=0)
def offset(tensor: Tensor) -> Tensor:
    """A slice that begins three entries into its buffer, amid the largest number that there is."""
    return _amid(tensor, before=3, after=2, of=_largest(tensor.dtype))


@layout(least_axes=0)
def guarded(tensor: Tensor) -> Tensor:
    """Contiguous and aligned, amid entries that are NaN, so that whatever reads beyond its argument shows it."""
    inexact = tensor.is_floating_point() or tensor.is_complex()
    return _amid(tensor, before=_GUARD, after=_GUARD, of=float("nan") if inexact else _largest(tensor.dtype))


_GUARD = 64
"""Entries before and after: those of a cache line or more, so that what is aligned stays so."""


def _amid(tensor: Tensor, before: int, after: int, of: float) -> Tensor:
    """The values amid so many entries of another one in the same buffer."""
    buffer = torch.full((before + tensor.numel() + after,), of, dtype=tensor.dtype, device=tensor.device)
    return buffer[before : before + tensor.numel()].view(tensor.shape).copy_(tensor)


def _largest(dtype: torch.dtype) -> float:
    """What no index, no size and no comparison takes for one of its own: the largest number of a dtype, or half of it.

    The largest float has no short decimals that are not beyond it.
    """
    if dtype is torch.bool:
        return True
    return torch.finfo(dtype).max / 2 if dtype.is_floating_point or dtype.is_complex else torch.iinfo(dtype).max


@layout(least_axes=1)
def expanded(tensor: Tensor) -> Tensor:
    """Stride 0 along the first axis, where the values along it are equal."""
    return _expanded(tensor, 0)


def _expanded(tensor: Tensor, axis: int) -> Tensor:
    """Stride 0 along an axis where the values along it are equal, as `Case` makes plain arguments for it."""
    if axis >= tensor.ndim or not tensor.numel() or not _repeats(tensor, axis):
        return contiguous(tensor)
    return contiguous(tensor.narrow(axis, 0, 1)).expand(tensor.shape)


def _repeats(tensor: Tensor, axis: int) -> bool:
    """Whether every slice along an axis is the first one, NaN counting as NaN."""
    first = tensor.narrow(axis, 0, 1).expand_as(tensor)
    return bool(((tensor == first) | (tensor.isnan() & first.isnan())).all())


def whole_memory(tensor: Tensor) -> Tensor:
    """All entries of the buffer in which a tensor lies, its own and those around it."""
    length = tensor.untyped_storage().nbytes() // tensor.element_size()
    return tensor.detach().as_strided((length,), (1,), 0)


REVERSED = "reversed"
"""Negative strides along every axis, which NumPy has and torch has not: the backend makes them as it receives the arguments."""


def _least_axes() -> dict[str, int]:
    """The layouts of whole arguments, with the axes that each needs."""
    named = {name: each.least_axes for name, each in LAYOUTS.items() if name not in ("contiguous", "expanded")}
    return {**named, REVERSED: 1}


@dataclass(frozen=True)
class Layout:
    """A layout of a call: its name, the one argument that has it (empty: all have), and the axis that is expanded."""

    name: str
    argument: str = ""
    axis: int = 0

    @staticmethod
    @lru_cache(maxsize=4096)
    def parse(word: str) -> Layout:
        """The layout that a word means. Raises ValueError where it means none."""
        name, _, rest = word.partition(":")
        argument, _, axis = rest.partition(":")
        if name not in LAYOUTS and name != REVERSED:
            raise ValueError(f"layout {word!r} is unknown; known are {', '.join((*LAYOUTS, REVERSED))}")
        return Layout(name, argument, int(axis or 0))

    def concerns(self, argument: str) -> bool:
        """Whether an argument has it."""
        return self.argument in ("", argument)

    def laid_out(self, arguments: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The arguments in memory of their own, in this layout."""
        return {name: self._laid_out(tensor, self.concerns(name)) for name, tensor in arguments.items()}

    def _laid_out(self, tensor: Tensor, concerned: bool) -> Tensor:
        if concerned and self.name == "expanded":
            return _expanded(tensor, self.axis)
        return LAYOUTS[self.name](tensor) if concerned and self.name in LAYOUTS else contiguous(tensor)

    def reversed_among(self, arguments: Mapping[str, Any]) -> frozenset[str]:
        """The arguments that have negative strides."""
        return frozenset(filter(self.concerns, arguments)) if self.name == REVERSED else frozenset()

    @property
    def words(self) -> str:
        """The layout for people: `transposed`, `transposed W`, `x expanded along axis 1`."""
        if self.name == "expanded" and self.argument:
            return f"{self.argument} expanded along axis {self.axis}"
        return f"{self.name} {self.argument}".rstrip()


@lru_cache(maxsize=1024)
def layouts_for(axes: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    """Every layout but the contiguous one of arguments given by name and number of axes: of all at once, then of each alone."""
    several = sum(count > 0 for _, count in axes) > 1
    layouts = _least_axes()
    together = [name for name, least in layouts.items() if any(count >= max(least, 1) for _, count in axes)] + [
        "expanded"
    ]
    alone = [
        [f"{name}:{argument}" for name, least in layouts.items() if several and count >= max(least, 1)]
        + [f"expanded:{argument}:{axis}" for axis in range(count)]
        for argument, count in axes
    ]
    taken_in_turns = (word for turn in itertools.zip_longest(*alone) for word in turn if word)
    return (*together, *taken_in_turns)


def simpler_than(word: str, axes: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    """Layouts that say less than this one, simplest first: none at all, and for all arguments that of each alone."""
    layout = Layout.parse(word)
    if layout.name == contiguous.__name__:
        return ()
    alone = () if layout.argument else (each for each in layouts_for(axes) if each.startswith(f"{layout.name}:"))
    return (contiguous.__name__, *alone)
