"""What the kernels of an implementation do to memory: accesses outside of their tensors, and races between programs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from harness.declare.kernel_memory import AccessFault
from harness.declare.triton_interpreter import watched
from harness.errors import Unsupported
from harness.generate.case import Call, Case
from harness.verify.subject import ImplementationFault, Subject

_LARGE = 2.0**100
"""A number that matters wherever it is read: NaN is left out by a maximum, and a large one by a minimum."""


@dataclass(frozen=True)
class KernelAccesses:
    """What the kernels of one call did that they may not do; reaching: whether what was loaded from outside is in the result."""

    faults: tuple[AccessFault, ...]
    reaching: bool

    def of(self, kind: str) -> tuple[AccessFault, ...]:
        """The faults of one kind: `load` or `store` outside of a tensor, `race`."""
        return tuple(fault for fault in self.faults if fault.kind == kind)


def kernel_accesses(subject: Subject, call: Call | Case) -> KernelAccesses:
    """Ask an implementation whose kernels are interpreted, and tell what they did to memory.

    Its backward pass is asked as well, where it has one. Raises Unsupported where no kernel is interpreted, ImplementationFault
    where the implementation fails, or where kernels load from outside what reaches no result: a device may stop the call there.
    """
    if call.device != "cpu" or not subject.implementation.backend.watched:
        raise Unsupported("accesses to memory are seen where kernels are interpreted, on the CPU alone")
    with watched() as watch:
        result = kernel_results(subject, call)
    if not watch.launches:
        raise Unsupported("no kernel was launched")
    loads = [fault for fault in watch.faults if fault.kind == "load"]
    reaching = bool(loads) and outside_reaches(subject, call, result)
    if len(loads) == len(watch.faults) and loads and not reaching:
        raise ImplementationFault(
            "load outside",
            f"{subject.implementation.place}: {loads[0]}; no result depends on it, and a device may stop the call there",
        )
    return KernelAccesses(tuple(watch.faults), reaching)


def outside_reaches(subject: Subject, call: Call | Case, result: tuple[Tensor, ...]) -> bool:
    """Whether the result, which it gave where NaN lies outside of the tensors of its kernels, has other bits where numbers lie there."""
    return any(_differ(result, _with_outside(subject, call, each)) for each in (_LARGE, -_LARGE))


def _with_outside(subject: Subject, call: Call | Case, value: float) -> tuple[Tensor, ...]:
    with watched(value):
        return kernel_results(subject, call)


def kernel_results(subject: Subject, call: Call | Case) -> tuple[Tensor, ...]:
    """The results, and gradients where it has some."""
    results = subject(call)
    if not subject.operation.differentiable:
        return results
    try:
        _, gradients = subject.gradients(call)
    except (ImplementationFault, Unsupported):  # which is for another property to say
        return results
    return (*results, *gradients.values())


def _differ(one: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> bool:
    """Whether bits differ, NaN counting as NaN."""
    if len(one) != len(other):
        return True
    return any(not torch.equal(a.nan_to_num(7), b.nan_to_num(7)) for a, b in zip(one, other, strict=True))
