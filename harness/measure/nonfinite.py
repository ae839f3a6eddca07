"""NaN, +inf and -inf: three values, and what a result has to be where arguments hold them.

An entry of the result depends on the non-finite inputs where the definition's entry changes as they are replaced by
finite numbers. Where it does not, the finite number is right; so is whatever else, where the definition's own is 0·NaN. Where it
does, the definition's value is right; but a NaN there may come from 0·NaN of another input, so each entry that is
contested is looked at once more with those inputs finite of which it does not depend; or from 0·inf, so what the definition
approaches as finite numbers grow in place of the infinities is right as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.declare.structure import RandomSource
from harness.errors import DefinitionFault, Unsupported
from harness.generate.case import Case
from harness.generate.memory import Memory
from harness.measure.arrays import Array
from harness.measure.clock import spending
from harness.measure.operators import Operators, spreading
from harness.measure.reference import ExpectedTensor, definition_of, reference, widened

Mask = NDArray[np.bool_]
Tensors = dict[str, Tensor]

_UNCHANGED = 1e-10
"""The share of a result's largest entry below which a change is rounding."""

_LARGE = 1e3
_GROWN = 2.0**20
"""How many times as large an entry becomes that tends to an infinity, as the inputs become 2^40 times as large."""

_MOST_LOOKED_AT = 64
"""Non-finite inputs, and sets of them, that are looked at one by one."""


@dataclass(frozen=True)
class NonfiniteReference:
    """What the definition makes of a case with non-finite inputs.

    given: its results; finite: the reference where those inputs are finite; depends: the entries that change with them;
    alone: what it gives where only those inputs are non-finite of which an entry depends, by result and flat index; limits:
    likewise what it approaches where infinities are large numbers.
    """

    given: list[Array]
    finite: tuple[ExpectedTensor, ...]
    depends: list[Mask]
    alone: Callable[[int, list[int]], dict[int, float]]
    limits: Callable[[int, list[int]], dict[int, float]]

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(each.nbytes for each in self.given) + sum(part.expected.nbytes for part in self.finite)

    def kinds(self, index: int, actual: Array, limit: float, defined: Array | None = None) -> Array:
        """What a result should be: `actual` itself where it is finite, NaN or infinite as it may be.

        limit: the largest number of the working precision, beyond which a finite number says nothing; defined: what the
        definition itself gives in that precision, to more than which nobody is held.
        """
        given, finite, depends = self.given[index], self.finite[index].expected, self.depends[index]
        with np.errstate(all="ignore"):
            right = _same_kind(actual, given) | (np.isfinite(given) & (np.abs(given) > limit))
            right |= False if defined is None else _same_kind(actual, defined)
            right |= ~depends & ~np.isfinite(given)  # zero, or what rounding leaves of it, times NaN or an infinity
        contested = np.flatnonzero(depends & np.isnan(given) & ~np.isnan(actual)).tolist()
        wanted = np.where(depends | np.isfinite(given), given, finite)
        for place, value in self.alone(index, contested).items() if contested else ():
            wanted.reshape(-1)[place] = value
        left = np.flatnonzero(depends & np.isnan(wanted) & ~np.isnan(actual)).tolist()
        for place, value in self.limits(index, left).items() if left else ():
            wanted.reshape(-1)[place] = value
        return np.where(right | _same_kind(actual, wanted), actual, wanted)

    def unaffected(self, index: int, actual: Array) -> tuple[Array, ExpectedTensor]:
        """A result and its reference where no non-finite input matters, nor makes the definition's own NaN; 0 elsewhere."""
        part, given = self.finite[index], self.given[index]
        told = ~self.depends[index] & np.isfinite(actual) & np.isfinite(given)
        return np.where(told, actual, 0.0), replace(part, expected=np.where(told, given, 0.0))


_memory: Memory[NonfiniteReference] = Memory(64 * 2**20)


def nonfinite_reference(case: Case) -> NonfiniteReference:
    """What the definition makes of a case with non-finite inputs, computed once.

    Raises Unsupported where the definition refuses them, or where the spread is a matter of its algorithm.
    """
    return _memory.recall((case.operation, case.key), lambda: _Definition(case).reference())


