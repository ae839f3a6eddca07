"""Indices, counts and masks that are not heeded: ignored, inverted, one off, cut off, equal ones that overwrite each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from harness.explain.cause import Instead, cause
from harness.explain.causes.arguments import with_argument
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Call

_MASKS: dict[str, Callable[[Tensor], Tensor]] = {
    "{} is ignored: all of it is taken to be True": torch.ones_like,
    "{} is ignored: all of it is taken to be False": torch.zeros_like,
    "{} is inverted": torch.logical_not,
}

_NUMBERS: dict[str, Callable[[Tensor], Tensor]] = {
    "{} is one too large": lambda tensor: tensor + 1,
    "{} is one too small": lambda tensor: tensor - 1,
    "the largest of {} is used for all": lambda tensor: torch.full_like(tensor, int(tensor.max())),
    "the smallest of {} is used for all": lambda tensor: torch.full_like(tensor, int(tensor.min())),
    "{} is ignored: all of it is taken to be 0": torch.zeros_like,
    "a negative entry of {} is taken for 0": lambda tensor: tensor.clamp_min(0),
    "{} is sorted": lambda tensor: tensor.sort(dim=-1).values if tensor.ndim else tensor,
    "{} is ignored: places are taken in order": lambda tensor: torch.arange(tensor.numel()).reshape(tensor.shape),
    "the first of {} is used for all": lambda tensor: torch.full_like(tensor, int(tensor.reshape(-1)[0])),
    "the last of {} is used for all": lambda tensor: torch.full_like(tensor, int(tensor.reshape(-1)[-1])),
}


@cause
def mask_or_index_misread(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A mask or an index is not heeded, or misread."""
    for name, domain in fault.case.given.items():
        for words, change in (_MASKS if domain.kind == "bool" else _NUMBERS if domain.kind == "int" else {}).items():
            yield Instead(words.format(name), with_argument(name, change))
        if domain.kind == "int":
            for axis in domain.axes(fault.case.options):
                for size in fault.case.sizes:
                    words = f"the size of {size} is used where {name} is meant"
                    if size != axis.text:
                        yield Instead(words, partial(_full, name=name, size=size))


def _full(call: Call, name: str, size: str) -> Call | None:
    for other, domain in call.given.items():
        at = domain.axis_of(size, call.options)
        if at is not None:
            number = call.arguments[other].shape[at]
            return call.replace(**{name: torch.full_like(call.arguments[name], number)})
    return None


@cause
def equal_indices_overwrite(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """Of entries with equal indices only one counts, where all of them should."""
    tensors, options = fault.case.given, fault.case.options
    for index, domain in tensors.items():
        axes = domain.axes(options)
        if domain.kind != "int" or len(axes) != 1:
            continue
        for name in (name for name in fault.floats if tensors[name].axis_of(axes[0].text, options) is not None):
            for which in ("last", "first"):
                yield Instead(
                    f"equal entries of {index} overwrite each other: only the {which} one's part of {name} counts",
                    partial(_only_one, index=index, name=name, axis=axes[0].text, last=which == "last"),
                )


def _only_one(call: Call, index: str, name: str, axis: str, last: bool) -> Call | None:
    at = call.given[name].axis_of(axis, call.options)
    places = call.arguments[index]
    if at is None:
        return None
    equal = places[:, None] == places
    hidden = equal.triu(1).any(1) if last else equal.tril(-1).any(1)
    gone = hidden.nonzero().reshape(-1)
    return call.replace(**{name: call.arguments[name].index_fill(at, gone, 0)})
