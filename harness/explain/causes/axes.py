"""Axes that are taken for one another, walked backwards, or walked from another place."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from harness.declare.domain import TensorDomain
from harness.explain.cause import Instead, Results, cause
from harness.explain.causes.arguments import Place, placed, with_argument
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Call
from harness.verify.subject import sizes_of

_STEPS = (1, -1, 2, -2)


def _axes(fault: FaultNeighbourhood, domain: TensorDomain) -> list[Place]:
    return [Place(position, axis.text) for position, axis in enumerate(domain.axes(fault.case.options))]


def _pairs(fault: FaultNeighbourhood, domain: TensorDomain) -> Iterator[tuple[Place, Place]]:
    return itertools.combinations(_axes(fault, domain), 2)


def with_result(
    index: int, change: Callable[..., Tensor | None], *how: Any
) -> Callable[[Results, Call], Results | None]:
    """The change of results that changes one of them: to `change(tensor, *how)`, Places being axes of it."""

    def changed(results: Results, call: Call) -> Results | None:
        found = placed(how, call.operation.results[index].axes(call.options))
        made = None if found is None else change(results[index], *found)
        return None if made is None else (*results[:index], made, *results[index + 1 :])

    return changed


@cause
def exchanged_axes(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """Two axes of an argument or of a result are exchanged."""
    tensors = fault.case.given
    for name in (name for name, domain in tensors.items() if domain.kind in ("float", "bool")):
        for one, other in _pairs(fault, tensors[name]):
            words = f"axes {one.position} and {other.position} of {name} ({one.text} and {other.text}) are exchanged"
            yield Instead(words, with_argument(name, _transposed, one, other))
    for index, domain in enumerate(fault.operation.results):
        for one, other in _pairs(fault, domain):
            which = fault.which(index)
            words = f"axes {one.position} and {other.position} of {which} ({one.text} and {other.text}) are exchanged"
            yield Instead(words, results=with_result(index, _transposed, one, other))


def _transposed(tensor: Tensor, i: int, j: int) -> Tensor | None:
    return tensor.transpose(i, j).contiguous() if tensor.shape[i] == tensor.shape[j] else None


@cause
def another_axis(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """What should be done along one axis is done along another."""
    names = dict.fromkeys(axis.text for name in fault.floats for axis in _axes(fault, fault.case.given[name]))
    for one, other in itertools.combinations(names, 2):
        yield Instead(
            f"{one} is taken for {other} (axes exchanged on the way in and out)",
            partial(_exchanged_call, one=one, other=other),
            partial(_exchanged_results, one=one, other=other),
        )


def _exchanged_call(call: Call, one: str, other: str) -> Call | None:
    changed = {}
    for name, domain in call.given.items():
        i, j = domain.axis_of(one, call.options), domain.axis_of(other, call.options)
        if i is not None and j is not None:
            changed[name] = call.arguments[name].transpose(i, j).contiguous()
    return call.replace(**changed) if changed else None


def _exchanged_results(results: Results, call: Call, one: str, other: str) -> Results | None:
    changed = []
    for result, domain in zip(results, call.operation.results, strict=True):
        i, j = domain.axis_of(one, call.options), domain.axis_of(other, call.options)
        changed.append(result if i is None or j is None else result.transpose(i, j).contiguous())
    return tuple(changed)


@cause
def viewed_where_permuted(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """Memory is read in another shape where axes should be permuted: in an argument, in all weights, in a result."""
    tensors = fault.case.given
    for name, change in itertools.product(fault.floats, _READINGS):
        for one, other in _pairs(fault, tensors[name]):
            yield Instead(_instead_of_permuting(name, one, other), with_argument(name, change, one, other))
    weights = [name for name in fault.floats if _is_weight(tensors[name])]
    for change in (_viewed, _read_across) if len(weights) > 1 else ():
        words = f"{' and '.join(weights)} are viewed in another shape where their last two axes should be permuted"
        yield Instead(words, partial(_all_read, names=weights, change=change))
    for name, change in itertools.product(fault.floats, (_viewed, _read_across)):
        words = f"each block of {name} is viewed in another shape where it should be transposed"
        yield Instead(words, partial(_blocks_read, name=name, change=change))
    for index, change in itertools.product(range(len(fault.operation.results)), _READINGS):
        for one, other in _pairs(fault, fault.operation.results[index]):
            words = _instead_of_permuting(fault.which(index), one, other)
            yield Instead(words, results=with_result(index, change, one, other))


def _is_weight(domain: TensorDomain) -> bool:
    texts = [axis.text for axis in domain.default_axes]
    return "batch" not in texts and len(texts) > 1


def _instead_of_permuting(which: str, one: Place, other: Place) -> str:
    return f"{which} is viewed in another shape where its axes {one.text} and {other.text} should be permuted"


def _all_read(call: Call, names: list[str], change: Callable[[Tensor, int, int], Tensor | None]) -> Call | None:
    last = {name: call.arguments[name].ndim for name in names}
    made = {name: change(call.arguments[name], ndim - 2, ndim - 1) for name, ndim in last.items()}
    return call.replace(**{name: tensor for name, tensor in made.items() if tensor is not None})


def _blocks_read(call: Call, name: str, change: Callable[[Tensor, int, int], Tensor | None]) -> Call | None:
    """The call with every block of a weight read in another shape: its last axis but one is a product, blocks first."""
    tensor, axes = call.arguments[name], call.given[name].axes(call.options)
    factors = axes[-2].factors(sizes_of(call)) if len(axes) > 1 else ()
    if len(factors) < 2:
        return None
    blocks = [change(block, tensor.ndim - 2, tensor.ndim - 1) for block in tensor.chunk(factors[0], -2)]
    made = [block for block in blocks if block is not None]
    return call.replace(**{name: torch.cat(made, -2)}) if len(made) == factors[0] else None


def _viewed(tensor: Tensor, i: int, j: int) -> Tensor | None:
    shape = list(tensor.shape)
    shape[i], shape[j] = shape[j], shape[i]
    return tensor.reshape(shape).transpose(i, j).contiguous()


def _read_across(tensor: Tensor, i: int, j: int) -> Tensor | None:
    return tensor.transpose(i, j).reshape(tensor.shape)


def _moved_forth(tensor: Tensor, i: int, j: int) -> Tensor | None:
    return tensor.movedim(i, j).reshape(tensor.shape)


def _moved_back(tensor: Tensor, i: int, j: int) -> Tensor | None:
    return tensor.movedim(j, i).reshape(tensor.shape)


_READINGS = (_viewed, _read_across, _moved_forth, _moved_back)


@cause
def reversed_axis(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """An argument or a result runs backwards along an axis."""
    for name in fault.arguments:
        for axis in _axes(fault, fault.case.given[name]):
            yield Instead(f"{name} is reversed along {axis.text}", with_argument(name, _flipped, axis))
    for index, domain in enumerate(fault.operation.results):
        for axis in _axes(fault, domain):
            words = f"{fault.which(index)} is reversed along {axis.text}"
            yield Instead(words, results=with_result(index, _flipped, axis))
            for name in fault.floats:
                there = [each for each in _axes(fault, fault.case.given[name]) if each.text == axis.text]
                if there:
                    forth = with_argument(name, _flipped, there[0])
                    yield Instead(f"{name} and {words}", forth, with_result(index, _flipped, axis))


def _flipped(tensor: Tensor, *positions: int) -> Tensor | None:
    return tensor.flip(positions)


@cause
def flipped_kernel(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A kernel is flipped in both of its axes: a convolution for a correlation, or a spectrum that is not conjugated."""
    for name in fault.floats:
        axes = _axes(fault, fault.case.given[name])
        if len(axes) < 2:
            continue
        flip = with_argument(name, _flipped, axes[-2], axes[-1])
        words = f"{name} is flipped along {axes[-2].text} and {axes[-1].text}"
        yield Instead(words, flip)
        for sign, move in itertools.product((1, -1), (_rolled, _shift)):
            moved = partial(_moved_by_kernel, name=name, sign=sign, move=move)
            yield Instead(f"{words}, as by a spectrum that is not conjugated", flip, moved, partial=True)