class _Definition:
    """The definition of a case, for questions about its non-finite inputs."""

    def __init__(self, case: Case) -> None:
        self._case, self._call = case, case.plain_call()
        self._inputs = {name: widened(tensor) for name, tensor in self._call.arguments.items()}
        self._evaluate = definition_of(case, self._call)

    @cached_property
    def _draws(self) -> list[Tensors]:
        """The inputs with finite numbers: of order 1, wide, all large, all very negative."""
        changes: tuple[Callable[[Tensor], Tensor], ...] = (
            lambda bell: bell,
            lambda bell: -bell * _LARGE**0.5 + 1,
            lambda bell: (bell.abs() + 1) * _LARGE,
            lambda bell: -(bell.abs() + 1) * _LARGE,
        )
        bells = {
            name: torch.from_numpy(RandomSource(tuple(tensor.shape), {}, self._case.seed, f"{name}, finite").normal())
            for name, tensor in self._inputs.items()
        }
        return [
            {
                name: self._in_domain(name, torch.where(tensor.isfinite(), tensor, change(bells[name])))
                if tensor.is_floating_point()
                else tensor
                for name, tensor in self._inputs.items()
            }
            for change in changes
        ]

    def _in_domain(self, name: str, tensor: Tensor) -> Tensor:
        """Finite numbers in the domain of an argument."""
        return torch.from_numpy(self._case.given[name].brought(tensor.numpy()))

    @cached_property
    def _places(self) -> list[tuple[str, int]]:
        """The non-finite inputs: argument and flat index."""
        return [
            (name, place)
            for name, tensor in self._inputs.items()
            if tensor.is_floating_point()
            for place in (~tensor.isfinite()).reshape(-1).nonzero().flatten().tolist()
        ]

    def reference(self) -> NonfiniteReference:
        """All of it."""
        with spending("oracle"), torch.no_grad():
            given = self._given()
            narrow = {name: tensor.to(self._call.arguments[name].dtype) for name, tensor in self._draws[0].items()}
            finite = reference(self._case, self._call.replace(**narrow)).parts
            depends = [np.zeros(each.shape, dtype=bool) for each in given]
            for changed in self._changes(self._draws[1:], self._values(self._draws[0])):
                depends = [one | other for one, other in zip(depends, changed, strict=True)]
        return NonfiniteReference(given, finite, depends, self._alone, self._limits)

    def _given(self) -> list[Array]:
        try:
            with Operators() as called:
                given = self._evaluate(self._inputs)
        except DefinitionFault as refusal:
            raise Unsupported(
                f"the definition refuses NaN and infinities: {refusal.__cause__}".splitlines()[0]
            ) from None
        if self._places and (reason := spreading(called.names)):
            raise Unsupported(reason)
        return given

    def _values(self, inputs: Tensors) -> list[Array]:
        try:
            return self._evaluate(inputs)
        except DefinitionFault:
            raise Unsupported("the definition has no answer beside the non-finite inputs of this case") from None

    def _changes(self, draws: list[Tensors], before: list[Array]) -> Iterator[list[Mask]]:
        """Which entries are others than before, for every draw that the definition takes."""
        for draw in draws:
            try:
                after = self._evaluate(draw)
            except DefinitionFault:
                continue
            yield [_changed(one, other) for one, other in zip(before, after, strict=True)]

    def _alone(self, index: int, entries: list[int]) -> dict[int, float]:
        """The entries of a result where only those inputs are non-finite of which each depends; none where there are many, or none."""
        places = self._places
        if not 0 < len(places) <= _MOST_LOOKED_AT:
            return {}
        with spending("oracle"), torch.no_grad():
            before = self._values(self._draws[0])
            depends = np.array([self._depends_on(place, index, before)[entries] for place in places])
            values: dict[int, float] = {}
            for which in np.unique(depends, axis=1).T[:_MOST_LOOKED_AT]:
                there = self._with([place for place, used in zip(places, which, strict=True) if used], self._inputs)
                found = self._values(there)[index].reshape(-1)
                of = np.flatnonzero((depends == which[:, None]).all(0))
                values |= {entries[each]: float(found[entries[each]]) for each in of}
        return values

    def _limits(self, index: int, entries: list[int]) -> dict[int, float]:
        """What entries come to as large numbers take the place of infinities, NaN staying where it is: a number, or an infinity."""
        near, far = (
            {name: _bounded(tensor, reach) for name, tensor in self._inputs.items()} for reach in (2.0**40, 2.0**80)
        )
        with spending("oracle"), torch.no_grad(), np.errstate(all="ignore"):
            one, other = (self._values(there)[index].reshape(-1)[entries] for there in (near, far))
            grown = np.abs(other) > _GROWN * np.maximum(np.abs(one), 1)
            told = np.where(grown & (one * other > 0), np.copysign(np.inf, other), one)
            settled = np.isinf(told) | (np.abs(one - other) <= _UNCHANGED * np.maximum(np.abs(one), 1))
        return {entry: float(value) for entry, value, known in zip(entries, told, settled, strict=True) if known}

    def _depends_on(self, place: tuple[str, int], index: int, before: list[Array]) -> Mask:
        """The entries of a result that change with one input, flat."""
        found = np.zeros(before[index].size, dtype=bool)
        for changed in self._changes([self._with([place], draw) for draw in self._draws[1:]], before):
            found |= changed[index].reshape(-1)
        return found

    def _with(self, places: list[tuple[str, int]], values: Tensors) -> Tensors:
        """The first finite draw with the values of another one at some places."""
        made = {name: tensor.clone() for name, tensor in self._draws[0].items()}
        for name, place in places:
            made[name].view(-1)[place] = values[name].reshape(-1)[place]
        return made


def _bounded(tensor: Tensor, reach: float) -> Tensor:
    """A tensor with numbers of this size in place of infinities."""
    return tensor.clamp(-reach, reach) if tensor.is_floating_point() else tensor


def _same_kind(one: Array, other: Array) -> Mask:
    """Where both are finite, both NaN, or the same infinity."""
    finite = np.isfinite(one) & np.isfinite(other)
    same: Mask = finite | (one == other) | (np.isnan(one) & np.isnan(other))
    return same


def _changed(before: Array, after: Array) -> Mask:
    """Where a result is another one, by more than rounding where it is rounded."""
    if before.dtype.kind not in "fc":
        other: Mask = before != after
        return other
    with np.errstate(all="ignore"):
        finite = [np.abs(each[np.isfinite(each)]).max(initial=0.0) for each in (before, after)]
        near = np.abs(before - after) <= _UNCHANGED * max(finite)
        changed: Mask = ~(near | (before == after) | (np.isnan(before) & np.isnan(after)))
    return changed
