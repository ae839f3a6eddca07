"""The ladder: the sizes and options at which an operation is timed, one axis climbing at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.declare.domain import OptionValue
from harness.declare.operation import Operation
from harness.declare.workload import Workload, check_ladder
from harness.errors import DeclarationError, HarnessError
from harness.generate.case import Case
from harness.generate.precision import PRECISIONS
from harness.record.events import point_name

_USUAL, _CLIMB = 32, (1, 4, 16, 64, 256)
"""Where nobody declared a workload: the size of every axis, and those that it takes in turn, as far as it may."""


@dataclass(frozen=True)
class LadderPoint:
    """One step of a ladder: an operation at these sizes and options. `axes`: the ladders that it belongs to."""

    operation: Operation
    sizes: Mapping[str, int]
    options: Mapping[str, OptionValue]
    axes: tuple[str, ...]

    @property
    def known(self) -> dict[str, Any]:
        """Sizes and options by name."""
        return {**self.sizes, **self.options}

    @property
    def name(self) -> str:
        """`batch=64, inputs=256, bias=True`, the same in every run."""
        return point_name(self.known)

    def case(self, device: str, dtype: str) -> Case:
        """The call that is timed: ordinary random numbers, since zeros and repetitions can be faster."""
        return Case(self.operation, self.sizes, self.options, "normal", dtype=dtype, device=device)

    def bytes(self, dtype: str) -> int:
        """The memory traffic that cannot be avoided: every argument read once and every result written once."""
        domains = (*self.operation.tensors.values(), *self.operation.results)
        width = PRECISIONS[dtype].dtype.itemsize
        return sum(math.prod(each.shape(self.known)) * (width if each.kind == "float" else 8) for each in domains)

    def floating_point_operations(self) -> float | None:
        """Those that cannot be avoided, None where nobody counted them."""
        return workload(self.operation).operations(self.known)


def workload(operation: Operation) -> Workload:
    """The declared workload, or a modest one of the operation's own sizes."""
    if operation.timed is not None:
        return operation.timed
    sizes = {name: min(_USUAL, most) for name, (_, most) in operation.sizes.items()}
    ladder = {
        name: tuple(size for size in _CLIMB if max(low, 1) <= size <= most)
        for name, (low, most) in operation.sizes.items()
    }
    options = {name: domain.values[0] for name, domain in operation.options.items()}
    return Workload(sizes, options, ladder)


def ladder_points(operation: Operation) -> list[LadderPoint]:
    """Every point once, in the order of the ladders. Raises HarnessError where not one is admitted."""
    declared = operation.timed is not None
    climbed = _climbed(operation, workload(operation))
    found = _distinct(each for each in climbed if declared or operation.admits(each.sizes, each.options))
    if not found:
        raise HarnessError(
            f"no size of {operation.name} can be timed: its where= rejects them; declare some with @{operation.name}.workload"
        )
    return found


def chosen(operation: Operation, points: Mapping[str, OptionValue | Iterable[OptionValue]]) -> list[LadderPoint]:
    """The points of a caller's own choice: by axis or option, one value stays and several climb; the rest is the workload's.

    Raises DeclarationError where the operation has no such point. Its sizes may be larger than those that are verified.
    """
    given = {axes: _values(value) for axes, value in points.items()}
    check_ladder(operation, given, "harness.timed: sizes=")
    staying = {name: values[0] for axes, values in given.items() if len(values) == 1 for name in axes.split()}
    climbing = {axes: values for axes, values in given.items() if len(values) > 1}
    found = _distinct(_climbed(operation, workload(operation).at(staying, climbing)))
    for point in found:
        if told := operation.objection(point.sizes, point.options, beyond=True):
            raise DeclarationError(f"harness.timed: sizes= asks {operation.name} at {point.name}: {told}")
    return found


def _values(value: OptionValue | Iterable[OptionValue]) -> tuple[OptionValue, ...]:
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)


def _distinct(climbed: Iterable[LadderPoint]) -> list[LadderPoint]:
    """Every point once, with all ladders that it belongs to."""
    found: dict[str, LadderPoint] = {}
    for made in climbed:
        axes = (*found[made.name].axes, *made.axes) if made.name in found else made.axes
        found[made.name] = replace(made, axes=axes)
    return list(found.values())


def _climbed(operation: Operation, timed: Workload) -> Iterator[LadderPoint]:
    ladders = timed.ladder or {"": ()}
    for axis, values in ladders.items():
        for value in values or (None,):
            climbed = dict.fromkeys(axis.split(), value)
            sizes = {name: int(climbed.get(name, size)) for name, size in timed.sizes.items()}  # type: ignore[arg-type]
            options = {name: climbed.get(name, option) for name, option in timed.options.items()}
            yield LadderPoint(operation, sizes, options, (axis,) if axis else ())
