"""Blocks along an axis that is a product: gates in another order, directions for layers, one block backwards."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from harness.declare.axes import Axis
from harness.explain.cause import Instead, Results, cause
from harness.explain.causes.arguments import Place
from harness.explain.causes.axes import with_result
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Call
from harness.verify.subject import sizes_of

_MOST = 4
"""Blocks of which every order is tried."""


def _counts(fault: FaultNeighbourhood, axis: Axis) -> list[int]:
    """How many blocks an axis may have: the outermost factor of a product, or a small size."""
    factors = axis.factors(fault.case.known)
    return [factors[0]] if len(factors) > 1 and 2 <= factors[0] <= _MOST else []


def _orders(count: int) -> Iterator[tuple[int, ...]]:
    return (order for order in itertools.permutations(range(count)) if order != tuple(range(count)))


def _reordered(tensor: Tensor, position: int, order: tuple[int, ...]) -> Tensor | None:
    if position >= tensor.ndim or tensor.shape[position] % len(order):
        return None
    blocks = torch.arange(tensor.shape[position], device=tensor.device).reshape(len(order), -1)
    return tensor.index_select(position, blocks[list(order)].reshape(-1))


@cause
def permuted_blocks(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """The blocks of weights (gates, directions) or of a result stand in another order."""
    tensors, options = fault.case.given, fault.case.options
    axes = dict.fromkeys(axis for name in fault.floats for axis in tensors[name].axes(options))
    for axis in axes:
        for count in _counts(fault, axis):
            for order in _orders(count):
                words = f"the {count} blocks along {axis.text} are in the order {', '.join(map(str, order))}"
                holders = [name for name in fault.floats if axis in tensors[name].axes(options)]
                yield Instead(f"{words} in all weights", _all_reordered(holders, axis, order))
                for name in holders if len(holders) > 1 else ():
                    yield Instead(f"{words} in {name}", _all_reordered([name], axis, order))
    for index, domain in enumerate(fault.operation.results):
        for position, axis in enumerate(domain.axes(options)):
            for order in (order for count in _counts(fault, axis) for order in _orders(count)):
                yield Instead(
                    f"the blocks of result {index} along {axis.text} are in the order {', '.join(map(str, order))}",
                    results=with_result(index, _reordered, Place(position, axis.text), order),
                )


def _all_reordered(names: list[str], axis: Axis, order: tuple[int, ...]) -> Callable[[Call], Call | None]:
    def changed(call: Call) -> Call | None:
        made = {}
        for name in names:
            position = call.given[name].axis_of(axis.text, call.options)
            tensor = None if position is None else _reordered(call.arguments[name], position, order)
            if tensor is None:
                return None
            made[name] = tensor
        return call.replace(**made)

    return changed


@cause
def factors_exchanged(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """An axis that is a product is laid out with its factors the other way round: directions before layers."""
    for index, domain in enumerate(fault.operation.results):
        for position, axis in enumerate(domain.axes(fault.case.options)):
            if len(axis.factors(fault.case.known)) == 2:
                yield Instead(
                    f"the factors of {axis.text} in result {index} are exchanged",
                    results=partial(_other_way_round, index=index, position=position, axis=axis),
                )


def _other_way_round(results: Results, call: Call, index: int, position: int, axis: Axis) -> Results | None:
    outer, inner = axis.factors(sizes_of(call))
    order = torch.arange(outer * inner).reshape(outer, inner).T.reshape(-1)
    made = results[index].index_select(position, order)
    return (*results[:index], made, *results[index + 1 :])


@cause
def block_reversed(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """One block of a result, such as one direction, runs backwards along another axis."""
    for index, domain in enumerate(fault.operation.results):
        axes = domain.axes(fault.case.options)
        for (held, axis), (other, along) in itertools.permutations(enumerate(axes), 2):
            for count, block in ((blocks, each) for blocks in _counts(fault, axis) for each in range(blocks)):
                yield Instead(
                    f"block {block} of {count} along {axis.text} of result {index} is reversed along {along.text}",
                    results=with_result(
                        index, _backwards, Place(held, axis.text), count, block, Place(other, along.text)
                    ),
                )


def _backwards(tensor: Tensor, position: int, count: int, block: int, way: int) -> Tensor | None:
    if tensor.shape[position] % count:
        return None
    parts = list(tensor.chunk(count, position))
    if len(parts) != count:
        return None
    parts[block] = parts[block].flip(way)
    return torch.cat(parts, position)


@cause
def exchanged_results(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """Two results of equal shape come back in each other's place."""
    for i, j in itertools.combinations(range(len(fault.operation.results)), 2):
        yield Instead(f"results {i} and {j} are exchanged", results=partial(_exchanged, i=i, j=j))


def _exchanged(results: Results, call: Call, i: int, j: int) -> Results | None:
    if results[i].shape != results[j].shape:
        return None
    made = list(results)
    made[i], made[j] = made[j], made[i]
    return tuple(made)
