"""Arguments that are not used as they are meant: left out, counted twice, exchanged, used in another's place."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from harness.declare.axes import Axis
from harness.explain.cause import Instead, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Call
from harness.verify.subject import sizes_of


@dataclass(frozen=True)
class Place:
    """An axis of a tensor: where it stands, and its text, by which it is found where options put it elsewhere."""

    position: int
    text: str

    def among(self, axes: tuple[Axis, ...]) -> int | None:
        """Its position among axes, None where it is not there."""
        texts = [axis.text for axis in axes]
        if self.position < len(texts) and texts[self.position] == self.text:
            return self.position
        return texts.index(self.text) if self.text in texts else None


def placed(how: tuple[Any, ...], axes: tuple[Axis, ...]) -> tuple[Any, ...] | None:
    """Parameters of a change with every Place resolved; None where one is not there."""
    found = [each.among(axes) if isinstance(each, Place) else each for each in how]
    return None if any(each is None for each in found) else tuple(found)


def with_argument(name: str, change: Callable[..., Tensor | None], *how: Any) -> Callable[[Call], Call | None]:
    """The change of a call that changes one argument: to `change(tensor, *how)`, Places being axes of it."""

    def changed(call: Call) -> Call | None:
        found = placed(how, call.given[name].axes(call.options))
        made = None if found is None else change(call.arguments[name], *found)
        return None if made is None else call.replace(**{name: made})

    return changed


@cause
def ignored(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """An argument is not used."""
    for name in fault.floats:
        yield Instead(f"{name} is ignored", with_argument(name, torch.zeros_like))


@cause
def taken_for_a_constant(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A constant stands where an argument should."""
    for name, constant in itertools.product(fault.floats, _CONSTANTS):
        yield Instead(f"{name} is taken to be {constant:g}", with_argument(name, torch.full_like, constant))


_CONSTANTS = (1.0, 0.5, -1.0, 2.0)