def _moved_by_kernel(
    results: Results, call: Call, name: str, sign: int, move: Callable[..., Tensor | None]
) -> Results | None:
    """Results of which the last two axes begin elsewhere, by the size of a kernel less one."""
    height, width = call.arguments[name].shape[-2:]
    made = []
    for result in results:
        moved: Tensor | None = result
        for at, size in ((-2, height), (-1, width)):
            if moved is None or result.ndim < 2:
                return None
            moved = move(moved, sign * (size - 1), result.ndim + at) if size > 1 else moved
        made.append(moved)
    return tuple(made) if all(each is not None for each in made) else None  # type: ignore[arg-type]


@cause
def shifted(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A result, or an argument, is a few entries off along an axis: off by one, a crop or a pad on the wrong side."""
    for index, domain in enumerate(fault.operation.results):
        axes, which = _axes(fault, domain), fault.which(index)
        for at in (*((axis,) for axis in axes), *itertools.pairwise(axes)):
            along = f"along {' and '.join(axis.text for axis in at)}"
            for steps in _STEPS:
                how = f"by {_entries(steps)} {along}"
                yield Instead(f"{which} is shifted {how}", results=with_result(index, _shift, steps, *at), partial=True)
                yield Instead(f"{which} is rolled {how}", results=with_result(index, _rolled, steps, *at))
                zeros = with_result(index, _zeros_in, steps, *at)
                yield Instead(f"{which} is shifted {how}, zeros coming in", results=zeros)
            for name, sign, less in itertools.product(_numbers(fault), (1, -1), (0, 1)):
                words = f"{which} is shifted by {'-' if sign < 0 else ''}{f'({name} - 1)' if less else name} {along}"
                shift = partial(_shifted_by, index=index, name=name, sign=sign, less=less, at=at)
                yield Instead(words, results=shift, partial=True)
    for name in fault.arguments:
        for axis in _axes(fault, fault.case.given[name]):
            for steps in _STEPS:
                how = f"by {_entries(steps)} along {axis.text}"
                yield Instead(f"{name} is shifted {how}, zeros coming in", with_argument(name, _zeros_in, steps, axis))
                yield Instead(f"{name} is rolled {how}", with_argument(name, _rolled, steps, axis))
                yield Instead(f"{name} is shifted {how}, its end repeated", with_argument(name, _end_in, steps, axis))


def _numbers(fault: FaultNeighbourhood) -> list[str]:
    """Integer options, and sizes of kernels and windows: by which a crop or a pad may be off."""
    options = [name for name, value in fault.case.options.items() if type(value) is int]
    return options + [name for name in fault.case.sizes if any(word in name for word in ("kernel", "window", "tap"))]


def _shifted_by(
    results: Results, call: Call, index: int, name: str, sign: int, less: int, at: tuple[Place, ...]
) -> Results | None:
    steps = sign * (int(sizes_of(call)[name]) - less)
    return with_result(index, _shift, steps, *at)(results, call) if steps else results


def _rolled(tensor: Tensor, steps: int, *positions: int) -> Tensor | None:
    return tensor.roll([steps] * len(positions), positions)


def _entries(steps: int) -> str:
    return f"{steps:+d} {'entry' if abs(steps) == 1 else 'entries'}"


def _shift(tensor: Tensor, steps: int, *positions: int) -> Tensor | None:
    """Entry i becomes entry i + steps; nothing is said of what comes in from outside."""
    return _moved(tensor, steps, positions, float("nan")) if tensor.is_floating_point() else None


def _zeros_in(tensor: Tensor, steps: int, *positions: int) -> Tensor | None:
    return _moved(tensor, steps, positions, 0.0)


def _end_in(tensor: Tensor, steps: int, at: int) -> Tensor | None:
    places = torch.arange(tensor.shape[at]) - steps
    return tensor.index_select(at, places.clamp(0, tensor.shape[at] - 1)) if tensor.shape[at] else None


def _moved(tensor: Tensor, steps: int, positions: tuple[int, ...], coming_in: float) -> Tensor:
    for at in positions:
        size = tensor.shape[at]
        gone = range(min(steps, size)) if steps > 0 else range(max(size + steps, 0), size)
        tensor = tensor.roll(steps, at).index_fill(
            at, torch.tensor(list(gone), dtype=torch.long), coming_in if tensor.is_floating_point() else 0
        )
    return tensor
