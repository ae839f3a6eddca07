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
from harness.declare.constraint import Symmetric, symmetric
from harness.declare.domain import OwnDtype
from harness.declare.domains import among
from harness.declare.matrices import Matrices, positive_definite
from harness.declare.picks import Picks
from harness.declare.ranges import Range, positive, within
from harness.declare.structure import RandomSource
from harness.errors import DeclarationError
from harness.inference.declaration import Declaration
from harness.inference.example import Example, parts_of
from harness.inference.expressions import expressions
from harness.inference.groups import NUMBER, Group, Slot, groups_of
from harness.inference.integers import counts, few, integers_of

_NAMES = ("n", "m", "k", "p", "q", "r", "s", "t")
_FEW, _MANY = 4, 16
"""By how many lengths an axis is tried to tell the size of a result: a few, and many where these do not tell it."""

_FAR = (47, 60, 960)
"""How much longer it is tried as well where a result has a part of it: 5/3 of a size is 1.7 of it near the example alone."""

Domain = Range | Matrices

_DOMAINS: tuple[Domain, ...] = (positive, within(0, 1), positive_definite)
"""What is tried where not any numbers will do, the widest first."""

_LARGE = 100.0

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
        self._check()
        return self._told(groups_of(self))

    def of_these_sizes(self) -> Declaration:
        """The same where no axis varies, for a function of which nobody can tell how its results follow. Raises DeclarationError."""
        self._check()
        return self._told([])

    def _check(self) -> None:
        """Refuse what nothing can be told of, and learn which values are meant. Raises DeclarationError."""
        if not self.tensors:
            raise DeclarationError(
                f"{place_of(self.function)}: the example has no tensor of its own to tell a declaration from; declare it by hand"
            )
        if self.call() is None:
            raise DeclarationError(f"{place_of(self.function)}: it can't be called with the example: {self._failure}")
        self._kept = self._domains()

    def _told(self, groups: list[Group]) -> Declaration:
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
            {**self._kinds(), **self._kept, **self._symmetric(axes), **integers},
            self._sizes(groups, names, [each for each, _ in results]),
            self._is_differentiable(),
            tuple(self.notes),
            about={**self._own_dtypes(), **self._picks()},
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
    _kept: dict[str, Domain] = field(default_factory=dict)

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
                returned = self.example.call(self.function, _copies({**made, **values}))
        except Exception as failure:
            self._failure = f"{type(failure).__name__}: {failure}".splitlines()[0]
            return None
        parts = parts_of(returned)
        odd = next((part for part in parts if not isinstance(part, Tensor)), None)
        self._failure = "" if odd is None else f"its result is {type(odd).__name__}, and no tensor"
        return parts if odd is None else None

    def _filled(self, name: str, like: Tensor, shape: tuple[int, ...]) -> Tensor:
        """A tensor of a shape: the example's own where it has it, other floats, or integers drawn from the example's."""
        if tuple(like.shape) == shape and name not in self._kept:
            return like
        generator = torch.Generator().manual_seed(0)
        if _is_inexact(like):
            drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
            return (_brought(self._kept[name], drawn) if name in self._kept else drawn).to(like.dtype)
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

    def _sizes(
        self, groups: list[Group], names: list[str], results: list[tuple[str, ...]]
    ) -> dict[str, tuple[int, int]]:
        """Bounds for sizes that may not be as small as 1: from the least at which it works, and gives what it gives at others.

        Those of which a difference must leave something have a condition of their own.
        """
        differing = {name for axes in results for axis in axes if "-" in axis for name in Axis(axis).names}
        known = {name: group.size for group, name in zip(groups, names, strict=True)}
        works = partial(self._works_with, dict(zip(names, groups, strict=True)), results)
        least = {name: _least(works, known, name) for name in names if name not in differing}
        least |= _together(works, known | least, least)
        return {name: (size, 1025) for name, size in least.items() if size > 1}

    def _works_with(
        self, groups: Mapping[str, Group], results: list[tuple[str, ...]], sizes: Mapping[str, int]
    ) -> bool:
        """Whether the function gives what is expected for other sizes, with the first index of all that are indices."""
        slots = {slot: length for name, group in groups.items() for slot, length in group.lengths(sizes[name]).items()}
        first = {
            name: torch.zeros(self._shape(name, slots), dtype=each.dtype)
            for name, each in self.tensors.items()
            if counts(each)
        }
        parts = self.call(slots, **first)
        if parts is None:  # which may not be allowed to be all the same
            parts = self.call(slots)
        expected = [tuple(Axis(axis).size(sizes) for axis in axes) for axes in results]
        return parts is not None and [tuple(part.shape) for part in parts] == expected

    # Results

    def _results(self, groups: list[Group], names: list[str]) -> tuple[tuple[tuple[str, ...], torch.dtype], ...]:
        """The axes of each tensor of the result, as expressions of the arguments'."""
        self._check_sizes_of_values()
        try:
            return self._results_within(groups, names, _FEW)
        except DeclarationError:  # a stride of 16 is told by 16 trials
            return self._results_within(groups, names, _MANY)

    def _check_sizes_of_values(self) -> None:
        """Refuse a function whose result has as many entries as its arguments' values say. Raises DeclarationError."""
        shapes = [tuple(part.shape) for part in self.call() or ()]
        for name, tensor in self.tensors.items():
            parts = self.call(**{name: torch.zeros_like(tensor)})
            if parts is not None and [tuple(part.shape) for part in parts] != shapes:
                raise DeclarationError(
                    f"{place_of(self.function)}: how long its result is follows from the values of {name}, which no declaration can say"
                )

    def _results_within(
        self, groups: list[Group], names: list[str], reach: int
    ) -> tuple[tuple[tuple[str, ...], torch.dtype], ...]:
        """The same, by trials in which each size is longer by 1, 2, … up to the reach; much longer, where it is divided."""
        steps = {name: (*range(1, reach + 1), group.size + 1) for name, group in zip(names, groups, strict=True)}
        trials = [*self._other_sizes(groups, names, steps)]
        found = self._that_fit(names, trials)
        divided = {name for axes, _ in found for axis in axes if "//" in axis for name in Axis(axis).names}
        if not divided:
            return found
        far = {name: _FAR if name in divided else () for name in names}
        return self._that_fit(names, [*trials, *self._other_sizes(groups, names, far)])

    def _that_fit(
        self, names: list[str], trials: list[tuple[dict[str, int], list[Tensor]]]
    ) -> tuple[tuple[tuple[str, ...], torch.dtype], ...]:
        """The axes of each result that fit all trials, of which the first is of the example's sizes. Raises DeclarationError."""
        self._check_count(trials)
        first, found = trials[0][1], []
        for index, part in enumerate(first):
            every = [(known, tuple(parts[index].shape)) for known, parts in trials]
            axes = tuple(
                self._expression(names, [(known, shape[place]) for known, shape in every], index, place)
                for place in range(part.ndim)
            )
            found.append((axes, part.dtype))
        return tuple(found)

    def _check_count(self, trials: list[tuple[dict[str, int], list[Tensor]]]) -> None:
        """Refuse a function that gives another number of results for other sizes. Raises DeclarationError."""
        counts = {len(parts): known for known, parts in trials}
        if len(counts) > 1:
            told = " and ".join(f"{count} for {_said(known)}" for count, known in sorted(counts.items())[:2])
            raise DeclarationError(
                f"{place_of(self.function)}: the number of its results is {told}; declare it by hand"
            )

    def _other_sizes(
        self, groups: list[Group], names: list[str], steps: Mapping[str, Collection[int]]
    ) -> Iterator[tuple[dict[str, int], list[Tensor]]]:
        """Sizes by name, and what the function gives there; steps: by how much each is longer, alone."""
        of = dict(zip(names, groups, strict=True))
        moves = [dict.fromkeys(names, 0)]
        moves += [{**dict.fromkeys(names, 0), name: more} for name in names for more in dict.fromkeys(steps[name])]
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
        moved = {name: length for name, length in other.items() if length != known[name]}
        raise DeclarationError(
            f"{place_of(self.function)}: axis {place} of result {index} is {size} long for {_said(known)}, and {another} for "
            f"{_said(moved)}, and no plain expression says so; declare the operation by hand"
        )

    # Values

    def _domains(self) -> dict[str, Domain]:
        """The float arguments for which any numbers will not do, and the first domain that holds the example's and does."""
        found: dict[str, Domain] = {}
        for name, tensor in self.tensors.items():
            inside = [each for each in _DOMAINS if tensor.is_floating_point() and _admits(each, tensor)]
            drawn = torch.randn(tensor.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
            drawn = torch.where(torch.arange(drawn.numel()).reshape(drawn.shape) % 2 == 0, -drawn.abs(), drawn)
            if inside and not self._is_finite(name, drawn.to(tensor.dtype)):
                kept = next((each for each in inside if self._will_do(name, each, drawn)), None)
                found |= {} if kept is None else {name: kept}
        return found

    def _will_do(self, name: str, domain: Domain, drawn: Tensor) -> bool:
        """Whether numbers of a domain will do, small and large."""
        return all(
            self._is_finite(name, _brought(domain, each).to(self.tensors[name].dtype))
            for each in (drawn, _LARGE * drawn)
        )

    def _symmetric(self, axes: Mapping[str, tuple[str, ...]]) -> dict[str, Symmetric]:
        """The square matrices that are symmetric in the example, and of which one triangle alone is read."""
        square = [
            name for name, each in axes.items() if len(each) > 1 and each[-1] == each[-2] and name not in self._kept
        ]
        floats = {name: self.tensors[name] for name in square if self.tensors[name].is_floating_point()}
        told = {name: each for name, each in floats.items() if each.shape[-1] > 1 and _alike(each, each.mT)}
        return {name: symmetric for name, each in told.items() if self._reads_one_triangle(name, each)}

    def _reads_one_triangle(self, name: str, matrices: Tensor) -> bool:
        """Whether the result is the same whatever stands above the diagonal, or below it."""
        before, ones = self.call(**{name: matrices}) or [], torch.ones_like(matrices)
        others = (self.call(**{name: matrices + part}) for part in (ones.triu(1), ones.tril(-1)))
        return any(parts is not None and all(map(_alike, before, parts)) for parts in others)

    def _kinds(self) -> dict[str, among]:
        """The float arguments that hold a few whole numbers alone."""
        told = {name: few(tensor) for name, tensor in self.tensors.items() if tensor.is_floating_point()}
        return {name: kinds for name, kinds in told.items() if kinds is not None}

    def _own_dtypes(self) -> dict[int, OwnDtype]:
        """The results whose dtype is the same whatever the arguments' is, as where an option names it."""
        made = [
            self.call(**{name: _in_precision(tensor, dtype) for name, tensor in self.tensors.items()})
            for dtype in (torch.float32, torch.float64)
        ]
        if any(parts is None for parts in made):
            return {}
        pairs = enumerate(zip(*(parts or () for parts in made), strict=True))
        own = {place: one.dtype for place, (one, other) in pairs if _is_inexact(one) and one.dtype == other.dtype}
        return {place: OwnDtype(str(dtype).removeprefix("torch.")) for place, dtype in own.items()}

    def _picks(self) -> dict[int, Picks]:
        """The results that are indices of entries of an argument, of which any will do among equal ones."""
        parts = self.call(**self.tensors) or []
        indices = {place: part for place, part in enumerate(parts) if part.dtype is torch.int64 and part.numel() > 1}
        found: dict[int, Picks] = {}
        for place, part in indices.items():
            others = [each for each in parts if each.is_floating_point() and each.shape == part.shape]
            told = next((each for each in self._picking(part) if self._are_told(each, part, others)), None)
            if told is not None:
                found[place] = told
        return found

    def _picking(self, indices: Tensor) -> Iterator[Picks]:
        """The arguments and axes of which a result could be indices, by their shapes."""
        for name, tensor in self.tensors.items():
            for axis, size in enumerate(tensor.shape if tensor.is_floating_point() else ()):
                others = tensor.shape[:axis] + tensor.shape[axis + 1 :]
                has_axis = indices.ndim == tensor.ndim and indices.shape[:axis] + indices.shape[axis + 1 :] == others
                if (has_axis or indices.shape == others) and size > 1:
                    yield Picks(name, axis - tensor.ndim)

    def _are_told(self, picks: Picks, indices: Tensor, others: list[Tensor]) -> bool:
        """Whether what is picked is a result as well, or the largest, the smallest, or all in order."""
        source = self.tensors[picks.argument]
        picked = picks.picked(indices, self.tensors)
        ordered = (source.sort(picks.axis, descending=down).values for down in (False, True))
        ends = (end(picks.axis, keepdim=indices.ndim == source.ndim) for end in (source.amax, source.amin))
        return any(each.shape == picked.shape and torch.equal(each, picked) for each in (*others, *ordered, *ends))

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
            for name, tensor in _copies({**self.tensors, **values}).items()
        }
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                returned = self.example.call(self.function, wide)
            sum(part.abs().sum() for part in parts_of(returned) if part.requires_grad).backward()
        except Exception:
            return None
        return {name: torch.zeros_like(wide[name]) if (found := wide[name].grad) is None else found for name in names}


