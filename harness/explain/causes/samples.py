"""Samples that reach one another."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from harness.explain.cause import Observed, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.measure.reference import reference, widened

_CASES = 16
_SAMPLES = 5
"""Samples that are changed, one at a time, in each case."""


@cause
def samples_leak(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """A change of one sample changes others."""
    if not fault.operation.batched:
        return
    cases = [case for case in fault.failing if case.has_batch and case.sizes["batch"] >= 2][:_CASES]
    reached = [pairs for case in cases if (pairs := _reached(fault, case)) is not None]
    leaking = [pairs for pairs in reached if pairs]
    if not leaking or len(leaking) < len(reached):
        return
    steps = {to - source for pairs in leaking for source, to in pairs}
    targets = {to for pairs in leaking for _, to in pairs}
    sources = {source for pairs in leaking for source, _ in pairs}
    yield Observed(
        _sentence(steps, sources, targets),
        f"on {len(leaking)} of {len(reached)} cases with two samples or more, changing one sample changed others",
    )


def _sentence(steps: set[int], sources: set[int], targets: set[int]) -> str:
    if steps == {1}:
        return "samples leak: each sample's result depends on the sample before it"
    if steps == {-1}:
        return "samples leak: each sample's result depends on the sample after it"
    if sources == {0}:
        return "samples leak: the first sample reaches the others"
    if targets == {0}:
        return "samples leak: the others reach the first sample"
    if min(steps) > 0:
        return "samples leak: a sample's result depends on the samples before it"
    return "samples leak: a sample's result depends on the others in its batch"


def _reached(fault: FaultNeighbourhood, case: Case) -> set[tuple[int, int]] | None:
    """The pairs (changed sample, sample whose result changed), None where a call fails."""
    call, stranger = case.call(), case.another(7).replace(pattern="normal").call()
    before = fault.results(case)
    if before is None:
        return None
    size, found = call.batch_size, set()
    for changed in range(min(size, _SAMPLES)):
        mixed = {}
        for name, axis in call.batch_axes.items():
            if call.given[name].kind == "float":
                pick = torch.tensor([changed], device=call.arguments[name].device)
                donor = stranger.arguments[name].index_select(axis, pick)
                mixed[name] = call.arguments[name].index_copy(axis, pick, donor)
        try:
            after = fault.subject(call.replace(**mixed))
        except Exception:
            return None
        for old, new, part in zip(before, after, reference(case).parts, strict=True):
            if part.axis is not None and old.is_floating_point():
                moved = _moved(widened(old), widened(new)).movedim(part.axis, 0).reshape(size, -1).norm(dim=1)
                told = torch.as_tensor(part.noise_floor).to(moved) * 64
                found |= {(changed, to) for to in range(size) if to != changed and moved[to] > told[to]}
    return found


def _moved(old: Tensor, new: Tensor) -> Tensor:
    """How far entries moved; NaN and infinities that stay have not."""
    same = (old == new) | (old.isnan() & new.isnan())
    return torch.where(same, 0.0, (old - new).nan_to_num(1, 1, 1))