@cause
def counted_twice(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """An argument is added, or multiplied by, twice."""
    for name in fault.floats:
        yield Instead(f"{name} is counted twice", with_argument(name, torch.mul, 2))


@cause
def negated(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """An argument has the other sign."""
    for name in fault.floats:
        yield Instead(f"{name} has the wrong sign", with_argument(name, torch.neg))


@cause
def exchanged_arguments(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """Two arguments of equal shape stand in each other's place."""
    for first, second in itertools.combinations(fault.numbers, 2):
        if not fault.alike(first, second):
            continue

        def exchanged(call: Call, first: str = first, second: str = second) -> Call | None:
            one, other = call.arguments[first], call.arguments[second]
            return call.replace(**{first: other, second: one}) if one.shape == other.shape else None

        yield Instead(f"{first} and {second} are exchanged", exchanged)


@cause
def used_for_another(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """One argument is used where another of equal shape is meant."""
    for name, taken in itertools.permutations(fault.numbers, 2):
        if not fault.alike(name, taken):
            continue

        def instead(call: Call, name: str = name, taken: str = taken) -> Call | None:
            tensor = call.arguments[taken]
            return call.replace(**{name: tensor}) if tensor.shape == call.arguments[name].shape else None

        yield Instead(f"{taken} is used where {name} is meant", instead)


@cause
def misplaced(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """An argument, or a block of it, is added where another argument of equal shape is."""
    tensors = fault.case.given
    for source, target in itertools.permutations(fault.floats, 2):
        if tensors[source].default_axes != tensors[target].default_axes:
            continue
        yield Instead(f"{source} is added where {target} is", _moved(source, target, None))
        for block in range(4):
            yield Instead(
                f"block {block} of {source} is added where that of {target} is", _moved(source, target, block)
            )


def _moved(source: str, target: str, block: int | None) -> Callable[[Call], Call | None]:
    def moved(call: Call) -> Call | None:
        given, taking = call.arguments[source].clone(), call.arguments[target].clone()
        if given.shape != taking.shape or not given.ndim:
            return None
        if block is None:
            return call.replace(**{source: torch.zeros_like(given), target: taking + given})
        count = call.given[source].axes(call.options)[-1].factors(sizes_of(call))[0]
        if not block < count <= 4 or given.shape[-1] % count:
            return None
        part = given.reshape(*given.shape[:-1], count, -1)
        taking.reshape(part.shape)[..., block, :] += part[..., block, :]
        part[..., block, :] = 0
        return call.replace(**{source: part.reshape(given.shape), target: taking})

    return moved


@cause
def scaled_by_a_size(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """An argument is multiplied or divided by a size, as when a sum stands for a mean."""
    for name, size in itertools.product(fault.floats, fault.case.sizes):
        yield Instead(
            f"{name} is multiplied by the size of {size}, as by a sum in place of a mean", _times(name, size, 1)
        )
        yield Instead(
            f"{name} is divided by the size of {size}, as by a mean in place of a sum", _times(name, size, -1)
        )


def _times(name: str, size: str, power: int) -> Callable[[Call], Call | None]:
    def changed(call: Call) -> Call | None:
        number = sizes_of(call).get(size)
        return call.replace(**{name: call.arguments[name] * float(number) ** power}) if number else None

    return changed


@cause
def one_slice_for_all(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """Along an axis, one slice of an argument, or of all that have the axis, is used in place of every other."""
    tensors, options = fault.case.given, fault.case.options
    for name in fault.numbers:
        for position, axis in enumerate(tensors[name].axes(options)):
            for place, which in _ENDS:
                change = with_argument(name, _spread, Place(position, axis.text), place)
                yield Instead(f"the {which} slice of {name} along {axis.text} is used for all", change)
    for axis in dict.fromkeys(axis for name in fault.floats for axis in tensors[name].axes(options)):
        for place, which in _ENDS:
            words = f"the {which} slice of every argument along {axis.text} is used for all"
            yield Instead(words, partial(_all_spread, text=axis.text, place=place))


_ENDS = ((0, "first"), (-1, "last"))


def _all_spread(call: Call, text: str, place: int) -> Call | None:
    changed = {}
    for name, domain in call.given.items():
        position = domain.axis_of(text, call.options)
        if position is not None and domain.kind == "float":
            changed[name] = _spread(call.arguments[name], position, place)
    made = {name: tensor for name, tensor in changed.items() if tensor is not None}
    return call.replace(**made) if made else None


def _spread(tensor: Tensor, position: int, place: int) -> Tensor | None:
    if position >= tensor.ndim or not tensor.shape[position]:
        return None
    return tensor.select(position, place).unsqueeze(position).expand(tensor.shape).contiguous()


_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "the square of {}": torch.square,
    "the square root of {}": lambda tensor: tensor.abs().sqrt(),
    "the inverse of {}": torch.reciprocal,
    "half of {}": lambda tensor: tensor / 2,
    "the exponential of {}": torch.exp,
    "the logarithm of {}": lambda tensor: tensor.abs().log(),
    "the size of {} without its sign": torch.abs,
    "1 - {}": lambda tensor: 1 - tensor,
    "the logistic of {}": torch.sigmoid,
    "the log-odds of {}": lambda tensor: torch.log(tensor / (1 - tensor)),
    "the hyperbolic tangent of {}": torch.tanh,
}


@cause
def another_function_of_it(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A function of an argument is used in its place: a variance for a deviation, a logarithm for what it is of."""
    for name, (words, function) in itertools.product(fault.numbers, _FUNCTIONS.items()):
        yield Instead(
            f"{words.format(name)} is used where {name} is meant", with_argument(name, partial(_of_its_kind, function))
        )


def _of_its_kind(function: Callable[[Tensor], Tensor], tensor: Tensor) -> Tensor | None:
    """What a function makes of a tensor; nothing where whole numbers are none any more."""
    made = function(tensor)
    return made if made.dtype is tensor.dtype else None
