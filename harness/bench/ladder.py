"""The ladder: the sizes and options at which an operation is timed, one axis climbing at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.declare.domain import OptionValue
from harness.declare.operation import Operation
from harness.declare.workload import Workload
from harness.errors import HarnessError
from harness.generate.case import Case
from harness.generate.precision import PRECISIONS
from harness.record.events import rung_name

_USUAL, _CLIMB = 32, (1, 4, 16, 64, 256)
"""Where nobody declared a workload: the size of every axis, and those that it takes in turn, as far as it may."""


@dataclass(frozen=True)
class Rung:
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
        return rung_name(self.known)

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


def rungs(operation: Operation) -> list[Rung]:
    """Every rung once, in the order of the ladders. Raises HarnessError where not one is admitted."""
    found: dict[str, Rung] = {}
    for made in _climbed(operation):
        axes = (*found[made.name].axes, *made.axes) if made.name in found else made.axes
        found[made.name] = replace(made, axes=axes)
    if not found:
        raise HarnessError(
            f"no size of {operation.name} can be timed: its where= rejects them; declare some with @{operation.name}.workload"
        )
    return list(found.values())


def _climbed(operation: Operation) -> Iterator[Rung]:
    timed = workload(operation)
    ladders = timed.ladder or {"": ()}
    for axis, values in ladders.items():
        for value in values or (None,):
            climbed = dict.fromkeys(axis.split(), value)
            sizes = {name: int(climbed.get(name, size)) for name, size in timed.sizes.items()}  # type: ignore[arg-type]
            options = {name: climbed.get(name, option) for name, option in timed.options.items()}
            if operation.timed is not None or operation.admits(sizes, options):
                yield Rung(operation, sizes, options, (axis,) if axis else ())
