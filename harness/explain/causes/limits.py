"""Values that are limited, rounded to a lower dtype, or moved by a constant, in one argument or in a result."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from harness.explain.cause import Instead, cause
from harness.explain.causes.arguments import with_argument
from harness.explain.causes.axes import with_result
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.precision import PRECISIONS, narrower
from harness.measure.reference import reference, widened

_LIMITS = (
    0.5,
    1.0,
    2.0,
    3.0,
    4.0,
    5.0,
    6.0,
    8.0,
    10.0,
    15.0,
    16.0,
    20.0,
    30.0,
    50.0,
    64.0,
    80.0,
    88.0,
    100.0,
    1e3,
    1e4,
    65504.0,
)
_FLOORS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12)
_STEPS = (1.0, 0.5, *_FLOORS)


def _clamped(tensor: Tensor, low: float, high: float) -> Tensor | None:
    return tensor.clamp(low, high) if ((tensor < low) | (tensor > high)).any() else tensor


def _bounds() -> Iterator[tuple[str, float, float]]:
    yield "is cut off below 0", 0.0, math.inf
    yield "is cut off above 0", -math.inf, 0.0
    for limit in _LIMITS:
        yield f"is cut off above {limit:g}", -math.inf, limit
        yield f"is cut off below -{limit:g}", -limit, math.inf
        yield f"is cut off at ±{limit:g}", -limit, limit
    yield "is cut off outside 0 to 1", 0.0, 1.0
    for floor in _FLOORS:
        yield f"is cut off below {floor:g}", floor, math.inf


@cause
def clipped(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """An argument or a result is cut off at a bound."""
    for index, expected in enumerate(_expected(fault)):
        for words, low, high in _bounds():
            if ((expected < low) | (expected > high)).any():
                yield Instead(f"{fault.which(index)} {words}", results=with_result(index, _clamped, low, high))
    real = [name for name in fault.floats if fault.case.given[name].kind == "float"]
    for name, (words, low, high) in itertools.product(real, _bounds()):
        if any(
            ((each := widened(case.tensors[name])) < low).any() or (each > high).any()
            for case in fault.failing_with(name)
        ):
            yield Instead(f"{name} {words}", with_argument(name, _clamped, low, high))


def _expected(fault: FaultNeighbourhood) -> Iterator[Tensor]:
    """All entries that the definition gives on the failing cases, result by result."""
    for index, domain in enumerate(fault.operation.results):
        if domain.kind == "float":
            parts = [reference(case).parts[index].expected.astype("float64").reshape(-1) for case in fault.failing]
            yield torch.cat([torch.from_numpy(part) for part in parts])


@cause
def lower_dtype_of_one(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """One argument, or the result, is rounded to a lower dtype on the way."""
    several = fault.floats if len(fault.floats) > 1 else ()
    for name, dtype in itertools.product(several, narrower(fault.case.dtype)):
        yield Instead(f"{name} is rounded to {dtype}", with_argument(name, _rounded, dtype))


def _rounded(tensor: Tensor, dtype: str) -> Tensor:
    return tensor.to(PRECISIONS[dtype].dtype).to(tensor.dtype)


@cause
def constant_added(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A constant is added to an argument, or to what it should not be: an eps too much or too little."""
    for name, step, sign in itertools.product(fault.floats, _STEPS, (1, -1)):
        yield Instead(f"{name} is off by {sign * step:g}", with_argument(name, torch.add, sign * step))


@cause
def size_off(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A constant is added to the size of an argument's entries."""
    for name, step in itertools.product(fault.floats, _STEPS):
        yield Instead(f"{step:g} is added to the size of {name}", with_argument(name, _longer, step))


def _longer(tensor: Tensor, step: float) -> Tensor:
    return tensor + step * tensor.sign()
