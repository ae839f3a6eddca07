"""Support: who computes an operation, on which device and in which precision."""

from __future__ import annotations

from collections.abc import Collection

from harness.declare.devices import CPU, device_named
from harness.declare.implementation import Implementation, on_backends
from harness.declare.operation import Operation
from harness.generate.precision import PRECISIONS, Precision


def served_dtypes(implementation: Implementation, device: str = CPU) -> tuple[str, ...]:
    """The names of the dtypes that an implementation takes, and a device has, math modes left out."""
    known = ((name, each.dtype) for name, each in PRECISIONS.items() if not each.is_mode)
    return tuple(name for name, each in known if each in implementation.dtypes and device_named(device).has(each))


def serves(implementation: Implementation, precision: Precision, device: str) -> bool:
    """Whether an implementation computes so there; of a math mode, which is PyTorch's, whether PyTorch does it."""
    multiplies = implementation.backend.differentiable or not precision.is_mode
    return precision.dtype in implementation.dtypes and precision.is_on(device) and multiplies


def can_be_given(operation: Operation, precision: Precision, device: str) -> bool:
    """Whether a device holds every argument of an operation, some of which may have a dtype of their own."""
    there = device_named(device)
    return all(there.has(domain.torch_dtype(precision.dtype)) for domain in operation.tensors.values())


def computing(operation: Operation, device: str, dtype: str, backends: Collection[str] = ()) -> list[Implementation]:
    """Whoever computes an operation so there: its definition, in any dtype or math mode there, and what is available and serves.

    backends: those that are asked, all but twins where none is named.
    """
    if not PRECISIONS[dtype].is_on(device) or not can_be_given(operation, PRECISIONS[dtype], device):
        return []
    every = on_backends((operation.own, *operation.implementations.values()), backends)
    here = [each for each in every if each.runs_on(device) and not each.unavailable()]
    return [each for each in here if each is operation.own or serves(each, PRECISIONS[dtype], device)]
