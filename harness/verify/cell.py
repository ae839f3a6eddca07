"""A cell: one property asked of one implementation, on one device, in one dtype."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from harness.declare.backends import BACKENDS
from harness.declare.devices import device_named, devices_here
from harness.declare.implementation import Implementation, on_backends
from harness.declare.operation import Operation
from harness.errors import HarnessError
from harness.generate.precision import PRECISIONS, full_precision
from harness.verify.cell_key import CellKey
from harness.verify.property import Property
from harness.verify.support import can_be_given, served_dtypes, serves


@dataclass(frozen=True)
class Cell:
    """What is asked (property), of what (implementation of operation), where (device) and how precisely (dtype)."""

    prop: Property
    operation: Operation
    implementation: Implementation
    device: str
    dtype: str

    @property
    def key(self) -> str:
        """`property[operation/implementation-device-dtype]`, the same in every run."""
        return str(CellKey(self.prop.name, self.operation.name, self.implementation.name, self.device, self.dtype))

    @property
    def is_costly(self) -> bool:
        """Whether it compiles, which takes as long as hundreds of other cells."""
        return self.prop.nightly or self.implementation.is_twin

    @property
    def is_of_the_definition(self) -> bool:
        """Whether the very definition is asked, by itself or under another name."""
        return self.implementation is self.operation.own or self.implementation.function is self.operation.definition

    def serves(self, dtype: str) -> bool:
        """Whether the implementation can be asked in a dtype, if the device has it; the definition can in every one."""
        if not device_named(self.device).has(PRECISIONS[dtype].dtype):
            return False
        return self.is_of_the_definition or dtype in served_dtypes(self.implementation)

    @property
    def unsupported(self) -> str | None:
        """The reason why the cell can't be asked, known before anything runs; None where it can."""
        return self.implementation.exempt.get(self.prop.name)


def check_dtypes(wanted: Iterable[str], devices: Iterable[str] = ()) -> None:
    """Raise HarnessError for a dtype that the harness does not know, or in which none of the devices here, or of these, computes."""
    asked = tuple(devices) or devices_here()
    for dtype in wanted:
        precision = PRECISIONS.found(dtype)
        if any(precision.is_on(device) for device in asked):
            continue
        if precision.is_mode:
            raise HarnessError(
                f"dtype {dtype!r} is a math mode of {precision.stored} on {precision.device}, and no such device here computes "
                "in it; leave it out"
            )
        raise HarnessError(f"{', '.join(asked)} does not compute in {dtype}; leave it out")


def check_backends(wanted: Iterable[str]) -> None:
    """Raise HarnessError for a backend that the harness does not know."""
    for backend in wanted:
        BACKENDS.found(backend)


def cells(
    prop: Property,
    operations: Iterable[Operation],
    implementations: Iterable[Implementation] | None = None,
    devices: Iterable[str] = (),
    dtypes: Iterable[str] = (),
    backends: Collection[str] = (),
) -> Iterator[Cell]:
    """The cells of a property, the definition's own among them, unavailable implementations left out.

    Empty `devices` or `dtypes` mean all there are, math modes left out; no `backends` all but
    twins; `implementations` are asked instead of the operation's own.
    """
    wanted = None if implementations is None else list(implementations)
    asked = tuple(devices) or devices_here()
    for operation in operations:
        if not prop.applies(operation):
            continue
        there = (operation.own, *operation.implementations.values()) if wanted is None else wanted
        for implementation in on_backends(there, backends):
            if implementation.unavailable() or implementation.operation != operation.name:
                continue
            if prop.implementations and implementation.name not in prop.implementations:
                continue
            if not prop.declared(operation, implementation):
                continue
            for device in asked:
                if not implementation.runs_on(device) or not prop.is_about(device):
                    continue
                for dtype in _asked_in(prop, operation, implementation, device, dtypes or full_precision()):
                    yield Cell(prop, operation, implementation, device, dtype)


def _asked_in(
    prop: Property, operation: Operation, implementation: Implementation, device: str, wanted: Iterable[str]
) -> list[str]:
    """The dtypes in which a property is asked of an implementation on a device, of those that are wanted."""
    here = [dtype for dtype in wanted if can_be_given(operation, PRECISIONS[dtype], device)]
    if prop.dtypes:
        return [dtype for dtype in here if dtype in prop.dtypes]
    served = [dtype for dtype in here if serves(implementation, PRECISIONS[dtype], device)]
    return [dtype for dtype in prop.once_in if dtype in served][:1] if prop.once_in else served