def _copies(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values, that a function may write to."""
    return {name: each.clone() if isinstance(each, Tensor) else each for name, each in values.items()}


def _admits(domain: Domain, example: Tensor) -> bool:
    """Whether an example's numbers lie in a domain."""
    if isinstance(domain, Range):
        return domain.admits(example.numpy())
    if example.ndim < 2 or example.shape[-1] != example.shape[-2]:
        return False
    return bool((torch.linalg.cholesky_ex(example).info == 0).all())


def _is_inexact(tensor: Tensor) -> bool:
    """Whether its numbers are rounded: real ones, and complex ones."""
    return tensor.is_floating_point() or tensor.is_complex()


def _in_precision(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """A tensor with its numbers, where they are rounded, in a working precision."""
    return tensor.to(dtype.to_complex() if tensor.is_complex() else dtype) if _is_inexact(tensor) else tensor


def _brought(domain: Domain, drawn: Tensor) -> Tensor:
    """Numbers brought into a domain; in one of matrices, others of the same shape."""
    if isinstance(domain, Range):
        return torch.from_numpy(domain.brought(drawn.numpy()))
    if drawn.shape[-1] != drawn.shape[-2]:  # at other sizes, which the function will refuse
        return drawn
    return torch.from_numpy(domain(RandomSource(tuple(drawn.shape), {}, 0, "")))


def _alike(one: Tensor, other: Tensor) -> bool:
    """Whether two results are the same but for rounding, by the largest entry of the first."""
    if one.shape != other.shape:
        return False
    if not _is_inexact(one):
        return torch.equal(one, other)
    size = float(one.abs().nan_to_num(0).max()) if one.numel() else 0.0
    return torch.allclose(one, other, rtol=_ROUNDING, atol=_ROUNDING * size, equal_nan=True)


def _least(works: Callable[[Mapping[str, int]], bool], known: Mapping[str, int], name: str) -> int:
    """The size from which on something works, all others being what is known."""
    return 1 + bisect_left(range(1, known[name]), True, key=lambda size: works({**known, name: size}))


def _together(
    works: Callable[[Mapping[str, int]], bool], smallest: Mapping[str, int], least: Mapping[str, int]
) -> dict[str, int]:
    """What one size has to be for all to be as small as can be: of two rows or two columns one is enough."""
    if works(smallest):
        return {}
    longer = ({name: least[name] + more} for more in (1, 2, 3) for name in reversed([*least]))
    return next((each for each in longer if works({**smallest, **each})), {})


def _said(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {size}" for name, size in sizes.items())


def _times(step: int, name: str) -> str:
    return name if step == 1 else f"{step}*{name}"
