"""Integers: indices of an axis, lengths along one, or numbers of a range, as calls with other values tell.

An index picks: with another one everywhere, the gradient changes at the two entries that they name, and not at some third. That asks for
nothing out of range, which some functions read without looking. Where no gradient tells, an index or a length ends where the
function stops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from harness.declare.axes import Axis
from harness.declare.domains import among, below, lengths
from harness.declare.ranges import within

if TYPE_CHECKING:
    from harness.inference.trials import Trials

_KINDS, _OF_EACH = 3, 3
"""Numbers that are kinds, at most, and how many entries there must be for each, for a hole between them to be none by chance."""

Axes = Mapping[str, tuple[str, ...]]
"""The axes of every argument that is a tensor."""


def integers_of(trials: Trials, axes: Axes, results: list[tuple[str, ...]], known: Mapping[str, int]) -> dict[str, Any]:
    """The domain of every argument of whole numbers. results: the axes of each; known: the sizes in the example."""
    bounds = _bounds([*axes.values()], results, known)
    return {
        name: _domain(trials, axes, bounds, name, tensor)
        for name, tensor in trials.tensors.items()
        if counts(tensor) and tensor.numel()
    }


def counts(tensor: Tensor) -> bool:
    """Whether a tensor holds whole numbers."""
    return not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype is torch.bool)


def _domain(trials: Trials, axes: Axes, bounds: Mapping[str, int], name: str, tensor: Tensor) -> Any:
    least, most = int(tensor.min()), int(tensor.max())
    picked = next(_picked(trials, axes, name, tensor) if least >= 0 else iter(()), None)
    if picked is not None:
        return below(picked)
    own = {each for each in axes[name] if not any(each in axes[other] for other in axes if other != name)}
    other = {text: size for text, size in bounds.items() if text not in own}
    ends: list[tuple[below | lengths, int]] = [
        *((below(text), size) for text, size in other.items() if 0 <= least <= most < size),
        *((lengths(text), size + 1) for text, size in other.items() if 1 <= least <= most <= size),
    ]
    domains = (domain for domain, end in ends if _stops_at(trials, name, tensor, end))
    return next(domains, few(tensor) or within(least, most))


def few(tensor: Tensor) -> among | None:
    """The two or three whole numbers of which a tensor holds nothing else, with others between them: kinds, and no amounts."""
    numbers = sorted(set(tensor.reshape(-1).tolist()))
    whole = all(float(each).is_integer() for each in numbers)
    if not whole or not 2 <= len(numbers) <= _KINDS or tensor.numel() < _OF_EACH * len(numbers):
        return None
    return among(*map(int, numbers)) if numbers[-1] - numbers[0] >= len(numbers) else None


def _picked(trials: Trials, axes: Axes, name: str, tensor: Tensor) -> Iterator[str]:
    """The axes of float arguments of which it picks entries."""
    for other, each in trials.tensors.items():
        for place, size in enumerate(each.shape if each.is_floating_point() else ()):
            free = size > max(int(tensor.max()), 2) and Axis(axes[other][place]).is_name
            if free and _picks(trials, name, tensor, other, place):
                yield axes[other][place]


def _picks(trials: Trials, name: str, tensor: Tensor, other: str, place: int) -> bool:
    """Whether the last two indices of an axis pick the entries that they name: another argument's gradient tells."""
    last = trials.tensors[other].shape[place] - 1
    one, two = (trials.gradients([other], **{name: torch.full_like(tensor, index)}) for index in (last, last - 1))
    if one is None or two is None:
        return False
    moved = (one[other] - two[other]).abs().movedim(place, 0).reshape(last + 1, -1).sum(1) > 0
    return bool(moved[-2:].all() and not moved[:-2].all())


def _stops_at(trials: Trials, name: str, tensor: Tensor, end: int) -> bool:
    """Whether one less than this is the largest value that is taken."""
    last = trials.call(**{name: torch.full_like(tensor, end - 1)})
    return last is not None and trials.call(**{name: torch.full_like(tensor, end)}) is None


def _bounds(
    arguments: list[tuple[str, ...]], results: list[tuple[str, ...]], known: Mapping[str, int]
) -> dict[str, int]:
    """The sizes of the axes of arguments and results, and of the products of the last axes of results, by their text."""
    single = [axis for axes in (*arguments, *results) for axis in axes]
    factors = [[axis if axis.replace("*", "").isalnum() else f"({axis})" for axis in axes] for axes in results]
    products = ["*".join(axes[-count:]) for axes in factors for count in range(2, len(axes) + 1)]
    return {text: Axis(text).size(known) for text in dict.fromkeys((*single, *products)) if Axis(text).names}
