"""Perturbation: arguments with every float entry moved by about one rounding, in several directions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.declare.structure import PERIOD
from harness.generate.case import Call, Case
from harness.measure.arrays import Array

DIRECTIONS = 4
"""Random directions; the opposite of the first is another one."""

_MOVED_AT_ONCE = 2**22
"""Entries of all arguments up to which they are moved in all directions at once."""

_Drawn = Callable[[tuple[int, ...]], NDArray[np.float64]]
"""Gives for a tensor's shape one or several directions along the first axis."""

_FINEST_STEP = 2.0**-40
"""The smallest part of itself by which an entry is moved: less would drown in the oracle's own rounding."""


def step_of(case: Case) -> tuple[float, float]:
    """The relative step by which inputs are moved, and what scales its effect back to one eps."""
    eps = case.precision.eps
    step = max(eps, _FINEST_STEP)
    return step, eps / step


def perturbed(
    case: Case, arguments: dict[str, Tensor], step: float, sizes: dict[str, Array] | None = None
) -> Iterator[dict[str, Tensor]]:
    """The arguments with every float entry moved by about one step: in random directions, and back along the first.

    sizes: of what a step is one of, entry by entry; of each entry itself where nobody says. The numbers of a large model are
    moved in one direction after another, as its memory could not hold all.
    """
    floats = {name: tensor for name, tensor in arguments.items() if _is_moved(tensor)}
    reach = {name: _reach(case, name, tensor, step, sizes) for name, tensor in floats.items()}
    for drawn in _drawn_directions(case.seed, sum(map(Tensor.numel, floats.values()))):
        moved = {
            name: _in_domain(case, name, _moved(tensor, drawn, reach[name])).unbind() for name, tensor in floats.items()
        }
        yield from (arguments | dict(zip(moved, each, strict=True)) for each in zip(*moved.values(), strict=True))


def _reach(case: Case, name: str, tensor: Tensor, step: float, sizes: Mapping[str, Array] | None) -> Array:
    """How far each entry of an argument is moved."""
    precision = torch.finfo(case.precision.dtype)
    tiny = precision.smallest_normal * precision.eps
    if case.dtype == "float64":
        tiny *= 64  # the oracle holds no fraction of the smallest number, and a zero would mostly stay one
    with np.errstate(all="ignore"):
        reach = np.abs(tensor.numpy()) if sizes is None else sizes[name].copy()
        reach *= step * _own_eps(case, name) / case.precision.eps
        reach += tiny
        return reach


def _moved(tensor: Tensor, drawn: _Drawn, reach: Array) -> Tensor:
    """A tensor moved along each of the directions that are drawn for it, a complex one in the plane."""
    values = tensor.numpy()
    way = drawn(values.shape)
    if tensor.is_complex():
        way = way + 1j * drawn(values.shape)
    with np.errstate(all="ignore"):
        there = way * reach
        there += values  # in place: these are several times as many numbers as a model has
    return torch.from_numpy(there)


def _is_moved(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _own_eps(case: Case, name: str) -> float:
    """The part of itself by which an argument is moved: the working precision's eps, or that of a finer dtype of its own.

    One of a coarser dtype is given exactly, and whoever computes with it rounds in the working precision.
    """
    domain = case.operation.tensors.get(name)
    own = torch.finfo(getattr(torch, domain.dtype)).eps if domain is not None and domain.dtype else case.precision.eps
    return min(own, case.precision.eps)


def _in_domain(case: Case, name: str, moved: Tensor) -> Tensor:
    """Moved entries, those that have left the argument's domain put back."""
    domain = case.operation.tensors.get(name)
    return moved if domain is None else domain.kept(moved)


def _drawn_directions(seed: int, entries: int) -> Iterator[_Drawn]:
    """Some directions for arguments of so many entries, and the opposite of the first, as many at a time as memory holds.

    Of mean 0 and variance 1. Not signs: two entries moved alike would hide their difference.
    """
    generator = torch.Generator().manual_seed(seed)
    if entries <= _MOVED_AT_ONCE:
        yield lambda shape: _there_and_back(_uniform((DIRECTIONS, *shape), generator))
        return
    for _ in range(DIRECTIONS):
        yield _Repeating(_uniform((PERIOD,), generator))
    yield _Repeating(-_uniform((PERIOD,), generator.manual_seed(seed)))


def _uniform(shape: tuple[int, ...], generator: torch.Generator) -> NDArray[np.float64]:
    ways = np.empty(shape)
    torch.rand(shape, generator=generator, dtype=torch.float64, out=torch.from_numpy(ways))
    ways -= 0.5
    ways *= 12**0.5
    return ways


def _there_and_back(ways: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([ways, -ways[:1]])


class _Repeating:
    """Numbers that begin anew after the last one, for one tensor after another."""

    def __init__(self, numbers: NDArray[np.float64]) -> None:
        self._numbers, self._next = numbers, 0

    def __call__(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """The next ones in this shape, behind an axis of one direction."""
        first, last = self._next, self._next + math.prod(shape)
        self._next = last % self._numbers.size
        turns, rest = divmod(last, self._numbers.size)
        if not turns:
            return self._numbers[first:last].reshape(1, *shape)
        pieces = (self._numbers[first:], *[self._numbers] * (turns - 1), self._numbers[:rest])
        return np.concatenate(pieces).reshape(1, *shape)


def largest(case: Case, call: Call, name: str, tensor: Tensor) -> Array:
    """The largest magnitude in a tensor, in each sample where it has them, in the tensor's shape."""
    domain = case.operation.tensors.get(name)
    axis = domain.batch_axis(call.options) if domain is not None else None
    values = np.abs(tensor.numpy())
    others = tuple(each for each in range(values.ndim) if each != axis)
    return np.broadcast_to(values.max(others, keepdims=True, initial=0), values.shape)
