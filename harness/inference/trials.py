"""Trials: calls of a function with arguments like those of an example, but of other sizes and values."""

from __future__ import annotations

import warnings
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from harness.declare.axes import Axis
from harness.declare.callables import place_of
from harness.declare.domains import among
from harness.declare.ranges import Range, positive, within
from harness.errors import DeclarationError
from harness.inference.declaration import Declaration
from harness.inference.example import Example
from harness.inference.expressions import expressions
from harness.inference.groups import NUMBER, Group, Slot, groups_of
from harness.inference.integers import counts, few, integers_of

_NAMES = ("n", "m", "k", "p", "q", "r", "s", "t")
_FEW, _MANY = 4, 16
"""By how many lengths an axis is tried to tell the size of a result: a few, and many where these do not tell it."""

_ROUNDING = 1e-3
"""The share of a result that another kernel for another number of samples may change, in any dtype of an example."""


@dataclass
class Trials:
    """What calls of a function tell. example: the arguments of the first of them."""

    function: Callable[..., Any]
    example: Example
    notes: list[str] = field(default_factory=list)

    def declaration(self) -> Declaration:
        """All that can be told. Raises DeclarationError."""
        if not self.tensors:
            raise DeclarationError(
                f"{place_of(self.function)}: the example has no tensor of its own to tell a declaration from; declare it by hand"
            )
        if self.call() is None:
            raise DeclarationError(f"{place_of(self.function)}: it can't be called with the example: {self._failure}")
        self._ranges = self._domains()
        groups = groups_of(self)
        names = self._names(groups)
        axes = self._axes(groups, names)
        results = self._results(groups, names)
        known = {name: group.size for group, name in zip(groups, names, strict=True)}
        integers = integers_of(self, axes, [each for each, _ in results], known)
        self._note_chance()
        return Declaration(
            self.function,
            self.example,
            axes,
            results,
            dict(self._numbers(groups)),
            {**self._kinds(), **self._ranges, **integers},
            self._sizes(
                groups,
                names,
                {name for each, _ in results for axis in each if "-" in axis for name in Axis(axis).names},
            ),
            self._is_differentiable(),
            tuple(self.notes),
        )

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Those of the example, by name."""
        return self.example.tensors

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Theirs."""
        return {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}

    _failure: str = ""
    _ranges: dict[str, Range] = field(default_factory=dict)

    def call(self, sizes: Mapping[Slot, int] | None = None, /, **values: Tensor) -> list[Tensor] | None:
        """What the function gives where some sizes are others, with some tensors given; None where it raises."""
        sizes = sizes or {}
        made: dict[str, Any] = {
            name: self._filled(name, each, self._shape(name, sizes)) for name, each in self.tensors.items()
        }
        made |= {name: size for (name, place), size in sizes.items() if place == NUMBER}
        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                returned = self.function(*self.example.filled({**made, **values}).values())
        except Exception as failure:
            self._failure = f"{type(failure).__name__}: {failure}".splitlines()[0]
            return None
        parts = list(returned) if isinstance(returned, tuple | list) else [returned]
        odd = next((part for part in parts if not isinstance(part, Tensor)), None)
        self._failure = "" if odd is None else f"its result is {type(odd).__name__}, and no tensor"
        return parts if odd is None else None

    def _filled(self, name: str, like: Tensor, shape: tuple[int, ...]) -> Tensor:
        """A tensor of a shape: the example's own where it has it, other floats, or integers drawn from the example's."""
        if tuple(like.shape) == shape and name not in self._ranges:
            return like
        generator = torch.Generator().manual_seed(0)
        if like.is_floating_point() or like.is_complex():
            drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
            kept = self._ranges.get(name)
            return (drawn if kept is None else torch.from_numpy(kept.brought(drawn.numpy()))).to(like.dtype)
        flat = like.reshape(-1)
        if not flat.numel():
            return torch.zeros(shape, dtype=like.dtype)
        return flat[torch.randint(0, flat.numel(), shape, generator=generator)]

    # Axes

    def _shape(self, name: str, sizes: Mapping[Slot, int]) -> tuple[int, ...]:
        return tuple(sizes.get((name, place), size) for place, size in enumerate(self.shapes[name]))

    def _names(self, groups: list[Group]) -> list[str]:
        """What the groups are called: batch where samples are independent, d for the last axis of the first argument."""
        free, names = iter(_NAMES), []
        first, shape = next(iter(self.shapes.items()))
        for group in groups:
            if "batch" not in names and group.plain and self._is_batch(group):
                names.append("batch")
            elif (first, len(shape) - 1) in group.multiples:
                names.append("d")
            else:
                names.append(next(free, f"n{len(names)}"))
        return names

    def _is_batch(self, group: Group) -> bool:
        """Whether the axis is the first one wherever it is, and samples in another order, or one alone, give the same."""
        if any(place > 0 for _, place in group.multiples):
            return False
        order = torch.arange(group.size).flip(0)
        before = self.call(**self.tensors)
        if before is None or any(not part.ndim or len(part) != group.size for part in before):
            return False
        turned = self.call(**self._changed(group, lambda tensor: tensor[order]))
        if turned is None or not all(map(_alike, (part[order] for part in before), turned)):
            return False  # one sample alone would leave less of a table than indices ask for
        one = {slot: 1 for slot in group.multiples if slot[1] == NUMBER}
        alone = self.call(one, **self._changed(group, lambda tensor: tensor[:1]))
        return alone is not None and all(map(_alike, (part[:1] for part in before), alone))

    def _changed(self, group: Group, change: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """The example's tensors, those that have the axis first changed along it."""
        names = {name for name, place in group.multiples if place != NUMBER}
        return {name: change(tensor) if name in names else tensor for name, tensor in self.tensors.items()}

    def _axes(self, groups: list[Group], names: list[str]) -> dict[str, tuple[str, ...]]:
        of = {
            slot: _times(multiple, name)
            for group, name in zip(groups, names, strict=True)
            for slot, multiple in group.multiples.items()
        }
        fixed = [
            f"{name}'s axis {place} is always {size}"
            for name, shape in self.shapes.items()
            for place, size in enumerate(shape)
            if (name, place) not in of
        ]
        self.notes += fixed
        return {
            name: tuple(of.get((name, place), str(size)) for place, size in enumerate(shape))
            for name, shape in self.shapes.items()
        }

    def _numbers(self, groups: list[Group]) -> Iterator[tuple[str, Slot]]:
        """The numbers that are sizes, each with an axis that has the same."""
        for group in groups:
            axes = {multiple: slot for slot, multiple in reversed([*group.multiples.items()]) if slot[1] != NUMBER}
            yield from (
                (name, axes[multiple]) for (name, place), multiple in group.multiples.items() if place == NUMBER
            )

    def _sizes(self, groups: list[Group], names: list[str], differing: Collection[str]) -> dict[str, tuple[int, int]]:
        """Bounds for sizes that may not be as small as 1: from the least that was found to work.

        differing: those that a difference must leave something of, which is a condition of its own.
        """
        bounds = {}
        for group, name in zip(groups, names, strict=True):
            if name in differing:
                continue
            least = 1 + bisect_left(range(1, group.size), True, key=partial(self._works_with, group))
            if least > 1:
                bounds[name] = (least, 1025)
        return bounds

    def _works_with(self, group: Group, size: int) -> bool:
        """Whether the function can be called with another size, and the first index of all that are indices."""
        sizes = group.lengths(size)
        first = {
            name: torch.zeros(self._shape(name, sizes), dtype=each.dtype)
            for name, each in self.tensors.items()
            if counts(each)
        }
        return self.call(sizes, **first) is not None or self.call(sizes) is not None

    # Results

    def _results(self, groups: list[Group], names: list[str]) -> tuple[tuple[tuple[str, ...], torch.dtype], ...]:
        """The axes of each tensor of the result, as expressions of the arguments'."""
        try:
            return self._results_within(groups, names, _FEW)
        except DeclarationError:  # a stride of 16 is told by 16 trials
            return self._results_within(groups, names, _MANY)

    def _results_within(
        self, groups: list[Group], names: list[str], reach: int
    ) -> tuple[tuple[tuple[str, ...], torch.dtype], ...]:
        """The same, by trials in which each size is longer by 1, 2, … up to the reach."""
        trials = [*self._other_sizes(groups, names, reach)]
        first = trials[0][1]
        found = []
        for index, part in enumerate(first):
            every = [(known, tuple(parts[index].shape)) for known, parts in trials]
            axes = tuple(
                self._expression(names, [(known, shape[place]) for known, shape in every], index, place)
                for place in range(part.ndim)
            )
            found.append((axes, part.dtype))
        return tuple(found)

    def _other_sizes(
        self, groups: list[Group], names: list[str], reach: int
    ) -> Iterator[tuple[dict[str, int], list[Tensor]]]:
        """Sizes by name, and what the function gives there."""
        of = dict(zip(names, groups, strict=True))
        moves = [dict.fromkeys(names, 0)]
        steps = {name: dict.fromkeys((*range(1, reach + 1), of[name].size + 1)) for name in names}
        moves += [{**dict.fromkeys(names, 0), name: more} for name in names for more in steps[name]]
        moves += [{name: 1 + place % 2 for place, name in enumerate(names)}]
        for move in moves:
            known = {name: group.size + move[name] for name, group in of.items()}
            slots = {slot: length for name, group in of.items() for slot, length in group.lengths(known[name]).items()}
            parts = self.call(slots)
            if parts is not None:
                yield known, parts

    def _expression(self, names: list[str], told: list[tuple[dict[str, int], int]], index: int, place: int) -> str:
        """The plainest expression that gives an axis' size in every trial. Raises DeclarationError where there is none."""
        for text in expressions(names, told):
            if all(Axis(text).size(known) == size for known, size in told):
                return text
        (known, size), *others = told
        other, another = next((each for each in others if each[1] != size), others[0])
        moved = (
            ", ".join(f"{name} {known[name]}" for name in names),
            ", ".join(f"{name} {other[name]}" for name in names if other[name] != known[name]),
        )
        raise DeclarationError(
            f"{place_of(self.function)}: axis {place} of result {index} is {size} long for {moved[0]}, and {another} for "
            f"{moved[1]}, and no plain expression says so; declare the operation by hand"
        )

    # Values

    def _domains(self) -> dict[str, Range]:
        """The float arguments that have to be positive, or between 0 and 1, for the result to be finite."""
        found: dict[str, Range] = {}
        for name, tensor in self.tensors.items():
            inside = [
                each for each in (within(0, 1), positive) if tensor.is_floating_point() and each.admits(tensor.numpy())
            ]
            drawn = torch.randn(tensor.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
            drawn = torch.where(torch.arange(drawn.numel()).reshape(drawn.shape) % 2 == 0, -drawn.abs(), drawn)
            if not inside or self._is_finite(name, drawn.to(tensor.dtype)):
                continue
            for each in (positive, within(0, 1)):
                if each in inside and self._is_finite(
                    name, torch.from_numpy(each.brought(drawn.numpy())).to(tensor.dtype)
                ):
                    found[name] = each
                    break
        return found

    def _kinds(self) -> dict[str, among]:
        """The float arguments that hold a few whole numbers alone."""
        told = {name: few(tensor) for name, tensor in self.tensors.items() if tensor.is_floating_point()}
        return {name: kinds for name, kinds in told.items() if kinds is not None}

    def _note_chance(self) -> None:
        one, other = (self.call(**self.tensors) for _ in range(2))
        if one and other and not all(map(_alike, one, other)):
            self.notes.append("it gives something else at each call")

    def _is_finite(self, name: str, values: Tensor) -> bool:
        parts = self.call(**{name: values})
        return parts is not None and all(bool(part.isfinite().all()) for part in parts)

    def _is_differentiable(self) -> bool:
        """Whether autograd reaches through it from every float argument; said where it does from some alone."""
        floats = [name for name, tensor in self.tensors.items() if tensor.is_floating_point()]
        if self.gradients(floats) is not None:
            return True
        alone = [name for name in floats if len(floats) > 1 and self.gradients([name]) is not None]
        if alone:
            self.notes.append(f"differentiable in {' and in '.join(alone)} alone, so that no gradient is asked")
        return False

    def gradients(self, names: Collection[str], /, **values: Tensor) -> dict[str, Tensor] | None:
        """The gradients in some arguments of what comes out, in float64, with some tensors given; None where autograd does not reach all."""
        wide = {
            name: tensor.detach().double().requires_grad_(name in names) if tensor.is_floating_point() else tensor
            for name, tensor in {**self.tensors, **values}.items()
        }
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                returned = self.function(*self.example.filled(wide).values())
            parts = returned if isinstance(returned, tuple | list) else (returned,)
            sum(part.abs().sum() for part in parts if part.requires_grad).backward()
        except Exception:
            return None
        return {name: torch.zeros_like(wide[name]) if (found := wide[name].grad) is None else found for name in names}


def _alike(one: Tensor, other: Tensor) -> bool:
    """Whether two results are the same but for rounding, by the largest entry of the first."""
    if one.shape != other.shape:
        return False
    size = float(one.abs().nan_to_num(0).max()) if one.numel() and one.dtype is not torch.bool else 0.0
    return torch.allclose(one, other, rtol=_ROUNDING, atol=_ROUNDING * size, equal_nan=True)


def _times(step: int, name: str) -> str:
    return name if step == 1 else f"{step}*{name}"
