"""Parts of an axis that are left out: a tail that fills no tile, what lies beyond a buffer, the first or the last entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from harness.explain.cause import Instead, cause
from harness.explain.causes.arguments import Place
from harness.explain.causes.axes import with_result
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Call

_TILES = (2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)

Kept = Callable[[int], tuple[int, int]]
"""From the size of an axis to the first entry that is kept and the first after it that is not."""


def _spans(fault: FaultNeighbourhood, axis: str) -> Iterator[tuple[str, Kept]]:
    """What may be left out of an axis, in words, that some failing case has."""
    longest = max(case.sizes.get(axis, 0) for case in fault.failing)
    for tile in (tile for tile in _TILES if tile < longest):
        yield f"the tail of {axis} that fills no block of {tile}", partial(_whole_tiles, tile)
        yield f"what lies beyond the first {tile} entries of {axis}", partial(_first, tile)
    yield f"the last entry of {axis}", _all_but_the_last
    yield f"the first entry of {axis}", _all_but_the_first


def _whole_tiles(tile: int, size: int) -> tuple[int, int]:
    return 0, size // tile * tile


def _first(count: int, size: int) -> tuple[int, int]:
    return 0, min(size, count)


def _all_but_the_last(size: int) -> tuple[int, int]:
    return 0, max(size - 1, 0)


def _all_but_the_first(size: int) -> tuple[int, int]:
    return min(1, size), size


@cause
def left_out(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """Some entries of an axis are left out of what is computed: as if they were zero, or were not there."""
    for axis in fault.case.sizes:
        holders = [n for n in fault.floats if fault.case.given[n].axis_of(axis, fault.case.options) is not None]
        for words, kept in _spans(fault, axis) if holders else ():
            for name in holders:
                alone = f" of {name}" if len(holders) > 1 else ""
                yield Instead(f"{words}{alone} is left out", partial(_blanked, names=[name], axis=axis, kept=kept))
            if len(holders) > 1:
                yield Instead(f"{words} is left out", partial(_blanked, names=holders, axis=axis, kept=kept))
            yield Instead(f"{words} is left out, as if it were not there", partial(_cut, axis=axis, kept=kept))


@cause
def not_computed(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """Some entries of an axis of a result stay zero."""
    for index, domain in enumerate(fault.operation.results):
        for position, axis in enumerate(domain.axes(fault.case.options)):
            for words, kept in _spans(fault, axis.text) if axis.text in fault.case.sizes else ():
                zeroed = with_result(index, _blank, Place(position, axis.text), kept)
                yield Instead(f"{words} in {fault.which(index)} is not computed: it is zero", results=zeroed)


def _blanked(call: Call, names: list[str], axis: str, kept: Kept) -> Call | None:
    changed = {}
    for name in names:
        at = call.given[name].axis_of(axis, call.options)
        if at is not None:
            changed[name] = _blank(call.arguments[name], at, kept)
    return call.replace(**changed) if changed else None


def _blank(tensor: Tensor, at: int, kept: Kept) -> Tensor:
    """The tensor with zeros outside what is kept along an axis."""
    begin, end = kept(tensor.shape[at])
    gone = [place for place in range(tensor.shape[at]) if not begin <= place < end]
    return tensor.index_fill(at, torch.tensor(gone, dtype=torch.long), 0)


def _cut(call: Call, axis: str, kept: Kept) -> Call | None:
    """The call with an axis made shorter in every argument."""
    changed = {}
    for name, domain in call.given.items():
        if any(axis in each.names and each.text != axis for each in domain.axes(call.options)):
            return None
        at = domain.axis_of(axis, call.options)
        if at is not None:
            begin, end = kept(call.arguments[name].shape[at])
            if end <= begin:
                return None
            changed[name] = call.arguments[name].narrow(at, begin, end - begin).contiguous()
    return call.replace(**changed) if changed else None


@cause
def only_a_slice_is_changed(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """Half of an axis has the other sign or stands where the other half should, as in a rotation of pairs."""
    for index, domain in enumerate(fault.operation.results):
        for position, axis in enumerate(domain.axes(fault.case.options)):
            for words, change in _HALVES.items():
                told = f"{words.format(axis.text)} of {fault.which(index)}"
                yield Instead(told, results=with_result(index, change, Place(position, axis.text)))
    for name in fault.floats:
        for position, axis in enumerate(fault.case.given[name].axes(fault.case.options)):
            for words, change in _HALVES.items():
                where = partial(_argument, name=name, place=Place(position, axis.text), change=change)
                yield Instead(f"{words.format(axis.text)} of {name}", where)


def _argument(call: Call, name: str, place: Place, change: Callable[[Tensor, int], Tensor | None]) -> Call | None:
    at = place.among(call.given[name].axes(call.options))
    made = None if at is None else change(call.arguments[name], at)
    return None if made is None else call.replace(**{name: made})


def _sign_of(tensor: Tensor, at: int, places: slice) -> Tensor:
    sign = torch.ones(tensor.shape[at], dtype=tensor.dtype)
    sign[places] = -1
    return tensor * sign.reshape([-1 if axis == at else 1 for axis in range(tensor.ndim)])


def _first_half(tensor: Tensor, at: int) -> Tensor:
    return _sign_of(tensor, at, slice(0, tensor.shape[at] // 2))


def _second_half(tensor: Tensor, at: int) -> Tensor:
    return _sign_of(tensor, at, slice(tensor.shape[at] // 2, None))


def _odd(tensor: Tensor, at: int) -> Tensor:
    return _sign_of(tensor, at, slice(1, None, 2))


def _halves_exchanged(tensor: Tensor, at: int) -> Tensor | None:
    half, odd = divmod(tensor.shape[at], 2)
    return None if odd or not half else tensor.roll(half, at)


def _interleaved(tensor: Tensor, at: int) -> Tensor | None:
    half, odd = divmod(tensor.shape[at], 2)
    return None if odd or half < 2 else tensor.index_select(at, torch.arange(2 * half).reshape(2, half).T.reshape(-1))


def _apart(tensor: Tensor, at: int) -> Tensor | None:
    half, odd = divmod(tensor.shape[at], 2)
    return None if odd or half < 2 else tensor.index_select(at, torch.arange(2 * half).reshape(half, 2).T.reshape(-1))


_HALVES: dict[str, Callable[[Tensor, int], Tensor | None]] = {
    "the first half along {} has the wrong sign,": _first_half,
    "the second half along {} has the wrong sign,": _second_half,
    "every second entry along {} has the wrong sign,": _odd,
    "the halves along {} are exchanged,": _halves_exchanged,
    "the halves along {} are interleaved,": _interleaved,
    "even and odd entries along {} are put apart,": _apart,
}
