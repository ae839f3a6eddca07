"""Verification at a point: before an implementation is timed it has to be right there, in the same process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from harness.bench.ladder import LadderPoint, workload
from harness.declare.devices import device_of
from harness.declare.implementation import Implementation
from harness.errors import Unsupported
from harness.explain.sentence import sentence
from harness.generate.precision import eps_of
from harness.measure.verdict import Verdict
from harness.verify.cell import Cell
from harness.verify.finding import ask
from harness.verify.property import Property
from harness.verify.subject import ImplementationFault, Subject
from harness.verify.suite import every_property


@dataclass(frozen=True)
class Verified:
    """What an implementation's result is worth at a point."""

    verdict: Verdict
    reason: str = ""

    @property
    def is_timed(self) -> bool:
        """Whether its time means anything: a fast wrong answer is wrong, and not fast."""
        return not self.verdict.failing and self.verdict is not Verdict.UNSUPPORTED


def verified(point: LadderPoint, implementation: Implementation, device: str, dtype: str) -> Verified:
    """Hold the result against the oracle; where that would take too much, against the workload's certificate."""
    if workload(point.operation).is_beyond_the_oracle(point.known):
        return _certified(point, implementation, device, dtype)
    cell = Cell(_agreement(), point.operation, implementation, device, dtype)
    finding, _ = ask(cell, Subject(point.operation, implementation), point.case(device, dtype))
    return Verified(finding.verdict, "" if finding.verdict is Verdict.EXACT else sentence(finding))


def _certified(point: LadderPoint, implementation: Implementation, device: str, dtype: str) -> Verified:
    certificate = workload(point.operation).certificate
    if certificate is None:
        return Verified(Verdict.INCONCLUSIVE, "the definition would take too long here, and nothing else verifies it")
    call = point.case(device, dtype).call()
    try:
        results = Subject(point.operation, implementation)(call)
    except Unsupported as reason:
        return Verified(Verdict.UNSUPPORTED, str(reason))
    except ImplementationFault as fault:
        return Verified(Verdict.ERROR, str(fault))
    wide = {name: _wide(each) if each.is_floating_point() else each for name, each in call.arguments.items()}
    eps = eps_of(dtype)
    error, allowed = certificate({**wide, **call.options}, tuple(map(_wide, results)), eps)
    told = f"its certificate is off by {error:.2g}, where {allowed:.2g} is allowed"
    return Verified(Verdict.ROUNDING if error <= allowed else Verdict.WRONG, told)


def _wide(tensor: Tensor) -> Tensor:
    """A tensor in float64, on its device where that has it."""
    return (tensor if device_of(tensor).has(torch.float64) else tensor.cpu()).double()


@lru_cache
def _agreement() -> Property:
    return next(prop for prop in every_property() if prop.name == "agreement")
