"""Beside the CPU: which of PyTorch's operators gives something else on a device than on the CPU for the very same arguments.

While an implementation runs on a device, every operator that it calls is called on the CPU as well, with copies of what it was
given there, strides included. What rounding makes of an operator is told as everywhere else, by how far its result moves when its
arguments are moved by one eps, and by how far off it is on the CPU itself, of what float64 gives. So a fault of a device, its
driver or its library is told from one of the implementation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from harness.declare.devices import device_named
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.measure.arrays import as_array
from harness.measure.operators import EagerMode, factorises
from harness.verify.cell import Cell
from harness.verify.subject import Subject

_CASES = 8
"""Failing cases that are looked at."""

_TIMES = 4
"""How often a case is asked in which no operator differs."""

_ALLOWED = 64
"""How many times as far off as one move of its arguments a right result may be: as two that are rounded each by itself."""

_CPU = torch.device("cpu")


def guilty_operators(cell: Cell, failing: Sequence[Case]) -> Counter[str]:
    """The first operator that differs in each failing case, in a sentence; nothing where in some case none does.

    A case is asked a few times, since a race is not lost each time.
    """
    found: Counter[str] = Counter()
    for case in failing[:_CASES]:
        told = next(filter(None, (_first(cell, case) for _ in range(_TIMES))), None)
        if told is None:
            return Counter()
        found[told] += 1
    return found


def _first(cell: Cell, case: Case) -> str | None:
    """The first operator that differs while a property is asked, None where none does."""
    beside = BesideTheCpu(case.device)
    with suppress(Exception), np.errstate(all="ignore"), beside:
        cell.prop(Subject(cell.operation, cell.implementation), case)
    return beside.found


def fails_on_the_cpu(fault: FaultNeighbourhood) -> bool | None:
    """Whether the implementation fails on the CPU as well, in the same cases; None where it can't be asked there."""
    if not fault.cell.implementation.runs_on("cpu"):
        return None
    return any(fault.shows(case.replace(device="cpu")) is not False for case in fault.failing[:_CASES])


class BesideTheCpu(EagerMode):  # type: ignore[no-untyped-call]
    """Calls every operator on the CPU as well. found: the first that differs, in words."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = device_named(device)
        self.found: str | None = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = (args, kwargs or {})
        if self.found is not None or not _computes(func) or not any(map(self._holds, tree_leaves(given))):
            return func(*args, **given[1])
        there = tree_map(_copy, given)
        try:
            made = func(*args, **given[1])
        except Exception:
            if _answer(func, there) is not None:
                self.found = f"{_name(func)} raises on {self._device.name}, and not on the CPU for the same arguments"
            raise
        with suppress(Exception):  # what the CPU refuses is nothing to hold against the device
            self._compare(func, given, there, made)
        return made

    def _holds(self, value: Any) -> bool:
        return isinstance(value, Tensor) and self._device.holds(value)

    def _compare(self, func: Any, given: Any, there: Any, made: Any) -> None:
        moved = [_answer(func, tree_map(lambda value, way=way: _moved(value, way), there)) for way in (1, -1)]
        right = _answer(func, there)
        if right is None:
            return
        wide = _answer(func, tree_map(_widened, there))
        for place, (mine, cpus) in enumerate(zip(_tensors(made), _tensors(right), strict=True)):
            nearby = [_tensors(each)[place] for each in moved if each is not None]
            if not _agree(mine, cpus, nearby, None if wide is None else _tensors(wide)[place]):
                self.found = f"{_name(func)} computes something else on {self._device.name} than on the CPU from the same arguments"
                return
        if not func._schema.is_mutable:
            pairs = zip(_tensors(given), _tensors(there), strict=True)
            if any(not np.array_equal(as_array(mine), as_array(old), equal_nan=True) for mine, old in pairs):
                self.found = f"{_name(func)} writes on {self._device.name} to what it is given"


def _computes(func: Any) -> bool:
    """Whether an operator makes numbers, and but one right answer: no view, nothing drawn or left as memory has it, no factors."""
    is_view = any(each.alias_info is not None and not each.alias_info.is_write for each in func._schema.returns)
    is_drawn, name = torch.Tag.nondeterministic_seeded in func.tags, func.overloadpacket.__name__
    return not is_view and not is_drawn and "empty" not in name and not factorises(name)


def _name(func: Any) -> str:
    return f"PyTorch's {func.overloadpacket.__name__.strip('_')}"


def _answer(func: Any, given: Any) -> Any:
    """What an operator gives for copies of these arguments; None where it refuses."""
    try:
        args, kwargs = tree_map(_copy, given)
        return func(*args, **kwargs)
    except Exception:
        return None


def _copy(value: Any) -> Any:
    """A tensor's copy on the CPU, with the strides that it has."""
    if isinstance(value, torch.device):
        return _CPU
    if not isinstance(value, Tensor):
        return value
    plain = value.detach().cpu()
    if not plain.numel() or not all(value.stride()):
        return plain.clone()
    return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype).copy_(plain)


def _moved(value: Any, way: int) -> Any:
    """A float tensor with every other entry moved by one eps one way, and the rest the other way."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return value
    signs = 1 - 2 * (torch.arange(value.numel()) % 2).reshape(value.shape)
    return _copy(value).mul_(1 + way * torch.finfo(value.dtype).eps * signs.to(value.dtype))


def _tensors(made: Any) -> Sequence[Tensor]:
    return [each for each in tree_leaves(made) if isinstance(each, Tensor)]


def _widened(value: Any) -> Any:
    return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value


def _agree(mine: Tensor, right: Tensor, nearby: Sequence[Tensor], wide: Tensor | None) -> bool:
    """Whether a device's result is the CPU's, within what rounding makes of it; anything else than floats within nothing.

    nearby: what comes of moved arguments; wide: of the same in float64, by which is told how many digits the operator loses itself.
    """
    one, other = as_array(mine), as_array(right)
    if one.shape != other.shape or mine.dtype != right.dtype:
        return False
    if other.dtype.kind != "f":
        return bool((one == other).all())
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    apart = np.where(same, 0.0, np.nan_to_num(np.abs(one - other), nan=np.inf))
    moves = [np.nan_to_num(np.abs(as_array(each) - other), nan=0.0, posinf=0.0) for each in nearby]
    if wide is not None and tuple(wide.shape) == other.shape:
        moves.append(np.nan_to_num(np.abs(as_array(wide) - other), nan=0.0, posinf=0.0))
    size = np.linalg.norm(np.where(np.isfinite(other), other, 0.0))
    floor = max((float(np.linalg.norm(each)) for each in moves), default=0.0)
    return bool(np.linalg.norm(apart) <= _ALLOWED * (floor + torch.finfo(right.dtype).eps * size))
