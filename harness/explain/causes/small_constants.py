"""Small constants that keep a computation away from a pole (eps, jitter): used, but in another place."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch

from harness.errors import Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Call, Case
from harness.measure.assertions import all_close
from harness.measure.reference import reference
from harness.verify.subject import ImplementationFault

_NAMES = ("eps", "epsilon", "jitter", "delta", "damping", "ridge", "tiny")
_ASKED, _FEWEST = 24, 5


@cause
def misplaced_eps(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """Without the small constant the results agree, with it they do not: it stands outside a root, or is added elsewhere."""
    operation = fault.operation
    for name in (name for name in operation.parameters if name.lower() in _NAMES and fault.agrees):
        told = [agrees for case in fault.failing[:_ASKED] if (agrees := _agrees_without(fault, case, name)) is not None]
        if len(told) >= _FEWEST and all(told):
            yield Observed(
                f"{name} is used in another place",
                f"on {len(told)} of {len(told)} cases the results agree as soon as {name} is 0",
            )


def _agrees_without(fault: FaultNeighbourhood, case: Case, name: str) -> bool | None:
    """Whether implementation and definition agree when the constant is zero, None where that can't be told."""
    call = _without(case.call(), name)
    try:
        told = all_close("", fault.subject(call), reference(case, call), case)
    except (ImplementationFault, Unsupported):
        return None
    informative = [each for each in told if each.is_informative]
    return all(each.score <= each.allowance for each in informative) if informative else None


def _without(call: Call, name: str) -> Call:
    if name in call.options:
        return dataclasses.replace(call, options={**call.options, name: 0.0})
    return call.replace(**{name: torch.zeros_like(call.arguments[name])})
